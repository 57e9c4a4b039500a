# $@ tools
#
# Whether this node could hold a leg. Changes nothing.
echo "@begin"
for t in "$@"; do
	command -v "$t" >/dev/null 2>&1 || echo "@notool $t"
done
for m in loop md-mod raid1 nbd dm-mod dm-multipath dm-round-robin; do
	d=$(printf '%s' "$m" | tr - _)
	[ -d "/sys/module/$d" ] || modprobe -n -q "$m" 2>/dev/null || echo "@nomodule $m"
done
survey
[ -z "$md" ] || echo "@runs $md"
if kernel_name "$disk"; then
	first "$class/$kname/size"
	echo "@size $word"
	mounted_or_held && echo "@used $user"
	identity
	first "$lib/$slug.disk"
	[ -z "$word" ] || [ "$word" = "$id" ] || echo "@otherdisk"
else
	echo "@nodisk"
fi
[ -s "$meta" ] || echo "@nometa"
# udev would put legs together by itself as they appear.
if [ -e /run/udev/control ]; then
	auto=on
	for f in /etc/mdadm.conf /etc/mdadm/mdadm.conf /etc/mdadm.conf.d/* /etc/mdadm/mdadm.conf.d/*; do
		while read -r key value _; do
			case $key:$value in [Aa][Uu][Tt][Oo]:-all) auto=off ;; esac
		done <"$f"
	done 2>/dev/null
	[ "$auto" = off ] || echo "@auto"
fi
echo "@end"
exit 0
