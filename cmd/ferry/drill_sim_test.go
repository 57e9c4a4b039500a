package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/drill"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
)

// drilled is a site whose service is in service on LK_P_A, and a directory for reports.
func drilled(t *testing.T, f func(s *site, reports string)) {
	bareSite(t, "cross-region.toml", func(s *site) {
		t := s.t
		if _, err := (socket{s}).Apply(t.Context(), api.Apply{Estate: s.sim.Definition}); err != nil {
			t.Fatal(err)
		}
		s.waitFor("the nodes", func(snap *api.Snapshot) bool {
			for _, n := range snap.Nodes {
				if n.Verdict != policy.Alive {
					return false
				}
			}
			for _, r := range snap.Resources {
				for _, on := range r.On {
					if on.State == hierarchy.ILLSTATE {
						return false
					}
				}
			}
			return len(snap.Nodes) > 0
		})
		if code, out, errs := s.run(t.Context(), "in-service www --yes --on LK_P_A"); code != 0 {
			t.Fatalf("%d: %s%s", code, out, errs)
		}
		s.waitFor("the service, well", wellOn("LK_P_A"))
		f(s, t.TempDir())
	})
}

// waitFor lets virtual time pass until the engine sees something.
func (s *site) waitFor(what string, ok func(*api.Snapshot) bool) {
	s.t.Helper()
	for range 600 {
		if snap, err := (socket{s}).Snapshot(s.t.Context()); err == nil && ok(snap) {
			return
		}
		time.Sleep(500 * time.Millisecond)
	}
	s.t.Fatalf("waited five minutes for: %s\n%s", what, s.story())
}

func wellOn(node string) func(*api.Snapshot) bool {
	return func(snap *api.Snapshot) bool {
		for _, r := range snap.Resources {
			if r.Cluster != "service" {
				continue
			}
			if r.Active != node {
				return false
			}
			for _, on := range r.On {
				if on.Server == node && on.State != hierarchy.ISP || on.Server != node && on.State != hierarchy.OSU {
					return false
				}
			}
		}
		return len(snap.Running) == 0
	}
}

// client asks the service as one in the region does.
func (s *site) client(context.Context, string) error {
	_, err := s.sim.Ask("ap-northeast-1", "10.1.0.10:8080")
	return err
}

// drill carries a drill out and gives its report, when there is one.
func (s *site) drill(ctx context.Context, line string) (code int, r *drill.Report, said string) {
	return s.drillWords(ctx, strings.Fields(line))
}

// drillWords is drill with a line that is taken apart already.
func (s *site) drillWords(ctx context.Context, words []string) (code int, r *drill.Report, said string) {
	var out, errs bytes.Buffer
	a := &cli{in: strings.NewReader(""), out: &out, err: &errs, now: time.Now, getenv: func(string) string { return "" }, deps: wired()}
	a.deps.dial = func(context.Context, string) (api.Service, error) { return socket{s}, nil }
	a.deps.look = s.client
	code = a.run(ctx, append([]string{"drill", "-o", "json"}, words...))
	if out.Len() > 0 {
		r = new(drill.Report)
		if err := json.Unmarshal(out.Bytes(), r); err != nil {
			s.t.Fatalf("%v in %s", err, out.String())
		}
	}
	return code, r, errs.String()
}

// independent is a client of its own, which asks every 20 ms, and what it saw.
type independent struct {
	mu   sync.Mutex
	log  []drill.Sample
	stop func()
}

func (s *site) independent() *independent {
	ctx, cancel := context.WithCancel(s.t.Context())
	c, done := &independent{}, make(chan bool)
	c.stop = func() { cancel(); <-done }
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			at := time.Now()
			err := s.client(ctx, "")
			c.mu.Lock()
			c.log = append(c.log, drill.Sample{At: at, OK: err == nil})
			c.mu.Unlock()
			time.Sleep(20 * time.Millisecond)
		}
	}()
	return c
}

func (c *independent) gaps() []drill.Gap {
	c.mu.Lock()
	defer c.mu.Unlock()
	return drill.Gaps(c.log)
}

// TestDrillAgreesWithAnIndependentClient: there and back, and the outage of each way is
// what another client saw.
func TestDrillAgreesWithAnIndependentClient(t *testing.T) {
	drilled(t, func(s *site, reports string) {
		t := s.t
		other := s.independent()
		defer other.stop()
		md := filepath.Join(reports, "mine.md")
		code, r, said := s.drill(t.Context(), "www --yes --probe 10.1.0.10:8080 --stay 5s --period 100ms --reports "+reports+" --report "+md)
		if code != 0 || r == nil || r.Result != drill.Passed || len(r.Moves) != 2 || r.Now != "LK_P_A" || r.To != "LK_P_B" {
			t.Fatalf("%d: %+v\n%s", code, r, said)
		}
		gaps := other.gaps()
		if len(gaps) != 2 {
			t.Fatalf("another client saw %+v", gaps)
		}
		for i, m := range r.Moves {
			truth := gaps[i].Length
			if d := m.Outage - truth; d > 120*time.Millisecond || d < -120*time.Millisecond || m.AtMost < truth-40*time.Millisecond || truth == 0 {
				t.Errorf("%s: the drill says %s (at most %s), another client saw %s", m.Name, m.Outage, m.AtMost, truth)
			}
			var in time.Duration
			for _, st := range m.Steps {
				if st.Status != "done" && st.Status != "skipped" {
					t.Errorf("%s: step %s is %s", m.Name, st.ID, st.Status)
				}
				in = max(in, st.Outage)
			}
			if in == 0 || m.Verified == 0 || m.Outcome != policy.OpDone {
				t.Errorf("%s: %+v", m.Name, m)
			}
		}
		text, err := os.ReadFile(md)
		if err != nil || !strings.HasPrefix(string(text), "# Drill of service/www: passed") {
			t.Errorf("%v: %s", err, text)
		}
		s.must(0, "drill history --reports "+reports, "service/www", "passed", "LK_P_A to LK_P_B", "1 passed: outage first")
		s.must(0, "drill show "+r.ID+" --reports "+reports, "there  LK_P_A to LK_P_B", "in service now on LK_P_A")
		s.must(105, "drill show ../x --reports "+reports)
	})
}

// TestDrillBeginsOnlyWhereAllIsWell: and moves nothing else.
func TestDrillBeginsOnlyWhereAllIsWell(t *testing.T) {
	drilled(t, func(s *site, reports string) {
		t := s.t
		was := s.operations()
		for _, c := range []struct {
			line string
			code int
			says string
		}{
			{"www --yes", 64, "what do clients use"},
			{"www --yes --probe nonsense", 64, "nothing that can be looked at"},
			{"www --probe 10.1.0.10:8080", 107, "nobody is there to be asked"},
			{"www --yes --no-probe --to LK_S_A", 107, "--confirm-region"},
			{"www --yes --no-probe --to LK_P_A", 107, "in service on LK_P_A already"},
			{"www --yes --no-probe --to VPN_P_A", 107, "is not extended to VPN_P_A"},
			{"www --yes --no-probe --dry-run", 0, "it could begin now"},
		} {
			if code, r, said := s.drill(t.Context(), c.line+" --reports "+reports); code != c.code || !strings.Contains(said, c.says) || r != nil {
				t.Errorf("drill %s: %d\n%s", c.line, code, said)
			}
		}
		if code, _, said := s.drill(t.Context(), "www --yes --no-probe --reports /proc/nowhere"); code != 69 || !strings.Contains(said, "nothing was moved") {
			t.Errorf("nowhere to keep reports: %d %s", code, said)
		}
		s.sim.Nodes.Node("LK_S_B").PowerOff()
		s.waitFor("a lost node", func(snap *api.Snapshot) bool {
			return slices.ContainsFunc(snap.Nodes, func(n api.NodeStatus) bool { return n.Name == "LK_S_B" && n.Verdict != policy.Alive })
		})
		if code, _, said := s.drill(t.Context(), "www --yes --no-probe --reports "+reports); code != 107 || !strings.Contains(said, "LK_S_B is") {
			t.Errorf("with a lost node: %d %s", code, said)
		}
		if now := s.operations(); now != was {
			t.Errorf("%d operations were begun", now-was)
		}
	})
}

// TestDrillInterrupted: it says where things stand, and how to go back.
func TestDrillInterrupted(t *testing.T) {
	drilled(t, func(s *site, reports string) {
		t := s.t
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			s.waitFor("the service there", wellOn("LK_P_B"))
			cancel(errors.New("interrupted"))
		}()
		code, r, said := s.drill(ctx, "www --yes --probe 10.1.0.10:8080 --stay 10m --reports "+reports)
		if code != 1 || r == nil || r.Result != drill.Aborted || r.Now != "LK_P_B" || !strings.Contains(said, "to go back: ferry in-service service/www --on LK_P_A") {
			t.Fatalf("%d: %+v\n%s", code, r, said)
		}
		s.must(0, "drill history --reports "+reports, "aborted")
	})
}

// TestDrillOfAFailure: a person breaks the service for good on its server; the engine
// moves it, the person mends it, and it goes back.
func TestDrillOfAFailure(t *testing.T) {
	drilled(t, func(s *site, reports string) {
		t := s.t
		node := s.sim.Nodes.Node("LK_P_A")
		go func() {
			time.Sleep(20 * time.Second)
			node.Break("www")
			s.waitFor("the failover", func(snap *api.Snapshot) bool {
				return slices.ContainsFunc(snap.Resources, func(r api.ResourceStatus) bool { return r.Tag == "service/www" && r.Active == "LK_P_B" })
			})
			time.Sleep(20 * time.Second)
			node.Mend("www")
		}()
		code, r, said := s.drill(t.Context(), "www --yes --failure --probe 10.1.0.10:8080 --stay 1m --reports "+reports)
		if code != 0 || r == nil || r.Result != drill.Passed || len(r.Moves) != 2 || r.Moves[0].Goal != "failover" || r.Now != "LK_P_A" {
			t.Fatalf("%d: %+v\n%s", code, r, said)
		}
		if m := r.Moves[0]; m.Outage == 0 || m.Open {
			t.Errorf("the outage of the failure: %+v", m)
		}
	})
}

// TestDrillBreaksByCommand: what breaks and what mends are commands of the person's, shown before and run once; what was
// broken is mended also when the drill is given up.
func TestDrillBreaksByCommand(t *testing.T) {
	drilled(t, func(s *site, reports string) {
		t := s.t
		mark := filepath.Join(reports, "broken")
		const broken, whole = true, false
		await := func(want bool) {
			for i := 0; i < 1200; i++ {
				if _, err := os.Stat(mark); (err == nil) == want {
					return
				}
				time.Sleep(time.Second)
			}
		}
		node, done := s.sim.Nodes.Node("LK_P_A"), make(chan bool)
		go func() {
			defer close(done)
			await(broken)
			node.Break("www")
			await(whole)
			node.Mend("www")
		}()
		failing := func(line, breaks, mends string) (int, *drill.Report, string) {
			return s.drillWords(t.Context(), append(strings.Fields("www --yes --failure --reports "+reports+" "+line), "--break-command", breaks, "--mend-command", mends))
		}
		code, r, said := failing("--probe 10.1.0.10:8080 --stay 1m", "test ! -e "+mark+" && touch "+mark, "rm "+mark)
		<-done
		if code != 0 || r == nil || r.Result != drill.Passed || len(r.Moves) != 2 || r.Moves[0].Goal != "failover" || r.Now != "LK_P_A" {
			t.Fatalf("%d: %+v\n%s", code, r, said)
		}
		if m := r.Moves[0]; m.Outage == 0 || m.Open || !strings.Contains(said, "breaks, here:") || !strings.Contains(said, "mends, here:") {
			t.Errorf("the outage of the failure: %+v\n%s", m, said)
		}

		code, r, said = failing("--no-probe", "touch "+mark+"; exit 3", "rm "+mark)
		if code != 1 || r == nil || r.Result != drill.Failed || !strings.Contains(said, "exit status 3") {
			t.Errorf("a command that fails: %d: %+v\n%s", code, r, said)
		}
		if _, err := os.Stat(mark); err == nil {
			t.Error("what it broke before it failed is still broken")
		}
		for line, says := range map[string]string{
			"www --yes --no-probe --break-command true":          "without --failure",
			"www --yes --no-probe --failure --mend-command true": "without --break-command",
		} {
			if code, _, said := s.drill(t.Context(), line+" --reports "+reports); code != 64 || !strings.Contains(said, says) {
				t.Errorf("%s: %d %s", line, code, said)
			}
		}
	})
}
