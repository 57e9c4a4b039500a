# Behind the prelude, as the others. Prints facts; what they mean is judged elsewhere.

# starts_at_boot: what systemd has been told to start that may be a PostgreSQL: the links that "enable" makes. An
# instance like postgresql@15-main is Debian's; others say in their environment where their data is.
starts_at_boot() {
	for f in "$etc"/systemd/system/*.wants/postgresql*.service "$etc"/systemd/system/*.requires/postgresql*.service; do
		[ -e "$f" ] || [ -h "$f" ] || continue
		u=${f##*/}
		! masked "$u" || continue
		case $u in
		postgresql@*-*.service) printf '@instance %s %s\n' "$u" "$(line data_directory "$(instance_conf "$u")")" ;;
		*) printf '@enabled %s %s\n' "$u" "$(systemctl show -p Environment -p ExecStart "$u" 2>/dev/null | tr '\n' ' ' | head -c 900)" ;;
		esac
	done
}

# masked UNIT: whatever is enabled, systemd never starts it.
masked() {
	[ -c "$etc/systemd/system/$1" ] || case $1 in *@*) [ -c "$etc/systemd/system/${1%%@*}@.service" ] ;; *) false ;; esac
}

# instance_conf UNIT: the configuration of Debian's instance "postgresql@15-main.service".
instance_conf() {
	i=${1#postgresql@} i=${i%.service}
	echo "$etc/postgresql/${i%%-*}/${i#*-}/postgresql.conf"
}

# line NAME FILE: the setting's last line in the file.
line() {
	grep -E "^[[:space:]]*$1[[:space:]=]" "$2" 2>/dev/null | tail -n 1 | head -c 900
}

# clusters: Debian starts at boot what start.conf says, where postgresql.service is enabled.
clusters() {
	for f in "$etc"/postgresql/*/*/postgresql.conf; do
		[ -f "$f" ] || continue
		how=auto
		[ ! -f "${f%/*}/start.conf" ] || how=$(sed -e 's/#.*//' -e 's/[[:space:]]//g' "${f%/*}/start.conf" | grep -v '^$' | head -n 1)
		printf '@cluster %s %s %s\n' "${how:-auto}" "$f" "$(line data_directory "$f")"
	done
	for f in "$etc"/systemd/system/*.wants/postgresql.service; do
		if { [ -e "$f" ] || [ -h "$f" ]; } && ! masked "${f##*/}"; then echo "@umbrella $f"; fi
	done
}

# ports: whether another program has the port. In the kernel's table it stands in hexadecimal, and 0A is listening.
ports() {
	hex=$(printf %04X "$port")
	if cat "$proc/net/tcp" "$proc/net/tcp6" 2>/dev/null | grep -q ":$hex 0*:0000 0A "; then echo "@taken tcp"; fi
	owner='' file=$socket_dir/.s.PGSQL.$port.lock
	[ ! -f "$file" ] || read -r owner <"$file"
	case $owner in '' | *[!0-9]*) return 0 ;; esac
	[ ! -d "$proc/$owner" ] || echo "@taken $owner"
}

etc=/etc
for tool in systemctl systemd-run timeout runuser readlink tail grep id stat; do
	command -v "$tool" >/dev/null 2>&1 || echo "@notool $tool"
done
[ -d /run/systemd/system ] || echo "@notool systemd"
for tool in postgres pg_ctl psql pg_isready; do
	[ -x "$bin/$tool" ] || echo "@missing $bin/$tool"
done
[ ! -x "$bin/postgres" ] || printf '@binaries %s\n' "$("$bin/postgres" -V 2>&1 | head -n 1 | head -c 300)"
me=$(id -u "$os_user" 2>/dev/null)
[ -n "$me" ] || echo "@nouser $os_user"
look
tell
[ -n "$pm" ] || ports
[ -z "$config" ] || [ -r "$config" ] || echo "@noconfig $config"
if [ -f "$data/PG_VERSION" ]; then
	has=''
	read -r has <"$data/PG_VERSION"
	echo "@data $has"
	printf '@owner %s %s\n' "$(stat -c %u "$data" 2>/dev/null)" "$me"
	for d in standby recovery; do
		[ ! -e "$data/$d.signal" ] || echo "@signal $d.signal"
	done
fi
starts_at_boot
clusters
verdict
