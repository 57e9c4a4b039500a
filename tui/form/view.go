package form

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/tui/ui"
)

// geometry is where things were drawn last, for clicks.
type geometry struct {
	rows         []int // line of the form → question, -1 = none
	formW        int
	labels       int      // cells that labels have
	sideX, sideY int      // the panel's corner
	offerLine    int      // its line at which the choices begin
	offers       []string // the choices that are visible
}

// wide is the width from which the panel stands beside the questions and not below.
const wide = 100

// low is the height under which there is no room for a panel below.
const low = 7

// View draws the questions with the panel of the one under the cursor in exactly
// w × h cells.
func (f *Form) View(w, h int) string {
	if w <= 0 || h <= 0 {
		return ""
	}
	if w >= wide {
		side := w * 2 / 5
		f.seen = geometry{formW: w - side - 3, sideX: w - side}
		bar := ui.Block(f.bar(h), 3, h)
		return ui.Beside("", f.rows(w-side-3, h), bar, f.panel(side, h))
	}
	if h < low {
		f.seen = geometry{formW: w, sideY: h + 1}
		return f.rows(w, h)
	}
	below := f.below(w, h)
	f.seen = geometry{formW: w, sideY: h - below + 1}
	return f.rows(w, h-below) + "\n" + f.c.Theme.Frame.Render(ui.Fit(strings.Repeat(f.c.H, w), w)) + "\n" + f.panel(w, below-1)
}

// below is how much room the panel has under the questions: more than its share when its
// help needs that to be read, and then the questions scroll.
func (f *Form) below(w, h int) int {
	share := min(max(h*2/5, 5), h/2)
	x := f.At()
	if x == nil {
		return share
	}
	need := 1 + len(f.said(x, w)) + min(len(f.offered(x)), 2)
	return min(max(share, need), max(share, h-low))
}

func (f *Form) bar(h int) string {
	one := " " + f.c.Theme.Frame.Render(f.c.V) + " "
	return strings.Repeat(one+"\n", h-1) + one
}

// rows draws the questions; the one under the cursor is always visible.
func (f *Form) rows(w, h int) string {
	labels := 0
	for i := range f.fields {
		labels = max(labels, ui.Width(ui.Clean(f.fields[i].Label)))
	}
	labels = min(labels, w*9/20)
	f.seen.labels = labels
	var lines []string
	var owner []int
	from, to := 0, 0
	for i := range f.fields {
		x := &f.fields[i]
		if x.Heading != "" && (i == 0 || f.fields[i-1].Heading != x.Heading) {
			lines, owner = append(lines, f.c.Strong.Render(ui.Cut(ui.Clean(x.Heading), w, f.c.Ellipsis))), append(owner, -1)
		}
		if i == f.at {
			from = len(lines)
			if i > 0 && f.fields[i-1].Heading != x.Heading {
				from--
			}
		}
		for _, l := range f.row(x, i == f.at, labels, w) {
			lines, owner = append(lines, l), append(owner, i)
		}
		if i == f.at {
			to = len(lines)
		}
	}
	f.top = min(f.top, max(from, 0))
	f.top = max(f.top, to-h)
	f.top = max(0, min(f.top, len(lines)-h))
	f.seen.rows = owner[min(f.top, len(owner)):]
	f.marks(lines, w, h)
	return ui.Lines(lines[min(f.top, len(lines)):], w, h)
}

// marks shows that there is more above or below.
func (f *Form) marks(lines []string, w, h int) {
	if f.top > 0 {
		lines[f.top] = ui.Fit(lines[f.top], w-1) + f.c.Accent.Render(f.c.Up)
	}
	if last := f.top + h - 1; last < len(lines)-1 && h > 1 {
		lines[last] = ui.Fit(lines[last], w-1) + f.c.Accent.Render(f.c.Down)
	}
}

func (f *Form) row(x *Field, at bool, labels, w int) []string {
	t := f.c.Theme
	mark, style := "  ", t.Text
	if at {
		mark, style = t.Accent.Render(t.Closed)+" ", t.Accent
	}
	name := f.short(ui.Clean(x.Label), labels)
	label := style.Render(name)
	if x.Required {
		label += " " + t.Warn.Render("*")
	}
	label = ui.Fit(label, labels+2)
	room := max(1, w-labels-7)
	out := []string{mark + label + "  " + f.value(x, at, room)}
	if p := f.problems[x.ID]; p != "" {
		for i, line := range ui.Wrap(p, max(10, w-8)) {
			lead := "      "
			if i == 0 {
				lead = "    " + t.Bad.Render(t.Attention) + " "
			}
			if i == 3 {
				break
			}
			out = append(out, lead+t.Bad.Render(line))
		}
	}
	return out
}

// short cuts a label, but not the name in brackets at its end: that is the server or the
// region that the question is for.
func (f *Form) short(label string, w int) string {
	i := strings.LastIndex(label, " (")
	if ui.Width(label) <= w || i < 0 || ui.Width(label[i:]) > w-4 || strings.Contains(label[i+1:], " ") {
		return ui.Cut(label, w, f.c.Ellipsis)
	}
	return ui.Cut(label[:i], w-ui.Width(label[i:]), f.c.Ellipsis) + label[i:]
}

func (f *Form) value(x *Field, at bool, w int) string {
	t, v := f.c.Theme, f.Value(*x)
	switch x.Kind {
	case Choice:
		name := x.Name(v)
		if !at {
			return t.Text.Render(ui.Cut(name, w, t.Ellipsis))
		}
		return t.Key.Render(t.Left) + " " + t.Strong.Render(ui.Cut(name, w-10, t.Ellipsis)) + " " + t.Key.Render(t.Arrow) +
			t.Dim.Render("  "+strconv.Itoa(slices.Index(x.Items, v)+1)+"/"+strconv.Itoa(len(x.Items)))
	case Check:
		return f.box(v == "true")
	case Rank:
		if v == "" {
			return f.box(false)
		}
		return f.box(true) + " " + t.Strong.Render(v)
	case Note:
		return t.Dim.Render(ui.Cut(ui.Clean(v), w, t.Ellipsis))
	}
	return f.text(x, at, w)
}

func (f *Form) box(on bool) string {
	if on {
		return "[" + f.c.Good.Render(f.c.On) + "]"
	}
	return "[" + f.c.Off + "]"
}

// textRoom is how wide a line of text is drawn at most.
const textRoom = 64

func (f *Form) text(x *Field, at bool, w int) string {
	t, v := f.c.Theme, f.values[x.ID]
	w = min(w, textRoom)
	hint := x.Hint
	if hint == "" {
		hint = x.Default
	}
	hint = ui.Clean(hint)
	switch {
	case at && v == "":
		return ui.Cut(f.input(x.ID).View(w), 1, "") + " " + t.Dim.Render(ui.Cut(hint, w-2, t.Ellipsis))
	case at:
		return f.input(x.ID).View(w)
	case v == "" && hint != "":
		return t.Dim.Render(ui.Cut(hint, w, t.Ellipsis))
	case v == "":
		return t.Dim.Render(t.Skipped)
	}
	return t.Text.Render(ui.Cut(ui.Clean(v), w, t.Ellipsis))
}
