package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/sim"
)

const (
	vpnPrimary = hierarchy.Tag("vpn-primary/openswan-vpn1")
	vpnStandby = hierarchy.Tag("vpn-standby/openswan-vpn1")
)

// whole is Figure 1 in the lab with all three hierarchies in service: the service on LK_P_A, the
// tunnels' routes on VPN_P_A and VPN_S_A.
func whole(t testing.TB) *site {
	t.Helper()
	s := newSiteIn(remember(t), eight(), short)
	s.startEngine()
	s.must("apply", s.file, "--yes")
	s.until("all nodes alive", func(sn *api.Snapshot) bool { return allAlive(sn) && allKnown(sn) })
	s.put("service/www", "LK_P_A")
	s.put(vpnPrimary, "VPN_P_A")
	s.put(vpnStandby, "VPN_S_A")
	return s
}

// short makes each VPN node's tunnel its own, and waits of the kit so short that a test may wait for them.
func short(e *hierarchy.Estate) {
	for i := range e.Res {
		r := &e.Res[i]
		for k := range r.On {
			if r.Kit != "openswan" {
				continue
			}
			if r.On[k].Attrs == nil {
				r.On[k].Attrs = map[string]string{}
			}
			r.On[k].Attrs["connection"] = map[string]string{"A": "vpn1", "B": "vpn2"}[r.On[k].Server[len(r.On[k].Server)-1:]]
		}
	}
	for i := range e.Servers {
		if s := &e.Servers[i]; strings.HasPrefix(s.Name, "VPN_") {
			s.Tuning["OPENSWAN_PING_TIMEOUT"], s.Tuning["OPENSWAN_CHECK_TRY_COUNT"], s.Tuning["OPENSWAN_CHECK_INTERVAL"] = "2", "2", "1"
		}
	}
}

// put moves a hierarchy as a person does, and waits for the end.
func (s *site) put(tag hierarchy.Tag, node string) {
	s.t.Helper()
	s.insist("in-service", string(tag), "--on", node, "--yes")
	s.holds(tag, node)
}

// holds waits until the resource is in service on the node and nothing moves it. Standby nodes may still be repaired.
func (s *site) holds(tag hierarchy.Tag, node string) {
	s.t.Helper()
	s.until(fmt.Sprintf("%s in service on %s", tag, node), func(sn *api.Snapshot) bool {
		return activeAt(sn, tag) == node && stateAt(sn, tag, node) == hierarchy.ISP && !works(sn, tag.Cluster())
	})
}

// works tells that something is done about what is in service in a cluster.
func works(sn *api.Snapshot, cluster string) bool {
	return slices.ContainsFunc(sn.Running, func(op api.Operation) bool {
		g := op.Plan.Goal
		return g.Tag.Cluster() == cluster && (g.Kind != "recover" || g.Node == activeAt(sn, g.Tag))
	})
}

// activeAt is the node that holds the resource, also while it fails there.
func activeAt(sn *api.Snapshot, tag hierarchy.Tag) string {
	for _, r := range sn.Resources {
		if r.Tag == tag && r.Claim != nil {
			return r.Claim.Node
		}
	}
	return ""
}

func stateAt(sn *api.Snapshot, tag hierarchy.Tag, node string) hierarchy.State {
	for _, r := range sn.Resources {
		for _, in := range r.On {
			if r.Tag == tag && in.Server == node {
				return in.State
			}
		}
	}
	return ""
}

// leads demands that a region's routes to the other one point to this node, and no others changed hands.
func (s *site) leads(region, node string) {
	s.t.Helper()
	table := s.ec2.Snapshot()
	rtb := table.Table(sim.TableOf(*s.estate.Region(region)))
	want := map[string][]string{"ap-northeast-1": {"172.16.0.0/16", "10.2.0.0/16"}, "ap-southeast-1": {"10.0.0.0/16", "10.1.0.0/16"}}[region]
	for _, dest := range want {
		if got := rtb.Route(dest).Interface; got != s.estate.Server(node).ENI {
			s.t.Errorf("%s of %s points to %s, want %s's", dest, region, got, node)
		}
	}
}

// apart demands that the service was left alone: on its node, nobody given up, nothing asked.
func (s *site) apart() {
	s.t.Helper()
	c, err := s.client.Snapshot(ctx(s.t))
	if err != nil {
		s.t.Fatal(err)
	}
	if at := activeAt(c, "service/www"); at != "LK_P_A" {
		s.t.Errorf("the service is on %q", at)
	}
	for _, n := range c.Nodes {
		if strings.HasPrefix(n.Name, "LK_") && n.Verdict != "alive" && n.Verdict != "degraded" {
			s.t.Errorf("%s is %s", n.Name, n.Verdict)
		}
	}
	if q := pending(c); len(q) > 0 {
		s.t.Errorf("asked: %v", q)
	}
}

// moved lists the operations of a cluster that moved something, oldest first.
func (s *site) moved(cluster string) []string {
	s.t.Helper()
	ops, err := s.client.Operations(ctx(s.t), 0)
	if err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for _, op := range slices.Backward(ops) {
		if g := op.Plan.Goal; g.Tag.Cluster() == cluster && g.Kind != "recover" {
			out = append(out, fmt.Sprintf("%s %s %s", g.Kind, g.Node, op.Outcome))
		}
	}
	return out
}

// across asks the service from the Standby Region, which leads through the tunnels both ways, for as long as story runs.
func (s *site) across(t *testing.T, what string, story func()) {
	t.Helper()
	probe := s.l.ClientIn("ap-southeast-1").Probe(long(t), vip, everyAsk)
	defer probe.Stop()
	if err := probe.WaitAnswer(ctx(t), "LK_P_A"); err != nil {
		t.Fatalf("through the tunnels, before anything happened: %v", err)
	}
	story()
	if err := probe.WaitAnswer(ctx(t), "LK_P_A"); err != nil {
		t.Fatalf("through the tunnels, afterwards: %v", err)
	}
	probe.Stop()
	t.Logf("%s, as a client in the other region saw it: %s", what, probe.Outage())
}

// allWork waits until both tunnels carry packets, and the engine knows it of all four ends.
func (s *site) allWork() {
	s.t.Helper()
	for _, c := range []string{"vpn1", "vpn2"} {
		if err := s.l.WaitTunnel(ctx(s.t), c); err != nil {
			s.t.Fatal(err)
		}
	}
	for _, n := range []string{"VPN_P_A", "VPN_P_B", "VPN_S_A", "VPN_S_B"} {
		s.until(n+" known to work", func(sn *api.Snapshot) bool {
			st := stateAt(sn, tunnelsOf(n), n)
			return (st == hierarchy.ISP || st == hierarchy.OSU) && len(sn.Running) == 0
		})
	}
}

// tunnelsOf is the resource that a VPN node belongs to.
func tunnelsOf(node string) hierarchy.Tag {
	return map[string]hierarchy.Tag{"P": vpnPrimary, "S": vpnStandby}[node[4:5]]
}

// vpnStory is something that happens to the tunnels while those of zone "at" carry the traffic and those of
// zone "other" stand by. It ends with the traffic on the zone that it names.
type vpnStory struct {
	name string
	// did are the operations of vpn-primary that are no recoveries: "failover OTHER done".
	did  []string
	play func(t *testing.T, at, other string) (now string)
	mend func(at string) error
}

// TestVPN plays what can happen to the tunnels, one story after the other, on real IPsec, while a client in the other
// region uses the service through them.
func TestVPN(t *testing.T) {
	s := whole(t)
	at, other := "A", "B"
	for _, c := range s.vpnStories() {
		was := at
		var want []string
		for _, op := range c.did {
			want = append(want, strings.NewReplacer("OTHER", "VPN_P_"+other, "AT", "VPN_P_"+at).Replace(op))
		}
		if !t.Run(c.name, func(t *testing.T) {
			before := len(s.moved("vpn-primary"))
			s.across(t, c.name, func() {
				now := c.play(t, at, other)
				s.both(now)
				if now != at {
					at, other = other, at
				}
			})
			if got := s.moved("vpn-primary")[before:]; !slices.Equal(got, want) {
				t.Errorf("vpn-primary did %q, want %q", got, want)
			}
			s.apart()
		}) {
			t.FailNow()
		}
		if c.mend != nil {
			must(t, c.mend(was))
		}
		s.allWork()
		// a person's switchover ends what the storm brake counted
		s.put(vpnPrimary, "VPN_P_"+other)
		s.put(vpnStandby, "VPN_S_"+other)
		at, other = other, at
	}
	t.Run("both tunnels lost, and back", s.bothLost)
	t.Run("the peer region gone", s.peerRegionGone)
}

// both waits until both regions send their traffic over the tunnel of a zone.
func (s *site) both(zone string) {
	s.t.Helper()
	s.holds(vpnPrimary, "VPN_P_"+zone)
	s.holds(vpnStandby, "VPN_S_"+zone)
	s.leads("ap-northeast-1", "VPN_P_"+zone)
	s.leads("ap-southeast-1", "VPN_S_"+zone)
}

func conn(zone string) string { return map[string]string{"A": "vpn1", "B": "vpn2"}[zone] }

func (s *site) vpnStories() []vpnStory {
	failed := func(node string) {
		s.until(node+" shown as failed", func(sn *api.Snapshot) bool { return stateAt(sn, vpnPrimary, node) == hierarchy.OSF })
	}
	return []vpnStory{
		{"step 12 of the seed: both regions switched over and back", []string{"in-service OTHER done", "in-service AT done"}, func(_ *testing.T, at, other string) string {
			for _, zone := range []string{other, at} {
				s.put(vpnPrimary, "VPN_P_"+zone)
				s.put(vpnStandby, "VPN_S_"+zone)
				s.both(zone)
			}
			return at
		}, nil},
		{"pluto killed on the active node: nothing moves", nil, func(t *testing.T, at, _ string) string {
			must(t, s.l.KillPluto(ctx(t), "VPN_P_"+at))
			must(t, s.l.WaitTunnel(ctx(t), conn(at)))
			return at
		}, nil},
		{"pluto stopped on the active node: recovered there", nil, func(t *testing.T, at, _ string) string {
			must(t, s.l.StopPluto(ctx(t), "VPN_P_"+at))
			failed("VPN_P_" + at)
			return at
		}, nil},
		{"pluto hangs on the active node: recovered there", nil, func(t *testing.T, at, _ string) string {
			must(t, s.l.HangPluto(ctx(t), "VPN_P_"+at))
			failed("VPN_P_" + at)
			return at
		}, nil},
		{"the active node's tunnel cannot be brought back: failover", []string{"failover OTHER done"}, func(t *testing.T, at, other string) string {
			must(t, s.l.BreakPluto(ctx(t), "VPN_P_"+at))
			must(t, s.l.StopPluto(ctx(t), "VPN_P_"+at))
			s.both(other)
			failed("VPN_P_" + at)
			return other
		}, func(at string) error { return s.l.MendPluto(ctx(s.t), "VPN_P_"+at) }},
		{"another key on one side only: both sides move to the other tunnel", []string{"failover OTHER done"}, func(t *testing.T, at, other string) string {
			must(t, s.l.SetSecret(ctx(t), conn(at), "VPN_P_"+at, "somebodychangedthiskeyononesideonly"))
			must(t, s.l.KillPluto(ctx(t), "VPN_P_"+at))
			s.both(other)
			return other
		}, func(at string) error {
			return s.l.SetSecret(ctx(s.t), conn(at), "VPN_P_"+at, s.l.Topology().Tunnels[map[string]int{"A": 0, "B": 1}[at]].Secret())
		}},
		{"the daemons say up, the data path is dead: both sides move", []string{"failover OTHER done"}, func(t *testing.T, at, other string) string {
			must(t, s.l.CutTunnelData(ctx(t), conn(at)))
			s.both(other)
			return other
		}, func(at string) error { return s.l.HealTunnel(ctx(s.t), conn(at)) }},
		{"the standby node's tunnel is lost: shown, nothing moves", nil, func(t *testing.T, at, other string) string {
			must(t, s.l.BreakPluto(ctx(t), "VPN_P_"+other))
			must(t, s.l.StopPluto(ctx(t), "VPN_P_"+other))
			failed("VPN_P_" + other)
			s.never("something moved", 12*time.Second, func(sn *api.Snapshot) bool { return activeAt(sn, vpnPrimary) != "VPN_P_"+at })
			return at
		}, func(at string) error {
			return s.l.MendPluto(ctx(s.t), "VPN_P_"+map[string]string{"A": "B", "B": "A"}[at])
		}},
	}
}

// bothLost: no tunnel is left. Nothing moves, it is tried again with each check, and when the link is back
// everything is by itself; the service is left alone all the time.
func (s *site) bothLost(t *testing.T) {
	was := s.now(t)
	before := len(s.moved("vpn-primary"))
	for _, c := range []string{"vpn1", "vpn2"} {
		must(t, s.l.CutTunnel(ctx(t), c))
	}
	for _, n := range []string{"VPN_P_A", "VPN_P_B", "VPN_S_A", "VPN_S_B"} {
		s.until(n+" shown as failed", func(sn *api.Snapshot) bool { return stateAt(sn, tunnelsOf(n), n) == hierarchy.OSF })
	}
	s.never("something moved, or was asked", 25*time.Second, func(sn *api.Snapshot) bool {
		for _, tag := range []hierarchy.Tag{vpnPrimary, vpnStandby, "service/www"} {
			if at := activeAt(sn, tag); at != activeAt(was, tag) {
				t.Errorf("%s is on %q, was on %q", tag, at, activeAt(was, tag))
				return true
			}
		}
		for _, q := range sn.Questions {
			if q.State == "pending" {
				t.Errorf("asked: %+v", q)
				return true
			}
		}
		return false
	})
	if got := s.moved("vpn-primary")[before:]; len(got) > 0 {
		t.Errorf("while both were lost: %q", got)
	}
	s.apart()
	for _, c := range []string{"vpn1", "vpn2"} {
		must(t, s.l.HealTunnel(ctx(t), c))
	}
	healed := time.Now()
	for _, tag := range []hierarchy.Tag{vpnPrimary, vpnStandby} { // the tunnel that is up first carries the traffic
		s.until(string(tag)+" in service", func(sn *api.Snapshot) bool { return stateAt(sn, tag, activeAt(sn, tag)) == hierarchy.ISP })
	}
	if got, err := s.l.ClientIn("ap-southeast-1").Ask(ctx(t), vip); err != nil || got != "LK_P_A" {
		t.Errorf("through the tunnels a client finds %q: %v", got, err)
	}
	t.Logf("the link healed, all in service again after %s", time.Since(healed).Round(time.Millisecond))
	s.apart()
}

func (s *site) now(t *testing.T) *api.Snapshot {
	t.Helper()
	sn, err := s.client.Snapshot(ctx(t))
	must(t, err)
	return sn
}

// peerRegionGone: the other region loses its power. What is left keeps its routes and the service.
func (s *site) peerRegionGone(t *testing.T) {
	at := activeAt(s.now(t), vpnPrimary)
	before := len(s.moved("vpn-primary"))
	for _, n := range []string{"VPN_S_A", "VPN_S_B", "LK_S_A", "LK_S_B"} {
		must(t, s.l.Guest(n).PowerOff(ctx(t)))
	}
	for _, n := range []string{"VPN_P_A", "VPN_P_B"} {
		s.until(n+" shown as failed", func(sn *api.Snapshot) bool { return stateAt(sn, vpnPrimary, n) == hierarchy.OSF })
	}
	s.never("something moved", 12*time.Second, func(sn *api.Snapshot) bool {
		return activeAt(sn, vpnPrimary) != at || activeAt(sn, "service/www") != "LK_P_A"
	})
	if got := s.moved("vpn-primary")[before:]; len(got) > 0 {
		t.Errorf("vpn-primary did %q", got)
	}
	if got := s.ask(vip); got != "LK_P_A" {
		t.Errorf("a client finds %q", got)
	}
}

// TestVPNMovesWhileTheServiceCrosses: the service crosses the regions there and back, and in the middle
// tunnels are switched over, on one side or on both, or one is lost. The crossing ends or is taken back, the
// service is on one node, and nobody is given up for it.
func TestVPNMovesWhileTheServiceCrosses(t *testing.T) {
	s := whole(t)
	at := "LK_P_A"
	for i, after := range []time.Duration{0, 200 * time.Millisecond, 500 * time.Millisecond, 900 * time.Millisecond, 1500 * time.Millisecond, 3 * time.Second} {
		to := map[string]string{"LK_P_A": "LK_S_A", "LK_S_A": "LK_P_A"}[at]
		s.must("in-service", "service/www", "--on", to, "--confirm-region", s.estate.Server(to).Region, "--yes", "--no-wait")
		time.Sleep(after)
		z := map[bool]string{true: "B", false: "A"}[i%2 == 0]
		moves := [][]hierarchy.Tag{{vpnPrimary}, {vpnStandby}, {vpnPrimary, vpnStandby}}[i%3]
		for _, tag := range moves {
			node := map[hierarchy.Tag]string{vpnPrimary: "VPN_P_", vpnStandby: "VPN_S_"}[tag] + z
			if sn, err := s.client.Snapshot(ctx(t)); err == nil && activeAt(sn, tag) == node {
				node = strings.NewReplacer("_A", "_B", "_B", "_A").Replace(node)
			}
			s.put(tag, node)
		}
		at = s.landed(at, to)
		t.Logf("after %s, %v moved: %s", after, moves, at)
	}
	// a tunnel is lost, and both sides fail over while the service crosses
	must(t, s.l.CutTunnelData(ctx(t), map[byte]string{'A': "vpn1", 'B': "vpn2"}[s.activeVPN()]))
	s.until("the loss seen", func(sn *api.Snapshot) bool { return works(sn, "vpn-primary") || works(sn, "vpn-standby") })
	to := map[string]string{"LK_P_A": "LK_S_A", "LK_S_A": "LK_P_A"}[at]
	s.must("in-service", "service/www", "--on", to, "--confirm-region", s.estate.Server(to).Region, "--yes", "--no-wait")
	at = s.landed(at, to)
	for _, tag := range []hierarchy.Tag{vpnPrimary, vpnStandby} {
		s.until(string(tag)+" in service again", func(sn *api.Snapshot) bool {
			return stateAt(sn, tag, activeAt(sn, tag)) == hierarchy.ISP && !works(sn, tag.Cluster())
		})
	}
	sn, err := s.client.Snapshot(ctx(t))
	must(t, err)
	for _, n := range sn.Nodes {
		if strings.HasPrefix(n.Name, "LK_") && n.Verdict != "alive" && n.Verdict != "degraded" {
			t.Errorf("%s is %s", n.Name, n.Verdict)
		}
	}
	if q := pending(sn); len(q) > 0 {
		t.Errorf("asked: %v", q)
	}
}

// activeVPN is the zone's letter of the tunnel that the Primary Region uses.
func (s *site) activeVPN() byte {
	s.t.Helper()
	sn, err := s.client.Snapshot(ctx(s.t))
	if err != nil {
		s.t.Fatal(err)
	}
	at := activeAt(sn, vpnPrimary)
	return at[len(at)-1]
}

// landed waits for the end of a crossing and tells on which of two nodes the service is; on no other is it.
func (s *site) landed(from, to string) (at string) {
	s.t.Helper()
	s.until("the service on "+from+" or "+to, func(sn *api.Snapshot) bool {
		at = activeAt(sn, "service/www")
		return !works(sn, "service") && (at == from || at == to) && stateAt(sn, "service/www", at) == hierarchy.ISP
	})
	addr := map[string]string{"P": vip, "S": farVIP}[at[3:4]]
	s.untilAnswer(addr, at)
	other := map[string]string{from: to, to: from}[at]
	for _, a := range []string{"10.1.0.10", "10.2.0.10"} {
		if out, err := s.l.Guest(other).Sh(ctx(s.t), "ip -o addr show to "+a); err != nil || out != "" {
			s.t.Errorf("the service is on %s, and %s on %s: %q %v", at, a, other, out, err)
		}
	}
	return at
}
