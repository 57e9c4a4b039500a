package events

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// story is what an engine tells when LK_P_A is lost.
func story() []api.Event {
	var out []api.Event
	add := func(ago time.Duration, kind, sev string, e policy.Event, r kits.Reason) {
		e.At, e.Kind, e.Severity, e.Reason = uitest.Ago(ago), kind, sev, r
		out = append(out, api.Event{Seq: int64(41 + len(out)), Event: e})
	}
	tag := hierarchy.Tag("service/www")
	add(76*time.Hour, "definition", "info", policy.Event{By: "anna"}, kits.Why("defined", "anna put a new definition in force.", "by", "anna"))
	add(50*time.Minute, "state", "warning", policy.Event{Tag: "service/route53-www", Node: "LK_P_A"}, kits.Why("state-ISU", "service/route53-www is in service on LK_P_A, but impaired.", "tag", "service/route53-www", "node", "LK_P_A"))
	add(49*time.Minute, "state", "info", policy.Event{Tag: "service/route53-www", Node: "LK_P_A"}, kits.Why("state-ISP", "service/route53-www is in service on LK_P_A.", "tag", "service/route53-www", "node", "LK_P_A"))
	add(60*time.Second, "node", "error", policy.Event{Node: "LK_P_A"}, kits.Why("node-presumed-dead", "LK_P_A is presumed dead; that is not proof.", "node", "LK_P_A"))
	add(60*time.Second, "decision", "warning", policy.Event{Tag: tag, Node: "LK_P_A", Decision: &policy.Decision{Tag: tag, Action: policy.DoFailover, From: "LK_P_A", To: "LK_P_B", Reasons: []policy.NodeReason{
		{Code: "cause-presumed-dead", Node: "LK_P_A", Text: "LK_P_A is presumed dead.", Args: map[string]string{"node": "LK_P_A"}},
		{Code: "chosen", Node: "LK_P_B", Text: "LK_P_B has the best priority (2) of those that may take it.", Args: map[string]string{"node": "LK_P_B", "priority": "2"}},
		{Code: "not-lower-priority", Node: "LK_S_A", Text: "LK_S_A could take it, but LK_P_B has the better priority.", Args: map[string]string{"node": "LK_S_A", "chosen": "LK_P_B"}},
	}}}, kits.Why("decision-failover", "service/www goes from LK_P_A to LK_P_B. LK_P_A is presumed dead.", "tag", "service/www", "from", "LK_P_A", "to", "LK_P_B"))
	add(60*time.Second, "operation", "info", policy.Event{Tag: tag, Op: "op-12"}, kits.Why("op-began-failover", "service/www moves from LK_P_A to LK_P_B. LK_P_A is presumed dead.", "tag", "service/www", "from", "LK_P_A", "node", "LK_P_B"))
	add(48*time.Second, "operation", "info", policy.Event{Tag: tag, Op: "op-12"}, kits.Why("op-done", "Operation op-12 (failover service/www) is done; it took 12s.", "op", "op-12", "goal", "failover", "tag", "service/www", "took", "12s"))
	add(20*time.Second, "question", "warning", policy.Event{Tag: tag, Node: "LK_P_B", Question: "q-7"}, kits.Why("question-asked",
		"May service/www go from LK_P_B to LK_S_A in ap-southeast-1? Without an answer by 03:23:55 nothing moves. LK_P_B is presumed dead.", "tag", "service/www", "from", "LK_P_B", "to", "LK_S_A", "region", "ap-southeast-1", "until", "Without an answer by 03:23:55 nothing moves"))
	add(3*time.Second, "state", "error", policy.Event{Tag: tag, Node: "LK_P_A"}, kits.Why("app.check-failed", "check ended with 1 on LK_P_A:\x1b]0;owned\x07 \x1b[31mconnection refused\r\nby 127.0.0.1:80\u202e", "script", "/etc/ferry/www-check"))
	return out
}

// long is a log of n events, one a second.
func long(n int) []api.Event {
	out := make([]api.Event, n)
	for i := range out {
		e := story()[i%8].Event
		e.At = uitest.Ago(time.Duration(n-i) * time.Second)
		out[i] = api.Event{Seq: int64(i + 1), Event: e}
	}
	return out
}

func open(t testing.TB, told []api.Event) (*Page, *uitest.Service, *ui.Context) {
	t.Helper()
	s := uitest.Scene(t, uitest.Failover)
	svc := &engine{Service: &uitest.Service{Snap: s, Told: told}}
	c := uitest.Context(t, s, text.English, svc)
	p := New(c, "")
	p.View(80, 21)
	uitest.Run(p, p.Init())
	return p, svc.Service, c
}

func loadedWith(c *ui.Context, es []api.Event) *Page {
	p := New(c, "")
	p.loaded(loadedMsg{p: p, what: "first", limit: len(es) + 1, events: es})
	p.loading = 0
	return p
}

func TestGolden(t *testing.T) {
	s := uitest.Scene(t, uitest.Failover)
	uitest.Golden(t, "story", s, func(c *ui.Context) ui.Page { return loadedWith(c, story()) })
	uitest.Golden(t, "paused", s, func(c *ui.Context) ui.Page {
		p := loadedWith(c, long(300))
		p.View(80, 21)
		uitest.Press(t, p, "pgup", "pgup")
		return p
	})
	uitest.Golden(t, "filtered", s, func(c *ui.Context) ui.Page {
		p := loadedWith(c, story())
		p.Filter("op-12")
		return p
	})
	uitest.Golden(t, "empty", s, func(c *ui.Context) ui.Page { return loadedWith(c, nil) })
	uitest.Golden(t, "whole", s, func(c *ui.Context) ui.Page { return newDetail(c, story()[4]) })
}

func TestLoadsTheNewest(t *testing.T) {
	for _, n := range []int{0, 1, 499, 500, 501, 1234} {
		p, _, _ := open(t, long(n))
		if n > 0 && (p.last() != int64(n) || p.current().Seq != int64(n)) {
			t.Errorf("%d events: the newest is %d, the cursor on %v", n, p.last(), p.current())
		}
	}
}

func TestOlderEventsComeAtTheTop(t *testing.T) {
	p, _, _ := open(t, long(1234))
	p.all = p.all[len(p.all)-100:]
	p.whole = false
	p.place()
	p.follow = false
	uitest.Press(t, p, "g")
	if len(p.all) <= 100 || p.current().Seq != 1135 {
		t.Fatalf("%d events, cursor on %d", len(p.all), p.current().Seq)
	}
	for range 8 {
		uitest.Press(t, p, "g")
	}
	if len(p.all) != 1234 || !p.whole || p.all[0].Seq != 1 {
		t.Errorf("%d events from %d, whole %v", len(p.all), p.all[0].Seq, p.whole)
	}
}

func TestFollowing(t *testing.T) {
	p, _, _ := open(t, story())
	next := func() {
		e := story()[1]
		e.Seq = p.last() + 1
		uitest.Run(p, p.Update(ui.Happened{Event: e}))
	}
	next()
	if p.current().Seq != p.last() {
		t.Fatalf("it does not follow: on %d of %d", p.current().Seq, p.last())
	}
	uitest.Press(t, p, "up")
	at := p.current().Seq
	next()
	next()
	if p.current().Seq != at || p.follow {
		t.Errorf("going up does not stop it: on %d, was %d", p.current().Seq, at)
	}
	uitest.Press(t, p, "F")
	if !p.follow || p.current().Seq != p.last() {
		t.Errorf("F does not follow: on %d of %d", p.current().Seq, p.last())
	}
	uitest.Press(t, p, "F")
	if p.follow {
		t.Error("F does not stop it")
	}
	uitest.Press(t, p, "g", "G")
	if !p.follow {
		t.Error("the end does not follow again")
	}
}

func TestGapsAreFilled(t *testing.T) {
	all := long(60)
	p, svc, _ := open(t, all[:40])
	svc.Told = all
	uitest.Run(p, p.Update(ui.Happened{Event: all[49]}))
	for i, e := range p.all {
		if e.Seq != int64(i+1) {
			t.Fatalf("event %d stands at %d", e.Seq, i)
		}
	}
	if len(p.all) != 60 {
		t.Errorf("%d events", len(p.all))
	}
	uitest.Run(p, p.Update(ui.Happened{Event: all[20]})) // once more
	if len(p.all) != 60 {
		t.Errorf("an event is there twice: %d", len(p.all))
	}
}

func TestWhatHappenedWhileTheEngineWasAway(t *testing.T) {
	all := long(60)
	p, svc, c := open(t, all[:40])
	c.Lost = uitest.Ago(time.Second)
	uitest.Run(p, p.Update(ui.Tick{Now: uitest.Clock}))
	svc.Told, c.Lost = all, time.Time{}
	uitest.Run(p, p.Update(ui.Fresh{}))
	if len(p.all) != 60 || p.lost {
		t.Errorf("%d events", len(p.all))
	}
}

func TestFailedLoadIsSaidAndTriedAgain(t *testing.T) {
	p, _, _ := open(t, story())
	p.all, p.loading = nil, 1
	p.loaded(loadedMsg{p: p, what: "first", limit: 500, err: errors.New("no \x1b[2J answer")})
	p.place()
	if s := uitest.Screen(t, p, 80, 21); !strings.Contains(s, "could not be loaded") {
		t.Errorf("not said:\n%s", s)
	}
	uitest.Run(p, p.Update(ui.Fresh{}))
	if len(p.all) != len(story()) || p.err != nil {
		t.Errorf("%d events, %v", len(p.all), p.err)
	}
}

func TestFilter(t *testing.T) {
	p, svc, c := open(t, long(3000))
	p.all, p.whole = slices.Clone(p.all[400:]), false
	p.refilter(0)
	p.place()
	p.Filter("Q-7")
	uitest.Run(p, p.Update(ui.Tick{Now: uitest.Clock})) // loads what the filter has to see
	if want := len(svc.Told) / 8; p.n() != want {
		t.Errorf("%d events match, want %d", p.n(), want)
	}
	p.Filter("q-7 nothing like it")
	if p.n() != 0 || p.current() != nil {
		t.Errorf("%d match", p.n())
	}
	uitest.Screen(t, p, 80, 21)
	uitest.Press(t, p, "enter", "y", "g", "G", "down")
	p.Filter("")
	if p.n() != 3000 {
		t.Errorf("%d without a filter", p.n())
	}
	p.Filter("flexible")
	other, _ := text.New(text.Japanese)
	*c.Printer = *other
	p.Filter("サービス中")
	if p.n() == 0 {
		t.Error("a filter in Japanese finds nothing")
	}
	uitest.Screen(t, p, 80, 21)
}

// What a filter looks at is what is shown.
func TestFilterSeesTheSentence(t *testing.T) {
	for _, l := range text.Langs() {
		c := uitest.Context(t, uitest.Scene(t, uitest.Calm), l, nil)
		p := loadedWith(c, story())
		for _, e := range p.all {
			if got, want := p.sentence(e.Event), message(c, e.Event); got != want {
				t.Errorf("%s: %q is filtered as %q", l, want, got)
			}
		}
	}
}

// Events that come in are filtered, too.
func TestFilterSeesWhatComes(t *testing.T) {
	p, _, _ := open(t, story())
	p.Filter("zebra")
	e := story()[0]
	e.Seq, e.By = p.last()+1, "zebra"
	uitest.Run(p, p.Update(ui.Happened{Event: e}))
	if p.n() != 1 || p.current().Seq != e.Seq {
		t.Errorf("%d match", p.n())
	}
}

func TestWholeEvent(t *testing.T) {
	p, _, _ := open(t, story())
	p.follow = false
	p.seq = 48 // the question
	p.place()
	out := uitest.Press(t, p, "enter")
	d := out[0].(ui.ShowMsg).Window.(*detail)
	for key, want := range map[string]any{"3": ui.GoMsg{Kind: ui.Resource, Arg: "service/www"}, "4": ui.GoMsg{Kind: ui.Server, Arg: "LK_P_B"}} {
		if got := uitest.Press(t, d, key); len(got) != 1 || got[0] != want {
			t.Errorf("%s gave %v", key, got)
		}
	}
	if got := uitest.Press(t, d, "6"); len(got) != 2 {
		t.Errorf("6 gave %v", got)
	}
	if got := uitest.Press(t, d, "5"); len(got) != 0 {
		t.Errorf("5 gave %v without an operation", got)
	}
	d = newDetail(d.c, story()[6])
	if got := uitest.Press(t, d, "5"); len(got) != 1 || got[0] != (ui.GoMsg{Kind: ui.Operations, Arg: "op-12"}) {
		t.Errorf("5 gave %v", got)
	}
	for _, e := range story() {
		uitest.Screen(t, newDetail(d.c, e), 74, 19)
	}
}

func TestCopy(t *testing.T) {
	p, _, _ := open(t, story())
	out := uitest.Press(t, p, "y")
	if len(out) != 1 {
		t.Fatalf("y gave %v", out)
	}
	if s := out[0].(ui.CopyMsg).Text; !strings.Contains(s, "connection refused") || strings.ContainsAny(s, "\x1b\n\r\x07\u202e") {
		t.Errorf("copied %q", s)
	}
}

func TestForgetsTheOldest(t *testing.T) {
	p, _, _ := open(t, nil)
	p.merge(long(keep + spare + 1))
	if len(p.all) != keep || p.all[0].Seq != spare+2 {
		t.Errorf("%d events from %d", len(p.all), p.all[0].Seq)
	}
}

func BenchmarkView(b *testing.B) {
	for _, n := range []int{10, 1000, 20000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p, _, _ := open(b, nil)
			p.merge(long(n))
			for b.Loop() {
				p.View(200, 57)
			}
		})
	}
}

func BenchmarkHappened(b *testing.B) {
	p, _, _ := open(b, nil)
	p.merge(long(keep))
	p.Filter("lk_p_a")
	e := story()[0]
	for b.Loop() {
		e.Seq = p.last() + 1
		p.Update(ui.Happened{Event: e})
	}
}

func BenchmarkFilter(b *testing.B) {
	for _, l := range text.Langs() {
		for _, f := range []struct{ name, words string }{{"first key", "q"}, {"next key", "qu"}} {
			b.Run(string(l)+" "+f.name, func(b *testing.B) {
				s := uitest.Scene(b, uitest.Calm)
				c := uitest.Context(b, s, l, nil)
				p := New(c, "")
				p.merge(long(20000))
				for b.Loop() {
					b.StopTimer()
					p.Filter("")
					if f.name == "next key" {
						p.Filter("q")
					} else {
						for i := range p.all {
							p.all[i].words = ""
						}
					}
					b.StartTimer()
					p.Filter(f.words)
				}
			})
		}
	}
}

// engine leaves the oldest events out when there are more than asked for, as the engine
// does; the stand-in leaves out the newest. The contract says neither, so both must do.
type engine struct{ *uitest.Service }

func (e *engine) Events(ctx context.Context, after int64, limit int) ([]api.Event, error) {
	all, err := e.Service.Events(ctx, after, len(e.Told))
	return all[max(0, len(all)-limit):], err
}

func TestEitherEndOfTheLog(t *testing.T) {
	s := uitest.Scene(t, uitest.Failover)
	for _, svc := range []api.Service{&uitest.Service{Snap: s, Told: long(1234)}, &engine{&uitest.Service{Snap: s, Told: long(1234)}}} {
		p := New(uitest.Context(t, s, text.English, svc), "")
		uitest.Run(p, p.Init())
		for range 5 {
			uitest.Press(t, p, "g")
		}
		if len(p.all) != 1234 || p.last() != 1234 || p.all[0].Seq != 1 {
			t.Errorf("%T: %d events from %d to %d", svc, len(p.all), p.all[0].Seq, p.last())
		}
	}
}

// In ASCII nothing else is drawn, whatever the window.
func TestASCII(t *testing.T) {
	p, _, c := open(t, story())
	*c.Theme = *theme.New(theme.Mono, true)
	for _, w := range []int{54, 74, 110, 200} {
		for i, r := range uitest.Screen(t, p, w, 30) {
			if r > 0x7e {
				t.Fatalf("%d columns: %q at %d", w, r, i)
			}
		}
	}
}
