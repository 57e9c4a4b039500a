# $1 once = this node has not run this generation before  $2 $3 slowest and fastest resync, KiB/s  $4 generation since which this node is the source
#
# The array on the own leg alone: the others' come by join. From here on this node is the source: what the
# former one may still be sending must not reach the disk any more.
speed_min=$2 speed_max=$3
echo "@begin"
survey
if [ -n "$md" ]; then
	stored
	same_time "$4"
	settled
	echo "@array $md"
	echo "@did already"
	echo "@end"
	exit 0
fi
stored
[ "$has_gen" -le "$gen" ] || fail newer-here "$has_gen"
[ "$has_gen" != "$gen" ] || [ "$1" != once ] || fail promote-again "$gen"
end_server
build_leg
blockdev --flushbufs "/dev/mapper/$leg" 2>/dev/null
kernel_name "$disk" || fail no-disk "$disk"
blockdev --flushbufs "/dev/$kname" 2>/dev/null
forget_final
store_gen
assemble
echo "@array $md"
echo "@did assembled"
echo "@end"
exit 0
