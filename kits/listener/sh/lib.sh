# shellcheck disable=SC2034,SC2154 # what the scripts behind this prelude read, and what stands in the one before it
# How the kit finds a listener and talks to it, behind the common prelude.
#
# $1 seconds that an answer may take  $2 descriptions of the addresses to try, one a line; empty = those that it says it listens on

answer=$1 wanted=$2
shift 2

lower() { printf '%s' "$1" | tr '[:upper:]' '[:lower:]'; }
want=$(lower "$name")

# ours: sets pids to the processes of this listener, foreign to one of the same name from another ORACLE_HOME.
ours() {
	pids='' foreign='' unsure=''
	for f in $(grep -slE 'tnslsnr' "$root"/proc/[0-9]*/cmdline 2>/dev/null); do
		arguments "$f"
		case $one in tnslsnr | */tnslsnr) ;; *) continue ;; esac
		[ "$(lower "$two")" = "$want" ] || continue
		f=${f%/cmdline}
		collect "${f##*/}"
	done
}

# arguments FILE: sets one and two to the first two of a command line.
arguments() {
	one='' two=''
	while IFS= read -r arg; do
		if [ -z "$one" ]; then one=$arg; else
			two=$arg
			break
		fi
	done <<ARGUMENTS
$(tr '\0' '\n' <"$1" 2>/dev/null)
ARGUMENTS
}

# control: lsnrctl WORD… with a time limit. Sets said and rc.
control() {
	bound_of=$1
	shift
	as_owner "$bound_of" "$home/bin/lsnrctl" "$@" </dev/null
}

# endpoints: the TCP addresses in said, as the listener says them itself; not those where it speaks HTTP.
endpoints() {
	while IFS= read -r q; do
		q=${q#"${q%%[! ]*}"}
		case $q in
		*[Pp][Rr][Ee][Ss][Ee][Nn][Tt][Aa][Tt][Ii][Oo][Nn]=*) ;;
		'(DESCRIPTION='*'(PROTOCOL=tcp)'*) printf '%s\n' "$q" ;;
		esac
	done <<SAID
$said
SAID
}

# try_addresses: whether each answers. At most eight, so that the time has a bound.
try_addresses() {
	[ -n "$wanted" ] || wanted=$(endpoints)
	[ -n "$wanted" ] || return 0
	if [ ! -x "$home/bin/tnsping" ]; then
		echo "@notnsping"
		return 0
	fi
	count=0
	while IFS= read -r where; do
		count=$((count + 1))
		[ "$count" -le 8 ] || break
		case $where in '' | *[!A-Za-z0-9\(\)=._:%-]*) continue ;; esac
		as_owner "$answer" "$home/bin/tnsping" "$where" 1 </dev/null
		echo "@ping $where"
		quote "$said"
		echo "@pingend $rc"
	done <<WANTED
$wanted
WANTED
}

# look: what the judge reads.
look() {
	ours
	echo "@process$pids"
	[ -z "$foreign" ] || echo "@foreign$foreign $program"
	[ -z "$unsure" ] || echo "@unsure$unsure"
	[ -n "$pids" ] || return 0
	for _ in 1 2; do
		control "$answer" status "$name"
		case $rc in 124 | 137) ;; *) break ;; esac
	done
	echo "@status"
	quote "$said"
	echo "@statusend $rc"
	case $rc in
	124 | 137)
		# Had the node time for anything? The same tool, without the listener.
		control 2 help
		echo "@control $rc"
		;;
	0) try_addresses ;;
	esac
}
