# $1 user  $2 unit that must not start at boot  $3… the commands
user=$1 own=$2
shift 2
for tool in systemctl systemd-run timeout; do
	command -v "$tool" >/dev/null 2>&1 || echo "@notool $tool"
done
[ -d /run/systemd/system ] || echo "@notool systemd"
if [ -n "$user" ]; then
	id "$user" >/dev/null 2>&1 || echo "@nouser $user"
	command -v runuser >/dev/null 2>&1 || echo "@notool runuser"
fi
for c in "$@"; do
	w=${c%%[!A-Za-z0-9/._-]*}
	case $w in
	/*) [ -x "$w" ] && [ ! -d "$w" ] || echo "@missing $w" ;;
	esac
done
if [ -n "$own" ]; then
	echo "@enabled $(systemctl is-enabled "$own" 2>/dev/null)"
fi
echo "@out"
exit 0
