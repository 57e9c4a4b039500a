package drill

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

var zero = time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)

func at(ms int) time.Time { return zero.Add(time.Duration(ms) * time.Millisecond) }

// log is "..xx." as looks 200 ms apart, each taking 10 ms.
func log(s string) []Sample {
	var out []Sample
	for i, c := range s {
		x := Sample{At: at(200 * i), Took: 10 * time.Millisecond, OK: c == '.'}
		if !x.OK {
			x.Said = "refused"
		}
		out = append(out, x)
	}
	return out
}

func TestGaps(t *testing.T) {
	for _, c := range []struct {
		log            string
		gaps           int
		length, atMost time.Duration
		open           bool
	}{
		{"", 0, 0, 0, false},
		{".....", 0, 0, 0, false},
		{"..xxx..", 1, 600 * time.Millisecond, 810 * time.Millisecond, false},
		{"xx..", 1, 400 * time.Millisecond, 410 * time.Millisecond, false}, // nothing is known of before
		{"..x.x..", 2, 400 * time.Millisecond, 820 * time.Millisecond, false},
		{"...xx", 1, 200 * time.Millisecond, 410 * time.Millisecond, true},
	} {
		gaps := Gaps(log(c.log))
		length, atMost, open := Outage(gaps)
		if len(gaps) != c.gaps || length != c.length || atMost != c.atMost || open != c.open {
			t.Errorf("%s: %d gaps, %s, at most %s, open %v", c.log, len(gaps), length, atMost, open)
		}
	}
}

// TestGapsHoldTheTruth: whatever the true outage, the two figures hold it, in whatever
// order the answers came.
func TestGapsHoldTheTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.IntRange(1000, 5000).Draw(t, "from")
		took := rapid.IntRange(1, 8000).Draw(t, "took")
		period := rapid.IntRange(10, 500).Draw(t, "period")
		var all []Sample
		for ms := 0; ms < from+took+2000; ms += period {
			all = append(all, Sample{At: at(ms), Took: time.Duration(rapid.IntRange(0, 900).Draw(t, "answer")) * time.Millisecond, OK: ms < from || ms >= from+took})
		}
		all = rapid.Permutation(all).Draw(t, "order")
		length, atMost, open := Outage(Gaps(all))
		truth := time.Duration(took) * time.Millisecond
		slack := time.Duration(period) * time.Millisecond
		if len(Gaps(all)) == 0 {
			if truth > slack {
				t.Fatalf("an outage of %s was not seen every %s", truth, slack)
			}
			return
		}
		if open || length > truth+slack || atMost < truth || length < truth-slack {
			t.Fatalf("truth %s: measured %s, at most %s, open %v", truth, length, atMost, open)
		}
	})
}

func operation() *api.Operation {
	o := &api.Operation{Op: policy.Op{ID: "op-3", Outcome: policy.OpDone, Began: at(0), Ended: at(2000), Plan: plan.Plan{Goal: plan.Goal{Kind: plan.GoalInService, Tag: "service/www", From: "A", Node: "B"}}}}
	for i, k := range []plan.StepKind{plan.StepStop, plan.StepClaim, plan.StepStart} {
		id := string(k)
		o.Plan.Steps = append(o.Plan.Steps, plan.Step{ID: id, Kind: k, Tag: "service/www", Node: "B"})
		o.Steps = append(o.Steps, api.StepStatus{ID: id, Status: "done", Began: at(500 * i), Ended: at(500*i + 500)})
	}
	return o
}

func TestMoved(t *testing.T) {
	m := Moved("there", operation(), log("..xxxx...")) // away from 400 to 1200 ms
	if m.Outage != 800*time.Millisecond || m.Took != 2*time.Second || m.Looks != 9 || m.From != "A" || m.To != "B" {
		t.Errorf("got %+v", m)
	}
	var sum time.Duration
	for i, want := range []time.Duration{100, 500, 200} {
		if got := m.Steps[i].Outage; got != want*time.Millisecond {
			t.Errorf("step %s: %s of the outage, want %s", m.Steps[i].ID, got, want*time.Millisecond)
		}
		sum += m.Steps[i].Outage
	}
	if sum != m.Outage {
		t.Errorf("the steps have %s, the whole %s", sum, m.Outage)
	}
}

func report(result Result, outage time.Duration, day int) Report {
	return Report{Tag: "service/www", Test: "switchover", From: "A", To: "B", Probe: "x", Began: zero.AddDate(0, 0, day), Result: result,
		Moves: []Move{{Outcome: policy.OpDone, Outage: outage, Verified: time.Second}}}
}

func TestTrends(t *testing.T) {
	s := time.Second
	for _, c := range []struct {
		name    string
		outages []time.Duration
		slower  bool
		median  time.Duration
	}{
		{"too few to tell", []time.Duration{s, 9 * s}, false, 5 * s},
		{"steady", []time.Duration{4 * s, 5 * s, 4 * s, 5 * s}, false, 4500 * time.Millisecond},
		{"slower", []time.Duration{4 * s, 4 * s, 4 * s, 6 * s}, true, 4 * s},
		{"a second is noise", []time.Duration{s, s, s, 2 * s}, false, s},
		{"faster", []time.Duration{9 * s, 9 * s, 2 * s}, false, 9 * s},
	} {
		history := []Report{report(Failed, time.Hour, 400), report(Aborted, time.Hour, 401)}
		for i := len(c.outages) - 1; i >= 0; i-- { // in any order
			history = append(history, report(Passed, c.outages[i], i))
		}
		ts := Trends(history)
		if len(ts) != 1 || ts[0].Slower != c.slower || ts[0].Median != c.median || ts[0].First != c.outages[0] || ts[0].Last != c.outages[len(c.outages)-1] || ts[0].Count != len(c.outages) {
			t.Errorf("%s: %+v", c.name, ts)
		}
	}
	other := report(Passed, s, 1)
	other.To = "C"
	if ts := Trends([]Report{report(Passed, s, 0), other}); len(ts) != 2 {
		t.Errorf("another direction is compared: %+v", ts)
	}
}

func TestJudge(t *testing.T) {
	good := report("", time.Second, 0)
	good.Judge()
	bad := report("", time.Second, 0)
	bad.Moves[0].Outcome = policy.OpRolledBack
	bad.Judge()
	never := report("", time.Second, 0)
	never.Moves[0].Verified = 0
	never.Judge()
	none := Report{}
	none.Judge()
	cut := Report{Result: Aborted, Problems: []string{"interrupted"}}
	cut.Judge()
	if good.Result != Passed || bad.Result != Failed || len(bad.Problems) != 1 || never.Result != Failed || none.Result != Failed || cut.Result != Aborted {
		t.Errorf("got %s, %s %q, %s, %s, %s", good.Result, bad.Result, bad.Problems, never.Result, none.Result, cut.Result)
	}
}

func TestMarkdownIsHarmless(t *testing.T) {
	r := report("", time.Second, 0)
	r.Moves[0] = Moved("there", operation(), log("..xxxx..."))
	r.Problems = []string{"| a <b> [c](d)\n# heading \x1b[2J`e`"}
	r.Moves[0].Gaps[0].Said = "‮evil"
	text := string(Markdown(&r))
	if strings.ContainsAny(text, "\x1b‮") || strings.Contains(text, "\n# heading") || strings.Contains(text, "<b>") || strings.Contains(strings.ReplaceAll(text, "\\[", ""), "[c]") {
		t.Errorf("got:\n%s", text)
	}
	for _, want := range []string{"**800ms (at most 1.01s)**", "| start service/www | B | done | 500ms | 200ms |"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
}

// well is an estate that is ready for a drill.
func well() (*api.Snapshot, *hierarchy.Index) {
	e := &hierarchy.Estate{Cluster: []hierarchy.Cluster{{Name: "service", Servers: []string{"A", "B", "C"}}}}
	s := &api.Snapshot{Estate: e}
	for _, n := range []string{"A", "B", "C"} {
		e.Servers = append(e.Servers, hierarchy.Server{Name: n})
		s.Nodes = append(s.Nodes, api.NodeStatus{Name: n, Cluster: "service", Verdict: policy.Alive})
	}
	for _, t := range []hierarchy.Tag{"service/www", "service/disk"} {
		r := hierarchy.Resource{Tag: t, Cluster: "service", On: []hierarchy.Placement{{Server: "A", Priority: 1}, {Server: "B", Priority: 2}}}
		st := api.ResourceStatus{Tag: t, Cluster: "service", Active: "A", On: []api.InstanceStatus{{Server: "A", State: hierarchy.ISP}, {Server: "B", State: hierarchy.OSU}}}
		if t == "service/www" {
			r.Children = []hierarchy.Tag{"service/disk"}
		} else {
			st.Data = &api.DataStatus{Nodes: map[string]map[string]string{"A": {"state": "Source"}, "B": {"state": "Target, in sync"}}}
		}
		e.Res, s.Resources = append(e.Res, r), append(s.Resources, st)
	}
	return s, hierarchy.NewIndex(e)
}

func TestReady(t *testing.T) {
	for _, c := range []struct {
		name  string
		to    string
		spoil func(*api.Snapshot)
		want  string // the check that fails; empty = none
	}{
		{"well", "B", func(*api.Snapshot) {}, ""},
		{"a node is missing", "B", func(s *api.Snapshot) { s.Nodes[2].Verdict = policy.Unknown }, "servers"},
		{"a path is missing", "B", func(s *api.Snapshot) { s.Nodes[1].Verdict = policy.Degraded }, "servers"},
		{"impaired", "B", func(s *api.Snapshot) { s.Resources[1].On[0].State = hierarchy.ISU }, "service"},
		{"held by the storm brake", "B", func(s *api.Snapshot) { s.Resources[0].On[0].Held = "three times" }, "service"},
		{"half of it elsewhere", "B", func(s *api.Snapshot) { s.Resources[1].Active = "B" }, "service"},
		{"standby failed", "B", func(s *api.Snapshot) { s.Resources[0].On[1].State = hierarchy.OSF }, "standby"},
		{"standby unknown", "B", func(s *api.Snapshot) { s.Resources[0].On[1].State = hierarchy.ILLSTATE }, "standby"},
		{"there already", "A", func(*api.Snapshot) {}, "standby"},
		{"not extended", "C", func(*api.Snapshot) {}, "standby"},
		{"something runs", "B", func(s *api.Snapshot) { s.Running = []api.Operation{operationRunning()} }, "operations"},
		{"a hold", "B", func(s *api.Snapshot) { s.Holds = []api.HoldStatus{{By: "ann"}} }, "holds"},
		{"a question", "B", func(s *api.Snapshot) { s.Questions = []policy.Question{{ID: "q", State: policy.Pending}} }, "questions"},
		{"an old question", "B", func(s *api.Snapshot) { s.Questions = []policy.Question{{ID: "q", State: policy.Answered}} }, ""},
		{"resyncing", "B", func(s *api.Snapshot) { s.Resources[1].Data.Nodes["B"]["state"] = "Target, resyncing 42 %" }, "data"},
		{"in sync once", "B", func(s *api.Snapshot) { s.Resources[1].Data.Nodes["B"]["state"] = "Target, in sync, does not answer" }, "data"},
		{"nothing known of the copy", "B", func(s *api.Snapshot) { delete(s.Resources[1].Data.Nodes, "B") }, "data"},
		{"the record is in doubt", "B", func(s *api.Snapshot) { s.Resources[1].Data.Doubtful = true }, "data"},
		{"the engine complains", "B", func(s *api.Snapshot) { s.Engine.Notice = "disk full" }, "engine"},
	} {
		s, x := well()
		c.spoil(s)
		bad := Failing(Ready(s, x, "service/www", c.to))
		names := ""
		for _, b := range bad {
			names += b.Name + " "
			if b.Fix == "" || b.Text == "" {
				t.Errorf("%s: %+v says not what to do", c.name, b)
			}
		}
		if c.want == "" && len(bad) > 0 || c.want != "" && !strings.Contains(names, c.want) {
			t.Errorf("%s: failing %q, want %q", c.name, names, c.want)
		}
	}
}

func operationRunning() api.Operation {
	o := *operation()
	o.Outcome = policy.OpRunning
	o.Reason = kits.Reason{}
	return o
}
