# $1 connection  $2 what to do: restart, load, up, renew
# Looks again before it acts: another recovery may have been here first. How it went is told by the check that follows.
note() { echo "@did $1"; }

# run SECONDS COMMAND…: and what it said.
run() {
	tool "$@"
	shift
	echo "@ran $*"
	quote "$said"
	echo "@ranend $rc"
}

# hangs: the daemon is there, and is stopped or kept silent. One that is just starting is neither.
hangs() {
	silent=$rc
	pluto
	case $state in
	none | Z | X) return 1 ;;
	T | t) return 0 ;;
	esac
	case $silent in 124 | 137) return 0 ;; esac
	return 1
}

# restart: a daemon that answers is left alone; one that hangs does not hear systemd, so it is killed first.
restart() {
	status
	if answers; then
		note answers
		return 0
	fi
	how=start
	if hangs; then
		run 10 systemctl kill -s KILL ipsec.service
		note killed
	elif [ "$state" = none ] && [ "$(timeout 5 systemctl is-active ipsec.service 2>/dev/null)" = active ]; then
		how=restart # systemd does not know that it is gone
	fi
	timeout 5 systemctl reset-failed ipsec.service 2>/dev/null
	tries=4
	while [ "$tries" -gt 0 ]; do
		run 30 systemctl "$how" ipsec.service
		tool 3 ipsec status
		if answers; then
			note started
			break
		fi
		how=start
		tries=$((tries - 1))
		[ "$tries" != 1 ] || how=restart
		sleep 1
	done
	answers || return 0
	bring_up # where auto=start is not set, nothing else does
}

# await SECONDS: until every part of the connection is established.
await() {
	left=$1
	while ! established; do
		[ "$left" -gt 0 ] || return 1
		left=$((left - 1))
		sleep 1
	done
}

# bring_up: an attempt that is waiting for its next packet is ended first, because a new one begins at once.
bring_up() {
	if await 3; then
		note established
		return 0
	fi
	renew
}

renew() {
	run 10 ipsec auto --rereadsecrets
	run 10 ipsec auto --down "$conn"
	run 12 ipsec auto --up "$conn" # five packets go out in that time
	case $said in *' rejected by peer: '*) return 0 ;; esac
	await 8
	note brought-up
}

echo "@begin"
if [ -n "$conn" ] && need ipsec timeout systemctl; then
	case $2 in
	restart) restart ;;
	load)
		status
		case $said in
		*\""$conn"\"* | *\""$conn"/*) ;;
		*) run 15 ipsec auto --add "$conn" ;;
		esac
		bring_up
		;;
	up) bring_up ;;
	renew) renew ;;
	esac
fi
echo "@end"
exit 0
