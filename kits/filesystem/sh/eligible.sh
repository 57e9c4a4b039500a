# $5 type, may be empty  $6 the mount unit that systemd would have for the point, without its suffix
type=$5 unit=$6
for tool in mount umount stat dd readlink blkid grep ls; do
	command -v "$tool" >/dev/null 2>&1 || echo "@notool $tool"
done
device
mounts

# The mount point: a directory, or one that can be made.
if [ -d "$mp" ]; then
	echo "@point directory"
elif [ -e "$mp" ] || [ -h "$mp" ]; then
	echo "@point other"
else
	echo "@point missing"
fi
there=$(readlink -f -- "$mp" 2>/dev/null)
[ -z "$there" ] || [ "$there" = "$mp" ] || echo "@symlink $there"

# known TYPE: the kernel has it, or a module for it.
known() {
	while read -r a b; do
		if [ "$a" = "$1" ] || [ "$b" = "$1" ]; then return 0; fi
	done </proc/filesystems
	command -v modprobe >/dev/null 2>&1 && modprobe -n -q "$1"
}
[ -z "$type" ] || known "$type" || echo "@unknowntype $type"

# same SPEC: the first column of fstab means our device.
same() {
	p=$1
	case $1 in
	UUID=* | LABEL=* | PARTUUID=* | PARTLABEL=*)
		k=${1%%=*} v=${1#*=}
		v=${v#\"}
		case $k in
		UUID) p=/dev/disk/by-uuid/${v%\"} ;;
		LABEL) p=/dev/disk/by-label/${v%\"} ;;
		PARTUUID) p=/dev/disk/by-partuuid/${v%\"} ;;
		*) p=/dev/disk/by-partlabel/${v%\"} ;;
		esac
		;;
	esac
	[ "$p" != "$dev" ] || return 0
	[ -n "$number" ] && [ -b "$p" ] && [ "$(stat -L -c '%t:%T' -- "$p")" = "$hex" ]
}
if [ -r /etc/fstab ]; then
	while read -r spec file _ opts _; do
		case $spec in '' | '#'*) continue ;; esac
		[ "$file" = / ] || file=${file%/}
		if [ "$file" = "$point" ] || same "$spec"; then
			echo "@fstab $spec $file ${opts:-defaults}"
		fi
	done </etc/fstab
fi

# Mount and automount units for the point or the device that are switched on.
for d in /etc/systemd/system /usr/lib/systemd/system /lib/systemd/system /usr/local/lib/systemd/system; do
	for f in "$d/$unit.mount" "$d/$unit.automount" "$d"/*.mount; do
		[ -r "$f" ] || continue
		u=${f##*/} mine=''
		case $u in "$unit".*) mine=1 ;; esac
		while [ -z "$mine" ] && IFS= read -r line; do
			case $line in What=*) ! same "${line#What=}" || mine=1 ;; esac
		done <"$f"
		[ -z "$mine" ] || echo "@unit $u $(systemctl is-enabled "$u" 2>/dev/null)"
	done
done
facts
