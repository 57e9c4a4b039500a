package ui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// noBreak stands for a hyphen while text is broken: names, tags and commands are full of
// hyphens, and half a tag is another tag.
const noBreak = "\u2011"

// Wrap breaks text into lines of at most w cells. It breaks at blanks and between wide
// characters (Japanese has no blanks), so that names, ids and commands stay whole; only
// a word that is longer than a line is broken.
func Wrap(s string, w int) []string {
	if w <= 0 {
		return nil
	}
	if Width(s) <= w && !strings.Contains(s, "\n") {
		return []string{s}
	}
	if !strings.Contains(s, "\x1b") && hasWide(s) {
		return wrapWide(s, w)
	}
	s = strings.ReplaceAll(s, "-", noBreak)
	s = ansi.Hardwrap(ansi.Wordwrap(s, w, ""), w, true)
	return strings.Split(strings.ReplaceAll(s, noBreak, "-"), "\n")
}

// hasWide tells whether a character takes two cells.
func hasWide(s string) bool {
	for _, r := range s {
		if r >= 0x1100 && Width(string(r)) == 2 {
			return true
		}
	}
	return false
}

// sticky characters do not begin a line, clinging ones do not end it.
const (
	sticky   = "、。，．,.)）」』】〉》!！?？:：;；ー…々っゃゅょッャュョ"
	clinging = "（「『【〈《("
)

// wrapWide breaks text with wide characters in it.
func wrapWide(s string, w int) []string {
	var out []string
	for _, line := range strings.Split(s, "\n") {
		out = append(out, fill(pieces(line), w)...)
	}
	return out
}

// pieces are what must not be broken: a word of narrow characters, one wide character
// with the punctuation that belongs to it, or blanks.
func pieces(s string) []string {
	var out []string
	kind, cling := 0, false // 1 = narrow, 2 = wide, 3 = blank
	for _, r := range s {
		k := 1
		switch {
		case r == ' ':
			k = 3
		case Width(string(r)) == 2:
			k = 2
		}
		stick := strings.ContainsRune(sticky, r)
		n := len(out)
		switch {
		case n > 0 && k != 3 && kind != 3 && (stick || cling):
			out[n-1] += string(r)
		case n > 0 && k == kind && k != 2:
			out[n-1] += string(r)
		default:
			out = append(out, string(r))
		}
		kind, cling = k, strings.ContainsRune(clinging, r)
	}
	return out
}

// fill puts pieces into lines.
func fill(pieces []string, w int) []string {
	var out []string
	line, n := "", 0
	for _, p := range pieces {
		size := Width(p)
		if n+size > w && n > 0 {
			out, line, n = append(out, strings.TrimRight(line, " ")), "", 0
			if p = strings.TrimLeft(p, " "); p == "" {
				continue
			}
			size = Width(p)
		}
		for size > w { // a word longer than a line
			head := ansi.Truncate(p, w, "")
			if head == "" {
				break
			}
			out, p = append(out, head), p[len(head):]
			size = Width(p)
		}
		line, n = line+p, n+size
	}
	return append(out, line)
}
