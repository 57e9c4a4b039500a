package main

import (
	"fmt"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// clock is the moment at which every script runs.
var clock = time.Date(2026, 3, 1, 3, 14, 15, 0, time.UTC)

func ago(d time.Duration) time.Time { return clock.Add(-d) }

var lk = []string{"LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B"}

// scene makes a snapshot by name: calm, bad, question, proven, loss, fresh, mirror, same.
func scene(name string) (*api.Snapshot, []api.Event) {
	s := calm()
	switch name {
	case "fresh":
		s.Estate, s.Nodes, s.Resources = nil, nil, nil
	case "bad":
		spoil(s)
	case "mirror":
		mirror(s)
	case "question", "proven":
		ask(s, name == "proven")
	case "loss": // what the other region has of the data is not complete
		ask(s, true)
		s.Questions[0].Until = time.Time{} // nobody's silence accepts that
		s.Questions[0].Copies = []policy.Copy{
			{Tag: "service/datakeeper-www", Node: "LK_S_A", Price: kits.Why("datakeeper.asynchronous", "the copy on LK_S_A is asynchronous", "age", "5m3s"), Last: ago(5*time.Minute + 3*time.Second)},
			{Tag: "service/datakeeper-redo", Node: "LK_S_A", Price: kits.Why("datakeeper.half", "the disk of LK_S_A is half copied", "age", "unknown")},
			{Tag: "service/datakeeper-logs", Node: "LK_S_A"},
		}
	}
	return s, events()
}

func calm() *api.Snapshot {
	s := &api.Snapshot{Version: api.Version, At: clock, Revision: 41,
		Engine: api.EngineInfo{ID: "e-1", Who: "root@bastion (412)", Epoch: 3, Since: ago(3 * time.Hour), Automation: true, Version: "v0.1.0"},
		Estate: &hierarchy.Estate{Name: "cross-region", Cluster: []hierarchy.Cluster{{Name: "service", Servers: lk}}}}
	for i, n := range lk {
		region, zone := "ap-northeast-1", "ap-northeast-1a"
		if i > 1 {
			region, zone = "ap-southeast-1", "ap-southeast-1a"
		}
		if i%2 == 1 {
			zone = zone[:len(zone)-1] + "c"
		}
		s.Estate.Servers = append(s.Estate.Servers, hierarchy.Server{Name: n, Region: region, Zone: zone})
		s.Nodes = append(s.Nodes, api.NodeStatus{Name: n, Cluster: "service", Region: region, Zone: zone,
			Verdict: policy.Alive, Since: ago(3 * time.Hour), Seen: ago(2 * time.Second)})
	}
	add(s, "app-www", "app", "ec2-www")
	add(s, "ec2-www", "ec2", "ip-www")
	add(s, "ip-www", "ip")
	return s
}

func add(s *api.Snapshot, tag, kit string, children ...string) {
	r := api.ResourceStatus{Tag: hierarchy.MakeTag("service", tag), Kit: kit, Cluster: "service", Active: "LK_P_A",
		Claim: &hierarchy.Claim{Number: 7, Node: "LK_P_A", At: ago(3 * time.Hour), By: "ann"}}
	res := hierarchy.Resource{Tag: r.Tag, Kit: kit, Cluster: "service", Switchback: hierarchy.Intelligent}
	for _, c := range children {
		r.Children = append(r.Children, hierarchy.MakeTag("service", c))
	}
	res.Children = r.Children
	for i, n := range lk {
		state := hierarchy.OSU
		if i == 0 {
			state = hierarchy.ISP
		}
		r.On = append(r.On, api.InstanceStatus{Server: n, Priority: i + 1, State: state, Since: ago(3 * time.Hour), Checked: ago(42 * time.Second)})
		res.On = append(res.On, hierarchy.Placement{Server: n, Priority: i + 1})
	}
	s.Resources = append(s.Resources, r)
	s.Estate.Res = append(s.Estate.Res, res)
}

// spoil shows everything that may be wrong at once, with hostile text in it.
func spoil(s *api.Snapshot) {
	s.Engine.Automation = false
	s.Engine.Notice = "the store is 91 % full; free space on its disk"
	s.Nodes[1].Verdict, s.Nodes[1].Since, s.Nodes[1].Seen = policy.Presumed, ago(10*time.Second), ago(16*time.Second)
	s.Nodes[1].Evidence = []kits.Reason{kits.Why("node.no-beat", "no heartbeat on 2 paths for 16s"), kits.Why("ec2.running", "EC2 says running (asked 9s ago)")}
	s.Nodes[3].Verdict, s.Nodes[3].Seen = policy.Unknown, time.Time{}
	app, ip := &s.Resources[0], &s.Resources[2]
	app.On[0].State, app.On[0].Since = hierarchy.OSF, ago(3*time.Minute)
	app.On[0].Reason = kits.Why("app.check-failed", "check ended with 1 on LK_P_A:\x1b]0;owned\x07 \x1b[31mconnection refused\r\nby 127.0.0.1:80‮ and a long tail that has to be wrapped because it does not fit")
	app.On[0].Held = "3 recoveries in 30m; ferry in-service service/app-www --on NODE lifts it"
	app.Claim.Unfenced = true
	ip.On[0].State, ip.On[0].Since = hierarchy.ISU, ago(90*time.Second)
	ip.On[0].Reason = kits.Why("ip.link-flaps", "eth1 lost its link twice on LK_P_A")
	ip.On[1].State, ip.On[1].Checked = hierarchy.ILLSTATE, ago(5*time.Minute)
	ip.On[3].State = hierarchy.OSF
}

// ask lets both nodes of the zone pair be gone, so that only a crossing is left.
func ask(s *api.Snapshot, proven bool) {
	s.Nodes[0].Verdict, s.Nodes[0].Since, s.Nodes[0].Seen = policy.Dead, ago(time.Hour), ago(time.Hour)
	s.Nodes[1].Verdict, s.Nodes[1].Since, s.Nodes[1].Seen = policy.Presumed, ago(4*time.Minute), ago(5*time.Minute)
	g := plan.Goal{Kind: plan.GoalFailover, Tag: "service/app-www", From: "LK_P_B", Node: "LK_S_A", FromGone: true}
	for i := range s.Resources {
		r := &s.Resources[i]
		r.Active = "LK_P_B"
		for n := range 2 {
			r.On[n].State, r.On[n].Reason = hierarchy.ILLSTATE, kits.Why("node.gone", lk[n]+" does not answer")
		}
	}
	s.Questions = []policy.Question{{ID: "q-7", Tag: "service/app-www", From: "LK_P_B", To: "LK_S_A", ToRegion: "ap-southeast-1",
		Asked: ago(4 * time.Minute), Until: clock.Add(6 * time.Minute), Default: 1, State: policy.Pending, Proven: proven,
		Cause:    kits.Why("node.presumed-dead", "LK_P_B is presumed dead, and LK_P_A is dead"),
		Evidence: []kits.Reason{kits.Why("peers.none", "LK_S_A and LK_S_B do not reach LK_P_B"), kits.Why("ec2.running", "EC2 says that its instance is running")},
		Plan:     previewOf(g, "").Plan}}
}

// previewOf is the plan for a goal: what an engine would make for the scene.
func previewOf(g plan.Goal, refuse string) *api.Preview {
	if g.Node == "" {
		g.Node = "LK_P_B"
	}
	if g.Tag == mirrorTag {
		return mirrorPreview(g)
	}
	pv := &api.Preview{}
	if refuse == "veto" {
		pv.Verdicts = []api.StepStatus{{ID: "01-eligible-app-www", Status: "failed", Report: kits.Report{Outcome: kits.Failed,
			Reason: kits.Why("app.missing", "/opt/www/start is not there on LK_P_B; install it")}}}
	} else if refuse != "" && !g.Force {
		pv.Plan.Goal = g
		pv.Refused = &policy.Refused{Kind: policy.RefusedKind(refuse), Reason: kits.Why("x."+refuse, "LK_P_B may not take it: app-www is not installed there")}
		return pv
	}
	pv.Plan = plan.Plan{Goal: g, Moves: []hierarchy.Tag{"service/ip-www", "service/ec2-www", "service/app-www"}}
	if g.Kind == plan.GoalInService && g.Node == "LK_P_A" {
		return pv
	}
	if g.Kind == plan.GoalOutOfService {
		pv.Plan.Goal.Node = ""
		pv.Plan.Goal.From = "LK_P_A"
		pv.Plan.Steps = steps("stop app-www LK_P_A")
		return pv
	}
	if g.From == "" {
		pv.Plan.Goal.From = "LK_P_A"
	}
	pv.Plan.Steps = steps("eligible app-www "+g.Node, "stop app-www LK_P_A", "stop ip-www LK_P_A", "claim app-www "+g.Node,
		"start ip-www "+g.Node, "start ec2-www "+g.Node, "start app-www "+g.Node, "check app-www "+g.Node)
	pv.Plan.Steps[3].NoReturn = true
	pv.Plan.Steps[3].Effects = []kits.Effect{{Kind: "claim", What: "of 3 resources", From: "7 LK_P_A", To: "8 " + g.Node}}
	pv.Plan.Steps[4].Effects = []kits.Effect{{Kind: "address", What: "10.1.0.10/32 on eth1", To: "up, announced"}}
	pv.Plan.Steps[5].Effects = []kits.Effect{
		{Kind: "route", What: "10.1.0.10/32 in rtb-primary", From: "eni-0a1b2c3d4e5f60001", To: "eni-0a1b2c3d4e5f60002"},
		{Kind: "route", What: "10.1.0.10/32 in rtb-second", To: "eni-0a1b2c3d4e5f60002"}}
	pv.Plan.Notes = []kits.Reason{kits.Why("ec2.route-created", "rtb-second has no route for 10.1.0.10/32 yet: it will be created")}
	pv.Plan.Untouched = []string{"10.2.0.0/16 in rtb-primary (VPN)"}
	if g.Node == "LK_S_A" || g.Node == "LK_S_B" {
		pv.Crosses = "ap-southeast-1"
	}
	return pv
}

func steps(list ...string) []plan.Step {
	var out []plan.Step
	for i, l := range list {
		var kind, tag, node string
		fmt.Sscan(l, &kind, &tag, &node)
		out = append(out, plan.Step{ID: fmt.Sprintf("%02d-%s-%s", i+1, kind, tag), Kind: plan.StepKind(kind), Tag: hierarchy.MakeTag("service", tag), Node: node})
	}
	return out
}

func pastOperations() []api.Operation {
	return []api.Operation{{Op: policy.Op{ID: "op-8", Plan: previewOf(plan.Goal{Kind: plan.GoalInService, Tag: "service/app-www", Node: "LK_P_B"}, "").Plan,
		By: "ann", Began: ago(26 * time.Hour), Ended: ago(26*time.Hour - 4200*time.Millisecond), Outcome: policy.OpFailed,
		Reason: kits.Why("app.start-failed", "the start script of app-www ended with 7 on LK_P_B")},
		Steps: []api.StepStatus{{ID: "01-eligible-app-www", Status: "done", Began: ago(26 * time.Hour), Ended: ago(26*time.Hour - 300*time.Millisecond)},
			{ID: "07-start-app-www", Status: "failed", Began: ago(26*time.Hour - time.Second), Ended: ago(26*time.Hour - 4*time.Second),
				Report: kits.Report{Outcome: kits.Failed, Output: "starting\n\x1b[2J\x1b[31mno such file\x07\n", Reason: kits.Why("app.start-failed", "the start script ended with 7")}}}}}
}

func events() []api.Event {
	return []api.Event{
		{Seq: 1, Event: policy.Event{At: ago(6 * time.Minute), Kind: "node", Severity: "warning", Node: "LK_P_B", Reason: kits.Why("node.presumed-dead", "presumed dead: no heartbeat on 2 paths for 15s")}},
		{Seq: 2, Event: policy.Event{At: ago(5 * time.Minute), Kind: "decision", Severity: "error", Tag: "service/app-www", Reason: kits.Why("decision.confirm", "a person has to decide"), Question: "q-7",
			Decision: &policy.Decision{Tag: "service/app-www", Action: policy.DoConfirm, From: "LK_P_B", To: "LK_S_A", Reasons: []policy.NodeReason{
				{Code: "node.dead", Node: "LK_P_A", Text: "dead"}, {Code: "flag.confirm", Node: "LK_S_A", Text: "carries confirmso!LK_P_B"}}}}},
		{Seq: 3, Event: policy.Event{At: ago(25 * time.Hour), Kind: "operation", Severity: "info", Tag: "service/app-www", Op: "op-8", By: "ann", Reason: kits.Why("op.began", "in service on LK_P_B")}},
	}
}
