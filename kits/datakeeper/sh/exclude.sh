# $@ NODE=NUMBER: the connection to that node ends when its own number is smaller; a newer one is not touched
#
# The array goes on without these legs. Only when that is written down where a promoter reads it: from here on their data is old.

# expel: the array does not have the member any more.
expel() {
	tries=50
	while [ -n "$md" ] && [ -e "$sys/$md/md/dev-$dm" ]; do
		first "$sys/$md/md/dev-$dm/state"
		case $word in
		*faulty*) ;;
		*) bounded 5 put faulty "$sys/$md/md/dev-$dm/state" ;;
		esac
		bounded 5 put remove "$sys/$md/md/dev-$dm/state"
		[ -e "$sys/$md/md/dev-$dm" ] || return 0
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		pause
	done
}

echo "@begin"
did=already
survey
# All of them are let go before the array is waited for: it may be waiting for any of them.
for arg in "$@"; do
	node=${arg%=*} below=${arg##*=}
	far_dm "$node"
	[ -n "$dm" ] || continue
	first "$run/far.$node"
	number=${word%% *}
	case $number in *[!0-9]* | '') number=0 ;; esac
	if [ "$number" -ge "$below" ]; then
		[ "$did" = excluded ] || did=newer
		continue
	fi
	did=excluded
	let_go "$node" "$dm"
	gone="${gone-} $node"
done
for node in ${gone-}; do
	far_dm "$node"
	expel || fail stays "$node"
	drop_far "$node" "$dm" || fail connection "$node"
done
[ -z "$md" ] || resume
said=''
echo "@did $did"
echo "@end"
exit 0
