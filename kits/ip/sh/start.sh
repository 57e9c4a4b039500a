# $1 address  $2 prefix length  $3 interface or empty  $4 the node's own address
vip=$1 len=$2
read_addrs
find_device "$3" "$4"
read_link

# On a link that is down nobody would reach it: leave nothing half done there.
case $link in
*[\<,]LOWER_UP[,\>]*) ;;
*)
	look
	exit 0
	;;
esac

# On another interface, or with another prefix length, it must go first.
find_holders "$vip"
here=''
while read -r d cidr; do
	if [ "$d" = "$dev" ] && [ "$cidr" = "$vip/$len" ]; then
		here=1
	elif [ -n "$d" ]; then
		ip addr del "$cidr" dev "$d" 2>&1
	fi
done <<HOLDERS
$holders
HOLDERS
if [ -z "$here" ]; then
	ip addr add "$vip/$len" dev "$dev" 2>&1 || echo "@failed $?"
fi
read_addrs
look

# Neighbours on the link learn at once where it is now: one packet of each form.
# Not waited for, because arping lingers a second after its last packet.
if command -v arping >/dev/null 2>&1; then
	(
		arping_ok || exit 0
		arping -U -c 1 -w 1 -I "$dev" "$vip" &
		arping -A -c 1 -w 1 -I "$dev" "$vip"
	) </dev/null >/dev/null 2>&1 &
else
	echo "@noarping"
fi
exit 0
