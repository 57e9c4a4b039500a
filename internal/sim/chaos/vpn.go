package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
)

// Some estates over two regions have a pair of VPN nodes in each, as Figure 1 has: what
// the regions say to each other goes through the tunnel that the route tables name. The
// rules of the service's cluster (rules.go) hold there as everywhere; the tunnels' own
// are here.

// Tunnels is a rule of the VPN clusters: they move and are recovered when something was
// wrong with a tunnel, and in the end every tunnel carries, and each region's routes
// lead to the node that is in service.
const Tunnels = "tunnels"

// vpnNodes are the VPN nodes of the k-th region; a tunnel joins the i-th of both.
func vpnNodes(k int) []string { return []string{fmt.Sprintf("v%da", k+1), fmt.Sprintf("v%db", k+1)} }

func vpnCluster(k int) string { return fmt.Sprintf("vpn%d", k+1) }

func vpnTag(k int) hierarchy.Tag { return hierarchy.MakeTag(vpnCluster(k), "openswan-t") }

// networks are what lies behind the k-th region's VPN nodes.
func (s Shape) networks(k int) string {
	out := fmt.Sprintf("10.%d.0.0/16", k)
	for _, r := range s.Resources {
		if r.Kit == "ip" && slices.ContainsFunc(r.On, func(n string) bool { return s.regionOf(n) == s.Regions[k] }) {
			return out + fmt.Sprintf(",10.%d.0.0/16", 100+k)
		}
	}
	return out
}

// addVPN adds the VPN clusters to a definition, and declares that they carry the paths between the regions.
func (s Shape) addVPN(e *hierarchy.Estate) {
	for k, region := range s.Regions {
		c := hierarchy.Cluster{Name: vpnCluster(k), Servers: vpnNodes(k), QuorumMode: hierarchy.NoQuorum}
		var on []hierarchy.Placement
		for i, n := range c.Servers {
			e.Servers = append(e.Servers, s.server(n, region, 210+i))
			on = append(on, hierarchy.Placement{Server: n, Priority: i + 1})
		}
		routes := hierarchy.Resource{
			Tag: hierarchy.MakeTag(c.Name, "ec2-t"), Kit: "ec2", Cluster: c.Name, Switchback: hierarchy.Intelligent, On: on,
			Attrs: map[string]string{"type": "route-table", "destinations": s.networks(1 - k)},
		}
		e.Cluster = append(e.Cluster, c)
		e.Res = append(e.Res, routes, hierarchy.Resource{
			Tag: vpnTag(k), Kit: "openswan", Cluster: c.Name, Switchback: hierarchy.Intelligent, On: on,
			Attrs: map[string]string{"connection": "t"}, Children: []hierarchy.Tag{routes.Tag},
		})
	}
	for _, a := range s.Nodes {
		for _, b := range s.Nodes {
			if a.Region != b.Region {
				e.Paths = append(e.Paths, hierarchy.CommPath{
					Cluster: cluster, From: a.Name, To: b.Name, ToAddr: e.Server(b.Name).Address, Via: hierarchy.ViasOf(vpnTag(0), vpnTag(1)),
				})
			}
		}
	}
}

// drawVPN decides about the tunnels with a die of its own, so that an estate without
// them is the same as ever.
func drawVPN(sc *Scenario, size Size) {
	d := drawing{rand.New(rand.NewPCG(sc.Seed, 0x74756e6e656c))}
	if len(sc.Shape.Regions) != 2 || !d.chance(10) {
		return
	}
	sc.Shape.VPN = true
	for range 1 + d.IntN(size.Events/4) {
		at := d.between(0, size.Time)
		begin, end := d.vpnEvent()
		sc.Events = append(sc.Events, Event{At: at, Do: begin[0], Args: begin[1:]})
		if end != nil && d.chance(85) {
			if after := d.between(time.Second, 4*time.Minute); at+after < size.Time {
				sc.Events = append(sc.Events, Event{At: at + after, Do: end[0], Args: end[1:]})
			}
		}
	}
	slices.SortStableFunc(sc.Events, func(a, b Event) int { return int(a.At - b.At) })
}

func (d drawing) vpnEvent() (begin, end []string) {
	n := d.one("v1a", "v1b", "v2a", "v2b")
	switch d.IntN(12) {
	case 0, 1:
		return []string{"tunnel", n, "cut"}, []string{"tunnel", n, "join"}
	case 2:
		return []string{"tunnel", n, "block"}, []string{"tunnel", n, "allow"}
	case 3:
		return []string{"tunnel", n, "change-key"}, []string{"tunnel", n, "restore-key"}
	case 4:
		return []string{"ipsec", n, "kill"}, nil
	case 5:
		return []string{"ipsec", n, "stop"}, nil
	case 6:
		return []string{"ipsec", n, "freeze"}, []string{"ipsec", n, "thaw"}
	case 7:
		return []string{"ipsec", n, "break"}, []string{"ipsec", n, "mend"}
	case 8:
		return []string{"ipsec", n, "flush"}, nil
	case 9:
		return []string{"power-off", n}, []string{"power-on", n}
	case 10:
		return []string{"hang", n}, []string{"resume", n}
	}
	return []string{"reboot", n}, nil
}

// onTunnel does something to the tunnel that ends on a node.
func onTunnel(w *stack, a []string) {
	do := map[string]func(string) error{
		"cut": w.sim.CutTunnel, "join": w.sim.HealTunnel, "block": w.sim.BlockESP, "allow": w.sim.AllowESP,
		"change-key": w.sim.ChangeKey, "restore-key": w.sim.RestoreKey,
	}[arg(a, 1)]
	if do != nil {
		_ = do(arg(a, 0)) // a node without a tunnel: nothing happens
	}
}

// onIPsec does something to a node's daemon.
func onIPsec(w *stack, n *nodesim.Node, what string) {
	do := map[string]func(){
		"kill": n.KillIPsec, "stop": n.StopIPsec, "freeze": n.FreezeIPsec, "thaw": n.ThawIPsec,
		"break": n.BreakIPsec, "mend": n.MendIPsec, "flush": n.FlushSAs,
	}[what]
	if do != nil {
		do()
	}
}

// beginVPN brings the tunnels' routes into service on the first nodes.
func (w *stack) beginVPN(ctx context.Context) error {
	for k := range w.sc.Shape.Regions {
		for until := time.Now().Add(2 * time.Minute); ; {
			_, err := w.proc.eng.Submit(ctx, api.Command{Goal: plan.Goal{Kind: plan.GoalInService, Tag: vpnTag(k), Node: vpnNodes(k)[0]}, By: "anna"})
			w.pass(ctx, second)
			if err == nil && w.idle() {
				break
			}
			if time.Now().After(until) {
				return fmt.Errorf("%s does not come into service: %v\n%s", vpnTag(k), err, w.eyes.story.String())
			}
		}
	}
	return nil
}

// healVPN ends every fault of the tunnels.
func (w *stack) healVPN() {
	for _, t := range w.sim.Tunnels() {
		_ = w.sim.AllowESP(t.A) // it is the end of a tunnel
		for _, name := range []string{t.A, t.B} {
			n := w.sim.Nodes.Node(name)
			n.ThawIPsec()
			n.MendIPsec()
			_ = w.sim.RestoreKey(name)
		}
	}
}

// wayOpen tells whether packets get from one region to the other and back now.
func (w *stack) wayOpen() bool {
	var ends []*hierarchy.Server
	for _, r := range w.sc.Shape.Regions {
		for _, n := range w.sc.Shape.Nodes {
			if s := w.sim.Definition.Server(n.Name); n.Region == r && len(ends) < 2 && (len(ends) == 0 || ends[0].Region != r) {
				ends = append(ends, s)
			}
		}
	}
	if len(ends) < 2 {
		return true
	}
	for i, from := range ends {
		to := ends[1-i]
		gate := w.sim.Gateway(from.Region) // the nodes at the ends may be off themselves
		if at, _ := w.sim.Nodes.Travel(gate, netip.MustParseAddr(from.Address), netip.MustParseAddr(to.Address)); gate == "" || w.sim.Definition.Server(at).Region != to.Region {
			return false
		}
	}
	return true
}

// lookAtTunnels notes what is wrong with the tunnels just now.
func (w *stack) lookAtTunnels() {
	if !w.sc.Shape.VPN {
		return
	}
	well, open := true, w.wayOpen()
	for _, t := range w.sim.Nodes.Tunnels() {
		well = well && t.Carries && t.Answers
	}
	ends := w.sim.Nodes.Tunnels()
	w.mark(func(e *eyes) {
		e.wayLost = !open
		well = well && len(ends) == 4 && !e.cloudLies
		for k := range e.shape.Regions {
			for _, n := range vpnNodes(k) {
				well = well && !e.wrong(n)
			}
		}
		if !well || !open {
			e.tunnelBad = time.Now()
		}
	})
}

// aboutTunnels tells that an operation is the VPN clusters'; it is judged here.
func (e *eyes) aboutTunnels(op *policy.Op) bool {
	if e.shape.find(op.Plan.Goal.Tag.Short()) != nil || !e.shape.VPN {
		return false
	}
	g := op.Plan.Goal
	if op.By == "automatic" && (g.Kind == plan.GoalRecover || g.Kind == plan.GoalFailover) && !op.Back && time.Since(e.tunnelBad) > lookBack {
		e.violated(Tunnels, "%s begins: %s %s from %s to %s, and no tunnel was in trouble: %s", op.ID, g.Kind, g.Tag, g.From, g.Node, op.Cause.Text)
	}
	return true
}

// ruleTunnels is the end: every tunnel carries, and both regions use one that is in service.
func (w *stack) ruleTunnels(snap *api.Snapshot) {
	if !w.sc.Shape.VPN {
		return
	}
	for _, t := range w.sim.Nodes.Tunnels() {
		if !t.Carries {
			w.mark(func(e *eyes) { e.violated(Tunnels, "the tunnel of %s is not up again: %+v", t.Node, t) })
		}
	}
	for k, region := range w.sc.Shape.Regions {
		gate := w.sim.Gateway(region)
		for _, r := range snap.Resources {
			if r.Tag != vpnTag(k) {
				continue
			}
			w.mark(func(e *eyes) {
				if e.waitsOn(r.Tag) {
					return
				}
				if r.Active == "" || r.Active != gate {
					e.violated(Tunnels, "%s is in service on %q, and the routes of %s lead to %q", r.Tag, r.Active, region, gate)
				}
				for _, in := range r.On {
					if in.State != hierarchy.ISP && in.State != hierarchy.OSU {
						e.violated(Tunnels, "the engine says %s on %s: %s %s", r.Tag, in.Server, in.State, in.Reason.Text)
					}
				}
			})
		}
	}
}

// waitsOn tells that a person was asked or refused something about the tunnels, or that
// automation holds them where they are.
func (e *eyes) waitsOn(tag hierarchy.Tag) bool {
	for _, q := range e.questions {
		if q.State == policy.Pending && q.Tag == tag {
			return true
		}
	}
	l, lost := e.losses[string(tag)]
	return lost && (l.Refused != nil || l.Stuck != nil)
}
