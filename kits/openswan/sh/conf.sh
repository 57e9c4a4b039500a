# $1 connection, may be empty  $2 the configuration file  $3 most bytes of all files together
# Prints the file and those it includes, each behind its path. What is included is found here, what
# it means is judged by the reader, who also notices when something is left out.
room=$3
seen='
'

# one FILE DEPTH: prints it and what it includes.
one() {
	case $seen in *"
$1
"*) return 0 ;; esac
	seen="$seen$1
"
	[ -f "$1" ] && [ -r "$1" ] || return 0
	if [ "$2" -gt 10 ]; then
		echo "@toodeep $1"
		return 0
	fi
	# The x keeps the newlines at the end, which count.
	text=$(head -c "$((room + 1))" "$1" && echo x)
	text=${text%x}
	room=$((room - ${#text}))
	if [ "$room" -lt 0 ]; then
		echo "@toobig $1"
		return 0
	fi
	echo "@file $1"
	quote "$text"
	includes "$1" "$2" "$text"
}

# includes FILE DEPTH TEXT
includes() {
	while read -r word pattern _; do
		[ "$word" = include ] || continue
		pattern=${pattern#\"} pattern=${pattern%\"}
		case $pattern in
		/*) ;;
		*) pattern=${1%/*}/$pattern ;;
		esac
		each "$pattern" "$2"
	done <<TEXT
$3
TEXT
}

# each PATTERN DEPTH: what a pattern matches, whatever blanks a name holds. The depth travels
# as the first parameter, because only those are a function's own; a path begins with a slash.
each() {
	old=$IFS
	IFS=''
	# shellcheck disable=SC2086 # a pattern is meant as one
	set -- "$(($2 + 1))" $1
	IFS=$old
	for f in "$@"; do
		case $f in /*) one "$f" "$1" ;; esac
	done
}

echo "@begin"
need head
one "$2" 0
echo "@addresses"
quote "$(ip -o -4 addr show 2>/dev/null)"
echo "@end"
exit 0
