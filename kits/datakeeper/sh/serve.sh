# $1 own address of the replication path  $2 the source's  $3 first port to try, or the one and only when $4 is only
# $5 sectors of the mirror; 0 = not known
#
# Makes the own leg reachable for the source, and for nobody else. Whoever was served before is not any more.
address=$1 source=$2 port=$3
echo "@begin"
survey
[ -z "$md" ] || fail runs-here "$md"
stored
[ "$has_gen" -le "$gen" ] || fail newer-here "$has_gen"
end_server
# A metadata file of its own, empty, on a node that is new to the mirror.
may_make=1
build_leg
[ -z "$made" ] || echo "@fresh"
kernel_name "$disk" || fail no-disk "$disk"
mounted_or_held && fail in-use "$user"
first "$class/$kname/size"
[ "$word" -ge "$5" ] || fail too-small "$disk"
blockdev --flushbufs "/dev/mapper/$leg" 2>/dev/null
forget_final
store_gen
# Dirty chunks are read by dirty.sh before anything is written here.
mkdir -p "$run"
chmod 700 "$run"
# What a boot takes away: what was served before it may not all have reached the disk.
boot_id
printf '%s %s %s\n' "$gen" "$uuid" "$boot" >"$run/served" || fail gen-file
printf '%s\n' "$source" >"$run/server.allow"

# taken PORT: somebody listens there.
taken() {
	hex=$(printf '%04X' "$1")
	while read -r _ local _ st _; do
		case $local:$st in *:"$hex":0A) return 0 ;; esac
	done <"$proc/net/tcp"
	return 1
}
while taken "$port"; do
	[ "$4" != only ] || fail port-taken "$port"
	port=$((port + 1))
	[ "$port" -lt 65535 ] || fail port-taken "$port"
done
cat >"$run/server.conf" <<CONF
[generic]
    user = root
    group = root
    listenaddr = $address
    port = $port
    allowlist = false
[$slug]
    exportname = /dev/mapper/$leg
    authfile = $run/server.allow
    maxconnections = 1
    flush = true
    fua = false
    trim = false
    sync = true
CONF
bounded 20 systemd-run --quiet --unit="ferry-mirror-$slug" --service-type=simple nbd-server -d -C "$run/server.conf" || fail server
tries=50
until taken "$port"; do
	tries=$((tries - 1))
	[ "$tries" -gt 0 ] || fail server
	pause
done
printf '%s\n' "$port" >"$run/server.port"
first "$sys/$leg_dm/size"
echo "@serves $port"
echo "@size $word"
echo "@end"
exit 0
