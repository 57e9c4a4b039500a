# shellcheck disable=SC2034 # link is read by the scripts behind this prelude
# Common to every script of the kit. "ip -o" text is what every iproute2 (and
# busybox) prints; JSON would need 4.13. Sections start with "@" so that the
# reader can tell a complete answer from one that was cut off.
#
# Every process counts on a slow or loaded node: the addresses are read once into
# a variable and looked through by the shell itself.

# read_addrs sets addrs to every IPv4 address of the node.
read_addrs() {
	addrs=$(ip -o -4 addr show) || said=$?
}

# find_device NAME ADDRESS sets dev: NAME or else the interface carrying ADDRESS.
find_device() {
	dev=$1
	[ -z "$dev" ] || return 0
	while read -r _ d _ cidr _; do
		case $cidr in
		"$2" | "$2"/*)
			dev=$d
			return 0
			;;
		esac
	done <<ADDRS
$addrs
ADDRS
}

# find_holders ADDRESS sets holders: a line "interface cidr" for every place where it is.
find_holders() {
	holders=''
	while read -r _ d _ cidr _; do
		case $cidr in
		"$1" | "$1"/*) holders="$holders$d $cidr
" ;;
		esac
	done <<ADDRS
$addrs
ADDRS
}

# read_link sets link to what is said about dev. That it is up and has a carrier, which is the
# rule, the kernel's own file says without a process: it holds 1 then, and cannot be read while it is down.
read_link() {
	link='' carrier=''
	[ -n "$dev" ] || return 0
	if read -r carrier <"/sys/class/net/$dev/carrier" && [ "$carrier" = 1 ]; then
		link="0: $dev: <UP,LOWER_UP>"
	else
		link=$(ip -o link show dev "$dev" 2>&1)
	fi
} 2>/dev/null

# look: what the judge reads.
look() {
	echo "@iface $dev"
	echo "@addr"
	printf '%s\n' "$addrs"
	[ -z "$said" ] || echo "@err addr $said"
	echo "@link"
	printf '%s\n@end\n' "$link"
}

# arping_ok: the arping here is iputils' or busybox's. The other program of that
# name takes the same letters for other things.
arping_ok() {
	command -v arping >/dev/null 2>&1 || return 1
	case $(arping -V 2>&1) in
	*iputils* | *[Bb]usy[Bb]ox*) return 0 ;;
	esac
	return 1
}

# A login over SSH may leave the administrators' directories out.
PATH=$PATH:/usr/sbin:/sbin
if ! command -v ip >/dev/null 2>&1; then
	echo "@noip"
	exit 0
fi
said=''
link=''
