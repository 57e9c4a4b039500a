package act_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/act"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// stage is a window with the engine behind it.
type stage struct {
	t   *testing.T
	c   *ui.Context
	svc *uitest.Service
	w   *act.Window
}

func open(t *testing.T, svc *uitest.Service, wish ui.Wish) *stage {
	t.Helper()
	c := uitest.Context(t, svc.Snap, text.English, svc)
	w, cmd := act.New(c, wish)
	uitest.Run(w, cmd)
	return &stage{t, c, svc, w}
}

func calm(t *testing.T) *uitest.Service { return &uitest.Service{Snap: uitest.Scene(t, uitest.Calm)} }

func (s *stage) press(keys ...string) []tea.Msg { s.t.Helper(); return uitest.Press(s.t, s.w, keys...) }
func (s *stage) screen() string {
	s.t.Helper()
	return strings.Join(strings.Fields(uitest.Screen(s.t, s.w, 100, 70)), " ")
}

func (s *stage) shows(words ...string) {
	s.t.Helper()
	screen := s.screen()
	for _, w := range words {
		if !strings.Contains(screen, w) {
			s.t.Errorf("the window does not say %q:\n%s", w, screen)
		}
	}
}

func (s *stage) hides(words ...string) {
	s.t.Helper()
	screen := s.screen()
	for _, w := range words {
		if strings.Contains(screen, w) {
			s.t.Errorf("the window says %q:\n%s", w, screen)
		}
	}
}

// commands are those that were submitted.
func (s *stage) commands() []api.Command {
	var out []api.Command
	for _, x := range s.svc.Asked() {
		if c, ok := x.(api.Command); ok {
			out = append(out, c)
		}
	}
	return out
}

func move(node string) ui.Wish {
	return ui.Wish{Title: "Put service/www in service on " + node, Command: "ferry in-service service/www --on " + node,
		Goal: &plan.Goal{Kind: plan.GoalInService, Tag: "service/www", Node: node}}
}

// ran is our operation so many steps on.
func (s *stage) ran(done int) api.Operation {
	s.t.Helper()
	p := uitest.Plan(s.t, s.svc.Snap, plan.Goal{Kind: plan.GoalInService, Tag: "service/www", Node: "LK_P_B", From: "LK_P_A", By: "anna"})
	if done < 0 {
		done = len(p.Steps)
	}
	o := uitest.RunOp(p, "op-99", done)
	if cs := s.commands(); len(cs) > 0 {
		o.Command = cs[0].ID
	}
	return o
}

func (s *stage) tell(m tea.Msg) []tea.Msg { return uitest.Run(s.w, s.w.Update(m)) }

func TestSwitchoverInsideARegion(t *testing.T) {
	s := open(t, calm(t), move("LK_P_B"))
	s.shows("What changes", "10.1.0.10/32: LK_P_A → LK_P_B", "point of no return", "ferry in-service service/www --on LK_P_B", "no such move has been made")
	if len(s.svc.Asked()) != 0 {
		t.Fatal("looking changed something")
	}
	if got := s.press("y"); len(got) != 1 || got[0].(ui.CopyMsg).Text != "ferry in-service service/www --on LK_P_B --yes" {
		t.Errorf("y gives %v", got)
	}
	s.press("enter")
	cs := s.commands()
	if len(cs) != 1 || cs[0].Goal.Node != "LK_P_B" || cs[0].ID == "" || cs[0].By != "" || cs[0].ConfirmRegion != "" || cs[0].Goal.Force {
		t.Fatalf("submitted: %+v", cs)
	}
	s.shows("accepted it as op-99")
	s.tell(ui.Progress{Operation: s.ran(9)})
	s.shows("op-99 is running", "✔ 1")
	s.tell(ui.Progress{Operation: s.ran(-1)})
	s.shows("op-99 is done", "out of service for")
	s.tell(ui.Progress{Operation: s.ran(4)}) // a late one
	s.shows("op-99 is done")
	if got := s.press("5"); len(got) != 1 || got[0] != (ui.GoMsg{Kind: ui.Operations, Arg: "op-99"}) {
		t.Errorf("5 gives %v", got)
	}
	if got := s.press("enter"); len(got) != 1 || got[0].(ui.CloseMsg).Window != ui.Page(s.w) {
		t.Errorf("enter gives %v", got)
	}
	if n := len(s.commands()); n != 1 {
		t.Errorf("%d commands were submitted", n)
	}
}

func TestDoubleEnterSubmitsOnce(t *testing.T) {
	s := open(t, calm(t), move("LK_P_B"))
	first, second := s.w.Do("go"), s.w.Do("go")
	if second != nil {
		t.Error("a second enter gives another command")
	}
	uitest.Run(s.w, first)
	s.press("enter", "enter")
	if n := len(s.commands()); n != 1 {
		t.Errorf("%d commands were submitted", n)
	}
}

func TestAnEnterBeforeThePreviewIsNoYes(t *testing.T) {
	svc := calm(t)
	c := uitest.Context(t, svc.Snap, text.English, svc)
	w, load := act.New(c, move("LK_P_B"))
	uitest.Press(t, w, "enter") // nothing to be seen yet
	uitest.Run(w, load)
	if got := uitest.Press(t, w, "enter"); len(svc.Asked()) != 0 || len(got) != 1 {
		t.Fatalf("the second press of a double one was taken for a yes: %v", svc.Asked())
	}
	if uitest.Press(t, w, "enter"); len(svc.Asked()) != 1 {
		t.Error("a third one is a yes")
	}
}

func TestAcrossRegionsWantsTheRegionTyped(t *testing.T) {
	s := open(t, calm(t), move("LK_S_A"))
	s.shows("CROSSES REGIONS", "from ap-northeast-1 to ap-southeast-1", "--confirm-region ap-southeast-1")
	s.press("enter")
	if !s.w.Typing() || len(s.svc.Asked()) != 0 {
		t.Fatal("enter alone must not be enough")
	}
	s.shows("Type its name to confirm: ap-southeast-1")
	for _, wrong := range []string{"ap-northeast-1", "AP-SOUTHEAST-1", "ap-southeast-1 ", "yes"} {
		s.press(wrong, "enter")
		if len(s.svc.Asked()) != 0 {
			t.Fatalf("%q was taken for a yes", wrong)
		}
		s.shows("is not it; nothing was done")
		for range wrong {
			s.press("backspace")
		}
	}
	s.press("enter")
	s.shows("Nothing was typed")
	s.press("esc")
	if s.w.Typing() {
		t.Error("esc does not leave the field")
	}
	s.press("enter", "ap-southeast-1", "enter")
	cs := s.commands()
	if len(cs) != 1 || cs[0].ConfirmRegion != "ap-southeast-1" || cs[0].Goal.Node != "LK_S_A" {
		t.Fatalf("submitted: %+v", cs)
	}
}

// refuse lets the engine refuse what is not forced.
func refuse(svc *uitest.Service, kind policy.RefusedKind, code, why string) {
	svc.PreviewOf = func(c api.Command) (*api.Preview, error) {
		pv, err := (&uitest.Service{Snap: svc.Snap}).Preview(context.Background(), c)
		if err == nil && !c.Goal.Force {
			pv.Plan.Steps, pv.Refused = nil, &policy.Refused{Kind: kind, Reason: kits.Why(code, why, "hint", "look at its disk")}
		}
		return pv, err
	}
}

func TestRefused(t *testing.T) {
	svc := calm(t)
	refuse(svc, policy.RefusedUnsafe, "target-not-alive", "LK_P_B is not alive.")
	s := open(t, svc, move("LK_P_B"))
	s.shows("Refused: LK_P_B is not alive.", "look at its disk")
	if got := s.press("enter"); len(got) != 1 || !strings.Contains(got[0].(ui.SayMsg).Text, "LK_P_B is not alive") {
		t.Errorf("enter says %v", got)
	}
	if slices.ContainsFunc(s.w.Actions(), func(a ui.Action) bool { return a.ID == "force" }) {
		t.Error("what must be there cannot be overridden")
	}
	if s.press("F"); len(s.svc.Asked()) != 0 {
		t.Error("something was done")
	}
}

func TestForcedOnlyByItsOwnKeyAndWord(t *testing.T) {
	svc := calm(t)
	refuse(svc, policy.RefusedUnsafe, "from-not-proven", "LK_P_A is not proven dead.")
	s := open(t, svc, move("LK_P_B"))
	s.shows("Refused: LK_P_A is not proven dead.", "Your word can override this")
	s.press("F")
	s.shows("You override what speaks against this", "--force")
	s.press("enter")
	s.shows("Type this to confirm: LK_P_B")
	if s.press("enter"); len(s.commands()) != 0 {
		t.Fatal("forced without a word")
	}
	s.press("LK_P_B", "enter")
	if cs := s.commands(); len(cs) != 1 || !cs[0].Goal.Force {
		t.Fatalf("submitted: %+v", cs)
	}
}

// object lets a node say no.
func object(svc *uitest.Service, out kits.Outcome) {
	svc.PreviewOf = func(c api.Command) (*api.Preview, error) {
		pv, err := (&uitest.Service{Snap: svc.Snap}).Preview(context.Background(), c)
		if err != nil {
			return nil, err
		}
		for i, st := range pv.Plan.Steps {
			if st.Kind != plan.StepEligible {
				continue
			}
			v := api.StepStatus{ID: st.ID, Status: "done", Report: kits.Report{Outcome: kits.OK, Reason: kits.Why("ok", "It may.")}}
			if i == 1 {
				v.Status, v.Report = map[kits.Outcome]string{kits.Failed: "failed", kits.Unknown: "unknown"}[out],
					kits.Report{Outcome: out, Reason: kits.Why("ec2.check", "source/dest check is on at eni-1\x1b[2J, switch it off.")}
			}
			pv.Verdicts = append(pv.Verdicts, v)
		}
		return pv, nil
	}
}

func TestANodeSaysNo(t *testing.T) {
	for out, word := range map[kits.Outcome]string{kits.Failed: "says no", kits.Unknown: "gives no answer"} {
		svc := calm(t)
		object(svc, out)
		s := open(t, svc, move("LK_P_B"))
		s.shows(word+": source/dest check is on", "yes, it may", "Put that right")
		if s.press("enter"); len(s.svc.Asked()) != 0 {
			t.Error("it was done against a node's word")
		}
	}
}

func TestErrorAndRetry(t *testing.T) {
	svc := calm(t)
	bad := errors.New("")
	svc.PreviewOf = func(c api.Command) (*api.Preview, error) {
		if bad != nil {
			return nil, &api.Error{Kind: api.KindTimeout, Message: "LK_P_B gave no answer\x1b[31m in time", Hint: "look at its load"}
		}
		return (&uitest.Service{Snap: svc.Snap}).Preview(context.Background(), c)
	}
	s := open(t, svc, move("LK_P_B"))
	s.shows("LK_P_B gave no answer", "look at its load")
	s.hides("Nothing was done", "NOT known")
	if s.press("enter"); len(s.svc.Asked()) != 0 {
		t.Error("it was done without a preview")
	}
	bad = nil
	s.press("r")
	s.shows("point of no return")
	// the order is lost: the same again, under the same id
	svc.Err = &api.Error{Kind: api.KindTimeout, Message: "the engine gave no answer in time"}
	s.press("enter")
	s.shows("It is NOT known whether the engine took it")
	svc.Err = nil
	s.press("enter")
	cs := s.commands()
	if len(cs) != 2 || cs[0].ID != cs[1].ID {
		t.Fatalf("submitted: %+v", cs)
	}
	s.shows("accepted it as op-99")
}

func TestAnOrderThatSeemedLostIsFound(t *testing.T) {
	svc := calm(t)
	s := open(t, svc, move("LK_P_B"))
	svc.Err = &api.Error{Kind: api.KindUnavailable, Message: "the connection broke"}
	s.press("enter")
	s.shows("NOT known")
	s.press("r") // looking again does not forget it
	o := s.ran(5)
	o.ID = "op-31"
	svc.Past = []api.Operation{o}
	s.c.Now = s.c.Now.Add(3 * time.Second)
	s.tell(ui.Tick{Now: s.c.Now})
	s.shows("op-31 is running")
}

func TestARefusedOrderSaysThatNothingWasDone(t *testing.T) {
	svc := calm(t)
	s := open(t, svc, move("LK_P_B"))
	svc.Err = &api.Error{Kind: api.KindBusy, Message: "op-7 works on service/www", Hint: "wait for it"}
	s.press("enter")
	s.shows("op-7 works on service/www", "wait for it", "Nothing was done")
	s.hides("NOT known")
}

func TestItEndedBeforeAnybodyLooked(t *testing.T) {
	svc := calm(t)
	s := open(t, svc, move("LK_P_B"))
	svc.Past = []api.Operation{s.ran(-1)}
	s.press("enter")
	s.shows("op-99 is done")
}

func TestTheEngineIsLostMeanwhile(t *testing.T) {
	s := open(t, calm(t), move("LK_P_B"))
	s.press("enter")
	s.tell(ui.Progress{Operation: s.ran(6)})
	s.c.Lost = s.c.Now
	s.shows("The engine does not answer", "had accepted op-99")
	got := s.press("esc")
	if len(got) != 2 {
		t.Fatalf("esc gives %v", got)
	}
	if say, ok := got[1].(ui.SayMsg); !ok || !strings.Contains(say.Text, "op-99 goes on in the background") {
		t.Errorf("esc says %v", got)
	}
}

func TestItFailsHalfWayAndIsTakenBack(t *testing.T) {
	s := open(t, calm(t), move("LK_P_B"))
	s.press("enter")
	o := s.ran(6)
	o.Steps[6].Status, o.Steps[6].Ended = "failed", uitest.Clock
	o.Steps[6].Report = kits.Report{Outcome: kits.Failed, Reason: kits.Why("x", "The address is still there on LK_P_A."), Output: "one\ntwo \x1b]0;evil\x07\nRTNETLINK answers: busy\n"}
	undo, _ := plan.Undo(o.Plan, []string{o.Plan.Steps[4].ID, o.Plan.Steps[5].ID, o.Plan.Steps[6].ID})
	for _, u := range undo.Steps {
		o.Steps = append(o.Steps, api.StepStatus{ID: u.ID, Status: "done", Began: uitest.Clock, Ended: uitest.Clock.Add(time.Second)})
	}
	o.Outcome, o.Ended, o.Reason = policy.OpRolledBack, uitest.Clock.Add(time.Second), kits.Why("y", "The stop did not succeed.")
	told := false
	s.tell(ui.Progress{Operation: o})
	s.shows("was taken back", "all is as before", "turned back", "The address is still there", "RTNETLINK answers: busy", "The stop did not succeed.")
	if told {
		t.Error("what comes after success was done")
	}
}

func TestThenComesAfterSuccessOnce(t *testing.T) {
	n := 0
	wish := move("LK_P_B")
	wish.Then = func() tea.Cmd { n++; return nil }
	s := open(t, calm(t), wish)
	s.press("enter")
	s.tell(ui.Progress{Operation: s.ran(9)})
	if n != 0 {
		t.Fatal("done before the end")
	}
	s.tell(ui.Progress{Operation: s.ran(-1)})
	s.tell(ui.Progress{Operation: s.ran(-1)})
	if n != 1 {
		t.Errorf("done %d times", n)
	}
}

func TestPastRunsTellTheOutage(t *testing.T) {
	svc := calm(t)
	s := open(t, svc, move("LK_P_B"))
	for range 3 {
		svc.Past = append(svc.Past, s.ran(-1))
	}
	failed := s.ran(-1)
	failed.Outcome = policy.OpFailed
	svc.Past = append(svc.Past, failed)
	s.press("r")
	s.shows("Out of service for about 3.6s: the median of 3 past runs.")
}

func TestNothingToDo(t *testing.T) {
	svc := calm(t)
	svc.PreviewOf = func(c api.Command) (*api.Preview, error) { return &api.Preview{Plan: plan.Plan{Goal: c.Goal}}, nil }
	s := open(t, svc, move("LK_P_A"))
	s.shows("There is nothing to do")
	if s.press("enter"); len(s.svc.Asked()) != 0 {
		t.Error("something was done")
	}
}

func TestTwoClaimsAreDecidedByAWord(t *testing.T) {
	svc := calm(t)
	svc.PreviewOf = func(c api.Command) (*api.Preview, error) { return &api.Preview{Plan: plan.Plan{Goal: c.Goal}}, nil }
	for i := range svc.Snap.Resources {
		for j := range svc.Snap.Resources[i].On {
			svc.Snap.Resources[i].On[j].HeldWhy = kits.Why("held-dual", "Two claims cannot be ordered.")
		}
	}
	s := open(t, svc, move("LK_P_A"))
	s.shows("DUAL", "You decide that LK_P_A holds the right one")
	s.hides("There is nothing to do")
	if s.press("enter", "LK_P_B", "enter"); len(s.commands()) != 0 {
		t.Fatal("decided by a wrong word")
	}
	s.press("esc", "enter", "LK_P_A", "enter")
	if cs := s.commands(); len(cs) != 1 || cs[0].Goal.Node != "LK_P_A" {
		t.Errorf("submitted %+v", cs)
	}
}

func TestAPlanThatRestsOnThePastIsNotCarriedOut(t *testing.T) {
	svc := calm(t)
	s := open(t, svc, move("LK_P_B"))
	svc.Snap = uitest.Scene(t, uitest.Failover) // meanwhile LK_P_A was lost
	s.c.Est = model.New(svc.Snap, uitest.Kits())
	s.tell(ui.Fresh{})
	s.shows("Things have changed since this was shown")
	if s.press("enter"); len(svc.Asked()) != 0 {
		t.Fatal("another plan than the one shown was asked for")
	}
	s.press("r")
	s.hides("Things have changed")
}

func TestRolesAndReadOnly(t *testing.T) {
	for name, change := range map[string]func(*ui.Context){
		"guest": func(c *ui.Context) { c.Role = api.Guest }, "read-only": func(c *ui.Context) { c.ReadOnly = true }, "lost": func(c *ui.Context) { c.Lost = c.Now },
	} {
		s := open(t, calm(t), move("LK_P_B"))
		change(s.c)
		if got := s.press("enter"); len(s.svc.Asked()) != 0 || len(got) != 1 || !got[0].(ui.SayMsg).Bad {
			t.Errorf("%s: %v, asked %v", name, got, s.svc.Asked())
		}
	}
	// the role is lost while one types
	s := open(t, calm(t), move("LK_S_A"))
	s.press("enter", "ap-southeast-1")
	s.c.ReadOnly = true
	if s.press("enter"); len(s.svc.Asked()) != 0 {
		t.Error("it was done read-only")
	}
}

func flag(on bool) ui.Wish {
	return ui.Wish{Title: "Flags", Command: "ferry flag set", Edit: edit.SetFlag{Viewer: "LK_P_A", Peer: "LK_P_B", Block: &on}}
}

func TestEdit(t *testing.T) {
	n := 0
	wish := flag(true)
	wish.Then = func() tea.Cmd { n++; return nil }
	svc := calm(t)
	s := open(t, svc, wish)
	s.shows("What changes", "flag on LK_P_A for LK_P_B", "at once")
	if len(svc.Asked()) != 0 {
		t.Fatal("looking changed something")
	}
	got := s.press("enter")
	a, ok := svc.Asked()[0].(api.Apply)
	if !ok || a.Base != hierarchy.Digest(svc.Snap.Estate) || a.DryRun || a.Abandon || a.By != "" {
		t.Fatalf("asked %+v", svc.Asked())
	}
	if len(got) != 2 || n != 1 {
		t.Errorf("afterwards: %v, then %d times", got, n)
	}
	if _, ok := got[0].(ui.CloseMsg); !ok {
		t.Errorf("the window stays: %v", got)
	}
}

func TestEditWhenSomebodyElseChangedIt(t *testing.T) {
	svc := calm(t)
	s := open(t, svc, flag(true))
	first := svc.Snap.Estate
	changed := *first
	changed.Name = "another"
	applied := 0
	svc.ApplyOf = func(a api.Apply) (*api.Applied, error) {
		if a.Base != hierarchy.Digest(svc.Snap.Estate) {
			return nil, &api.Error{Kind: api.KindBusy, Code: api.DefinitionChanged, Message: "somebody else changed the definition meanwhile"}
		}
		if !a.DryRun {
			applied++
		}
		out := &api.Applied{}
		for _, c := range hierarchy.Diff(svc.Snap.Estate, a.Estate) {
			out.Changes = append(out.Changes, api.Change(c))
		}
		return out, nil
	}
	svc.Snap.Estate = &changed
	s.press("enter")
	s.shows("Somebody else changed the definition meanwhile", "flag on LK_P_A for LK_P_B")
	if applied != 0 {
		t.Fatal("it was done without asking again")
	}
	if got := s.press("enter"); applied != 1 || len(got) != 2 {
		t.Errorf("applied %d times, %v", applied, got)
	}
}

// inForce answers apply as an engine does for what is in service.
func inForce(svc *uitest.Service) {
	svc.ApplyOf = func(a api.Apply) (*api.Applied, error) {
		if !a.Abandon {
			return nil, &api.Error{Kind: api.KindUnsafe, Message: "service/www is in service on LK_P_A; it cannot be removed there", Hint: "take it out of service first: `ferry out-of-service www`"}
		}
		plain := &uitest.Service{Snap: svc.Snap}
		return plain.Apply(context.Background(), a)
	}
}

func TestDeleteOfWhatIsInService(t *testing.T) {
	svc := calm(t)
	inForce(svc)
	s := open(t, svc, ui.Wish{Title: "Delete", Command: "ferry resource delete service/www", Edit: edit.Delete{Tag: "service/www"}})
	s.shows("Refused: service/www is in service on LK_P_A", "take it out of service first", "It can be deleted while it runs")
	applied := false
	inner := svc.ApplyOf
	svc.ApplyOf = func(a api.Apply) (*api.Applied, error) { applied = applied || !a.DryRun; return inner(a) }
	if s.press("enter"); applied {
		t.Fatal("enter deleted it")
	}
	s.press("A")
	s.shows("keeps running on LK_P_A", "- resource service/www", "--force")
	s.press("enter", "service/ww", "enter")
	s.shows("is not it")
	if applied {
		t.Fatal("a wrong word deleted it")
	}
	if s.press("w", "enter"); !applied {
		t.Error("it was not deleted")
	}
}

func TestUnextendCannotBeForced(t *testing.T) {
	svc := calm(t)
	inForce(svc)
	s := open(t, svc, ui.Wish{Title: "Unextend", Edit: edit.Unextend{Tag: "service/www", Server: "LK_P_A"}})
	s.shows("Refused")
	for _, a := range s.w.Actions() {
		if a.ID == "abandon" {
			t.Error("it can be forced")
		}
	}
}

func TestDeleteOfWhatRestsNeedsEnterOnly(t *testing.T) {
	svc := calm(t)
	for i := range svc.Snap.Resources {
		svc.Snap.Resources[i].Active = ""
	}
	s := open(t, svc, ui.Wish{Title: "Delete", Edit: edit.Delete{Tag: "service/www"}})
	s.shows("service/www is taken out of the definition")
	if s.press("enter"); len(svc.Asked()) != 1 {
		t.Errorf("asked %v", svc.Asked())
	}
}

func TestAnEditThatCannotBe(t *testing.T) {
	s := open(t, calm(t), ui.Wish{Title: "Delete", Edit: edit.Delete{Tag: "service/ip-route53"}})
	s.shows("✖")
	if s.press("enter"); len(s.svc.Asked()) != 0 {
		t.Error("it was done")
	}
}

func TestTuning(t *testing.T) {
	svc := calm(t)
	s := open(t, svc, ui.Wish{Title: "Tuning", Tuning: &ui.Tuning{Node: "LK_P_A", Name: "LCMHBEATTIME", Value: "7"}})
	s.shows("LCMHBEATTIME", "LK_P_A", "Now", "5", "New", "7", "at once", "ferry tuning set LCMHBEATTIME 7 --on LK_P_A")
	got := s.press("enter")
	if a := svc.Asked(); len(a) != 1 || a[0] != [3]string{"LK_P_A", "LCMHBEATTIME", "7"} || len(got) != 2 {
		t.Errorf("asked %v, %v", a, got)
	}
	s = open(t, calm(t), ui.Wish{Title: "Tuning", Tuning: &ui.Tuning{Name: "LCMHBEATTIME", Value: "soon"}})
	s.shows("cannot be")
	if s.press("enter"); len(s.svc.Asked()) != 0 {
		t.Error("a wrong value was sent")
	}
}

func TestHold(t *testing.T) {
	svc := calm(t)
	h := api.Hold{Scope: "service", Until: uitest.Clock.Add(2 * time.Hour)}
	s := open(t, svc, ui.Wish{Title: "Hold", Hold: &h})
	s.shows("service", "not held", "held until", "2h", "Automation starts nothing here")
	s.press("enter")
	s.shows("Why?")
	got := s.press("kernel update", "enter")
	if a := svc.Asked(); len(a) != 1 || a[0].(api.Hold).Why != "kernel update" || len(got) != 2 {
		t.Errorf("asked %v, %v", a, got)
	}
	s = open(t, calm(t), ui.Wish{Title: "Hold", Hold: &api.Hold{Scope: "service"}})
	if got := s.press("enter"); len(s.svc.Asked()) != 0 || !strings.Contains(got[0].(ui.SayMsg).Text, "Nothing is held") {
		t.Errorf("%v", got)
	}
}

func TestAnswersToAnotherWindowAreIgnored(t *testing.T) {
	svc := calm(t)
	c := uitest.Context(t, svc.Snap, text.English, svc)
	one, _ := act.New(c, move("LK_P_B"))
	two, load := act.New(c, move("LK_S_A"))
	one.Update(load())
	if s := uitest.Screen(t, one, 80, 21); !strings.Contains(s, "Asking the engine") {
		t.Errorf("it took another window's preview:\n%s", s)
	}
	if s := uitest.Screen(t, two, 80, 21); !strings.Contains(s, "Asking the engine") {
		t.Errorf("got:\n%s", s)
	}
}

func TestFreshEstateAndHostileWish(t *testing.T) {
	svc := &uitest.Service{Snap: uitest.Scene(t, uitest.Fresh)}
	svc.PreviewOf = func(api.Command) (*api.Preview, error) {
		return nil, &api.Error{Kind: api.KindNoSuch, Message: "no resource \"\x1b[2Jx\""}
	}
	s := open(t, svc, ui.Wish{Title: "x\x1b[31m\u202e", Command: "rm \x1b[2J", Goal: &plan.Goal{Kind: plan.GoalInService, Tag: "a\x1b/b"}})
	for _, z := range uitest.Sizes {
		uitest.Screen(t, s.w, z.W, z.H)
	}
	if strings.Contains(s.w.Title(), "\x1b") {
		t.Error("the title lets an escape through")
	}
	e := open(t, svc, flag(true))
	e.shows("no definition")
	x := model.Empty()
	e.c.Est = x
	uitest.Screen(t, e.w, 80, 21)
}
