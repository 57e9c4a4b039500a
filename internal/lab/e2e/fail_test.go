package e2e

import (
	"slices"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/internal/lab"
)

func onGuest(t *testing.T, s *site, node, script string) {
	t.Helper()
	if out, err := s.l.Guest(node).Sh(ctx(t), script); err != nil {
		t.Fatalf("%s: %v\n%s", node, err, out)
	}
}

// TestResourceFailureIsRecoveredOnTheSpot: a crashed service is started again where it was.
func TestResourceFailureIsRecoveredOnTheSpot(t *testing.T) {
	s := running(t)
	onGuest(t, s, "LK_P_A", wwwKill)
	s.untilEvent("a recovery", func(e api.Event) bool { return e.Decision != nil && e.Decision.Action == "recover" })
	s.until("everything on LK_P_A again", activeOn("LK_P_A"))
	if got := s.ask(vip); got != "LK_P_A" {
		t.Errorf("a client finds %q", got)
	}
	onGuest(t, s, "LK_P_A", "ip addr del 10.1.0.10/32 dev "+lab.Interface)
	s.untilAnswer(vip, "LK_P_A")
}

// TestRecoveryFailsSoItFailsOver: when it cannot be started there any more, the other zone takes it.
func TestRecoveryFailsSoItFailsOver(t *testing.T) {
	s := running(t)
	onGuest(t, s, "LK_P_A", wwwBreak)
	s.until("everything on LK_P_B", activeOn("LK_P_B"))
	if got := s.ask(vip); got != "LK_P_B" {
		t.Errorf("a client finds %q", got)
	}
	if out, err := s.l.Guest("LK_P_A").Sh(ctx(t), "ip -o addr show to 10.1.0.10"); err != nil || out != "" {
		t.Errorf("LK_P_A kept the address: %q %v", out, err)
	}
}

// TestResourceFailureWithThePeerDownAsks: the only other node of the zone pair is off;
// a resource failure does not cross the region by itself.
func TestResourceFailureWithThePeerDownAsks(t *testing.T) {
	s := running(t)
	if err := s.l.Guest("LK_P_B").PowerOff(ctx(t)); err != nil {
		t.Fatal(err)
	}
	s.until("LK_P_B seen to be gone", func(sn *api.Snapshot) bool {
		return slices.Contains([]string{"presumed-dead", "dead"}, verdict(sn, "LK_P_B"))
	})
	onGuest(t, s, "LK_P_A", wwwBreak)
	s.until("a question", func(sn *api.Snapshot) bool { return len(pending(sn)) == 1 })
	s.never("something crossed unasked", 3*time.Second, func(sn *api.Snapshot) bool {
		return activeOn("LK_S_A")(sn) || activeOn("LK_S_B")(sn)
	})
}

// TestHungNodeMovesNothingByItself: the kernel of the active node stands still, so
// nothing of it answers; inside the region that is a lost node. When it wakes up it
// must give up what it still holds.
func TestHungNodeIsReplacedAndGivesUp(t *testing.T) {
	s := running(t)
	if err := s.l.Guest("LK_P_A").Hang(ctx(t)); err != nil {
		t.Fatal(err)
	}
	s.until("everything on LK_P_B", activeOn("LK_P_B"))
	if err := s.l.Guest("LK_P_A").Resume(); err != nil {
		t.Fatal(err)
	}
	s.until("LK_P_A alive", func(sn *api.Snapshot) bool { return verdict(sn, "LK_P_A") == "alive" })
	s.untilGone("LK_P_A", "10.1.0.10")
	s.until("everything still on LK_P_B", activeOn("LK_P_B"))
	if got := s.ask(vip); got != "LK_P_B" {
		t.Errorf("a client finds %q", got)
	}
}

// TestFunctionHangsPathAnswers: sshd is stopped, ping answers: alive enough to be
// dangerous, so nothing moves.
func TestFunctionHangsPathAnswers(t *testing.T) {
	s := running(t)
	onGuest(t, s, "LK_P_A", "systemctl kill --signal=STOP ssh.service")
	t.Cleanup(func() { s.l.Guest("LK_P_A").Spoil() })
	s.until("LK_P_A seen to hang", func(sn *api.Snapshot) bool { return verdict(sn, "LK_P_A") != "alive" })
	s.never("the service moved from a node that may still run it", 10*time.Second, func(sn *api.Snapshot) bool {
		return !activeOn("LK_P_A")(sn)
	})
}

// TestEngineCutOffMovesNothing: only the engine's own path is cut; it knows nothing and does nothing.
func TestEngineCutOffMovesNothing(t *testing.T) {
	s := running(t)
	if err := s.l.CutEngine(ctx(t)); err != nil {
		t.Fatal(err)
	}
	s.until("all nodes unknown", func(sn *api.Snapshot) bool {
		return !slices.ContainsFunc(sn.Nodes, func(n api.NodeStatus) bool { return n.Verdict != "unknown" })
	})
	s.never("the engine acted blindly", 8*time.Second, func(sn *api.Snapshot) bool {
		return len(sn.Running) > 0 || len(pending(sn)) > 0
	})
	if err := s.l.Heal(ctx(t)); err != nil {
		t.Fatal(err)
	}
	s.until("all nodes alive", allAlive)
	s.until("everything on LK_P_A", activeOn("LK_P_A"))
}

// TestOnePathToTheActiveNodeCut: the engine cannot see LK_P_A, its peers can: alive, nothing moves.
func TestOnePathToTheActiveNodeCut(t *testing.T) {
	s := running(t)
	if err := s.l.Cut(ctx(t), lab.EngineNS, "LK_P_A"); err != nil {
		t.Fatal(err)
	}
	s.untilEvent("word that LK_P_A is out of the engine's sight", func(e api.Event) bool { return e.Node == "LK_P_A" && e.Kind == "node" })
	s.never("the service moved", 8*time.Second, func(sn *api.Snapshot) bool {
		return len(sn.Running) > 0 || len(pending(sn)) > 0
	})
	if got := s.ask(vip); got != "LK_P_A" {
		t.Errorf("a client finds %q", got)
	}
}
