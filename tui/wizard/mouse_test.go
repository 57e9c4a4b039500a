package wizard

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/tui/form"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// clickOn clicks on the first cell of a text that the screen shows.
func clickOn(t *testing.T, p ui.Page, w, h int, what string) {
	t.Helper()
	for y, line := range strings.Split(uitest.Screen(t, p, w, h), "\n") {
		if before, _, ok := strings.Cut(line, what); ok {
			uitest.Run(p, p.Update(ui.Click{X: ui.Width(before), Y: y}))
			return
		}
	}
	t.Fatalf("nowhere %q:\n%s", what, uitest.Screen(t, p, w, h))
}

func TestMouse(t *testing.T) {
	for _, z := range uitest.Sizes[:2] {
		p := Create(calm(t, &uitest.Service{}), "service").(*Window)
		clickOn(t, p, z.W, z.H, "ec2") // in the list of kits
		if p.form.Answer("kit") != "ec2" {
			t.Errorf("%d: the kit is %q", z.W, p.form.Answer("kit"))
		}
		clickOn(t, p, z.W, z.H, "Switchback type")
		if p.question().ID != "switchback" {
			t.Errorf("%d: the cursor is on %s", z.W, p.question().ID)
		}
		clickOn(t, p, z.W, z.H, "Switchback type")
		if p.form.Answer("switchback") != "automatic" {
			t.Errorf("%d: a second click does not turn the choice", z.W)
		}
		clickOn(t, p, z.W, z.H, "2 Servers")
		clickOn(t, p, z.W, z.H, "Servers of what")
		clickOn(t, p, z.W, z.H, "LK_P_B")
		if p.form.Answer("on/LK_P_B") != "1" {
			t.Errorf("%d: a click does not take the server in", z.W)
		}
		clickOn(t, p, z.W, z.H, "4 Summary")
		if p.at != 1 {
			t.Errorf("%d: a click jumps over a page", z.W)
		}
		clickOn(t, p, z.W, z.H, "1 Kit")
		if p.at != 0 || p.form.Answer("on/LK_P_B") != "1" {
			t.Errorf("%d: back by a click: page %d", z.W, p.at)
		}
	}
}

func TestPaste(t *testing.T) {
	p := Create(calm(t, &uitest.Service{}), "service").(*Window)
	uitest.Press(t, p, keys(kitIP, []string{"down", "space", "enter"})...)
	p.Update(tea.PasteMsg{Content: "10.1.0.9\u202e9\x1b[31m\n"})
	if got := p.form.Answer("k/ip/address"); strings.ContainsAny(got, "\u202e\x1b\n") {
		t.Errorf("pasted: %q", got)
	}
	screen(t, p)
}

// TestASCII: a terminal that has nothing else gets nothing else.
func TestASCII(t *testing.T) {
	c := calm(t, &uitest.Service{})
	*c.Theme = *theme.New(theme.Mono, true)
	p := Create(c, "service")
	look := func() {
		for _, r := range screen(t, p) {
			if r > 0x7e {
				t.Fatalf("%q in an ASCII terminal:\n%s", r, screen(t, p))
			}
		}
	}
	for _, k := range keys(kitIP, []string{"down", "space", "enter", "10.1", "enter", ".0.99", "enter", "esc"}) {
		look()
		uitest.Press(t, p, k)
	}
	look()
}

func TestAllLanguagesHaveTheKeys(t *testing.T) {
	s := uitest.Scene(t, uitest.Calm)
	for _, l := range text.Langs() {
		p := Create(uitest.Context(t, s, l, &uitest.Service{Snap: s}), "service").(*Window)
		for _, a := range p.Actions() {
			if a.Help == "" || strings.HasPrefix(a.Help, "[") {
				t.Errorf("%s: %s has no words", l, a.ID)
			}
		}
		if x := p.form.At(); x == nil || x.Kind != form.Choice {
			t.Errorf("the cursor is on %v", x)
		}
	}
}
