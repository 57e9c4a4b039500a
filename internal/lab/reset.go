package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// cleanTimeout is how long a guest may take to clean itself up before it gets a fresh disk instead. It takes well under a
// second.
const cleanTimeout = 15 * time.Second

// ResetReport says what a reset had to do.
type ResetReport struct {
	Took    time.Duration
	Cleaned []string          // guests that were cleaned in place
	Fresh   []string          // guests that were booted from a fresh disk
	Why     map[string]string // for each fresh one, the reason
	// Restarted are tunnels whose ends had to start IPsec anew.
	Restarted []string
}

// Reset brings the lab back to its first state: no cuts, no latency, the topology's routes, every guest up and clean. Guests
// that answer are cleaned in place: virtual IPs, ferry's files and units, test services, packet filters, IPsec's configuration. One that has no
// power, was spoiled, or does not come out clean boots from a fresh disk.
func (l *Lab) Reset(ctx context.Context) (ResetReport, error) {
	start := time.Now()
	report := ResetReport{Why: map[string]string{}}
	l.mu.Lock()
	for _, g := range l.guests {
		g.checked = g.spec.SourceDestCheck
	}
	l.mu.Unlock()
	if err := errors.Join(l.Heal(ctx), l.initialTables(ctx)); err != nil {
		return report, fmt.Errorf("resetting the lab's network: %w", err)
	}
	var mu sync.Mutex
	err := l.each(func(g *Guest) error {
		why := g.clean(ctx)
		mu.Lock()
		if why == nil {
			report.Cleaned = append(report.Cleaned, g.Name())
		} else {
			report.Fresh, report.Why[g.Name()] = append(report.Fresh, g.Name()), why.Error()
		}
		mu.Unlock()
		if why == nil {
			return nil
		}
		return g.fresh(ctx)
	})
	if err == nil {
		err = l.mendTunnels(ctx, &report)
	}
	slices.Sort(report.Cleaned)
	slices.Sort(report.Fresh)
	report.Took = time.Since(start)
	if err != nil {
		return report, fmt.Errorf("resetting the lab: %w", err)
	}
	l.log.Info("the lab is reset", "lab", l.id, "took", report.Took.Round(time.Millisecond), "cleaned", report.Cleaned, "fresh", report.Fresh, "restarted", report.Restarted)
	return report, nil
}

// clean removes what tests left in a running guest. An error is the reason for a fresh disk.
func (g *Guest) clean(ctx context.Context) error {
	g.mu.Lock()
	spoiled, alive := g.spoiled, g.alive()
	hung := alive && g.run.hung
	g.mu.Unlock()
	switch {
	case spoiled:
		return errors.New("spoiled")
	case !alive:
		return errors.New("no power")
	}
	if hung {
		if err := g.Resume(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, cleanTimeout)
	defer cancel()
	out, err := g.Sh(ctx, g.cleanScript())
	if err != nil {
		return err
	}
	if got := strings.TrimSpace(out); got != "clean" {
		return fmt.Errorf("not clean: %s", got)
	}
	return nil
}

// fresh boots the guest from a new copy of the image.
func (g *Guest) fresh(ctx context.Context) error {
	if err := g.PowerOff(ctx); err != nil {
		return err
	}
	for _, disk := range []string{".cow", ".data"} {
		if err := os.Remove(g.file(disk)); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	g.mu.Lock()
	g.spoiled = false
	g.mu.Unlock()
	if err := g.PowerOn(ctx); err != nil {
		return err
	}
	return g.WaitSSH(ctx)
}

// cleanScript ends with the word clean, or with what is still there.
func (g *Guest) cleanScript() string {
	s, _ := g.lab.top.Regions[g.region].subnet(g.spec.Addr)
	vpn := ""
	if g.isVPN() {
		vpn = g.vpnClean()
	}
	return strings.NewReplacer("$VPN", vpn, "$NIC", guestNIC, "$ADDR", fmt.Sprintf("%s/%d", g.spec.Addr, s.CIDR.Bits()), "$GW", s.Gateway.String()).Replace(cleanTemplate)
}

// cleanTemplate looks first and acts only on what it finds: a process costs a guest 25 ms and more to start, so a clean guest
// starts five. What it acted on it looks at again.
const cleanTemplate = `
look() {
  units= failed= ssh= extra= up= own= netem= route=
  all=$(systemctl list-units --all --plain --no-legend)
  while read -r unit load active sub rest; do
    case $unit in
    ferry-*|ferry@*|lab-*) units="$units $unit" ;;
    ssh.service) ssh=$active ;;
    *) [ "$active" != failed ] || failed="$failed $unit" ;;
    esac
  done <<X
$all
X
  all=$(ip addr show dev $NIC)
  while read -r word value rest; do
    case $word in
    inet) if [ "$value" = $ADDR ]; then own=1; else extra="$extra $value"; fi ;;
    [0-9]*) case "$rest" in *,UP*) up=1 ;; esac
      case "$rest" in *netem*) netem=1 ;; esac ;;
    esac
  done <<X
$all
X
  while read -r dev dest rest; do [ "$dev $dest" != "$NIC 00000000" ] || route=1; done </proc/net/route
}

look
acted=
if [ -n "$units" ]; then
  acted=1
  systemctl kill --signal=KILL $units 2>/dev/null
  systemctl stop $units 2>/dev/null
fi
if [ -e /etc/systemd/system/ferry-stop.service ]; then
  acted=1
  rm -f /etc/systemd/system/ferry-stop.service /etc/systemd/system/multi-user.target.wants/ferry-stop.service
  systemctl daemon-reload
fi
if [ -n "$units$failed" ]; then acted=1; systemctl reset-failed 2>/dev/null; fi
if [ "$ssh" != active ]; then acted=1; systemctl restart ssh; fi
for a in $extra; do acted=1; ip addr del "$a" dev $NIC; done
if [ -n "$netem" ]; then acted=1; tc qdisc del dev $NIC root; fi
if [ -z "$up$own$route" ] || [ "$up$own$route" != 111 ]; then
  acted=1
  ip link set $NIC up; ip addr replace $ADDR dev $NIC; ip route replace default via $GW dev $NIC
fi
if [ -e /sys/module/nf_tables ]; then nft flush ruleset; fi
pkill -KILL -u ferry
rm -rf /var/lib/ferry /run/ferry /etc/ferry /run/lab-* /etc/lab-* /tmp/* /home/ferry/[!.]*
[ -z "$acted" ] || look

left="$units$failed$extra$netem"
for d in /var/lib/ferry /run/ferry; do [ ! -e $d ] || left="$left $d"; done
$VPN
[ "$ssh $up$own$route" = "active 111" ] || left="$left ssh=$ssh up=$up own=$own route=$route"
[ -n "$left" ] && echo "left:$left" || echo clean
`
