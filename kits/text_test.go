package kits

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain\tline\r\n":                      "plain\tline\n",
		"\x1b[31mred":                          "?[31mred",
		"bad\xff\xfeutf":                       "bad?utf",
		"rtl\u202eoverride":                    "rtl?override",
		strings.Repeat("ä", 3000):              strings.Repeat("ä", 2048),
		"xy" + strings.Repeat("ä", 2048) + "z": strings.Repeat("ä", 2047) + "z",
	} {
		if got := Clean(in, OutputLimit); got != want {
			t.Errorf("Clean(%.20q…) = %.40q, want %.40q", in, got, want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("\x1b]0;title\x07", 10)
	f.Fuzz(func(t *testing.T, s string, max int) {
		if max < 0 || max > 1<<16 {
			return
		}
		got := Clean(s, max)
		if !utf8.ValidString(got) || strings.ContainsAny(got, "\x1b\x07\x00\r") {
			t.Fatalf("Clean(%q) = %q", s, got)
		}
	})
}

func TestOneLine(t *testing.T) {
	if got := OneLine("first\nlast line \n\n", 80); got != "last line" {
		t.Errorf("got %q", got)
	}
	if got := OneLine("", 80); got != "" {
		t.Errorf("got %q", got)
	}
	if got := OneLine("日本語", 4); got != "日" {
		t.Errorf("got %q", got)
	}
}

func TestParseSeconds(t *testing.T) {
	for in, want := range map[string]time.Duration{"30": 30 * time.Second, "1m30s": 90 * time.Second, "86400": 24 * time.Hour} {
		if got, err := ParseSeconds(in); err != nil || got != want {
			t.Errorf("ParseSeconds(%q) = %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "0", "-3", "soon", "100000", "99999999999999999999", "10ms", "9223372037"} {
		if got, err := ParseSeconds(in); err == nil {
			t.Errorf("ParseSeconds(%q) = %v, want an error", in, got)
		}
	}
}

func TestInstanceDefaults(t *testing.T) {
	in := Instance{Attrs: map[string]string{"a": "1", "e": ""}, Tuning: map[string]string{"T": "2"}}
	if in.Attr("a", "x") != "1" || in.Attr("e", "x") != "x" || in.Attr("b", "x") != "x" {
		t.Error("Attr")
	}
	if in.Tune("T", "y") != "2" || in.Tune("U", "y") != "y" {
		t.Error("Tune")
	}
}
