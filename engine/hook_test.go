package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
)

// switchOnShutdown gives every server the other shutdown strategy.
func switchOnShutdown(e *hierarchy.Estate) {
	for i := range e.Servers {
		e.Servers[i].SwitchOnShutdown = true
	}
}

// shutDown shuts a node down in good order, as an administrator does on the node
// itself, and tells how long that took.
func (b *bench) shutDown(node string) time.Duration {
	b.t.Helper()
	b.until("the stop hook", func(*api.Snapshot) bool { return b.node(node).Running("ferry-stop.service") })
	began := time.Now()
	b.node(node).Shutdown()
	took := time.Since(began)
	if err := b.sim.EC2.SetInstanceState(b.sim.Definition.Server(node).Instance, ec2sim.Stopped); err != nil {
		b.t.Fatal(err)
	}
	return took
}

func TestShutdownInGoodOrderIsNoFailure(t *testing.T) {
	scenario(t, func(b *bench) {
		took := b.shutDown("LK_P_A")
		b.told("LK_P_A is being shut down in good order")
		if took > 5*time.Second {
			b.t.Errorf("the shutdown was held up for %s, and nothing was to be moved", took)
		}
		time.Sleep(5 * time.Minute)
		b.didOnly()
		if q := b.snapshot().Questions; len(q) != 0 {
			b.t.Errorf("asked %+v", q)
		}
	})
}

// TestShutdownWhoseSessionsEnd: systemd ends the sessions of a node that shuts down
// while the hook still waits, so the word to go on may be lost on its way.
func TestShutdownWhoseSessionsEnd(t *testing.T) {
	for ms := 0; ms < 1500; ms += 100 {
		t.Run(fmt.Sprint(ms), func(t *testing.T) {
			scenario(t, func(b *bench) {
				b.until("the stop hook", func(*api.Snapshot) bool { return b.node("LK_P_A").Running("ferry-stop.service") })
				time.AfterFunc(time.Duration(ms)*time.Millisecond, func() { b.sim.Nodes.KillConnections("LK_P_A") })
				if took := b.shutDown("LK_P_A"); took > 10*time.Second {
					t.Errorf("the shutdown was held up for %s, and nothing was to be moved", took)
				}
				time.Sleep(time.Minute)
				b.didOnly()
			})
		})
	}
}

// TestShutdownWhoseWordIsLost: the node cannot take the word when it is first said, since
// its disk is full for a moment; it must not wait for a word that is never said again.
func TestShutdownWhoseWordIsLost(t *testing.T) {
	scenario(t, func(b *bench) {
		n := b.node("LK_P_A")
		b.until("the stop hook", func(*api.Snapshot) bool { return n.Running("ferry-stop.service") })
		down := make(chan time.Duration, 1)
		go func() { down <- b.shutDown("LK_P_A") }()
		b.until("the mark of the shutdown", func(*api.Snapshot) bool {
			_, err := n.ReadFile("/var/lib/ferry/stopping")
			return err == nil
		})
		n.SetDiskFull(true)
		time.Sleep(5 * time.Second)
		n.SetDiskFull(false)
		if took := <-down; took < 5*time.Second || took > 10*time.Second {
			t.Errorf("the shutdown took %s, want a little over the five seconds of the full disk", took)
		}
	})
}

func TestShutdownInGoodOrderSwitchesOverBeforeThePowerGoes(t *testing.T) {
	scenario(t, func(b *bench) {
		b.shutDown("LK_P_A")
		b.until("the service on LK_P_B", func(*api.Snapshot) bool { return b.node("LK_P_B").Running("www") })
		b.settled("LK_P_B")
		b.check("LK_P_B")
		ops, err := b.eng.Operations(b.t.Context(), 1)
		if err != nil {
			b.t.Fatal(err)
		}
		stopped := false
		for _, s := range ops[0].Plan.Steps {
			stopped = stopped || s.Kind == "stop" && s.Node == "LK_P_A"
		}
		if !stopped {
			b.t.Errorf("the service was not stopped in order on the node that shuts down\n%s", b.story())
		}
	}, switchOnShutdown)
}

func TestShutdownInGoodOrderNeverCrossesUnasked(t *testing.T) {
	scenario(t, func(b *bench) {
		b.pairGone()
		b.shutDown("LK_P_A")
		time.Sleep(time.Minute)
		b.didOnly()
		for _, node := range []string{"LK_S_A", "LK_S_B"} {
			if b.node(node).Running("www") {
				b.t.Errorf("crossed to %s", node)
			}
		}
	}, switchOnShutdown)
}

func TestShutdownWithoutAnEngineGoesOnByItself(t *testing.T) {
	scenario(t, func(b *bench) {
		b.until("the stop hook", func(*api.Snapshot) bool { return b.node("LK_P_A").Running("ferry-stop.service") })
		b.sim.Nodes.Cut("engine", "LK_P_A")
		began := time.Now()
		b.node("LK_P_A").Shutdown()
		if took := time.Since(began); took < 10*time.Second || took > 20*time.Second {
			b.t.Errorf("it took %s, want about 15s", took)
		}
	})
}
