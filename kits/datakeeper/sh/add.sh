# $1 node  $2 number of this membership  $3 members  $4 $5 slowest and fastest resync, KiB/s
#
# Gives a connected leg to the array. From here on the leg is a mixture until all is copied: the record says so already.
node=$1 number=$2 members=$3 speed_min=$4 speed_max=$5

# merge: what the other side wrote on its own is copied back, too. In pieces that sysfs takes.
merge() {
	piece=''
	for c in $dirty; do
		case $c in *[!0-9-]* | '') fail dirty "$c" ;; esac
		piece="$piece $c"
		if [ "${#piece}" -gt 3000 ]; then
			echo "$piece" >"$sys/$md/md/bitmap_set_bits" || fail merge
			piece=''
		fi
	done
	[ -z "$piece" ] || echo "$piece" >"$sys/$md/md/bitmap_set_bits" || fail merge
}

# undo: a connection that the array did not take in time is not left behind. It is no copy yet: nothing rests on it.
undo() {
	why=$said
	let_go "$node" "$dm"
	tries=50
	while [ -e "$sys/$md/md/dev-$dm" ] && [ "$tries" -gt 0 ]; do
		bounded 5 put remove "$sys/$md/md/dev-$dm/state"
		tries=$((tries - 1))
		pause
	done
	drop_far "$node" "$dm"
	resume
	said=$why
	fail "$@"
}

echo "@begin"
survey
[ -n "$md" ] || fail not-running
stored
[ "$has_gen" = "$gen" ] || fail other-generation "$has_gen"
far_dm "$node"
has='' mode='' nbd=''
{ read -r has mode nbd <"$run/far.$node"; } 2>/dev/null
if [ -z "$dm" ]; then
	echo "@did not-connected"
	echo "@end"
	exit 0
fi
if [ -e "$sys/$md/md/dev-$dm" ]; then
	case $has in
	"$number")
		resume
		echo "@did already"
		echo "@end"
		exit 0
		;;
	pending) undo again "$node" ;;
	*) fail still-there "$node" ;;
	esac
fi
how='' dirty=''
{
	read -r how
	read -r dirty
} <"$run/how.$node" 2>/dev/null
if [ "$has" != "$number" ] || [ -z "$how" ]; then
	undo again "$node"
fi
stable || fail no-stable-writes "$md"
# Until it is in, it counts for nothing, and can be taken apart.
echo "pending $mode $nbd" >"$run/far.$node"
first "$sys/$md/md/raid_disks"
if [ "$word" -lt "$members" ]; then
	bounded 30 mdadm --grow "/dev/$md" --raid-devices="$members" || fail grow
fi
limits
did=$how
if [ "$how" = partial ]; then
	merge
	if ! bounded 15 mdadm "/dev/$md" --re-add "/dev/mapper/$far$node"; then
		[ "$rc" != 124 ] || undo add "$node"
		echo "@refused"
		quote "$said"
		did=full
	fi
fi
if [ "$did" = full ]; then
	# What stands in its superblock must not make it look like a copy.
	bounded 15 mdadm --zero-superblock --force "/dev/mapper/$far$node"
	bounded 15 mdadm --examine --export "/dev/mapper/$far$node"
	case $rc:$said in 124:* | *MD_UUID=*) undo add "$node" ;; esac
	bounded 15 mdadm "/dev/$md" --add "/dev/mapper/$far$node" || undo add "$node"
fi
said=''
tries=50
until [ -e "$sys/$md/md/dev-$dm" ] || [ "$tries" = 0 ]; do
	tries=$((tries - 1))
	pause
done
[ -e "$sys/$md/md/dev-$dm" ] || undo add "$node"
# Reads stay on the own disk.
bounded 5 put writemostly "$sys/$md/md/dev-$dm/state" || undo add "$node"
# Writes need not wait for a leg that is far away. The kernel takes this only when it knows such a leg.
if [ "$mode" = asynchronous ]; then
	bounded 5 put 4096 "$sys/$md/md/bitmap/backlog" || undo add "$node"
fi
printf '%s %s %s\n' "$number" "$mode" "$nbd" >"$run/far.$node"
resume
echo "@did $did"
echo "@end"
exit 0
