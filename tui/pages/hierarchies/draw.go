package hierarchies

import (
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/tui/pages/hierarchies/cell"
	"github.com/ferry-ha/ferry/tui/ui"
)

// The panel stands beside the matrix when that leaves so many cells, and is never wider.
const (
	besideMin, besideMax = 42, 84
	// belowFrom is the height from which a panel stands below.
	belowFrom = 14
)

// View implements ui.Page.
func (p *Page) View(w, h int) string {
	p.derive()
	switch {
	case p.c.Est.At.IsZero():
		return ui.Block("\n  "+p.c.Spinner()+" "+p.c.T("hierarchies.waiting"), w, h)
	case !p.c.Est.Known():
		return p.fresh(w, h)
	case len(p.tree.groups) == 0:
		return ui.Lines(append([]string{""}, indent(ui.Wrap(p.c.T("hierarchies.no-cluster"), w-4))...), w, h)
	}
	in := cell.NewInks(p.c.Theme)
	return p.frame(in, w, h)
}

// frame is the list with its panel; the sums on top come last, since they say which part
// of the list is seen.
func (p *Page) frame(in *cell.Inks, w, h int) string {
	d := p.layout(in, w)
	var body string
	switch {
	case w-d.width() >= besideMin+1:
		pw := min(w-d.width()-1, besideMax)
		list := p.list(d, w-pw-1, h-listTop)
		body = ui.Beside(" ", list, p.panel(in, pw, h-listTop, true))
	case h >= belowFrom:
		ph := max(6, min(h/4, 12), h-listTop-max(4, len(p.lines))) // what the list leaves is the panel's
		body = p.list(d, w, h-listTop-ph) + "\n" + p.panel(in, w, ph, false)
	default:
		body = p.list(d, w, max(1, h-listTop))
	}
	return ui.Fit(p.summary(in, w), w) + "\n" + body
}

func indent(lines []string) []string {
	for i := range lines {
		lines[i] = "  " + lines[i]
	}
	return lines
}

// fresh says what to do with an engine that knows nothing yet.
func (p *Page) fresh(w, h int) string {
	c := p.c
	tw := min(w-6, 76)
	lines := []string{"", c.Accent.Render(c.T("hierarchies.fresh-title")), ""}
	lines = append(lines, ui.Wrap(c.T("hierarchies.fresh-what"), tw)...)
	lines = append(lines, "", "  "+c.Strong.Render("$ "+c.T("hierarchies.fresh-command")), "")
	lines = append(lines, ui.Wrap(c.T("hierarchies.fresh-more"), tw)...)
	lines = append(lines, "", c.Dim.Render(c.T("hierarchies.fresh-copy")))
	return ui.Lines(indent(lines), w, h)
}

// more says which of the lines are visible; empty when all are.
func (p *Page) more() string {
	l := ui.List{Top: p.top, N: len(p.lines)}
	if p.geo.h <= 0 || l.N <= p.geo.h {
		return ""
	}
	return strconv.Itoa(p.top+1) + "-" + strconv.Itoa(min(l.N, p.top+p.geo.h)) + "/" + strconv.Itoa(l.N)
}

// panel tells of the cell under the cursor.
func (p *Page) panel(in *cell.Inks, w, h int, beside bool) string {
	c, a := p.c, p.here()
	facts := cell.NodeFacts
	var lines []string
	if a.Tag != "" {
		lines = cell.FactLines(in, cell.Facts(c, a), w-2)
	} else {
		lines = cell.FactLines(in, facts(c, a.Node), w-2)
	}
	name := ui.Cut(cell.Name(c, a), w-6, c.Ellipsis)
	room := h - 1
	lines = p.addWrong(in, lines, w-2, room)
	if len(lines) > room && room > 0 {
		lines = lines[:room]
		more := c.Ellipsis + " w " + c.T("hierarchies.do-why")
		lines[room-1] = ui.Fit(lines[room-1], max(0, w-2-ui.Width(more)-1)) + " " + in.Paint(cell.Key, more)
	}
	out := []string{in.Paint(cell.Frame, c.H+c.H+" ") + in.Paint(cell.Strong, name) + in.Paint(cell.Frame, " "+strings.Repeat(c.H, max(0, w-5-ui.Width(name)-1)))}
	for _, l := range lines {
		out = append(out, " "+l)
	}
	if beside {
		for i := range out {
			out[i] = in.Paint(cell.Frame, c.V) + ui.Fit(out[i], w-1)
		}
		for len(out) < h {
			out = append(out, in.Paint(cell.Frame, c.V))
		}
	}
	return ui.Lines(out, w, h)
}
