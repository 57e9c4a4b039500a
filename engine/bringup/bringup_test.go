package bringup_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/bringup"
	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/internal/allkits"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/ec2"
	"github.com/ferry-ha/ferry/kits/route53"
)

var at = time.Date(2026, 3, 1, 3, 14, 15, 0, time.UTC)

func reg() kits.Registry { return allkits.Of(ec2.New(nil), route53.New(nil)) }

func estate(t testing.TB) *hierarchy.Index {
	t.Helper()
	e, err := config.LoadFile("../../examples/cross-region-postgresql.toml", reg())
	if err != nil {
		t.Fatal(err)
	}
	return hierarchy.NewIndexFor(e, reg())
}

// seen is an estate of which every node is alive and nothing is in service anywhere.
type seen struct{ *api.Snapshot }

func bare(x *hierarchy.Index) seen {
	s := seen{&api.Snapshot{Version: api.Version, At: at, Estate: x.Estate()}}
	for _, n := range x.Estate().Servers {
		s.Nodes = append(s.Nodes, api.NodeStatus{Name: n.Name, Verdict: policy.Alive})
	}
	for _, r := range x.Estate().Res {
		st := api.ResourceStatus{Tag: r.Tag, Kit: r.Kit, Cluster: r.Cluster}
		for _, p := range x.PlacementsByPriority(r.Tag) {
			st.On = append(st.On, api.InstanceStatus{Server: p.Server, Priority: p.Priority, State: hierarchy.OSU})
		}
		s.Resources = append(s.Resources, st)
	}
	return s
}

func (s seen) node(name string, v policy.Verdict) {
	for i := range s.Nodes {
		if s.Nodes[i].Name == name {
			s.Nodes[i].Verdict = v
		}
	}
}

func (s seen) res(tag string) *api.ResourceStatus {
	for i := range s.Resources {
		if string(s.Resources[i].Tag) == tag {
			return &s.Resources[i]
		}
	}
	panic(tag)
}

func (s seen) on(tag, node string) *api.InstanceStatus {
	r := s.res(tag)
	for i := range r.On {
		if r.On[i].Server == node {
			return &r.On[i]
		}
	}
	panic(node)
}

// held puts resources in service on a node.
func (s seen) held(node string, tags ...string) {
	for _, t := range tags {
		s.on(t, node).State = hierarchy.ISP
		s.res(t).Active, s.res(t).Holder = node, node
		s.res(t).Claim = &hierarchy.Claim{Number: 1, Node: node}
	}
}

// was is data that was in service on a node and is not any more.
func (s seen) was(node string) {
	s.res(mirror).Data = &api.DataStatus{Recorded: at}
	s.res(mirror).Claim = &hierarchy.Claim{Number: 1, Node: node}
}

const (
	mirror = "service/datakeeper-pgdata"
	pg     = "service/pg-15"
)

var service = []string{"service/ip-route53", "service/ec2-route53", "service/route53-www", mirror, "service/pgdata", pg}

// line is a work in one line.
func line(w bringup.Work) string {
	out := fmt.Sprintf("%s %s %s %s", w.Roots[0], w.State, w.Node, strings.TrimPrefix(w.Reason.Code, "bringup."))
	for _, o := range w.Overwrites {
		out += " " + o.Node + ":" + o.What
	}
	return strings.TrimRight(out, " ")
}

func lines(ws []bringup.Work) []string {
	var out []string
	for _, w := range ws {
		out = append(out, line(w))
	}
	return out
}

const wiped = " LK_P_B:/dev/nvme1n1 LK_S_A:/dev/nvme1n1 LK_S_B:/dev/nvme1n1"

// TestTheWholeEstate: an estate that nobody has heard of, one that was looked at, and one in service.
func TestTheWholeEstate(t *testing.T) {
	x := estate(t)
	want := []string{
		"vpn-primary/openswan-vpn1 to-do VPN_P_A first",
		"vpn-standby/openswan-vpn1 to-do VPN_S_A first",
		"service/pg-15 to-do LK_P_A first" + wiped,
	}
	if got := lines(bringup.Make(x, reg(), nil)); !slices.Equal(got, want) {
		t.Errorf("unheard of: %q", got)
	}
	s := bare(x)
	ws := bringup.Make(x, reg(), s.Snapshot)
	if got := lines(ws); !slices.Equal(got, want) {
		t.Errorf("bare: %q", got)
	}
	if got := strings.Join(ws[2].Commands[0], " "); got != "ferry in-service service/pg-15 --on LK_P_A" {
		t.Errorf("the command is %q", got)
	}
	if o := ws[2].Overwrites[0]; o.Source != "LK_P_A" || o.By != "/dev/nvme1n1" || o.Tag != mirror {
		t.Errorf("the first source is %+v", o)
	}
	s.held("LK_P_A", service...)
	s.held("VPN_P_A", "vpn-primary/openswan-vpn1", "vpn-primary/ec2-vpn1")
	s.held("VPN_S_B", "vpn-standby/openswan-vpn1", "vpn-standby/ec2-vpn1")
	ws = bringup.Make(x, reg(), s.Snapshot)
	if got := lines(ws); !slices.Equal(got, []string{
		"vpn-primary/openswan-vpn1 in-service VPN_P_A in-service", "vpn-standby/openswan-vpn1 in-service VPN_S_B in-service", "service/pg-15 in-service LK_P_A in-service",
	}) || !bringup.Lasting(ws) {
		t.Errorf("all in service: %q", got)
	}
}

// TestWhere goes through what may be seen of the service, and where it is to go then.
func TestWhere(t *testing.T) {
	runs := func(s seen, node string) {
		i := s.on("service/pgdata", node)
		i.State, i.Reason = hierarchy.ILLSTATE, kits.Why("state-unclaimed", "it runs")
	}
	for _, c := range []struct {
		name, want string
		see        func(seen)
	}{
		{"part of it is in service", "to-do LK_P_A rest" + wiped, func(s seen) { s.held("LK_P_A", service[:3]...) }},
		{"part of it is in service where the disk may not be the source", "blocked LK_P_B source-elsewhere", func(s seen) { s.held("LK_P_B", service[:3]...) }},
		{"part of it is in service on the second, and the data was before", "to-do LK_P_B rest", func(s seen) { s.was("LK_P_B"); s.held("LK_P_B", service[:3]...) }},
		{"it failed where it is held", "to-do LK_P_A rest", func(s seen) {
			s.was("LK_P_A")
			s.held("LK_P_A", service...)
			s.on(pg, "LK_P_A").State, s.res(pg).Active = hierarchy.OSF, ""
		}},
		{"automation leaves it alone", "blocked LK_P_A held-storm", func(s seen) {
			s.was("LK_P_A")
			s.held("LK_P_A", service...)
			i := s.on(pg, "LK_P_A")
			i.State, i.HeldWhy, s.res(pg).Active = hierarchy.OSF, kits.Why("held-storm", "too often"), ""
		}},
		{"its state is not known", "unknown LK_P_A state-unknown", func(s seen) {
			s.was("LK_P_A")
			s.held("LK_P_A", service...)
			s.on(pg, "LK_P_A").State, s.res(pg).Active = hierarchy.ILLSTATE, ""
		}},
		{"its holder is dead", "blocked LK_P_A holder-lost", func(s seen) {
			s.was("LK_P_A")
			s.held("LK_P_A", service...)
			for _, tag := range service {
				s.on(tag, "LK_P_A").State, s.res(tag).Active = hierarchy.ILLSTATE, ""
			}
			s.node("LK_P_A", policy.Dead)
		}},
		{"its holder is not known", "unknown LK_P_A node-unknown", func(s seen) {
			s.was("LK_P_A")
			s.held("LK_P_A", service[:3]...)
			s.node("LK_P_A", policy.Unknown)
		}},
		{"two hold parts of it", "blocked  apart", func(s seen) { s.held("LK_P_A", service[:3]...); s.held("LK_P_B", mirror) }},
		{"two claims cannot be ordered", "blocked LK_P_A held-dual", func(s seen) {
			s.held("LK_P_A", service...)
			s.on(service[0], "LK_P_A").HeldWhy = kits.Why("held-dual", "two claims")
		}},
		{"an operation runs", "busy LK_P_B busy", func(s seen) {
			op := api.Operation{}
			op.ID, op.Plan.Goal = "op-1", plan.Goal{Tag: mirror, Node: "LK_P_B"}
			s.Running = []api.Operation{op}
		}},
		{"the first source is dead", "blocked LK_P_A source-lost", func(s seen) { s.node("LK_P_A", policy.Dead) }},
		{"the first source hangs", "blocked LK_P_A source-lost", func(s seen) { s.node("LK_P_A", policy.Hung) }},
		{"the first source is not known", "unknown LK_P_A node-unknown" + wiped, func(s seen) { s.node("LK_P_A", policy.Unknown) }},
		{"a target is dead", "to-do LK_P_A first" + wiped, func(s seen) { s.node("LK_S_B", policy.Dead) }},
		{"the data was on the second", "to-do LK_P_B data-here", func(s seen) { s.was("LK_P_B") }},
		{"the data was on the second, which is dead", "blocked LK_P_B data-lost", func(s seen) { s.was("LK_P_B"); s.node("LK_P_B", policy.Presumed) }},
		{"the data was on the first, which is dead", "blocked LK_P_A data-lost", func(s seen) { s.was("LK_P_A"); s.node("LK_P_A", policy.Presumed) }},
		{"it runs on the first", "to-do LK_P_A runs-here" + wiped, func(s seen) { runs(s, "LK_P_A") }},
		{"it runs on the second", "blocked LK_P_A source-elsewhere", func(s seen) { runs(s, "LK_P_B") }},
		{"it runs on the second, and the data was there", "to-do LK_P_B runs-here", func(s seen) { s.was("LK_P_B"); runs(s, "LK_P_B") }},
		{"it runs twice", "blocked LK_P_A runs-twice", func(s seen) { runs(s, "LK_P_B"); runs(s, "LK_S_A") }},
		{"it runs where it is not held", "blocked LK_P_A runs-elsewhere", func(s seen) {
			s.was("LK_P_A")
			s.held("LK_P_A", service[:3]...)
			runs(s, "LK_P_B")
		}},
		{"somebody is asked", "blocked LK_P_A question", func(s seen) {
			s.Questions = []policy.Question{{ID: "q-1", Tag: pg, State: policy.Pending}}
		}},
		{"somebody was asked", "to-do LK_P_A first" + wiped, func(s seen) {
			s.Questions = []policy.Question{{ID: "q-1", Tag: pg, State: policy.Withdrawn}}
		}},
	} {
		x := estate(t)
		s := bare(x)
		c.see(s)
		ws := bringup.Make(x, reg(), s.Snapshot)
		if got := line(ws[2]); got != "service/pg-15 "+c.want {
			t.Errorf("%s: %s\n%s", c.name, got, ws[2].Reason.Text)
		}
		if w := ws[2]; w.State == bringup.Blocked && (len(w.Next) == 0 || w.Reason.Text == "" || len(w.Commands) > 0) {
			t.Errorf("%s: no next step, no reason or a command: %+v", c.name, w)
		}
	}
}

// TestWithoutData: what has no data of its own goes to the next server of the region, never across.
func TestWithoutData(t *testing.T) {
	for _, c := range []struct {
		dead []string
		want string
	}{
		{nil, "to-do VPN_P_A first"},
		{[]string{"VPN_P_A"}, "to-do VPN_P_B next"},
		{[]string{"VPN_P_A", "VPN_P_B"}, "blocked VPN_P_A none-there"},
	} {
		x := estate(t)
		s := bare(x)
		for _, n := range c.dead {
			s.node(n, policy.Dead)
		}
		if got := line(bringup.Make(x, reg(), s.Snapshot)[0]); got != "vpn-primary/openswan-vpn1 "+c.want {
			t.Errorf("%v dead: %s", c.dead, got)
		}
	}
}

// TestNeverOnASecondNode: whatever is seen, what is held on a node is not to be brought up on another
// one, nothing unknown is overridden, and the disks of others are overwritten from the first alone.
func TestNeverOnASecondNode(t *testing.T) {
	x, kitsOf := estate(t), reg()
	nodes := []string{"LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B"}
	rapid.Check(t, func(t *rapid.T) {
		s := bare(x)
		for _, n := range nodes {
			s.node(n, rapid.SampledFrom([]policy.Verdict{policy.Alive, policy.Alive, policy.Degraded, policy.Dead, policy.Presumed, policy.Hung, policy.Unknown}).Draw(t, "verdict"))
		}
		if rapid.Bool().Draw(t, "recorded") {
			s.was(rapid.SampledFrom(nodes).Draw(t, "last"))
		}
		for _, tag := range service {
			for _, n := range nodes {
				i := s.on(tag, n)
				i.State = rapid.SampledFrom([]hierarchy.State{hierarchy.OSU, hierarchy.OSU, hierarchy.OSF, hierarchy.ILLSTATE}).Draw(t, "state")
				if i.State == hierarchy.ILLSTATE && rapid.Bool().Draw(t, "runs") {
					i.Reason.Code = "state-unclaimed"
				}
			}
			if n := rapid.SampledFrom(append([]string{""}, nodes...)).Draw(t, "holder"); n != "" {
				s.res(tag).Holder = n
			}
		}
		for _, w := range bringup.Make(x, kitsOf, s.Snapshot) {
			if w.Roots[0] != pg || w.State != bringup.Todo {
				continue
			}
			for _, tag := range service {
				r := s.res(tag)
				if r.Holder != "" && r.Holder != w.Node {
					t.Fatalf("%s is held by %s, and is to be brought up on %s", tag, r.Holder, w.Node)
				}
				for _, i := range r.On {
					if r.Holder == "" && i.Reason.Code == "state-unclaimed" && i.Server != w.Node {
						t.Fatalf("%s runs on %s, and is to be brought up on %s", tag, i.Server, w.Node)
					}
				}
			}
			for _, n := range s.Nodes {
				if n.Name == w.Node && n.Verdict != policy.Alive && n.Verdict != policy.Degraded {
					t.Fatalf("%s is %s", n.Name, n.Verdict)
				}
			}
			if recorded := s.res(mirror).Data != nil; (len(w.Overwrites) > 0) == recorded || !recorded && w.Node != "LK_P_A" {
				t.Fatalf("source %s, overwritten %v, recorded %v", w.Node, w.Overwrites, recorded)
			}
		}
	})
}

// TestDrift: one thing is wrong at a time, and it is found.
func TestDrift(t *testing.T) {
	right := func() (x *hierarchy.Index, s seen) {
		x = estate(t)
		s = bare(x)
		s.was("LK_P_A")
		s.held("LK_P_A", service...)
		s.held("VPN_P_A", "vpn-primary/openswan-vpn1", "vpn-primary/ec2-vpn1")
		s.held("VPN_S_A", "vpn-standby/openswan-vpn1", "vpn-standby/ec2-vpn1")
		return x, s
	}
	x, s := right()
	if got := bringup.Drift(x, reg(), s.Snapshot); len(got) > 0 || !bringup.Agrees(got) {
		t.Fatalf("a right estate: %+v", got)
	}
	for _, c := range []struct {
		name, want string
		spoil      func(seen)
	}{
		{"a node is dead", "differs node LK_S_B", func(s seen) { s.node("LK_S_B", policy.Dead) }},
		{"a path is lost", "differs node LK_S_B", func(s seen) { s.node("LK_S_B", policy.Degraded) }},
		{"a node is not known", "unknown node LK_S_B", func(s seen) { s.node("LK_S_B", policy.Unknown) }},
		{"a route leads elsewhere", "differs service/ec2-route53 on LK_P_A", func(s seen) {
			s.on("service/ec2-route53", "LK_P_A").State = hierarchy.ISU
		}},
		{"an address was added by hand", "differs service/ip-route53 on LK_P_B", func(s seen) {
			i := s.on("service/ip-route53", "LK_P_B")
			i.State, i.Reason = hierarchy.ILLSTATE, kits.Why("state-unclaimed", "it runs there")
		}},
		{"a standby tunnel is down", "differs vpn-primary/openswan-vpn1 on VPN_P_B", func(s seen) {
			s.on("vpn-primary/openswan-vpn1", "VPN_P_B").State = hierarchy.OSF
		}},
		{"a standby was not asked", "unknown service/pg-15 on LK_S_A", func(s seen) { s.on(pg, "LK_S_A").State = hierarchy.ILLSTATE }},
		{"a copy is missing", "differs " + mirror, func(s seen) {
			s.res(mirror).Data.Impaired = kits.Why("datakeeper.leg-out", "a copy is out")
			i := s.on(mirror, "LK_P_A")
			i.State, i.Reason = hierarchy.ISU, s.res(mirror).Data.Impaired
		}},
		{"the record is in doubt", "differs " + mirror, func(s seen) { s.res(mirror).Data.Doubtful = true }},
		{"a question waits", "differs service/pg-15", func(s seen) {
			s.Questions = []policy.Question{{ID: "q-1", Tag: pg, State: policy.Pending}}
		}},
		{"automation leaves it alone", "differs service/pg-15 on LK_P_B", func(s seen) { s.on(pg, "LK_P_B").Held = "too often" }},
		{"it was taken out of service", "differs service/pg-15", func(s seen) {
			s.on(pg, "LK_P_A").State, s.res(pg).Active, s.res(pg).Holder = hierarchy.OSU, "", ""
		}},
		{"it is somewhere else", "note vpn-standby/openswan-vpn1", func(s seen) {
			s.on("vpn-standby/openswan-vpn1", "VPN_S_A").State, s.on("vpn-standby/ec2-vpn1", "VPN_S_A").State = hierarchy.OSU, hierarchy.OSU
			s.held("VPN_S_B", "vpn-standby/openswan-vpn1", "vpn-standby/ec2-vpn1")
		}},
		{"it is held", "note the whole estate", func(s seen) { s.Holds = []api.HoldStatus{{By: "ann"}} }},
	} {
		x, s := right()
		c.spoil(s)
		got := bringup.Drift(x, reg(), s.Snapshot)
		if len(got) != 1 || fmt.Sprintf("%s %s", got[0].Kind, got[0].What) != c.want {
			t.Errorf("%s: %+v, want %s", c.name, got, c.want)
		}
		if note := strings.HasPrefix(c.want, "note"); bringup.Agrees(got) != note {
			t.Errorf("%s: agrees %v", c.name, !note)
		}
	}
}
