do_start
probe
echo "@did $did"
[ -z "$stale" ] || echo "@stale $stale"
verdict
