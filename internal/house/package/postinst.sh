#!/bin/sh
# After installing. deb: configure [OLD-VERSION]; rpm: 1 for the first, 2 for an upgrade.
# Makes groups, user and state directory where they are missing; starts nothing.
set -e

case ${1-} in
configure | 1 | 2) ;;
*) exit 0 ;;
esac

# Who may do what at the engine's socket: look, act, change the definition.
for g in ferry ferry-operator ferry-admin ferry-engine; do
	getent group "$g" >/dev/null || groupadd --system "$g"
done
if ! getent passwd ferry-engine >/dev/null; then
	nologin=/usr/sbin/nologin
	[ -x "$nologin" ] || nologin=/sbin/nologin
	useradd --system --gid ferry-engine --home-dir /var/lib/ferry-engine --no-create-home \
		--shell "$nologin" --comment "ferry engine" ferry-engine
fi
if [ ! -d /var/lib/ferry-engine ]; then
	mkdir -m 700 /var/lib/ferry-engine
	chown ferry-engine:ferry-engine /var/lib/ferry-engine
fi

[ -d /run/systemd/system ] || exit 0
systemctl daemon-reload || true
# An upgrade: an engine that runs goes on as the new version. It resumes what it was doing.
systemctl try-restart ferry.service || true
