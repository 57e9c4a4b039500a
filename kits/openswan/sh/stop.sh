# $1 connection  $2 seconds that the daemon may take; 0 = it is not asked
# Nothing is stopped: the daemon and the tunnel stay as they are on every node. What they are is told, within the time.
echo "@begin"
if [ "$2" -gt 0 ] && need ipsec timeout; then
	tool "$2" ipsec status
	echo "@status"
	relevant "$said"
	echo "@statusend $rc"
fi
echo "@stayed"
echo "@end"
exit 0
