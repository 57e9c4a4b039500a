package sim

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/fleet"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/kittest"
	"github.com/ferry-ha/ferry/kits/openswan"
)

// bringVPN is Figure 1 with its VPN clusters.
func bringVPN(t *testing.T) estate {
	t.Helper()
	e, err := config.LoadFile("../../examples/cross-region.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(e, Options{Dir: t.TempDir(), EC2: ec2sim.Options{StateLag: time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	f := fleet.New(s.Nodes.DialContext, func(string) {}, slog.New(slog.DiscardHandler))
	f.Define(s.Definition, fleet.Identity{Estate: "e", Engine: "n", Epoch: 1})
	t.Cleanup(func() { f.Close(); s.Close() })
	return estate{s, t, f, hierarchy.NewIndex(s.Definition)}
}

func (e estate) tag(node string) hierarchy.Tag {
	if strings.HasPrefix(node, "VPN_P") {
		return "vpn-primary/openswan-vpn1"
	}
	return "vpn-standby/openswan-vpn1"
}

func (e estate) vpn(node, active string) kits.Instance {
	e.t.Helper()
	in := hierarchy.InstanceOf(e.index, e.tag(node), node, active)
	if in.Attrs["connection"] == "" {
		e.t.Fatalf("%s has no connection: %+v", node, in)
	}
	return in
}

func (e estate) check(node string) kits.Report {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), 2*time.Minute)
	defer cancel()
	return openswan.Kit{}.Check(ctx, e.fleet.Host(node), e.vpn(node, ""))
}

func (e estate) wants(node string, o kits.Outcome, code string) kits.Report {
	e.t.Helper()
	r := e.check(node)
	if r.Outcome != o || code != "" && r.Reason.Code != code {
		e.t.Errorf("check on %s: %v %s %q %v\n%s, want %v %s", node, r.Outcome, r.Reason.Code, r.Reason.Text, r.Details, r.Output, o, code)
	}
	return r
}

func (e estate) recover(node string) kits.Report {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), 15*time.Minute)
	defer cancel()
	return openswan.Kit{}.Recover(ctx, e.fleet.Acting(node, fmt.Sprintf("ferry-test-%d", time.Now().UnixNano()), "l-vpn"), e.vpn(node, ""))
}

// reaches tells whether a ping gets from node to node on their private addresses.
func (e estate) reaches(from, to string) bool {
	e.t.Helper()
	code, _ := e.Nodes.Node(from).Exec(e.t.Context(), "ping -n -q -c 1 -W 1 -I "+e.index.Server(from).Address+" "+e.index.Server(to).Address)
	return code == 0
}

func virtually(t *testing.T, f func(e estate)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(bringVPN(t)) })
}

// standing is the VPN nodes of one region as a kittest.World.
type standing struct {
	estate
	nodes []string
	jobs  atomic.Int64
}

func (w *standing) Nodes() []string                    { return w.nodes }
func (w *standing) Instance(node string) kits.Instance { return w.vpn(node, "") }
func (w *standing) Host(node string) kits.Host {
	return w.fleet.Acting(node, fmt.Sprintf("ferry-conformance-%d", w.jobs.Add(1)), "l-vpn")
}

// The same steps as in the lab, in both regions.
func TestConformanceOfOpenswan(t *testing.T) {
	for _, nodes := range [][]string{{"VPN_P_A", "VPN_P_B"}, {"VPN_S_A", "VPN_S_B"}} {
		kittest.ConformanceStanding(t, openswan.Kit{}, &standing{estate: bringVPN(t), nodes: nodes})
	}
}

// What the kit finds on every VPN node, and what the wizard is offered there.
func TestKitOnEveryVPNNode(t *testing.T) {
	virtually(t, func(e estate) {
		for _, n := range []string{"VPN_P_A", "VPN_P_B", "VPN_S_A", "VPN_S_B"} {
			r := e.wants(n, kits.OK, "")
			for _, k := range []string{"peer", "peer-private", "ping", "ping-public", "age", "in", "out"} {
				if r.Details[k] == "" {
					e.t.Errorf("%s: no %s in %v", n, k, r.Details)
				}
			}
			if el := (openswan.Kit{}).Eligible(e.t.Context(), e.fleet.Host(n), e.vpn(n, "")); el.Outcome != kits.OK {
				e.t.Errorf("eligible on %s: %+v", n, el)
			}
			c, err := openswan.Kit{}.Choices(e.t.Context(), e.fleet.Host(n), e.vpn(n, ""), openswan.FieldConnection)
			if err != nil || len(c) != 1 || c[0] != "vpn1" {
				e.t.Errorf("choices on %s: %v %v", n, c, err)
			}
		}
		time.Sleep(time.Minute)
		r := e.wants("VPN_P_A", kits.OK, "")
		if age, err := time.ParseDuration(r.Details["age"]); err != nil || age < time.Minute || r.Details["in"] == "0" {
			e.t.Errorf("a minute later: %v", r.Details)
		}
	})
}

// What the kit does about each failure, and what is true while it lasts.
func TestTunnelFaults(t *testing.T) {
	for name, c := range map[string]struct {
		breaks, mends func(e estate)
		after         time.Duration
		code          string // of the check on VPN_P_A
		far           string // of the check on VPN_S_A; empty = that is well
		helps         bool   // recovery does, before it is mended
	}{
		"killed":        {breaks: func(e estate) { e.Nodes.Node("VPN_P_A").KillIPsec() }, code: "openswan.daemon-dead", far: "openswan.no-ping", helps: true},
		"stopped":       {breaks: func(e estate) { e.Nodes.Node("VPN_P_A").StopIPsec() }, after: time.Second, code: "openswan.daemon-dead", far: "openswan.no-ping", helps: true},
		"hung":          {breaks: func(e estate) { e.Nodes.Node("VPN_P_A").FreezeIPsec() }, code: "openswan.daemon-hung", helps: true},
		"hung for long": {breaks: func(e estate) { e.Nodes.Node("VPN_P_A").FreezeIPsec() }, after: 2 * time.Minute, code: "openswan.daemon-hung", far: "openswan.no-ping", helps: true},
		"link cut": {breaks: func(e estate) { _ = e.CutTunnel("VPN_P_A") }, mends: func(e estate) { _ = e.HealTunnel("VPN_S_A") },
			code: "openswan.no-ping", far: "openswan.no-ping"},
		"link cut long ago": {breaks: func(e estate) { _ = e.CutTunnel("VPN_P_A") }, mends: func(e estate) { _ = e.HealTunnel("VPN_P_A") },
			after: 90 * time.Second, code: "openswan.no-ping", far: "openswan.no-ping"},
		"data path dead": {breaks: func(e estate) { _ = e.BlockESP("VPN_P_A") }, mends: func(e estate) { _ = e.AllowESP("VPN_P_A") },
			code: "openswan.no-ping", far: "openswan.no-ping"},
		"kernel's keys gone": {breaks: func(e estate) { e.Nodes.Node("VPN_P_A").FlushSAs() }, code: "openswan.no-ping", far: "openswan.no-ping", helps: true},
		"part lost":          {breaks: func(e estate) { e.Nodes.Node("VPN_P_A").LosePart(1) }, code: "openswan.tunnel-down", far: "openswan.tunnel-down", helps: true},
		"wrong key": {breaks: func(e estate) { _ = e.ChangeKey("VPN_P_A") }, mends: func(e estate) { _ = e.RestoreKey("VPN_P_A") },
			after: 2 * time.Second, code: "openswan.no-ping", far: "openswan.no-ping"},
		"no start succeeds": {breaks: func(e estate) { e.Nodes.Node("VPN_P_A").BreakIPsec() }, mends: func(e estate) { e.Nodes.Node("VPN_P_A").MendIPsec() },
			code: "openswan.daemon-dead", far: "openswan.no-ping"},
		"peer without power": {breaks: func(e estate) { _ = e.PowerOff("VPN_S_A") }, mends: func(e estate) { _ = e.PowerOn("VPN_S_A") }, code: "openswan.no-ping", far: "-"},
	} {
		t.Run(name, func(t *testing.T) {
			virtually(t, func(e estate) {
				c.breaks(e)
				time.Sleep(c.after)
				e.wants("VPN_P_A", kits.Failed, c.code)
				switch c.far {
				case "-":
				case "":
					e.wants("VPN_S_A", kits.OK, "")
				default:
					e.wants("VPN_S_A", kits.Failed, c.far)
				}
				e.wants("VPN_P_B", kits.OK, "")
				r := e.recover("VPN_P_A")
				if (r.Outcome == kits.OK) != c.helps {
					t.Errorf("recovery: %+v", r)
				}
				if c.mends != nil {
					c.mends(e)
					time.Sleep(40 * time.Second) // more than the longest pause between two packets
					if r := e.recover("VPN_P_A"); r.Outcome != kits.OK {
						t.Errorf("recovery after it was mended: %+v", r)
					}
				}
				time.Sleep(time.Second)
				e.wants("VPN_P_A", kits.OK, "")
				e.wants("VPN_S_A", kits.OK, "")
			})
		})
	}
}

// What heals by itself, without anybody's recovery, and when.
func TestTunnelsHealByThemselves(t *testing.T) {
	virtually(t, func(e estate) {
		up := func(node string) nodesim.Tunnel {
			for _, x := range e.Nodes.Tunnels() {
				if x.Node == node {
					return x
				}
			}
			return nodesim.Tunnel{}
		}
		e.Nodes.Node("VPN_P_A").KillIPsec() // systemd
		time.Sleep(3900 * time.Millisecond)
		if up("VPN_P_A").Carries || !up("VPN_S_A").Up || up("VPN_S_A").Carries {
			e.t.Errorf("3.9 s after the kill: %+v", e.Nodes.Tunnels())
		}
		time.Sleep(time.Second)
		if !up("VPN_P_A").Carries || !up("VPN_S_A").Carries {
			e.t.Errorf("4.9 s after the kill: %+v", e.Nodes.Tunnels())
		}
		_ = e.CutTunnel("VPN_P_A") // a cut link says "up" for a minute
		time.Sleep(55 * time.Second)
		if !up("VPN_P_A").Up || up("VPN_P_A").Carries {
			e.t.Errorf("55 s after the cut: %+v", e.Nodes.Tunnels())
		}
		time.Sleep(15 * time.Second)
		if up("VPN_P_A").Up || up("VPN_S_A").Up {
			e.t.Errorf("70 s after the cut: %+v", e.Nodes.Tunnels())
		}
		_ = e.HealTunnel("VPN_P_A")
		time.Sleep(33 * time.Second) // the longest pause between two packets
		if !up("VPN_P_A").Carries || !up("VPN_S_A").Carries {
			e.t.Errorf("33 s after the cut was mended: %+v", e.Nodes.Tunnels())
		}
		// A one-sided down does not hold.
		if code, out := e.Nodes.Node("VPN_P_A").Exec(e.t.Context(), "ipsec auto --down vpn1"); code != 0 || !strings.Contains(out, "terminated 4 connections") {
			e.t.Errorf("down: %d %s", code, out)
		}
		time.Sleep(time.Second)
		if !up("VPN_P_A").Carries {
			e.t.Errorf("after a one-sided down: %+v", e.Nodes.Tunnels())
		}
		// On both sides it does.
		for _, n := range []string{"VPN_P_A", "VPN_S_A", "VPN_P_A"} {
			e.Nodes.Node(n).Exec(e.t.Context(), "ipsec auto --down vpn1")
		}
		time.Sleep(time.Minute)
		if up("VPN_P_A").Up {
			e.t.Errorf("down on both sides: %+v", e.Nodes.Tunnels())
		}
	})
}

// Private traffic between the regions takes the way that the route tables name, and the
// answer the other region's; inside a region nothing changes.
func TestTrafficFollowsRoutesAndTunnels(t *testing.T) {
	virtually(t, func(e estate) {
		all := func(want bool, why string) {
			e.t.Helper()
			for _, p := range []string{"LK_P_A", "LK_P_B"} {
				for _, s := range []string{"LK_S_A", "LK_S_B"} {
					if e.reaches(p, s) != want || e.reaches(s, p) != want {
						e.t.Errorf("%s: %s and %s: %v %v, want %v", why, p, s, e.reaches(p, s), e.reaches(s, p), want)
					}
				}
			}
			if !e.reaches("LK_P_A", "LK_P_B") || !e.reaches("LK_S_A", "VPN_S_B") {
				e.t.Errorf("%s: inside a region", why)
			}
		}
		all(true, "at first")
		_ = e.CutTunnel("VPN_P_B")
		all(true, "the other tunnel is cut")
		_ = e.HealTunnel("VPN_P_B")
		_ = e.CutTunnel("VPN_P_A")
		all(false, "the active tunnel is cut")
		lead := func(region, node string) {
			for _, dest := range []string{"172.16.0.0/16", "10.0.0.0/16"} {
				if w := e.EC2.Snapshot(); w.Table(TableOf(*e.index.Region(region))).Route(dest) != nil && !strings.HasPrefix(e.index.Server(node).Address, dest[:4]) {
					if err := e.EC2.SetRoute(TableOf(*e.index.Region(region)), ec2sim.Route{Destination: dest, Interface: e.index.Server(node).ENI}); err != nil {
						e.t.Fatal(err)
					}
				}
			}
		}
		lead(primary, "VPN_P_B")
		all(false, "one region's routes moved: the answers take the tunnel that is cut")
		lead(standby, "VPN_S_B")
		all(true, "both regions' routes moved")
		_ = e.HealTunnel("VPN_P_A")
		time.Sleep(time.Minute)
		lead(primary, "VPN_P_A")
		all(true, "out by one tunnel, back by the other")
		if err := e.EC2.SetSourceDestCheck(e.index.Server("VPN_P_A").ENI, true); err != nil {
			e.t.Fatal(err)
		}
		all(false, "source/dest check drops what is not for the node itself")
	})
}

// A client in the Primary Region asks the service in the Standby Region.
func TestAClientAsksThroughTheTunnel(t *testing.T) {
	virtually(t, func(e estate) {
		e.start("LK_S_A")
		ask := func() string {
			got, err := e.Ask(primary, fmt.Sprintf("10.2.0.10:%d", e.Port("service/www")))
			if err != nil {
				got = err.Error()
			}
			return got
		}
		if got := ask(); got != "LK_S_A" {
			e.t.Errorf("the client finds %s", got)
		}
		_ = e.BlockESP("VPN_P_A")
		if got := ask(); !strings.Contains(got, "the way ends at VPN_P_A") {
			e.t.Errorf("with a tunnel that carries nothing the client finds %s", got)
		}
		_ = e.AllowESP("VPN_P_A")
		if err := e.PowerOff("VPN_S_A"); err != nil {
			e.t.Fatal(err)
		}
		if got := ask(); !strings.Contains(got, "the way ends at VPN_P_A") {
			e.t.Errorf("with the peer off the client finds %s", got)
		}
	})
}

// The engine reaches every node whatever the tunnels do.
func TestTheEnginesWayIsNotTheTunnel(t *testing.T) {
	virtually(t, func(e estate) {
		_ = e.CutTunnel("VPN_P_A")
		_ = e.CutTunnel("VPN_P_B")
		for _, n := range []string{"LK_S_A", "VPN_S_A", "LK_P_A"} {
			if _, err := e.fleet.Host(n).Run(e.t.Context(), kits.Script{Name: "test", Body: "true", Deadline: time.Second}); err != nil {
				e.t.Errorf("%s: %v", n, err)
			}
		}
	})
}

// A node that is switched on again has its tunnel back by itself.
func TestVPNNodeReboots(t *testing.T) {
	virtually(t, func(e estate) {
		if err := e.PowerOff("VPN_P_A"); err != nil {
			e.t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		if err := e.PowerOn("VPN_P_A"); err != nil {
			e.t.Fatal(err)
		}
		time.Sleep(15 * time.Second)
		e.wants("VPN_P_A", kits.OK, "")
		e.wants("VPN_S_A", kits.OK, "")
	})
}
