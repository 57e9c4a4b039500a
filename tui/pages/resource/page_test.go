package resource

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"pgregory.net/rapid"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

func open(t testing.TB, s *api.Snapshot, tag string) (*Page, *ui.Context) {
	t.Helper()
	svc := &uitest.Service{Snap: s}
	if s.Estate != nil && tag != "" && t.Name() != "" {
		if _, b := t.(*testing.B); !b {
			svc.Told, svc.Past = happened(t)
		}
	}
	c := uitest.Context(t, s, text.English, svc)
	p := New(c, tag)
	uitest.Run(p, p.Init())
	uitest.Screen(t, p, 120, 37)
	return p, c
}

func only[T any](t *testing.T, p ui.Page, keys ...string) T {
	t.Helper()
	got := uitest.Press(t, p, keys...)
	if len(got) != 1 {
		t.Fatalf("%v led to %v", keys, got)
	}
	m, ok := got[0].(T)
	if !ok {
		t.Fatalf("%v led to %#v", keys, got[0])
	}
	return m
}

// The server that the cursor was on is the one that keys act on.
func TestActsOnTheServerUnderTheCursor(t *testing.T) {
	p, _ := open(t, uitest.Scene(t, uitest.Calm), "service/www")
	if m := only[ui.SayMsg](t, p, "i"); !m.Bad || !strings.Contains(m.Text, "LK_P_A already") {
		t.Error(m)
	}
	w := only[ui.DoMsg](t, p, "down", "down", "i").Wish
	if w.Goal == nil || w.Goal.Node != "LK_S_A" || w.Command != "ferry in-service service/www --on LK_S_A" {
		t.Errorf("%+v", w)
	}
	uitest.Screen(t, p, 120, 37)
	w = only[ui.DoMsg](t, p, "G", "i").Wish // on a relative it stays
	if w.Goal.Node != "LK_S_A" || w.Goal.Tag != "service/www" {
		t.Errorf("%+v", w.Goal)
	}
}

func TestOpens(t *testing.T) {
	p, _ := open(t, uitest.Scene(t, uitest.Calm), "service/route53-www")
	if m := only[ui.GoMsg](t, p, "down", "enter"); m != (ui.GoMsg{Kind: ui.Server, Arg: "LK_P_B"}) {
		t.Error(m)
	}
	if m := only[ui.GoMsg](t, p, "down", "down", "down", "enter"); m != (ui.GoMsg{Kind: ui.Resource, Arg: "service/www"}) {
		t.Error(m)
	}
	if m := only[ui.GoMsg](t, p, "down", "enter"); m != (ui.GoMsg{Kind: ui.Resource, Arg: "service/ec2-route53"}) {
		t.Error(m)
	}
	uitest.Press(t, p, "right", "g")
	if m := only[ui.SayMsg](t, p, "enter"); !m.Bad {
		t.Error(m)
	}
	for range 30 {
		uitest.Press(t, p, "down")
		if it := p.current(); it != nil && strings.HasPrefix(it.key, "op:") {
			break
		}
	}
	if m := only[ui.GoMsg](t, p, "enter"); m != (ui.GoMsg{Kind: ui.Operations, Arg: "op-11"}) {
		t.Error(m)
	}
}

func TestChoosing(t *testing.T) {
	p, _ := open(t, uitest.Scene(t, uitest.Calm), "")
	p.Filter("ip")
	if m := only[ui.GoMsg](t, p, "enter"); m != (ui.GoMsg{Kind: ui.Resource, Arg: "service/ip-route53"}) {
		t.Error(m)
	}
	p.Filter("nothing of the kind")
	if screen := uitest.Screen(t, p, 80, 21); !strings.Contains(screen, "Nothing matches") {
		t.Error(screen)
	}
	if m := only[ui.SayMsg](t, p, "enter"); !m.Bad {
		t.Error(m)
	}
}

// Events come once, in order, whichever way; those of others do not.
func TestFollowsItsEvents(t *testing.T) {
	p, _ := open(t, uitest.Scene(t, uitest.Calm), "service/www")
	if n := len(p.past.events); n != 3 {
		t.Fatalf("%d events", n)
	}
	ev := func(seq int64, tag, op string) ui.Happened {
		return ui.Happened{Event: api.Event{Seq: seq, Event: policy.Event{At: uitest.Clock, Tag: hierarchy.Tag(tag), Op: op, Reason: kits.Why("x", fmt.Sprint("event ", seq))}}}
	}
	for _, e := range []tea.Msg{ev(7, "service/www", ""), ev(7, "service/www", ""), ev(8, "service/ip-route53", ""), ev(9, "", "op-11"), ev(10, "", "op-99")} {
		p.Update(e)
	}
	var got []int64
	for _, e := range p.past.events {
		got = append(got, e.Seq)
	}
	if fmt.Sprint(got) != "[3 5 6 7 9]" {
		t.Errorf("events %v", got)
	}
	if screen := uitest.Screen(t, p, 120, 37); strings.Count(screen, "event 7") != 1 || strings.Contains(screen, "event 8") {
		t.Errorf("\n%s", screen)
	}
}

func TestEventsBetweenTheQuestionAndItsAnswer(t *testing.T) {
	s := uitest.Scene(t, uitest.Calm)
	c := uitest.Context(t, s, text.English, &uitest.Service{Snap: s})
	p := New(c, "service/www")
	p.Init()
	if screen := uitest.Screen(t, p, 80, 40); !strings.Contains(screen, "loading") {
		t.Errorf("\n%s", screen)
	}
	events, ops := happened(t)
	p.Update(ui.Happened{Event: events[len(events)-1]})
	p.Update(loaded{tag: "service/other", events: events, ops: ops})
	p.Update(loaded{tag: "service/www", events: events, ops: ops})
	if n := len(p.past.events); n != 3 || len(p.past.ops) != 2 {
		t.Errorf("%d events, %d operations", n, len(p.past.ops))
	}
}

func TestSaysWhatCannotBeLoaded(t *testing.T) {
	s := uitest.Scene(t, uitest.Calm)
	c := uitest.Context(t, s, text.English, &uitest.Service{Snap: s})
	p := New(c, "service/www")
	p.Update(loaded{tag: "service/www", err: errors.New("the engine does not answer")})
	if screen := uitest.Screen(t, p, 120, 37); !strings.Contains(screen, "the engine does not answer") {
		t.Errorf("\n%s", screen)
	}
	uitest.Run(p, p.Update(ui.Fresh{})) // it is there again
	if screen := uitest.Screen(t, p, 120, 37); strings.Contains(screen, "does not answer") {
		t.Errorf("\n%s", screen)
	}
}

func TestCursorStays(t *testing.T) {
	p, c := open(t, uitest.Scene(t, uitest.Calm), "service/www")
	uitest.Press(t, p, "down", "down")
	uitest.Screen(t, p, 120, 37)
	c.Est = model.New(uitest.Scene(t, uitest.Trouble), uitest.Kits()) // lines come in above it
	p.Update(ui.Fresh{})
	uitest.Screen(t, p, 120, 37)
	if it := p.current(); it == nil || it.key != "on:LK_S_A" || p.node != "LK_S_A" {
		t.Errorf("the cursor is on %+v", it)
	}
	uitest.Screen(t, p, 80, 21) // one column: it stays, too
	if it := p.current(); it == nil || it.key != "on:LK_S_A" {
		t.Errorf("the cursor is on %+v", it)
	}
}

func TestEveryFrameIsWhole(t *testing.T) {
	var pages []*Page
	for _, scene := range []string{uitest.Calm, uitest.Moving, uitest.Trouble} {
		p, _ := open(t, uitest.Scene(t, scene), "service/www")
		pages = append(pages, p)
	}
	rapid.Check(t, func(rt *rapid.T) {
		p := pages[rapid.IntRange(0, len(pages)-1).Draw(rt, "page")]
		for range rapid.IntRange(1, 8).Draw(rt, "n") {
			uitest.Press(t, p, rapid.SampledFrom([]string{"up", "down", "left", "right", "pgup", "pgdown", "g", "G"}).Draw(rt, "key"))
			p.Update(ui.Click{X: rapid.IntRange(0, 200).Draw(rt, "x"), Y: rapid.IntRange(0, 60).Draw(rt, "y")})
			uitest.Screen(t, p, rapid.IntRange(60, 220).Draw(rt, "w"), rapid.IntRange(12, 60).Draw(rt, "h"))
			if it := p.current(); it == nil || it.key == "" {
				rt.Fatalf("the cursor is on %+v", it)
			}
		}
	})
}

// BenchmarkView is a frame of the largest window after a key press, of the list and of
// one resource.
func BenchmarkView(b *testing.B) {
	for _, tag := range []string{"", "service/app-00000"} {
		for _, n := range []int{10, 1000, 10000} {
			b.Run(fmt.Sprintf("list=%v/resources=%d/nodes=16", tag == "", n), func(b *testing.B) {
				p, _ := open(b, uitest.Large(n), tag)
				keys := []tea.KeyPressMsg{{Code: tea.KeyPgDown}, {Code: tea.KeyDown}, {Code: 'g', Text: "g"}}
				i := 0
				for b.Loop() {
					p.Update(keys[i%len(keys)])
					_ = p.Actions()
					_ = p.View(200, 57)
					i++
				}
			})
		}
	}
}
