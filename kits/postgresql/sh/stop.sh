do_stop
echo "@did $did"
verdict
