package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
)

// TestEngineAndItsRegionLost: the Primary Region is gone, and with it the engine and its
// disk. From the copies on the other region's nodes a second engine adopts the estate,
// asks, and crosses on a person's word; the old one, woken up, is refused everywhere.
func TestEngineAndItsRegionLost(t *testing.T) {
	s := running(t)
	s.until("copies on the far nodes", func(*api.Snapshot) bool {
		_, err := s.l.Guest("LK_S_A").Sh(ctx(t), "[ -s /var/lib/ferry/copy ]")
		return err == nil
	})
	s.killEngine()
	for _, n := range []string{"LK_P_A", "LK_P_B"} {
		if err := s.l.Guest(n).PowerOff(ctx(t)); err != nil {
			t.Fatal(err)
		}
	}
	old := filepath.Join(s.dir, "old-state")
	if err := os.Rename(filepath.Join(s.dir, "state"), old); err != nil {
		t.Fatal(err)
	}
	files := s.l.SSHConfig()
	from := []string{"adopt", "--from", s.l.Guest("LK_S_A").Addr().String(), "--from", s.l.Guest("LK_S_B").Addr().String(),
		"--user", "ferry", "--identity", files.Identity, "--known-hosts", files.KnownHosts, "--ssh-config", "none"}
	if out, errs, code := s.ferry(append(from, "--yes")...); code != 107 {
		t.Errorf("adopted without the estate's name: exit %d\n%s%s", code, out, errs)
	}
	adopted := s.must(append(from, "--confirm", s.estate.Name, "--force")...)
	t.Logf("adopt:\n%s", adopted)
	s.startEngine()
	q := s.question()
	if q.From != "LK_P_A" || q.To != "LK_S_A" {
		t.Errorf("asked about %s to %s", q.From, q.To)
	}
	s.must("confirm", "yes", q.ID, "--region", farRegion, "--node-is-off", q.From)
	s.until("everything on LK_S_A", activeOn("LK_S_A"))
	if got := s.ask(farVIP); got != "LK_S_A" {
		t.Errorf("a client finds %q at %s", got, farVIP)
	}

	// The old engine's machine comes back, too.
	s.stopEngine()
	if err := os.Rename(filepath.Join(s.dir, "state"), filepath.Join(s.dir, "new-state")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(old, filepath.Join(s.dir, "state")); err != nil {
		t.Fatal(err)
	}
	s.startEngine()
	s.until("the old engine to know that it leads no more", func(sn *api.Snapshot) bool {
		return strings.Contains(sn.Engine.Notice, "adopted") || strings.Contains(sn.Engine.Notice, "no longer")
	})
	if out, errs, code := s.ferry("in-service", "www", "--on", "LK_S_B", "--yes", "--confirm-region", farRegion); code == 0 {
		t.Errorf("an engine that was adopted away moved the service\n%s%s", out, errs)
	}
	// One attempt that finds nobody is no move: another node's answer would be.
	s.never("the service moved", 5*time.Second, func(*api.Snapshot) bool {
		return slices.Contains([]string{"LK_S_B", "LK_P_A", "LK_P_B"}, s.ask(farVIP))
	})
	s.untilAnswer(farVIP, "LK_S_A")
}
