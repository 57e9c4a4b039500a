package steps_test

import (
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/steps"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// sheet is a page that shows lines, so that they can be compared with golden files.
type sheet struct{ lines func(w int) []string }

func (s sheet) Title() string          { return "" }
func (s sheet) Actions() []ui.Action   { return nil }
func (s sheet) Do(string) tea.Cmd      { return nil }
func (s sheet) Update(tea.Msg) tea.Cmd { return nil }
func (s sheet) View(w, h int) string   { return ui.Lines(s.lines(w), w, h) }

func preview(t *testing.T, s *api.Snapshot, g plan.Goal) plan.Plan { return uitest.Plan(t, s, g) }

func TestPlans(t *testing.T) {
	for name, g := range map[string]plan.Goal{
		"inside": {Kind: plan.GoalInService, Tag: "service/www", Node: "LK_P_B", From: "LK_P_A"},
		"across": {Kind: plan.GoalInService, Tag: "service/www", Node: "LK_S_A", From: "LK_P_A", Force: true},
		"out":    {Kind: plan.GoalOutOfService, Tag: "service/www"},
	} {
		s := uitest.Scene(t, uitest.Calm)
		p := preview(t, s, g)
		uitest.Golden(t, name, s, func(c *ui.Context) ui.Page {
			return sheet{func(w int) []string {
				return steps.Lines(c, p, nil, w)
			}}
		})
		uitest.Golden(t, name+"-what", s, func(c *ui.Context) ui.Page {
			return sheet{func(w int) []string {
				out := append([]string{steps.Headline(c, p.Goal), ""}, steps.Effects(c, p, w)...)
				out = append(append(out, ""), steps.Untouched(c, p, w)...)
				return append(append(out, ""), steps.Notes(c, p, w)...)
			}}
		})
	}
}

func TestProgressGolden(t *testing.T) {
	s := uitest.Scene(t, uitest.Moving)
	o := s.Running[0]
	uitest.Golden(t, "moving", s, func(c *ui.Context) ui.Page {
		return sheet{func(w int) []string { return steps.Progress(c, &o, w) }}
	})
	back := rolledBack(t, s)
	uitest.Golden(t, "back", s, func(c *ui.Context) ui.Page {
		return sheet{func(w int) []string { return steps.Progress(c, &back, w) }}
	})
}

// rolledBack is a move whose second stop failed: the first one is taken back.
func rolledBack(t *testing.T, s *api.Snapshot) api.Operation {
	p := preview(t, s, plan.Goal{Kind: plan.GoalInService, Tag: "service/www", Node: "LK_P_B", From: "LK_P_A", By: "anna"})
	var touched []string
	stops := 0
	for i, st := range p.Steps {
		if st.Kind == plan.StepStop {
			if stops++; stops == 2 {
				o := uitest.RunOp(p, "op-13", i)
				o.Steps[i].Status, o.Steps[i].Ended = "failed", o.Steps[i].Began.Add(1500e6)
				o.Steps[i].Report = kits.Report{Outcome: kits.Failed, Reason: kits.Why("x", "stop ended with 1 on LK_P_A: \x1b[31mdevice or resource busy"), Output: "umount: busy\n"}
				touched = append(touched, st.ID)
				undo, ok := plan.Undo(p, touched)
				if !ok {
					t.Fatal("nothing to take back")
				}
				for _, u := range undo.Steps {
					o.Steps = append(o.Steps, api.StepStatus{ID: u.ID, Status: "done", Began: o.Steps[i].Ended, Ended: o.Steps[i].Ended.Add(700e6)})
				}
				o.Outcome, o.Ended = policy.OpRolledBack, uitest.Clock
				return o
			}
		}
		touched = append(touched, st.ID)
	}
	t.Fatal("no second stop")
	return api.Operation{}
}

func TestChangesJoinsWhatLeavesAndWhatComes(t *testing.T) {
	p := plan.Plan{Steps: []plan.Step{
		{Kind: plan.StepStop, Tag: "s/app", Effects: []kits.Effect{{Kind: "process", What: "/stop", From: "A"}}},
		{Kind: plan.StepStop, Tag: "s/ip", Effects: []kits.Effect{{Kind: "address", What: "10.1.0.10/32", From: "A"}}},
		{Kind: plan.StepStart, Tag: "s/ip", Effects: []kits.Effect{{Kind: "address", What: "10.1.0.10/32", From: "A", To: "B"}}},
		{Kind: plan.StepStart, Tag: "s/app", Effects: []kits.Effect{{Kind: "process", What: "/start", To: "B"}}},
	}}
	got := steps.Changes(p)
	want := []kits.Effect{{Kind: "address", What: "10.1.0.10/32", From: "A", To: "B"}, {Kind: "process", What: "app", From: "A", To: "B"}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLongNamesStayWhole(t *testing.T) {
	c := uitest.Context(t, uitest.Scene(t, uitest.Calm), "en", nil)
	tag, node := "service/a-resource-whose-name-is-long-01", "A_NODE_WHOSE_NAME_IS_LONG_02"
	p := plan.Plan{Steps: []plan.Step{{ID: "01", Kind: plan.StepStart, Tag: hierarchy.Tag(tag), Node: node}}}
	all := ansi.Strip(strings.Join(steps.Lines(c, p, nil, 60), "\n"))
	if !strings.Contains(all, "a-resource-whose-name-is-long-01") || !strings.Contains(all, node) {
		t.Errorf("a name is cut:\n%s", all)
	}
}

func TestWhatRunsInItsPlaceAlreadyIsNamedAsUntouched(t *testing.T) {
	s := uitest.Scene(t, uitest.Calm)
	for i := range s.Resources { // www alone is out of service
		if r := &s.Resources[i]; r.Tag == "service/www" {
			r.Active = ""
			for j := range r.On {
				r.On[j].State = hierarchy.OSU
			}
		}
	}
	c := uitest.Context(t, s, "en", nil)
	p := uitest.Plan(t, s, plan.Goal{Kind: plan.GoalInService, Tag: "service/www", Node: "LK_P_A"})
	got := ansi.Strip(strings.Join(steps.Untouched(c, p, 200), "\n"))
	if !strings.Contains(got, "service/ip-route53 on LK_P_A") || strings.Contains(got, "service/www") || strings.Contains(got, "nothing else") {
		t.Errorf("got %q", got)
	}
}

func TestOnlyASCIIWhereThatIsWanted(t *testing.T) {
	s := uitest.Scene(t, uitest.Moving)
	c := uitest.Context(t, s, "en", nil)
	c.Theme = theme.New(theme.Mono, true)
	back := rolledBack(t, uitest.Scene(t, uitest.Calm))
	lines := append(steps.Progress(c, &s.Running[0], 100), steps.Progress(c, &back, 80)...)
	lines = append(lines, steps.Lines(c, back.Plan, nil, 60)...)
	for _, l := range append(lines, steps.Effects(c, back.Plan, 70)...) {
		for _, r := range ansi.Strip(l) {
			if r > 0x7e {
				t.Fatalf("%U in %q", r, l)
			}
		}
	}
}

func TestOutageOfWhatDidNotStartIsNotKnown(t *testing.T) {
	s := uitest.Scene(t, uitest.Calm)
	p := uitest.Plan(t, s, plan.Goal{Kind: plan.GoalInService, Tag: "service/www", Node: "LK_P_B", From: "LK_P_A"})
	o := uitest.RunOp(p, "op-1", len(p.Steps))
	d, ok := steps.Outage(&o)
	if !ok || d != 3580e6 { // nine steps, 400 ms apart, the last one 380 ms long
		t.Errorf("Outage = %v, %v", d, ok)
	}
	for i := range o.Steps {
		if p.Steps[i].Kind == plan.StepStart {
			o.Steps[i].Status = "failed"
		}
	}
	if d, ok := steps.Outage(&o); ok {
		t.Errorf("an outage of %v, though nothing started", d)
	}
}
