#!/bin/sh
# Before removing. deb: remove | upgrade VERSION | deconfigure …; rpm: 0 removes, 1 upgrades.
set -e

case ${1-} in
remove | deconfigure | 0) ;;
*) exit 0 ;;
esac

if [ -d /run/systemd/system ]; then
	systemctl stop ferry.service
fi
if command -v systemctl >/dev/null; then
	systemctl --no-reload disable ferry.service >/dev/null 2>&1 || true
fi
