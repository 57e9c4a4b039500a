# No arguments of its own.
#
# The source has been stopped: ends whoever serves this leg, brings all that was written to it to the disk, and tells what its
# superblock says. Run again it does the same.
echo "@begin"
survey
[ -z "$md" ] || fail runs-here "$md"
stored
[ "$has_gen $has_uuid" = "$gen $uuid" ] || fail not-served "$has_gen"
boot_id
first "$run/served"
[ "$word" = "$gen $uuid $boot" ] || fail rebooted
end_server
build_leg
kernel_name "$disk" || fail no-disk "$disk"
# Flushes are not passed on to a leg that is far away. An error here may be of anything that was written before.
for f in "/dev/mapper/$leg" "/dev/$kname" "$meta"; do
	bounded 30 sync "$f" || fail flush "$f"
done
said=''
superblock
[ -n "$sb" ] || fail no-superblock "$meta"
# Was it all in one boot, and nobody else's?
stored
[ "$has_gen $has_uuid" = "$gen $uuid" ] || fail not-served "$has_gen"
echo "@leg $sb"
echo "@end"
exit 0
