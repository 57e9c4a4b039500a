package e2e

// The service under test, as a user would write it for the app kit: a daemon with a
// pid file, started and looked after with as few processes as a shell allows, since
// a guest takes some 20 ms to start one. It answers each connection with the node's name.
const (
	wwwStart = `[ ! -e /etc/lab-www.broken ] || { echo "www is broken here" >&2; exit 1; }
mkdir -p /run/lab-www
perl -e 'use Socket; socket(L, PF_INET, SOCK_STREAM, 0) or die $!; setsockopt(L, SOL_SOCKET, SO_REUSEADDR, 1);
bind(L, sockaddr_in(8080, INADDR_ANY)) or die "bind: $!"; listen(L, 128) or die $!;
open(P, ">", "/run/lab-www/pid"); print P "$$\n"; close P; $SIG{PIPE} = "IGNORE"; chomp($n = qx(cat /etc/hostname));
while (1) { accept(C, L) or next; syswrite(C, "$n\n"); close C }' >/dev/null 2>&1 &`
	wwwStop = `read -r p 2>/dev/null </run/lab-www/pid || exit 0
kill "$p" 2>/dev/null || exit 0
while kill -0 "$p" 2>/dev/null; do sleep 0.05; done`
	wwwCheck = `read -r p 2>/dev/null </run/lab-www/pid && kill -0 "$p" 2>/dev/null || { echo "www does not run" >&2; exit 1; }`

	wwwKill  = `read -r p </run/lab-www/pid && kill -9 "$p"`
	wwwBreak = `touch /etc/lab-www.broken; read -r p </run/lab-www/pid && kill -9 "$p"`
)
