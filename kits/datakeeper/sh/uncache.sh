# Whoever reads our leg from here on reads the disk: nbd-server answers from the page cache, which keeps what was written
# although something else may stand on the disk by now. A comparison would compare memory.
echo "@begin"
survey
[ -n "$leg_dm" ] || fail no-leg "$leg"
bounded 60 blockdev --flushbufs "/dev/mapper/$leg" || fail flush "$leg"
kernel_name "$disk" || fail no-disk "$disk"
bounded 60 blockdev --flushbufs "/dev/$kname" || fail flush "$disk"
said=''
echo "@end"
exit 0
