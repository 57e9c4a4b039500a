package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
)

// TestEngineKilledInMidSwitchover is the lab's sample of engine/kill_test.go: kill -9
// of the real process while real scripts run on a real node. The next engine, which
// has a higher epoch, ends with the service on one node and nowhere else.
func TestEngineKilledInMidSwitchover(t *testing.T) {
	s := running(t)
	t.Cleanup(func() { // killed engines leave sessions and scripts behind: the next test gets fresh disks
		s.l.Guest("LK_P_A").Spoil()
		s.l.Guest("LK_P_B").Spoil()
	})
	for i, after := range []time.Duration{300 * time.Millisecond, 1500 * time.Millisecond, 3 * time.Second} {
		from := s.until("the service somewhere", func(sn *api.Snapshot) bool {
			return activeOn("LK_P_A")(sn) || activeOn("LK_P_B")(sn)
		}).Resources[0].Active
		to := "LK_P_B"
		if from == to {
			to = "LK_P_A"
		}
		s.must("in-service", "www", "--on", to, "--yes", "--no-wait")
		time.Sleep(after)
		s.killEngine()
		s.startEngine()
		end := s.until(fmt.Sprintf("an end after kill %d", i), func(sn *api.Snapshot) bool {
			return allAlive(sn) && allKnown(sn) && (activeOn("LK_P_A")(sn) || activeOn("LK_P_B")(sn))
		}).Resources[0].Active
		other := map[string]string{"LK_P_A": "LK_P_B", "LK_P_B": "LK_P_A"}[end]
		if out, err := s.l.Guest(other).Sh(ctx(t), "ip -o addr show to 10.1.0.10"); err != nil || out != "" {
			s.t.Errorf("killed after %s: service on %s, address on %s too: %q %v", after, end, other, out, err)
		}
		s.answers(after, end)
		ops, err := s.client.Operations(ctx(t), 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, op := range ops {
			if op.Outcome == policy.OpRunning {
				s.t.Errorf("operation %s is still open: %s, %s, cause %s", op.ID, op.Plan.Goal.Kind, op.Plan.Goal.Tag, op.Cause.Text)
			}
		}
		t.Logf("killed after %s: asked for %s, ended on %s, %s", after, to, end, ops[0].Outcome)
	}
}

// answers demands that a client finds the service where it ended, at once; what the node and the engine say of it
// is told when not. (That is how a move was found that, taken back right after an engine's restart, left it stopped.)
func (s *site) answers(after time.Duration, end string) {
	s.t.Helper()
	got := s.ask(vip)
	if got == end {
		return
	}
	unit, _ := s.l.Guest(end).Sh(ctx(s.t), "systemctl status lab-www --no-pager -n 0; journalctl -n 40 --no-pager -o short-precise | grep -v sshd")
	ev, _, _ := s.ferry("events")
	s.t.Errorf("killed after %s: service on %s, a client finds %q\n%s\n%s", after, end, got, unit, ev[max(0, len(ev)-6000):])
}
