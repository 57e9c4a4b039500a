# shellcheck disable=SC2034 # what the scripts behind this prelude read
# Common to every script of the kit. Answers are lines "@word value"; whatever a tool says stands
# behind "|", so that nothing in it can pass for a mark.
#
# What is here is found in /sys by the names of our own devices, never remembered: a leg is
# "ferry.SLUG.leg", a connection to another node's leg is "ferry.SLUG.x.NODE", and the array is
# what holds our leg. Nothing here opens the array: while it is frozen that would wait for ever.
#
# $1 slug  $2 tag  $3 uuid of the array  $4 disk  $5 metadata file  $6 device  $7 generation

sys=/sys/block class=/sys/class/block proc=/proc
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
slug=$1 tag=$2 uuid=$3 disk=$4 meta=$5 device=$6 gen=$7
shift 7
run=/run/ferry/mirror/$slug
lib=/var/lib/ferry/mirror
leg=ferry.$slug.leg
far=ferry.$slug.x.
meta_mib=8

# quote TEXT: every line behind a bar.
quote() {
	while IFS= read -r q; do
		printf '|%s\n' "$q"
	done <<QUOTE
$1
QUOTE
}

# fail CODE [VALUE]: the end of a script that did not do its work. said is what a tool said last.
fail() {
	echo "@failed $*"
	[ -z "${said-}" ] || quote "$said"
	echo "@end"
	exit 0
}

pause() {
	sleep 0.1 2>/dev/null || sleep 1
}

# bounded SECONDS COMMAND…: sets said and rc; 124 = it has not ended. A process that waits for a frozen device
# cannot be killed, and timeout would wait for it: it is left behind, to end when the device thaws.
bounded() {
	tenths=$(($1 * 10))
	shift
	mkdir -p "$run"
	out=$run/out.$$
	"$@" </dev/null >"$out" 2>&1 9>&- & # 9 is a lock: one that stays behind must not hold it
	pid=$!
	while [ -d "$proc/$pid" ] && [ "$tenths" -gt 0 ]; do
		# One that has ended is a zombie until it is waited for.
		state=''
		{ read -r _ _ state _ <"$proc/$pid/stat"; } 2>/dev/null
		case $state in Z | X | '') break ;; esac
		pause
		tenths=$((tenths - 1))
	done
	rc=124
	if [ "$tenths" -gt 0 ]; then
		wait "$pid"
		rc=$?
	else
		kill -9 "$pid" 2>/dev/null
	fi
	said=$(tail -c 2000 "$out" 2>/dev/null)
	rm -f "$out"
	[ "$rc" = 0 ]
}

# put WORD FILE: for bounded, where the kernel may let it wait.
put() {
	printf '%s\n' "$1" >"$2"
}

# first FILE: sets word to the first line; empty when there is none.
first() {
	word=''
	{ read -r word <"$1"; } 2>/dev/null
}

# survey finds what of the mirror is here: leg_dm, md, and fars ("dm-3=LK_P_B …").
survey() {
	leg_dm='' md='' fars=''
	for f in "$sys"/dm-*/dm/name; do
		first "$f"
		d=${f%/dm/name}
		case $word in
		"$leg") leg_dm=${d##*/} ;;
		"$far"*) fars="$fars ${d##*/}=${word#"$far"}" ;;
		esac
	done
	[ -n "$leg_dm" ] || return 0
	for h in "$sys/$leg_dm"/holders/md*; do
		[ ! -e "$h" ] || md=${h##*/}
	done
}

# far_dm NODE sets dm to the device of the connection to that node; empty when there is none.
far_dm() {
	dm=''
	for f in $fars; do
		[ "${f#*=}" != "$1" ] || dm=${f%%=*}
	done
}

# nbd_of DM sets nbd to the network block device under a connection.
nbd_of() {
	nbd=''
	for slave in "$sys/$1"/slaves/nbd*; do # not f: callers go through legs with that
		[ ! -e "$slave" ] || nbd=${slave##*/}
	done
}

# kernel_name PATH sets kname: /dev/disk/by-id/x -> nvme1n1. Fails when it is no block device.
kernel_name() {
	kname=''
	[ -b "$1" ] || return 1
	kname=$(readlink -f "$1")
	kname=${kname##*/}
	[ -e "$class/$kname/size" ]
}

# mounted_or_held sets user to what uses the disk beside our leg: a mount point, swap, or a device above it.
mounted_or_held() {
	user=''
	for p in "$class/$kname" "$class/$kname"/"$kname"*; do
		[ -e "$p/dev" ] || continue
		first "$p/dev"
		number=$word
		for h in "$p"/holders/*; do
			[ -e "$h" ] || continue
			[ "${h##*/}" = "$leg_dm" ] || user=${h##*/}
		done
		while read -r _ _ n _ point _; do
			[ "$n" != "$number" ] || user=$point
		done <"$proc/self/mountinfo"
		while read -r swap _; do
			[ "$swap" != "/dev/${p##*/}" ] || user=swap
		done <"$proc/swaps"
	done 2>/dev/null
	[ -n "$user" ]
}

# identity sets id to what the disk says of itself; names of disks change from boot to boot, and the
# metadata of one disk over the data of another would destroy both.
identity() {
	id=$tag
	for f in wwid device/wwid serial device/serial; do
		first "$class/$kname/$f"
		[ -z "$word" ] || id="$id $word"
	done
	first "$class/$kname/size"
	id="$id $word"
}

# modules loads what the kernel may lack.
modules() {
	modprobe -a loop dm-mod dm-multipath dm-round-robin nbd raid1 2>/dev/null
	return 0
}

# build_leg: the data disk and behind it the metadata file, as one device. Where may_make is set, a metadata file is made
# where there is none. Sets made when it was.
build_leg() {
	made=''
	survey
	[ -z "$leg_dm" ] || return 0
	kernel_name "$disk" || fail no-disk "$disk"
	mounted_or_held && fail in-use "$user"
	mkdir -p "$lib" "$run" "${meta%/*}"
	identity
	first "$lib/$slug.disk"
	if [ -z "$word" ]; then
		{ printf '%s\n' "$id" >"$lib/$slug.disk.new" && mv "$lib/$slug.disk.new" "$lib/$slug.disk"; } || fail metadata-file "$lib/$slug.disk"
	elif [ "$word" != "$id" ]; then
		fail other-disk "$disk"
	fi
	if [ ! -s "$meta" ]; then
		[ -n "${may_make-}" ] || fail no-metadata "$meta"
		# Zeros that are really there: a full file system must not make the metadata fail later.
		said=$(dd if=/dev/zero of="$meta.new" bs=1M count="$meta_mib" conv=fsync 2>&1) || fail metadata-file "$meta"
		mv "$meta.new" "$meta" && sync -f "$meta" 2>/dev/null
		made=1
	fi
	modules
	loop=''
	for f in "$sys"/loop*/loop/backing_file; do
		first "$f"
		[ "$word" != "$meta" ] || loop=${f%/loop/backing_file}
	done
	if [ -z "$loop" ]; then
		loop=$(losetup -f --show "$meta" 2>&1) || { said=$loop fail metadata-file "$meta"; }
	fi
	loop=${loop##*/}
	# Leave nothing in the page caches below: another layer takes over.
	blockdev --flushbufs "/dev/$kname" 2>/dev/null
	first "$class/$kname/size"
	sectors=$word
	first "$sys/$loop/size"
	# An array is counted in whole blocks of 4 KiB; the rest of an odd disk is left alone.
	table="0 $sectors linear /dev/$kname 0
$sectors $word linear /dev/$loop 0"
	said=$(printf '%s\n' "$table" | dmsetup create "$leg" --uuid "FERRY-$tag-leg" 2>&1) || fail leg
	dmsetup mknodes "$leg" 2>/dev/null
	survey
	[ -n "$leg_dm" ] || fail leg
}

# drop_leg takes the leg apart; the disk is as any other again. Returns 1 when something still holds it.
drop_leg() {
	survey
	if [ -n "$leg_dm" ]; then
		blockdev --flushbufs "/dev/mapper/$leg" 2>/dev/null
		bounded 10 dmsetup remove "$leg" || return 1
	fi
	for f in "$sys"/loop*/loop/backing_file; do
		first "$f"
		if [ "$word" = "$meta" ]; then
			f=${f%/loop/backing_file}
			bounded 5 losetup -d "/dev/${f##*/}" || return 1
		fi
	done
	return 0
}

# let_go NODE DM: what waits for a connection waits no longer; it gets an error.
let_go() {
	bounded 5 dmsetup message "$far$1" 0 fail_if_no_path || fail message "$1"
	nbd_of "$2"
	[ -z "$nbd" ] || [ ! -e "$sys/$nbd/pid" ] || bounded 10 nbd-client -d "/dev/$nbd" || fail disconnect "$1"
	said=''
}

# drop_far NODE DM takes a connection apart that no array holds. Returns 1 when it cannot.
drop_far() {
	nbd_of "$2"
	bounded 10 dmsetup remove "$far$1" || return 1
	[ -z "$nbd" ] || bounded 10 nbd-client -d "/dev/$nbd" || return 1
	rm -f "$run/far.$1" "$run/nbd.$1" "$run/how.$1" "$run/stuck.$1"
}

# serving lists the processes of our own server: those that were started with our configuration.
serving() {
	pids=''
	# shellcheck disable=SC2013 # one path a line, without blanks
	for f in $(grep -lz "^$run/server[.]conf\$" "$proc"/[0-9]*/cmdline 2>/dev/null); do
		f=${f%/cmdline}
		first "$f/comm"
		[ "$word" != nbd-server ] || pids="$pids ${f##*/}"
	done
	[ -n "$pids" ]
}

# end_server: no process of our server is left. What the old source sent may be in it still, and must not be written
# later. Fails the script when one cannot be ended.
end_server() {
	tries=100
	if [ -e "/run/systemd/transient/ferry-mirror-$slug.service" ]; then
		bounded 10 systemctl kill -s KILL "ferry-mirror-$slug.service"
	fi
	while serving; do
		for f in $pids; do
			kill -9 "$f" 2>/dev/null
		done
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || fail server-stays
		pause
	done
	if [ -e "/run/systemd/transient/ferry-mirror-$slug.service" ]; then
		bounded 10 systemctl stop "ferry-mirror-$slug.service"
		bounded 10 systemctl reset-failed "ferry-mirror-$slug.service"
	fi
	rm -f "$run/server.conf" "$run/server.allow" "$run/server.port"
	said=''
}

# stored sets has_gen and has_uuid to the generation and the array that this node last took part in.
stored() {
	has_gen=0 has_uuid=-
	first "$lib/$slug.gen"
	[ -z "$word" ] || has_uuid=${word##* }
	case ${word%% *} in *[!0-9]* | '') ;; *) has_gen=${word%% *} ;; esac
}

# store_gen notes the generation, durably.
store_gen() {
	mkdir -p "$lib"
	printf '%s %s\n' "$gen" "$uuid" >"$lib/$slug.gen.new" && sync "$lib/$slug.gen.new" 2>/dev/null
	mv "$lib/$slug.gen.new" "$lib/$slug.gen" || fail gen-file
	sync -f "$lib/$slug.gen" 2>/dev/null
	return 0
}

# examine reads our own leg's superblock: sets leg_uuid (empty = none) and events.
examine() {
	leg_uuid='' events=''
	bounded 20 mdadm --examine --export "/dev/mapper/$leg"
	while IFS='=' read -r key value; do
		case $key in
		MD_UUID) leg_uuid=$value ;;
		MD_EVENTS) events=$value ;;
		esac
	done <<EXAMINE
$said
EXAMINE
	said=''
}

# limits sets how fast a resync may be, in KiB/s; 0 = as the system has it.
limits() {
	[ "${speed_min:-0}" = 0 ] || echo "$speed_min" >"$sys/$md/md/sync_speed_min"
	[ "${speed_max:-0}" = 0 ] || echo "$speed_max" >"$sys/$md/md/sync_speed_max"
} 2>/dev/null

# resume: an mdadm that was given up, or failed, in the midst of adding a leg leaves the array told to copy nothing, and nobody
# else would tell it otherwise: new legs would wait as spares for ever.
resume() {
	first "$sys/$md/md/sync_action"
	[ "$word" != frozen ] || bounded 5 put idle "$sys/$md/md/sync_action"
	said=''
}

# stable asks whether a page that is just being written is kept from changing meanwhile. md sends it to each leg by itself, so
# that the legs would get different contents; where the file system then drops the page, they would stay different. Only
# array.sh sets it, while the array is our own leg alone: writing it waits for all that is on its way, with the lock held that
# a leg needs to join, and the join holds back what is on its way. Both would wait for ever, and with them whoever writes.
stable() {
	first "$sys/$md/queue/stable_writes"
	[ "$word" = 1 ]
}

# superblock reads our own leg's superblock as it is on the disk, past every cache: sets sb to one line; empty where there is
# none that is whole. dev is the leg's number in the array, role its place, roles what the leg knows of all numbers (65534 =
# faulty, 65535 = not there), clean tells that nothing was being written or resynced.
superblock() {
	sb=''
	first "$sys/$leg_dm/size"
	[ -n "$word" ] || return 0
	sb=$(dd if="/dev/mapper/$leg" bs=4096 skip="$(((word - 16) / 8))" count=1 iflag=direct 2>/dev/null | od -An -v -tu1 | awk '
		{ for (i = 1; i <= NF; i++) b[n++] = $i }
		function le(at, count,  v) { v = 0; while (count > 0) { count--; v = v * 256 + b[at + count] }; return v }
		END {
			if (n != 4096 || le(0, 4) != 2838187772 || le(4, 4) != 1) exit
			max = le(220, 4)
			if (max > 1920) exit
			size = 256 + 2 * max
			for (i = 0; i + 4 <= size; i += 4) if (i != 216) sum += le(i, 4)
			if (size % 4) sum += le(i, 2)
			sum = sum % 4294967296 + int(sum / 4294967296)
			if (sum % 4294967296 != le(216, 4)) exit
			uuid = ""
			for (i = 16; i < 32; i++) uuid = uuid ((i > 16 && i % 4 == 0) ? ":" : "") sprintf("%02x", b[i])
			clean = "yes"
			for (i = 208; i < 216; i++) if (b[i] != 255) clean = "no"
			last = 0
			for (i = 0; i < max; i++) if (le(256 + 2 * i, 2) != 65535) last = i + 1
			roles = ""
			for (i = 0; i < last; i++) roles = roles (i ? "," : "") le(256 + 2 * i, 2)
			printf "uuid=%s events=%.0f time=%.0f clean=%s features=%.0f dev=%.0f roles=%s\n", uuid, le(200, 8), le(192, 8), clean, le(8, 4), le(160, 4), roles
		}')
}

# boot_id sets boot to what names this boot of the node.
boot_id() {
	first "$proc/sys/kernel/random/boot_id"
	boot=$word
	[ -n "$boot" ] || fail boot-id
}

# forget_final: the array is about to run again; that it once ended well counts no more. Durable before that.
forget_final() {
	[ -e "$lib/$slug.final" ] || return 0
	rm -f "$lib/$slug.final" || fail gen-file
	sync -f "$lib" 2>/dev/null || sync
}
