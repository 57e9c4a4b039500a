# Behind the prelude, for the scripts that change something.

run=/run

# signal NAME PID: to one of the cluster's processes, looked at once more, and sent as their
# owner, so that nobody else's can be hit.
signal() {
	ours "$2" || return 0
	as_user 10 "$bin/pg_ctl" kill "$1" "$2" >/dev/null 2>&1
}

# loaded: systemd knows the cluster's unit. It keeps the file of a transient unit as long as it
# does. (Before version 235 the file was elsewhere: then nothing is ruled out.)
loaded() {
	[ ! -d "$run/systemd/units" ] || [ -e "$run/systemd/transient/$unit.service" ]
}

# unit_runs: something runs in the cluster's unit, also when it is no server yet.
unit_runs() {
	loaded || return 1
	case $(systemctl is-active "$unit.service" 2>/dev/null) in active | activating | reloading) ;; *) return 1 ;; esac
}

# end_unit: takes the unit away, with what may be left in it.
end_unit() {
	loaded || return 0
	systemctl stop "$unit.service" 2>/dev/null
	! loaded || systemctl reset-failed "$unit.service" 2>/dev/null
}

# setting NAME sets value: what the server would use, from its files.
setting() {
	value=$(as_user 15 "$bin/postgres" -D "$data" ${config:+-c "config_file=$config"} -C "$1" 2>&1) || {
		out=$value
		refuse "config $1"
	}
}

# right_version: the binaries read what the data directory holds.
right_version() {
	has=$("$bin/postgres" -V 2>&1)
	case $has in
	*PostgreSQL*' '*) ;;
	*)
		out=$has
		refuse "binaries $bin"
		;;
	esac
	has=${has##*PostgreSQL} has=${has#* }
	has=${has%% *} need=''
	read -r need <"$data/PG_VERSION"
	case $has in
	"$need" | "$need"[!0-9]*) ;;
	*) refuse "version ${need:-?} $has" ;;
	esac
}

right_owner() {
	is=$(stat -c %u "$data" 2>/dev/null) me=$(id -u "$os_user" 2>/dev/null)
	[ -n "$me" ] || refuse "user $os_user"
	[ "$is" = "$me" ] || refuse "owner ${is:-?} $me"
}

# same A B: both name one directory.
same() {
	# shellcheck disable=SC3013 # dash, busybox and bash know -ef
	[ "$1" = "$2" ] || [ "$1" -ef "$2" ]
}

# right_config: the configuration is this directory's; sets sockets when ours is to be added to it.
right_config() {
	[ -z "$config" ] || [ -r "$config" ] || refuse "no-config $config"
	setting data_directory
	same "$value" "$data" || refuse "other-data $value"
	setting unix_socket_directories
	sockets=$socket_dir${value:+, $value} rest=$value,
	while [ -n "$rest" ]; do
		d=${rest%%,*} rest=${rest#*,}
		d=${d# }
		! same "${d:-/}" "$socket_dir" || sockets=''
	done
}

# end_orphans: a server that died leaves processes, which go by themselves unless they are stuck. While they
# use the shared memory, no other server may start.
end_orphans() {
	for sig in none QUIT KILL; do
		[ -n "$all" ] || return 0
		[ "$sig" != KILL ] || [ "$may_kill" = 1 ] || break
		tries=20
		for p in $all; do
			[ "$sig" = none ] || signal "$sig" "$p"
		done
		while
			scan
			[ -n "$all" ] && [ -z "$heads" ] && [ "$tries" -gt 0 ]
		do
			tries=$((tries - 1))
			pause
		done
		[ -z "$heads" ] || return 0
	done
	[ -z "$all" ] || refuse "orphans $all"
}

# stale_lock: a lock file whose process is another program's now, or dead and not buried, would keep the server
# from starting. One whose process is gone is left to the server, which then also looks after the shared memory.
stale_lock() {
	read_lock || return 0
	case ${lock#-} in '' | *[!0-9]*) return 0 ;; esac
	[ -d "$proc/${lock#-}" ] || return 0
	scan
	[ -z "$all" ] || refuse "in-use $all"
	rm -f "$data/postmaster.pid"
	stale=${lock#-}
}

# free_socket: the same for the socket's lock file. Another cluster's stays: then the server says so and ends.
free_socket() {
	file=$socket_dir/.s.PGSQL.$port owner=''
	[ -f "$file.lock" ] || return 0
	read -r owner <"$file.lock"
	case $owner in '' | *[!0-9]*) return 0 ;; esac
	if named "$owner" && program "$owner"; then return 0; fi
	rm -f "$file" "$file.lock"
}

# launch: the server is the main process of a unit of its own, so that it outlives its caller. On a shutdown
# systemd ends it as the distributions' units do. What has a person's words in it travels in the environment,
# because systemd expands arguments. Only in "$(…)": it ends the shell.
launch() {
	exec systemd-run --quiet --unit="$unit" --service-type=simple --uid="$os_user" \
		--property=KillMode=mixed --property=KillSignal=SIGINT --property=TimeoutStopSec="$stop_limit" \
		--property=OOMScoreAdjust=-900 --setenv=PG_OOM_ADJUST_FILE=/proc/self/oom_score_adj --setenv=PG_OOM_ADJUST_VALUE=0 \
		--setenv=FERRY_BIN="$bin" --setenv=FERRY_DATA="$data" --setenv=FERRY_PORT="$port" \
		--setenv=FERRY_CONFIG="$config" --setenv=FERRY_SOCKETS="$sockets" --setenv=FERRY_LOG="$log" \
		/bin/sh -c 'b=$FERRY_BIN d=$FERRY_DATA p=$FERRY_PORT c=$FERRY_CONFIG s=$FERRY_SOCKETS l=$FERRY_LOG
unset FERRY_BIN FERRY_DATA FERRY_PORT FERRY_CONFIG FERRY_SOCKETS FERRY_LOG
set -- -D "$d" -c "port=$p"
[ -z "$c" ] || set -- "$@" -c "config_file=$c"
[ -z "$s" ] || set -- "$@" -c "unix_socket_directories=$s"
[ -n "$l" ] || exec "$b/postgres" "$@"
exec "$b/postgres" "$@" >>"$l" 2>&1' </dev/null 2>&1
}

# logged sets out: the last that the server said.
logged() {
	out=$(
		{
			if [ -n "$log" ]; then
				tail -n 15 "$log"
			else
				journalctl -q -u "$unit.service" -n 15 -o cat --no-pager
			fi
			kind='' file=''
			[ ! -f "$data/current_logfiles" ] || read -r kind file <"$data/current_logfiles"
			case $file in
			'') ;;
			/*) tail -n 15 "$file" ;;
			*) tail -n 15 "$data/$file" ;;
			esac
		} 2>/dev/null | tail -c 3000
	)
}

# prepare: everything that must be right before a server may touch the data.
prepare() {
	in_place
	right_version
	right_owner
	right_config
	end_orphans
	stale_lock
	free_socket
	[ -d "$socket_dir" ] || { mkdir -p "$socket_dir" && chown "$os_user" "$socket_dir"; } || refuse "socket-dir $socket_dir"
}

# settle: waits until the server is ready or the time is over. Replaying its log is progress.
settle() {
	while :; do
		if look; then
			case $status in ready | standby) return 0 ;; esac
		elif ! unit_runs && ! look; then
			did=died
			logged
			return 0
		fi
		if ! left; then
			[ -n "$pm" ] || did=died
			return 0
		fi
		pause
	done
}

# do_start starts the server unless it runs. One that is on its way, from an earlier start or down, is awaited.
do_start() {
	did=already
	while look && [ "$status" = stopping ] && left; do pause; done
	if [ -z "$pm" ] && ! unit_runs; then
		prepare
		did='done'
		end_unit
		if ! said=$(launch); then
			look || did=died
			out=$said
			[ "$did" != died ] || return 0
		fi
	fi
	settle
}

# gone WITHIN: waits until no process of the cluster is left.
gone() {
	limit=$1
	now
	begin=$up
	while look || [ -n "$all" ]; do
		left || return 1
		pause
	done
}

# do_stop: fast, then immediate, then by force; each within its time.
do_stop() {
	did=absent
	if look; then
		did=fast
		signal INT "$pm"
		gone "$stop_limit" || {
			did=immediate
			[ -z "$pm" ] || signal QUIT "$pm"
		}
	fi
	[ "$did" = fast ] || gone "$quit_limit" || force
	[ -n "$pm$all" ] || {
		end_unit # it may hold a server in the making
		look
	}
	[ -n "$pm" ] || free_socket
}

# force: children of a dead server end by themselves unless they are stuck, so the server goes first.
force() {
	[ "$may_kill" = 1 ] || return 0
	did=killed
	[ -z "$pm" ] || signal KILL "$pm"
	! gone 3 || return 0
	[ -z "$pm" ] || return 0 # another one has been started
	for p in $all; do signal KILL "$p"; done
	gone 10
}

sockets='' stale='' did=''
