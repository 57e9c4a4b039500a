# The node's side of ferry: POSIX sh, run by dash, bash and busybox sh alike.
# It is sourced once per channel by prelude.sh and run as "sh node.sh unit DIR" inside a guarded job's unit.
# Files it makes are 0600 in directories 0700. What counts here is how often a program is started: on a slow
# guest that takes 40 ms, ten times as long as a subshell. So builtins do what they can.
# Each job has a subshell of its own on purpose, and F_S is set by the channel's shell:
# shellcheck disable=SC2030,SC2031,SC2153,SC1090

F_RUN=${FERRY_ROOT:-}/run/ferry
F_REC=${FERRY_ROOT:-}/var/lib/ferry/record
F_UMASK=${F_UMASK:-022}

# ferry_now sets F_NOW to the uptime in hundredths of a second, without a fork.
ferry_now() {
	F_NOW=0
	read -r F_NOW _ </proc/uptime || return 0
	F_NOW=${F_NOW%.*}${F_NOW#*.}
}

# ferry_sync FILE flushes one file or directory; older tools flush everything.
ferry_sync() {
	sync "$1" 2>/dev/null || sync
}

# ferry_begin NONCE KEYS... names a request and makes the pipes of its jobs at once. (Guarded jobs make their own.)
ferry_begin() {
	F_N=$1
	shift
	[ "$#" -gt 0 ] || return 0
	for k in "$@"; do
		shift
		set -- "$@" "$F_D/$F_S.$k.o" "$F_D/$F_S.$k.e"
	done
	mkfifo "$@"
}

# ferry_stdin KEY keeps a job's input (base64 on stdin) in a file that is unlinked as soon as it is opened.
ferry_stdin() {
	base64 -d >"$F_D/$F_S.$1.in"
}

# ferry_job KEY ID SPEC starts one job beside the others. F_B holds the script; SPEC is shell text made by
# wire.Quote that sets the limits and the arguments.
ferry_job() {
	(
		f=$F_D/$F_S.$1. id=$2
		F_UNIT='' F_AWAIT='' F_LIGHT='' F_SPEC=$3
		eval "$F_SPEC"
		if [ -n "$F_UNIT" ]; then
			ferry_guard
		elif [ -n "$F_AWAIT" ]; then
			F_UNIT=$F_AWAIT
			ferry_await
		else
			export LC_ALL=C F_LIB
			printf '%s\n' "$F_B" >"${f}body"
			ferry_capture "$f" "$@"
			ferry_emit "$F_STATUS" "$rc" "${f}out" "${f}err"
			rm -f "$f"*
		fi
	) </dev/null 2>/dev/null &
}

# ferry_beat NONCE ID ARGS... answers a heartbeat inside the channel's own shell: one fork, nothing kept.
ferry_beat() {
	F_N=$1 id=$2
	shift 2
	ferry_now
	F_T0=$F_NOW
	F_O=$(eval "$F_B" </dev/null 2>&1 8>&-)
	rc=$?
	ferry_now
	printf '\n#ferry1 frame %s %s done %s %s0\n%s\n#ferry1 err %s\n\n#ferry1 end %s\n' \
		"$F_N" "$id" "$rc" "$((F_NOW - F_T0))" "$F_O" "$F_N" "$F_N"
}

# ferry_timer PID SECONDS PREFIX PARENT ends the group of PID when its time is up. USR1 from PARENT says that PID has
# ended: what remains is a short wait for its output, because a daemon it left behind may hold the pipes for ever.
# ALRM says that its time is up now; TERM that all is done. PREFIXpid appears when it listens; a signal before that
# could get lost. One may also come before the pid of a sleep is known: each is remembered and looked at once more.
# Only KILL is sure to reach a sleep that was started in this moment. The sleeps hold no locks.
ferry_timer() {
	g='' a='' x='' s=''
	trap 'g=1; kill -KILL "$s" 2>/dev/null' USR1
	trap 'a=1; kill -KILL "$s" 2>/dev/null' ALRM
	trap 'x=1; kill -KILL "$s" 2>/dev/null' TERM
	read -r self _ </proc/self/stat
	printf '%s %s %s\n' "$4" "$1" "$self" >"${3}pid"
	sleep "$2" 5>&- 8>&- 9>&- &
	s=$!
	[ -z "$x$g$a" ] || kill -KILL "$s"
	wait "$s"
	[ -z "$x" ] || exit 0
	if [ -z "$g" ]; then
		: >"${3}late"
		kill -TERM "-$1"
		sleep 1 5>&- 8>&- 9>&- &
		s=$!
		[ -z "$x$g" ] || kill -KILL "$s"
		wait "$s"
		[ -z "$x" ] || exit 0
		[ -n "$g" ] || kill -KILL "-$1"
	fi
	sleep 0.3 5>&- 8>&- 9>&- &
	s=$!
	[ -z "$x" ] || kill -KILL "$s"
	wait "$s"
	[ -z "$x" ] || exit 0
	read -r _ _ _ parent _ </proc/self/stat
	if [ "$parent" = "$4" ]; then
		exec 5>&- 9>&- # nothing of ours may hold the lock once the script goes on
		kill -USR1 "$4"
	elif [ -n "$F_UNIT" ]; then
		echo >&5 # the unit's script is gone: those who wait must look
	fi
}

# ferry_drain FILE keeps the first F_MAX bytes and at most a block more (which says "there was more") and swallows the
# rest, so that a script is never stopped by its own output. cat, because it writes what it reads at once: a daemon
# that the script leaves behind keeps the pipe open, and a tool that buffers would sit on the script's own words.
ferry_drain() {
	exec 3<&- 5>&- 8>&- 9>&- # not as redirections of the call: dash would keep copies
	trap '' TERM XFSZ
	ulimit -f "$(((F_MAX + 512) / 512))"
	if cat >"$1"; then
		: >"$1.end"
	else
		exec cat >/dev/null
	fi
}

# ferry_capture PREFIX ARGS... runs PREFIXbody in a session of its own, bounded in time and output; PREFIXo and PREFIXe
# are its pipes. Sets rc, F_STATUS (done or deadline) and F_MS. A unit's lock and token (9, 5) stay with the unit's
# script, and with the timer: should the unit's script be killed, the lock stays held until the timer has ended
# what it left running.
ferry_capture() {
	f=$1
	shift
	if [ -e "${f}in" ]; then
		exec 3<"${f}in"
		rm -f "${f}in"
	else
		exec 3</dev/null
	fi
	read -r self _ </proc/self/stat
	ferry_now
	F_T0=$F_NOW
	ferry_drain "${f}out" <"${f}o" &
	o=$!
	ferry_drain "${f}err" <"${f}e" >/dev/null &
	e=$!
	(
		exec <&3 3<&- 5>&- 8>&- 9>&-
		umask "$F_UMASK"
		exec setsid sh "${f}body" "$@" >"${f}o" 2>"${f}e"
	) &
	p=$!
	exec 3<&-
	trap '' USR1 ALRM
	ferry_timer "$p" "$F_SECS" "$f" "$self" >/dev/null &
	t=$!
	F_GRACE=''
	trap 'F_GRACE=1' USR1
	while :; do
		wait "$p"
		rc=$?
		if [ "$rc" -le 128 ] || ! kill -0 "$p" 2>/dev/null; then break; fi
	done
	n=0
	until [ -s "${f}pid" ] || [ "$n" -gt 1000 ]; do # it listens, or there is no room for its file
		n=$((n + 1))
		(:)
	done
	F_STATUS='done'
	if [ -e "${f}late" ]; then
		F_STATUS=deadline
		kill -KILL "-$p" 2>/dev/null
	fi
	ferry_drained
	# After its last signal the timer is gone; bash would wait for it for ever.
	[ -n "$F_GRACE" ] || { kill -TERM "$t" && wait "$t"; }
	ferry_now
	F_MS=$((F_NOW - F_T0))0
}

# ferry_drained waits for the rest of the output: a moment for cats that are about to see its end, then the timer's.
ferry_drained() {
	n=0
	until [ -e "${f}out.end" ] && [ -e "${f}err.end" ]; do
		n=$((n + 1))
		if [ "$n" -gt 6 ]; then
			kill -USR1 "$t"
			wait "$o"
			[ -n "$F_GRACE" ] || wait "$e"
			return
		fi
		(:)
	done
}

# ferry_emit STATUS EXIT OUT ERR writes one frame. The pipe 8 holds one line, and whoever has it may write: frames of
# jobs that end together stay apart.
ferry_emit() {
	read -r _ <&8
	printf '\n#ferry1 frame %s %s %s %s %s\n' "$F_N" "$id" "$1" "$2" "${F_MS:-0}"
	if [ -s "$3" ]; then cat "$3"; fi
	printf '\n#ferry1 err %s\n' "$F_N"
	if [ -s "$4" ]; then cat "$4"; fi
	printf '\n#ferry1 end %s\n' "$F_N"
	echo >&8
}

# ferry_say STATUS EXIT TEXT answers with a message of our own.
ferry_say() {
	printf '%s\n' "$3" >"${f}say"
	ferry_emit "$1" "$2" /dev/null "${f}say"
	rm -f "$f"*
}

# ferry_guard starts the unit F_UNIT unless that name was started before, then waits for its result. Whoever makes the
# file "claim" starts it. A unit that was turned away gives its name free.
ferry_guard() {
	u=$F_RUN/unit/$F_UNIT,
	if [ -e "${u}no" ]; then
		(
			flock 6
			[ ! -e "${u}no" ] || rm -f "$u"*
		) 6>>"$F_RUN/lock/.claim"
	fi
	set -C
	if true >"${u}claim"; then # not ":": a special builtin would end the shell here
		set +C
		printf '%s\n' "$F_B" >"${u}body"
		printf '%s\n' "$F_SPEC" >"${u}spec"
		[ ! -e "${f}in" ] || mv "${f}in" "${u}in"
		mkfifo "${u}o" "${u}e" "${u}token"
		if ! ferry_launch; then
			read -r why <"${u}launch"
			rm -f "$u"*
			ferry_say error 71 "${why:-systemd did not start the unit $F_UNIT}"
			return
		fi
	elif
		set +C
		[ ! -e "${u}claim" ]
	then
		ferry_say error 73 "cannot write $F_RUN/unit: units need root and space in /run"
		return
	fi
	ferry_await
}

# ferry_launch hands the unit to systemd; for a light one, and where systemd does not run the machine, a session of its
# own has to do. So it has in a shutdown (the stop hook leaves that mark): systemd starts nothing any more then.
# KillMode=process: a daemon that the script starts stays; the unit's own script ends what must end.
ferry_launch() {
	if [ -n "$F_LIGHT" ] || [ ! -d "${FERRY_ROOT:-}/run/systemd/system" ] || ferry_stopping; then
		setsid sh "$F_LIB" unit "$u" </dev/null >/dev/null 2>&1 8>&- &
		return 0
	fi
	systemd-run --quiet --collect --unit="$F_UNIT" --description="ferry $F_UNIT" \
		--property=KillMode=process --property=RuntimeMaxSec="$F_LONG" --property=TimeoutStopSec=10 \
		--setenv=FERRY_ROOT="${FERRY_ROOT:-}" --setenv=PATH="$PATH" --setenv=F_LIB="$F_LIB" \
		/bin/sh "$F_LIB" unit "$u" </dev/null >/dev/null 2>"${u}launch" 8>&-
}

# ferry_stopping tells that this boot is about to end.
ferry_stopping() {
	[ -e "${F_REC%/*}/stopping" ] && read -r mark <"${F_REC%/*}/stopping" && read -r boot </proc/sys/kernel/random/boot_id && [ "$mark" = "$boot" ]
}

# ferry_await waits until the unit has ended and answers with what it recorded. The unit puts a line into its pipe
# "token" when it ends; whoever reads it puts it back for the next one. The pipe is opened before the first look.
ferry_await() {
	u=$F_RUN/unit/$F_UNIT, n=0
	if [ ! -e "${u}claim" ]; then
		ferry_say error 66 "unit $F_UNIT is not known on this node"
		return
	fi
	until [ -p "${u}token" ]; do
		n=$((n + 1))
		if [ "$n" -gt 100 ]; then
			ferry_say error 71 "unit $F_UNIT did not start within 5 seconds"
			return
		fi
		sleep 0.05
	done
	exec 7<>"${u}token"
	ferry_state "$F_UNIT"
	case $F_STATE in starting | running)
		read -r _ <&7
		echo >&7
		ferry_state "$F_UNIT"
		;;
	esac
	exec 7>&-
	case $F_STATE in
	finished)
		read -r F_STATUS rc F_MS <"${u}exit"
		ferry_emit "$F_STATUS" "$rc" "${u}out" "${u}err"
		;;
	turned)
		read -r F_STATUS rc <"${u}no"
		ferry_emit "$F_STATUS" "$rc" /dev/null "${u}why"
		;;
	*) ferry_say lost 70 "unit $F_UNIT ended without a result: it was killed; what it did is unknown" ;;
	esac
}

# ferry_no STATUS EXIT TEXT ends a unit that must not run. The name stays free for another attempt.
ferry_no() {
	printf '%s\n' "$3" >"${u}why"
	[ ! -e "${u}in" ] || rm -f "${u}in"
	printf '%s %s\n' "$1" "$2" >"${u}no"
	exec 9>&-
	exit "$2"
}

# ferry_unit PREFIX is the unit itself: lock, record, script, result.
ferry_unit() {
	umask 077
	u=$1
	exec 5<>"${u}token"
	printf '%s\n' "$$" >"${u}main"
	trap 'echo >&5' EXIT
	. "${u}spec"
	exec 9>>"$F_RUN/lock/$F_LOCK"
	if ! flock -n 9; then
		who='another unit'
		read -r who <"$F_RUN/lock/$F_LOCK.holder"
		ferry_no locked 75 "$who holds the lock $F_LOCK on this node; await it or end it"
	fi
	ferry_record
	printf '%s\n' "$F_UNIT" >"$F_RUN/lock/$F_LOCK.holder"
	: >"${u}started"
	F_ENDED='' t=''
	trap 'F_ENDED=1; [ -z "$t" ] || kill -ALRM "$t"' TERM
	ferry_capture "$u" "$@"
	[ -z "$F_ENDED" ] || F_STATUS=ended
	[ "$F_STATUS" = 'done' ] || ferry_sweep
	printf '%s %s %s\n' "$F_STATUS" "$rc" "$F_MS" >"${u}exit"
	# The lock goes before the token: who is told that this unit has ended may start the next one.
	exec 9>&-
	trap - EXIT
	echo >&5
	# Emptied, not removed: that takes no process, and what is left goes with ferry_forget.
	: >"${u}body"
	: >"${u}spec"
	exit 0
}

# ferry_sweep kills everything else in our control group: a script that was cut off leaves nobody behind, not even
# those who left its process group. Only in a unit of systemd's, whose group is ours alone.
ferry_sweep() {
	[ -d "${FERRY_ROOT:-}/run/systemd/system" ] || return 0
	group=''
	while IFS=: read -r n name path; do
		case $n,$name in
		0,) group=${group:-/sys/fs/cgroup$path} ;;
		*,name=systemd) group=/sys/fs/cgroup/systemd$path ;;
		esac
	done </proc/self/cgroup
	case $group in *"/$F_UNIT.service") ;; *) return 0 ;; esac
	for n in 1 2 3; do # what was just started escapes once
		while read -r pid; do
			[ "$pid" = "$$" ] || kill -KILL "$pid"
		done <"$group/cgroup.procs"
	done
}

# ferry_read_record sets re, rn, rp (estate, engine, epoch; empty without a record) and rest, and refuses wrong callers.
ferry_read_record() {
	re='' rn='' rp='' rl='' rs='' rest=''
	[ -e "$F_REC" ] || return 0
	while IFS= read -r l || [ -n "$l" ]; do
		case $l in
		estate=*) re=${l#estate=} ;;
		engine=*) rn=${l#engine=} ;;
		epoch=*) rp=${l#epoch=} ;;
		leader=*) rl=${l#leader=} ;;
		since=*) rs=${l#since=} ;;
		*) rest="$rest$l
" ;;
		esac
	done <"$F_REC"
	case $rp in '' | *[!0-9]* | ???????????????????*) re='' ;; esac
	[ -n "${re:+$rn}" ] || ferry_no error 65 "the record $F_REC cannot be read: nothing was done; look at it, then adopt this node again"
	ferry_compare
}

# ferry_record compares the node's record with the caller and writes the caller down when it leads: then under a
# lock, and after another look. Lines it does not know are kept: other parts of ferry write there too.
ferry_record() {
	ferry_read_record
	[ "$rp" != "$F_EPOCH" ] || return 0
	mkdir -p "${F_REC%/*}" || ferry_no error 73 "cannot make ${F_REC%/*}"
	exec 7>>"$F_RUN/lock/.record"
	flock 7
	ferry_read_record
	if [ "$rp" != "$F_EPOCH" ]; then
		{
			printf '%sestate=%s\nengine=%s\nepoch=%s\n%s' "$rest" "$F_ESTATE" "$F_ENGINE" "$F_EPOCH" "${F_LEADER:+leader=$F_LEADER
since=$F_SINCE
}" >"$F_REC.new" &&
				ferry_sync "$F_REC.new" && mv "$F_REC.new" "$F_REC" && ferry_sync "${F_REC%/*}"
		} 2>"${u}why" || ferry_no error 74 "cannot write $F_REC: $(cat "${u}why")"
	fi
	exec 7>&-
}

# ferry_compare refuses a caller of another estate, of an older epoch, a second engine at the same epoch, and one that
# has not adopted the estate from the engine that leads: an engine that was adopted away gets higher epochs, too.
ferry_compare() {
	lead="engine $rn of estate $re leads it at epoch $rp${rl:+ ($rl since $rs)}"
	[ "$re" = "$F_ESTATE" ] || ferry_no refused 77 "this node belongs to another estate: $lead; the caller was engine $F_ENGINE of estate $F_ESTATE"
	[ "$rp" -le "$F_EPOCH" ] || ferry_no refused 77 "this node has a newer leader: $lead; the caller was engine $F_ENGINE at epoch $F_EPOCH"
	[ "$rp" -lt "$F_EPOCH" ] || [ "$rn" = "$F_ENGINE" ] || ferry_no refused 77 "this node has another leader: $lead; the caller was engine $F_ENGINE at the same epoch"
	[ "$rn" = "$F_ENGINE" ] || [ "$rp" -le "${F_AFTER:-0}" ] || ferry_no refused 77 "this node has another leader: $lead; the caller was engine $F_ENGINE at epoch $F_EPOCH, which has not adopted the estate from it"
}

# ferry_alive PID UNIT tells whether a process runs and belongs to the unit: pids are used again.
ferry_alive() {
	c=''
	read -r c <"/proc/$1/cmdline"
	case $c in *"/unit/$2,"*) return 0 ;; esac
	return 1
} 2>/dev/null

# ferry_running UNIT: its script lives, or the timer that outlived it, which then still holds the lock.
ferry_running() {
	main='' group='' timer=''
	read -r main <"$F_RUN/unit/$1,main"
	read -r _ group timer <"$F_RUN/unit/$1,pid"
	ferry_alive "$main" "$1" || ferry_alive "$timer" "$1"
} 2>/dev/null

# ferry_state UNIT sets F_STATE: starting, running, finished, turned (refused or locked), lost; and F_X: status and exit
# code where there are any.
ferry_state() {
	F_STATE=starting F_X='- -' d=$F_RUN/unit/$1,
	if [ ! -s "${d}exit" ] && [ ! -s "${d}no" ]; then
		[ -s "${d}main" ] || return 0
		if ferry_running "$1"; then
			[ ! -e "${d}started" ] || F_STATE=running
			return 0
		fi
	fi
	# It may have ended between the two looks.
	if [ -s "${d}exit" ]; then
		F_STATE=finished
		read -r F_X rc _ <"${d}exit"
		F_X="$F_X $rc"
	elif [ -s "${d}no" ]; then
		F_STATE=turned
		read -r F_X <"${d}no"
	else
		F_STATE=lost
	fi
}

# ferry_list prints one line per unit: name, state, status, exit code.
ferry_list() {
	for d in "$F_RUN"/unit/*,claim; do
		[ -e "$d" ] || continue
		d=${d##*/}
		k=${d%,claim}
		ferry_state "$k"
		printf '%s %s %s\n' "$k" "$F_STATE" "$F_X"
	done
}

# ferry_end UNIT ends a running unit and returns when it has ended; KILL follows TERM after three seconds.
ferry_end() {
	[ -e "$F_RUN/unit/$1,claim" ] || { echo "unit $1 is not known on this node" >&2; exit 66; }
	n=0
	while
		ferry_state "$1"
		[ "$F_STATE" = running ]
	do
		[ "$n" != 0 ] || kill -TERM "$main" 2>/dev/null
		[ "$n" != 30 ] || ferry_kill "$1" 2>/dev/null
		[ "$n" -lt 60 ] || { echo "unit $1 is still running" >&2; exit 75; }
		n=$((n + 1))
		sleep 0.1
	done
	printf '%s %s %s\n' "$1" "$F_STATE" "$F_X"
}

# ferry_kill UNIT ends what did not listen. ferry_running has just seen that main or timer are the unit's.
ferry_kill() {
	kill -KILL "-$group"
	for pid in "$main" "$timer"; do
		! ferry_alive "$pid" "$1" || kill -KILL "$pid"
	done
	[ ! -d "${FERRY_ROOT:-}/run/systemd/system" ] || systemctl kill --signal=KILL "$1.service"
}

# ferry_forget UNIT removes the record of a unit that is not running.
ferry_forget() {
	ferry_state "$1"
	[ "$F_STATE" != running ] || { echo "unit $1 is running" >&2; exit 75; }
	rm -f "$F_RUN/unit/$1,"*
}

# ferry_put PATH ID OFFSET LAST MODE SHA256 adds stdin to a file beside PATH; with the last part it is verified,
# flushed and renamed into place.
ferry_put() {
	[ ! -d "$1" ] || { echo "$1 is a directory" >&2; exit 73; }
	[ -d "${1%/*}/" ] || { echo "${1%/*} is not a directory" >&2; exit 73; }
	tmp=$1.ferry-$2
	umask 077
	if [ "$3" = 0 ]; then
		cat >"$tmp" || exit 74
	else
		[ "$(wc -c <"$tmp")" -eq "$3" ] || { echo "$tmp is not as long as expected" >&2; exit 65; }
		cat >>"$tmp" || exit 74
	fi
	[ "$4" = 1 ] || return 0
	sum=$(sha256sum <"$tmp")
	if [ "${sum%% *}" != "$6" ]; then
		rm -f "$tmp"
		echo "checksum of $1 differs: the copy was thrown away" >&2
		exit 65
	fi
	chmod "$5" "$tmp" && ferry_sync "$tmp" && mv -f "$tmp" "$1" && ferry_sync "${1%/*}/"
}

# ferry_drop PATH ID removes what an interrupted ferry_put left.
ferry_drop() {
	rm -f "$1.ferry-$2"
}

# ferry_get PATH OFFSET LENGTH prints a part of a file.
ferry_get() {
	[ -f "$1" ] || { echo "$1 is not a file" >&2; exit 66; }
	tail -c "+$(($2 + 1))" "$1" | head -c "$3"
}

# ferry_sum PATH prints checksum, size and mode.
ferry_sum() {
	[ -f "$1" ] || { echo "$1 is not a file" >&2; exit 66; }
	sum=$(sha256sum <"$1") && printf '%s %s %s\n' "${sum%% *}" "$(wc -c <"$1")" "$(stat -c %a "$1")"
}

case ${1:-} in
unit) ferry_unit "$2" ;;
esac
