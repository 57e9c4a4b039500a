package e2e

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/internal/lab"
)

// eight are all guests of the example, with tunnels between the regions. The tests that use them have names that begin with
// TestVPN and stand together, so that they are booted once.
var eight = sync.OnceValue(func() *lab.Shared { return shared.Another(lab.Options{Topology: eightNodes()}) })

// eightNodes is the lab's example with the interfaces that the estate's definition names.
func eightNodes() lab.Topology {
	top := lab.EightNodes()
	e, err := config.LoadFile(exampleFile, registry())
	if err != nil {
		panic(err)
	}
	for _, g := range top.Guests {
		if s := e.Server(g.Name); s != nil && s.ENI != "" {
			top.SetENI(g.Name, s.ENI)
		}
	}
	return top
}

// route sends what is for the other region to a VPN node.
func route(t *testing.T, l *lab.Lab, region, vpn string, more ...lab.Route) {
	t.Helper()
	top := l.Topology()
	var routes []lab.Route
	for _, r := range top.Regions {
		if r.Name == region {
			for _, x := range r.Routes {
				routes = append(routes, lab.Route{Dest: x.Dest, ENI: l.Guest(vpn).Spec().ENI})
			}
		}
	}
	if err := l.SetTable(ctx(t), region, append(routes, more...)); err != nil {
		t.Fatal(err)
	}
}

func sh(t *testing.T, l *lab.Lab, guest, script string) string {
	t.Helper()
	out, err := l.Guest(guest).Sh(ctx(t), script)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return strings.TrimSpace(out)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// carried are the bytes that a guest's tunnels took in and gave out.
func carried(t *testing.T, l *lab.Lab, guest string) int {
	t.Helper()
	sum := 0
	for _, f := range strings.FieldsFunc(sh(t, l, guest, "ipsec trafficstatus"), func(r rune) bool { return r == ',' || r == ' ' }) {
		for _, key := range []string{"inBytes=", "outBytes="} {
			if v, ok := strings.CutPrefix(f, key); ok {
				n := 0
				if _, err := fmt.Sscan(v, &n); err != nil {
					t.Fatalf("%s: %v", f, err)
				}
				sum += n
			}
		}
	}
	return sum
}

// far is a service on LK_S_A that answers at the far virtual IP too.
func far(t *testing.T, l *lab.Lab) {
	t.Helper()
	sh(t, l, "LK_S_A", "ip addr replace 10.2.0.10/32 dev "+lab.Interface+"\n"+lab.WWW().Start())
}

func TestVPNTrafficFollowsTheRoutesThroughTheTunnels(t *testing.T) {
	l := eight().Lab(t)
	far(t, l)
	vip := lab.Route{Dest: netip.MustParsePrefix("10.2.0.10/32"), ENI: l.Guest("LK_S_A").Spec().ENI}
	wire := sniff(t, l, lab.PrimaryRegion, lab.StandbyRegion)
	for _, c := range []struct{ primary, standby string }{
		{"VPN_P_A", "VPN_S_A"}, {"VPN_P_B", "VPN_S_B"},
		{"VPN_P_A", "VPN_S_B"}, // there by one tunnel, back by the other
		{"VPN_P_B", "VPN_S_A"},
	} {
		route(t, l, lab.PrimaryRegion, c.primary)
		route(t, l, lab.StandbyRegion, c.standby, vip)
		before := map[string]int{}
		for _, g := range []string{"VPN_P_A", "VPN_P_B"} {
			before[g] = carried(t, l, g)
		}
		for _, addr := range []string{"172.16.0.10:8080", farVIP} {
			if got, err := l.Client().Ask(ctx(t), addr); err != nil || got != "LK_S_A" {
				t.Errorf("over %s, back over %s: a client finds %q at %s: %v", c.primary, c.standby, got, addr, err)
			}
		}
		if out := sh(t, l, "LK_P_B", "nc -z -w 2 172.16.10.10 22 && echo yes || true"); out != "yes" {
			t.Errorf("over %s, back over %s: LK_P_B does not reach LK_S_B", c.primary, c.standby)
		}
		back := strings.Replace(c.standby, "_S_", "_P_", 1)
		for g, was := range before {
			if grew := carried(t, l, g) - was; (grew > 250) != (g == c.primary || g == back) {
				t.Errorf("over %s, back over %s: the tunnel of %s carried %d bytes", c.primary, c.standby, g, grew)
			}
		}
	}
	for _, p := range wire() {
		if !p.Private() && (p.Protocol == "icmp" || p.Protocol == "udp 500" || p.Protocol == "udp 4500") {
			continue
		}
		t.Errorf("on the internet: %v", p)
	}
}

// A tunnel that is lost is lost, and the other one is not; what a test breaks the next one finds whole, without a reboot.
// (Faults of which each has its own mending are tried with the kit.)
func TestVPNFaultsAndTheirReset(t *testing.T) {
	l := eight().Lab(t)
	for _, c := range []struct {
		name   string
		fault  func() error
		holds  bool // the tunnel goes on carrying packets for a while, because the kernel does
		reboot bool
	}{
		{name: "cut", fault: func() error { return l.CutTunnel(ctx(t), "vpn1") }},
		{name: "regions", fault: func() error { return l.CutRegions(ctx(t)) }},
		{name: "pluto killed", fault: func() error { return l.KillPluto(ctx(t), "VPN_P_A") }},
		{name: "pluto broken", fault: func() error { return l.BreakPluto(ctx(t), "VPN_P_A") }},
		{name: "pluto hung", fault: func() error { return l.HangPluto(ctx(t), "VPN_P_A") }, holds: true},
		{name: "pings refused", fault: func() error { return l.RefusePings(ctx(t), "vpn1", "VPN_S_A") }},
		{name: "not loaded", fault: func() error { return l.Unload(ctx(t), "vpn1", "VPN_P_A") }},
		{name: "wrong secret", fault: func() error {
			if err := l.SetSecret(ctx(t), "vpn1", "VPN_P_A", "not-the-secret"); err != nil {
				return err
			}
			return l.KillPluto(ctx(t), "VPN_P_A")
		}},
		{name: "no power", fault: func() error { return l.Guest("VPN_S_A").PowerOff(ctx(t)) }, reboot: true},
	} {
		must(t, c.fault())
		start := time.Now()
		for l.TunnelUp(ctx(t), "vpn1") == nil {
			if time.Since(start) > 10*time.Second {
				t.Fatalf("%s: the tunnel is still up", c.name)
			}
		}
		lost := time.Since(start)
		if out := sh(t, l, "VPN_P_A", "ping -n -q -c 1 -W 1 -I 10.0.0.5 172.16.0.5 >/dev/null && echo yes || true"); (out == "yes") != c.holds && c.name != "pluto killed" {
			t.Errorf("%s: the peer answers %q", c.name, out)
		}
		if err := l.TunnelUp(ctx(t), "vpn2"); (err != nil) != (c.name == "regions") {
			t.Errorf("%s: the other tunnel: %v", c.name, err)
		}
		report, err := l.Reset(ctx(t))
		must(t, err)
		if (len(report.Fresh) > 0) != c.reboot {
			t.Errorf("%s: the reset: %+v", c.name, report)
		}
		t.Logf("%-15s down within %4.1f s, reset in %4.1f s %v%v", c.name, lost.Seconds(), report.Took.Seconds(), report.Restarted, report.Fresh)
	}
}
