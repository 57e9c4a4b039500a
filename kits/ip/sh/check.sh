# $1 address  $2 prefix length  $3 interface or empty  $4 the node's own address
# $5 NOBCASTPING: 1 = no broadcast ping and no question who else answers
vip=$1
read_addrs
find_device "$3" "$4"
read_link
look

[ "$5" = 1 ] && exit 0
find_holders "$vip"
[ -n "$dev" ] && [ -n "$holders" ] || exit 0

bcast=$(ip -o -4 addr show dev "$dev" | sed -n 's/.* brd \([0-9.]*\) .*/\1/p' | head -n 1)
echo "@bcast ${bcast:=255.255.255.255}"
if command -v ping >/dev/null 2>&1; then
	ping -n -b -c 3 -w 2 -I "$dev" "$bcast" 2>&1
	echo "@bcastend $?"
else
	echo "@noping"
fi
if arping_ok; then
	echo "@arp"
	arping -D -c 1 -w 1 -I "$dev" "$vip" 2>&1
	echo "@arpend $?"
fi
exit 0
