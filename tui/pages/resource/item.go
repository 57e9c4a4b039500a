package resource

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/tui/pages/hierarchies/cell"
	"github.com/ferry-ha/ferry/tui/ui"
)

// item is a line.
type item struct {
	key   string // what it is about, for the cursor; empty = only divides
	spans []span
	node  string // the server that it is about; empty = none
	open  func() tea.Cmd
}

type span struct {
	tone cell.Tone
	text string
}

// writer makes the lines of a column.
type writer struct {
	c     *ui.Context
	w     int
	items []item
}

// head begins a section.
func (b *writer) head(text string) {
	if len(b.items) > 0 {
		b.items = append(b.items, item{})
	}
	b.items = append(b.items, item{spans: []span{{cell.Accent, text}}})
}

func (b *writer) line(key string, spans ...span) *item {
	b.items = append(b.items, item{key: key, spans: spans})
	return &b.items[len(b.items)-1]
}

// text is a paragraph, indented by so many cells.
func (b *writer) text(key string, tone cell.Tone, indent int, s string) {
	for _, l := range ui.Wrap(s, max(8, b.w-indent)) {
		b.line(key, span{tone, strings.Repeat(" ", indent) + l})
	}
}

// pair is a label with a value that goes on under itself.
func (b *writer) pair(key, label string, left int, tone cell.Tone, value string) {
	if ui.Width(label) > left { // a label is not cut: what tells it from others may be its end
		b.text(key, cell.Dim, 1, label)
		label, left = "", 2
	}
	for i, l := range ui.Wrap(value, max(8, b.w-left-3)) {
		if i > 0 {
			label = ""
		}
		b.line(key, span{cell.Dim, " " + ui.Fit(label, left) + "  "}, span{tone, l})
	}
}

// entry is something that happened: a mark, when, and what, which goes on under itself.
func (b *writer) entry(key, mark string, tone cell.Tone, when string, words cell.Tone, text string, open func() tea.Cmd) {
	left := ui.Width(when) + 5
	for i, l := range ui.Wrap(text, max(8, b.w-left)) {
		if i > 0 {
			mark, when = " ", ""
		}
		b.line(key, span{tone, " " + mark + " "}, span{cell.Dim, ui.Fit(when, left-5) + "  "}, span{words, l}).open = open
	}
}

// draw is the line in w cells.
func (it *item) draw(in *cell.Inks, w int, at bool) string {
	var b strings.Builder
	if at {
		for _, s := range it.spans {
			b.WriteString(s.text)
		}
		return in.Paint(cell.Cursor, ui.Fit(b.String(), w))
	}
	for _, s := range it.spans {
		b.WriteString(in.Paint(s.tone, s.text))
	}
	return ui.Fit(b.String(), w)
}
