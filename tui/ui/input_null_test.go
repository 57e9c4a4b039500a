package ui_test

import (
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// A hint that is shorter than its field once came with NULs behind it, which a terminal
// may draw as it likes.
func TestHintHasNoNulls(t *testing.T) {
	s := uitest.Scene(t, uitest.Calm)
	for _, l := range text.Langs() {
		in := ui.NewInput(uitest.Context(t, s, l, &uitest.Service{Snap: s}))
		in.Hint("更新 x")
		for w := 1; w < 40; w++ {
			if got := in.View(w); strings.ContainsRune(got, 0) || ui.Width(got) != w {
				t.Errorf("%d cells: %q", w, got)
			}
		}
	}
}
