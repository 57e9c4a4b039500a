# $5 type, empty = look  $6 options  $7 seconds for the mount  $8 seconds for the probe  $9 1 = it is to be written to
type=$5 options=$6 patience=$7
device
mounts
careful

# What an earlier script left under way comes first: two mounts at once, or a mount
# while the last unmount still writes, would hang behind each other, or be refused.
for earlier in umount fsck mount; do
	! pending "$earlier" || {
		limit=$patience
		await
		if [ -z "$rc" ] && pending "$earlier"; then
			echo "@busy $earlier"
			facts
		fi
		mounts
	}
done

# check_point: the mount point is a directory, reached without symbolic links; made when missing.
check_point() {
	if [ ! -e "$mp" ] && [ ! -h "$mp" ]; then
		if ! err=$(mkdir -p -- "$mp" 2>&1); then
			echo "@point $err"
			return 1
		fi
		echo "@made"
	fi
	if [ ! -d "$mp" ]; then
		echo "@point it is not a directory"
		return 1
	fi
	there=$(readlink -f -- "$mp")
	if [ "$there" != "$mp" ]; then
		echo "@symlink $there"
		return 1
	fi
}

# check_device: it can be written to, when it must be.
check_device() {
	[ "$1" = 1 ] || return 0
	ro='' array=''
	[ ! -r "/sys/dev/block/$number/ro" ] || read -r ro <"/sys/dev/block/$number/ro"
	[ ! -r "/sys/dev/block/$number/md/array_state" ] || read -r array <"/sys/dev/block/$number/md/array_state"
	case $ro in 1) return 1 ;; esac
	case $array in readonly | inactive | clear | broken | suspended) return 1 ;; esac
}

# check_type: sets type, which is given or found, and one that is known here.
check_type() {
	if [ -z "$type" ]; then
		bounded blkid 20 blkid -p -o value -s TYPE -- "$dev"
		if [ -z "$rc" ]; then
			echo "@late 20"
			return 1
		fi
		type=$(said)
		type=${type%% *}
	fi
	case $type in
	ext3 | ext4 | xfs) ;;
	*)
		echo "@type $type"
		return 1
		;;
	esac
}

# preen: an ext file system that has recorded errors is put in order as far as that
# needs nobody's decision. Sets rc.
preen() {
	rc=0
	case $type in ext*) ;; *) return 0 ;; esac
	command -v dumpe2fs >/dev/null 2>&1 && command -v e2fsck >/dev/null 2>&1 || return 0
	bounded super 20 dumpe2fs -h -- "$dev"
	case $rc in
	'') return 0 ;;
	0) ;;
	*)
		rc=0
		return 0
		;;
	esac
	while read -r a b c; do
		case "$a $b $c" in
		"Filesystem state: "*"with errors"*)
			bounded fsck "$patience" e2fsck -p "$dev"
			echo "@fsck ${rc:-late} $(said)"
			return 0
			;;
		esac
	done <"$job.out"
}

if [ -z "$number" ] || [ -n "$on" ] && ! ours; then facts; fi
if ! ours; then
	if [ -n "$elsewhere" ] || alive; then facts; fi
	check_device "$9" || facts
	check_point || facts
	check_type || facts
	preen
	case $rc in 0 | 1) ;; *) facts ;; esac
	case $type in
	ext*)
		# After an error the default of many file systems is to go on writing.
		case ,$options, in *,errors=*) ;; *) options="$options,errors=remount-ro" ;; esac
		;;
	esac
	if [ "$9" = 1 ]; then
		# -w: never fall back to read-only in silence.
		bounded mount "$patience" mount -w -t "$type" -o "$options" -- "$dev" "$mp"
	else
		bounded mount "$patience" mount -r -t "$type" -o "$options" -- "$dev" "$mp"
	fi
	if [ -z "$rc" ]; then
		echo "@busy mount"
		mounts
		facts
	fi
	[ "$rc" = 0 ] || echo "@refused $rc $(said)"
	mounts
fi
if ours; then
	[ -d "$run" ] || mkdir -p "$run"
	echo "$number $name" >"$key.device"
	probe "$8" "$9"
fi
facts
