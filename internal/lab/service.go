package lab

import (
	"fmt"
	"strings"
)

// Service is something for clients to talk to: a program on a guest that answers each TCP connection with one line, the
// guest's name. Its scripts are what a generic application resource would be given. [Lab.Reset] removes it.
type Service struct {
	Name string // the unit is lab-NAME
	Port int
}

// server answers without starting a process per client: at twenty clients a second that alone would keep a guest busy. Perl
// is on every Debian system. It stands between single quotes in a script, so it holds none.
const server = `use strict; use Socket;
my ($port, $name) = @ARGV;
$SIG{PIPE} = "IGNORE";
socket(my $l, PF_INET, SOCK_STREAM, 0) or die $!;
setsockopt($l, SOL_SOCKET, SO_REUSEADDR, 1) or die $!;
bind($l, sockaddr_in($port, INADDR_ANY)) or die $!;
listen($l, 128) or die $!;
while (1) { accept(my $c, $l) or next; syswrite($c, "$name\n"); close $c; }
`

// WWW is the service that most tests use.
func WWW() Service { return Service{Name: "www", Port: 8080} }

func (s Service) expand(script string) string {
	return strings.NewReplacer("$UNIT", "lab-"+s.Name, "$PORT", fmt.Sprint(s.Port), "$HEX", fmt.Sprintf("%04X", s.Port)).Replace(script)
}

// Start is the start script: it may be run again, and returns when the service listens. It fails after [Service.Break]. It
// starts three processes, as each costs a guest 25 ms and more; everything else is the shell's own.
func (s Service) Start() string {
	return s.expand(`
[ ! -e /etc/$UNIT.broken ] || { echo "$UNIT is broken" >&2; exit 1; }
listens() {
  while read -r n local remote state rest; do
    case "$local $state" in *:$HEX\ 0A) return 0 ;; esac
  done </proc/net/tcp
  return 1
}
if [ -e /run/systemd/transient/$UNIT.service ]; then
  systemctl is-active --quiet $UNIT && listens && exit 0
  systemctl stop $UNIT 2>/dev/null
  systemctl reset-failed $UNIT 2>/dev/null
fi
[ -d /run/$UNIT ] || mkdir -p /run/$UNIT || exit 1
printf '%s' '` + server + `' >/run/$UNIT/serve || exit 1
read -r name </proc/sys/kernel/hostname
systemd-run --quiet --collect --unit=$UNIT perl /run/$UNIT/serve $PORT "$name" || exit 1
i=0
until listens; do
  i=$((i+1))
  [ $i -lt 100 ] || { echo "$UNIT does not listen" >&2; exit 1; }
  sleep 0.05
done
`)
}

// Stop is the stop script; a service that does not run is stopped.
func (s Service) Stop() string {
	return s.expand(`
[ -e /run/systemd/transient/$UNIT.service ] || exit 0
systemctl stop $UNIT 2>/dev/null
[ ! -e /run/systemd/transient/$UNIT.service ] || ! systemctl is-active --quiet $UNIT
`)
}

// Check is the check script: it asks the service for its line.
func (s Service) Check() string {
	return s.expand(`
read -r name </proc/sys/kernel/hostname
answer=$(nc -w 2 127.0.0.1 $PORT </dev/null)
[ "$answer" = "$name" ] || { echo "$UNIT answers '$answer'" >&2; exit 1; }
`)
}

// Break is a script that ends the service and makes every start on this guest fail, until [Service.Mend].
func (s Service) Break() string {
	return s.expand(`
touch /etc/$UNIT.broken
[ -e /run/systemd/transient/$UNIT.service ] || exit 0
systemctl kill --signal=KILL $UNIT 2>/dev/null
systemctl stop $UNIT 2>/dev/null
true
`)
}

// Kill is a script that ends the service as a crash would; a start brings it back.
func (s Service) Kill() string {
	return s.expand("systemctl kill --signal=KILL $UNIT\n")
}

// Mend undoes Break, but starts nothing.
func (s Service) Mend() string { return s.expand("rm -f /etc/$UNIT.broken\n") }
