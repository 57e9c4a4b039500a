package operations_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/pages/operations"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// history is what an estate has been through, newest first.
func history(t testing.TB, s *api.Snapshot) []api.Operation {
	calm := uitest.Scene(t, uitest.Calm)
	p := uitest.Plan(t, calm, plan.Goal{Kind: plan.GoalInService, Tag: "service/www", Node: "LK_P_B", From: "LK_P_A", By: "anna"})
	at := func(o api.Operation, ago time.Duration) api.Operation {
		back := uitest.Clock.Add(-ago).Sub(o.Began)
		o.Began = o.Began.Add(back)
		if !o.Ended.IsZero() {
			o.Ended = o.Ended.Add(back)
		}
		for i := range o.Steps {
			for _, x := range []*time.Time{&o.Steps[i].Began, &o.Steps[i].Ended} {
				if !x.IsZero() {
					*x = x.Add(back)
				}
			}
		}
		return o
	}
	var out []api.Operation
	failed := at(uitest.RunOp(p, "op-11", 12), 20*time.Minute)
	failed.Steps[12].Status, failed.Steps[12].Ended = "failed", failed.Steps[12].Began.Add(2*time.Second)
	failed.Steps[12].Report = kits.Report{Outcome: kits.Failed, Reason: kits.Why("app.start-failed", "start ended with 1 on LK_P_B: \x1b[31mport 80 is in use"), Output: "starting www\nbind: \x1b]0;x\x07address already in use\n"}
	failed.Outcome, failed.Ended, failed.By = policy.OpFailed, failed.Began.Add(8*time.Second), "automatic"
	failed.Plan.Goal.Kind = plan.GoalFailover
	failed.Cause = kits.Why("cause-repair-failed", "service/www has failed on LK_P_A and could not be repaired there.", "tag", "service/www", "node", "LK_P_A")
	failed.Reason = kits.Why("op-start-failed", "service/www could not be started on LK_P_B.")
	failed.Storm, failed.Tried = true, []string{"LK_P_A"}
	done := at(uitest.RunOp(p, "op-10", len(p.Steps)), 3*time.Hour)
	back := at(uitest.RunOp(p, "op-9", 6), 26*time.Hour)
	back.Steps[6].Status, back.Steps[6].Ended = "failed", back.Steps[6].Began.Add(1200*time.Millisecond)
	back.Steps[6].Report = kits.Report{Outcome: kits.Failed, Reason: kits.Why("x", "The route still points to LK_P_A.")}
	undo, _ := plan.Undo(p, []string{p.Steps[4].ID, p.Steps[5].ID, p.Steps[6].ID})
	for i, u := range undo.Steps {
		began := back.Steps[6].Ended.Add(time.Duration(i) * 500 * time.Millisecond)
		back.Steps = append(back.Steps, api.StepStatus{ID: u.ID, Status: "done", Began: began, Ended: began.Add(400 * time.Millisecond)})
	}
	back.Outcome, back.Ended, back.Reason = policy.OpRolledBack, back.Began.Add(6*time.Second), kits.Why("y", "A stop did not succeed, so everything was started again where it was.")
	old := at(uitest.RunOp(p, "op-2", len(p.Steps)), 300*24*time.Hour)
	old.By = "a-person-with-a-long-name@example.com"
	out = append(out, s.Running...)
	return append(out, failed, done, back, old)
}

// opened is the page after what it asks for at first has come.
func opened(c *ui.Context, arg string) *operations.Page {
	p := operations.New(c, arg)
	uitest.Run(p, p.Init())
	return p
}

func at(t *testing.T, scene string) (*uitest.Service, *ui.Context, *operations.Page) {
	t.Helper()
	svc := &uitest.Service{Snap: uitest.Scene(t, scene)}
	if scene != uitest.Fresh {
		svc.Past = history(t, svc.Snap)
	}
	c := uitest.Context(t, svc.Snap, text.English, svc)
	return svc, c, opened(c, "")
}

func TestScreens(t *testing.T) {
	for _, x := range []struct{ name, scene, arg, keys string }{
		{"list", uitest.Calm, "", ""},
		{"moving", uitest.Moving, "", ""},
		{"failed", uitest.Calm, "op-11", ""},
		{"back", uitest.Calm, "op-9", ""},
		{"running", uitest.Moving, "op-12", ""},
		{"fresh", uitest.Fresh, "", ""},
	} {
		s := uitest.Scene(t, x.scene)
		uitest.Golden(t, x.name, s, func(c *ui.Context) ui.Page {
			svc := &uitest.Service{Snap: s}
			if x.scene != uitest.Fresh {
				svc.Past = history(t, s)
			}
			return opened(uitest.Context(t, s, c.Printer.Lang, svc), x.arg)
		})
	}
}

func shows(t *testing.T, p ui.Page, words ...string) {
	t.Helper()
	screen := uitest.Screen(t, p, 200, 57)
	for _, w := range words {
		if !strings.Contains(screen, w) {
			t.Errorf("the page does not say %q:\n%s", w, screen)
		}
	}
}

func TestOpenAndBack(t *testing.T) {
	_, _, p := at(t, uitest.Calm)
	if got := uitest.Press(t, p, "enter"); len(got) != 0 {
		t.Errorf("enter gives %v", got)
	}
	shows(t, p, "What it printed: start www on LK_P_B", "address already in use", "Tried before", "held where it lands")
	if got := uitest.Press(t, p, "y"); len(got) != 1 || got[0].(ui.CopyMsg).Text != "ferry operations op-11" {
		t.Errorf("y gives %v", got)
	}
	if got := uitest.Press(t, p, "v"); len(got) != 1 || got[0] != (ui.GoMsg{Kind: ui.Resource, Arg: "service/www"}) {
		t.Errorf("v gives %v", got)
	}
	uitest.Press(t, p, "esc", "down")
	if got := uitest.Press(t, p, "Y"); got[0].(ui.CopyMsg).Text != "op-10" {
		t.Errorf("after esc and down: %v", got)
	}
}

func TestTheCursorStaysOnItsOperation(t *testing.T) {
	svc, c, p := at(t, uitest.Calm)
	uitest.Press(t, p, "down", "down")
	o := history(t, svc.Snap)[1]
	o.ID, o.Began, o.Outcome, o.Ended = "op-12", uitest.Clock, policy.OpRunning, time.Time{}
	uitest.Run(p, p.Update(ui.Progress{Operation: o}))
	if got := uitest.Press(t, p, "Y"); got[0].(ui.CopyMsg).Text != "op-9" {
		t.Errorf("the cursor went to %v", got)
	}
	shows(t, p, "running")
	// it ends without anybody telling: the list is read again
	o.Outcome, o.Ended = policy.OpDone, uitest.Clock.Add(3*time.Second)
	svc.Past = append([]api.Operation{o}, svc.Past...)
	c.Now = c.Now.Add(5 * time.Second)
	uitest.Run(p, p.Update(ui.Fresh{}))
	if s := uitest.Screen(t, p, 200, 57); strings.Contains(s, "running") {
		t.Errorf("it still runs:\n%s", s)
	}
	// what comes late does not bring it back
	o.Outcome, o.Ended = policy.OpRunning, time.Time{}
	uitest.Run(p, p.Update(ui.Progress{Operation: o}))
	if s := uitest.Screen(t, p, 200, 57); strings.Contains(s, "running") {
		t.Errorf("it runs again:\n%s", s)
	}
}

func TestFilter(t *testing.T) {
	_, _, p := at(t, uitest.Calm)
	for words, want := range map[string]int{"": 4, "failed": 1, "could not be repaired": 1, "ANNA taken": 1, "op-10": 1, "no such": 0} {
		p.Filter(words)
		if n := strings.Count(uitest.Screen(t, p, 100, 10), "service/www"); n != want { // too low for anything but the list
			t.Errorf("%q shows %d rows, want %d", words, n, want)
		}
		if want == 0 {
			if got := uitest.Press(t, p, "enter"); len(got) != 1 || !got[0].(ui.SayMsg).Bad {
				t.Errorf("%q: enter gives %v", words, got)
			}
			shows(t, p, "No operation matches no such")
		}
	}
	p.Filter("")
	if n := strings.Count(uitest.Screen(t, p, 100, 10), "service/www"); n != 4 {
		t.Errorf("without a filter %d rows are shown", n)
	}
}

func TestErrorsAreSaid(t *testing.T) {
	s := uitest.Scene(t, uitest.Calm)
	c := uitest.Context(t, s, text.English, nil) // no engine answers
	p := operations.New(c, "")
	if !strings.Contains(uitest.Screen(t, p, 80, 21), "loading") {
		t.Error("it does not say that it loads")
	}
	uitest.Run(p, p.Init())
	shows(t, p, "The operations could not be read")
}

// none answers as an engine that is not there.
func TestAnUnknownIDSaysSo(t *testing.T) {
	svc := &uitest.Service{Snap: uitest.Scene(t, uitest.Calm)}
	svc.Past = history(t, svc.Snap)
	c := uitest.Context(t, svc.Snap, text.English, svc)
	p := operations.New(c, "op-77")
	got := uitest.Run(p, p.Init())
	if len(got) != 1 || !strings.Contains(got[0].(ui.SayMsg).Text, "op-77") {
		t.Errorf("got %v", got)
	}
	shows(t, p, "Switch over service/www")
}

func TestOlderOnesAreReadAtTheEnd(t *testing.T) {
	svc := &uitest.Service{Snap: uitest.Scene(t, uitest.Calm), Past: many(t, 1000)}
	c := uitest.Context(t, svc.Snap, text.English, svc)
	p := opened(c, "")
	uitest.Press(t, p, "G")
	uitest.Press(t, p, "G")
	if got := uitest.Press(t, p, "Y"); got[0].(ui.CopyMsg).Text == svc.Past[99].ID {
		t.Error("only the newest hundred can be reached")
	}
}

func TestClicks(t *testing.T) {
	_, _, p := at(t, uitest.Calm)
	uitest.Screen(t, p, 80, 21)
	uitest.Run(p, p.Update(ui.Click{X: 5, Y: 2}))
	if got := uitest.Press(t, p, "Y"); got[0].(ui.CopyMsg).Text != "op-10" {
		t.Errorf("a click on the second row leads to %v", got)
	}
	uitest.Run(p, p.Update(ui.Click{X: 5, Y: 2}))
	if acts := p.Actions(); acts[0].ID != "close" {
		t.Error("a second click does not open it")
	}
}

func TestAnotherLanguage(t *testing.T) {
	_, c, p := at(t, uitest.Calm)
	ja, err := text.New(text.Japanese)
	if err != nil {
		t.Fatal(err)
	}
	*c.Printer = *ja
	shows(t, p, "切り替え", "失敗", "自動")
}

func many(t testing.TB, n int) []api.Operation {
	past := history(t, uitest.Scene(t, uitest.Calm))
	out := make([]api.Operation, n)
	for i := range out {
		out[i] = past[i%4]
		out[i].ID = fmt.Sprintf("op-%d", n-i)
		out[i].Began = uitest.Ago(time.Duration(i) * time.Hour)
	}
	return out
}

func BenchmarkView(b *testing.B) {
	for _, n := range []int{10, 1000} {
		for _, full := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/full=%v", n, full), func(b *testing.B) {
				svc := &uitest.Service{Snap: uitest.Scene(b, uitest.Moving), Past: many(b, n)}
				c := uitest.Context(b, svc.Snap, text.English, svc)
				p := opened(c, "")
				uitest.Run(p, p.Update(loadAll(p)))
				if full {
					p.Do("open")
				}
				for i := 0; b.Loop(); i++ {
					c.Frame++
					p.View(200, 57)
				}
			})
		}
	}
}

// loadAll is the key that goes to the end, where older ones are asked for.
func loadAll(p *operations.Page) tea.Msg {
	for range 3 {
		uitest.Run(p, p.Update(tea.KeyPressMsg{Code: 'G', Text: "G"}))
	}
	return tea.KeyPressMsg{Code: 'g', Text: "g"}
}

func BenchmarkProgress(b *testing.B) {
	svc := &uitest.Service{Snap: uitest.Scene(b, uitest.Moving), Past: many(b, 1000)}
	c := uitest.Context(b, svc.Snap, text.English, svc)
	p := opened(c, "")
	loadAll(p)
	o := svc.Snap.Running[0]
	for b.Loop() {
		p.Update(ui.Progress{Operation: o})
	}
}
