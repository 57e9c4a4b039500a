package term

import (
	"charm.land/lipgloss/v2"
)

// Style says how to paint: with or without colours, box characters or ASCII, and
// how wide. The zero value is plain UTF-8 of 80 cells.
type Style struct {
	Color  bool
	ASCII  bool
	Cells  int // width in cells; 0 = 80
	Height int // lines; 0 = unknown
}

// Tone is what a text means; the colour follows from it.
type Tone int

// The tones. Meaning never rests on the colour alone: words and marks say it too.
const (
	Plain Tone = iota
	Bold
	Dim
	Good
	Warn
	Bad
	Alarm // reverse: somebody has to act
	Name
)

// Columns is the width to fill, at least 40.
func (s Style) Columns() int {
	if s.Cells == 0 {
		return 80
	}
	return max(s.Cells, 40)
}

// Paint gives text its tone; without colours it is returned as it is.
func (s Style) Paint(t Tone, text string) string {
	if !s.Color || t == Plain || text == "" {
		return text
	}
	st := lipgloss.NewStyle()
	switch t {
	case Bold:
		st = st.Bold(true)
	case Dim:
		st = st.Faint(true)
	case Good:
		st = st.Foreground(lipgloss.Green)
	case Warn:
		st = st.Foreground(lipgloss.Yellow)
	case Bad:
		st = st.Foreground(lipgloss.Red).Bold(true)
	case Alarm:
		st = st.Foreground(lipgloss.BrightWhite).Background(lipgloss.Red).Bold(true)
	case Name:
		st = st.Foreground(lipgloss.Cyan)
	}
	return st.Render(text)
}

// Glyph is a mark that has an ASCII twin.
type Glyph int

// The marks.
const (
	Active Glyph = iota
	OK
	Fail
	Ask
	Running
	Waiting
	Arrow
	Branch
	Last
	Through
	Rule
	Up
)

// Mark gives a glyph in the style's alphabet. The twins have the same width, but
// for the arrow.
func (s Style) Mark(g Glyph) string {
	pair := [...][2]string{
		Active: {"▶", ">"}, OK: {"✓", "+"}, Fail: {"✗", "x"}, Ask: {"?", "?"},
		Running: {"●", "*"}, Waiting: {"·", "."}, Arrow: {"→", "->"},
		Branch: {"├─ ", "|- "}, Last: {"└─ ", "`- "}, Through: {"│  ", "|  "},
		Rule: {"─", "-"}, Up: {"↑", "^"},
	}[g]
	return s.pick(pair[0], pair[1])
}

func (s Style) pick(uni, ascii string) string {
	if s.ASCII {
		return ascii
	}
	return uni
}
