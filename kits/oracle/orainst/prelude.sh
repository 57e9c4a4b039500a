# shellcheck disable=SC2034,SC2013 # what the scripts behind this prelude read; paths below /proc are words
# Common to every script about an Oracle installation. Answers are lines "@word value"; whatever
# a tool or a file says stands behind "|", so that nothing in it can pass for a mark.
#
# $1 ORACLE_SID or the listener's name  $2 ORACLE_HOME  $3 the owner  $4 TNS_ADMIN or empty
# $5 the name of the transient unit that our daemons live in, without ".service"
# They are taken off; what comes behind them is $1 to the next part.

root=''
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
unset TWO_TASK LOCAL SQLPATH ORACLE_PATH ORACLE_PDB_SID TNS_ADMIN
name=$1 home=$2 user=$3 admin=$4 unit=$5
shift 5
run=$root/run/ferry
begin=0 limit=0
cd / || exit 1

# need TOOL…: says which are not installed, and returns 1 then.
need() {
	lacking=0
	for tool in "$@"; do
		command -v "$tool" >/dev/null 2>&1 && continue
		echo "@missing $tool"
		lacking=1
	done
	return "$lacking"
}

# quote TEXT: every line behind a bar.
quote() {
	while IFS= read -r q; do
		printf '|%s\n' "$q"
	done <<QUOTE
$1
QUOTE
}

# as_owner SECONDS COMMAND…: with the installation's environment and a time limit. Sets said and
# rc; 124 and 137 are the limit.
as_owner() {
	bound=$1
	shift
	said=$(timeout -k 2 "$bound" runuser -u "$user" -- env \
		"ORACLE_SID=$name" "ORACLE_HOME=$home" "LD_LIBRARY_PATH=$home/lib" ${admin:+"TNS_ADMIN=$admin"} \
		NLS_LANG=AMERICAN_AMERICA.AL32UTF8 LC_ALL=C "PATH=$home/bin:$PATH" "$@" 2>&1)
	rc=$?
}

# whose PID: sets owner_home to ours, other or unsure. The program's own path tells, also when
# it was replaced by a patch meanwhile (then it is renamed or called "deleted").
whose() {
	[ -n "$bindir" ] || bindir=$(readlink -f "$home/bin" 2>/dev/null) || bindir=$home/bin
	program=$(readlink "$root/proc/$1/exe" 2>/dev/null)
	case ${program%/*} in
	'') owner_home=unsure ;;
	"$bindir" | "$home/bin") owner_home=ours ;;
	*) owner_home=other ;;
	esac
}
bindir=''

# argv0 FILE sets line to a command line without the NULs in it.
argv0() {
	line=''
	{ IFS= read -r line <"$1"; } 2>/dev/null
	return 0
}

# collect PID: into pids, foreign or unsure, as its program lies.
collect() {
	whose "$1"
	case $owner_home in
	ours) pids="$pids $1" ;;
	other) foreign="$foreign $1" ;;
	*) [ ! -e "$root/proc/$1/cmdline" ] || unsure="$unsure $1" ;;
	esac
}

# processes PATTERN: those of the instance $name that match the extended regular expression.
# Sets pids, foreign (same name, another ORACLE_HOME) and unsure.
processes() {
	pids='' foreign='' unsure=''
	for f in $(grep -slE "$1" "$root"/proc/[0-9]*/cmdline 2>/dev/null); do
		argv0 "$f"
		case $line in
		ora_*)
			p=${line#ora_}
			[ "${p#*_}" = "$name" ] || continue
			;;
		"oracle$name" | "oracle$name "* | "oracle$name("*) ;;
		*) continue ;;
		esac
		f=${f%/cmdline}
		collect "${f##*/}"
	done
}

# now sets up, the uptime in seconds.
now() {
	read -r up _ <"$root/proc/uptime"
	stamp=${up%.*}${up#*.} up=${up%.*}
}

# remaining sets rest to what is left of the limit, never less than a second; 1 when it is over.
remaining() {
	now
	rest=$((begin + limit - up))
	[ "$rest" -ge 1 ] && return 0
	rest=1
	return 1
}

pause() {
	sleep 0.2 2>/dev/null || sleep 1
}

# flight: awaits a start whose caller was lost and that goes on in its unit.
flight() {
	last=''
	{ read -r last <"$run/$unit.unit"; } 2>/dev/null
	[ -n "$last" ] || return 0
	while [ "$(systemctl is-active "$last" 2>/dev/null)" = activating ] && remaining; do pause; done
}

# halt: before a stop, ends a start that still goes on; what it has begun is stopped like everything else.
halt() {
	now
	begin=$up limit=3
	flight
	if [ -n "$last" ] && [ "$(systemctl is-active "$last" 2>/dev/null)" = activating ]; then
		systemctl stop "$last" 2>/dev/null
	fi
}

# launch TEXT ARGUMENTS…: runs a script in a unit of its own, because what it leaves running must
# outlive this one. Its output is in said afterwards. The unit has another name each time: one that
# daemons still live in cannot be started again.
launch() {
	now
	mkdir -p "$run"
	last=$unit-r$stamp.service
	printf '%s\n' "$last" >"$run/$unit.unit"
	printf '{\n%s\n} >%s 2>&1\n' "$1" "$run/$unit.out" >"$run/$unit.sh"
	shift
	: >"$run/$unit.out"
	systemd-run --quiet --unit="$last" --service-type=oneshot --remain-after-exit \
		--property=TimeoutStartSec="$((limit + 60))" --property=TimeoutStopSec=10 --property=TasksMax=infinity \
		/bin/sh "$run/$unit.sh" "$name" "$home" "$user" "$admin" "$unit" "$@" </dev/null >"$run/$unit.run" 2>&1
	said=$(cat "$run/$unit.out" "$run/$unit.run" 2>/dev/null | tail -c 6000)
}

# end_units: the empty shells that are left when nothing of ours runs any more.
end_units() {
	[ -e "$run/$unit.unit" ] || return 0
	systemctl stop "$unit-r*.service" 2>/dev/null
	systemctl reset-failed "$unit-r*.service" 2>/dev/null
	rm -f "$run/$unit.unit" "$run/$unit.sh" "$run/$unit.out" "$run/$unit.run"
}

# boot_units: every unit that is started at boot and speaks of Oracle, with the lines that do.
# What such a unit starts is looked into as well, one step deep.
boot_units() {
	for f in "$root"/etc/systemd/system/*.wants/*.service "$root"/etc/systemd/system/*.requires/*.service \
		"$root"/etc/rc.d/rc[35].d/S* "$root"/etc/rc[35].d/S* "$root"/etc/rc.local "$root"/etc/rc.d/rc.local; do
		[ -f "$f" ] || continue
		set -- "$f"
		for word in $(sed -n 's/^Exec[A-Za-z]*=[-@:+!]*//p' "$f" 2>/dev/null); do
			case $word in
			"$home"/bin/* | /bin/* | /usr/bin/* | *[!A-Za-z0-9/._-]*) ;;
			/*) [ ! -f "$root$word" ] || set -- "$@" "$root$word" ;;
			esac
		done
		found=$(grep -hE 'dbstart|lsnrctl|sqlplus|startup|ORACLE_SID|ORACLE_HOME|oratab' "$@" 2>/dev/null | head -n 40)
		[ -n "$found" ] || continue
		echo "@boot ${f#"$root"}"
		quote "$found"
	done
}

# installation: what both kits ask of one.
installation() {
	need systemctl systemd-run timeout runuser readlink grep sed
	[ -d "$root/run/systemd/system" ] || echo "@missing systemd"
	id "$user" >/dev/null 2>&1 || echo "@nouser $user"
	for tool in "$@"; do
		[ -x "$home/bin/$tool" ] && [ ! -d "$home/bin/$tool" ] || echo "@nobinary $home/bin/$tool"
	done
	for f in "$root/etc/oratab" "$root/var/opt/oracle/oratab"; do
		[ -r "$f" ] || continue
		echo "@oratab ${f#"$root"}"
		quote "$(head -n 500 "$f")"
	done
	boot_units
	for f in $(grep -slE 'ohasd\.bin' "$root"/proc/[0-9]*/cmdline 2>/dev/null); do
		argv0 "$f"
		case $line in *bin/ohasd.bin*) echo "@ohasd" ;; esac
	done
}
