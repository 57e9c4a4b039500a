#!/bin/sh
# After removing. deb: remove | purge | upgrade VERSION …; rpm: 0 removes, 1 upgrades.
# State stays; deb's purge alone removes it. Never /var/lib/ferry: there a node keeps
# its own record, which belongs to whichever engine protects that node. User and groups
# stay too: their numbers must not go to somebody else while files still carry them.
set -e

case ${1-} in
remove | purge | 0)
	if [ -d /run/systemd/system ]; then
		systemctl daemon-reload || true
	fi
	;;
esac
if [ "${1-}" = purge ]; then
	rm -rf /var/lib/ferry-engine
fi
