package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// tunnelBoot is how long a tunnel may take to come up beside booting guests; it takes a few seconds on idle cores.
	tunnelBoot = 60 * time.Second
	// tunnelHalf is after how long a tunnel that is up in part only is begun anew.
	tunnelHalf = 20 * time.Second
	// tunnelPatience is how long a reset waits for tunnels that nobody has to repair.
	tunnelPatience = 3 * time.Second
	// tunnelRestart is how long one may take after both its ends started anew.
	tunnelRestart = 30 * time.Second
)

// waitTunnels waits until all tunnels are up and gives those that are not.
func (l *Lab) waitTunnels(ctx context.Context, limit time.Duration) (down []Tunnel, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	errs := make([]error, len(l.top.Tunnels))
	var wg sync.WaitGroup
	for i, t := range l.top.Tunnels {
		wg.Go(func() { errs[i] = l.WaitTunnel(ctx, t.Connection) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			down = append(down, l.top.Tunnels[i])
		}
	}
	return down, errors.Join(errs...)
}

// mendTunnels brings back what a test left down: first by itself, then with both ends started anew, then with fresh guests.
func (l *Lab) mendTunnels(ctx context.Context, report *ResetReport) error {
	down, err := l.waitTunnels(ctx, tunnelPatience)
	if err == nil {
		return nil
	}
	why := err.Error()
	if err := l.ends(down, func(g *Guest) error { return restartIPsec(ctx, g) }); err != nil {
		l.log.Warn("restarting IPsec", "error", err)
	}
	for _, t := range down {
		report.Restarted = append(report.Restarted, t.Connection)
	}
	if down, err = l.waitTunnels(ctx, tunnelRestart); err == nil {
		return nil
	}
	for _, t := range down {
		for _, e := range t.Ends {
			report.Fresh, report.Why[e.Guest] = append(report.Fresh, e.Guest), why
		}
	}
	report.Cleaned = slices.DeleteFunc(report.Cleaned, func(n string) bool { return slices.Contains(report.Fresh, n) })
	if err := l.ends(down, func(g *Guest) error { return g.fresh(ctx) }); err != nil {
		return err
	}
	return l.tunnelsUp(ctx)
}

// ends does f for both ends of some tunnels at the same time.
func (l *Lab) ends(of []Tunnel, f func(*Guest) error) error {
	return l.each(func(g *Guest) error {
		if slices.ContainsFunc(of, func(t Tunnel) bool { return t.Ends[0].Guest == g.Name() || t.Ends[1].Guest == g.Name() }) {
			return f(g)
		}
		return nil
	})
}

// vpnClean is the part of the clean script for ends of tunnels: what a test changed in IPsec's configuration is put back and
// read anew. Whether the tunnels are up is asked when both ends are clean.
func (g *Guest) vpnClean() string {
	pings := ""
	for _, t := range g.lab.top.tunnelsOf(g.Name()) {
		pings += "ip xfrm policy delete " + g.lab.pingPolicy(t, g.Name()) + " 2>/dev/null\n"
	}
	return strings.NewReplacer("$CONF", confPath, "$SECRETS", secretsPath, "$DROPIN", dropIn).Replace(`
pkill -CONT -x pluto
changed=
for f in $CONF $SECRETS; do
  tar -xOf /dev/ubdc $f | cmp -s - /$f || { tar -xf /dev/ubdc -C / $f; changed=1; }
done
for f in ipsec.conf ipsec.secrets; do
  cmp -s /usr/share/lab/$f /etc/$f || { cp /usr/share/lab/$f /etc/$f; changed=1; }
done
for f in /etc/ipsec.d/*.conf /etc/ipsec.d/*.secrets; do
  case $f in /$CONF|/$SECRETS|*\**) ;; *) rm -f $f; changed=1 ;; esac
done
if [ -e $DROPIN ]; then rm -rf $DROPIN; systemctl daemon-reload; fi
` + vpnForward + pings + `
if [ -n "$changed" ]; then systemctl restart ipsec.service
else systemctl start ipsec.service; fi || left="$left ipsec"
`)
}

// tunnelsUp is the end of a start. Where both daemons begin at the same moment, a tunnel can stay there in part for minutes,
// each end content with what it has: then one of them begins anew.
func (l *Lab) tunnelsUp(ctx context.Context) error {
	for range tunnelBoot / tunnelHalf {
		down, err := l.waitTunnels(ctx, tunnelHalf)
		if err == nil {
			return nil
		}
		l.log.Warn("a tunnel is not whole; one end begins anew", "error", err)
		for i := range down {
			down[i].Ends[1] = down[i].Ends[0]
		}
		if err := l.ends(down, func(g *Guest) error { return restartIPsec(ctx, g) }); err != nil {
			l.log.Warn("restarting IPsec", "error", err)
		}
	}
	if _, err := l.waitTunnels(ctx, tunnelRestart); err != nil {
		return fmt.Errorf("the tunnels do not come up: %w", err)
	}
	return nil
}

func restartIPsec(ctx context.Context, g *Guest) error {
	_, err := g.Sh(ctx, "systemctl restart ipsec.service")
	return err
}
