# $5 1 = holders may be ended  $6 seconds for all of it  $7 the mount point as an extended regular expression
may_kill=$5 whole=$6 pattern=$7
device
remember
mounts
careful
now
finish=$((up + whole))

# left sets rest: the seconds that are left, at least one.
left() {
	now
	rest=$((finish - up))
	[ "$rest" -ge 1 ] || rest=1
}

# over: the time is over.
over() {
	now
	[ "$up" -ge "$finish" ]
}

# decode POINT sets plain. Of the four characters that the kernel writes as numbers only the space is in use.
decode() {
	plain=$1
	while :; do
		case $plain in
		*'\040'*) plain="${plain%%'\040'*} ${plain#*'\040'}" ;;
		*) return 0 ;;
		esac
	done
}

# is_on POINT: something is mounted there. Sets top_id and top.
is_on() {
	top='' top_id=''
	while read -r id _ n _ p _; do
		if [ "$p" = "$1" ]; then top=$n top_id=$id; fi
	done </proc/self/mountinfo
	[ -n "$top" ]
}

# ancestors: the processes that this script hangs on.
ancestors() {
	family=" $$ "
	a=$$
	while stat_of "$a" && [ "$ppid" -gt 1 ]; do
		a=$ppid
		family="$family$a "
	done
}

# spared PID: never to be ended. stat_of must have been asked.
spared() {
	[ "$1" -gt 1 ] || return 0
	[ "$((flags / 2097152 % 2))" = 0 ] || return 0 # a thread of the kernel
	case $family in *" $1 "*) return 0 ;; esac
	comm=''
	read -r comm <"/proc/$1/comm" || return 0
	case $comm in sshd | sshd-* | systemd | systemd-* | "(sd-pam)" | init | dbus-daemon | dbus-broker* | ferry | ferry-*) return 0 ;; esac
	return 1
} 2>/dev/null

# holds PID HOW: this process uses the mount in this way now. A path alone proves
# nothing: a file that was opened below the mount point before the mount has the same one.
holds() {
	case $2 in
	fd/*)
		while read -r k v _; do
			[ "$k" != mnt_id: ] || break
		done <"/proc/$1/fdinfo/${2#fd/}"
		[ "$k" = mnt_id: ] || return 1
		[ "$v" != "$held_id" ] || return 0
		# A service with a mount namespace of its own (PrivateTmp) holds its copy of the mount.
		[ -n "$held_number" ] || return 1
		while read -r id _ n _; do
			if [ "$id" = "$v" ]; then
				[ "$n" = "$held_number" ]
				return
			fi
		done <"/proc/$1/mountinfo"
		return 1
		;;
	cwd | root | exe)
		link=$(readlink "/proc/$1/$2") || return 1
		case $link in "$held" | "$held"/*) ;; *) return 1 ;; esac
		[ "$(stat -L -c %d -- "/proc/$1/$2")" = "$held_dev" ]
		;;
	maps) grep -q -E -e " $hex_dev [0-9]+ +$pattern(/|\$)" "/proc/$1/maps" ;;
	socket/*)
		link=$(readlink "/proc/$1/fd/${2#socket/}") || return 1
		case $sockets in *" $link "*) ;; *) return 1 ;; esac
		;;
	*) return 1 ;;
	esac
} 2>/dev/null

# found PID HOW: notes a process once, when it really holds the mount.
found() {
	case $holders in *"
$1 "*) return 0 ;; esac
	stat_of "$1" && [ "$state" != Z ] && holds "$1" "$2" || return 0
	holders="$holders$1 $start $2
"
}

# list_links ERE: which links of all processes lead there, a line "PID HOW" each.
list_links() {
	of=''
	# shellcheck disable=SC2010 # only a directory's listing tells where links lead without a process for each
	ls -l /proc/[0-9]*/cwd /proc/[0-9]*/root /proc/[0-9]*/exe /proc/[0-9]*/fd 2>/dev/null |
		grep -E -e "^/proc/[0-9]+/fd:\$| -> $1" |
		while IFS= read -r line; do
			from=${line%% -> *}
			from=${from##* }
			case $from in
			/proc/*/fd:)
				of=${from#/proc/}
				of=${of%/fd:}
				;;
			/proc/*/*)
				from=${from#/proc/}
				echo "${from%%/*} ${from#*/}"
				;;
			[0-9]*) echo "$of fd/$from" ;;
			esac
		done
}

# find_sockets: the sockets that have a name below the mount point.
find_sockets() {
	sockets=''
	[ -r /proc/net/unix ] || return 0
	while read -r _ _ _ _ _ _ inode p; do
		case $p in "$held"/*) sockets="$sockets socket:[$inode] " ;; esac
	done </proc/net/unix
}

# find_holders POINT: who uses what is mounted there. Sets holders, lines "PID START HOW".
find_holders() {
	holders='
'
	decode "$1"
	held=$plain
	is_on "$1" || return 0
	held_id=$top_id held_number=''
	[ "$1" != "$point" ] || held_number=$number
	held_dev=$(stat -L -c %d -- "$held" 2>/dev/null)
	while read -r pid how; do
		[ -z "$pid" ] || found "$pid" "$how"
	done <<LINKS
$(list_links "$pattern(/|\$| )")
LINKS
	if [ "$1" = "$point" ]; then
		hex_dev=$(printf '%02x:%02x' "${number%%:*}" "${number#*:}")
		# shellcheck disable=SC2013 # names of the kernel's own
		for f in $(grep -l -E -e " $hex_dev [0-9]+ +$pattern(/|\$)" /proc/[0-9]*/maps 2>/dev/null); do
			f=${f#/proc/}
			found "${f%/maps}" maps
		done
	fi
	find_sockets
	[ -n "$sockets" ] || return 0
	while read -r pid how; do
		[ -z "$pid" ] || found "$pid" "socket/${how#fd/}"
	done <<LINKS
$(list_links 'socket:')
LINKS
}

# strike SIGNAL: to each holder that still is the same process and still holds the mount.
# Sets struck to how many got it.
strike() {
	struck=0
	while read -r pid begun how; do
		[ -n "$pid" ] || continue
		if ! stat_of "$pid" || [ "$start" != "$begun" ]; then continue; fi
		! spared "$pid" || continue
		holds "$pid" "$how" || continue
		! kill "-$1" "$pid" 2>/dev/null || struck=$((struck + 1))
		echo "@signal $1 $pid $how $comm"
	done <<HOLDERS
$holders
HOLDERS
}

# gone: none of the holders lives. Zombies hold nothing.
gone() {
	while read -r pid begun _; do
		[ -n "$pid" ] || continue
		if stat_of "$pid" && [ "$start" = "$begun" ] && [ "$state" != Z ]; then return 1; fi
	done <<HOLDERS
$holders
HOLDERS
	return 0
}

# let_go SECONDS: until they have ended.
let_go() {
	now
	patience=$((up + $1))
	while ! gone; do
		now
		[ "$up" -lt "$patience" ] && [ "$up" -lt "$finish" ] || return 0
		pause
	done
}

# tell POINT: who and what keeps it busy.
tell() {
	find_holders "$1"
	while read -r pid begun how; do
		[ -n "$pid" ] || continue
		comm=''
		{ read -r comm <"/proc/$pid/comm"; } 2>/dev/null
		if stat_of "$pid" && spared "$pid"; then how="$how spared"; else how="$how -"; fi
		echo "@holder $pid $how $comm"
	done <<HOLDERS
$holders
HOLDERS
	decode "$1"
	{
		while read -r f _; do
			decode "$f"
			case $plain in "$held"/*) echo "@swap $plain" ;; esac
		done </proc/swaps
		for f in /sys/block/loop*/loop/backing_file; do
			p=''
			[ ! -r "$f" ] || read -r p <"$f"
			l=${f#/sys/block/}
			case $p in "$held"/*) echo "@loop /dev/${l%%/*} $p" ;; esac
		done
		for f in /proc/fs/nfsd/exports /var/lib/nfs/etab; do
			[ -r "$f" ] || continue
			while read -r p _; do
				case $p in "$held" | "$held"/*) echo "@exported $p" ;; esac
			done <"$f"
		done
	} 2>/dev/null
}

# take_down POINT: unmounts it. Fails when it could not; an unmount that has not ended is
# never followed by another.
take_down() {
	signal=TERM
	while is_on "$1"; do
		decode "$1"
		left
		bounded umount "$rest" umount -- "$plain"
		if [ -z "$rc" ]; then
			echo "@busy umount"
			return 1
		fi
		is_on "$1" || break
		words=$(said)
		case $words in
		*busy*) ;;
		*)
			echo "@refused $rc $words"
			return 1
			;;
		esac
		find_holders "$1"
		if [ "$may_kill" != 1 ] || over; then
			echo "@occupied $1"
			tell "$1"
			return 1
		fi
		strike "$signal"
		if [ "$struck" = 0 ]; then
			# Whoever holds it is no process that may be ended; or it has just gone.
			idle=$((${idle:-0} + 1))
			if [ "$idle" -gt 5 ]; then
				echo "@occupied $1"
				tell "$1"
				return 1
			fi
			pause
			continue
		fi
		idle=0
		let_go 5
		signal=KILL
	done
	return 0
}

# elsewhere_held: who has it mounted in a namespace of its own.
elsewhere_held() {
	grep -l -E -e "^[0-9]+ [0-9]+ $number " /proc/[0-9]*/mountinfo 2>/dev/null | head -n 5 | while read -r f; do
		f=${f#/proc/}
		comm=''
		{ read -r comm <"/proc/${f%/mountinfo}/comm"; } 2>/dev/null
		echo "@namespace ${f%/mountinfo} $comm"
	done
}

# written: until the kernel has let go of the device.
written() {
	tries=30
	while alive; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 0
		pause
	done
}

for earlier in fsck mount umount; do
	! pending "$earlier" || {
		left
		limit=$rest
		await
		if [ -z "$rc" ] && pending "$earlier"; then
			echo "@busy $earlier"
			mounts
			facts
		fi
		mounts
	}
done
if ours && [ -z "$elsewhere" ]; then
	ancestors
	down=1
	while read -r below; do
		[ -z "$below" ] || take_down "$below" || down='' || break
		[ -n "$down" ] || break
	done <<NESTED
$nested
NESTED
	[ -z "$down" ] || take_down "$point"
	mounts
fi
if [ -z "$on" ] && [ -z "$elsewhere" ] && ! pending umount; then
	written
	if alive; then
		elsewhere_held
	else
		rm -f "$key.device"
	fi
fi
facts
