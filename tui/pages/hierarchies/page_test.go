package hierarchies

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

func open(t testing.TB, s *api.Snapshot) (*Page, *ui.Context) {
	t.Helper()
	c := uitest.Context(t, s, text.English, &uitest.Service{Snap: s})
	p := New(c, "")
	uitest.Screen(t, p, 80, 21)
	return p, c
}

// only is the one message that keys led to.
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

func said(t *testing.T, p ui.Page, key, want string) {
	t.Helper()
	if m := only[ui.SayMsg](t, p, key); !m.Bad || !strings.Contains(m.Text, want) {
		t.Errorf("%s says %q, want something with %q", key, m.Text, want)
	}
}

func TestSwitchover(t *testing.T) {
	p, _ := open(t, uitest.Scene(t, uitest.Calm))
	said(t, p, "i", "in service on LK_P_A already")
	w := only[ui.DoMsg](t, p, "right", "i").Wish
	want := plan.Goal{Kind: plan.GoalInService, Tag: "service/www", Node: "LK_P_B"}
	if w.Goal == nil || w.Goal.Kind != want.Kind || w.Goal.Tag != want.Tag || w.Goal.Node != want.Node || w.Goal.By != "" {
		t.Errorf("goal %+v, want %+v", w.Goal, want)
	}
	if w.Command != "ferry in-service service/www --on LK_P_B" {
		t.Errorf("command %q", w.Command)
	}
	w = only[ui.DoMsg](t, p, "down", "o").Wish
	if w.Goal == nil || w.Goal.Kind != plan.GoalOutOfService || w.Goal.Tag != "service/route53-www" || w.Command != "ferry out-of-service service/route53-www" {
		t.Errorf("%+v", w)
	}
	w = only[ui.DoMsg](t, p, "r").Wish // the cursor is on LK_P_B: recovery is where it is active
	if w.Goal == nil || w.Goal.Kind != plan.GoalRecover || w.Goal.Node != "LK_P_A" || !strings.HasSuffix(w.Command, "--on LK_P_A") {
		t.Errorf("%+v", w)
	}
}

func TestWhyNot(t *testing.T) {
	p, c := open(t, uitest.Scene(t, uitest.Calm))
	said(t, p, "d", "is in service on LK_P_A")
	said(t, p, "u", "is in service on LK_P_A")
	said(t, p, "e", "every server")
	uitest.Press(t, p, "down")
	said(t, p, "d", "needed by www")
	said(t, p, ".", "Nothing is wrong")
	c.Role = api.Operator
	said(t, p, "d", "administrator")
	c.Role = api.Guest
	said(t, p, "i", "operator")
	c.ReadOnly = true
	said(t, p, "m", "read-only")

	p, _ = open(t, uitest.Scene(t, uitest.Moving))
	said(t, p, "i", "op-12")
	p, _ = open(t, uitest.Scene(t, uitest.Failover))
	uitest.Press(t, p, "left")
	said(t, p, "i", "LK_P_A is presumed dead")
}

// Of two claims a person says which is right, by putting it in service where it is.
func TestDualIsDecidedHere(t *testing.T) {
	p, _ := open(t, uitest.Scene(t, uitest.Trouble))
	w := only[ui.DoMsg](t, p, "i").Wish
	if w.Goal == nil || w.Goal.Tag != "service/ec2-route53" || w.Goal.Node != "LK_P_A" {
		t.Errorf("%+v", w)
	}
}

func TestGoing(t *testing.T) {
	p, _ := open(t, uitest.Scene(t, uitest.Calm))
	if m := only[ui.GoMsg](t, p, "enter"); m != (ui.GoMsg{Kind: ui.Resource, Arg: "service/www"}) {
		t.Error(m)
	}
	if m := only[ui.GoMsg](t, p, "s"); m != (ui.GoMsg{Kind: ui.Server, Arg: "LK_P_A"}) {
		t.Error(m)
	}
	if m := only[ui.GoMsg](t, p, "up", "right", "enter"); m != (ui.GoMsg{Kind: ui.Server, Arg: "LK_P_B"}) {
		t.Error(m)
	}
	if m := only[ui.GoMsg](t, p, "G", "enter"); m != (ui.GoMsg{Kind: ui.Resource, Arg: "vpn-standby/ec2-vpn1"}) {
		t.Error(m)
	}
	if m := only[ui.GoMsg](t, p, "up", "up", "right", "enter"); m != (ui.GoMsg{Kind: ui.Server, Arg: "VPN_S_B"}) {
		t.Error(m)
	}
	if m := only[ui.CopyMsg](t, p, "y"); m.Text != "VPN_S_B" {
		t.Error(m)
	}
}

func TestFoldStaysAndHidesNoTrouble(t *testing.T) {
	s := uitest.Scene(t, uitest.Calm)
	p, c := open(t, s)
	uitest.Press(t, p, "space")
	screen := uitest.Screen(t, p, 80, 21)
	if strings.Contains(screen, "ip-route53") || !strings.Contains(screen, "▸ www +3") {
		t.Errorf("not folded:\n%s", screen)
	}
	s2 := uitest.Scene(t, uitest.Trouble)
	c.Est = model.New(s2, uitest.Kits())
	p.Update(ui.Fresh{})
	if screen = uitest.Screen(t, p, 80, 21); strings.Contains(screen, "ip-route53") || !strings.Contains(screen, "▸ www !3") {
		t.Errorf("a trouble that is folded away has no sign:\n%s", screen)
	}
	uitest.Press(t, p, ".") // opens what it goes to
	if screen = uitest.Screen(t, p, 80, 21); !strings.Contains(screen, "route53-www") {
		t.Errorf("the next trouble is not shown:\n%s", screen)
	}
}

func TestFilterKeepsParents(t *testing.T) {
	s := uitest.Scene(t, uitest.Trouble)
	p, _ := open(t, s)
	for _, x := range []struct{ words, has, not string }{
		{"ec2", "└─▾ route53-www", "ip-route53"},
		{"stale-nothing", "Nothing matches", "www"},
		{"osf", "www", "route53"},
		{"LK_P_B isp", "ip-route53", "vpn-primary"},
		{"osu lk_p_a", "Nothing matches", "└"}, // both in one cell
		{"vpn_s_b", "vpn-standby", "vpn-primary"},
	} {
		p.Filter(x.words)
		list, _, _ := strings.Cut(uitest.Screen(t, p, 80, 21), "── ")
		if !strings.Contains(list, x.has) && !strings.Contains(uitest.Screen(t, p, 80, 21), x.has) {
			t.Errorf("%q does not show %q:\n%s", x.words, x.has, list)
		}
		for _, line := range strings.Split(uitest.Screen(t, p, 80, 21), "\n")[1:14] {
			if strings.Contains(line, x.not) && !strings.Contains(line, "──") && !strings.Contains(line, "Why") {
				t.Errorf("%q shows %q: %s", x.words, x.not, line)
			}
		}
	}
	p.Filter("")
	if screen := uitest.Screen(t, p, 80, 21); !strings.Contains(screen, "vpn-standby") {
		t.Errorf("esc does not show everything again:\n%s", screen)
	}
}

// What is folded or unfolded, added or removed above it: the cursor stays on its cell.
func TestCursorStaysOnItsCell(t *testing.T) {
	s := uitest.Large(40)
	p, c := open(t, s)
	uitest.Press(t, p, "down", "down", "down", "right", "right")
	was := p.here()
	s2 := uitest.Large(40)
	s2.Resources = slices.Insert(s2.Resources, 0, api.ResourceStatus{Tag: "service/aaa", Kit: "app", Cluster: "service"})
	c.Est = model.New(s2, uitest.Kits())
	p.Update(ui.Fresh{})
	if got := p.here(); got != was {
		t.Errorf("cursor on %v, was on %v", got, was)
	}
	s3 := uitest.Large(40)
	s3.Resources = slices.DeleteFunc(s3.Resources, func(r api.ResourceStatus) bool { return r.Tag == was.Tag })
	c.Est = model.New(s3, uitest.Kits())
	p.Update(ui.Fresh{})
	if got := p.here(); got.Tag == "" || got.Tag == was.Tag || got.Node != was.Node {
		t.Errorf("after its resource is gone the cursor is on %v", got)
	}
}

// Sixteen servers do not fit: the columns follow the cursor, the head stays on top.
func TestColumnsAndHeadFollow(t *testing.T) {
	p, _ := open(t, uitest.Large(300))
	screen := uitest.Screen(t, p, 80, 21)
	if !strings.Contains(screen, "NODE_07") || strings.Contains(screen, "NODE_16") || !strings.Contains(screen, "→") {
		t.Errorf("\n%s", screen)
	}
	uitest.Press(t, p, "pgdown", "pgdown")
	for range 15 {
		uitest.Press(t, p, "right")
	}
	screen = uitest.Screen(t, p, 80, 21)
	if !strings.Contains(screen, "NODE_16") || strings.Contains(strings.Split(screen, "\n")[2], "NODE_02") || !strings.Contains(screen, "ap-southeast-1") || !strings.Contains(screen, "[○") {
		t.Errorf("\n%s", screen)
	}
	if strings.Contains(screen, "app-00000 ") && !strings.Contains(screen, "app-00020") {
		t.Errorf("pgdown does not scroll:\n%s", screen)
	}
}

// Whatever is pressed in whatever window, a frame fills it exactly, and the cursor is seen.
func TestEveryFrameShowsTheCursor(t *testing.T) {
	scenes := map[string]*api.Snapshot{"large": uitest.Large(45), "calm": uitest.Scene(t, uitest.Calm), "trouble": uitest.Scene(t, uitest.Trouble)}
	contexts := map[string]*ui.Context{}
	for name, s := range scenes {
		for _, l := range text.Langs() {
			contexts[name+string(l)] = uitest.Context(t, s, l, &uitest.Service{Snap: s})
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		p := New(contexts[rapid.SampledFrom([]string{"large", "calm", "trouble"}).Draw(rt, "scene")+rapid.SampledFrom([]string{"en", "ja"}).Draw(rt, "lang")], "")
		for range rapid.IntRange(1, 12).Draw(rt, "n") {
			w, h := rapid.IntRange(60, 220).Draw(rt, "w"), rapid.IntRange(12, 60).Draw(rt, "h")
			k := rapid.SampledFrom([]string{"up", "down", "left", "right", "pgup", "pgdown", "g", "G", "space", "."}).Draw(rt, "key")
			uitest.Press(t, p, k)
			screen := uitest.Screen(t, p, w, h)
			cursors := 0
			for _, l := range strings.Split(screen, "\n") {
				if strings.Contains(strings.ReplaceAll(l, "[31m", ""), "[") {
					cursors++
				}
			}
			if cursors != 1 {
				rt.Fatalf("%d cursors after %s in %dx%d:\n%s", cursors, k, w, h, screen)
			}
		}
	})
}

func TestClicks(t *testing.T) {
	p, _ := open(t, uitest.Scene(t, uitest.Calm))
	// line 5 of the screen is the first row (one for the sums, three for the head)
	if got := uitest.Run(p, p.Update(ui.Click{X: p.geo.tree + p.geo.col + 2, Y: 6})); len(got) != 0 {
		t.Errorf("the first click opens: %v", got)
	}
	if at := p.here(); at.Tag != "service/ec2-route53" && at.Tag != "service/route53-www" || at.Node != "LK_P_B" {
		t.Errorf("the click went to %v", at)
	}
	if got := uitest.Run(p, p.Update(ui.Click{X: p.geo.tree + p.geo.col + 2, Y: 6})); len(got) != 1 {
		t.Errorf("the second click opens %v", got)
	}
	p.Update(ui.Click{X: 4, Y: 6}) // the mark of ec2-route53, two levels down
	if screen := uitest.Screen(t, p, 80, 21); !strings.Contains(screen, "▸ ec2-route53 +1") {
		t.Errorf("the mark does not fold:\n%s", screen)
	}
	p.Update(ui.Wheel{By: 1})
	p.Update(ui.Wheel{By: -1})
	p.Update(ui.Click{X: 500, Y: 500})
}

func TestSharedChildIsDimmedNotRepeated(t *testing.T) {
	s := uitest.Scene(t, uitest.Calm)
	for i := range s.Resources {
		if s.Resources[i].Tag == "service/www" {
			s.Resources[i].Children = []hierarchy.Tag{"service/ec2-route53", "service/route53-www"}
		}
	}
	p, _ := open(t, s)
	screen := uitest.Screen(t, p, 80, 21)
	if strings.Count(screen, "ip-route53 ") != 1 || strings.Count(screen, "ec2-route53") != 2 || !strings.Contains(screen, "ec2-route53 ↑") {
		t.Errorf("\n%s", screen)
	}
	p.fold()
	p.derive()
	if n := p.tree.rows[0].under; n != 4 {
		t.Errorf("%d lines under the root", n)
	}
}

func TestAsciiAndManyNodesStay(t *testing.T) {
	for _, n := range []int{10, 1000} {
		p, c := open(t, uitest.Large(n))
		_ = c
		for _, w := range []int{60, 80, 120, 200} {
			screen := uitest.Screen(t, p, w, 21)
			if !strings.Contains(screen, fmt.Sprintf("All %d resources", n)) {
				t.Errorf("\n%s", screen)
			}
		}
	}
}

// An engine that has just begun does not know yet where things are: the cursor waits for
// it on the best server, unless a person has moved it.
func TestCursorWaitsForAnEngineThatBegins(t *testing.T) {
	early := uitest.Scene(t, uitest.Calm)
	for i := range early.Resources {
		r := &early.Resources[i]
		r.Active, r.Claim = "", nil
		for j := range r.On {
			r.On[j].State = hierarchy.ILLSTATE
		}
	}
	later := uitest.Scene(t, uitest.Failover) // active on LK_P_B
	for _, moved := range []bool{false, true} {
		p, c := open(t, early)
		if got := p.here().Node; got != "LK_P_A" {
			t.Errorf("begins on %s", got)
		}
		want := "LK_P_B"
		if moved {
			uitest.Press(t, p, "right", "right", "right")
			want = "LK_S_B"
		}
		c.Est = model.New(later, uitest.Kits())
		p.Update(ui.Fresh{})
		if got := p.here().Node; got != want {
			t.Errorf("moved %v: on %s, want %s", moved, got, want)
		}
	}
}

func TestUnfencedIsSummed(t *testing.T) {
	s := uitest.Scene(t, uitest.Failover)
	for i := range s.Resources {
		s.Resources[i].Claim.Unfenced = s.Resources[i].Cluster == "service" // what moved
	}
	p, _ := open(t, s)
	if screen := uitest.Screen(t, p, 120, 37); !strings.Contains(screen, "4 UNFENCED") || !strings.Contains(screen, "not proven dead") {
		t.Errorf("\n%s", screen)
	}
}

// However deep the tree and however long the names: tags, columns and the cursor are seen.
func TestDeepTreesAndLongNames(t *testing.T) {
	s := uitest.Large(60)
	for i := range s.Resources { // one chain
		s.Resources[i].Children = nil
		if i+1 < len(s.Resources) {
			s.Resources[i].Children = []hierarchy.Tag{s.Resources[i+1].Tag}
		}
	}
	p, _ := open(t, s)
	for range 59 {
		uitest.Press(t, p, "down")
		screen := uitest.Screen(t, p, 80, 21)
		if tag := p.here().Tag.Short(); !strings.Contains(strings.SplitN(screen, "── service/", 2)[0], tag) || !strings.Contains(screen, "NODE_07") || !strings.Contains(screen, "[●") {
			t.Fatalf("%s:\n%s", tag, screen)
		}
	}
	for i := range s.Estate.Servers {
		long := strings.Repeat("long", 25) + s.Estate.Servers[i].Name
		s.Nodes[i].Name, s.Estate.Servers[i].Name, s.Estate.Cluster[0].Servers[i] = long, long, long
	}
	p, _ = open(t, s)
	for _, w := range []int{60, 80, 120, 200} {
		uitest.Screen(t, p, w, 21)
	}
}

// A node with the better priority comes back and still runs what it once held: it is
// the one that is stale, whatever the snapshot calls active.
func TestTheOldNodeIsStaleNotTheHolder(t *testing.T) {
	s := uitest.Scene(t, uitest.Calm)
	for i := range s.Resources {
		r := &s.Resources[i]
		r.Active, r.Claim.Node = "LK_P_A", "LK_P_B"
		r.On[0].State, r.On[1].State = hierarchy.ISP, hierarchy.ISP
	}
	p, _ := open(t, s)
	row := strings.Split(uitest.Screen(t, p, 80, 21), "\n")[4]
	if !strings.Contains(row, "[! ISP STALE") || !strings.Contains(row, "● ISP 2") {
		t.Errorf("%s", row)
	}
	if w := only[ui.DoMsg](t, p, "r").Wish; w.Goal.Node != "LK_P_B" {
		t.Errorf("recovers on %s", w.Goal.Node)
	}
}

// The engine calls nothing active while the holder is lost; its claim still stands.
func TestALostHolderIsNotOutOfService(t *testing.T) {
	s := uitest.Scene(t, uitest.Question)
	for i := range s.Resources {
		s.Resources[i].Active = ""
	}
	p, _ := open(t, s)
	if a := p.here(); a.Node != "LK_P_B" {
		t.Errorf("the cursor begins on %s", a.Node)
	}
	said(t, p, "o", "LK_P_B is presumed dead")
}
