# $1 seconds
echo "@begin"

# gone SECONDS: waits until it is.
gone() {
	now
	begin=$up limit=$1
	while ours && [ -n "$pids" ] && remaining; do pause; done
	[ -z "$pids" ]
}

# finish SIGNAL: each of these was just found to be this listener's own, by its name and its program. Sessions that it
# has handed over are not touched.
finish() {
	[ -n "$pids" ] || return 0
	echo "@did kill $1$pids"
	# shellcheck disable=SC2086 # several
	kill "-$1" $pids 2>/dev/null
	gone 5
}

if need systemctl timeout runuser readlink grep tr; then
	halt
	ours
	if [ -n "$pids" ]; then
		control "$1" stop "$name"
		echo "@did stop"
		quote "$said"
		echo "@didend $rc"
		case $rc in
		0) gone 5 ;;
		*) ours ;;
		esac
		[ -z "$pids" ] || finish TERM
		[ -z "$pids" ] || finish KILL
	fi
	ours
	[ -n "$pids$unsure" ] || end_units
	echo "@process$pids"
	[ -z "$foreign" ] || echo "@foreign$foreign $program"
	[ -z "$unsure" ] || echo "@unsure$unsure"
fi
echo "@end"
exit 0
