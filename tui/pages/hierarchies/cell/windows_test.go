package cell

import (
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

var www = At{Tag: "service/www", Node: "LK_P_A", Cluster: "service"}

func TestScreens(t *testing.T) {
	trouble, calm := uitest.Scene(t, uitest.Trouble), uitest.Scene(t, uitest.Calm)
	uitest.Golden(t, "why", trouble, func(c *ui.Context) ui.Page { return NewWhy(c, www) })
	uitest.Golden(t, "why-server", uitest.Scene(t, uitest.Failover), func(c *ui.Context) ui.Page { return NewWhy(c, At{Node: "LK_P_A"}) })
	uitest.Golden(t, "needs", calm, func(c *ui.Context) ui.Page { return NewNeeds(c, "service/ec2-route53") })
	uitest.Golden(t, "hold", calm, func(c *ui.Context) ui.Page { return NewHold(c, www) })
	uitest.Golden(t, "hold-there", trouble, func(c *ui.Context) ui.Page {
		h := NewHold(c, www)
		uitest.Press(t, h, "up", "right", "right", "ctrl+f")
		return h
	})
	uitest.Golden(t, "remove", calm, func(c *ui.Context) ui.Page { return newRemove(c, www.Tag, below(c, www.Tag)) })
}

func in(t *testing.T, scene string) *ui.Context {
	s := uitest.Scene(t, scene)
	return uitest.Context(t, s, text.English, &uitest.Service{Snap: s})
}

// wish is the one change that keys led to.
func wish(t *testing.T, p ui.Page, keys ...string) ui.Wish {
	t.Helper()
	var out []ui.Wish
	for _, m := range uitest.Press(t, p, keys...) {
		if d, ok := m.(ui.DoMsg); ok {
			out = append(out, d.Wish)
		}
	}
	if len(out) != 1 {
		t.Fatalf("%v led to %d changes", keys, len(out))
	}
	return out[0]
}

func TestHold(t *testing.T) {
	c := in(t, uitest.Calm)
	h := NewHold(c, www)
	if got := uitest.Press(t, h, "enter", "enter"); len(got) != 0 || !strings.Contains(h.View(76, 11), "Say why") {
		t.Errorf("a hold without a reason: %v", got)
	}
	w := wish(t, h, "it's late", "enter")
	if w.Hold == nil || w.Hold.Scope != "service/www" || !w.Hold.Until.Equal(uitest.Clock.Add(time.Hour)) || w.Hold.Why != "it's late" {
		t.Errorf("%+v", w.Hold)
	}
	if w.Command != `ferry hold service/www --for 1h --why 'it'\''s late'` {
		t.Error(w.Command)
	}

	h = NewHold(c, www)
	uitest.Press(t, h, "up", "left", "enter") // the whole estate
	if got := uitest.Press(t, h, "99d", "enter", "x", "enter"); len(got) != 0 || !strings.Contains(h.View(76, 11), "Write a time") {
		t.Errorf("99d went through: %v", got)
	}
	h = NewHold(c, www)
	uitest.Press(t, h, "up", "left", "down", "1h30m", "enter", "why not")
	w = wish(t, h, "enter")
	if w.Hold.Scope != "" || !w.Hold.Until.Equal(uitest.Clock.Add(90*time.Minute)) || w.Command != "ferry hold --for 1h30m --why 'why not'" {
		t.Errorf("%+v %s", w.Hold, w.Command)
	}
}

func TestEndOfAHold(t *testing.T) {
	c := in(t, uitest.Trouble) // the cluster is held
	h := NewHold(c, www)
	if got := uitest.Press(t, h, "ctrl+d"); len(got) != 0 || !strings.Contains(h.View(76, 11), "There is no hold on") {
		t.Errorf("ended what is not held: %v", got)
	}
	uitest.Press(t, h, "up", "right", "right")
	w := wish(t, h, "ctrl+d")
	if w.Hold == nil || w.Hold.Scope != "service" || !w.Hold.Until.IsZero() || w.Command != "ferry hold service --release" {
		t.Errorf("%+v %s", w.Hold, w.Command)
	}
	c.Role = api.Guest
	if got := uitest.Press(t, h, "ctrl+d"); len(got) != 0 {
		t.Errorf("a guest ended a hold: %v", got)
	}
}

func TestFlagIsReadBack(t *testing.T) {
	for _, d := range []time.Duration{time.Second, 30 * time.Minute, time.Hour, 90 * time.Minute, 36 * time.Hour, 10 * time.Second, 3661 * time.Second, maxHold} {
		if got, err := time.ParseDuration(flag(d)); err != nil || got != d {
			t.Errorf("%s is written %q: %v", d, flag(d), err)
		}
	}
}

// Every change that the windows ask for is one that edit.Make knows how to make.
func TestChangesCanBeMade(t *testing.T) {
	c := in(t, uitest.Calm)
	try := func(w ui.Wish) *edit.Result {
		t.Helper()
		res, err := edit.Make(c.Est.Snapshot.Estate, c.Kits, w.Edit)
		if err != nil {
			t.Fatalf("%s: %v", w.Title, err)
		}
		if len(res.Changes) == 0 {
			t.Errorf("%s changes nothing", w.Title)
		}
		return res
	}
	try(wish(t, NewNeeds(c, "service/www"), "ip-r", "enter"))       // add: it is not needed directly
	w := wish(t, NewNeeds(c, "service/www"), "tab", "tab", "enter") // remove: the first is tied
	if w.Command != "ferry dependency remove service/www service/route53-www" {
		t.Error(w.Command)
	}
	try(w)
	w = wish(t, NewNeeds(c, "service/ip-route53"), "tab", "www", "down", "enter")
	if w.Command != "ferry dependency add service/www service/ip-route53" {
		t.Error(w.Command)
	}
	try(w)
	try(unextend(c, At{Tag: "service/www", Node: "LK_S_B"}))
	res := try(wish(t, newRemove(c, www.Tag, below(c, www.Tag)), "down", "enter"))
	if len(res.Estate.Res) != 4 { // the tunnels of both regions stay
		t.Errorf("%d resources are left", len(res.Estate.Res))
	}
	res = try(wish(t, newRemove(c, www.Tag, below(c, www.Tag)), "enter"))
	if len(res.Estate.Res) != 7 {
		t.Errorf("%d resources are left", len(res.Estate.Res))
	}
}

// What is offered never closes a circle.
func TestNoCircleIsOffered(t *testing.T) {
	c := in(t, uitest.Calm)
	n := NewNeeds(c, "service/ip-route53")
	n.derive()
	if len(n.rows) != 0 {
		t.Errorf("ip-route53 is under all others, yet may need %v", n.rows)
	}
	n = NewNeeds(c, "service/www")
	n.Do("side")
	n.derive()
	if len(n.rows) != 0 {
		t.Errorf("www is above all others, yet may be needed by %v", n.rows)
	}
}

func TestHoldsInTheReadersLanguage(t *testing.T) {
	s := uitest.Scene(t, uitest.Trouble)
	c := uitest.Context(t, s, text.Japanese, &uitest.Service{Snap: s})
	for tag, want := range map[hierarchy.Tag]string{"service/ec2-route53": "権利", "service/www": "LK_P_A に留め置"} {
		i := c.Est.Cell(tag, "LK_P_A")
		if Dual(i) != (tag == "service/ec2-route53") {
			t.Errorf("%s: DUAL is %v", tag, Dual(i))
		}
		if got := HeldText(c, i); !strings.Contains(got, want) {
			t.Errorf("%s in Japanese: %s", tag, got)
		}
	}
}
