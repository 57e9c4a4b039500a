package ui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/ferry-ha/ferry/kits"
)

// cleanLimit is how many bytes of foreign text a line may have.
const cleanLimit = 2000

// Clean makes foreign text safe on one line: no escape sequence, no control or direction
// character reaches the terminal; line breaks and tabs become blanks.
func Clean(s string) string {
	plain := true
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] >= 0x7f {
			plain = false
			break
		}
	}
	if plain && len(s) <= cleanLimit {
		return s
	}
	return strings.Join(strings.Fields(kits.Clean(s, cleanLimit)), " ")
}

// CleanLines is Clean for text of several lines, at most the last n of them.
func CleanLines(s string, n int) []string {
	lines := strings.Split(strings.TrimRight(kits.Clean(s, 1<<16), "\n"), "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], "\t", "    ")
	}
	return lines
}

// Width is how many cells s takes; escape sequences take none, wide characters two.
func Width(s string) int {
	if n, plain := plainWidth(s); plain {
		return n
	}
	return ansi.StringWidth(s)
}

// Cut shortens s to at most w cells, with a mark at the end when something is missing.
func Cut(s string, w int, mark string) string {
	if w <= 0 {
		return ""
	}
	if Width(s) <= w {
		return s
	}
	return ansi.Truncate(s, w, mark)
}

// Fit makes s exactly w cells wide: cut or filled with blanks.
func Fit(s string, w int) string {
	n := Width(s)
	switch {
	case w <= 0:
		return ""
	case n < w:
		return s + strings.Repeat(" ", w-n)
	case n == w:
		return s
	}
	s = ansi.Truncate(s, w, "…")
	return s + strings.Repeat(" ", max(0, w-Width(s)))
}

// FitLeft is Fit with the blanks in front, for numbers.
func FitLeft(s string, w int) string {
	if n := Width(s); n < w {
		return strings.Repeat(" ", w-n) + s
	}
	return Fit(s, w)
}

// Block makes s exactly h lines of exactly w cells.
func Block(s string, w, h int) string {
	if h <= 0 || w <= 0 {
		return ""
	}
	var b strings.Builder
	whole, done := s, 0 // so many lines, and bytes, of it are as they should be: often all
	for i := range h {
		line, rest, more := strings.Cut(s, "\n")
		if b.Len() == 0 && Width(line) == w && (more || i == h-1) {
			if s = rest; i == h-1 {
				return whole[:done+len(line)]
			}
			done += len(line) + 1
			continue
		}
		if b.Len() == 0 {
			b.Grow(len(whole) + (w+1)*(h-i))
			b.WriteString(whole[:done])
		} else {
			b.WriteByte('\n')
		}
		b.WriteString(Fit(line, w))
		if s = rest; !more {
			s = ""
		}
	}
	return b.String()
}

// Lines is Block for lines.
func Lines(lines []string, w, h int) string {
	return Block(strings.Join(lines[:min(len(lines), max(h, 0))], "\n"), w, h)
}

// Beside puts blocks of the same height side by side, with gap between them.
func Beside(gap string, blocks ...string) string {
	var rows [][]string
	height := 0
	for _, b := range blocks {
		lines := strings.Split(b, "\n")
		rows, height = append(rows, lines), max(height, len(lines))
	}
	out := make([]string, height)
	for y := range out {
		parts := make([]string, 0, len(rows))
		for _, lines := range rows {
			if y < len(lines) {
				parts = append(parts, lines[y])
			} else {
				parts = append(parts, strings.Repeat(" ", Width(lines[0])))
			}
		}
		out[y] = strings.Join(parts, gap)
	}
	return strings.Join(out, "\n")
}
