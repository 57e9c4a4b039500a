# shellcheck disable=SC2016,SC2034 # what inner shells expand; what the script behind this prelude prints
# Common to every script of the kit. Answers are lines "@word value", then "@out"
# and what PostgreSQL said.
#
# A process belongs to the cluster when it is a postgres whose working directory is the
# data directory: the server changes there at its start, and its children inherit it. A
# process id by itself, as in postmaster.pid, proves nothing: it may be from another node.

proc=/proc

# now sets up, the uptime in seconds.
now() {
	read -r up _ </proc/uptime
	up=${up%.*}
}

# left: whether there is time left until the end that was set.
left() {
	now
	[ "$((up - begin))" -lt "$limit" ]
}

pause() {
	sleep 0.1 2>/dev/null || sleep 1
}

# as_user LIMIT COMMAND…: as the cluster's owner, in this unit.
as_user() {
	bound=$1
	shift
	(cd / && LC_ALL=C exec timeout -k 2 "$bound" runuser -u "$os_user" -- "$@") </dev/null
}

# started_for PID: the process was started for the data directory's path, in this root. For a
# server whose file system was taken away beneath it, so that its directory tells nothing.
started_for() {
	# shellcheck disable=SC3013 # dash, busybox and bash know -ef
	[ "$proc/$1/root" -ef / ] || return 1
	tr '\000' '\n' 2>/dev/null <"$proc/$1/cmdline" | grep -Fxq -e "$data" -e "-D$data"
}

# named PID: it is called like PostgreSQL's server, which costs nothing to find out.
named() {
	name=
	read -r name 2>/dev/null <"$proc/$1/comm" || return 1
	case $name in postgres | postmaster) ;; *) return 1 ;; esac
}

# program PID: its program is PostgreSQL's, also one that an upgrade has replaced. A dead process that nobody has
# buried has none.
program() {
	exe=$(readlink "$proc/$1/exe" 2>/dev/null)
	exe=${exe% (deleted)}
	case ${exe##*/} in postgres | postmaster) ;; *) return 1 ;; esac
}

# ours PID: the process is PostgreSQL's and works in this data directory.
ours() {
	named "$1" || return 1
	# shellcheck disable=SC3013 # as above; a shell without it asks readlink
	if ! [ "$proc/$1/cwd" -ef "$data" ]; then
		at=$(readlink "$proc/$1/cwd" 2>/dev/null)
		[ -n "$real" ] || real=$(readlink -f "$data" 2>/dev/null)
		[ "${at% (deleted)}" = "${real:-$data}" ] || started_for "$1" || return 1
	fi
	program "$1"
}

# head_of PID: it is no child of a server. Children write what they do over their command line.
head_of() {
	title=
	read -r title 2>/dev/null <"$proc/$1/cmdline"
	case $title in '' | postgres:* | postmaster:*) return 1 ;; esac
}

# parent PID sets ppid.
parent() {
	ppid=
	read -r _ _ _ ppid _ 2>/dev/null <"$proc/$1/stat"
}

# scan sets all, the cluster's processes, and heads, those of them that are servers.
scan() {
	all='' heads=''
	for c in "$proc"/[0-9]*/comm; do
		p=${c%/comm} p=${p##*/}
		ours "$p" || continue
		all="$all $p"
		head_of "$p" || continue
		parent "$p"
		case " $heads " in *" $ppid "*) ;; *) heads="$heads $p" ;; esac # a child that has no title yet
	done
	all=${all# } heads=${heads# }
}

# read_lock reads postmaster.pid: process, time of start, port, socket directory, and how far it is.
read_lock() {
	lock='' lock_start='' lock_port='' lock_socket='' status=''
	[ -f "$data/postmaster.pid" ] || return 1
	{
		read -r lock
		read -r _
		read -r lock_start
		read -r lock_port
		read -r lock_socket
		read -r _
		read -r _
		read -r status
	} 2>/dev/null <"$data/postmaster.pid"
	[ -n "$lock" ]
}

# look sets pm, the cluster's server, and what its lock file says. Empty: there is none; then all
# are the processes that one has left.
look() {
	pm='' all='' heads=''
	if read_lock && ours "${lock#-}" && head_of "${lock#-}"; then
		pm=${lock#-}
		return 0
	fi
	scan
	[ -n "$heads" ] || return 1
	pm=${heads%% *}
	[ "$lock" = "$pm" ] || status='' lock_port='' lock_socket='' lock_start=''
}

# tell says what look found.
tell() {
	echo "@postmaster ${pm:--}"
	echo "@status ${status:--}"
	[ -z "$pm" ] || printf '@lock %s\n@port %s\n@socket %s\n@started %s\n' "${lock:--}" "$lock_port" "$lock_socket" "$lock_start"
	[ -n "$pm" ] || [ -z "$all" ] || echo "@orphans $all"
	[ -d "$data" ] || echo "@nodata $data"
}

# socket sets sock: who serves the socket that we ask at. ours, none, or another's process.
socket() {
	sock=none file=$socket_dir/.s.PGSQL.$port owner=''
	[ -e "$file" ] || return 0
	read -r owner 2>/dev/null <"$file.lock"
	sock=$owner
	[ "$owner" != "$pm" ] || sock=ours
}

# ask sets rc and out: the query's.
ask() {
	out=$({
		PGAPPNAME=ferry PGCONNECT_TIMEOUT=$ask_limit PGOPTIONS="-c statement_timeout=${ask_limit}s" \
			as_user "$((ask_limit + 1))" "$bin/psql" -X -A -t -q -w -v VERBOSITY=verbose -h "$socket_dir" -p "$port" -U "$db_user" -d postgres -c "$query" 2>&1
		printf '\n@rc %s' "$?"
	} | tail -c 3000)
	rc=${out##*@rc }
	out=${out%@rc *}
}

# ready HOST sets ready: what pg_isready says, whatever language the server speaks. 0 accepts, 1 rejects for now, 2 no answer.
ready() {
	LC_ALL=C timeout -k 2 6 "$bin/pg_isready" -q -t 4 -h "$1" -p "$port" </dev/null >/dev/null 2>&1
	ready=$?
}

# probe asks the server that look found.
probe() {
	rc='' ready=''
	[ -n "$pm" ] || return 0
	out=''
	socket
	[ "$status" != starting ] || return 0
	if ! [ -x "$bin/psql" ] || ! [ -x "$bin/pg_isready" ]; then
		rc=127 out="psql or pg_isready is missing in $bin"
		return 0
	fi
	case $sock in
	ours) ;;
	none)
		ready 127.0.0.1
		return 0
		;;
	*) return 0 ;;
	esac
	ask
	[ "$rc" = 0 ] || ready "$socket_dir"
	if [ "$rc" != 0 ] && ! ours "$pm"; then # it went meanwhile
		sock='' rc=''
		look
	fi
}

# verdict says it all, at the end.
verdict() {
	tell
	[ -z "$pm" ] || echo "@sock $sock"
	[ -z "$rc" ] || echo "@rc $rc"
	[ -z "$ready" ] || echo "@ready $ready"
	printf '@out\n%s\n' "$out"
	exit 0
}

# refuse WORDS: nothing was done.
refuse() {
	printf '@refuse %s\n@out\n%s\n' "$*" "$out"
	exit 0
}

# mount_of PATH sets on, the mount point that holds it.
mount_of() {
	on=''
	while read -r _ _ _ _ at _; do
		case $at in *\\*) at=$(printf %b "$at") ;; esac
		case $1/ in
		"${at%/}"/*) [ "${#at}" -lt "${#on}" ] || on=$at ;;
		esac
	done <"$proc/self/mountinfo"
}

# lies PATH: it lies on one of the file systems that move with the resource.
lies() {
	mount_of "$(readlink -f "$1" 2>/dev/null)"
	found=1 fields=$IFS IFS=$newline
	set -f
	for m in $mounts; do
		[ "$on" != "$m" ] || found=0
	done
	set +f
	IFS=$fields
	return "$found"
}

# in_place: the data directory, its log and its tablespaces are where they must be.
in_place() {
	if [ -n "$mounts" ]; then
		lies "$data" || refuse "not-mounted $on"
		for d in "$data/pg_wal" "$data"/pg_tblspc/*; do
			[ -e "$d" ] || continue
			lies "$d" || refuse "elsewhere $d"
		done
	fi
	[ -f "$data/PG_VERSION" ] || refuse "no-data $data"
	for d in standby recovery; do
		[ ! -e "$data/$d.signal" ] || refuse "signal $d.signal"
	done
}

unit=$1 data=$2 bin=$3 port=$4 socket_dir=$5 os_user=$6 db_user=$7
ask_limit=$8 query=$9
shift 9
limit=$1 stop_limit=$2 quit_limit=$3 may_kill=$4 hang_fails=$5 log=$6 config=$7 mounts=$8
newline='
'
real='' rc='' out='' ready='' sock=''
now
begin=$up
