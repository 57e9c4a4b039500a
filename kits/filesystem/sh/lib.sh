# shellcheck disable=SC2034 # what the scripts behind this prelude read
# Common to every script of the kit. Answers are lines "@word value", then "@mounts" with
# lines of /proc/self/mountinfo, then "@end". What concerns the mount table is read by the
# shell itself: every process counts on a slow node, and none may hang on a dead disk.
#
# $1 mount point  $2 the same as the kernel writes it (\040 for a space)  $3 device
# $4 a name for the resource's files below /run
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C
export LC_ALL
mp=$1 point=$2 dev=$3
run=/run/ferry/fs
key=$run/$4

now() {
	read -r up _ </proc/uptime
	up=${up%.*}
}

pause() {
	sleep "${1:-0.1}" 2>/dev/null || sleep 1
}

# stat_of PID sets state, ppid, flags and start of a process. It fails when there is none.
stat_of() {
	state='' ppid='' flags='' start='' line=''
	read -r line <"/proc/$1/stat" || return 1
	# The name stands in brackets and may hold anything.
	case $line in *") "*) ;; *) return 1 ;; esac
	# shellcheck disable=SC2086 # numbers
	set -- ${line##*") "}
	[ "$#" -ge 20 ] || return 1
	state=$1 ppid=$2 flags=$7
	shift 19
	start=$1
} 2>/dev/null

# device sets number ("254:16") and name (the kernel's) of the block device; empty when it is none.
device() {
	number='' name=''
	[ -b "$dev" ] || return 0
	hex=$(stat -L -c '%t:%T' -- "$dev" 2>/dev/null)
	case $hex in
	[0-9a-f]*:[0-9a-f]*) number=$((0x${hex%%:*})):$((0x${hex#*:})) ;;
	*) return 0 ;;
	esac
	naming
}

naming() {
	[ -r "/sys/dev/block/$number/uevent" ] || return 0
	while IFS= read -r line; do
		case $line in DEVNAME=*) name=${line#DEVNAME=} ;; esac
	done <"/sys/dev/block/$number/uevent"
}

# remember: where the device's path is gone (a link that udev lost), what it was when it was
# mounted is known since. A stop that has seen it gone forgets it.
remember() {
	if [ -z "$number" ] && [ ! -e "$dev" ] && [ -s "$key.device" ]; then
		read -r number name <"$key.device"
		echo "@remembered"
	fi
}

# mounts reads the table. Sets on, on_root, on_id and on_opts of what is on top on the point,
# nested (points below it, the last one mounted first), elsewhere (other points of the
# device), system (devices that the running system stands on) and table (the lines of these).
mounts() {
	on='' on_root='' on_id='' on_opts='' nested='' elsewhere='' system=' ' table=''
	while read -r id up_id n root p opts rest; do
		keep=''
		case $p in
		"$point") on=$n on_root=$root on_id=$id on_opts=$opts keep=1 ;;
		"$point"/*)
			nested="$p
$nested"
			keep=1
			;;
		/ | /usr | /etc | /var | /boot | /boot/* | /home | /root | /run | /tmp | /var/lib | /var/log) system="$system$n " ;;
		esac
		if [ -n "$number" ] && [ "$n" = "$number" ] && [ -z "$keep" ]; then
			keep=1
			elsewhere="$elsewhere$p
"
		fi
		[ -z "$keep" ] || table="$table$id $up_id $n $root $p $opts $rest
"
	done </proc/self/mountinfo
}

# ours: what is on the point is the whole of our device.
ours() {
	[ -n "$number" ] && [ "$on" = "$number" ] && [ "$on_root" = / ]
}

# alive: the kernel has the device's file system in use, whoever mounted it, in whatever namespace.
alive() {
	[ -n "$name" ] || return 1
	[ -d "/sys/fs/ext4/$name" ] || [ -d "/sys/fs/xfs/$name" ]
}

# say_file WORD FILE: what the kernel keeps in a file of one line.
say_file() {
	[ -r "$2" ] || return 0
	line=''
	read -r line <"$2"
	echo "@$1 $line"
} 2>/dev/null

# facts: what the judge reads. Ends the script.
facts() {
	if [ -n "$number" ]; then
		echo "@number $number"
		echo "@name $name"
		say_file ro "/sys/dev/block/$number/ro"
		say_file array "/sys/dev/block/$number/md/array_state"
		[ -z "$name" ] || say_file errors "/sys/fs/ext4/$name/errors_count"
		! alive || echo "@alive"
	elif [ -e "$dev" ]; then
		echo "@notblock"
	else
		echo "@nodevice"
	fi
	[ -z "$system_device" ] || echo "@system"
	printf '@mounts\n%s@end\n' "$table"
	exit 0
}

# careful: a system directory is never ours, nor is a device that the system stands on.
careful() {
	case $mp in
	/*) ;;
	*) system_device=1 ;;
	esac
	case $mp in
	/ | /bin | /boot | /boot/* | /dev | /dev/* | /etc | /etc/* | /home | /lib | /lib64 | /proc | /proc/* | /root | \
		/run | /run/* | /sbin | /sys | /sys/* | /tmp | /usr | /usr/bin | /usr/lib | /usr/lib64 | /usr/local | /usr/sbin | /var | /var/lib | /var/log | /var/run | /var/tmp)
		system_device=1
		;;
	esac
	case $system in *" ${number:-none} "*) system_device=1 ;; esac
	if [ -n "$on" ] && [ "$on_root" = / ]; then
		case $system in *" $on "*) system_device=1 ;; esac
	fi
	[ -z "$system_device" ] || facts
}

# bounded NAME SECONDS COMMAND…: carries the command out in a process of its own, and
# waits that long. One that waits for a disk cannot be ended, so it is left, and found
# again by pending. Sets rc, empty when the time was over; its words are in $job.out.
bounded() {
	job=$key.$1 limit=$2
	shift 2
	[ -d "$run" ] || mkdir -p "$run"
	rm -f "$job.rc" "$job.out" "$job.pid"
	now
	(
		"$@" </dev/null >"$job.out" 2>&1 &
		p=$!
		stat_of "$p"
		echo "$p ${start:--} $up" >"$job.pid"
		wait "$p"
		echo "$?" >"$job.rc"
	) </dev/null >/dev/null 2>&1 &
	await
}

# await: until the job has ended, or for $limit seconds.
await() {
	rc='' turn=0.02
	now
	until=$((up + limit))
	while :; do
		if [ -s "$job.rc" ]; then
			read -r rc <"$job.rc"
			return 0
		fi
		now
		[ "$up" -le "$until" ] || return 0
		pause "$turn"
		case $turn in 0.02) turn=0.05 ;; *) turn=0.1 ;; esac
	done
}

# pending NAME: a job of an earlier script still runs: the very process. Sets job and since.
pending() {
	job=$key.$1 since=''
	[ -s "$job.pid" ] || return 1
	read -r p s since <"$job.pid"
	stat_of "$p" && [ "$start" = "$s" ] && [ "$state" != Z ]
}

# said: the job's words as one line.
said() {
	[ ! -s "$job.out" ] || tr '\n' ' ' <"$job.out" | head -c 600
}

# shellcheck disable=SC2016 # expanded by the shell that runs it
probe_text='
stat -f -c "@room %S %b %f %a %c %d" -- "$1" || exit 3
[ "$2" = 1 ] || exit 0
f=$1/.ferry-check
if [ -e "$f" ] || [ -h "$f" ]; then
	kind=$(stat -c "%h %u %F" -- "$f")
	case $kind in
	"1 0 regular"*) ;;
	*)
		echo "@foreign $kind"
		exit 0
		;;
	esac
fi
read -r stamp _ </proc/uptime
umask 077
if ! err=$(printf "%-4095s\n" "$stamp" | dd of="$f" bs=4096 count=1 iflag=fullblock oflag=nofollow conv=notrunc,fsync 2>&1); then
	echo "@write $(printf "%s" "$err" | tr "\n" " ")"
	exit 0
fi
err=$(dd if="$f" of=/dev/null bs=4096 count=1 iflag=direct,nofollow 2>&1) || case $err in
*"Invalid argument"*) ;;
*)
	echo "@read $(printf "%s" "$err" | tr "\n" " ")"
	exit 0
	;;
esac
got=$(dd if="$f" bs=4096 count=1 iflag=nofollow 2>/dev/null)
[ "${got%% *}" = "$stamp" ] || echo "@read what was written is not what is read"
echo "@written"
'

# probe SECONDS WRITE: asks the file system itself, and with WRITE=1 the disk under it.
# Never more than one at a time.
probe() {
	if pending probe; then
		limit=$1
		await
		earlier=1
	else
		earlier=''
		bounded probe "$1" sh -c "$probe_text" probe "$mp" "$2"
	fi
	now
	if [ -n "$rc" ]; then
		[ ! -s "$job.out" ] || cat "$job.out"
		echo "@probe $rc"
	elif [ -n "$earlier" ]; then
		echo "@stuck $((up - since))"
	else
		echo "@late $1"
	fi
}

system_device='' number='' name=''
