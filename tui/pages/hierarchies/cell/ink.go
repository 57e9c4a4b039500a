package cell

import (
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/ferry-ha/ferry/tui/theme"
)

// Tone is what a text means; Inks gives it its colour.
type Tone uint8

// The tones.
const (
	Plain Tone = iota
	Dim
	Strong
	Good
	Active // good, and where the resource is
	Warn
	Bad
	NotKnown
	Standby
	Alarm
	Cursor
	Frame
	Accent
	Key
	tones
)

// Inks paint short texts. Rendering by lipgloss costs microseconds a piece, and a matrix
// has a thousand of them: here each style is rendered once, and then only put around.
type Inks [tones]struct{ pre, post string }

// NewInks are a theme's. A theme may change between two frames, so it is made for each.
func NewInks(t *theme.Theme) *Inks {
	var in Inks
	for tone, st := range map[Tone]lipgloss.Style{
		Plain: t.Text, Dim: t.Dim, Strong: t.Strong, Good: t.Good, Active: t.Good.Bold(true), Warn: t.Warn, Bad: t.Bad, NotKnown: t.Unknown,
		Standby: t.Standby, Alarm: t.Alarm, Cursor: t.Cursor, Frame: t.Frame, Accent: t.Accent, Key: t.Key,
	} {
		in[tone].pre, in[tone].post, _ = strings.Cut(st.Render("\u2588"), "\u2588")
	}
	return &in
}

// Paint puts a tone around a text that has no style of its own.
func (in *Inks) Paint(t Tone, s string) string {
	if s == "" {
		return ""
	}
	return in[t].pre + s + in[t].post
}
