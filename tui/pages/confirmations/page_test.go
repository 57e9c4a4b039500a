package confirmations

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/confirm"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

func make1(c *ui.Context) ui.Page { return New(c, "") }

// past gives a scene three questions that are over, in no order.
func past(s *api.Snapshot) {
	q := s.Questions[0]
	add := func(id string, state policy.QuestionState, answer, by string, ago time.Duration, why kits.Reason) {
		p := q
		p.ID, p.State, p.Answer, p.By, p.Why = id, state, answer, by, why
		p.Asked, p.Ended = uitest.Ago(ago+90*time.Second), uitest.Ago(ago)
		s.Questions = append([]policy.Question{p}, s.Questions...)
	}
	add("q-4", policy.Answered, "no", "bob", 50*time.Hour, kits.Why("answered-no", "bob says no: service/www does not go from LK_P_B to LK_S_A.", "by", "bob", "tag", "service/www", "from", "LK_P_B", "to", "LK_S_A"))
	add("q-6", policy.Withdrawn, "", "", 3*time.Hour, kits.Why("question-peers-reach", "LK_P_B is alive: its peers reach it, only the engine does not.", "node", "LK_P_B"))
	add("q-5", policy.Expired, "", "", 26*time.Hour, kits.Why("question-expired-no", "Nobody answered in time whether service/www goes from LK_P_B to LK_S_A. It does not (CONFIRMSODEF=1). It can still be put in service there by command.",
		"tag", "service/www", "from", "LK_P_B", "to", "LK_S_A", "rule", "CONFIRMSODEF=1"))
	add("q-2", policy.Answered, "off", "anna", 80*time.Hour, kits.Why("answered-off", "anna has made sure that LK_P_B is off: service/www goes to LK_S_A.", "by", "anna", "tag", "service/www", "from", "LK_P_B", "to", "LK_S_A"))
}

func scene(t testing.TB) *api.Snapshot {
	s := uitest.Scene(t, uitest.Question)
	past(s)
	return s
}

func TestGolden(t *testing.T) {
	uitest.Golden(t, "question", scene(t), make1)
	uitest.Golden(t, "fresh", uitest.Scene(t, uitest.Fresh), make1)
	uitest.Golden(t, "past", scene(t), func(c *ui.Context) ui.Page {
		p := New(c, "")
		uitest.Press(t, p, "down", "down")
		return p
	})
}

func TestPendingFirstThenTheNewest(t *testing.T) {
	c := uitest.Context(t, scene(t), text.English, nil)
	p := New(c, "")
	p.derive()
	var got []string
	for _, q := range p.rows {
		got = append(got, q.ID)
	}
	if s := strings.Join(got, " "); s != "q-7 q-6 q-5 q-4 q-2" {
		t.Errorf("order: %s", s)
	}
}

func TestEnterOpensThePrompt(t *testing.T) {
	p := New(uitest.Context(t, scene(t), text.English, nil), "")
	for _, want := range []string{"q-7", "q-6"} {
		out := uitest.Press(t, p, "enter")
		if len(out) != 1 || out[0].(ui.ShowMsg).Window.(*confirm.Window).Question() != want {
			t.Errorf("enter gave %v, want the prompt of %s", out, want)
		}
		uitest.Press(t, p, "down")
	}
}

func TestCursorStaysOnItsQuestion(t *testing.T) {
	s := scene(t)
	c := uitest.Context(t, s, text.English, nil)
	p := New(c, "")
	uitest.Press(t, p, "down", "down") // q-5
	next := *s
	q := s.Questions[len(s.Questions)-1]
	q.ID, q.Asked = "q-8", uitest.Clock
	next.Questions = append([]policy.Question{q}, s.Questions...)
	c.Est = model.New(&next, uitest.Kits())
	uitest.Run(p, p.Update(ui.Fresh{}))
	if p.current().ID != "q-5" {
		t.Errorf("the cursor is on %s", p.current().ID)
	}
	p.Filter("bob")
	if p.current().ID != "q-4" {
		t.Errorf("filtered: %s", p.current().ID)
	}
	p.Filter("")
	if out := uitest.Press(t, p, "y"); len(out) != 1 {
		t.Errorf("y gave %v", out)
	}
}

func TestEmptyEstate(t *testing.T) {
	p := New(uitest.Context(t, uitest.Scene(t, uitest.Fresh), text.English, nil), "")
	for _, a := range p.Actions() {
		if a.Off == "" {
			t.Errorf("%s can be done with nothing there", a.ID)
		}
	}
	uitest.Press(t, p, "enter", "y", "down", "G")
	p.Filter("x")
	uitest.Screen(t, p, 80, 21)
}

func TestClick(t *testing.T) {
	p := New(uitest.Context(t, scene(t), text.English, nil), "")
	lines := strings.Split(uitest.Screen(t, p, 80, 21), "\n")
	y := 0
	for i, l := range lines {
		if strings.Contains(l, "q-5") {
			y = i
			break
		}
	}
	if out := uitest.Run(p, p.Update(ui.Click{X: 4, Y: y})); len(out) != 0 || p.current().ID != "q-5" {
		t.Errorf("first click: %v, on %s", out, p.current().ID)
	}
	if out := uitest.Run(p, p.Update(ui.Click{X: 4, Y: y})); len(out) != 1 {
		t.Errorf("second click: %v", out)
	}
}

func BenchmarkView(b *testing.B) {
	for _, n := range []int{10, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := scene(b)
			for i := range n {
				q := s.Questions[i%4]
				q.ID = fmt.Sprint("q-", i+100)
				s.Questions = append(s.Questions, q)
			}
			p := New(uitest.Context(b, s, text.English, nil), "")
			for b.Loop() {
				p.View(200, 57)
			}
		})
	}
}

// In ASCII nothing else is drawn, whatever the window.
func TestASCII(t *testing.T) {
	c := uitest.Context(t, scene(t), text.English, nil)
	p := New(c, "")
	*c.Theme = *theme.New(theme.Mono, true)
	for _, w := range []int{54, 74, 110, 200} {
		for i, r := range uitest.Screen(t, p, w, 30) {
			if r > 0x7e {
				t.Fatalf("%d columns: %q at %d:\n%s", w, r, i, uitest.Screen(t, p, w, 30))
			}
		}
	}
}
