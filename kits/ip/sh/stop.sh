# $1 address  $2 prefix length  $3 interface or empty  $4 the node's own address
vip=$1
read_addrs
find_device "$3" "$4"
find_holders "$vip"
while read -r d cidr; do
	[ -n "$d" ] || continue
	ip addr del "$cidr" dev "$d" 2>&1 || echo "@failed $?"
done <<HOLDERS
$holders
HOLDERS
[ -z "$holders" ] || read_addrs
look
exit 0
