# shellcheck disable=SC2016,SC2034 # what the inner shell expands; what the script behind this prelude prints
# Common to every script of the kit. Answers are lines "@word value", then "@out"
# and whatever the application's own scripts printed.
#
# Every process counts on a slow or loaded node, and a question to systemd most of
# all: files that it keeps answer for it where they can.

run=/run

# now sets up, the uptime in seconds, and stamp, a number that does not come again until the next boot.
now() {
	read -r up _ </proc/uptime
	stamp=${up%.*}${up#*.} up=${up%.*}
}

# loaded UNIT: systemd knows a transient unit of that name, which may be a pattern. It
# keeps the file of such a unit as long as it knows the unit. (Before version 235 the file was elsewhere: then nothing is ruled out.)
loaded() {
	[ -d "$run/systemd/units" ] || return 0
	# shellcheck disable=SC2231 # a pattern is meant as one
	for f in "$run"/systemd/transient/$1; do
		[ ! -e "$f" ] || return 0
	done
	return 1
}

# state UNIT sets state: active, activating, inactive, failed, …; empty when there is no
# systemd. For one of our own units systemd is rarely asked: one that has no file is
# inactive; one that has an invocation is neither inactive nor failed; and do_start
# notes when one has come up.
state() {
	state=inactive
	loaded "$1" || return 0
	state=active
	if [ -h "$run/systemd/units/invocation:$1" ] && [ -s "$run/ferry/$1" ]; then return 0; fi
	state=$(systemctl is-active "$1" 2>/dev/null)
}

# as USER LIMIT COMMAND: in this unit, for scripts that leave nothing running.
as() {
	if [ -n "$1" ]; then
		timeout "$2" runuser -u "$1" -- sh -c "$3"
	else
		timeout "$2" sh -c "$3"
	fi
}

# probe: one check. Sets rc and out (its last bytes).
probe() {
	out=$({
		as "$user" "$check_limit" "$check" </dev/null 2>&1
		printf '\n@rc %s' "$?"
	} | tail -c 3000)
	rc=${out##*@rc }
	out=${out%@rc *}
}

# left: whether there is time left of the action's limit.
left() {
	now
	[ "$((up - begin))" -lt "$limit" ]
}

pause() {
	sleep 0.1 2>/dev/null || sleep 1
}

# launch UNIT COMMAND: in a unit of its own, that stays when the command has ended
# and with it whatever daemon the command left behind. The command travels in the
# environment because systemd would expand "${…}" in an argument. Only in "$(…)": it ends the shell.
launch() {
	set -- "$1" "$2" ${user:+"--uid=$user"}
	u=$1 c=$2
	shift 2
	! loaded "$u" || systemctl reset-failed "$u" 2>/dev/null
	exec systemd-run --quiet --unit="$u" --service-type=oneshot --remain-after-exit \
		--property=TimeoutStartSec="$limit" --property=TimeoutStopSec=10 \
		--setenv=FERRY_APP="$c" "$@" \
		/bin/sh -c 'c=$FERRY_APP; unset FERRY_APP; eval "$c"' </dev/null 2>&1
}

# end_units: ends what earlier starts and recoveries left running.
end_units() {
	if ! loaded "$unit.service" && ! loaded "$unit-r*.service"; then return 0; fi
	systemctl stop "$unit.service" "$unit-r*.service" 2>/dev/null
	if ! loaded "$unit.service" && ! loaded "$unit-r*.service"; then return 0; fi
	systemctl reset-failed "$unit.service" "$unit-r*.service" 2>/dev/null
}

# settle: checks until the application is up or the time is over.
settle() {
	while :; do
		probe
		case $rc in 0 | 190 | 126 | 127) return 0 ;; esac
		left || return 0
		pause
	done
}

# note UNIT WORD keeps the word for state; without a word it is not known whether the unit has come up.
note() {
	[ ! -d "$run/systemd/units" ] || printf '%s' "$2" >"$run/ferry/$1"
} 2>/dev/null

# bring_up UNIT COMMAND: launches and waits until the check says yes. Sets did, rc, out;
# "failed 0 raced" = a unit of that name came up meanwhile, and is left as it is.
bring_up() {
	if ! said=$(launch "$1" "$2"); then
		case $said in *"already loaded"*)
			did="failed 0 raced" rc=- out=$said
			return 0
			;;
		esac
		did="failed $(systemctl show -p ExecMainStatus "$1" 2>/dev/null | sed 's/^.*=//') $(systemctl show -p Result "$1" 2>/dev/null | sed 's/^.*=//')"
		out=$(printf '%s\n' "$said" && journalctl -q -u "$1" -n 20 -o cat --no-pager 2>/dev/null | tail -c 3000)
		systemctl stop "$1" 2>/dev/null
		rc=-
		return 0
	fi
	did='done'
	[ "$1" != "$unit.service" ] || note "$1" up
	settle
}

# do_start: the start command in the application's unit. What a start that was cut off
# left under way may make the unit at the same moment; then that one is awaited.
do_start() {
	try_start
	[ "$did" != "failed 0 raced" ] || try_start
}

try_start() {
	# A start that was cut off goes on in its unit: await it instead of starting twice.
	while
		state "$unit.service"
		[ "$state" = activating ] && left
	do pause; done
	if [ "$state" = active ]; then
		probe
		did=already
		case $rc in 0 | 190) return 0 ;; esac
		end_units
	fi
	note "$unit.service" ''
	bring_up "$unit.service" "$start"
}

# do_stop: the stop command, then whatever is left; then checks until it is gone.
do_stop() {
	state "$unit.service"
	if [ "$state" = activating ]; then
		systemctl stop "$unit.service" 2>/dev/null
	fi
	said=$({
		as "$user" "$stop_limit" "$stop" </dev/null 2>&1
		printf '\n@rc %s' "$?"
	} | tail -c 3000)
	stopped=${said##*@rc }
	said=${said%@rc *}
	end_units
	tries=50
	while :; do
		probe
		case $rc in 0 | 190) ;; *) break ;; esac
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || break
		pause
	done
}

# units: what systemd says at the end.
units() {
	state "$unit.service"
	echo "@unit $state"
	[ -z "$own" ] || echo "@own $(systemctl is-active "$own" 2>/dev/null)"
}

unit=$1 user=$2 own=$3 limit=$4 check=$5 check_limit=$6
start=$7 stop=$8 stop_limit=$9
now
begin=$up
