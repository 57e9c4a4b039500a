package term

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestCleanMakesForeignTextHarmless(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plain text", "plain text"},
		{"two\nlines\tand\r\nmore", "two lines and more"},
		{"\x1b[31mred\x1b[0m", "red"},
		{"\x1b]0;title\x07after", "after"},
		{"bell\x07 back\x08space\x7f", "bell backspace"},
		{"c1 \u009b31m end", "c1 31m end"},
		{"turn \u202eback\u202c", "turn back"},
		{"bad \xff utf8", "bad \uFFFD utf8"},
		{"日本語 ok", "日本語 ok"},
		{strings.Repeat("x", 5000), strings.Repeat("x", maxText) + "…"},
	} {
		if got := Clean(c.in); got != c.want {
			t.Errorf("Clean(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("\x1b[2J\x9b1;1H\u202e")
	f.Fuzz(func(t *testing.T, s string) {
		for _, out := range append(CleanLines(s, 5), Clean(s)) {
			if !utf8.ValidString(out) {
				t.Errorf("not UTF-8: %q", out)
			}
			for _, r := range out {
				if !Printable(r) {
					t.Errorf("%q of %q reaches the terminal", r, s)
				}
			}
		}
	})
}

func TestCleanLinesKeepsTheEnd(t *testing.T) {
	got := CleanLines("one\ntwo\n\tthree\x1b[1m\n\n", 2)
	if len(got) != 2 || got[0] != "two" || got[1] != "    three" {
		t.Errorf("got %q", got)
	}
}

func TestWrapLosesNothingAndFits(t *testing.T) {
	word := rapid.StringOfN(rapid.RuneFrom([]rune("abc日本-/.")), 1, 30, -1)
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOf(word).Draw(t, "words")
		n := rapid.IntRange(8, 40).Draw(t, "n")
		lines := Wrap(strings.Join(words, " "), n)
		for _, l := range lines {
			if Width(l) > n {
				t.Fatalf("%q is wider than %d", l, n)
			}
		}
		if got, want := strings.ReplaceAll(strings.Join(lines, ""), " ", ""), strings.Join(words, ""); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func TestWrapKeepsWordsWhole(t *testing.T) {
	got := Wrap("route in rtb-primary to eni-0a1b2c3d4e5f60002", 26)
	if len(got) != 2 || got[1] != "eni-0a1b2c3d4e5f60002" {
		t.Errorf("got %q", got)
	}
}

func TestWidthsCountCells(t *testing.T) {
	if got := Pad("日本", 6) + "|"; got != "日本  |" {
		t.Errorf("Pad: %q", got)
	}
	if got := PadLeft("日", 4) + "|"; got != "  日|" {
		t.Errorf("PadLeft: %q", got)
	}
	if got := (Style{}).Cut("日本語", 5); got != "日本…" {
		t.Errorf("Cut: %q", got)
	}
	if got := (Style{ASCII: true}).Cut("abcdef", 4); got != "abc~" {
		t.Errorf("Cut: %q", got)
	}
}

func TestPaintOnlyWithColour(t *testing.T) {
	if got := (Style{}).Paint(Bad, "x"); got != "x" {
		t.Errorf("painted without colour: %q", got)
	}
	if got := (Style{Color: true}).Paint(Bad, "x"); !strings.Contains(got, "\x1b[") || Width(got) != 1 {
		t.Errorf("got %q", got)
	}
}

func TestMarksHaveTwinsInASCII(t *testing.T) {
	for g := Active; g <= Up; g++ {
		uni, ascii := Style{}.Mark(g), Style{ASCII: true}.Mark(g)
		if uni == "" || ascii == "" || strings.IndexFunc(ascii, func(r rune) bool { return r > 0x7e }) >= 0 {
			t.Errorf("glyph %d: %q, %q", g, uni, ascii)
		}
		if g != Arrow && Width(uni) != Width(ascii) {
			t.Errorf("glyph %d: widths differ: %q, %q", g, uni, ascii)
		}
	}
}

func TestLocale(t *testing.T) {
	for env, ascii := range map[string]bool{"C": true, "en_US.UTF-8": false, "ja_JP.eucJP": true, "": false} {
		st := Detect(nil, func(k string) string {
			if k == "LANG" {
				return env
			}
			return ""
		})
		if st.ASCII != ascii || st.Color {
			t.Errorf("LANG=%q: %+v", env, st)
		}
	}
}
