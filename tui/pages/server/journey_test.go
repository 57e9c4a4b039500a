package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"pgregory.net/rapid"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

func open(t testing.TB, scene, name string) (*ui.Context, *Page) {
	t.Helper()
	s := uitest.Scene(t, scene)
	c := uitest.Context(t, s, text.English, &uitest.Service{Snap: s})
	p := New(c, name).(*Page)
	p.View(120, 37)
	return c, p
}

// wish takes the only wish out of what came for the root.
func wish(t *testing.T, msgs []tea.Msg) ui.Wish {
	t.Helper()
	var out []ui.Wish
	for _, m := range msgs {
		if d, ok := m.(ui.DoMsg); ok {
			out = append(out, d.Wish)
		}
	}
	if len(out) != 1 {
		t.Fatalf("%d wishes in %#v, want one", len(out), msgs)
	}
	return out[0]
}

func complaint(msgs []tea.Msg) string {
	for _, m := range msgs {
		if s, ok := m.(ui.SayMsg); ok && s.Bad {
			return s.Text
		}
	}
	return ""
}

func TestAFlagThatMustStayIsRefusedBeforeAnybodyIsAsked(t *testing.T) {
	_, p := open(t, uitest.Calm, "LK_P_A")
	msgs := uitest.Press(t, p, "f", "j", "j", "space", "enter")
	why := complaint(msgs)
	if !strings.Contains(why, "LK_S_A") || !strings.Contains(why, "allow_automatic_crossing") {
		t.Errorf("the refusal does not say what to do: %q", why)
	}
	if !strings.Contains(uitest.Screen(t, p, 80, 21), "the confirm flag is missing") {
		t.Error("the reason does not stand below the form")
	}
	for _, m := range msgs {
		if _, ok := m.(ui.DoMsg); ok {
			t.Error("it was asked for all the same")
		}
	}
	uitest.Press(t, p, "x")
	if len(p.flags().draft) != 0 || strings.Contains(uitest.Screen(t, p, 80, 21), "missing") {
		t.Error("discarding leaves something behind")
	}
}

func TestADraftBecomesOneWishForEachRow(t *testing.T) {
	_, p := open(t, uitest.Calm, "LK_P_A")
	uitest.Press(t, p, "f", "j", "space", "right", "space", "j", "space")
	if s := uitest.Screen(t, p, 80, 21); !strings.Contains(s, "2 changed") || strings.Count(s, "[x]*") != 3 {
		t.Fatalf("the draft is not shown:\n%s", s)
	}
	w := wish(t, uitest.Press(t, p, "enter"))
	e, ok := w.Edit.(edit.SetFlag)
	if !ok || e.Viewer != "LK_P_A" || e.Peer != "LK_P_B" || e.Confirm == nil || !*e.Confirm || e.Block == nil || !*e.Block {
		t.Fatalf("%#v", w.Edit)
	}
	if w.Command != "ferry server confirm-failover LK_P_A LK_P_B on && ferry server block-failover LK_P_A LK_P_B on" || !strings.Contains(w.Title, "(1 of 2)") {
		t.Errorf("%q %q", w.Title, w.Command)
	}
	if w.Then == nil {
		t.Fatal("the second row is forgotten")
	}
	next := wish(t, uitest.Run(p, w.Then()))
	if e := next.Edit.(edit.SetFlag); e.Peer != "LK_S_A" || e.Confirm != nil || e.Block == nil || next.Then != nil {
		t.Errorf("%#v", e)
	}
}

func TestADraftEndsWhenItIsInForce(t *testing.T) {
	c, p := open(t, uitest.Calm, "LK_P_A")
	uitest.Press(t, p, "f", "j", "space")
	r, err := edit.Make(c.Est.Index.Estate(), c.Kits, p.flags().edits()...)
	if err != nil {
		t.Fatal(err)
	}
	s := *c.Est.Snapshot
	s.Estate = r.Estate
	c.Est = model.New(&s, c.Kits)
	uitest.Run(p, p.Update(ui.Fresh{}))
	if len(p.flags().draft) != 0 || !p.flags().now("LK_P_B").Confirm {
		t.Error("the draft stays although it is in force")
	}
	if p.flags().peer() != "LK_P_B" {
		t.Error("the cursor moved")
	}
}

func TestAValueIsEditedInItsRow(t *testing.T) {
	_, p := open(t, uitest.Calm, "LK_P_A")
	uitest.Press(t, p, "t", "enter")
	if !p.Typing() {
		t.Fatal("nothing is typed")
	}
	uitest.Press(t, p, "backspace", "backspace", "backspace", "99999")
	if s := uitest.Screen(t, p, 80, 21); !strings.Contains(s, "outside 1 to 86400") {
		t.Fatalf("what is wrong is not said while one types:\n%s", s)
	}
	if msgs := uitest.Press(t, p, "enter"); complaint(msgs) == "" || !p.Typing() {
		t.Error("a wrong value is taken")
	}
	for range 5 {
		uitest.Press(t, p, "backspace")
	}
	w := wish(t, uitest.Press(t, p, "2m", "enter"))
	if *w.Tuning != (ui.Tuning{Node: "LK_P_A", Name: "LKCHECKINTERVAL", Value: "120"}) || w.Command != "ferry tuning set LKCHECKINTERVAL 120 --on LK_P_A" {
		t.Errorf("%#v %q", w.Tuning, w.Command)
	}
	uitest.Press(t, p, "enter", "tab")
	if w = wish(t, uitest.Press(t, p, "enter")); w.Tuning.Node != "" || w.Command != "ferry tuning set LKCHECKINTERVAL 360" {
		t.Errorf("%#v %q", w.Tuning, w.Command)
	}
	uitest.Press(t, p, "enter", "esc")
	if p.Typing() {
		t.Error("esc does not end the typing")
	}
	w = wish(t, uitest.Press(t, p, "d"))
	if w.Edit != (edit.SetTuning{Server: "LK_P_A", Name: "LKCHECKINTERVAL"}) || w.Command != "ferry tuning set LKCHECKINTERVAL --unset --on LK_P_A" {
		t.Errorf("%#v %q", w.Edit, w.Command)
	}
	if why := complaint(uitest.Press(t, p, "j", "j", "j", "d")); !strings.Contains(why, "CONFIRMSOTO") {
		t.Errorf("a value that nobody set can be taken away: %q", why)
	}
}

func TestAValueThatWouldCrossUnaskedIsRefused(t *testing.T) {
	_, p := open(t, uitest.Calm, "LK_P_A")
	msgs := uitest.Press(t, p, "t", "j", "j", "enter", "backspace", "0", "enter")
	if why := complaint(msgs); !strings.Contains(why, "CONFIRMSODEF") || !p.Typing() {
		t.Errorf("CONFIRMSODEF=0 over two regions: %q", why)
	}
}

func TestHold(t *testing.T) {
	c, p := open(t, uitest.Calm, "LK_P_A")
	var win ui.Page
	for _, m := range uitest.Press(t, p, "m") {
		if s, ok := m.(ui.ShowMsg); ok {
			win = s.Window
		}
	}
	if win == nil {
		t.Fatal("no window")
	}
	if msgs := uitest.Press(t, win, "x", "enter"); complaint(msgs) == "" {
		t.Error("1hx is taken for a time")
	}
	w := wish(t, uitest.Press(t, win, "backspace", "30m", "enter"))
	if h := w.Hold; h.Scope != "LK_P_A" || !h.Until.Equal(uitest.Clock.Add(90*time.Minute)) {
		t.Errorf("%#v", w.Hold)
	}
	c.Est.Holds = []api.HoldStatus{{Scope: "LK_P_A", Until: uitest.Clock.Add(time.Hour), By: "bert\x1b[2J", Why: "disk"}}
	uitest.Screen(t, win, 64, 14)
	if w := wish(t, uitest.Press(t, win, "ctrl+r")); !w.Hold.Until.IsZero() {
		t.Error("the hold is not released")
	}
}

func TestShutdownStrategyAndSSH(t *testing.T) {
	c, p := open(t, uitest.Calm, "LK_P_A")
	w := wish(t, uitest.Press(t, p, "s"))
	if w.Edit != (edit.SetShutdown{Server: "LK_P_A", SwitchOver: true}) || w.Command != "ferry server shutdown-strategy LK_P_A switch-over" {
		t.Errorf("%#v %q", w.Edit, w.Command)
	}
	if m := uitest.Press(t, p, "y"); m[0].(ui.CopyMsg).Text != "ssh ferry@10.0.0.10" {
		t.Errorf("%#v", m)
	}
	s := &hierarchy.Server{Name: "N", Address: "10.0.0.1", Connect: "n; reboot", SSH: hierarchy.SSH{Port: 2222, Jump: "b@x", Identity: "/k y"}}
	if got := sshCommand(c.Est.Index.Estate(), s); got != "ssh -J b@x -p 2222 -i '/k y' 'ferry@n; reboot'" {
		t.Errorf("%q", got)
	}
}

func TestWhoMayNotIsToldWhy(t *testing.T) {
	c, p := open(t, uitest.Calm, "LK_P_A")
	c.Role = api.Operator
	for _, keys := range [][]string{{"f", "space"}, {"t", "enter"}, {"t", "d"}, {"s"}} {
		if why := complaint(uitest.Press(t, p, keys...)); !strings.Contains(why, "administrator") {
			t.Errorf("%v: %q", keys, why)
		}
	}
	c.Role = api.Guest
	if why := complaint(uitest.Press(t, p, "m")); !strings.Contains(why, "operator") {
		t.Errorf("hold: %q", why)
	}
}

func TestWays(t *testing.T) {
	_, p := open(t, uitest.Calm, "LK_P_A")
	if m := uitest.Press(t, p, "]"); m[0] != (ui.GoMsg{Kind: ui.Server, Arg: "LK_P_B"}) {
		t.Errorf("%#v", m)
	}
	p.at = resources
	if m := uitest.Press(t, p, "j", "enter"); m[0] != (ui.GoMsg{Kind: ui.Resource, Arg: "service/route53-www"}) {
		t.Errorf("%#v", m)
	}
	p.at = paths
	if m := uitest.Press(t, p, "enter"); m[0] != (ui.GoMsg{Kind: ui.Server, Arg: "LK_P_B"}) {
		t.Errorf("%#v", m)
	}
	p.at = flags
	uitest.Press(t, p, "right", "right")
	if p.at != tuning {
		t.Error("right does not go on to the next panel behind the last box")
	}
	p.View(120, 37)
	p.Update(ui.Click{X: 60, Y: 4})
	if p.at != flags || p.flags().list.At != 1 {
		t.Errorf("a click puts panel %d, row %d", p.at, p.flags().list.At)
	}
}

func TestList(t *testing.T) {
	s := uitest.Scene(t, uitest.Trouble)
	c := uitest.Context(t, s, text.English, &uitest.Service{Snap: s})
	l := New(c, "").(*List)
	l.View(80, 21)
	uitest.Press(t, l, "j", "j")
	l.Filter("hung")
	if m := uitest.Press(t, l, "enter"); m[0] != (ui.GoMsg{Kind: ui.Server, Arg: "LK_S_A"}) {
		t.Errorf("%#v", m)
	}
}

// hostile is text as a node or a person could send it.
const hostile = "evil\x1b]0;owned\x07\x1b[31m\r\n\u202edesrever\u200b"

func TestHostileText(t *testing.T) {
	s := uitest.Scene(t, uitest.Calm)
	for i := range s.Nodes {
		s.Nodes[i].Evidence = []kits.Reason{kits.Why("x", hostile, "node", hostile)}
	}
	for i := range s.Estate.Servers {
		x := &s.Estate.Servers[i]
		x.Address, x.ENI, x.Instance, x.Connect = hostile, hostile, hostile, hostile
		x.Tuning = map[string]string{"QUORUM_HOSTS": hostile}
	}
	s.Holds = []api.HoldStatus{{Scope: "LK_P_A", Until: uitest.Clock.Add(time.Hour), By: hostile, Why: hostile}}
	s.Estate.Paths = []hierarchy.CommPath{{From: "LK_P_A", To: "LK_P_B", ToAddr: hostile, Via: hostile, Priority: 2}}
	c := uitest.Context(t, s, text.Japanese, &uitest.Service{Snap: s})
	for i := range 5 {
		p := of("LK_P_A", i)(c)
		for _, z := range append(uitest.Sizes, struct{ W, H int }{60, 13}) {
			uitest.Screen(t, p, z.W, z.H)
		}
	}
}

func TestASCII(t *testing.T) {
	s := uitest.Scene(t, uitest.Trouble)
	c := uitest.Context(t, s, text.English, &uitest.Service{Snap: s})
	c.Theme = theme.New(theme.Mono, true)
	for i := range 5 {
		for _, r := range uitest.Screen(t, of("LK_P_B", i)(c), 120, 37) {
			if r > 0x7e {
				t.Fatalf("%U in an ASCII screen", r)
			}
		}
	}
}

func BenchmarkView(b *testing.B) {
	for _, n := range []int{10, 1000, 10000} {
		s := uitest.Large(n)
		c := uitest.Context(b, s, text.English, &uitest.Service{Snap: s})
		p := of("NODE_01", resources)(c)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				p.View(200, 57)
			}
		})
	}
}

// BenchmarkFresh is what a new snapshot costs on top of making it.
func BenchmarkFresh(b *testing.B) {
	s := uitest.Large(10000)
	c := uitest.Context(b, s, text.English, &uitest.Service{Snap: s})
	p := New(c, "NODE_01").(*Page)
	for b.Loop() {
		p.made = nil
		p.Update(ui.Fresh{})
	}
}

// TestAnyWindow draws every panel in windows of any size, also while something is typed.
func TestAnyWindow(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := uitest.Scene(t, rapid.SampledFrom(uitest.Scenes()).Draw(rt, "scene"))
		c := uitest.Context(t, s, rapid.SampledFrom(text.Langs()).Draw(rt, "lang"), &uitest.Service{Snap: s})
		p := of(rapid.SampledFrom([]string{"LK_P_A", "LK_S_B", "VPN_P_A", ""}).Draw(rt, "server"), rapid.IntRange(0, 4).Draw(rt, "panel"))(c)
		w, h := rapid.IntRange(60, 240).Draw(rt, "w"), rapid.IntRange(13, 70).Draw(rt, "h")
		uitest.Screen(t, p, w, h)
		for _, k := range rapid.SliceOfN(rapid.SampledFrom([]string{"f", "t", "j", "k", "l", "h", "enter", "space", "x", "esc", "9", "tab", "G", "]"}), 0, 12).Draw(rt, "keys") {
			uitest.Press(t, p, k)
			uitest.Screen(t, p, w, h)
		}
	})
}
