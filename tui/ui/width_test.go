package ui

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"
)

// Whatever the short way takes for plain is as wide as the long way says, beside anything.
func TestPlainWidthIsTheWidth(t *testing.T) {
	for r := rune(0); r < 0x30000; r++ {
		w := alone(r)
		if w == 0 {
			continue
		}
		for _, s := range []string{string(r), "a" + string(r), string(r) + "a", string(r) + string(r), "漢" + string(r), string(r) + "漢", "─" + string(r) + "─"} {
			if n, plain := plainWidth(s); plain && n != ansi.StringWidth(s) {
				t.Errorf("%q (%U): %d cells, %d by the rules", s, r, n, ansi.StringWidth(s))
			}
		}
	}
	pieces := []string{"a", " ", "NODE_01", "\x1b[1m", "\x1b[38;2;1;2;3m", "\x1b[0m", "\x1b[m", "\x1b[4:3m", "●", "├─", "漢字", "カ", "ー", "が", "゙",
		"\u0301", "\u200d", "\ufe0f", "✖", "▶", "👍", "🇯", "\x1b", "\x1b[", "\x1b[2J", "\x1b]0;t\x07", "\n", "\t", "\r", "\x7f", "\x9b1m", "\xff", "é", "한"}
	plain := 0
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 6).Draw(t, "pieces"), "")
		n, is := plainWidth(s)
		if is {
			plain++
			if want := ansi.StringWidth(s); n != want {
				t.Fatalf("%q: %d cells, %d by the rules", s, n, want)
			}
		}
	})
	if plain == 0 {
		t.Error("nothing was plain")
	}
}

// Block gives the same for what fits already as for what does not.
func TestBlockOfWhatFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 5).Draw(t, "w"), rapid.IntRange(1, 5).Draw(t, "h")
		s := rapid.StringOfN(rapid.RuneFrom([]rune("a漢\n\n")), 0, 30, -1).Draw(t, "s")
		if rapid.Bool().Draw(t, "fits") {
			s = Block(s, w, rapid.IntRange(1, 6).Draw(t, "lines"))
		}
		got := strings.Split(Block(s, w, h), "\n")
		in := strings.Split(s, "\n")
		if len(got) != h {
			t.Fatalf("%q has %d lines", got, len(got))
		}
		for i, line := range got {
			want := Fit("", w)
			if i < len(in) {
				want = Fit(in[i], w)
			}
			if line != want {
				t.Fatalf("line %d of %q is %q, want %q", i, s, line, want)
			}
		}
	})
}
