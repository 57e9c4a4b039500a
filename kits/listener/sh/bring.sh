# $1 seconds. Always ends well: where it does not, systemd would end what it started.
control "$1" start "$name"
printf '%s\n' "$said"
