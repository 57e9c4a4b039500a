package fleet

// The scripts the engine itself runs on nodes, POSIX sh. FERRY_ROOT is empty
// except in tests.
const (
	// aliveScript ends a heartbeat with its word and the boot's id ("-" when that cannot be
	// read): a node that restarts between two heartbeats is noticed by it. The mark of an
	// earlier boot says nothing.
	aliveScript = `read -r c 2>/dev/null </proc/sys/kernel/random/boot_id || c=-
if [ -e "$d/stopping" ] && read -r b <"$d/stopping" && [ "$b" = "$c" ]; then
	echo "stopping $c"
else
	echo "alive $c"
fi
`
	// pulseScript is the function-level heartbeat: a shell answers and the file system
	// takes a write, without a process of its own. What it writes tells whoever would
	// adopt the estate which engine is at work, and since when not any more. It says
	// "alive", or "stopping" when
	// the node is being shut down in good order (hook.go).
	pulseScript = `d=${FERRY_ROOT:-}/var/lib/ferry
[ -d "$d" ] || mkdir -p "$d"
echo "beat @ENGINE@" 2>/dev/null >"$d/beat"
` + aliveScript
	// diskScript is the same with the disk under it: a hanging one does not answer. A
	// full or read-only one still does.
	diskScript = `d=${FERRY_ROOT:-}/var/lib/ferry
[ -d "$d" ] || mkdir -p "$d"
{ echo "beat @ENGINE@" >"$d/beat" && sync "$d/beat"; } 2>/dev/null
` + aliveScript
	// peersScript probes comm paths side by side: arguments are triples number, address,
	// source address ("-" = any). ping's 1 means no answer; anything else but 0 says nothing.
	peersScript = `all=''
while [ $# -ge 3 ]; do
	if [ "$3" = - ]; then
		ping -n -q -c 1 -W 1 "$2" >/dev/null 2>&1 &
	else
		ping -n -q -c 1 -W 1 -I "$3" "$2" >/dev/null 2>&1 &
	fi
	all="$all $1:$!"
	shift 3
done
for p in $all; do
	wait "${p#*:}"
	echo "${p%%:*} $?"
done
`
	// recordScript prints the boot id, who leads the node, and every claim it holds.
	recordScript = `read -r boot </proc/sys/kernel/random/boot_id
echo "boot $boot"
f=${FERRY_ROOT:-}/var/lib/ferry/record
[ ! -e "$f" ] || while read -r line; do echo "record $line"; done <"$f"
f=${FERRY_ROOT:-}/var/lib/ferry/claims
[ -e "$f" ] || exit 0
while read -r line; do echo "$line"; done <"$f"
`
	// claimScript writes the number $1 as the claim of every further argument, all or
	// none, durably, with as few processes as that takes. A claim only rises: where the
	// node holds a higher one nothing is written, exit 3.
	claimScript = `n=$1
shift
d=${FERRY_ROOT:-}/var/lib/ferry
[ -d "$d" ] || mkdir -p "$d" || exit 1
keep=''
if [ -e "$d/claims" ]; then
	while read -r word tag old; do
		mine=''
		for t in "$@"; do
			[ "$t" != "$tag" ] || mine=1
		done
		if [ -z "$mine" ]; then
			keep="$keep$word $tag $old
"
		elif [ "$old" -gt "$n" ]; then
			echo "claim $old of $tag is newer than $n"
			exit 3
		fi
	done <"$d/claims"
fi
{
	printf '%s' "$keep"
	for t in "$@"; do
		echo "claim $t $n"
	done
} >"$d/claims.new" || exit 1
sync "$d/claims.new" && mv "$d/claims.new" "$d/claims" && sync "$d" || exit 1
`
)
