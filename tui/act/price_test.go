package act_test

import (
	"context"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/act"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

func mirrorTo(node string) ui.Wish {
	return ui.Wish{Title: "In service", Command: "ferry in-service " + string(uitest.Mirror) + " --on " + node,
		Goal: &plan.Goal{Kind: plan.GoalInService, Tag: uitest.Mirror, Node: node}}
}

// mirrorSays lets the mirror's node answer with this reason, as its kit does.
func mirrorSays(svc *uitest.Service, why kits.Reason) {
	svc.PreviewOf = func(c api.Command) (*api.Preview, error) {
		pv, err := (&uitest.Service{Snap: svc.Snap}).Preview(context.Background(), c)
		if err != nil {
			return nil, err
		}
		for _, st := range pv.Plan.Steps {
			if st.Kind == plan.StepEligible && st.Tag == uitest.Mirror {
				pv.Verdicts = append(pv.Verdicts, api.StepStatus{ID: st.ID, Status: "failed", Report: kits.Report{Outcome: kits.Failed, Reason: why}})
			}
		}
		return pv, nil
	}
}

func stale() kits.Reason {
	return kits.Why("mirror.test-stale", "the disk of LK_P_B is out of date: it does not answer (its data is up to 11m0s old); LK_P_A has the data", "age", "11m0s")
}

func window(t *testing.T, svc *uitest.Service, l text.Lang, wish ui.Wish) *act.Window {
	t.Helper()
	w, cmd := act.New(uitest.Context(t, svc.Snap, l, svc), wish)
	uitest.Run(w, cmd)
	return w
}

func TestPriceScreens(t *testing.T) {
	for _, x := range []struct {
		name, node string
		keys       []string
	}{{"price", "LK_P_B", nil}, {"price-forced", "LK_P_B", []string{"F", "enter", "LK_P", "enter"}}, {"price-across", "LK_S_A", []string{"F", "enter"}}} {
		t.Run(x.name, func(t *testing.T) {
			s := uitest.Mirrored(t, uitest.Resyncing)
			uitest.Golden(t, x.name, s, func(c *ui.Context) ui.Page {
				svc := &uitest.Service{Snap: s}
				mirrorSays(svc, stale())
				if x.node == "LK_S_A" {
					mirrorSays(svc, kits.Why("mirror.test-never", "LK_S_A never had a copy; its source is LK_P_A", "age", "unknown"))
				}
				w := window(t, svc, c.Lang, mirrorTo(x.node))
				uitest.Press(t, w, x.keys...)
				return w
			})
		})
	}
}

func flat(screen string) string { return strings.Join(strings.Fields(screen), " ") }

// Whoever forces a start on old data reads how old before, and where the word is typed.
func TestForceNamesThePriceAndWantsTheName(t *testing.T) {
	svc := &uitest.Service{Snap: uitest.Mirrored(t, uitest.Resyncing)}
	mirrorSays(svc, stale())
	w := window(t, svc, text.English, mirrorTo("LK_P_B"))
	const price = "may be up to 11m old. What was written since then is lost for good when LK_P_B becomes the source."
	if s := flat(uitest.Screen(t, w, 100, 60)); strings.Count(s, price) != 1 || !strings.Contains(s, "F shows the plan again") {
		t.Errorf("before the force:\n%s", s)
	}
	uitest.Press(t, w, "enter")
	if len(svc.Asked()) != 0 {
		t.Fatal("it was done without force")
	}
	uitest.Press(t, w, "F", "enter")
	if s := flat(uitest.Screen(t, w, 100, 60)); strings.Count(s, price) != 2 || !strings.Contains(s, "Type this to confirm: LK_P_B") {
		t.Errorf("where it is typed:\n%s", s)
	}
	uitest.Press(t, w, "yes", "enter", "backspace", "backspace", "backspace", "lk_p_b", "enter")
	if len(svc.Asked()) != 0 {
		t.Fatal("another word was taken")
	}
	for range 6 {
		uitest.Press(t, w, "backspace")
	}
	uitest.Press(t, w, "LK_P_B", "enter")
	got := svc.Asked()
	if len(got) != 1 {
		t.Fatalf("asked %v", got)
	}
	if c := got[0].(api.Command); !c.Goal.Force || c.Goal.Node != "LK_P_B" {
		t.Errorf("%+v", c)
	}
}

// The node may object to something else first: the price is known from the heartbeat all
// the same. A copy that is complete costs nothing.
func TestPriceFromWhatWasHeard(t *testing.T) {
	for _, x := range []struct{ scene, node, want string }{
		{uitest.Resyncing, "LK_P_B", "may be up to 11m old. What was written since then is lost for good when LK_P_B becomes the source. The reason: it is a mixture of old and new"},
		{uitest.Resyncing, "LK_S_A", "nobody knows how old the copy of service/datakeeper-oradata on LK_S_A is"},
		{uitest.InSync, "LK_S_A", "may be up to 12s old."},
		{uitest.InDoubt, "LK_P_B", "nobody knows how old the copy of service/datakeeper-oradata on LK_P_B is, or whether it is whole. What is missing there is lost for good when LK_P_B becomes the source. The reason: the record is in doubt."},
		{uitest.InSync, "LK_P_B", ""},
	} {
		svc := &uitest.Service{Snap: uitest.Mirrored(t, x.scene)}
		mirrorSays(svc, kits.Why("mirror.test-tool", "it has no mdadm"))
		w := window(t, svc, text.English, mirrorTo(x.node))
		uitest.Press(t, w, "F")
		s := flat(uitest.Screen(t, w, 100, 60))
		if x.want != "" && !strings.Contains(s, x.want) || x.want == "" && strings.Contains(s, "DATA LOSS") {
			t.Errorf("%s on %s: want %q:\n%s", x.scene, x.node, x.want, s)
		}
	}
}
