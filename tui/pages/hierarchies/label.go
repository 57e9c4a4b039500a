package hierarchies

import (
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/pages/hierarchies/cell"
	"github.com/ferry-ha/ferry/tui/ui"
)

// label is a row's place in the tree: lines, fold mark, tag, and marks behind it.
func (d *drawing) label(r *row, at bool) string {
	lines := d.branch(r)
	tag := middle(ui.Clean(r.Res.Tag.Short()), d.tree-ui.Width(lines)-behind, d.p.c.Ellipsis)
	marks, tone := d.marks(r)
	rest := ui.Fit(marks, max(0, d.tree-ui.Width(lines)-ui.Width(tag)))
	if at {
		return d.in.Paint(cell.Dim, lines) + d.in.Paint(cell.Cursor, tag) + d.in.Paint(tone, rest)
	}
	name := cell.Plain
	switch {
	case r.Again:
		name = cell.Dim
	case len(r.Branch) == 0:
		name = cell.Strong
	}
	return d.in.Paint(cell.Dim, lines) + d.in.Paint(name, tag) + d.in.Paint(tone, rest)
}

func (d *drawing) branch(r *row) string {
	c := d.p.c
	var b strings.Builder
	levels := r.Branch
	if most := d.levels(r); len(levels) > most { // the tag matters more than where it hangs
		b.WriteString(ui.Fit(strconv.Itoa(len(levels))+c.Ellipsis, 4))
		levels = levels[len(levels)-most:]
	}
	for i, more := range levels {
		switch {
		case i < len(levels)-1 && more:
			b.WriteString(c.Through)
		case i < len(levels)-1:
			b.WriteString("  ")
		case more:
			b.WriteString(c.Branch)
		default:
			b.WriteString(c.Last)
		}
	}
	switch {
	case r.Kids && d.folds(r.Res.Tag):
		b.WriteString(c.Closed + " ")
	case r.Kids:
		b.WriteString(c.Open + " ")
	case len(r.Branch) > 0:
		b.WriteString(c.H + " ")
	default:
		b.WriteString("  ")
	}
	return b.String()
}

// levels is how many levels of the tree there is room for in front of a tag.
func (d *drawing) levels(r *row) int {
	tag := min(ui.Width(r.Res.Tag.Short()), d.tree/2)
	most := (d.tree - behind - 2 - tag) / 2
	if len(r.Branch) <= most {
		return most
	}
	return max(1, most-2)
}

// folds tells whether a branch is folded: never while a filter is on.
func (d *drawing) folds(t hierarchy.Tag) bool { return d.p.filter == "" && d.p.folded[t] }

// marks stand behind a tag: moving, shown above already, and what is folded away, with
// a sign when that is not well.
func (d *drawing) marks(r *row) (string, cell.Tone) {
	c := d.p.c
	switch {
	case d.p.tree.moving[r.Res.Tag] != nil:
		return " " + d.spin, cell.Accent
	case r.Kids && d.folds(r.Res.Tag):
		s, tone := " +"+strconv.Itoa(r.under), cell.Dim
		if r.below >= unknown {
			s, tone = " "+c.Attention+strconv.Itoa(r.under), cell.Warn
			if r.below >= failed {
				tone = cell.Bad
			}
		}
		return s, tone
	case d.p.tree.asking[r.Res.Tag]:
		return " " + c.Ask, cell.Alarm
	case r.Again:
		return " " + c.Up, cell.Dim
	case len(c.Est.Holds) > 0 && !c.Est.HeldOn(r.Res.Tag).IsZero():
		return " " + c.Held, cell.Warn
	}
	return "", cell.Plain
}

// middle shortens a name in its middle: what tells names apart stands at both ends.
func middle(s string, w int, mark string) string {
	if ui.Width(s) <= w || w < 3 {
		return ui.Cut(s, w, mark)
	}
	head := ui.Cut(s, w/2, "")
	rest := w - ui.Width(head) - ui.Width(mark)
	r := []rune(s)
	for len(r) > 0 && ui.Width(string(r)) > rest {
		r = r[1:]
	}
	return head + mark + string(r)
}
