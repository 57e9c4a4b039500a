# $5 seconds for the probe  $6 1 = probe  $7 1 = write too
device
remember
mounts
if [ "$6" = 1 ] && ours; then
	probe "$5" "$7"
elif pending umount; then
	now
	echo "@leaving $((up - since))"
fi
facts
