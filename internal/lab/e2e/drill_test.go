package e2e

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/drill"
	"github.com/ferry-ha/ferry/internal/lab"
)

// drilled runs `ferry drill` where clients are, with the engine's socket, and gives its report.
func (s *site) drilled(args ...string) *drill.Report {
	s.t.Helper()
	cmd := s.l.Command(within(s.t, 5*time.Minute), lab.ClientNS(s.estate.Regions[0].Name), ferryBinary, append([]string{"drill", "-o", "json", "--yes"}, args...)...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env(), &out, &errs
	err := cmd.Run()
	r := new(drill.Report)
	if bad := json.Unmarshal(out.Bytes(), r); err != nil || bad != nil {
		s.t.Fatalf("ferry drill: %v %v\n%s%s", err, bad, out.String(), errs.String())
	}
	return r
}

// agrees compares a move with what another client saw meanwhile. Each knows the outage only as well as it looked: at least from
// its first look that failed to its last, at most from the good look before them to the end of the good one after.
func (s *site) agrees(m drill.Move, attempts []lab.Attempt, period time.Duration) {
	s.t.Helper()
	var saw lab.Outage
	for _, o := range lab.Outages(attempts) {
		if o.To.After(m.Began) && o.From.Before(m.Began.Add(m.Took)) && o.Length() > saw.Length() {
			saw = o
		}
	}
	var least time.Duration
	for _, a := range attempts {
		if a.Err != nil && !a.Start.Before(saw.From) && a.Start.Before(saw.To) {
			least = a.Start.Sub(saw.From)
		}
	}
	s.t.Logf("%s: the drill says %s (at most %s), another client saw %s (at most %s)", m.Name, m.Outage, m.AtMost, saw.Length(), saw.Gap)
	if m.Outage == 0 || m.Open || saw.Length() == 0 {
		s.t.Errorf("%s: outage %s, open %v; another client saw %s", m.Name, m.Outage, m.Open, saw.Length())
	}
	const late = 500 * time.Millisecond // of a look on a busy machine
	if m.Outage-period > saw.Gap+late || least > m.AtMost+late {
		s.t.Errorf("%s: the drill says %s to %s, another client %s to %s", m.Name, m.Outage-period, m.AtMost, least, saw.Gap)
	}
}

// quoted makes one word of a text for sh.
func quoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// TestDrill: a switchover there and back, and a failure on request, as tests on real nodes; what the reports say of outages is what
// an independent client's log says.
func TestDrill(t *testing.T) {
	s := running(t)
	s.until("all known, nothing under way", func(sn *api.Snapshot) bool { return activeOn("LK_P_A")(sn) && allAlive(sn) && allKnown(sn) })
	reports := filepath.Join(s.dir, "drills")
	const period = 100 * time.Millisecond
	probe := s.l.Client().Probe(long(t), vip, everyAsk)
	calm := s.drilled("www", "--probe", vip, "--period", period.String(), "--stay", "2s", "--reports", reports)
	if calm.Result != drill.Passed || len(calm.Moves) != 2 || calm.Now != "LK_P_A" {
		t.Fatalf("%+v", calm)
	}
	// The service is killed for good by a command: the engine recovers it elsewhere. The command that mends lets it start again.
	// From where clients are no node can be logged in to: the commands go the engine's way.
	on := func(script string) string {
		words := []string{"nsenter", "--net=/run/netns/" + s.l.NetNS(lab.EngineNS), "ssh", "-F", "none", "-i", s.estate.SSH.Identity,
			"-o", "UserKnownHostsFile=" + s.estate.SSH.KnownHosts, "ferry@" + s.l.Guest("LK_P_A").Addr().String(), "sudo sh -c " + quoted(script)}
		for i := range words {
			words[i] = quoted(words[i])
		}
		return strings.Join(words, " ")
	}
	failed := s.drilled("www", "--failure", "--probe", vip, "--period", period.String(), "--stay", "2s", "--reports", reports,
		"--break-command", on(wwwBreak), "--mend-command", on("rm /etc/lab-www.broken"))
	if failed.Result != drill.Passed || len(failed.Moves) != 2 || failed.Moves[0].Goal != "failover" || failed.Now != "LK_P_A" {
		t.Fatalf("%+v", failed)
	}
	probe.Stop()
	all := probe.Attempts()
	for _, m := range append(calm.Moves, failed.Moves...) {
		s.agrees(m, all, period)
	}
	out, err := exec.Command(ferryBinary, "drill", "history", "--reports", reports, "-o", "json").Output()
	var history struct{ Reports []drill.Report }
	if err != nil || json.Unmarshal(out, &history) != nil || len(history.Reports) != 2 {
		t.Errorf("%v: %s", err, out)
	}
}
