package lab

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// tunnelCut is a tunnel on whose way packets are dropped, in the routers and silently.
type tunnelCut struct {
	connection string
	from       string // the guest whose packets are dropped; empty for both
	data       bool   // only what is encrypted; the daemons go on talking
}

// CutTunnel drops everything between the public addresses of a tunnel's ends, pings included, until [Lab.HealTunnel] or
// [Lab.Heal].
func (l *Lab) CutTunnel(ctx context.Context, connection string) error {
	return l.cutTunnel(ctx, tunnelCut{connection: connection})
}

// CutTunnelFrom drops what one end sends to the other; the other way stays open.
func (l *Lab) CutTunnelFrom(ctx context.Context, connection, guest string) error {
	return l.cutTunnel(ctx, tunnelCut{connection: connection, from: guest})
}

// CutTunnelData drops what the tunnel carries and lets the daemons' own packets pass: to them everything is up.
func (l *Lab) CutTunnelData(ctx context.Context, connection string) error {
	return l.cutTunnel(ctx, tunnelCut{connection: connection, data: true})
}

// HealTunnel ends the cuts of one tunnel.
func (l *Lab) HealTunnel(ctx context.Context, connection string) error {
	l.mu.Lock()
	var keep []tunnelCut
	for _, c := range l.tunnelCuts {
		if c.connection != connection {
			keep = append(keep, c)
		}
	}
	l.tunnelCuts = keep
	l.mu.Unlock()
	return l.applyFilter(ctx)
}

func (l *Lab) cutTunnel(ctx context.Context, c tunnelCut) error {
	t, ok := l.top.tunnel(c.connection)
	if !ok {
		return fmt.Errorf("cutting tunnel %s: there is none of that name in the lab", c.connection)
	}
	if c.from != "" && c.from != t.Ends[0].Guest && c.from != t.Ends[1].Guest {
		return fmt.Errorf("cutting tunnel %s: %s is no end of it", c.connection, c.from)
	}
	l.mu.Lock()
	l.tunnelCuts = append(l.tunnelCuts, c)
	l.mu.Unlock()
	return l.applyFilter(ctx)
}

// tunnelDrops are router i's rules for the cuts of tunnels. Each router drops what its own guests send: it sees their packets
// before it translates them.
func (l *Lab) tunnelDrops(i int) []string {
	var out []string
	for _, c := range l.tunnelCuts {
		t, _ := l.top.tunnel(c.connection)
		for k, g := range l.guests {
			if g.region != i || g.Name() != t.Ends[0].Guest && g.Name() != t.Ends[1].Guest || c.from != "" && c.from != g.Name() {
				continue
			}
			_, peer := t.end(g.Name())
			rule := fmt.Sprintf("iifname %q ip daddr %s", tapName(k), l.top.guestSpec(peer.Guest).Public)
			if !c.data {
				out = append(out, rule+" drop")
				continue
			}
			// In UDP, four zeros before the daemons' own packets tell them from encrypted ones.
			out = append(out, rule+" udp dport 4500 @th,64,32 != 0 drop", rule+" meta l4proto esp drop")
		}
	}
	return out
}

// KillPluto ends a guest's pluto as a crash does. Systemd starts it again after some seconds; see [Lab.BreakPluto].
func (l *Lab) KillPluto(ctx context.Context, guest string) error {
	return l.vpnSh(ctx, guest, "pkill -KILL -x pluto")
}

// HangPluto stops a guest's pluto in the midst of whatever it does. The kernel goes on encrypting. It can be undone with
// [Lab.ResumePluto].
func (l *Lab) HangPluto(ctx context.Context, guest string) error {
	return l.vpnSh(ctx, guest, "pkill -STOP -x pluto")
}

// ResumePluto lets a pluto that hangs go on.
func (l *Lab) ResumePluto(ctx context.Context, guest string) error {
	return l.vpnSh(ctx, guest, "pkill -CONT -x pluto")
}

// StopPluto stops a guest's IPsec in good order, as an administrator would.
func (l *Lab) StopPluto(ctx context.Context, guest string) error {
	return l.vpnSh(ctx, guest, "systemctl stop ipsec.service")
}

// StartPluto starts a guest's IPsec.
func (l *Lab) StartPluto(ctx context.Context, guest string) error {
	return l.vpnSh(ctx, guest, "systemctl start ipsec.service")
}

// BreakPluto ends a guest's IPsec and makes every start of it fail, until [Lab.MendPluto].
func (l *Lab) BreakPluto(ctx context.Context, guest string) error {
	return l.vpnSh(ctx, guest, `mkdir -p `+dropIn+` && printf '[Service]\nExecStartPre=/bin/false\n' >`+dropIn+`/zz-broken.conf
systemctl daemon-reload && systemctl stop ipsec.service`)
}

// MendPluto undoes BreakPluto, but starts nothing.
func (l *Lab) MendPluto(ctx context.Context, guest string) error {
	return l.vpnSh(ctx, guest, "rm -rf "+dropIn+" && systemctl daemon-reload")
}

// SetSecret gives one end of a tunnel another pre-shared key, and tells its pluto. What is established stays so; the next
// negotiation fails.
func (l *Lab) SetSecret(ctx context.Context, connection, guest, secret string) error {
	t, ok := l.top.tunnel(connection)
	if !ok {
		return fmt.Errorf("changing the key of tunnel %s: there is none of that name in the lab", connection)
	}
	own, peer := t.end(guest)
	return l.vpnSh(ctx, guest, "cat >/"+secretsPath+" <<'X'\n"+l.top.secretLine(own, peer, secret)+"X\nipsec auto --rereadsecrets")
}

// Unload takes a connection out of a guest's pluto: it is still in ipsec.conf, but nobody has loaded it.
func (l *Lab) Unload(ctx context.Context, connection, guest string) error {
	return l.vpnSh(ctx, guest, "ipsec auto --delete "+connection)
}

// RefusePings makes one end of a tunnel drop the pings that come through it from the other end, and the answers to its own.
// Everything else passes, pings of the public address too. A stop of IPsec ends it, as it does away with the kernel's policies.
func (l *Lab) RefusePings(ctx context.Context, connection, guest string) error {
	t, ok := l.top.tunnel(connection)
	if !ok {
		return fmt.Errorf("refusing pings through tunnel %s: there is none of that name in the lab", connection)
	}
	return l.vpnSh(ctx, guest, "ip xfrm policy add "+l.pingPolicy(t, guest)+" action block priority 1")
}

// pingPolicy names the kernel's policy that would block the pings of a tunnel's other end.
func (l *Lab) pingPolicy(t Tunnel, guest string) string {
	own, peer := t.end(guest)
	return fmt.Sprintf("dir in src %s/32 dst %s/32 proto icmp", l.top.guestSpec(peer.Guest).Addr, l.top.guestSpec(own.Guest).Addr)
}

const dropIn = "/run/systemd/system/ipsec.service.d"

func (l *Lab) vpnSh(ctx context.Context, guest, script string) error {
	if len(l.top.tunnelsOf(guest)) == 0 {
		return fmt.Errorf("%s is no end of a tunnel", guest)
	}
	_, err := l.Guest(guest).Sh(ctx, script)
	return err
}

// TunnelUp says whether a tunnel is up and carries packets, and why not: on both ends every part is established, and each
// end's private address answers the other's ping.
func (l *Lab) TunnelUp(ctx context.Context, connection string) error {
	t, ok := l.top.tunnel(connection)
	if !ok {
		return fmt.Errorf("tunnel %s: there is none of that name in the lab", connection)
	}
	errs := make(chan error, len(t.Ends))
	for _, e := range t.Ends {
		go func() { errs <- l.endUp(ctx, t, e.Guest) }()
	}
	return errors.Join(<-errs, <-errs)
}

func (l *Lab) endUp(ctx context.Context, t Tunnel, guest string) error {
	own, peer := t.end(guest)
	out, err := l.Guest(guest).Sh(ctx, fmt.Sprintf(`timeout 5 ipsec trafficstatus | grep -o '"%s/[0-9]*x[0-9]*"' | sort -u | wc -l
ping -n -q -c 1 -W 1 -I %s %s >/dev/null && echo answered || echo silent`, t.Connection, l.top.guestSpec(own.Guest).Addr, l.top.guestSpec(peer.Guest).Addr))
	if err != nil {
		return err
	}
	if want := fmt.Sprintf("%d answered", t.parts()); strings.Join(strings.Fields(out), " ") != want {
		return fmt.Errorf("tunnel %s on %s: %q, want %q", t.Connection, guest, strings.Fields(out), want)
	}
	return nil
}

// WaitTunnel returns when a tunnel is up, at the latest at ctx's end.
func (l *Lab) WaitTunnel(ctx context.Context, connection string) error {
	for {
		err := l.TunnelUp(ctx, connection)
		if err == nil {
			return nil
		}
		if pause(ctx, 100*time.Millisecond) != nil {
			return fmt.Errorf("waiting for a tunnel: %w", err)
		}
	}
}
