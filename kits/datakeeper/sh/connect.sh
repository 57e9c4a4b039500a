# $1 node  $2 its address  $3 port  $4 number of this membership  $5 freeze, continue or asynchronous  $6 partial or full
# $7 seconds without an answer (not with freeze)
# stdin: dirty chunks of the other leg, "5 7-9 …", to be copied as well
#
# Connects another node's leg. Nothing is written to it yet, and the array does not know it.
node=$1 address=$2 port=$3 number=$4 mode=$5 how=$6 patience=$7

# alone: which network disk is free, and that it is taken, is one act. Two connections to different nodes, or of different mirrors,
# are made at the same time; without this, one would take apart, or lie on top of, what the other has just made. Whoever is
# killed lets go.
alone() {
	mkdir -p "$run"
	exec 9>"${run%/*}/nbd.lock" || fail no-nbd
	flock -w 20 9 || fail nbd-busy
}

# mine RECORD: the device was free and is ours; whoever else has it on record never got it, or has it no more.
mine() {
	for f in "${run%/*}"/*/nbd.*; do
		first "$f"
		[ "$word" != "$nbd" ] || rm -f "$f"
	done
	echo "$nbd" >"$1"
}

# free_nbd sets nbd to one that nobody uses.
free_nbd() {
	nbd=''
	modules
	n=0
	while [ -e "$sys/nbd$n" ]; do
		first "$sys/nbd$n/size"
		if [ ! -e "$sys/nbd$n/pid" ] && [ "$word" = 0 ]; then
			used=''
			for f in "$sys/nbd$n"/holders/*; do [ ! -e "$f" ] || used=1; done
			if [ -z "$used" ]; then
				nbd=nbd$n
				return 0
			fi
		fi
		n=$((n + 1))
	done
	return 1
}

# leave_none: no device of that name is left by a making of it that was given up; it ends when its connection has. Of one that
# was not finished /sys shows nothing, but its name is taken.
leave_none() {
	tries=50
	while [ -n "${stuck-}" ] && [ "$tries" -gt 0 ]; do
		state=''
		{ read -r _ _ state _ <"$proc/$stuck/stat"; } 2>/dev/null
		case $state in Z | X | '') break ;; esac
		tries=$((tries - 1))
		pause
	done
	bounded 10 dmsetup remove "$far$node" # mostly there is none
}

# connect: the network block device, and the device above it that decides what a lost connection means.
connect() {
	free_nbd || fail no-nbd
	[ "$mode" != freeze ] || patience=0
	mine "$run/nbd.$node"
	bounded 6 nbd-client -N "$slug" "$address" "$port" "/dev/$nbd" -timeout "$patience" || fail connect "$address:$port"
	first "$sys/$nbd/size"
	sectors=$word
	if [ "$sectors" = 0 ]; then fail connect "$address:$port"; fi
	features=0
	[ "$mode" != freeze ] || features='1 queue_if_no_path'
	case $features in 0) features='2 queue_mode bio' ;; *) features='3 queue_if_no_path queue_mode bio' ;; esac
	# Its number comes when all is done: until then it counts for nothing.
	echo "pending $mode $nbd" >"$run/far.$node"
	# The kernel reads the device as it is opened. Should the other end be lost just now, that waits for ever, until the connection
	# is taken away from under it.
	if ! bounded 10 dmsetup create "$far$node" --uuid "FERRY-$tag-x-$node" \
		--table "0 $sectors multipath $features 0 1 1 round-robin 0 1 1 /dev/$nbd 1"; then
		why=$said stuck='' code="connection $node"
		[ "$rc" != 124 ] || stuck=$pid code="connect $address:$port"
		bounded 10 nbd-client -d "/dev/$nbd"
		leave_none
		said=$why
		# shellcheck disable=SC2086 # a code and its value
		fail $code
	fi
	exec 9>&- # taken: whoever else looks for a free one sees it
	dmsetup mknodes "$far$node" 2>/dev/null
	survey
	far_dm "$node"
	[ -n "$dm" ] || fail connection "$node"
	if [ "$mode" = asynchronous ]; then
		# The other end writes before it answers: a flush would only wait for the way there and back.
		echo 'write through' >"$sys/$dm/queue/write_cache"
		echo 'write through' >"$sys/$nbd/queue/write_cache"
	fi 2>/dev/null
}

dirty=$(cat)
echo "@begin"
alone
survey
[ -n "$md" ] || fail not-running
stored
[ "$has_gen" = "$gen" ] || fail other-generation "$has_gen"
far_dm "$node"
if [ -n "$dm" ]; then
	[ ! -e "$sys/$md/md/dev-$dm" ] || fail still-there "$node"
	let_go "$node" "$dm"
	drop_far "$node" "$dm" || fail still-there "$node"
	survey
fi
# A connection that was made, but not yet used, when a script was cut short.
first "$run/nbd.$node"
if [ -n "$word" ] && [ -e "$sys/$word/pid" ]; then
	used=''
	for f in "$sys/$word"/holders/*; do [ ! -e "$f" ] || used=1; done
	[ -n "$used" ] || bounded 10 nbd-client -d "/dev/$word"
fi
rm -f "$run/nbd.$node"
[ -n "$dm" ] || leave_none
connect
printf '%s\n%s\n' "$how" "$dirty" >"$run/how.$node"
printf '%s %s %s\n' "$number" "$mode" "$nbd" >"$run/far.$node"
echo "@did connected"
echo "@end"
exit 0
