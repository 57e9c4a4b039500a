# $1 the data directory, when it is known  $2… further places to look in. Prints what there is.
known=$1
shift
data() {
	[ -f "$1/PG_VERSION" ] && [ -d "$1/global" ] || return 0
	v=''
	read -r v <"$1/PG_VERSION"
	printf '@data %s %s %s\n' "${v:-?}" "$(stat -c %U "$1" 2>/dev/null)" "$1"
	[ ! -f "$1/postgresql.conf" ] || conf "$1/postgresql.conf"
}
conf() {
	printf '@conf %s\n' "$1"
	grep -hE '^[[:space:]]*(data_directory|port|unix_socket_directories)[[:space:]=]' "$1" 2>/dev/null | head -n 20 | head -c 4000 | sed 's/^/@line /'
	[ ! -f "${1%/*}/postgresql.auto.conf" ] || grep -hE '^(port|unix_socket_directories)[[:space:]=]' "${1%/*}/postgresql.auto.conf" | head -n 5 | head -c 2000 | sed 's/^/@line /'
}
[ -z "$known" ] || data "$known"
for d in "$@"; do
	for e in "$d" "$d"/* "$d"/*/*; do data "$e"; done
done
# What is mounted from disks of its own: a data directory that is to move lies there.
grep -E ' - (ext3|ext4|xfs|btrfs) /dev/' /proc/self/mountinfo 2>/dev/null | head -n 50 | while read -r _ _ _ _ at _; do
	case $at in / | /boot* | *\\*) continue ;; esac
	for e in "$at" "$at"/* "$at"/*/*; do data "$e"; done
done
for d in /var/lib/postgresql/*/* /var/lib/pgsql/data /var/lib/pgsql/*/data /usr/local/pgsql/data /var/lib/postgres/data; do data "$d"; done
for f in /etc/postgresql/*/*/postgresql.conf; do
	[ ! -f "$f" ] || conf "$f"
done
for d in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/lib/postgresql[0-9]*/bin /usr/local/pgsql*/bin /opt/pgsql*/bin /usr/bin; do
	[ ! -x "$d/postgres" ] || [ ! -x "$d/pg_ctl" ] || printf '@bin %s %s\n' "$d" "$("$d/postgres" -V 2>/dev/null | head -n 1 | head -c 200)"
done
for d in /var/run/postgresql /run/postgresql /tmp; do
	[ ! -d "$d" ] || printf '@sockets %s\n' "$d"
done
for f in /var/log/postgresql/*.log; do
	[ ! -f "$f" ] || printf '@log %s\n' "$f"
done
echo @out
exit 0
