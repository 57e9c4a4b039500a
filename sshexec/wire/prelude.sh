# shellcheck disable=SC2034,SC1090 # node.sh uses what is set here, and is found only on the node
F_UMASK=$(umask)
umask 077
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH
F_RUN=${FERRY_ROOT:-}/run/ferry
mkdir -p "$F_RUN/lib" "$F_RUN/chan" "$F_RUN/unit" "$F_RUN/lock" 2>/dev/null
F_D=$(mktemp -d "$F_RUN/chan/XXXXXX" 2>/dev/null || mktemp -d "${TMPDIR:-/tmp}/ferry.XXXXXX") || exit 73
trap 'rm -rf "$F_D" 2>/dev/null' EXIT
F_S=0
mkfifo "$F_D/m" && exec 8<>"$F_D/m" && echo >&8
F_LIB=$F_RUN/lib/@HASH@.sh
if [ ! -r "$F_LIB" ]; then
	cat >"$F_D/lib.sh"
	mv "$F_D/lib.sh" "$F_LIB" 2>/dev/null || F_LIB=$F_D/lib.sh
	find "$F_RUN/chan" -mindepth 1 -maxdepth 1 -type d -mmin +1440 -exec rm -rf {} + 2>/dev/null
fi <<'FERRY-LIB'
@LIB@
FERRY-LIB
. "$F_LIB"
