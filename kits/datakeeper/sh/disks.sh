# Disks and partitions that nobody uses, by the names that last where there are such.
echo "@begin"
survey
byid=$(ls -l /dev/disk/by-id 2>/dev/null)
for p in "$class"/*; do
	name=${p##*/}
	case $name in loop* | ram* | zram* | dm-* | md* | nbd* | sr* | fd*) continue ;; esac
	first "$p/size"
	[ "${word:-0}" -ge 8192 ] || continue
	sectors=$word
	first "$p/ro"
	[ "$word" = 0 ] || continue
	kname=$name
	mounted_or_held && continue
	path=/dev/$name
	while read -r q; do
		case $q in
		*" -> ../../$name")
			q=${q% -> *}
			q=${q##* }
			path=/dev/disk/by-id/$q
			break
			;;
		esac
	done <<BYID
$byid
BYID
	echo "@disk $path $sectors"
done
echo "@end"
exit 0
