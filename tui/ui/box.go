package ui

import (
	"strings"

	"github.com/ferry-ha/ferry/tui/theme"
)

// Box draws a frame of exactly w × h cells with a title around content, which is cut or
// filled to (w-4) × (h-2): a blank stands on either side. The frame of what has the
// focus is in the accent's colour.
func Box(t *theme.Theme, title, content string, w, h int, focus bool) string {
	if w < 5 || h < 2 {
		return Block(content, w, h)
	}
	frame := t.Frame
	name := t.Strong
	if focus {
		frame, name = t.Accent, t.Accent
	}
	head := ""
	if title = Cut(title, w-6, t.Ellipsis); title != "" {
		head = frame.Render(t.TL+t.H+" ") + name.Render(title) + frame.Render(" "+strings.Repeat(t.H, w-5-Width(title))+t.TR)
	} else {
		head = frame.Render(t.TL + strings.Repeat(t.H, w-2) + t.TR)
	}
	left, right := frame.Render(t.V)+" ", " "+frame.Render(t.V)
	var b strings.Builder
	b.WriteString(head)
	for line := range strings.SplitSeq(Block(content, w-4, h-2), "\n") {
		if h == 2 {
			break
		}
		b.WriteString("\n" + left + line + right)
	}
	b.WriteString("\n" + frame.Render(t.BL+strings.Repeat(t.H, w-2)+t.BR))
	return b.String()
}

// Gauge is a bar of w cells, full to the given part (0 to 1).
func Gauge(t *theme.Theme, part float64, w int) string {
	part = min(max(part, 0), 1)
	steps := len(t.Levels) - 1
	fill := int(part*float64(w*steps) + 0.5)
	full := fill / steps
	s := strings.Repeat(t.Levels[steps], full)
	if rest := fill % steps; rest > 0 && full < w {
		s += t.Levels[rest]
	}
	return Fit(s, w)
}

// Pairs draws labels and values as two columns of w cells in all; long values go on
// under themselves.
func Pairs(t *theme.Theme, w int, pairs ...string) []string {
	left := 0
	for i := 0; i+1 < len(pairs); i += 2 {
		left = max(left, Width(pairs[i]))
	}
	left = min(left, w/2)
	var out []string
	for i := 0; i+1 < len(pairs); i += 2 {
		for j, line := range Wrap(pairs[i+1], max(1, w-left-2)) {
			label := ""
			if j == 0 {
				label = pairs[i]
			}
			out = append(out, t.Dim.Render(Fit(label, left))+"  "+line)
		}
	}
	return out
}
