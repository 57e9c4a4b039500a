package theme

import (
	"image/color"

	"charm.land/lipgloss/v2"
)

// Kind is a theme's name.
type Kind string

// The themes.
const (
	Dark  Kind = "dark"
	Light Kind = "light"
	Mono  Kind = "mono"
)

// Kinds lists the themes in the order in which a key goes through them.
func Kinds() []Kind { return []Kind{Dark, Light, Mono} }

// Theme is the styles of the console by meaning.
type Theme struct {
	Kind  Kind
	ASCII bool
	Marks

	Text   lipgloss.Style // ordinary text
	Dim    lipgloss.Style // ages, hints, what matters less
	Strong lipgloss.Style // names, what one looks for
	Accent lipgloss.Style // the product's colour: headings, the page one is on
	Key    lipgloss.Style // a key to press

	Good    lipgloss.Style // in service, alive, done
	Warn    lipgloss.Style // impaired, degraded, waiting for a person
	Bad     lipgloss.Style // failed, dead
	Unknown lipgloss.Style // not known; never the same as bad
	Standby lipgloss.Style // out of service as it should be
	Alarm   lipgloss.Style // DUAL, stale, a question: cannot be overlooked

	Cursor lipgloss.Style // the line one is on, on a page that has the focus
	Match  lipgloss.Style // what a filter found
	Frame  lipgloss.Style // borders
	Bar    lipgloss.Style // the bars at the top and the bottom
	Field  lipgloss.Style // the inside of an input
}

// New makes a theme. An unknown kind is Dark.
func New(k Kind, ascii bool) *Theme {
	t := &Theme{Kind: k, ASCII: ascii, Marks: unicodeMarks()}
	if ascii {
		t.Marks = asciiMarks()
	}
	switch k {
	case Mono:
		t.mono()
	case Light:
		t.paint(palette{text: "#24292f", dim: "#6e7781", accent: "#0550ae", good: "#116329", warn: "#8a4600", bad: "#b3001b", unknown: "#6639ba", bar: "#eaeef2", cursor: "#cfe4ff", field: "#eef1f4", onAlarm: "#ffffff"})
	default:
		t.Kind = Dark
		t.paint(palette{text: "#d7dde4", dim: "#8a949e", accent: "#6cb6ff", good: "#57c26c", warn: "#e0a63a", bad: "#ff6b6b", unknown: "#c297ff", bar: "#22272e", cursor: "#2f4562", field: "#2d333b", onAlarm: "#16191d"})
	}
	return t
}

type palette struct {
	text, dim, accent, good, warn, bad, unknown, bar, cursor, field, onAlarm string
}

func (t *Theme) paint(p palette) {
	ink := func(c string) lipgloss.Style { return lipgloss.NewStyle().Foreground(colour(c)) }
	t.Text, t.Dim, t.Strong = ink(p.text), ink(p.dim), ink(p.text).Bold(true)
	t.Accent, t.Key = ink(p.accent).Bold(true), ink(p.accent)
	t.Good, t.Warn, t.Bad, t.Unknown, t.Standby = ink(p.good), ink(p.warn), ink(p.bad).Bold(true), ink(p.unknown), ink(p.dim)
	t.Alarm = ink(p.onAlarm).Background(colour(p.bad)).Bold(true)
	t.Cursor = lipgloss.NewStyle().Background(colour(p.cursor)).Bold(true)
	t.Match = ink(p.warn).Underline(true)
	t.Frame = ink(p.dim)
	t.Bar = ink(p.text).Background(colour(p.bar))
	t.Field = ink(p.text).Background(colour(p.field))
}

func (t *Theme) mono() {
	plain := lipgloss.NewStyle()
	bold, faint, back := plain.Bold(true), plain.Faint(true), plain.Reverse(true)
	t.Text, t.Dim, t.Strong, t.Accent, t.Key = plain, faint, bold, bold, plain.Underline(true)
	t.Good, t.Warn, t.Bad, t.Unknown, t.Standby = plain, bold, bold.Underline(true), plain.Italic(true), faint
	t.Alarm, t.Cursor, t.Match = back.Bold(true), back, plain.Underline(true)
	t.Frame, t.Bar, t.Field = faint, back, plain.Underline(true)
}

func colour(hex string) color.Color { return lipgloss.Color(hex) }
