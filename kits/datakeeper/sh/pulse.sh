# Reads /sys and asks the device mapper for its connections: nothing that waits for a disk. The one thing it keeps is
# since when a connection makes no progress, in /run.
first "$proc/uptime"
up=${word%% *}
up=${up%.*}${up#*.}
echo "@begin"
echo "@up $up"
survey
stored
echo "@gen $has_gen uuid=$has_uuid"
if [ -b "$disk" ]; then echo "@disk yes"; else echo "@disk no"; fi
echo "@leg ${leg_dm:-none}"
# Before the array: a comparison that begins in between is seen.
first "$run/located"
located=$word

# value FILE: the line of a file of the array, blanks left out; - when it cannot be read.
value() {
	first "$sys/$md/md/$1"
	v=''
	for w in $word; do v=$v$w; done
	v=${v:--}
}

# bad DM sets v to yes where the array knows blocks of a member that it could not write.
bad() {
	v=no
	for b in bad_blocks unacknowledged_bad_blocks; do
		first "$sys/$md/md/dev-$1/$b"
		[ -z "$word" ] || v=yes
	done
}

# stalled: since how many hundredths of a second the connection has made no progress; sets v.
stalled() {
	first "$sys/$dm/stat"
	# shellcheck disable=SC2086 # numbers
	set -- $word
	flights=${9:-0}
	count=$((${1:-0} + ${5:-0} + ${12:-0} + ${16:-0}))
	v=0
	if [ "$flights" = 0 ] && [ "$path" = A ] && [ "$connected" = yes ]; then
		[ ! -e "$run/stuck.$node" ] || rm -f "$run/stuck.$node"
		return 0
	fi
	first "$run/stuck.$node"
	if [ "${word#* }" = "$count" ]; then
		v=$((up - ${word%% *}))
		[ "$v" -ge 0 ] || v=0 # noted by another look, which began a little later
	else
		mkdir -p "$run"
		echo "$up $count" >"$run/stuck.$node"
	fi
}

if [ -n "$md" ]; then
	line="@array $md"
	for f in array_state raid_disks degraded sync_action sync_completed sync_speed mismatch_cnt; do
		value "$f"
		line="$line $f=$v"
	done
	first "$sys/$md/size"
	line="$line size=${word:-0}"
	first "$sys/$md/ro"
	echo "$line ro=${word:--}"
	value "dev-$leg_dm/state"
	own=$v
	bad "$leg_dm"
	echo "@own state=$own bad=$v"
fi
[ -z "$md" ] || [ -z "$located" ] || echo "@located $located"
paths=''
[ -z "$fars" ] || paths=$(timeout 3 dmsetup status --target multipath </dev/null 2>/dev/null)
for f in $fars; do
	dm=${f%%=*} node=${f#*=}
	nbd_of "$dm"
	connected=no
	[ -z "$nbd" ] || [ ! -e "$sys/$nbd/pid" ] || connected=yes
	path=-
	while read -r name rest; do
		[ "$name" = "$far$node:" ] || continue
		case $rest in
		*:[0-9]*' A '*) path=A ;;
		*:[0-9]*' F '*) path=F ;;
		esac
	done <<PATHS
$paths
PATHS
	number=- mode=-
	{ read -r number mode _ <"$run/far.$node"; } 2>/dev/null
	state=none broken=no
	if [ -n "$md" ] && [ -e "$sys/$md/md/dev-$dm" ]; then
		value "dev-$dm/state"
		state=$v
		bad "$dm"
		broken=$v
	fi
	stalled
	echo "@far $node number=${number:--} mode=${mode:--} state=$state bad=$broken path=$path connected=$connected flights=$flights stalled=$v"
done
# Looking takes a moment, in which the array may have been stopped: then half of the above is of an array that was.
if [ -n "$md" ]; then
	value array_state
	echo "@still $v"
fi
if [ -z "$md" ]; then
	first "$lib/$slug.final"
	[ -z "$word" ] || echo "@final $word"
fi
first "$run/server.port"
if [ -n "$word" ]; then echo "@server $word"; fi
echo "@end"
exit 0
