package e2e

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// figures collects durations by name, in the order in which names first come.
type figures struct {
	names []string
	of    map[string][]time.Duration
}

func (f *figures) add(name string, d time.Duration) {
	if f.of == nil {
		f.of = map[string][]time.Duration{}
	}
	if _, ok := f.of[name]; !ok {
		f.names = append(f.names, name)
	}
	f.of[name] = append(f.of[name], d)
}

func (f *figures) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-44s %5s %9s %9s %9s\n", "", "runs", "median", "least", "most")
	for _, n := range f.names {
		d := slices.Sorted(slices.Values(f.of[n]))
		r := func(x time.Duration) time.Duration { return x.Round(time.Millisecond) }
		fmt.Fprintf(&b, "%-44s %5d %9s %9s %9s\n", n, len(d), r(d[len(d)/2]), r(d[0]), r(d[len(d)-1]))
	}
	return b.String()
}

// fast is what the figures are taken at: a beat a second, three missed are a loss.
func fast(e *hierarchy.Estate) {
	for i := range e.Servers {
		e.Servers[i].Tuning["LCMHBEATTIME"], e.Servers[i].Tuning["LCMNUMHBEATS"] = "1", "3"
	}
}

// TestReport measures, from the view of a client that asks every 50 ms: a planned
// switchover inside a region, the power-off of the active node, and the loss of the
// second one. FERRY_REPORT=1 runs it, FERRY_RUNS says how often (5).
func TestReport(t *testing.T) {
	if os.Getenv("FERRY_REPORT") != "1" {
		t.Skip("figures are taken by make lab-report (FERRY_REPORT=1)")
	}
	runs, err := strconv.Atoi(os.Getenv("FERRY_RUNS"))
	if err != nil {
		runs = 5
	}
	var f figures
	defer func() { t.Logf("client asks every 50ms, LCMHBEATTIME=1, LCMNUMHBEATS=3\n%s", f.String()) }()
	for range runs {
		if !t.Run("run", func(t *testing.T) { reportRun(t, &f) }) {
			return
		}
	}
}

func reportRun(t *testing.T, f *figures) {
	s := running(t, fast)
	probe := s.l.Client().Probe(long(t), vip, everyAsk)
	began := time.Now()
	s.move("LK_P_B")
	f.add("switchover: command", time.Since(began))
	s.move("LK_P_A")
	probe.Stop()
	f.add("switchover: outage", probe.Outage().Length())
	s.addSteps(f, "switchover")

	probe = s.l.Client().Probe(long(t), vip, everyAsk)
	time.Sleep(ask) // the probe has an answer before the plug is pulled
	lost := time.Now()
	if err := s.l.Guest("LK_P_A").PowerOff(ctx(t)); err != nil {
		t.Fatal(err)
	}
	if err := probe.WaitAnswer(ctx(t), "LK_P_B"); err != nil {
		t.Fatal(err)
	}
	probe.Stop()
	s.until("everything on LK_P_B", activeOn("LK_P_B"))
	seen, decided := s.timeOf("node", "LK_P_A", lost), s.timeOf("decision", "", lost)
	f.add("power-off: detection", seen.Sub(lost))
	f.add("power-off: decision", decided.Sub(seen))
	f.add("power-off: outage", probe.Outage().Length())
	f.add("power-off: ours, from detection to answer", probe.Outage().To.Sub(seen))
	s.addSteps(f, "power-off")

	lost = time.Now()
	if err := s.l.Guest("LK_P_B").PowerOff(ctx(t)); err != nil {
		t.Fatal(err)
	}
	s.until("a question", func(sn *api.Snapshot) bool { return len(pending(sn)) == 1 })
	f.add("second power-off: question", time.Since(lost))
	s.never("something crossed unasked", 3*time.Second, func(sn *api.Snapshot) bool { return len(sn.Running) > 0 })
}

// addSteps adds the steps of the newest operation.
func (s *site) addSteps(f *figures, scene string) {
	c, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	ops, err := s.client.Operations(c, 1)
	if err != nil || len(ops) == 0 {
		s.t.Fatalf("no operation: %v", err)
	}
	for _, st := range ops[0].Steps {
		f.add(scene+": step "+st.ID, st.Ended.Sub(st.Began))
	}
}

// timeOf is when the first event of that kind happened after a moment.
func (s *site) timeOf(kind, node string, after time.Time) time.Time {
	c, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	events, err := s.client.Events(c, 0, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range events {
		if e.Kind == kind && e.At.After(after) && (node == "" || e.Node == node) {
			return e.At
		}
	}
	s.t.Fatalf("no %s event after %s", kind, after)
	return time.Time{}
}
