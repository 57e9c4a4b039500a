package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
)

// traffic is a client that writes rows all the time, and keeps those that were acknowledged. It ends with its return value.
func (b *dataBench) traffic() (end func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
			}
			for _, at := range b.sim.MirrorSources(dataTag) {
				_ = b.insert(at, 5*time.Second) // not acknowledged is no promise
			}
		}
	}()
	return func() { close(stop); <-done }
}

// into asks for the database on a node; the operation's end is returned.
func (b *dataBench) into(node string, force bool) api.Operation {
	b.t.Helper()
	c := api.Command{Goal: plan.Goal{Kind: plan.GoalInService, Tag: pgTag, Node: node, Force: force}, By: "anna"}
	if strings.HasPrefix(node, "LK_S") {
		c.ConfirmRegion = far
	}
	b.until("nothing under way", func(s *api.Snapshot) bool { return len(s.Running) == 0 })
	s, err := b.eng.Submit(b.t.Context(), c)
	if err != nil {
		b.t.Fatalf("to %s: %v\n%s", node, err, b.story())
	}
	return b.ended(s.Op)
}

func TestSourceLosesPower(t *testing.T) {
	mirroredData(t, func(b *dataBench) {
		end := b.traffic()
		time.Sleep(5 * time.Second)
		b.off("LK_P_A")
		b.holds(pgTag, "LK_P_B")
		end()
		b.kept("LK_P_B")
		b.write(2)
		b.on("LK_P_A") // it comes back as a target
		b.legsIn("LK_P_B")
		b.kept("LK_P_B")
		b.equal("LK_P_B", "LK_P_A", "LK_S_A", "LK_S_B")
		if b.put(pgTag, "LK_P_A"); true {
			b.kept("LK_P_A")
		}
	})
}

// stale: it says that the disk is out of date. It is not half a copy: nothing was written to it since.
func stale(text string) bool { return strings.Contains(text, "out of date") }

func TestTargetIsCutOffAndStale(t *testing.T) {
	mirroredData(t, func(b *dataBench) {
		end := b.traffic()
		time.Sleep(3 * time.Second)
		b.sim.Nodes.Cut("LK_P_A", "LK_P_B")
		acked := len(b.rows)
		b.until("writes go on", func(*api.Snapshot) bool { return len(b.rows) > acked+5 })
		b.told("goes on without LK_P_B: it does not answer")
		end()
		b.kept("LK_P_A")
		b.off("LK_P_A")
		b.becomes("LK_P_A", policy.Dead)
		time.Sleep(3 * time.Minute)
		if at := b.sim.MirrorSources(dataTag); len(at) > 0 {
			t.Fatalf("runs on %v\n%s", at, b.story())
		}
		op := b.into("LK_P_B", false)
		if op.Outcome == policy.OpDone || !stale(op.Reason.Text) {
			t.Errorf("%s: %s", op.Outcome, op.Reason.Text)
		}
		if op = b.into("LK_P_B", true); op.Outcome != policy.OpDone {
			t.Fatalf("%s: %s\n%s", op.Outcome, op.Reason.Text, b.story())
		}
		b.told("anna forced", "LK_P_B")
		b.rows = nil // the price
		b.kept("LK_P_B")
		b.sim.Nodes.HealAll()
		b.on("LK_P_A")
		b.write(2)
		b.legsIn("LK_P_B")
		b.equal("LK_P_B", "LK_P_A", "LK_S_A", "LK_S_B")
		b.kept("LK_P_B")
	})
}

func TestBothNodesOfTheRegionLost(t *testing.T) {
	mirroredData(t, func(b *dataBench) {
		b.off("LK_P_A", "LK_P_B")
		b.becomes("LK_P_B", policy.Dead)
		if q := b.asked(); q.ToRegion != far {
			t.Errorf("asked %+v", q)
		}
		op := b.into("LK_S_A", false)
		if op.Outcome == policy.OpDone || !strings.Contains(op.Reason.Text, "asynchronous") {
			t.Errorf("%s: %s\n%s", op.Outcome, op.Reason.Text, b.story())
		}
		if op = b.into("LK_S_A", true); op.Outcome != policy.OpDone {
			t.Fatalf("%s: %s\n%s", op.Outcome, op.Reason.Text, b.story())
		}
		b.kept("LK_S_A") // nothing was under way when the power went
		b.write(2)
		b.on("LK_P_A")
		b.on("LK_P_B")
		b.legsIn("LK_S_A")
		b.equal("LK_S_A", "LK_P_A", "LK_P_B", "LK_S_B")
	})
}

func TestSourceIsCutOffAlive(t *testing.T) {
	mirroredData(t, func(b *dataBench) {
		end := b.traffic()
		time.Sleep(3 * time.Second)
		b.sim.Nodes.CutNode("LK_P_A")
		time.Sleep(2 * time.Minute)
		end()
		b.sim.Nodes.HealAll()
		time.Sleep(2 * time.Minute)
		at := active(b.snapshot(), pgTag)
		b.holds(pgTag, at)
		b.legsIn(at)
		b.write(2)
		b.kept(at)
		var others []string
		for _, n := range b.sim.MirrorLegs(dataTag) {
			if n != at {
				others = append(others, n)
			}
		}
		b.equal(append([]string{at}, others...)...)
	})
}

func TestMirrorServerIsKilled(t *testing.T) {
	mirroredData(t, func(b *dataBench) {
		end := b.traffic()
		for _, n := range []string{"LK_P_B", "LK_S_A"} {
			if err := b.sim.KillMirrorServer(dataTag, n); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
		}
		end()
		b.legsIn("LK_P_A")
		b.kept("LK_P_A")
		b.equal("LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B")
	})
}

func TestTargetHangsForAWhile(t *testing.T) {
	mirroredData(t, func(b *dataBench) {
		end := b.traffic()
		b.node("LK_P_B").Hang()
		time.Sleep(time.Minute)
		b.node("LK_P_B").Resume()
		end()
		b.legsIn("LK_P_A")
		b.write(1)
		b.kept("LK_P_A")
		b.equal("LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B")
	})
}

// The engine is killed at each of its commits while a target is cut off and comes back: the next one goes on.
func TestEngineKilledWhileALegGoesAndComes(t *testing.T) {
	for at := 1; at < 20; at += 3 {
		mirroredData(t, func(b *dataBench) {
			m := b.mortal()
			end := b.traffic()
			m.arm(at, at%2 == 0)
			b.sim.Nodes.Cut("LK_P_A", "LK_P_B")
			b.untilDeadFor(m, 20*time.Second)
			b.sim.Nodes.HealAll()
			b.untilDeadFor(m, 20*time.Second)
			if _, dead := m.count(); dead {
				b.revive()
			}
			time.Sleep(10 * time.Second)
			end()
			b.legsIn("LK_P_A")
			b.kept("LK_P_A")
			for _, n := range b.sim.MirrorLegs(dataTag) {
				b.equal("LK_P_A", n)
			}
		})
	}
}

// untilDeadFor waits until the engine was killed, or so long.
func (b *dataBench) untilDeadFor(m *mortal, limit time.Duration) {
	for range limit / (10 * time.Millisecond) {
		if _, dead := m.count(); dead {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
