# What start and create have in common: the array on our own leg alone.

# same_time FROM: the array that runs here was started by this node in the time, not ended yet, in which it is the source. A
# start that was begun again then has a newer generation and nothing else to do: connections of before have smaller numbers.
same_time() {
	[ "$has_gen" -ge "$1" ] || fail other-generation "$has_gen"
	[ "$has_gen" -le "$gen" ] || fail other-generation "$has_gen"
	[ "$has_gen" = "$gen" ] || store_gen
}

# assemble: only the own leg, whatever its superblock says of others.
assemble() {
	examine
	[ -n "$leg_uuid" ] || fail no-superblock "$meta"
	[ "$leg_uuid" = "$uuid" ] || fail other-array "$leg_uuid"
	mkdir -p "${device%/*}"
	bounded 40 mdadm --assemble "$device" --config=none --uuid="$uuid" --run "/dev/mapper/$leg" || fail assemble
	settled
}

# settled: the array is there, and runs on our leg.
settled() {
	tries=50
	while
		survey
		[ -z "$md" ] && [ "$tries" -gt 0 ]
	do
		tries=$((tries - 1))
		pause
	done
	[ -n "$md" ] || fail assemble
	first "$sys/$md/md/array_state"
	case $word in
	readonly | read-auto) bounded 10 mdadm --readwrite "/dev/$md" ;;
	clean | active | active-idle | write-pending) ;;
	*) said=$word && fail assemble ;;
	esac
	said=''
	link
	limits
	stable || bounded 10 put 1 "$sys/$md/queue/stable_writes"
	stable || fail no-stable-writes "$md"
	said=''
}

# link: the device's name leads to the array; udev or mdadm may have seen to that already.
link() {
	[ -b "$device" ] && [ "$(readlink -f "$device")" = "/dev/$md" ] && return 0
	[ ! -e "$device" ] || [ -L "$device" ] || fail device-taken "$device"
	mkdir -p "${device%/*}"
	ln -sfn "/dev/$md" "$device" || fail device-taken "$device"
}
