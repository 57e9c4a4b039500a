# $@ pairs: a verb, and what it is about. Reads, never changes anything.
#
# Every answer is a line of "@", the question's number and the answer; one that takes several
# lines has "=" before each. A question without an answer was not understood or not answered.
export LC_ALL=C
say() { printf '@%s %s\n' "$n" "$1"; }

# lines: what comes in, bounded.
lines() {
	head -c 12000 | while IFS= read -r l || [ -n "$l" ]; do say "=$l"; done
}

sum() {
	w=$(sha256sum -- "$1" 2>/dev/null) || w=-
	echo "${w%% *}"
}

# file PATH: owner, group, mode, size and checksum.
file() {
	if [ -f "$1" ]; then
		say "$(stat -L -c '%u %g %a %s' -- "$1" 2>/dev/null) $(sum "$1")"
	else
		say missing
	fi
}

text() {
	if [ -f "$1" ]; then
		say found
		lines <"$1"
	else
		say missing
	fi
}

# first PATH: the first line of one of the kernel's files. Not by read: dash takes one byte at a time, and
# a file below /proc/sys gives only the first one so.
first() {
	if [ -r "$1" ] && w=$(head -n 1 "$1" 2>/dev/null); then say "$w"; else say missing; fi
}

# unit NAME: whether it starts at boot.
unit() {
	e=$(systemctl is-enabled "$1" 2>/dev/null)
	say "${e:-unknown}"
}

user() {
	if u=$(id -u "$1" 2>/dev/null); then say "$u $(id -g "$1")"; else say missing; fi
}

tool() {
	if w=$(command -v "$1" 2>/dev/null); then say "$w"; else say missing; fi
}

# version COMMAND: what it says of itself.
version() {
	case $1 in
	*/*) [ -x "$1" ] || { say missing && return; } ;;
	*) command -v "$1" >/dev/null 2>&1 || { say missing && return; } ;;
	esac
	case $1 in
	nbd-client | nbd-server) w=$("$1" -V 2>&1 </dev/null | head -n 1) ;;
	*) w=$("$1" --version 2>&1 </dev/null | head -n 1) ;;
	esac
	say "$w"
}

# disk PATH: its size in bytes.
disk() {
	if [ -b "$1" ]; then say "$(blockdev --getsize64 "$1" 2>/dev/null)"; else say missing; fi
}

# space PATH: blocks of 1 KiB, used, free, of the file system that the path or its parent is on.
space() {
	p=$1
	while [ ! -d "$p" ]; do p=${p%/*} && p=${p:-/}; done
	df -P -k "$p" 2>/dev/null | tail -n 1 | while read -r _ all used free _; do say "$all $used $free"; done
}

libc() {
	if w=$(getconf GNU_LIBC_VERSION 2>/dev/null) && [ -n "$w" ]; then say "$w"; else say other; fi
}

# ntp: whether the clock is held right: yes, no, or that nothing can tell.
ntp() {
	w=$(timedatectl show -p NTPSynchronized --value 2>/dev/null)
	[ -n "$w" ] || case $(timedatectl status 2>/dev/null | grep -i 'synchronized:') in
	*yes*) w=yes ;;
	*no*) w=no ;;
	esac
	if [ "$w" != yes ] && command -v chronyc >/dev/null 2>&1; then
		case $(chronyc -n tracking 2>/dev/null | grep 'Leap status') in
		*Normal*) w=yes ;;
		*:*) w=no ;;
		esac
	fi
	say "${w:-untold}"
}

# firewall: which front end runs, and what it lets through. systemctl costs a busy node seconds: it is not asked in vain.
firewall() {
	if command -v firewall-cmd >/dev/null 2>&1 && [ "$(systemctl is-active firewalld 2>/dev/null)" = active ]; then
		say firewalld
		say "=ports $(firewall-cmd --list-ports 2>/dev/null || echo untold)"
		say "=services $(firewall-cmd --list-services 2>/dev/null)"
	elif command -v ufw >/dev/null 2>&1 && [ "$(systemctl is-active ufw 2>/dev/null)" = active ]; then
		say ufw
		ufw status 2>/dev/null | lines
	else
		say none
	fi
}

# secrets: the rights on IPsec's keys. A file that only says where they are (Debian's own ipsec.secrets) holds none.
secrets() {
	say found
	for f in /etc/ipsec.secrets /etc/ipsec.d/*.secrets; do
		[ -f "$f" ] || continue
		grep -v '^[[:space:]]*#' "$f" | grep -v '^[[:space:]]*include[[:space:]]' | grep -q '[^[:space:]]' || continue
		say "=$(stat -L -c %a -- "$f" 2>/dev/null) $f"
	done
}

selinux() {
	if [ -r /sys/fs/selinux/enforce ]; then first /sys/fs/selinux/enforce; else say off; fi
}

# module NAME: loaded (or built in), a file that could be loaded, kept from loading by modprobe.d, or none.
module() {
	if [ -d "/sys/module/$(printf '%s' "$1" | tr - _)" ]; then
		say loaded
	elif ! command -v modprobe >/dev/null 2>&1; then
		say untold
	elif w=$(modprobe -n -v "$1" 2>/dev/null); then
		case "|$w" in
		*'|install '* | *"
install "*) say withheld ;;
		*insmod*) say file ;;
		*) say loaded ;;
		esac
	else
		say missing
	fi
}

# now: the clock at this moment; the fraction is missing where date cannot tell it.
now() { say "$(date +%s.%N)"; }

n=0
while [ $# -ge 2 ]; do
	case $1 in
	file | text | first | unit | user | tool | version | disk | space | libc | ntp | firewall | secrets | selinux | module | now) "$1" "$2" ;;
	kernel) say "$(uname -r) $(uname -m)" ;;
	esac
	n=$((n + 1))
	shift 2
done
echo "@end"
exit 0
