# $1 once, as in start  $2 $3 slowest and fastest resync, KiB/s  $4 existing, new or data-only  $5 file-system type  $6 members
# $7 name of the array  $8 missing = the metadata may be made anew, rebuild = it is, whatever lies there: a person wants the disk as it is
# $9 generation since which this node is the source
#
# The first start: metadata beside the disk, whose bytes stay as they are. Also run again after it was cut short.
speed_min=$2 speed_max=$3 kind=$4 fs=$5 members=$6 name=$7 rebuild=$8

# content sets type to what lies on a device; empty = nothing that is known.
content() {
	type='' usage=''
	bounded 20 blkid -p -o export "$1"
	[ "$rc" = 0 ] || [ "$rc" = 2 ] || fail blkid "$1"
	while IFS='=' read -r key value; do
		case $key in
		TYPE | PTTYPE) type=$value ;;
		USAGE) usage=$value ;;
		esac
	done <<CONTENT
$said
CONTENT
	said=''
}

# ends DEVICE sets sum to that of the first and the last MiB of the array's size, past every cache.
ends() {
	sum=$({
		dd if="$1" bs=1M count=1 iflag=direct 2>/dev/null
		dd if="$1" bs=64k skip=$((kib / 64 - 16)) count=16 iflag=direct 2>/dev/null
	} | sha256sum)
}

# chunk sets it to the KiB that one bit of the bitmap stands for: small, within the room that mdadm leaves.
chunk() {
	bits=30000
	[ "$kib" -lt 9000000 ] || bits=500000
	[ "$kib" -lt 210000000 ] || bits=1000000
	chunk=64
	while [ $((kib / chunk)) -gt "$bits" ]; do chunk=$((chunk * 2)); done
}

# make_file_system: on the array, when it carries none yet. No discard: legs that forget blocks are not equal.
make_file_system() {
	content "/dev/$md"
	[ -z "$type" ] || return 0
	case $fs in
	xfs) bounded 600 mkfs.xfs -q -K "/dev/$md" ;;
	ext2 | ext3 | ext4) bounded 600 mke2fs -q -F -t "$fs" -E nodiscard "/dev/$md" ;;
	*) fail fs-type "$fs" ;;
	esac || fail mkfs "$fs"
}

echo "@begin"
did=created
survey
stored
if [ -n "$md" ]; then
	same_time "$9"
	did=already
else
	[ "$has_gen" -le "$gen" ] || fail newer-here "$has_gen"
	[ "$has_gen" != "$gen" ] || [ "$1" != once ] || fail promote-again "$gen"
	end_server
	forget_final
	may_make=1
	build_leg
	kernel_name "$disk" || fail no-disk "$disk"
	blockdev --flushbufs "/dev/$kname" 2>/dev/null
	examine
	first "$class/$kname/size"
	kib=$(((word - word % 8) / 2))
	[ "$kib" -ge 4096 ] || fail too-small "$disk"
	if [ "$leg_uuid" != "$uuid" ] || [ "$rebuild" = rebuild ]; then
		[ -z "$leg_uuid" ] || [ "$rebuild" = rebuild ] || fail other-array "$leg_uuid"
		if [ -z "$rebuild" ]; then
			content "/dev/$kname"
			case $kind in
			existing) [ "$usage" = filesystem ] || fail no-file-system "${type:-nothing}" ;;
			new) [ -z "$type" ] || fail not-empty "$type" ;;
			esac
		fi
		[ -z "$leg_uuid" ] || bounded 20 mdadm --zero-superblock "/dev/mapper/$leg" || fail create
		store_gen
		ends "/dev/$kname"
		before=$sum
		chunk
		missing=''
		while [ "$members" -gt 1 ]; do missing="$missing missing" members=$((members - 1)); done
		mkdir -p "${device%/*}"
		# shellcheck disable=SC2086 # the word missing, some times
		bounded 60 mdadm --create "$device" --config=none --run --level=1 --metadata=1.0 --uuid="$uuid" --name="$name" --homehost=any \
			--raid-devices="$6" --size="${kib}K" --bitmap=internal --bitmap-chunk="${chunk}K" --assume-clean \
			"/dev/mapper/$leg" $missing || fail create
		settled
		ends "/dev/$md"
		[ "$before" = "$sum" ] || fail not-the-same
	else
		store_gen
		assemble
	fi
fi
settled
[ "$kind" != new ] || [ -n "$rebuild" ] || make_file_system
echo "@array $md"
echo "@did $did"
echo "@end"
exit 0
