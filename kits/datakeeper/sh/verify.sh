# $1 seconds that this may wait for the end
#
# Compares all that the legs hold, in the background. What is under way is not disturbed: then nothing begins.
left=$(($1 * 10))
echo "@begin"
survey
[ -n "$md" ] || fail not-running
first "$sys/$md/md/degraded"
degraded=$word
first "$sys/$md/md/sync_action"
case $word in
check) ;;
idle)
	bounded 10 put check "$sys/$md/md/sync_action" || fail verify
	rm -f "$run/located" # of an earlier comparison
	;;
*) fail busy "$word" ;;
esac
pause
first "$sys/$md/md/sync_action"
while [ "$word" = check ] && [ "$left" -gt 0 ]; do
	pause
	left=$((left - 1))
	first "$sys/$md/md/sync_action"
done
if [ "$word" = check ]; then
	echo "@compared goes-on"
else
	# One that was cut short, as by a leg that fell out, has compared nothing that counts: md notes how far it was.
	first "$sys/$md/md/sync_min"
	[ "$word" = 0 ] || fail cut-short
	first "$sys/$md/md/degraded"
	[ "$word" = "$degraded" ] || fail cut-short
	first "$sys/$md/md/mismatch_cnt"
	echo "@compared ${word:-?}"
fi
echo "@end"
exit 0
