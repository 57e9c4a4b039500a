# $1 first MiB  $2 size of a unit in bytes, 4096 or 1048576  $3 how many MiB  $4 bytes of the array  $5 seconds that this may take
#
# Sums of what stands on our own leg, past every cache. Only reads, and no disk of another node: nothing here waits for a link.
at=$1 unit=$2 many=$3 bytes=$4
echo "@begin"
survey
[ -n "$leg_dm" ] || fail no-leg "$leg"
work=$run/sums.$$
rm -rf "$run"/sums.*
mkdir -p "$work" || fail sums "$work"
first "$proc/uptime"
ends=$((${word%%.*} + $5))
echo "@sums"
while [ "$many" -gt 0 ]; do
	left=$((bytes - at * 1048576))
	[ "$left" -gt 0 ] || break
	n=8
	[ "$n" -le "$many" ] || n=$many
	rm -f "$work"/*
	dd if="/dev/mapper/$leg" bs=1048576 skip="$at" count="$n" iflag=direct 2>/dev/null | head -c "$left" >"$work/all"
	[ -s "$work/all" ] || fail read "$leg"
	(cd "$work" && split -a 5 -b "$unit" all x && rm all && md5sum x*) >"$run/sums.out" 2>/dev/null || fail sums "$work"
	while read -r sum _; do
		echo "|$sum"
	done <"$run/sums.out"
	at=$((at + n))
	many=$((many - n))
	first "$proc/uptime"
	[ "${word%%.*}" -lt "$ends" ] || break
done
rm -rf "$work" "$run/sums.out"
said=''
echo "@end"
exit 0
