package confirm

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// desk is a prompt with the engine that it talks to.
type desk struct {
	t   *testing.T
	c   *ui.Context
	svc *uitest.Service
	w   *Window
}

func open(t *testing.T, change ...func(*api.Snapshot)) *desk {
	t.Helper()
	s := uitest.Scene(t, uitest.Question)
	for _, f := range change {
		f(s)
	}
	svc := &uitest.Service{Snap: s}
	c := uitest.Context(t, s, text.English, svc)
	return &desk{t, c, svc, settled(c)}
}

// settled is a prompt that has stood for a while.
func settled(c *ui.Context) *Window {
	w := New(c, "q-7")
	w.opened = time.Time{}
	return w
}

func fencing(s *api.Snapshot) {
	for i := range s.Estate.Cluster {
		s.Estate.Cluster[i].Fencing = "ec2-stop"
	}
}

func proven(s *api.Snapshot) {
	s.Questions[0].Proven = true
	for i := range s.Nodes {
		if s.Nodes[i].Name == "LK_P_B" {
			s.Nodes[i].Verdict = policy.Dead
			s.Nodes[i].Evidence = slices.Clone(s.Nodes[i].Evidence)
			s.Nodes[i].Evidence[2] = kits.Why("evidence-cloud-stopped", "EC2 says LK_P_B is stopped.", "node", "LK_P_B", "state", "stopped")
		}
	}
}

// fresh lets another snapshot come in.
func (d *desk) fresh(change func(*api.Snapshot)) {
	s := *d.svc.Snap
	s.Questions = slices.Clone(s.Questions)
	change(&s)
	d.svc.Snap = &s
	d.c.Est = model.New(&s, uitest.Kits())
	uitest.Run(d.w, d.w.Update(ui.Fresh{}))
}

func (d *desk) press(keys ...string) []tea.Msg { return uitest.Press(d.t, d.w, keys...) }

func (d *desk) screen() string { return uitest.Screen(d.t, d.w, 74, 19) }

// answered wants exactly these answers to have reached the engine.
func (d *desk) answered(want ...api.Answer) {
	d.t.Helper()
	var got []api.Answer
	for _, a := range d.svc.Asked() {
		got = append(got, a.(api.Answer))
	}
	if len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
		d.t.Fatalf("answers %+v, want %+v\n%s", got, want, d.screen())
	}
}

func (d *desk) shows(words ...string) {
	d.t.Helper()
	flat := strings.Join(strings.Fields(d.screen()), " ")
	for _, w := range words {
		if !strings.Contains(flat, w) {
			d.t.Errorf("%q is not shown:\n%s", w, d.screen())
		}
	}
}

const region = "ap-southeast-1"

func TestAnswers(t *testing.T) {
	answer := func(kind string) []api.Answer {
		a := api.Answer{Question: "q-7", Kind: kind}
		if kind != "no" {
			a.Typed = region
		}
		return []api.Answer{a}
	}
	cases := []struct {
		name string
		on   []func(*api.Snapshot)
		keys []string
		want []api.Answer
	}{
		{"yes", []func(*api.Snapshot){proven}, []string{"y", region, "enter"}, answer("yes")},
		{"yes by the arrows", []func(*api.Snapshot){proven}, []string{"right", "enter", region, "enter"}, answer("yes")},
		{"yes with blanks around", []func(*api.Snapshot){proven}, []string{"y", "  " + region + " ", "enter"}, answer("yes")},
		{"yes with a wrong region", []func(*api.Snapshot){proven}, []string{"y", "ap-northeast-1", "enter"}, nil},
		{"yes in capitals", []func(*api.Snapshot){proven}, []string{"y", strings.ToUpper(region), "enter"}, nil},
		{"yes without a word", []func(*api.Snapshot){proven}, []string{"y", "enter", "enter", "enter"}, nil},
		{"no plain yes while not proven", nil, []string{"y", region, "enter"}, nil},
		{"off", nil, []string{"o", "LK_P_B", "enter", region, "enter"}, answer("off")},
		{"off with only the region", nil, []string{"o", region, "enter"}, nil},
		{"off with another node", nil, []string{"o", "LK_P_A", "enter", region, "enter"}, nil},
		{"off without the region", nil, []string{"o", "LK_P_B", "enter", "enter", "enter"}, nil},
		{"off, corrected", nil, []string{"o", "LK_P_X", "enter", "backspace", "B", "enter", region, "enter"}, answer("off")},
		{"fence", []func(*api.Snapshot){fencing}, []string{"f", region, "enter"}, answer("fence")},
		{"fence where there is none", nil, []string{"f", region, "enter"}, nil},
		{"no, typed", nil, []string{"n", "no", "enter"}, answer("no")},
		{"no, enter twice", nil, []string{"n", "enter", "enter"}, answer("no")},
		{"no, enter once", nil, []string{"n", "enter"}, nil},
		{"no, something between", nil, []string{"n", "enter", "x", "backspace", "enter"}, nil},
		{"no, another word", nil, []string{"n", "nope", "enter", "enter"}, nil},
		{"enter alone", nil, []string{"enter", "enter", "enter", "enter"}, nil},
		{"space and blanks", nil, []string{"space", "enter", "space", "enter"}, nil},
		{"chosen again", nil, []string{"o", "LK_P_B", "esc", "n", "no", "enter"}, answer("no")},
		{"nothing is sent twice", nil, []string{"n", "no", "enter", "enter", "enter", "n", "no", "enter"}, answer("no")},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := open(t, c.on...)
			d.press(c.keys...)
			d.answered(c.want...)
		})
	}
}

// No key at all may answer unless its words were typed.
func TestNoReflexAnswers(t *testing.T) {
	once, said := open(t, fencing), 0
	all := []string{"enter", "esc", "space", "tab", "left", "right", "up", "down", "y", "f", "o", "n"}
	for _, a := range all {
		for _, b := range all {
			for _, c := range all {
				d := &desk{t, once.c, once.svc, settled(once.c)}
				d.press(a, b, c)
				if a == "n" && b == "enter" && c == "enter" {
					said++ // that is how one says no
				}
				if n := len(d.svc.Asked()); n > said {
					t.Fatalf("%s %s %s answered %v", a, b, c, d.svc.Asked())
				}
			}
		}
	}
}

// The prompt may open under keys that were meant for the page below: "n", enter, enter.
func TestKeysThatWereOnTheirWayWhenItOpened(t *testing.T) {
	d := open(t, fencing)
	d.w = New(d.c, "q-7")
	d.press("n", "enter", "enter", "tab", "enter", "o", "f")
	if d.w.Typing() || d.w.kind != "" {
		t.Errorf("a key chose %q", d.w.kind)
	}
	d.answered()
	d.shows("has only just opened")
	d.c.Now = d.c.Now.Add(settle)
	d.press("n", "enter", "enter")
	d.answered(api.Answer{Question: "q-7", Kind: "no"})
}

// What the engine refuses is said in the reader's language, with its arguments.
func TestRefusalsInJapanese(t *testing.T) {
	for _, code := range []string{"answer-not-proven", "answer-not-yet", "answer-off-but-answers", "target-not-alive", "fence-not-configured",
		"question-ended-answered", "question-ended-expired", "question-ended-withdrawn", "no-such-question", "answer-not-typed", "busy", "question-well-again", "no-plan-now"} {
		d := open(t)
		p, _ := text.New(text.Japanese)
		*d.c.Printer = *p
		d.svc.Err = &api.Error{Kind: api.KindUnsafe, Code: code, Message: "English " + code}
		d.press("n", "no", "enter")
		if strings.Contains(d.w.said, "no value") || d.w.said == "" {
			t.Errorf("%s: %q", code, d.w.said)
		}
		if own := strings.Contains(d.w.said, "English"); own != (code == "busy" || code == "question-ended-answered") {
			t.Errorf("%s: %q", code, d.w.said)
		}
	}
}

func TestPasteIsTypedNotPressed(t *testing.T) {
	d := open(t, proven)
	uitest.Run(d.w, d.w.Update(tea.PasteMsg{Content: "y\n" + region + "\n\n"}))
	d.press("enter")
	d.answered()
	d.press("y")
	uitest.Run(d.w, d.w.Update(tea.PasteMsg{Content: region + "\n"}))
	d.answered()
	d.press("enter")
	d.answered(api.Answer{Question: "q-7", Kind: "yes", Typed: region})
}

func withdraw(s *api.Snapshot) {
	q := &s.Questions[0]
	q.State, q.Ended = policy.Withdrawn, uitest.Clock
	q.Why = kits.Why("question-peers-reach", "LK_P_B is alive: its peers reach it, only the engine does not.", "node", "LK_P_B")
}

func byBob(s *api.Snapshot) {
	q := &s.Questions[0]
	q.State, q.Ended, q.By, q.Answer = policy.Answered, uitest.Clock, "bob", "no"
	q.Why = kits.Why("answered-no", "bob says no: service/www does not go from LK_P_B to LK_S_A.", "by", "bob", "from", "LK_P_B", "to", "LK_S_A", "tag", "service/www")
}

func expire(s *api.Snapshot) {
	q := &s.Questions[0]
	q.State, q.Ended = policy.Expired, uitest.Clock
	q.Why = kits.Why("question-expired-no", "Nobody answered in time.", "from", "LK_P_B")
}

func TestWhatIsTypedGoesNowhereWhenTheQuestionEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(*api.Snapshot)
		says []string
	}{
		"withdrawn": {withdraw, []string{"Withdrawn", "its peers reach it", "not sent"}},
		"elsewhere": {byBob, []string{"Answered: no - by bob", "bob says no", "not sent"}},
		"expired":   {expire, []string{"Nobody answered: nothing moves", "not sent"}},
		"gone":      {func(s *api.Snapshot) { s.Questions = nil }, []string{"does not know this question any more", "not sent"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, proven)
			d.press("y", "ap-south")
			d.fresh(c.end)
			d.shows(c.says...)
			if !d.w.Typing() {
				t.Error("the rest of what is typed would act on something else")
			}
			if out := d.press("east-1", "enter", "y", "!", "q", "enter"); len(out) > 0 {
				t.Errorf("keys on their way did %v", out)
			}
			d.answered()
			if out := d.press("esc"); len(out) != 1 || out[0] != (ui.CloseMsg{Window: d.w}) {
				t.Errorf("esc gave %v", out)
			}
		})
	}
}

func TestEndedWhileChoosing(t *testing.T) {
	d := open(t)
	d.fresh(byBob)
	d.shows("Answered: no - by bob")
	if d.w.Typing() {
		t.Error("nothing was being typed")
	}
	d.press("o", "LK_P_B", "enter", region, "enter", "n", "enter", "enter")
	d.answered()
}

// The first answer wins; who comes second is told what the engine says.
func TestAnswerThatComesTooLate(t *testing.T) {
	d := open(t)
	d.svc.Err = &api.Error{Kind: api.KindNoSuch, Code: "question-ended-answered", Message: "Question q-7 has been answered already: no, by bob."}
	d.press("o", "LK_P_B", "enter", region, "enter")
	d.shows("has been answered already: no, by bob")
	d.fresh(byBob)
	d.shows("Answered: no - by bob")
	d.press("enter")
	if n := len(d.svc.Asked()); n != 1 {
		t.Errorf("%d answers were sent", n)
	}
}

// When the engine goes away in the middle of an answer nobody knows whether it arrived.
func TestAnswerWithoutWordBack(t *testing.T) {
	d := open(t)
	d.svc.Err = &api.Error{Kind: api.KindUnavailable, Message: "the engine does not answer"}
	d.press("n", "no", "enter")
	d.shows("It is not known whether the answer arrived", "> no")
	d.svc.Err = nil
	d.press("enter")
	d.shows("The engine has taken your answer: no")
	if n := len(d.svc.Asked()); n != 2 {
		t.Errorf("%d answers were sent", n)
	}
}

func TestSentAnswerWaitsForTheSnapshot(t *testing.T) {
	d := open(t)
	d.press("n", "no", "enter")
	d.shows("The engine has taken your answer: no")
	d.press("o", "LK_P_B", "enter", region, "enter")
	if n := len(d.svc.Asked()); n != 1 {
		t.Errorf("%d answers were sent", n)
	}
	d.fresh(func(s *api.Snapshot) { byBob(s); s.Questions[0].By = "anna" })
	d.shows("Answered: no - by anna")
	if strings.Contains(d.screen(), "not sent") {
		t.Errorf("it was sent:\n%s", d.screen())
	}
}

// While the engine's word is awaited, no key counts, and a snapshot that comes first
// does not make an answer look lost.
func TestKeysWhileSending(t *testing.T) {
	d := open(t)
	d.press("n")
	d.w.field.Set("no")
	cmd := d.w.Update(tea.KeyPressMsg{Code: tea.KeyEnter})
	if cmd == nil || !d.w.Typing() {
		t.Fatal("nothing is being sent")
	}
	d.press("enter", "y", "n", "enter")
	d.fresh(func(s *api.Snapshot) { byBob(s); s.Questions[0].By = "anna" })
	if strings.Contains(d.screen(), "not sent") {
		t.Errorf("it was sent:\n%s", d.screen())
	}
	uitest.Run(d.w, cmd)
	d.answered(api.Answer{Question: "q-7", Kind: "no"})
}

func TestLostEngineKeepsWhatWasTyped(t *testing.T) {
	d := open(t, proven)
	d.press("y", region)
	d.c.Lost = uitest.Ago(12 * time.Second)
	d.press("enter")
	d.answered()
	d.shows("> "+region, "The engine does not answer", "has not answered for 12s")
	d.c.Lost = time.Time{}
	d.press("enter")
	d.answered(api.Answer{Question: "q-7", Kind: "yes", Typed: region})
}

func TestWhoMayNotAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(*ui.Context)
		says string
	}{
		"guest":     {func(c *ui.Context) { c.Role = api.Guest }, "needs the role operator"},
		"read-only": {func(c *ui.Context) { c.ReadOnly = true }, "read-only"},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, fencing)
			c.set(d.c)
			for _, a := range d.w.Actions() {
				if slices.Contains([]string{"yes", "off", "fence", "no"}, a.ID) && !strings.Contains(a.Off, c.says) {
					t.Errorf("%s is off because of %q", a.ID, a.Off)
				}
			}
			d.press("o", "LK_P_B", "enter", region, "enter", "n", "enter", "enter", "tab", "enter", "enter")
			d.answered()
			d.shows(c.says)
		})
	}
}

// Becoming read-only in the middle of typing holds, too.
func TestReadOnlyWhileTyping(t *testing.T) {
	d := open(t, proven)
	d.press("y", region)
	d.c.ReadOnly = true
	d.press("enter")
	d.answered()
	d.shows("read-only")
}

func TestFencingIsOfferedWhereItIsConfigured(t *testing.T) {
	off := func(d *desk) string {
		for _, a := range d.w.Actions() {
			if a.ID == "fence" {
				return a.Off
			}
		}
		return "not offered"
	}
	if got := off(open(t)); !strings.Contains(got, "not configured") {
		t.Errorf("without fencing: %q", got)
	}
	if got := off(open(t, fencing)); got != "" {
		t.Errorf("with fencing: %q", got)
	}
	if got := off(open(t, fencing, proven)); got != "not offered" {
		t.Errorf("proven dead: %q", got)
	}
}

// The answers change under what is typed: what was meant for the old ones is not sent.
func TestProvenWhileTyping(t *testing.T) {
	d := open(t)
	d.press("o", "LK_P_B", "enter", "ap-south")
	d.fresh(proven)
	d.press("east-1", "enter")
	d.answered()
	d.shows("has changed while you typed", "LK_P_B is proven dead")
	d.press("esc", "y", region, "enter")
	d.answered(api.Answer{Question: "q-7", Kind: "yes", Typed: region})
}

func TestOperationUnderWay(t *testing.T) {
	d := open(t, func(s *api.Snapshot) {
		s.Running = []api.Operation{uitest.RunOp(s.Questions[0].Plan, "op-3", 1)}
	})
	d.press("o", "LK_P_B", "enter", region, "enter")
	d.answered()
	for _, a := range d.w.Actions() {
		if a.ID == "off" && !strings.Contains(a.Off, "op-3") {
			t.Errorf("off because of %q", a.Off)
		}
	}
}

func TestAfterwardsTheOperationIsOneKeyAway(t *testing.T) {
	d := open(t)
	d.press("o", "LK_P_B", "enter", region, "enter")
	d.fresh(func(s *api.Snapshot) {
		byBob(s)
		o := uitest.RunOp(s.Questions[0].Plan, "op-9", 1)
		o.Question = "q-7"
		s.Running = []api.Operation{o}
		q := s.Questions[0]
		q.ID, q.State = "q-8", policy.Pending
		s.Questions = append(s.Questions, q)
	})
	if out := d.press("enter"); len(out) != 1 || out[0] != (ui.GoMsg{Kind: ui.Operations, Arg: "op-9"}) {
		t.Errorf("enter gave %v", out)
	}
	d.fresh(func(s *api.Snapshot) { s.Running = nil }) // it is soon done, and still worth a look
	if out := d.press("enter"); len(out) != 1 || out[0] != (ui.GoMsg{Kind: ui.Operations, Arg: "op-9"}) {
		t.Errorf("when it is done, enter gave %v", out)
	}
	out := d.press("!")
	if len(out) != 2 {
		t.Fatalf("! gave %v", out)
	}
	for _, m := range out {
		if s, ok := m.(ui.ShowMsg); ok && s.Window.(*Window).Question() != "q-8" {
			t.Errorf("! opens %s", s.Window.(*Window).Question())
		}
	}
}

// The snapshot's word on the node is newer than the question's own; quorum is known to
// the question alone.
func TestEvidenceIsTheNewest(t *testing.T) {
	d := open(t, func(s *api.Snapshot) {
		s.Questions[0].Evidence = append(s.Questions[0].Evidence, kits.Why("evidence-quorum-ok", "LK_S_A has quorum, it said at 03:14:00.", "node", "LK_S_A", "at", "03:14:00"))
	})
	d.fresh(func(s *api.Snapshot) {
		s.Nodes = slices.Clone(s.Nodes)
		for i := range s.Nodes {
			if s.Nodes[i].Name == "LK_P_B" {
				s.Nodes[i].Evidence = []kits.Reason{kits.Why("evidence-missed", "The engine has missed 99 heartbeats of LK_P_B in a row.", "n", "99", "node", "LK_P_B")}
			}
		}
	})
	d.shows("missed 99 heartbeats", "LK_S_A has quorum")
	if strings.Contains(d.screen(), "missed 3 heartbeats") {
		t.Errorf("what is old is still shown:\n%s", d.screen())
	}
}

func TestCountdown(t *testing.T) {
	d := open(t)
	d.shows("nothing moves", "9m40s left")
	d.c.Now = d.c.Now.Add(9 * time.Minute)
	d.shows("40s left")
	d.c.Now = d.c.Now.Add(time.Minute)
	d.shows("The time is up")
	d.fresh(func(s *api.Snapshot) { s.Questions[0].Default = 0; s.Questions[0].Until = d.c.Now.Add(time.Hour) })
	d.shows("IT MOVES")
	d.fresh(func(s *api.Snapshot) { s.Questions[0].Until = time.Time{} })
	d.shows("waits until somebody answers")
}

// The answers and the countdown stay on the smallest window, whatever is scrolled.
func TestAnswersStayVisible(t *testing.T) {
	d := open(t, fencing)
	for _, size := range [][2]int{{54, 11}, {74, 19}, {110, 34}, {156, 54}} {
		for range 5 {
			d.press("pgdown")
			got := uitest.Screen(t, d.w, size[0], size[1])
			for _, want := range []string{"nothing moves", " f  Fence", " o  I have made sure", " n  No"} {
				if !strings.Contains(got, want) {
					t.Errorf("%v: %q is not visible:\n%s", size, want, got)
				}
			}
		}
	}
}

func TestClickChooses(t *testing.T) {
	d := open(t)
	lines := strings.Split(d.screen(), "\n")
	at := slices.IndexFunc(lines, func(s string) bool { return strings.Contains(s, "I have made sure") })
	d.w.Update(ui.Click{X: 5, Y: at})
	if d.w.kind != "off" || d.w.field == nil {
		t.Errorf("chosen: %q", d.w.kind)
	}
}

func TestCommands(t *testing.T) {
	d := open(t)
	q := *d.w.q
	for kind, want := range map[string]string{
		"":      "ferry confirm list",
		"no":    "ferry confirm no q-7",
		"yes":   "ferry confirm yes q-7 --region ap-southeast-1",
		"off":   "ferry confirm yes q-7 --region ap-southeast-1 --node-is-off LK_P_B",
		"fence": "ferry confirm yes q-7 --region ap-southeast-1 --fence",
	} {
		if got := Command(q, kind); got != want {
			t.Errorf("%s: %s", kind, got)
		}
	}
	if out := d.press("tab", "c"); len(out) != 1 || out[0].(ui.CopyMsg).Text != Command(q, "off") {
		t.Errorf("c copied %v", out)
	}
}

func TestHostileText(t *testing.T) {
	d := open(t, func(s *api.Snapshot) {
		q := &s.Questions[0]
		q.Cause.Text = "a\x1b]0;owned\x07b\r\nc\u202ed"
		q.Cause.Code = ""
		q.Evidence = append(q.Evidence, kits.Why("x", strings.Repeat("\x1b[2J\tlong ", 300)))
		q.Tag = "service/\x1b[31mwww"
	})
	for range 10 {
		d.screen() // Screen itself fails on control characters
		d.press("pgdown")
	}
	d.svc.Err = fmt.Errorf("bad \x1b[2J\nthing")
	d.press("n", "no", "enter")
	d.screen()
}

// framed draws a window in its frame, as the root does.
type framed struct {
	ui.Page
	c *ui.Context
}

func (f framed) View(w, h int) string {
	ww, wh := w, h
	if s, ok := f.Page.(ui.Sized); ok {
		ww, wh = s.Size(w-6, h-2)
		ww, wh = ww+4, wh+2
	}
	return ui.Block(ui.Box(f.c.Theme, f.Title(), f.Page.View(ww-4, wh-2), ww, wh, true), w, h)
}

func TestGolden(t *testing.T) {
	for _, x := range []struct {
		name   string
		change []func(*api.Snapshot)
		keys   []string
	}{
		{"not-proven", nil, nil},
		{"proven", []func(*api.Snapshot){proven}, nil},
		{"fencing", []func(*api.Snapshot){fencing}, []string{"f", "ap-north", "enter"}},
		{"off", nil, []string{"o", "LK_P"}},
		{"no", nil, []string{"n", "enter"}},
		{"withdrawn", []func(*api.Snapshot){withdraw}, nil},
		{"answered", []func(*api.Snapshot){byBob}, nil},
	} {
		s := uitest.Scene(t, uitest.Question)
		for _, f := range x.change {
			f(s)
		}
		uitest.Golden(t, x.name, s, func(c *ui.Context) ui.Page {
			w := settled(c)
			uitest.Press(t, w, x.keys...)
			return framed{w, c}
		})
	}
	guest := uitest.Scene(t, uitest.Question)
	uitest.Golden(t, "guest-lost", guest, func(c *ui.Context) ui.Page {
		c.Role, c.Lost = api.Guest, uitest.Ago(12*time.Second)
		return framed{New(c, "q-7"), c}
	})
}

// In ASCII nothing else is drawn, whatever the window.
func TestASCII(t *testing.T) {
	d := open(t, fencing)
	c, p := d.c, d.w
	d.press("o", "x", "enter")
	*c.Theme = *theme.New(theme.Mono, true)
	for _, w := range []int{54, 74, 110, 200} {
		for i, r := range uitest.Screen(t, p, w, 30) {
			if r > 0x7e {
				t.Fatalf("%d columns: %q at %d", w, r, i)
			}
		}
	}
}

func BenchmarkView(b *testing.B) {
	s := uitest.Scene(b, uitest.Question)
	c := uitest.Context(b, s, text.English, nil)
	w := New(c, "q-7")
	b.Run("same", func(b *testing.B) {
		for b.Loop() {
			w.View(w.Size(156, 54))
		}
	})
	b.Run("a second later", func(b *testing.B) {
		for b.Loop() {
			c.Now = c.Now.Add(time.Second)
			w.View(w.Size(156, 54))
		}
	})
}

// Why it is asked follows what is known by now, in both languages; what is no longer
// asked stays as it was.
func TestCauseFollowsTheVerdict(t *testing.T) {
	for lang, words := range map[text.Lang][2]string{
		text.English:  {"LK_P_B is presumed dead.", "LK_P_B is dead."},
		text.Japanese: {"LK_P_B は停止とみなされます", "LK_P_B は停止しています。"},
	} {
		s := uitest.Scene(t, uitest.Question)
		at := func() string {
			c := uitest.Context(t, s, lang, &uitest.Service{Snap: s})
			return strings.Join(Facts(c, s.Questions[0], 100)[:2], "\n")
		}
		if got := at(); !strings.Contains(got, words[0]) {
			t.Errorf("at first %q, want %q", got, words[0])
		}
		proven(s)
		if got := at(); !strings.Contains(got, words[1]) {
			t.Errorf("then %q, want %q", got, words[1])
		}
		s.Questions[0].State = policy.Answered
		if got := at(); !strings.Contains(got, words[0]) {
			t.Errorf("afterwards %q, want %q", got, words[0])
		}
	}
}
