package act_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/act"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// TestScreens draws every state that matters in every size and language.
func TestScreens(t *testing.T) {
	on := true
	past := func(s *api.Snapshot, node string) []api.Operation {
		p := uitest.Plan(t, s, plan.Goal{Kind: plan.GoalInService, Tag: "service/www", Node: node, From: "LK_P_A"})
		o := uitest.RunOp(p, "op-3", len(p.Steps))
		return []api.Operation{o, o}
	}
	for _, x := range []struct {
		name  string
		wish  ui.Wish
		set   func(*uitest.Service)
		after func(*ui.Context, *act.Window)
	}{
		{name: "inside", wish: move("LK_P_B"), set: func(s *uitest.Service) { object(s, kits.OK); s.Past = past(s.Snap, "LK_P_B") }},
		{name: "loading", wish: move("LK_P_B"), after: func(_ *ui.Context, w *act.Window) { w.Do("again") }},
		{name: "across", wish: move("LK_S_A"), after: func(_ *ui.Context, w *act.Window) {
			uitest.Press(t, w, "enter", "ap-south", "enter")
		}},
		{name: "refused", wish: move("LK_P_B"), set: func(s *uitest.Service) {
			refuse(s, policy.RefusedUnsafe, "from-not-proven", "LK_P_A is not proven dead, and it does not answer: it may still run service/www.")
		}},
		{name: "objects", wish: move("LK_P_B"), set: func(s *uitest.Service) { object(s, kits.Failed) }},
		{name: "forced", wish: move("LK_P_B"), set: func(s *uitest.Service) { object(s, kits.Failed) }, after: func(_ *ui.Context, w *act.Window) {
			uitest.Press(t, w, "F", "enter")
		}},
		{name: "unsure", wish: move("LK_P_B"), after: func(_ *ui.Context, w *act.Window) {}, set: nil},
		{name: "running", wish: move("LK_P_B"), after: func(c *ui.Context, w *act.Window) {
			uitest.Press(t, w, "enter")
			w.Update(ui.Progress{Operation: running(t, c, 11)})
		}},
		{name: "done", wish: move("LK_P_B"), after: func(c *ui.Context, w *act.Window) {
			uitest.Press(t, w, "enter")
			w.Update(ui.Progress{Operation: running(t, c, 17)})
		}},
		{name: "back", wish: move("LK_P_B"), after: func(c *ui.Context, w *act.Window) {
			uitest.Press(t, w, "enter")
			w.Update(ui.Progress{Operation: takenBack(t, c)})
		}},
		{name: "lost", wish: move("LK_P_B"), after: func(c *ui.Context, w *act.Window) {
			uitest.Press(t, w, "enter")
			w.Update(ui.Progress{Operation: running(t, c, 6)})
			c.Lost = c.Now
		}},
		{name: "dual", wish: move("LK_P_A"), set: func(s *uitest.Service) {
			s.PreviewOf = func(c api.Command) (*api.Preview, error) { return &api.Preview{Plan: plan.Plan{Goal: c.Goal}}, nil }
			for i := range s.Snap.Resources {
				s.Snap.Resources[i].On[0].HeldWhy = kits.Why("held-dual", "Two claims cannot be ordered.")
			}
		}, after: func(_ *ui.Context, w *act.Window) { uitest.Press(t, w, "enter") }},
		{name: "release", wish: ui.Wish{Title: "Hold", Hold: &api.Hold{Scope: "service"}}, set: func(s *uitest.Service) {
			s.Snap.Holds = []api.HoldStatus{{Scope: "service", Since: uitest.Ago(time.Hour), Until: uitest.Clock.Add(time.Hour), By: "bob", Why: "new disks"}}
		}},
		{name: "flag", wish: ui.Wish{Title: "Flags", Command: "ferry server set LK_P_A --flag LK_P_B=block", Edit: edit.SetFlag{Viewer: "LK_P_A", Peer: "LK_P_B", Block: &on}}},
		{name: "delete", wish: ui.Wish{Title: "Delete", Command: "ferry resource delete service/www", Edit: edit.Delete{Tag: "service/www"}}, set: inForce},
		{name: "abandon", wish: ui.Wish{Title: "Delete", Command: "ferry resource delete service/www", Edit: edit.Delete{Tag: "service/www"}}, set: inForce, after: func(_ *ui.Context, w *act.Window) {
			uitest.Press(t, w, "A", "enter")
		}},
		{name: "invalid", wish: ui.Wish{Title: "Delete", Edit: edit.Delete{Tag: "service/ip-route53"}}},
		{name: "tuning", wish: ui.Wish{Title: "Tuning", Tuning: &ui.Tuning{Name: "LKCHECKINTERVAL", Value: "300"}}},
		{name: "untuning", wish: ui.Wish{Title: "Tuning", Tuning: &ui.Tuning{Node: "LK_P_A", Name: "LKCHECKINTERVAL"}}},
		{name: "hold", wish: ui.Wish{Title: "Hold", Hold: &api.Hold{Scope: "service", Until: uitest.Clock.Add(2 * time.Hour), Why: "kernel update"}}},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := uitest.Scene(t, uitest.Calm)
			uitest.Golden(t, x.name, s, func(c *ui.Context) ui.Page {
				svc := &uitest.Service{Snap: s}
				if x.set != nil {
					x.set(svc)
				}
				own := uitest.Context(t, s, c.Lang, svc)
				w, cmd := act.New(own, x.wish)
				uitest.Run(w, cmd)
				if x.name == "unsure" {
					svc.Err = &api.Error{Kind: api.KindUnavailable, Message: "the connection to the engine on /run/ferry/engine.sock broke: EOF", Hint: "it may be restarting"}
					uitest.Press(t, w, "enter")
				}
				if x.after != nil {
					x.after(own, w)
				}
				return w
			})
		})
	}
}

func running(t *testing.T, c *ui.Context, done int) api.Operation {
	return uitest.RunOp(uitest.Plan(t, c.Est.Snapshot, plan.Goal{Kind: plan.GoalInService, Tag: "service/www", Node: "LK_P_B", From: "LK_P_A", By: "anna"}), "op-99", done)
}

func takenBack(t *testing.T, c *ui.Context) api.Operation {
	o := running(t, c, 6)
	o.Steps[6].Status, o.Steps[6].Ended = "failed", uitest.Clock.Add(1200*time.Millisecond)
	o.Steps[6].Report = kits.Report{Outcome: kits.Failed, Reason: kits.Why("x", "The route still points to LK_P_A."), Output: "ReplaceRoute: throttled\nReplaceRoute: throttled\ngiving up after 4 attempts\n"}
	undo, ok := plan.Undo(o.Plan, []string{o.Plan.Steps[4].ID, o.Plan.Steps[5].ID, o.Plan.Steps[6].ID})
	if !ok {
		t.Fatal(errors.New("nothing to take back"))
	}
	for i, u := range undo.Steps {
		began := uitest.Clock.Add(1300*time.Millisecond + time.Duration(i)*500*time.Millisecond)
		o.Steps = append(o.Steps, api.StepStatus{ID: u.ID, Status: "done", Began: began, Ended: began.Add(400 * time.Millisecond)})
	}
	o.Outcome, o.Ended, o.Reason = policy.OpRolledBack, uitest.Clock.Add(4*time.Second), kits.Why("y", "A stop did not succeed, so everything was started again where it was.")
	return o
}

// BenchmarkView draws the preview of a hierarchy of ten resources in an estate of so many.
func BenchmarkView(b *testing.B) {
	for _, n := range []int{10, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			svc := &uitest.Service{Snap: uitest.Large(n)}
			c := uitest.Context(b, svc.Snap, text.English, svc)
			w, cmd := act.New(c, ui.Wish{Title: "x", Goal: &plan.Goal{Kind: plan.GoalInService, Tag: "service/app-00000", Node: "NODE_02"}})
			uitest.Run(w, cmd)
			b.Run("still", func(b *testing.B) {
				for b.Loop() {
					c.Frame++
					w.Size(190, 55)
					w.View(150, 50)
				}
			})
			uitest.Run(w, w.Do("go"))
			o := uitest.RunOp(plan.Plan{Goal: plan.Goal{Kind: plan.GoalInService, Tag: "service/app-00000"}}, "op-99", 0)
			p, err := svc.Preview(b.Context(), api.Command{Goal: plan.Goal{Kind: plan.GoalInService, Tag: "service/app-00000", Node: "NODE_02"}})
			if err != nil {
				b.Fatal(err)
			}
			o = uitest.RunOp(p.Plan, o.ID, 20)
			uitest.Run(w, w.Update(ui.Progress{Operation: o}))
			b.Run("running", func(b *testing.B) {
				for b.Loop() {
					c.Frame++
					w.Size(190, 55)
					w.View(150, 50)
				}
			})
		})
	}
}
