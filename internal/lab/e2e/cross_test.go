package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/internal/lab"
)

const farRegion = "ap-southeast-1"

// fenced configures fencing by EC2 stop.
func fenced(e *hierarchy.Estate) { e.Cluster[0].Fencing = "ec2-stop" }

// question waits for the one that is pending.
func (s *site) question() policy.Question {
	s.t.Helper()
	sn := s.until("a question", func(sn *api.Snapshot) bool { return len(pending(sn)) == 1 })
	i := slices.IndexFunc(sn.Questions, func(q policy.Question) bool { return q.State == policy.Pending })
	return sn.Questions[i]
}

// unreached powers LK_P_B off and takes LK_P_A off the network while it goes on
// running: the question is about a node that is not proven dead.
func (s *site) unreached() policy.Question {
	s.t.Helper()
	if err := s.l.Guest("LK_P_B").PowerOff(ctx(s.t)); err != nil {
		s.t.Fatal(err)
	}
	s.until("LK_P_B seen to be gone", func(sn *api.Snapshot) bool {
		return slices.Contains([]string{"presumed-dead", "dead"}, verdict(sn, "LK_P_B"))
	})
	if err := s.l.CutGuest(ctx(s.t), "LK_P_A"); err != nil {
		s.t.Fatal(err)
	}
	q := s.question()
	if q.Proven || len(q.Evidence) == 0 || q.To != "LK_S_A" {
		s.t.Errorf("question to %s, proven %v, evidence %v", q.To, q.Proven, q.Evidence)
	}
	return q
}

// TestCrossingAnsweredNo: nothing moves for this loss.
func TestCrossingAnsweredNo(t *testing.T) {
	s := running(t)
	q := s.unreached()
	s.must("confirm", "no", q.ID)
	s.never("something crossed after a no", 8*time.Second, func(sn *api.Snapshot) bool {
		return len(sn.Running) > 0 || len(pending(sn)) > 0 || activeOn("LK_S_A")(sn) || activeOn("LK_S_B")(sn)
	})
	if out, err := s.l.Guest("LK_P_A").Sh(ctx(t), "ip -o addr show to 10.1.0.10"); err != nil || !strings.Contains(out, "10.1.0.10") {
		t.Errorf("the cut-off node lost its address: %q %v", out, err)
	}
}

// TestCrossingAnsweredWithAFence: the old node still runs, unseen; it is stopped,
// verified, and only then does the other region take over.
func TestCrossingAnsweredWithAFence(t *testing.T) {
	s := running(t, fenced)
	q := s.unreached()
	if _, errs, code := s.ferry("confirm", "yes", q.ID, "--region", farRegion); code != 107 {
		t.Errorf("a plain yes for a node that is not proven dead: exit %d\n%s", code, errs)
	}
	asked := time.Now()
	s.must("confirm", "yes", q.ID, "--region", farRegion, "--fence")
	s.until("everything on LK_S_A", activeOn("LK_S_A"))
	t.Logf("fence, verified, and the move: %s\n%s", time.Since(asked).Round(time.Millisecond), s.steps())
	if s.l.Guest("LK_P_A").Running() {
		t.Error("LK_P_A still has power")
	}
	if got := s.ask(farVIP); got != "LK_S_A" {
		t.Errorf("a client finds %q at %s", got, farVIP)
	}
}

// TestRegionLinkCut: the regions do not reach each other, the engine reaches both:
// everybody is alive, shown degraded, and nothing moves or asks.
func TestRegionLinkCut(t *testing.T) {
	s := running(t)
	if err := s.l.CutRegions(ctx(t)); err != nil {
		t.Fatal(err)
	}
	s.until("the missing paths shown", func(sn *api.Snapshot) bool {
		return !slices.ContainsFunc(sn.Nodes, func(n api.NodeStatus) bool { return n.Verdict != "degraded" })
	})
	s.quiet()
	if err := s.l.Heal(ctx(t)); err != nil {
		t.Fatal(err)
	}
	s.until("all nodes alive", allAlive)
}

// TestOnlyTheZoneLinkCut: the two nodes of a region do not reach each other; the
// engine and the other region reach both.
func TestOnlyTheZoneLinkCut(t *testing.T) {
	s := running(t)
	if err := s.l.Cut(ctx(t), "LK_P_A", "LK_P_B"); err != nil {
		t.Fatal(err)
	}
	s.until("the missing path shown", func(sn *api.Snapshot) bool {
		return verdict(sn, "LK_P_A") == "degraded" && verdict(sn, "LK_P_B") == "degraded"
	})
	s.quiet()
	if got := s.ask(vip); got != "LK_P_A" {
		t.Errorf("a client finds %q", got)
	}
}

// quiet watches that for a while nothing moves and nobody is asked.
func (s *site) quiet() {
	s.t.Helper()
	s.never("something moved or was asked", 8*time.Second, func(sn *api.Snapshot) bool {
		return len(sn.Running) > 0 || len(pending(sn)) > 0 || !activeOn("LK_P_A")(sn)
	})
}

// TestJumpHostLost: the engine reaches everything through one host, which dies: what
// lies behind it is unknown, not dead, and nobody is asked.
func TestJumpHostLost(t *testing.T) {
	s := running(t, func(e *hierarchy.Estate) {
		hop := "ferry@" + e.Server("LK_S_B").Address
		for i := range e.Servers {
			if e.Servers[i].Name != "LK_S_B" {
				e.Servers[i].SSH.Jump = hop
			}
		}
	})
	if err := s.l.Cut(ctx(t), lab.EngineNS, "LK_S_B"); err != nil {
		t.Fatal(err)
	}
	s.until("everything behind the jump host unknown", func(sn *api.Snapshot) bool {
		return verdict(sn, "LK_P_A") == "unknown" && verdict(sn, "LK_P_B") == "unknown" && verdict(sn, "LK_S_A") == "unknown"
	})
	s.never("something moved or was asked", 8*time.Second, func(sn *api.Snapshot) bool { return len(sn.Running) > 0 || len(pending(sn)) > 0 })
	if got := s.ask(vip); got != "LK_P_A" {
		t.Errorf("a client finds %q", got)
	}
}

// TestShutdownInGoodOrder: a node shut down with the strategy to switch over hands its
// hierarchies over before its power goes; with the default, nothing moves.
func TestShutdownInGoodOrder(t *testing.T) {
	t.Run("stays", func(t *testing.T) {
		s := running(t)
		s.hooked("LK_P_A")
		if err := s.l.Guest("LK_P_A").Shutdown(ctx(t)); err != nil {
			t.Fatal(err)
		}
		s.never("a shutdown in good order was taken for a failure", 15*time.Second, func(sn *api.Snapshot) bool {
			return len(sn.Running) > 0 || len(pending(sn)) > 0 || activeOn("LK_P_B")(sn)
		})
	})
	t.Run("switches over", func(t *testing.T) {
		s := running(t, func(e *hierarchy.Estate) { e.Servers[0].SwitchOnShutdown = true })
		s.hooked("LK_P_A")
		probe := s.l.Client().Probe(long(t), vip, everyAsk)
		if err := s.l.Guest("LK_P_A").Shutdown(ctx(t)); err != nil {
			t.Fatal(err)
		}
		if err := probe.WaitAnswer(ctx(t), "LK_P_B"); err != nil {
			t.Fatal(err)
		}
		probe.Stop()
		t.Logf("shutdown of the active node in good order: %s", probe.Outage())
		s.until("everything on LK_P_B", activeOn("LK_P_B"))
	})
}

// hooked waits until the node's stop hook is in force.
func (s *site) hooked(node string) {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		if _, err := s.l.Guest(node).Sh(ctx(s.t), "systemctl is-active --quiet ferry-stop.service"); err == nil {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	s.t.Fatalf("%s has no stop hook", node)
}
