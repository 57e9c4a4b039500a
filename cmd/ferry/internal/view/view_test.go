package view

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// wide is a cluster of n servers with resources tag → children.
func wide(n int, children map[string][]string, tags ...string) *api.Snapshot {
	s := &api.Snapshot{At: noon, Estate: &hierarchy.Estate{Name: "e"}, Engine: api.EngineInfo{Since: noon}}
	for _, t := range tags {
		r := api.ResourceStatus{Tag: hierarchy.MakeTag("c", t), Cluster: "c", Active: "サーバー1"}
		for _, c := range children[t] {
			r.Children = append(r.Children, hierarchy.MakeTag("c", c))
		}
		for i := range n {
			st := hierarchy.OSU
			if i == 0 {
				st = hierarchy.ISP
			}
			r.On = append(r.On, api.InstanceStatus{Server: fmt.Sprintf("サーバー%d", i+1), Priority: i + 1, State: st, Checked: noon})
		}
		s.Resources = append(s.Resources, r)
	}
	return s
}

func TestMatrixFitsEveryWidthAndShowsEveryServer(t *testing.T) {
	s := wide(12, map[string][]string{"データベース": {"disk"}, "disk": {"ip"}}, "データベース", "disk", "ip")
	for _, cells := range []int{40, 60, 80, 120, 200} {
		for _, ascii := range []bool{false, true} {
			text := Status(s, term.Style{Cells: cells, ASCII: ascii}, noon)
			for _, l := range strings.Split(text, "\n") {
				if term.Width(l) > cells {
					t.Errorf("%d cells: %q is %d wide", cells, l, term.Width(l))
				}
			}
			for i := range 12 {
				if !strings.Contains(text, fmt.Sprintf(" サーバー%d", i+1)) {
					t.Errorf("%d cells: server %d is missing", cells, i+1)
				}
			}
		}
	}
}

func TestColumnsLineUpWithWideNames(t *testing.T) {
	text := Status(wide(2, nil, "ディスク", "ip"), term.Style{}, noon)
	at := map[int]bool{}
	for _, l := range strings.Split(text, "\n") {
		if before, _, ok := strings.Cut(l, "OSU 2"); ok {
			at[term.Width(before)] = true
		}
	}
	if len(at) != 1 {
		t.Errorf("the second column begins at %v:\n%s", at, text)
	}
}

func TestTreeDrawsSharedChildOnceAndSurvivesCycles(t *testing.T) {
	s := wide(1, map[string][]string{"p1": {"shared"}, "p2": {"shared"}, "shared": {"leaf"}, "x": {"y"}, "y": {"x"}},
		"p1", "p2", "shared", "leaf", "x", "y")
	text := Status(s, term.Style{}, noon)
	if n := strings.Count(text, "└─ leaf"); n != 1 {
		t.Errorf("leaf is drawn %d times:\n%s", n, text)
	}
	if !strings.Contains(text, "└─ shared ↑") {
		t.Errorf("the second place of shared is not marked:\n%s", text)
	}
	for _, tag := range []string{"\nx ", "└─ y"} {
		if !strings.Contains(text, tag) {
			t.Errorf("%q of the cycle is missing:\n%s", tag, text)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0ms", 400 * time.Millisecond: "400ms", 1250 * time.Millisecond: "1.2s", 9990 * time.Millisecond: "9.9s", 2 * time.Second: "2s",
		42 * time.Second: "42s", 4*time.Minute + 10*time.Second: "4m10s", 3*time.Hour + 12*time.Minute: "3h12m",
		53 * time.Hour: "2d5h", 48 * time.Hour: "2d", -time.Minute: "-1m",
	} {
		if got := Span(d); got != want {
			t.Errorf("Span(%s) = %q, want %q", d, got, want)
		}
	}
	if got := Age(noon, time.Time{}); got != "never" {
		t.Errorf("Age of the zero time = %q", got)
	}
}

func TestReasonIsNeverSilent(t *testing.T) {
	if got := Reason(kits.Why("ip.gone", "", "b", "2", "a", "1")); got != "ip.gone a=1 b=2" {
		t.Errorf("got %q", got)
	}
}

func manySteps(n, done int) *api.Operation {
	o := &api.Operation{Op: policy.Op{ID: "op", Began: noon, Outcome: policy.OpRunning}}
	for i := range n {
		id := fmt.Sprint(i)
		o.Plan.Steps = append(o.Plan.Steps, plan.Step{ID: id, Kind: plan.StepStart, Tag: hierarchy.MakeTag("c", "r"+id), Node: "N"})
		switch {
		case i < done:
			o.Steps = append(o.Steps, api.StepStatus{ID: id, Status: "done", Began: noon, Ended: noon.Add(time.Second)})
		case i == done:
			o.Steps = append(o.Steps, api.StepStatus{ID: id, Status: "running", Began: noon})
		}
	}
	return o
}

func TestLiveProgressKeepsTheRunningStepInView(t *testing.T) {
	for done := range 40 {
		text := Progress(manySteps(40, done), term.Style{Cells: 80}, noon.Add(3*time.Second), 10)
		if n := strings.Count(text, "\n"); n != 10 {
			t.Fatalf("%d lines, want 10", n)
		}
		if want := fmt.Sprintf("● %2d start r%d on N (3s)", done+1, done); !strings.Contains(text, want) {
			t.Fatalf("%q is not in\n%s", want, text)
		}
	}
}

func TestLiveProgressNeverWrapsALine(t *testing.T) {
	o := manySteps(3, 0)
	o.Steps[0].Status, o.Steps[0].Report.Reason = "failed", kits.Why("x", strings.Repeat("長い理由 ", 50))
	for _, l := range strings.Split(Progress(o, term.Style{Cells: 60}, noon, 10), "\n") {
		if term.Width(l) >= 60 {
			t.Errorf("%q would wrap, and the next redraw be off by a line", l)
		}
	}
}

func TestQuoteSurvivesAShell(t *testing.T) {
	for _, s := range []string{"plain/tag", "two words", "it's", "$HOME `id` \"x\"", "*", "-n", ""} {
		out, err := exec.Command("sh", "-c", "printf %s "+Quote(s)).Output()
		if err != nil || string(out) != s {
			t.Errorf("%q came out as %q (%v)", s, out, err)
		}
	}
}

func TestHealth(t *testing.T) {
	node := func(v policy.Verdict) func(*api.Snapshot) {
		return func(s *api.Snapshot) { s.Nodes = []api.NodeStatus{{Name: "N", Verdict: v}} }
	}
	state := func(i int, st hierarchy.State) func(*api.Snapshot) {
		return func(s *api.Snapshot) { s.Resources[0].On[i].State = st }
	}
	for name, c := range map[string]struct {
		change           func(*api.Snapshot)
		failed, degraded bool
	}{
		"all well":           {func(*api.Snapshot) {}, false, false},
		"impaired":           {state(0, hierarchy.ISU), false, true},
		"failed":             {state(0, hierarchy.OSF), true, false},
		"stopped behind us":  {state(0, hierarchy.OSU), true, false},
		"standby failed":     {state(1, hierarchy.OSF), false, true},
		"unknown":            {state(1, hierarchy.ILLSTATE), false, true},
		"node hung":          {node(policy.Hung), false, true},
		"node alive":         {node(policy.Alive), false, false},
		"question":           {func(s *api.Snapshot) { s.Questions = []policy.Question{{State: policy.Pending}} }, false, true},
		"old question":       {func(s *api.Snapshot) { s.Questions = []policy.Question{{State: policy.Answered}} }, false, false},
		"notice":             {func(s *api.Snapshot) { s.Engine.Notice = "full" }, false, true},
		"held":               {func(s *api.Snapshot) { s.Resources[0].On[1].Held = "storm" }, false, true},
		"unfenced":           {func(s *api.Snapshot) { s.Resources[0].Claim = &hierarchy.Claim{Unfenced: true} }, false, true},
		"taken out, no harm": {func(s *api.Snapshot) { s.Resources[0].Active = ""; s.Resources[0].On[0].State = hierarchy.OSU }, false, false},
		"failed everywhere":  {func(s *api.Snapshot) { s.Resources[0].Active = ""; s.Resources[0].On[0].State = hierarchy.OSF }, true, false},
	} {
		s := wide(2, nil, "r")
		c.change(s)
		failed, degraded := Health(s)
		if (len(failed) > 0) != c.failed || (len(degraded) > 0) != c.degraded {
			t.Errorf("%s: failed %q, degraded %q", name, failed, degraded)
		}
	}
}
