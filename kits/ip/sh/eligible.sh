# $1 address  $2 prefix length  $3 interface or empty  $4 the node's own address
# $5 extended regular expression: a line of configuration that sets the address
read_addrs
find_device "$3" "$4"
read_link
look
pattern=$5
set --
for f in \
	/etc/network/interfaces /etc/network/interfaces.d/* \
	/etc/netplan/*.yaml /etc/netplan/*.yml \
	/etc/NetworkManager/system-connections/* \
	/etc/sysconfig/network-scripts/ifcfg-* /etc/sysconfig/network/ifcfg-* \
	/etc/systemd/network/*.network /etc/systemd/network/*.network.d/*.conf \
	/etc/rc.local /etc/rc.d/rc.local; do
	[ ! -f "$f" ] || set -- "$@" "$f"
done
echo "@static"
[ "$#" = 0 ] || grep -E -l -e "$pattern" "$@"
echo "@staticend"
exit 0
