package ui

import (
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"
)

func TestCanvas(t *testing.T) {
	c := NewCanvas(8, 3)
	red := c.Pen(lipgloss.NewStyle().Bold(true))
	if c.Pen(lipgloss.NewStyle().Bold(true)) != red {
		t.Error("the same style has two pens")
	}
	if at := c.Text(1, 0, "日本", red); at != 5 {
		t.Errorf("the text ends at %d, want 5", at)
	}
	c.Text(2, 0, "x", 0)                  // over the right half of the first one
	c.Text(6, 1, "語", 0)                  // just fits
	c.Text(7, 2, "語", 0)                  // does not
	c.Text(0, 2, "a\x1b[31m\u202eb\a", 0) // what has no width is left out
	want := "  x本   \n      語\na[31mb  "
	if got := ansi.Strip(c.View(0, 0, 8, 3)); got != want {
		t.Errorf("got\n%q, want\n%q", got, want)
	}
	if got := ansi.Strip(c.View(7, 0, 2, 2)); got != "  \n  " {
		t.Errorf("half a wide character is shown: %q", got)
	}
}

func TestCanvasViewFillsItsCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := NewCanvas(rapid.IntRange(0, 20).Draw(t, "w"), rapid.IntRange(0, 6).Draw(t, "h"))
		p := c.Pen(lipgloss.NewStyle().Underline(true))
		for range rapid.IntRange(0, 12).Draw(t, "n") {
			c.Text(rapid.IntRange(-4, 24).Draw(t, "x"), rapid.IntRange(-1, 7).Draw(t, "y"), rapid.StringMatching(`[a-c日本語é\x{0301}]{0,6}`).Draw(t, "s"), uint8(rapid.IntRange(0, 1).Draw(t, "pen"))*p)
		}
		w, h := rapid.IntRange(1, 24).Draw(t, "vw"), rapid.IntRange(1, 8).Draw(t, "vh")
		lines := strings.Split(c.View(rapid.IntRange(-3, 22).Draw(t, "vx"), rapid.IntRange(-2, 7).Draw(t, "vy"), w, h), "\n")
		if len(lines) != h {
			t.Fatalf("%d lines, want %d", len(lines), h)
		}
		for _, l := range lines {
			if n := ansi.StringWidth(l); n != w {
				t.Fatalf("%d cells, want %d: %q", n, w, l)
			}
		}
	})
}
