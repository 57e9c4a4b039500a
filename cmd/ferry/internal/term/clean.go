package term

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// maxText bounds one piece of foreign text on the screen, in bytes. A reason is a
// sentence or three; whoever wants more looks at the operation's output.
const maxText = 2000

// Clean makes foreign text safe to print on one line: escape sequences, control
// and direction characters go, line breaks and tabs become spaces, broken UTF-8
// becomes U+FFFD, and what is longer than 2000 bytes is cut with an ellipsis.
func Clean(s string) string {
	return strings.Join(strings.Fields(clean(bound(s, maxText))), " ")
}

// CleanLines is Clean for text of several lines, at most n of them, the last ones:
// the end of a script's output tells more than its beginning.
func CleanLines(s string, n int) []string {
	lines := strings.Split(strings.TrimRight(s, "\r\n"), "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	out := make([]string, 0, len(lines))
	for _, l := range lines {
		out = append(out, strings.TrimRight(clean(bound(strings.ReplaceAll(l, "\t", "    "), maxText)), " "))
	}
	return out
}

func bound(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

func clean(s string) string {
	if plain(s) {
		return s
	}
	s = ansi.Strip(strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case !Printable(r):
			return -1
		}
		return r
	}, s)
}

func plain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// Printable tells whether a character of foreign text may reach a terminal:
// neither a control character (C0, DEL, C1) nor one that is invisible or turns
// the direction of what follows, by which one text can pass for another.
func Printable(r rune) bool {
	return !unicode.IsControl(r) && !unicode.Is(unicode.Cf, r) && r != '\u2028' && r != '\u2029'
}
