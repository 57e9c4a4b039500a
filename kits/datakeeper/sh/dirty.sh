# Prints which chunks this leg's own bitmap holds as dirty: what was written here and may be missing elsewhere. Only of a
# leg that is in no array. The bitmap lies in the metadata file's device; it is read past the array.
limit=1500
echo "@begin"
survey
[ -z "$md" ] || fail runs-here "$md"
end_server
build_leg
examine
[ -n "$leg_uuid" ] || fail no-superblock "$meta"
[ "$leg_uuid" = "$uuid" ] || fail other-array "$leg_uuid"
first "$sys/$leg_dm/size"
# The superblock of metadata 1.0: 8 KiB before the end, in whole blocks of 4 KiB.
super=$(((word - 16) / 8 * 8))

# bytes SECTOR COUNT: that many sectors of the leg, as decimal bytes.
bytes() {
	dd if="/dev/mapper/$leg" bs=4096 skip="$(($1 / 8))" count="$((($2 + 7) / 8))" iflag=direct 2>/dev/null | od -An -v -tu1
}

# le N: a number of N bytes, least first, from the words that follow.
le() {
	n=0 f=1 i=$1
	shift
	while [ "$i" -gt 0 ]; do
		n=$((n + $1 * f)) f=$((f * 256)) i=$((i - 1))
		shift
	done
}
# shellcheck disable=SC2046 # numbers
set -- $(bytes "$super" 1)
[ $# -ge 4096 ] || fail read
shift 96
# Bytes 96…99: where the bitmap lies, in sectors from the superblock, signed.
le 4 "$1" "$2" "$3" "$4"
[ "$n" -lt 2147483648 ] || n=$((n - 4294967296))
[ "$n" != 0 ] || fail no-bitmap
start=$((super + n))
# shellcheck disable=SC2046
set -- $(bytes "$start" 1)
[ $# -ge 256 ] || fail read
# "bitm"
[ "$1 $2 $3 $4" = '98 105 116 109' ] || fail no-bitmap
shift 40
le 8 "$1" "$2" "$3" "$4" "$5" "$6" "$7" "$8"
covered=$n
shift 12
le 4 "$1" "$2" "$3" "$4"
size=$n
[ "$size" -gt 0 ] || fail no-bitmap
chunks=$(((covered + size / 512 - 1) / (size / 512)))
echo "@chunk $size"
echo "@chunks $chunks"
ranges=$(bytes "$start" $(((256 + chunks / 8) / 512 + 1)) | awk -v chunks="$chunks" -v limit="$limit" '
	{ for (i = 1; i <= NF; i++) {
		if (seen++ < 256) continue
		b = $i
		if (b == 0) { at += 8; continue }
		for (k = 0; k < 8; k++) { if (b % 2) { if (at + k < chunks) add(at + k) } b = int(b / 2) }
		at += 8
	} }
	function add(c) { if (n && to[n] == c - 1) to[n] = c; else { n++; from[n] = c; to[n] = c } }
	END {
		gap = 1
		while (n > limit) { # coarser, never less
			gap *= 2; m = 1
			for (i = 2; i <= n; i++) if (from[i] - to[m] <= gap) to[m] = to[i]; else { m++; from[m] = from[i]; to[m] = to[i] }
			n = m
		}
		if (at < chunks) { print "short"; exit }
		for (i = 1; i <= n; i++) if (from[i] == to[i]) print from[i]; else print from[i] "-" to[i]
		print "done"
	}')
case $ranges in *done) ;; *) fail read ;; esac
quote "${ranges%done}"
echo "@end"
exit 0
