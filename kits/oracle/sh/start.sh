# $1 seconds for all of it  $2 a parameter file or empty  $3 1 = backup mode may be ended
# $4 start, or recover: then an instance that is in the way is aborted  $5 the script bring.sh
echo "@begin"
if need systemctl systemd-run timeout runuser readlink grep; then
	limit=$1
	now
	begin=$up
	flight
	processes "^ora_[^_]*_$name|^oracle$name"
	if [ -n "$foreign$unsure" ]; then
		echo "@instead$foreign$unsure"
	else
		status=''
		if [ -n "$pids" ]; then inspect "$answer"; else end_units; fi
		case $status in
		OPEN*) ;;
		*)
			remaining
			launch "$5" "$answer" "" "$rest" "$2" "$3" "$4"
			echo "@bring"
			quote "$said"
			;;
		esac
	fi
	look
fi
echo "@end"
exit 0
