# A server that runs is only taken down when its check has failed all the same: nobody can reach
# its socket, or it keeps silent where that is to count.
did=already
if look && [ "$status" = ready ]; then
	probe
	case $sock.$ready.$hang_fails in
	none.2.* | ours.2.1)
		all_time=$limit
		do_stop
		[ -z "$pm$all" ] || {
			echo "@did unstoppable"
			verdict
		}
		limit=$all_time
		now
		begin=$up
		;;
	esac
fi
if [ -z "$pm" ] || [ "$status" != ready ]; then
	do_start
	probe
fi
echo "@did $did"
[ -z "$stale" ] || echo "@stale $stale"
verdict
