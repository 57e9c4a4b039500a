# For a node where the array still runs although another one is the source now. What waits there for a connection was never
# reported as done, and must not be from here on: a write that is on the own disk already would be, as soon as the other leg
# is given up. So the own leg answers with errors first, then whoever uses the mirror is ended (one that waits in the kernel
# ends before it can tell anybody), and only then the connections are let go.

# users lists the processes that have the array open, or something on a file system of it; sets pids.
users() {
	first "$sys/$md/dev"
	number=$word points="
"
	while read -r _ _ n _ point _; do
		[ "$n" != "$number" ] || points="$points$point
"
	done <"$proc/self/mountinfo"
	listed=$(ls -l "$proc"/[0-9]*/fd "$proc"/[0-9]*/cwd "$proc"/[0-9]*/root 2>/dev/null)
	p='' pids=''
	while read -r q; do
		case $q in
		"$proc"/*/fd:) p=${q%/fd:} ;;
		*" $proc/"*"/cwd -> "* | *" $proc/"*"/root -> "*)
			p=${q% -> *}
			p=$proc/${p##*" $proc/"}
			p=${p%/*}
			;;
		esac
		case $q in *' -> /'*) q=${q##* -> } ;; *) continue ;; esac
		case $q in "/dev/$md") pids="$pids ${p##*/}" && continue ;; esac
		while read -r point; do
			[ -n "$point" ] || continue
			case $q/ in "$point"/*) pids="$pids ${p##*/}" ;; esac
		done <<POINTS
$points
POINTS
	done <<LISTED
$listed
LISTED
}

# end_users: nobody is left who could go on when the writes return; who waits in the kernel has its end before it.
end_users() {
	tries=30
	while :; do
		users
		alive=''
		for p in $pids; do
			kill -9 "$p" 2>/dev/null
			state=''
			{ read -r line <"$proc/$p/stat"; } 2>/dev/null || continue
			line=${line##*) }
			case $line in [DZX]*) ;; *) alive="$alive $p" ;; esac
		done
		[ -n "$alive" ] || return 0
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || fail users "$alive"
		pause
	done
}

echo "@begin"
survey
stored
[ "$has_gen" -lt "$gen" ] || fail source-here "$has_gen"
if [ -z "$md" ]; then
	echo "@did already"
	echo "@end"
	exit 0
fi
first "$sys/$leg_dm/size"
said=$(echo "0 $word error" | dmsetup load "$leg" 2>&1) || fail leg
bounded 20 dmsetup suspend --noflush --nolockfs "$leg" || fail leg
bounded 20 dmsetup resume "$leg" || fail leg
end_users
for f in $fars; do
	let_go "${f#*=}" "${f%%=*}"
done
said=''
echo "@did thawed"
echo "@end"
exit 0
