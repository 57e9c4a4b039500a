# $1 seconds that it may take
#
# The array down, then the connections, then the leg. One that is frozen cannot be stopped: its writes wait until
# a connection is back or has been excluded, which goes on while this waits.
left=$(($1 * 10))

# waiting sets user to a connection that has no path, or whose requests do not come back.
waiting() {
	user=''
	for f in $fars; do
		dm=${f%%=*}
		nbd_of "$dm"
		[ -n "$nbd" ] && [ -e "$sys/$nbd/pid" ] || user=${f#*=}
		first "$sys/$dm/inflight"
		for n in $word; do [ "$n" = 0 ] || user=${f#*=}; done
	done
	[ -n "$user" ]
}

# holders sets user to who has the array: a mount point or a device above.
holders() {
	user=''
	first "$sys/$md/dev"
	number=$word
	while read -r _ _ n _ point _; do
		[ "$n" != "$number" ] || user="$user $point"
	done <"$proc/self/mountinfo"
	for h in "$sys/$md"/holders/*; do
		[ ! -e "$h" ] || user="$user ${h##*/}"
	done
	user=${user# }
	[ -n "$user" ]
}

# openers adds the processes that have it open.
openers() {
	listed=$(ls -l "$proc"/[0-9]*/fd 2>/dev/null)
	p=''
	while read -r q; do
		case $q in
		"$proc"/*/fd:) p=${q%/fd:} ;;
		*" -> /dev/$md")
			first "$p/comm"
			user="$user $word(${p##*/})"
			;;
		esac
	done <<LISTED
$listed
LISTED
}

# keep_final notes how the array ended, durably: md has waited for all writes to all legs, and written the superblocks of those
# that have everything. Where that cannot be read or noted, it was no end that proves anything; the stop is one all the same.
keep_final() {
	stored
	superblock
	[ -n "$sb" ] || return 0
	{
		printf '%s %s\n' "$has_gen" "$sb" >"$lib/$slug.final.new" && sync "$lib/$slug.final.new" &&
			mv "$lib/$slug.final.new" "$lib/$slug.final" && sync -f "$lib"
	} 2>/dev/null || rm -f "$lib/$slug.final.new" "$lib/$slug.final"
}

echo "@begin"
survey
if [ -n "$md" ]; then
	holders && fail held "$user"
	# A resync would keep the connections busy; the bitmap remembers how far it was.
	first "$sys/$md/md/sync_action"
	if [ "$word" != idle ] && ! bounded 10 put frozen "$sys/$md/md/sync_action"; then fail frozen resync; fi
	# Asked once each time: md writes its superblock now and then, and a request that is under way to a far disk for a moment
	# after nothing was is not one that waits.
	while waiting; do
		if [ "$left" -le 0 ]; then
			bounded 5 put idle "$sys/$md/md/sync_action"
			said=''
			fail frozen "$user"
		fi
		pause
		left=$((left - 1))
		survey
	done
	if ! bounded 30 mdadm --stop "/dev/$md"; then
		stopped=$said
		[ ! -e "$sys/$md/md/sync_action" ] || echo idle >"$sys/$md/md/sync_action" 2>/dev/null
		holders
		openers
		said=$stopped
		[ -z "$user" ] || fail held "$user"
		fail stop
	fi
	said=''
	keep_final
	[ ! -L "$device" ] || [ -e "$device" ] || rm -f "$device"
fi
survey
[ -z "$md" ] || fail stop
for f in $fars; do
	drop_far "${f#*=}" "${f%%=*}" || fail connection "${f#*=}"
done
# A leg that is served stays: another node is its source.
if ! serving; then
	drop_leg || fail leg-held
fi
echo "@stopped"
echo "@end"
exit 0
