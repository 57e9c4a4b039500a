package ui

import (
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"
)

// seen is a block with the highlighted parts in angle brackets.
func seen(block, words string) string {
	st := lipgloss.NewStyle().Underline(true)
	on, _, _ := strings.Cut(st.Render("x"), "x")
	s := strings.ReplaceAll(Highlight(block, words, st), on, "<")
	return strings.ReplaceAll(s, "\x1b[m", ">")
}

func TestHighlight(t *testing.T) {
	for _, x := range []struct{ name, block, words, want string }{
		{"nothing looked for", "www on LK_P_A", "", "www on LK_P_A"},
		{"nothing found", "www on LK_P_A", "vpn", "www on LK_P_A"},
		{"whatever the case", "www on LK_P_A", "lk_p WWW", "<www> on <LK_P>_A"},
		{"several lines, several times", "aXa\nbaab", "a", "<a>X<a>\nb<aa>b"},
		{"words that overlap are one", "routes", "rout utes", "<routes>"},
		{"wide characters", "階層 サービス中", "サービス", "階層 <サービス>中"},
		{"a letter whose small form is longer", "ȺB www", "www", "ȺB <www>"},
		{"one whose small form is shorter", "K www", "www", "K <www>"},
	} {
		if got := seen(x.block, x.words); got != x.want {
			t.Errorf("%s: %q, want %q", x.name, got, x.want)
		}
	}
}

// What stands around a hit keeps its looks, also where they change inside of it.
func TestHighlightKeepsLooks(t *testing.T) {
	red, bar := "\x1b[31m", "\x1b[44m"
	for _, x := range []struct{ block, want string }{
		{red + "a www b" + reset + "c", red + "a <www" + reset + red + " b" + reset + "c"},
		{bar + red + "ww" + reset + "w" + reset, bar + red + "<ww" + reset + "<w" + reset + reset},
		{"x" + red + "www", "x" + red + "<www" + reset + red},
	} {
		on, _, _ := strings.Cut(lipgloss.NewStyle().Underline(true).Render("x"), "x")
		if got := strings.ReplaceAll(Highlight(x.block, "www", lipgloss.NewStyle().Underline(true)), on, "<"); got != x.want {
			t.Errorf("%q, want %q", got, x.want)
		}
	}
}

// Not a cell moves, whatever is drawn and looked for.
func TestHighlightMovesNothing(t *testing.T) {
	piece := rapid.OneOf(rapid.StringMatching(`[a-cA-C 階層.]{0,6}`), rapid.SampledFrom([]string{"\x1b[1m", "\x1b[38;5;9m", "\x1b[m", "\x1b[0m", "\n", "İ", "\xff"}))
	rapid.Check(t, func(t *rapid.T) {
		block := strings.Join(rapid.SliceOf(piece).Draw(t, "block"), "")
		words := rapid.StringMatching(`[a-cA-C層 ]{0,4}`).Draw(t, "words")
		got := Highlight(block, words, lipgloss.NewStyle().Underline(true).Bold(true))
		if a, b := ansi.Strip(block), ansi.Strip(got); a != b {
			t.Fatalf("%q became %q", a, b)
		}
	})
}

func BenchmarkHighlight(b *testing.B) {
	line := strings.Repeat("\x1b[32m● ISP\x1b[m 1 4m  ip-www-0001  ", 6)
	block := strings.Repeat(line+"\n", 60)
	st := lipgloss.NewStyle().Underline(true)
	for b.Loop() {
		Highlight(block, "www isp", st)
	}
}
