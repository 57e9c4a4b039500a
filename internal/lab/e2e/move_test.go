package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/internal/sim"
)

const (
	everyAsk = 50 * time.Millisecond // the client's pace in every figure
	ask      = time.Second
)

// TestApplySwitchOverAndBack is the first thing a user can rely on.
func TestApplySwitchOverAndBack(t *testing.T) {
	s := running(t)
	probe := s.l.Client().Probe(long(t), vip, everyAsk)
	s.move("LK_P_B")
	if err := probe.WaitAnswer(ctx(t), "LK_P_B"); err != nil {
		t.Fatal(err)
	}
	t.Logf("switchover: %s\n%s", probe.Outage(), s.steps())
	s.move("LK_P_A")
	if err := probe.WaitAnswer(ctx(t), "LK_P_A"); err != nil {
		t.Fatal(err)
	}
	probe.Stop()
	s.until("everything on LK_P_A", activeOn("LK_P_A"))
	table := s.ec2.Snapshot()
	rtb := sim.TableOf(*s.estate.Region("ap-northeast-1"))
	if got, want := table.Table(rtb).Route("10.1.0.10/32").Interface, s.estate.Server("LK_P_A").ENI; got != want {
		t.Errorf("10.1.0.10/32 points to %s, want %s", got, want)
	}
	if out, err := s.l.Guest("LK_P_B").Sh(ctx(t), "ip -o addr show to 10.1.0.10"); err != nil || out != "" {
		t.Errorf("LK_P_B still has the address: %q %v", out, err)
	}
	if again := s.must("apply", s.file, "--yes"); strings.Contains(again, "add ") {
		t.Errorf("applying the same file again changes something:\n%s", again)
	}
}

// TestZoneThenRegion is the story of the README: the active node is powered off and the
// service comes back in the other zone by itself; that one is powered off too, and
// nothing leaves the region until a person says so.
func TestZoneThenRegion(t *testing.T) {
	s := running(t)
	probe := s.l.Client().Probe(long(t), vip, everyAsk)
	if err := s.l.Guest("LK_P_A").PowerOff(ctx(t)); err != nil {
		t.Fatal(err)
	}
	if err := probe.WaitAnswer(ctx(t), "LK_P_B"); err != nil {
		t.Fatal(err)
	}
	t.Logf("power-off of the active node: %s", probe.Outage())
	probe.Stop()
	s.until("everything on LK_P_B", activeOn("LK_P_B"))

	if err := s.l.Guest("LK_P_B").PowerOff(ctx(t)); err != nil {
		t.Fatal(err)
	}
	sn := s.until("a question", func(sn *api.Snapshot) bool { return len(pending(sn)) == 1 })
	q := sn.Questions[len(sn.Questions)-1]
	if q.ToRegion != "ap-southeast-1" || q.To != "LK_S_A" || len(q.Evidence) == 0 || q.Proven {
		t.Errorf("question to %s in %s, proven %v, evidence %v", q.To, q.ToRegion, q.Proven, q.Evidence)
	}
	s.never("something crossed unasked", 5*time.Second, func(sn *api.Snapshot) bool {
		return len(sn.Running) > 0 || activeOn("LK_S_A")(sn) || activeOn("LK_S_B")(sn)
	})
	if out := s.must("confirm", "list"); !strings.Contains(out, "LK_S_A") || !strings.Contains(out, q.ID) {
		t.Errorf("confirm list does not show the question:\n%s", out)
	}
	if _, errs, code := s.ferry("confirm", "yes", q.ID, "--region", "ap-southeast-1"); code != 107 {
		t.Errorf("yes without a word on the node that is not proven dead: exit %d\n%s", code, errs)
	}
	s.must("confirm", "yes", q.ID, "--region", "ap-southeast-1", "--node-is-off", q.From)
	s.until("everything on LK_S_A", activeOn("LK_S_A"))
	if got := s.ask(farVIP); got != "LK_S_A" {
		t.Errorf("a client finds %q at %s", got, farVIP)
	}
}

// TestOldNodeComesBackQuietly: a node that was powered off while it was active, and
// comes back after the service moved, starts nothing and takes nothing.
func TestOldNodeComesBackQuietly(t *testing.T) {
	s := running(t)
	a := s.l.Guest("LK_P_A")
	if err := a.PowerOff(ctx(t)); err != nil {
		t.Fatal(err)
	}
	s.until("everything on LK_P_B", activeOn("LK_P_B"))
	if err := a.PowerOn(ctx(t)); err != nil {
		t.Fatal(err)
	}
	s.until("LK_P_A alive again", func(sn *api.Snapshot) bool { return verdict(sn, "LK_P_A") == "alive" && allKnown(sn) })
	s.never("the service left LK_P_B", 8*time.Second, func(sn *api.Snapshot) bool { return !activeOn("LK_P_B")(sn) })
	if out, err := a.Sh(ctx(t), "ip -o addr show to 10.1.0.10; pgrep -a perl"); err == nil || strings.Contains(out, "10.1.0.10") {
		t.Errorf("the old node runs something: %q", out)
	}
	if got := s.ask(vip); got != "LK_P_B" {
		t.Errorf("a client finds %q", got)
	}
}
