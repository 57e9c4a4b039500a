package engine_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
)

var witnesses = []string{"192.0.2.1", "192.0.2.2", "192.0.2.3"}

// witnessed gives the service cluster three witnesses outside of both regions.
func witnessed(e *hierarchy.Estate) {
	for i := range e.Cluster {
		if e.Cluster[i].Name == "service" {
			e.Cluster[i].QuorumMode = hierarchy.TCPRemote
			for _, w := range witnesses {
				e.Cluster[i].QuorumHosts = append(e.Cluster[i].QuorumHosts, w+":7")
			}
		}
	}
}

// withWitnesses is a serving bench whose nodes have witnesses to ask.
func withWitnesses(t *testing.T, f func(*bench), change ...func(*hierarchy.Estate)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, append(change, witnessed)...)
		defer b.close()
		for _, w := range witnesses {
			if _, err := b.sim.Nodes.AddNode(nodesim.NodeConfig{Name: w, Address: w, NoSSH: true,
				Services: []nodesim.Service{{Name: "echo", Port: 7, Enabled: true}}}); err != nil {
				t.Fatal(err)
			}
		}
		b.until("all nodes alive", alive)
		b.submit("LK_P_A")
		b.settled("LK_P_A")
		f(b)
	})
}

func TestTakerWithQuorumTakesOverWithoutLosingABeat(t *testing.T) {
	withWitnesses(t, func(b *bench) {
		b.sim.Nodes.CutNode(witnesses[2]) // one of three may be missing
		lost := time.Now()
		b.off("LK_P_A")
		b.settled("LK_P_B")
		b.check("LK_P_B")
		if took := time.Since(lost); took > 5*time.Second {
			b.t.Errorf("the failover took %s\n%s", took, b.story())
		}
	})
}

func TestTakerWithoutQuorumTakesNothing(t *testing.T) {
	withWitnesses(t, func(b *bench) {
		for _, w := range witnesses[1:] {
			b.sim.Nodes.Cut("LK_P_B", w)
		}
		b.off("LK_P_A")
		time.Sleep(3 * time.Minute)
		b.didOnly()
		b.decided("LK_P_B does not reach a majority of 3 witnesses; missing: 192.0.2.2:7, 192.0.2.3:7")
		for _, w := range witnesses[1:] {
			b.sim.Nodes.Heal("LK_P_B", w)
		}
		b.settled("LK_P_B") // asked again while the loss stands
	})
}

func TestPersonIsNotHeldUpByTheQuorum(t *testing.T) {
	withWitnesses(t, func(b *bench) {
		for _, w := range witnesses {
			b.sim.Nodes.CutNode(w)
		}
		b.submit("LK_P_B")
		b.settled("LK_P_B")
	})
}

func TestMajorityIsJudgedAtTheTaker(t *testing.T) {
	majority := func(e *hierarchy.Estate) {
		for i := range e.Cluster {
			if e.Cluster[i].Name == "service" {
				e.Cluster[i].QuorumMode, e.Cluster[i].QuorumHosts = hierarchy.Majority, nil
			}
		}
	}
	scenario(t, func(b *bench) {
		b.off("LK_P_A") // three of four are left
		b.settled("LK_P_B")
		b.sim.EC2.SetStateLag(0)
		b.off("LK_S_A") // two of four are no majority
		b.off("LK_P_B")
		b.asked() // a person may cross; LK_S_B by itself may do nothing
		if b.node("LK_S_B").Running("www") {
			b.t.Error("a node without a majority took over")
		}
	}, majority)
}

// decided demands a decision one of whose reasons holds the text.
func (b *bench) decided(text string) {
	b.t.Helper()
	all, err := b.eng.Events(b.t.Context(), 0, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range all {
		if e.Decision == nil {
			continue
		}
		for _, r := range e.Decision.Reasons {
			if strings.Contains(r.Text, text) {
				return
			}
		}
	}
	b.t.Errorf("no decision says %q\n%s", text, b.story())
}

func TestHeldEstateStartsNothingUntilTheHoldEnds(t *testing.T) {
	scenario(t, func(b *bench) {
		if err := b.eng.SetHold(b.t.Context(), api.Hold{Scope: "service", Until: time.Now().Add(10 * time.Minute), Why: "new disks", By: "anna"}); err != nil {
			b.t.Fatal(err)
		}
		if h := b.snapshot().Holds; len(h) != 1 || h[0].By != "anna" || h[0].Why != "new disks" {
			b.t.Fatalf("holds %+v", h)
		}
		b.off("LK_P_A")
		time.Sleep(9 * time.Minute)
		b.didOnly()
		b.told("new disks")
		b.settled("LK_P_B") // what is wrong when it ends is acted on then
		if h := b.snapshot().Holds; len(h) != 0 {
			b.t.Errorf("still held: %+v", h)
		}
	})
	scenario(t, func(b *bench) {
		refused(b.t, b.eng.SetHold(b.t.Context(), api.Hold{Scope: "nowhere", Until: time.Now().Add(time.Hour)}), api.KindNoSuch, 105, "nowhere")
		refused(b.t, b.eng.SetHold(b.t.Context(), api.Hold{Scope: "service", Until: time.Now().Add(-time.Hour)}), api.KindUsage, 64, "past")
	})
}
