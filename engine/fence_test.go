package engine_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
)

// fenced configures fencing for the service cluster.
func fenced(e *hierarchy.Estate) {
	for i := range e.Cluster {
		if e.Cluster[i].Name == "service" {
			e.Cluster[i].Fencing = "ec2-stop"
		}
	}
}

// unreached cuts LK_P_A off while it goes on running, with its peer already off: what
// asks for a crossing from a node that is not proven dead.
func (b *bench) unreached() policy.Question {
	b.t.Helper()
	b.pairGone()
	b.sim.Nodes.CutNode("LK_P_A")
	q := b.asked()
	if q.Proven {
		b.t.Errorf("LK_P_A, which runs, counts as proven dead: %+v", q.Evidence)
	}
	return q
}

func (b *bench) stopped(node string) bool {
	b.t.Helper()
	state, err := b.aws.InstanceState(b.t.Context(), near, b.sim.Definition.Server(node).Instance)
	if err != nil {
		b.t.Fatal(err)
	}
	return state == "stopped"
}

func TestCrossingAnsweredWithFenceStopsTheNodeFirst(t *testing.T) {
	scenario(t, func(b *bench) {
		q := b.unreached()
		if err := b.answer(q, "fence", far, "anna"); err != nil {
			b.t.Fatal(err)
		}
		b.settled("LK_S_A")
		b.check("LK_S_A")
		if !b.stopped("LK_P_A") || b.node("LK_P_A").Running("www") {
			b.t.Error("the service moved, and LK_P_A still runs")
		}
		ops, err := b.eng.Operations(b.t.Context(), 1)
		if err != nil {
			b.t.Fatal(err)
		}
		var off, claimed time.Time
		for i, s := range ops[0].Plan.Steps {
			switch s.Kind {
			case "fence":
				off = ops[0].Steps[i].Ended
			case "claim":
				claimed = ops[0].Steps[i].Began
			}
		}
		if off.IsZero() || claimed.Before(off) {
			b.t.Errorf("fenced at %s, claimed at %s", off, claimed)
		}
	}, fenced)
}

func TestFenceThatCannotBeVerifiedMovesNothing(t *testing.T) {
	for name, fault := range map[string]ec2sim.Fault{
		"refused":     {Action: "StopInstances", Code: "UnauthorizedOperation", Message: "You are not authorized to perform this operation."},
		"unreachable": {Action: "*", Unreachable: true},
		"throttled":   ec2sim.Throttle("StopInstances", 0),
		"lost":        {Action: "StopInstances", Empty: true, Hang: true},
	} {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(b *bench) {
				q := b.unreached()
				b.sim.EC2.Inject(fault)
				if err := b.answer(q, "fence", far, "anna"); err != nil {
					b.t.Fatal(err)
				}
				time.Sleep(5 * time.Minute) // a fence is tried for as long as that
				b.until("the operation's end", func(s *api.Snapshot) bool { return len(s.Running) == 0 && len(b.ops()) > 1 })
				if got := b.ops(); got[len(got)-1] == "failover LK_S_A done" {
					b.t.Fatalf("moved without a verified fence\n%s", b.story())
				}
				time.Sleep(time.Minute)
				for _, node := range []string{"LK_S_A", "LK_S_B"} {
					if b.node(node).Carries("10.2.0.10") || b.node(node).Running("www") {
						b.t.Errorf("%s took over from a node that was not stopped\n%s", node, b.story())
					}
				}
				b.asked() // a person decides anew, or fences by hand
			}, fenced, calm)
		})
	}
}

func TestEngineNeverFencesItsOwnMachine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := serving(t, fenced)
		defer b.close()
		b.here = b.sim.Definition.Server("LK_P_A").Address
		if err := b.eng.Close(); err != nil {
			b.t.Fatal(err)
		}
		b.open(b.disk.Open())
		b.settled("LK_P_A")
		q := b.unreached()
		if err := b.answer(q, "fence", far, "anna"); err != nil {
			b.t.Fatal(err)
		}
		b.until("the operation's end", func(s *api.Snapshot) bool { return len(s.Running) == 0 && len(b.ops()) > 1 })
		b.told("the engine itself runs on LK_P_A and never stops that instance")
		if b.stopped("LK_P_A") {
			b.t.Error("the engine stopped its own machine")
		}
	})
}
