package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/store"
	"github.com/ferry-ha/ferry/examples"
	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/internal/sim/account"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/app"
	"github.com/ferry-ha/ferry/kits/cloud"
	"github.com/ferry-ha/ferry/kits/ec2"
	"github.com/ferry-ha/ferry/kits/ip"
	"github.com/ferry-ha/ferry/kits/openswan"
	"github.com/ferry-ha/ferry/kits/route53"
)

// bench is the example's estate, simulated, with a disk that survives its engines.
// Everything runs in the test's synctest bubble: time is virtual.
type bench struct {
	t     *testing.T
	sim   *sim.Sim
	disk  *store.Disk
	store store.Store // of the engine that runs
	aws   account.Account
	eng   *engine.Engine
	line  *sim.Line  // the engine's connections
	here  string     // the engine's own address
	more  []kits.Kit // beside the real ones
	next  []kits.Kit // those of the engine that adopts the estate
	look  bool       // engines are opened without automation
}

// newBench brings the estate up and applies it; the service is nowhere yet.
func newBench(t *testing.T, change ...func(*hierarchy.Estate)) *bench {
	t.Helper()
	e, err := config.Load(strings.NewReader(examples.CrossRegion), "cross-region.toml", registry(nil))
	if err != nil {
		t.Fatal(err)
	}
	for i := range e.Servers {
		e.Servers[i].Tuning["LCMHBEATTIME"], e.Servers[i].Tuning["LKCHECKINTERVAL"] = "1", "10"
	}
	for _, f := range change {
		f(e)
	}
	s, err := sim.New(e, sim.Options{Dir: t.TempDir(), Nodes: nodesim.Options{CommandTime: 5 * time.Millisecond}, EC2: ec2sim.Options{StateLag: time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, sim: s, disk: store.NewDisk(), aws: account.New(s)}
	b.open(b.disk.Open())
	if _, err := b.eng.Apply(t.Context(), api.Apply{Estate: s.Definition}); err != nil {
		t.Fatal(err)
	}
	return b
}

// serving is newBench with the service in service on LK_P_A.
func serving(t *testing.T, change ...func(*hierarchy.Estate)) *bench {
	t.Helper()
	b := newBench(t, change...)
	b.until("all nodes alive", alive)
	b.submit("LK_P_A")
	b.settled("LK_P_A")
	return b
}

func (b *bench) open(st store.Store) {
	b.t.Helper()
	b.line, b.store = sim.NewLine(b.sim.Nodes.DialContext), st
	eng, err := engine.Open(b.t.Context(), engine.Options{
		Store: st, Kits: registry(b.aws, b.more...), Cloud: b.aws, Nodes: b.line.DialContext, Who: "test", Automation: !b.look,
		Here: func(a string) bool { return a == b.here },
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.eng = eng
}

// close ends everything, as the bubble demands.
func (b *bench) close() {
	if err := b.eng.Close(); err != nil {
		b.t.Error(err)
	}
	b.sim.Close()
}

func (b *bench) submit(node string) {
	b.t.Helper()
	goal := plan.Goal{Kind: plan.GoalInService, Tag: "www", Node: node}
	if _, err := b.eng.Submit(b.t.Context(), api.Command{Goal: goal, By: "anna"}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) snapshot() *api.Snapshot {
	b.t.Helper()
	s, err := b.eng.Snapshot(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// until lets virtual time pass until the engine sees something, five minutes at most.
func (b *bench) until(what string, ok func(*api.Snapshot) bool) *api.Snapshot {
	b.t.Helper()
	deadline := time.Now().Add(5 * time.Minute)
	for {
		s := b.snapshot()
		if ok(s) {
			return s
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("waited five minutes for: %s\n%s", what, b.story())
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (b *bench) settled(node string) {
	b.t.Helper()
	b.until("everything in service on "+node, on(node))
}

// story is the engine's log.
func (b *bench) story() string {
	events, err := b.eng.Events(context.Background(), 0, 0)
	if err != nil {
		return err.Error()
	}
	var sb strings.Builder
	for _, e := range events {
		sb.WriteString(e.At.Format("15:04:05.000 ") + e.Kind + " " + e.Node + " " + e.Reason.Text + "\n")
	}
	return sb.String()
}

// check asserts on the outside world, not on what the engine believes: the service
// runs on this node and nowhere else, and a client gets there.
func (b *bench) check(node string) {
	b.t.Helper()
	for _, s := range b.sim.Definition.Servers {
		n := b.sim.Nodes.Node(s.Name)
		runs, holds := n.Running("www"), n.Carries("10.1.0.10") || n.Carries("10.2.0.10")
		if want := s.Name == node; n.Powered() && (runs != want || holds != want) {
			b.t.Errorf("%s: service runs %v, virtual IP there %v, want %v\n%s", s.Name, runs, holds, want, b.story())
		}
	}
	address, region := "10.1.0.10:8080", "ap-northeast-1"
	if strings.HasPrefix(node, "LK_S") {
		address, region = "10.2.0.10:8080", "ap-southeast-1"
	}
	if got, err := b.sim.Ask(region, address); err != nil || got != node {
		b.t.Errorf("a client at %s finds %q (%v), want %s", address, got, err, node)
	}
}

func alive(s *api.Snapshot) bool {
	for _, n := range s.Nodes {
		if n.Verdict != policy.Alive {
			return false
		}
	}
	for _, r := range s.Resources {
		for _, in := range r.On {
			if in.State == hierarchy.ILLSTATE {
				return false
			}
		}
	}
	return len(s.Nodes) > 0
}

// on: every resource of the service is in service on the node and nothing runs any more.
func on(node string) func(*api.Snapshot) bool {
	return func(s *api.Snapshot) bool {
		for _, r := range s.Resources {
			if r.Cluster == "service" && r.Active != node {
				return false
			}
		}
		return len(s.Running) == 0
	}
}

// awsPort is what the kits ask of AWS.
type awsPort interface {
	ec2.Cloud
	cloud.DNS
}

// registry holds the real kits. In a bubble no name server can be asked: the API's word has to do.
func registry(c awsPort, more ...kits.Kit) kits.Registry {
	reg, err := kits.NewRegistry(append([]kits.Kit{ip.Kit{}, ec2.New(c), route53.New(c).Asking(nil), app.Kit{}, openswan.Kit{}}, more...)...)
	if err != nil {
		panic(err)
	}
	return reg
}
