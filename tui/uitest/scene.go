package uitest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/examples"
	"github.com/ferry-ha/ferry/internal/allkits"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/ec2"
	"github.com/ferry-ha/ferry/kits/route53"
)

// Clock is the moment of every scene.
var Clock = time.Date(2026, 3, 1, 3, 14, 15, 0, time.UTC)

// Ago is that long before it.
func Ago(d time.Duration) time.Time { return Clock.Add(-d) }

// Kits are the product's kits, without a cloud behind them.
func Kits() kits.Registry {
	return allkits.Of(ec2.New(nil), route53.New(nil).Asking(nil))
}

// The scenes.
const (
	Calm     = "calm"     // everything in service on LK_P_A, all nodes alive
	Moving   = "moving"   // a switchover to LK_P_B is half-way
	Failover = "failover" // LK_P_A is presumed dead, the service runs on LK_P_B
	Question = "question" // both nodes of the Primary Region are gone: may it cross?
	Trouble  = "trouble"  // everything that can be wrong, with hostile text in it
	Fresh    = "fresh"    // an engine without an estate
)

// Scenes are all of them.
func Scenes() []string { return []string{Calm, Moving, Failover, Question, Trouble, Fresh} }

// Scene makes the snapshot of a scene.
func Scene(t testing.TB, name string) *api.Snapshot {
	t.Helper()
	if name == Fresh {
		return &api.Snapshot{Version: api.Version, At: Clock, Revision: 1, Engine: engineInfo()}
	}
	e, err := config.Load(strings.NewReader(examples.CrossRegion), "cross-region.toml", Kits())
	if err != nil {
		t.Fatal(err)
	}
	s := Of(e, "LK_P_A")
	switch name {
	case Moving:
		moving(t, s)
	case Failover:
		lose(s, "LK_P_A")
		runOn(s, "LK_P_B", 12*time.Second)
	case Question:
		lose(s, "LK_P_A")
		runOn(s, "LK_P_B", 40*time.Minute)
		lose(s, "LK_P_B")
		ask(t, s)
	case Trouble:
		trouble(s)
	}
	return s
}

// Of is an estate that is well, everything in service on a server (or, where it is not
// extended there, on its best one).
func Of(e *hierarchy.Estate, active string) *api.Snapshot {
	s := &api.Snapshot{Version: api.Version, At: Clock, Revision: 41, Estate: e, Engine: engineInfo()}
	x := hierarchy.NewIndex(e)
	for _, srv := range e.Servers {
		n := api.NodeStatus{Name: srv.Name, Region: srv.Region, Zone: srv.Zone, Verdict: policy.Alive, Since: Ago(76 * time.Hour), Seen: Ago(2 * time.Second), Copy: Ago(40 * time.Minute)}
		if c := x.ClusterOf(srv.Name); c != nil {
			n.Cluster, n.Peers = c.Name, map[string]string{}
			for _, p := range x.Peers(srv.Name) {
				n.Peers[p] = kits.OK.String()
			}
		}
		s.Nodes = append(s.Nodes, n)
	}
	for _, r := range e.Res {
		st := api.ResourceStatus{Tag: r.Tag, Kit: r.Kit, Cluster: r.Cluster, Children: r.Children}
		for _, p := range x.PlacementsByPriority(r.Tag) {
			st.On = append(st.On, api.InstanceStatus{Server: p.Server, Priority: p.Priority, State: hierarchy.OSU, Since: Ago(76 * time.Hour), Checked: Ago(42 * time.Second), Address: p.Attrs["address"]})
		}
		s.Resources = append(s.Resources, st)
	}
	runOn(s, active, 3*time.Hour)
	return s
}

func engineInfo() api.EngineInfo {
	return api.EngineInfo{ID: "e-1", Who: "root@bastion (412)", Epoch: 3, Since: Ago(76 * time.Hour), Automation: true, Version: "v0.1.0"}
}

// runOn puts everything in service on a server. What is in service already and not
// extended there stays where it is.
func runOn(s *api.Snapshot, server string, since time.Duration) {
	for i := range s.Resources {
		r := &s.Resources[i]
		if r.Active != "" && !extended(r, server) {
			continue
		}
		r.Active = server
		if len(r.On) > 0 && !extended(r, server) {
			r.Active = r.On[0].Server
		}
		r.Claim = &hierarchy.Claim{Number: 7, Node: r.Active, At: Ago(since), By: "anna"}
		for j := range r.On {
			in := &r.On[j]
			if in.Server == r.Active {
				in.State, in.Since = hierarchy.ISP, Ago(since)
			} else if in.State.InService() {
				in.State, in.Since = hierarchy.OSU, Ago(since)
			}
		}
	}
}

func extended(r *api.ResourceStatus, server string) bool {
	for _, in := range r.On {
		if in.Server == server {
			return true
		}
	}
	return false
}

// lose lets a node be presumed dead.
func lose(s *api.Snapshot, server string) {
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if n.Name == server {
			n.Verdict, n.Since, n.Seen = policy.Presumed, Ago(25*time.Second), Ago(41*time.Second)
			n.Evidence = []kits.Reason{
				kits.Why("evidence-missed", "The engine has missed 3 heartbeats of "+server+" in a row.", "n", "3", "node", server),
				kits.Why("evidence-peers-miss", "Asked, and not reaching it either: LK_S_A and LK_S_B.", "peers", "LK_S_A and LK_S_B"),
				kits.Why("evidence-cloud-says", "EC2 says "+server+" is running, which may be a minute old.", "node", server, "state", "running"),
			}
			for p := range n.Peers { // what each peer says of reaching it
				n.Peers[p] = kits.Failed.String()
			}
		}
	}
	for i := range s.Resources {
		for j := range s.Resources[i].On {
			if in := &s.Resources[i].On[j]; in.Server == server {
				in.State, in.Since = hierarchy.ILLSTATE, Ago(25*time.Second)
				in.Reason = kits.Why("state-node-lost", server+" is lost, so nothing is known of what runs there.", "node", server)
			}
		}
	}
}

// view is what a plan rests on, taken from a snapshot.
type view struct{ s *api.Snapshot }

func (v view) res(t hierarchy.Tag) *api.ResourceStatus {
	for i := range v.s.Resources {
		if v.s.Resources[i].Tag == t {
			return &v.s.Resources[i]
		}
	}
	return &api.ResourceStatus{}
}

func (v view) Active(t hierarchy.Tag) string { return v.res(t).Active }
func (v view) Works(t hierarchy.Tag, node string) bool {
	for _, in := range v.res(t).On {
		if in.Server == node {
			return in.State.InService()
		}
	}
	return false
}
func (v view) WasUp(t hierarchy.Tag, node string) bool { return v.Works(t, node) }

func (v view) Seen(t hierarchy.Tag, node string) bool { return v.Works(t, node) }
func (v view) HighestClaim(t hierarchy.Tag) uint64    { return 7 }

// Plan is the plan for a goal in a snapshot, as an engine would make it.
func Plan(t testing.TB, s *api.Snapshot, g plan.Goal) plan.Plan {
	t.Helper()
	p, err := plan.Make(hierarchy.NewIndexFor(s.Estate, Kits()), Kits(), view{s}, g)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// moving lets a switchover be under way, two steps from its end.
func moving(t testing.TB, s *api.Snapshot) {
	p := Plan(t, s, plan.Goal{Kind: plan.GoalInService, Tag: "service/www", Node: "LK_P_B", By: "anna"})
	s.Running = []api.Operation{RunOp(p, "op-12", len(p.Steps)*2/3)}
}

// RunOp is an operation of which so many steps are done and the next one runs; with all
// steps done it has ended well.
func RunOp(p plan.Plan, id string, done int) api.Operation {
	o := api.Operation{Op: policy.Op{ID: id, Plan: p, By: "anna", Began: Ago(time.Duration(done) * 400 * time.Millisecond), Outcome: policy.OpRunning,
		Cause: kits.Why("cause-command", "anna asked for it.", "by", "anna")}}
	for i, st := range p.Steps {
		s := api.StepStatus{ID: st.ID, Status: "waiting"}
		began := o.Began.Add(time.Duration(i) * 400 * time.Millisecond)
		switch {
		case i < done:
			s.Status, s.Began, s.Ended = "done", began, began.Add(380*time.Millisecond)
			s.Report = kits.Report{Outcome: kits.OK, Reason: kits.Why("ok", "It went well.")}
		case i == done:
			s.Status, s.Began = "running", began
		}
		o.Steps = append(o.Steps, s)
	}
	if done >= len(p.Steps) {
		o.Outcome, o.Ended = policy.OpDone, Clock
	}
	return o
}

// ask puts the question of a crossing.
func ask(t testing.TB, s *api.Snapshot) {
	g := plan.Goal{Kind: plan.GoalFailover, Tag: "service/www", From: "LK_P_B", Node: "LK_S_A", FromGone: true, Unfenced: true}
	s.Questions = []policy.Question{{ID: "q-7", Tag: "service/www", From: "LK_P_B", To: "LK_S_A", ToRegion: "ap-southeast-1",
		Asked: Ago(20 * time.Second), Until: Clock.Add(580 * time.Second), Default: 1, State: policy.Pending,
		Cause: kits.Why("cause-presumed-dead", "LK_P_B is presumed dead.", "node", "LK_P_B"),
		Evidence: []kits.Reason{
			kits.Why("evidence-missed", "The engine has missed 3 heartbeats of LK_P_B in a row.", "n", "3", "node", "LK_P_B"),
			kits.Why("evidence-peers-miss", "Asked, and not reaching it either: LK_S_A and LK_S_B.", "peers", "LK_S_A and LK_S_B"),
			kits.Why("evidence-cloud-says", "EC2 says LK_P_B is running, which may be a minute old.", "node", "LK_P_B", "state", "running"),
		},
		Plan: Plan(t, s, g)}}
}

// trouble shows everything that may be wrong at once, with hostile text in it.
func trouble(s *api.Snapshot) {
	s.Engine.Automation = false
	s.Engine.Notice = "The store is 91 % full; free space on its disk."
	nodes := map[string]*api.NodeStatus{}
	for i := range s.Nodes {
		nodes[s.Nodes[i].Name] = &s.Nodes[i]
	}
	nodes["LK_P_B"].Verdict = policy.Degraded
	nodes["LK_P_B"].Evidence = []kits.Reason{kits.Why("evidence-path-missing", "LK_S_A does not reach LK_P_B.", "peer", "LK_S_A", "node", "LK_P_B")}
	nodes["LK_P_B"].Peers["LK_S_A"] = kits.Failed.String()
	nodes["LK_S_A"].Peers["LK_P_B"] = kits.Failed.String()
	nodes["LK_S_A"].Verdict = policy.Hung
	nodes["LK_S_B"].Verdict, nodes["LK_S_B"].Seen = policy.Unknown, time.Time{}
	nodes["VPN_P_B"].Verdict = policy.Dead
	cell := func(tag, server string) *api.InstanceStatus {
		for i := range s.Resources {
			if r := &s.Resources[i]; string(r.Tag) == tag {
				for j := range r.On {
					if r.On[j].Server == server {
						return &r.On[j]
					}
				}
			}
		}
		panic(fmt.Sprint("no ", tag, " on ", server))
	}
	www := cell("service/www", "LK_P_A")
	www.State, www.Since = hierarchy.OSF, Ago(3*time.Minute)
	www.Reason = kits.Why("app.check-failed", "check ended with 1 on LK_P_A:\x1b]0;owned\x07 \x1b[31mconnection refused\r\nby 127.0.0.1:80\u202e and a long tail that has to be wrapped because it does not fit into eighty columns")
	hold(www, "held-storm")
	name := cell("service/route53-www", "LK_P_A")
	name.State = hierarchy.ISU
	name.Reason = kits.Why("route53.pending", "The change of www.example.com is still PENDING; the authoritative servers answer the new address already.")
	stale := cell("service/ip-route53", "LK_P_B")
	stale.State = hierarchy.ISP
	stale.Reason = kits.Why("state-unclaimed", "Something of service/ip-route53 runs on LK_P_B, which does not hold it.", "tag", "service/ip-route53", "node", "LK_P_B")
	cell("service/ec2-route53", "LK_S_A").State = hierarchy.ILLSTATE
	hold(cell("service/ec2-route53", "LK_P_A"), "held-dual")
	for _, tag := range []string{"vpn-primary/openswan-vpn1", "vpn-primary/ec2-vpn1"} {
		in := cell(tag, "VPN_P_B")
		in.State = hierarchy.ILLSTATE
		in.Reason = kits.Why("state-node-lost", "VPN_P_B is lost, so nothing is known of what runs there.", "node", "VPN_P_B")
	}
	peer := cell("vpn-standby/openswan-vpn1", "VPN_S_B") // its tunnel ended on the dead node
	peer.State = hierarchy.OSF
	peer.Reason = kits.Why("openswan.no-ping", "the peer 10.0.10.5 does not answer a ping from 172.16.10.5 through the tunnel vpn1 of VPN_S_B",
		"tag", "vpn-standby/openswan-vpn1", "node", "VPN_S_B", "connection", "vpn1")
	s.Holds = []api.HoldStatus{{Scope: "service", Since: Ago(10 * time.Minute), Until: Clock.Add(50 * time.Minute), By: "anna", Why: "patching the nodes"}}
}

// hold says why automation leaves an instance alone, in the policy's own words.
func hold(i *api.InstanceStatus, code string) {
	text := strings.ReplaceAll(policy.Texts()[code], "{node}", i.Server)
	i.Held, i.HeldWhy = text, kits.Why(code, text, "node", i.Server)
}

// Large is an estate with so many resources, in hierarchies of ten, on 16 nodes.
func Large(resources int) *api.Snapshot {
	e := &hierarchy.Estate{Name: "large", Cluster: []hierarchy.Cluster{{Name: "service"}}}
	for i := range 16 {
		region := []string{"ap-northeast-1", "ap-southeast-1"}[i/8]
		name := fmt.Sprintf("NODE_%02d", i+1)
		e.Servers = append(e.Servers, hierarchy.Server{Name: name, Region: region, Zone: region + string("ac"[i%2]), Address: fmt.Sprintf("10.%d.0.%d", i/8, i+10)})
		e.Cluster[0].Servers = append(e.Cluster[0].Servers, name)
	}
	e.Regions = []hierarchy.Region{{Name: "ap-northeast-1"}, {Name: "ap-southeast-1"}}
	for i := range resources {
		r := hierarchy.Resource{Tag: hierarchy.MakeTag("service", fmt.Sprintf("app-%05d", i)), Kit: "app", Cluster: "service"}
		for j, s := range e.Cluster[0].Servers {
			r.On = append(r.On, hierarchy.Placement{Server: s, Priority: j + 1})
		}
		if i%10 != 9 && i+1 < resources {
			r.Children = []hierarchy.Tag{hierarchy.MakeTag("service", fmt.Sprintf("app-%05d", i+1))}
		}
		e.Res = append(e.Res, r)
	}
	return Of(e, "NODE_01")
}
