package form

import (
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/tui/ui"
)

// panel is the help of the question under the cursor, and what can be chosen there.
func (f *Form) panel(w, h int) string {
	x := f.At()
	if x == nil {
		return ui.Block("", w, h)
	}
	lines := f.said(x, w)
	if keep := max(2, h-min(len(f.offered(x)), 2)); len(lines) > keep {
		lines = lines[:keep]
	}
	f.seen.offerLine = len(lines)
	return ui.Lines(append(lines, f.items(x, w, h-len(lines))...), w, h)
}

// said is everything above the choices: the help, what there is to notice.
func (f *Form) said(x *Field, w int) []string {
	t := f.c.Theme
	var lines []string
	if label := ui.Clean(x.Label); ui.Width(label) > f.seen.labels { // it was cut
		lines = append(lines, t.Strong.Render(ui.Cut(label, w, t.Ellipsis)))
	}
	for _, l := range ui.Wrap(ui.Clean(x.Help), w) {
		if x.Help != "" {
			lines = append(lines, t.Dim.Render(l))
		}
	}
	if x.Notice != "" {
		for _, l := range ui.Wrap(ui.Clean(x.Notice), w) {
			lines = append(lines, t.Warn.Render(l))
		}
	}
	if x.Loading {
		lines = append(lines, t.Accent.Render(f.c.Spinner())+" "+f.c.T("common.loading"))
	}
	return lines
}

// offered is what the panel offers for a question.
func (f *Form) offered(x *Field) []string {
	switch x.Kind {
	case Text:
		return f.Offers(x)
	case Check:
		return nil
	}
	return x.Items
}

// items draws what can be chosen, the chosen one in sight.
func (f *Form) items(x *Field, w, h int) []string {
	all := f.offered(x)
	if len(all) == 0 || h < 1 {
		return nil
	}
	t := f.c.Theme
	v := f.Value(*x)
	list := ui.List{N: len(all), At: max(0, slices.Index(all, v))}
	out := strings.Split(list.View(w, h, func(i int, _ bool) string {
		name := ui.Cut(x.Name(all[i]), w-2, t.Ellipsis)
		if all[i] == v {
			return t.Cursor.Render(ui.Fit(t.Closed+" "+name, w))
		}
		return "  " + name
	}), "\n")
	f.seen.offers = all[list.Top:min(len(all), list.Top+h)]
	if more := list.More(); more != "" {
		last := len(out) - 1
		out[last] = ui.Fit(out[last], w-len(more)-1) + " " + t.Dim.Render(more)
	}
	return out
}

// click puts the cursor on what is clicked: a question, or one of its choices. A second
// click on a question turns or ticks it.
func (f *Form) click(px, py int) bool {
	g := &f.seen
	x := f.At()
	if px >= g.sideX && py >= g.sideY {
		i := py - g.sideY - g.offerLine
		if i < 0 || i >= len(g.offers) || x.Kind == Note {
			return false
		}
		f.put(x.ID, g.offers[i])
		return true
	}
	if px >= g.formW || py < 0 || py >= len(g.rows) || g.sideX == 0 && py >= g.sideY-1 {
		return false
	}
	i := g.rows[py]
	if i < 0 || f.fields[i].Kind == Note {
		return false
	}
	was := f.at
	f.leave()
	f.at = i
	switch to := &f.fields[i]; {
	case to.Kind == Check:
		return f.tick(to, "space")
	case to.Kind == Rank && (was == i || f.values[to.ID] == ""):
		return f.rank(to, "space")
	case to.Kind == Choice && was == i:
		return f.turn(to, "right")
	}
	return true
}
