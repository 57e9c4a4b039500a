package tui

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/ferry-ha/ferry/tui/uitest"
)

// What a filter found stands out on every page that has one, and no cell moves by it.
func TestFilterHitsStandOut(t *testing.T) {
	on := func(a *app) string { s, _, _ := strings.Cut(a.theme.Match.Render("x"), "x"); return s }
	found := 0
	for _, page := range "1345678" {
		a := opened(t, uitest.Calm, 120, 40)
		a.Update(key(string(page)))
		a.Update(key("/"))
		for _, k := range "lk_p" {
			a.Update(key(string(k)))
		}
		s := a.View().Content
		plain := ansi.Strip(s)
		hits := strings.Count(strings.ToLower(plain[:strings.LastIndex(plain, "\n")]), "lk_p")
		if got := strings.Count(s, on(a)); hits > 0 && got == 0 {
			t.Errorf("page %c: nothing stands out of %d hits:\n%s", page, hits, plain)
		}
		if hits > 0 {
			found++
		}
		a.Update(key("/")) // "lk_p/" is nowhere
		if strings.Contains(a.View().Content, on(a)+"L") {
			t.Errorf("page %c: something stands out that was not looked for", page)
		}
		for i, line := range strings.Split(plain, "\n") {
			if n := ansi.StringWidth(line); n != 120 {
				t.Fatalf("page %c: line %d has %d cells: %q", page, i+1, n, line)
			}
		}
	}
	if found < 3 {
		t.Errorf("only %d pages had anything to find", found)
	}
}

func TestPaletteHitsStandOut(t *testing.T) {
	a := opened(t, uitest.Calm, 120, 40)
	a.Update(key(":"))
	for _, k := range "lk_s" {
		a.Update(key(string(k)))
	}
	if s := a.View().Content; !strings.Contains(s, ";4mLK_S") { // underlined
		t.Errorf("nothing stands out:\n%s", s)
	}
}
