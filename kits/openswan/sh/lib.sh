# shellcheck disable=SC2034 # what the scripts behind this prelude read
# Common to every script of the kit. Answers are lines "@word value"; whatever a tool or
# a file says stands behind "|", so that nothing in it can pass for a mark.
#
# The daemon's answers are asked for with a time limit: a daemon that is stopped keeps a
# question waiting for ever.

proc=/proc
PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin
LC_ALL=C
export PATH LC_ALL
conn=$1
ask=6

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

# relevant TEXT: the lines about the connection, and those that are no part of a list.
relevant() {
	while IFS= read -r q; do
		case $q in
		*\""$conn"\"* | *\""$conn"/* | '000 using kernel '*) ;;
		00[06]\ *) continue ;;
		esac
		printf '|%s\n' "$q"
	done <<RELEVANT
$1
RELEVANT
}

# tool SECONDS COMMAND…: sets said and rc; 124 and 137 are a time limit that was reached.
tool() {
	limit=$1
	shift
	said=$(timeout -k 1 "$limit" "$@" </dev/null 2>&1)
	rc=$?
}

# status: asks the daemon, a second time when it keeps silent. Sets said and rc.
status() {
	for _ in 1 2; do
		tool "$ask" ipsec status
		case $said in
		*'000 using kernel '*) ;;
		*nknown*ommand*) tool "$ask" ipsec auto --status ;; # Openswan
		esac
		case $rc in 124 | 137) ;; *) break ;; esac
		pluto
		case $state in T | t) break ;; esac # stopped: it need not be asked again
	done
}

# answers: said is the status of a daemon that runs.
answers() {
	case $said in *'000 using kernel '*) return 0 ;; esac
	return 1
}

# pluto sets state: none, or the letter that the kernel shows of the daemon's process (S, R, T, …).
pluto() {
	state=none
	for p in "$proc"/[0-9]*/comm; do
		name=''
		{ read -r name <"$p"; } 2>/dev/null
		[ "$name" = pluto ] || continue
		while read -r key letter _; do
			[ "$key" != State: ] || state=$letter
		done <"${p%/comm}/status"
	done 2>/dev/null
}

# tell_status: what the judge needs to tell a daemon that is dead from one that hangs.
tell_status() {
	echo "@status"
	relevant "$said"
	echo "@statusend $rc"
	answers && return 0
	was=$rc
	pluto
	echo "@pluto $state"
	case $was in
	124 | 137)
		# Had the node time for anything? The same tool, without the daemon.
		tool 2 ipsec --version
		echo "@control $rc"
		;;
	esac
	return 1
}

# established: every part of the connection is, as the daemon lists it: none is without its newest SA. (That the list of
# the traffic names a part does not tell it: there one stands that is left over, too.) Sets said and rc.
established() {
	status
	said=$(relevant "$said")
	case $said in
	*'newest IPsec SA: #0;'*) return 1 ;;
	*'newest IPsec SA: #'[1-9]*) return 0 ;;
	esac
	return 1
}
