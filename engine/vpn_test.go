package engine_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/internal/sim"
)

// vpn runs a story in the seed's Figure 1 with all three clusters in service: the service
// on LK_P_A, the tunnels' routes on VPN_P_A and VPN_S_A.
func vpn(t *testing.T, f func(*bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(e *hierarchy.Estate) {
			for i := range e.Servers {
				e.Servers[i].Tuning["LKCHECKINTERVAL"] = "60"
			}
		})
		defer b.close()
		b.until("all nodes alive", alive)
		b.put("service/www", "LK_P_A")
		b.put("vpn-primary/openswan-vpn1", "VPN_P_A")
		b.put("vpn-standby/openswan-vpn1", "VPN_S_A")
		f(b)
	})
}

// put moves a hierarchy to a node, as a person would, and waits for the end.
func (b *bench) put(tag hierarchy.Tag, node string) {
	b.t.Helper()
	if _, err := b.eng.Submit(b.t.Context(), api.Command{Goal: plan.Goal{Kind: plan.GoalInService, Tag: tag, Node: node}, By: "anna"}); err != nil {
		b.t.Fatalf("%s to %s: %v\n%s", tag, node, err, b.story())
	}
	b.holds(tag, node)
}

// holds waits until the resource is in service on the node and nothing moves it. Standby
// nodes may still be repaired.
func (b *bench) holds(tag hierarchy.Tag, node string) {
	b.t.Helper()
	b.until(fmt.Sprintf("%s in service on %s", tag, node), func(sn *api.Snapshot) bool {
		return active(sn, tag) == node && stateOn(sn, tag, node) == hierarchy.ISP && !moves(sn, tag)
	})
}

func moves(sn *api.Snapshot, tag hierarchy.Tag) bool {
	return slices.ContainsFunc(sn.Running, func(op api.Operation) bool {
		g := op.Plan.Goal
		return g.Tag.Cluster() == tag.Cluster() && (g.Kind != plan.GoalRecover || g.Node == active(sn, tag))
	})
}

func active(sn *api.Snapshot, tag hierarchy.Tag) string {
	for _, r := range sn.Resources {
		if r.Tag == tag {
			return r.Active
		}
	}
	return ""
}

func stateOn(sn *api.Snapshot, tag hierarchy.Tag, node string) hierarchy.State {
	for _, r := range sn.Resources {
		for _, in := range r.On {
			if r.Tag == tag && in.Server == node {
				return in.State
			}
		}
	}
	return ""
}

// table is a VPC's route table as EC2 has it: destinations with the server whose ENI they
// point to. The VPC's own and the gateway's routes are not under control and left out.
func (b *bench) table(region string) string {
	b.t.Helper()
	w := b.sim.EC2.Snapshot()
	r := b.sim.Definition.Region(region)
	var lines []string
	for _, rt := range w.Table(sim.TableOf(*r)).Routes {
		for _, s := range b.sim.Definition.Servers {
			if s.ENI != "" && s.ENI == rt.Interface {
				lines = append(lines, fmt.Sprintf("%-14s %s", rt.Destination, s.Name))
			}
		}
	}
	slices.SortFunc(lines, cmp.Compare[string])
	return strings.Join(lines, "\n")
}

func (b *bench) tables(primary, standby string) {
	b.t.Helper()
	if got := b.table("ap-northeast-1"); got != strings.TrimSpace(primary) {
		b.t.Errorf("the Primary VPC's table is\n%s\nwant\n%s", got, primary)
	}
	if got := b.table("ap-southeast-1"); got != strings.TrimSpace(standby) {
		b.t.Errorf("the Standby VPC's table is\n%s\nwant\n%s", got, standby)
	}
}

// TestRouteTablesOfTheSeed is the worked example of the seed's Chapter 5, with the
// 172.16.0.0/16 of its Chapter 4, seen from both sides.
func TestRouteTablesOfTheSeed(t *testing.T) {
	vpn(t, func(b *bench) {
		// State 1: Route53 is active on LK_P_A, Openswan on VPN_P_A and VPN_S_A.
		b.tables(`
10.1.0.10/32   LK_P_A
10.2.0.0/16    VPN_P_A
172.16.0.0/16  VPN_P_A`, `
10.0.0.0/16    VPN_S_A
10.1.0.0/16    VPN_S_A
10.2.0.10/32   LK_S_A`)

		// State 2: Openswan has moved from VPN_P_A to VPN_P_B.
		b.put("vpn-primary/openswan-vpn1", "VPN_P_B")
		b.tables(`
10.1.0.10/32   LK_P_A
10.2.0.0/16    VPN_P_B
172.16.0.0/16  VPN_P_B`, `
10.0.0.0/16    VPN_S_A
10.1.0.0/16    VPN_S_A
10.2.0.10/32   LK_S_A`)

		// State 3: then Route53 has moved from LK_P_A to LK_P_B.
		b.put("service/www", "LK_P_B")
		b.tables(`
10.1.0.10/32   LK_P_B
10.2.0.0/16    VPN_P_B
172.16.0.0/16  VPN_P_B`, `
10.0.0.0/16    VPN_S_A
10.1.0.0/16    VPN_S_A
10.2.0.10/32   LK_S_A`)

		// The other side does the same by itself: its tunnels and, after a crossing, its
		// virtual IP change its own table alone.
		b.put("vpn-standby/openswan-vpn1", "VPN_S_B")
		b.cross("service/www", "LK_S_B")
		b.tables(`
10.1.0.10/32   LK_P_B
10.2.0.0/16    VPN_P_B
172.16.0.0/16  VPN_P_B`, `
10.0.0.0/16    VPN_S_B
10.1.0.0/16    VPN_S_B
10.2.0.10/32   LK_S_B`)
		if got, err := b.sim.Ask("ap-northeast-1", "10.2.0.10:8080"); err != nil || got != "LK_S_B" {
			b.t.Errorf("a client in the Primary Region finds %q (%v) through the tunnels, want LK_S_B", got, err)
		}
	})
}

// cross moves a hierarchy to another region, with the region's name typed.
func (b *bench) cross(tag hierarchy.Tag, node string) {
	b.t.Helper()
	region := b.sim.Definition.Server(node).Region
	c := api.Command{Goal: plan.Goal{Kind: plan.GoalInService, Tag: tag, Node: node}, ConfirmRegion: region, By: "anna"}
	if _, err := b.eng.Submit(b.t.Context(), c); err != nil {
		b.t.Fatal(err)
	}
	b.holds(tag, node)
}

// didIn demands these operations on the VPN nodes of a side, after the first, and no others.
func (b *bench) didIn(side string, want ...string) {
	b.t.Helper()
	var got []string
	for _, op := range b.ops() {
		if strings.Contains(op, " VPN_"+side) {
			got = append(got, op)
		}
	}
	if got = got[1:]; !slices.Equal(got, want) {
		b.t.Errorf("operations %q, want %q\n%s", got, want, b.story())
	}
}

const (
	primary = hierarchy.Tag("vpn-primary/openswan-vpn1")
	standby = hierarchy.Tag("vpn-standby/openswan-vpn1")
)

// TestTunnels plays the rows of Openswan's table with the whole stack: real kit scripts
// over SSH, status as pluto prints it, routes as EC2 has them.
func TestTunnels(t *testing.T) {
	for _, c := range []struct {
		name string
		f    func(*bench)
	}{
		{"pluto killed on the active node is back by itself or recovered, and nothing moves", func(b *bench) {
			b.node("VPN_P_A").StopIPsec()
			time.Sleep(2 * time.Minute)
			b.holds(primary, "VPN_P_A")
			b.didIn("P", "recover VPN_P_A done")
		}},
		{"the active node's daemon cannot be started: failover, with both destinations", func(b *bench) {
			b.node("VPN_P_A").BreakIPsec()
			b.node("VPN_P_A").StopIPsec()
			b.holds(primary, "VPN_P_B")
			b.told("goes from VPN_P_A to VPN_P_B")
			if got := b.table("ap-northeast-1"); !strings.Contains(got, "10.2.0.0/16    VPN_P_B\n172.16.0.0/16  VPN_P_B") {
				b.t.Errorf("routes:\n%s", got)
			}
			b.until("the old node shown as failed", func(sn *api.Snapshot) bool { return stateOn(sn, primary, "VPN_P_A") == hierarchy.OSF })
			if got := b.sim.Gateway("ap-northeast-1"); got != "VPN_P_B" {
				b.t.Errorf("traffic goes over %s", got)
			}
		}},
		{"the standby node's daemon cannot be started: shown, nothing moves", func(b *bench) {
			b.node("VPN_P_B").BreakIPsec()
			b.node("VPN_P_B").StopIPsec()
			b.until("shown", func(sn *api.Snapshot) bool { return stateOn(sn, primary, "VPN_P_B") == hierarchy.OSF })
			time.Sleep(3*time.Minute + 30*time.Second)
			b.holds(primary, "VPN_P_A")
			b.didIn("P", "recover VPN_P_B failed", "recover VPN_P_B failed")
		}},
		{"both tunnels cut: nothing moves for as long as it takes, and it comes back", func(b *bench) {
			for _, n := range []string{"VPN_P_A", "VPN_P_B"} {
				if err := b.sim.CutTunnel(n); err != nil {
					b.t.Fatal(err)
				}
			}
			time.Sleep(8 * time.Minute)
			for _, tag := range []hierarchy.Tag{primary, standby} {
				sn := b.snapshot()
				for _, n := range []string{"A", "B"} {
					node := map[hierarchy.Tag]string{primary: "VPN_P_", standby: "VPN_S_"}[tag] + n
					if got := stateOn(sn, tag, node); got != hierarchy.OSF {
						b.t.Errorf("%s on %s is %s", tag, node, got)
					}
				}
			}
			for _, op := range b.ops()[3:] {
				if !strings.HasPrefix(op, "recover ") {
					b.t.Errorf("%s", op)
				}
			}
			for _, n := range []string{"VPN_P_A", "VPN_P_B"} {
				if err := b.sim.HealTunnel(n); err != nil {
					b.t.Fatal(err)
				}
			}
			for _, tag := range []hierarchy.Tag{primary, standby} { // the tunnel that is up first carries the traffic
				b.until(string(tag)+" in service", func(sn *api.Snapshot) bool { return stateOn(sn, tag, active(sn, tag)) == hierarchy.ISP })
			}
		}},
		{"the active node loses its power: the other one takes over", func(b *bench) {
			b.off("VPN_P_A")
			b.holds(primary, "VPN_P_B")
			b.didIn("P", "failover VPN_P_B done")
		}},
		{"the key was changed on the active node only: its tunnel fails at both ends, both sides move", func(b *bench) {
			if err := b.sim.ChangeKey("VPN_P_A"); err != nil {
				b.t.Fatal(err)
			}
			b.node("VPN_P_A").FlushSAs()
			b.node("VPN_S_A").FlushSAs()
			b.holds(primary, "VPN_P_B")
			b.holds(standby, "VPN_S_B")
		}},
		{"the tunnel counts as up and carries nothing", func(b *bench) {
			if err := b.sim.BlockESP("VPN_P_A"); err != nil {
				b.t.Fatal(err)
			}
			b.holds(primary, "VPN_P_B")
			b.holds(standby, "VPN_S_B")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			vpn(t, func(b *bench) {
				c.f(b)
				if v := b.verdict("LK_S_A"); v != policy.Alive && v != policy.Degraded {
					b.t.Errorf("the service cluster thinks that LK_S_A is %s", v)
				}
				if at := active(b.snapshot(), "service/www"); at != "LK_P_A" {
					b.t.Errorf("the service is on %q", at)
				}
			})
		})
	}
}

// TestCrossingWhileTunnelsMove: at each step of a crossing a tunnel pair moves as well, on
// one side or on both. The crossing ends or is taken back, the service is on one node and
// reached there, and nobody is thought dead or asked anything for it.
func TestCrossingWhileTunnelsMove(t *testing.T) {
	for name, tags := range map[string][]hierarchy.Tag{"primary": {primary}, "standby": {standby}, "both": {primary, standby}} {
		t.Run(name, func(t *testing.T) {
			vpn(t, func(b *bench) {
				at := "LK_P_A"
				for i := 0; ; i++ {
					to := map[string]string{"LK_P_A": "LK_S_A", "LK_S_A": "LK_P_A"}[at]
					b.begin("service/www", to)
					steps := b.untilStep("service/www", i)
					b.switchTunnels(tags)
					at = b.landed(at, to)
					if i >= steps-1 {
						break
					}
				}
				b.quiet()
			})
		})
	}
}

// begin asks for a crossing and does not wait for it.
func (b *bench) begin(tag hierarchy.Tag, node string) {
	b.t.Helper()
	c := api.Command{Goal: plan.Goal{Kind: plan.GoalInService, Tag: tag, Node: node}, ConfirmRegion: b.sim.Definition.Server(node).Region, By: "anna"}
	if _, err := b.eng.Submit(b.t.Context(), c); err != nil {
		b.t.Fatalf("%s to %s: %v\n%s", tag, node, err, b.story())
	}
}

// untilStep waits until the n-th step of the running operation has begun, or it is over,
// and tells how many it has.
func (b *bench) untilStep(tag hierarchy.Tag, n int) (steps int) {
	b.t.Helper()
	b.until(fmt.Sprintf("step %d", n), func(sn *api.Snapshot) bool {
		for _, op := range sn.Running {
			if op.Plan.Goal.Tag == tag {
				steps = len(op.Steps)
				return n >= steps || op.Steps[n].Status != "waiting"
			}
		}
		return true
	})
	return steps
}

// switchTunnels moves each to the other node of its pair.
func (b *bench) switchTunnels(tags []hierarchy.Tag) {
	b.t.Helper()
	other := strings.NewReplacer("_A", "_B", "_B", "_A")
	goes := map[hierarchy.Tag]string{}
	for _, tag := range tags {
		goes[tag] = other.Replace(active(b.snapshot(), tag))
		c := api.Command{Goal: plan.Goal{Kind: plan.GoalInService, Tag: tag, Node: goes[tag]}, By: "ben"}
		if _, err := b.eng.Submit(b.t.Context(), c); err != nil {
			b.t.Fatalf("%s to %s: %v", tag, goes[tag], err)
		}
	}
	for tag, node := range goes {
		b.holds(tag, node)
	}
}

// landed waits for the end of the crossing and tells on which of two nodes it is.
func (b *bench) landed(from, to string) string {
	b.t.Helper()
	at := ""
	b.until("the service on "+from+" or "+to, func(sn *api.Snapshot) bool {
		at = active(sn, "service/www")
		return len(sn.Running) == 0 && (at == from || at == to) && stateOn(sn, "service/www", at) == hierarchy.ISP
	})
	b.check(at)
	return at
}

// quiet demands that nothing was decided by itself, nobody asked and no node given up.
func (b *bench) quiet() {
	b.t.Helper()
	sn := b.snapshot()
	if len(sn.Questions) > 0 {
		b.t.Errorf("asked: %+v", sn.Questions[0])
	}
	for _, n := range sn.Nodes {
		if n.Verdict != policy.Alive && n.Verdict != policy.Degraded {
			b.t.Errorf("%s is %s", n.Name, n.Verdict)
		}
	}
	for _, op := range b.ops() {
		if !strings.HasPrefix(op, "in-service ") {
			b.t.Errorf("by itself: %s", op)
		}
	}
}
