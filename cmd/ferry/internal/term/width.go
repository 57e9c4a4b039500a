package term

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Width is the number of cells that s takes; escape sequences take none, East
// Asian wide characters two.
func Width(s string) int { return ansi.StringWidth(s) }

// Cut shortens s to at most n cells, with an ellipsis when something was lost.
func (s Style) Cut(text string, n int) string {
	if n <= 0 {
		return ""
	}
	return ansi.Truncate(text, n, s.pick("…", "~"))
}

// Pad fills s with blanks to n cells. It never cuts.
func Pad(s string, n int) string {
	if w := Width(s); w < n {
		return s + strings.Repeat(" ", n-w)
	}
	return s
}

// PadLeft puts the blanks before s.
func PadLeft(s string, n int) string {
	if w := Width(s); w < n {
		return strings.Repeat(" ", n-w) + s
	}
	return s
}

// Wrap breaks text into lines of at most n cells, at blanks only: names, ids and
// commands stay whole, so that they can be copied. Only a word that is longer than
// a line is broken, as is text without blanks (Japanese).
func Wrap(text string, n int) []string {
	n = max(n, 8)
	var lines []string
	line := ""
	for _, w := range strings.Fields(text) {
		if line != "" && Width(line)+1+Width(w) > n {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		parts := strings.Split(ansi.Hardwrap(line+w, n, true), "\n")
		lines = append(lines, parts[:len(parts)-1]...)
		line = parts[len(parts)-1]
	}
	return append(lines, line)
}
