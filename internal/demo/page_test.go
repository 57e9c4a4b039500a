package demo

import (
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// Every item, every step of the story and the first window, in every size and language:
// they fill the window exactly, no text is missing, and at 80 columns what an item does
// and what is to be expected can be read to their ends.
func TestScreens(t *testing.T) {
	try(t, screens)
	trySmall(t, screens)
}

func screens(b bench) {
	t := b.t
	for _, l := range text.Langs() {
		c := uitest.Context(t, b.snapshot(), l, nil)
		p := b.Page(c).(*page)
		for _, z := range uitest.Sizes {
			for i, x := range b.Breakages() {
				p.list.At = i
				s := uitest.Screen(t, p, z.W, z.H)
				if strings.Contains(s, "[demo.") {
					t.Errorf("%s %s: a text is missing:\n%s", l, x.ID, s)
				}
				if got := len(p.explain(z.W)); got > explainLines {
					t.Errorf("%s %s at %d columns: %d lines of words, there is room for %d", l, x.ID, z.W, got, explainLines)
				}
			}
			s := uitest.Screen(t, b.Welcome(c), min(z.W, 72), 16)
			if strings.Contains(s, "[demo.") {
				t.Errorf("%s: a text is missing:\n%s", l, s)
			}
		}
		for _, step := range []Step{Starting, Copying, First, Watch, Second, NoCopy, Wait, Answer, Crossing, Crossed, Refused, Free} {
			words := c.T("demo.step-"+string(step), "node", "LK_P_A", "to", "LK_S_A", "left", "9m59s")
			label := ui.Width(" " + c.T("demo.next") + " ")
			if lines := ui.Wrap(words, 80-label-1); len(lines) > guideLines || strings.HasPrefix(words, "[") {
				t.Errorf("%s %s: %d lines of words, there is room for %d: %q", l, step, len(lines), guideLines, words)
			}
		}
	}
}

// The page says the truth about what is broken, and mends all of it.
func TestPage(t *testing.T) {
	try(t, func(b bench) {
		c := uitest.Context(t, b.snapshot(), text.English, nil)
		p := b.Page(c).(*page)
		has := func(words ...string) {
			t.Helper()
			s := uitest.Screen(t, p, 80, 21)
			for _, w := range words {
				if !strings.Contains(s, w) {
					t.Errorf("it does not show %q:\n%s", w, s)
				}
			}
		}
		has("LK_P_A answers", "[ ] Power off LK_P_A", "Put the cursor on")
		uitest.Press(t, p, "down", "down", "enter")
		has("[x] Power off LK_S_A")
		if got := uitest.Press(t, p, "enter"); len(got) != 1 || !strings.Contains(got[0].(ui.SayMsg).Text, "Mended: Power off LK_S_A") {
			t.Errorf("%+v", got)
		}
		has("[ ] Power off LK_S_A")
		if got := uitest.Press(t, p, "M"); len(got) != 1 || !got[0].(ui.SayMsg).Bad {
			t.Errorf("nothing is broken, and M says %+v", got)
		}
		uitest.Press(t, p, "end", "up", "enter") // AWS does not answer
		has("[x] AWS: no answer", "broken")
		c.Theme = theme.New(theme.Mono, true)
		uitest.Press(t, p, "M")
		time.Sleep(time.Second)
		for _, x := range b.Breakages() {
			if x.Broken() {
				t.Errorf("%s is still broken", x.ID)
			}
		}
	})
}
