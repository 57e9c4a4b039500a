package ui_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ferry-ha/ferry/tui/ui"
)

func TestWrapKeepsNamesWhole(t *testing.T) {
	for _, c := range []struct {
		text string
		w    int
		want []string
	}{
		{"route to eni-lkpb of vpc-primary", 14, []string{"route to", "eni-lkpb of", "vpc-primary"}},
		{"service/www を LK_P_B でサービス開始", 20, []string{"service/www を", "LK_P_B でサービス開", "始"}},
		{"起動しました。次へ", 12, []string{"起動しまし", "た。次へ"}},
		{"abcdefghij", 4, []string{"abcd", "efgh", "ij"}},
		{"short", 10, []string{"short"}},
	} {
		if got := ui.Wrap(c.text, c.w); strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("Wrap(%q, %d) = %q, want %q", c.text, c.w, got, c.want)
		}
	}
}

func TestWrapLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.SampledFrom([]rune("ab-/ 起動。、(」ー "))).Draw(t, "s")
		w := rapid.IntRange(4, 30).Draw(t, "w")
		lines := ui.Wrap(s, w)
		for _, l := range lines {
			if n := ui.Width(l); n > w {
				t.Fatalf("%q has %d cells, more than %d", l, n, w)
			}
		}
		bare := func(s string) string { return strings.ReplaceAll(s, " ", "") }
		if got := bare(strings.Join(lines, "")); got != bare(s) {
			t.Fatalf("%q became %q", s, got)
		}
	})
}
