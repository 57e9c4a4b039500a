package hierarchies

import (
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/pages/hierarchies/cell"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Widths of a column with the blanks, or the cursor's brackets, on its sides: with the
// state alone, with priority and age, and where more is only air.
const (
	colMin, colGood, colMax = 10, 13, 19
	// behind is the room behind a label for its marks.
	behind = 4
	// treeMin keeps the head of a cluster legible.
	treeMin = 18
)

// drawing is a frame's layout.
type drawing struct {
	p         *Page
	in        *cell.Inks
	tree, col int
	cols      int // visible columns at most
	spin      string
	edge      string // what frames a cluster's head
	above     []drawn
}

// drawn is a cell of the line above with what it was drawn from: in most columns most
// lines say the same.
type drawn struct {
	face     cell.Face
	priority int
	since    time.Time
	spin     string
	again    bool
	text     string
}

// layout shares the width between the tree and the servers.
func (p *Page) layout(in *cell.Inks, w int) *drawing {
	t := p.tree
	d := &drawing{p: p, in: in, spin: p.c.Spinner(), edge: p.c.H}
	least := max(colMin, t.nodeW+2)
	d.tree = max(treeMin, min(t.label+behind, w/2, w-least-1))
	room := max(least, w-d.tree)
	n := max(1, t.most)
	d.col = min(max(least, room/n), max(least, colMax))
	if w-d.tree-n*max(least, colGood) > besideMin { // then a panel stands beside
		d.col = min(max(least, (room-besideMin-1)/n), max(least, colMax))
	}
	d.cols = min(n, max(1, room/d.col))
	return d
}

func (d *drawing) width() int { return d.tree + d.cols*d.col }

// list draws the visible lines. The head of a cluster stays on top while its rows go by.
func (p *Page) list(d *drawing, w, h int) string {
	h = max(1, h)
	if len(p.lines) == 0 {
		p.geo = geometry{}
		return ui.Lines(append([]string{""}, indent(ui.Wrap(p.c.T("hierarchies.no-hits", "words", ui.Clean(p.filter)), max(1, w-4)))...), w, h)
	}
	p.scroll(d, h)
	pin := p.pins(p.top, h)
	p.geo = geometry{h: h, tree: d.tree, col: d.col, width: d.width(), pinned: pin, pinnedGroup: p.lines[min(p.top, len(p.lines)-1)].group}
	out := make([]string, 0, h)
	for y := 0; y < h && p.top+y < len(p.lines); y++ {
		l, at := p.lines[p.top+y], p.top+y
		if pin && y < headLines {
			l, at = line{part(y), p.geo.pinnedGroup, 0}, -1
		}
		out = append(out, ui.Fit(d.line(l, at == p.at), w))
	}
	return ui.Lines(out, w, h)
}

// scroll keeps the cursor's line visible, below a head that is pinned, and its column.
func (p *Page) scroll(d *drawing, h int) {
	head := min(headLines, max(0, h-1))
	p.top = min(p.top, max(0, p.at-1))
	p.top = max(p.top, p.at-h+1)
	p.top = max(0, min(p.top, len(p.lines)-h))
	for p.top > 0 && p.at < p.top+head && p.pins(p.top, h) {
		p.top--
	}
	if p.lines[p.at].part == servers && p.top == p.at {
		p.top = max(0, p.at-1)
	}
	if g := p.groupNamed(p.cur.cluster); g != nil {
		col := max(0, index(g.nodes, p.cur.node))
		first := min(p.left[g.name], col)
		first = max(first, col-d.cols+1)
		p.left[g.name] = max(0, min(first, len(g.nodes)-d.cols))
	}
}

// pins tells whether the head of the first visible line's cluster covers the first
// lines: when it would not be seen otherwise, and rows of it are below.
func (p *Page) pins(top, h int) bool {
	if top >= len(p.lines) || h <= headLines+1 || p.lines[top].part == regions {
		return false
	}
	below := top + headLines
	return below < len(p.lines) && p.lines[below].group == p.lines[top].group && p.lines[below].part == resource
}

func (d *drawing) line(l line, at bool) string {
	switch l.part {
	case regions:
		return d.regions(l.group)
	case servers:
		return d.servers(l.group, at)
	case verdicts:
		return d.verdicts(l.group)
	}
	return d.row(&d.p.tree.rows[l.row], at)
}

// shown are the servers that are visible, from the first one's index.
func (d *drawing) shown(g *group) (nodes []string, first int) {
	first = min(d.p.left[g.name], max(0, len(g.nodes)-1))
	return g.nodes[first:min(len(g.nodes), first+d.cols)], first
}

// regions is a cluster's first line: its name, and over the servers their region.
func (d *drawing) regions(gi int) string {
	g := &d.p.tree.groups[gi]
	nodes, _ := d.shown(g)
	name := ui.Cut(ui.Clean(g.name), d.tree-3, d.p.c.Ellipsis)
	var b strings.Builder
	b.WriteString(d.in.Paint(cell.Accent, name) + " " + d.in.Paint(cell.Frame, strings.Repeat(d.edge, d.tree-ui.Width(name)-1)))
	for i := 0; i < len(nodes); {
		region, _, _ := d.p.c.Est.Place(nodes[i])
		j := i + 1
		for j < len(nodes) {
			if r, _, _ := d.p.c.Est.Place(nodes[j]); r != region {
				break
			}
			j++
		}
		w := (j - i) * d.col
		text := ui.Cut(ui.Clean(region), w-3, d.p.c.Ellipsis)
		if text != "" {
			text = " " + text + " "
		}
		b.WriteString(d.in.Paint(cell.Strong, text) + d.in.Paint(cell.Frame, strings.Repeat(d.edge, max(0, w-ui.Width(text)))))
		i = j
	}
	return b.String()
}

// servers is the line with the servers' names and zones.
func (d *drawing) servers(gi int, at bool) string {
	g := &d.p.tree.groups[gi]
	nodes, _ := d.shown(g)
	var b strings.Builder
	b.WriteString(d.note(g))
	for _, n := range nodes {
		name := ui.Clean(n)
		_, _, letter := d.p.c.Est.Place(n)
		letter = ui.Clean(letter)
		zone := ""
		if ui.Width(name)+1+ui.Width(letter) <= d.col-2 && letter != "" {
			zone = " " + letter
		}
		if at && n == d.p.cur.node {
			b.WriteString(d.cursor(ui.Fit(name+zone, d.col-2)))
			continue
		}
		b.WriteString(" " + d.in.Paint(cell.Strong, name) + d.in.Paint(cell.Dim, ui.Fit(zone, d.col-2-ui.Width(name))) + " ")
	}
	return b.String()
}

// note stands left of the servers: that there is nothing yet, or that it is held.
func (d *drawing) note(g *group) string {
	c := d.p.c
	for _, h := range c.Est.Holds {
		if h.Scope == g.name || h.Scope == "" {
			s := c.Held + " " + c.T("hierarchies.fact-hold") + " " + c.Span(max(0, h.Until.Sub(c.Now)).Truncate(1e9))
			return d.in.Paint(cell.Warn, ui.Fit(s, d.tree))
		}
	}
	if g.from == g.to {
		return d.in.Paint(cell.Dim, ui.Fit(c.T("hierarchies.no-resources"), d.tree))
	}
	return strings.Repeat(" ", d.tree)
}

// verdicts is the line with what is thought of the servers.
func (d *drawing) verdicts(gi int) string {
	g := &d.p.tree.groups[gi]
	nodes, first := d.shown(g)
	c := d.p.c
	var b strings.Builder
	hidden := ""
	if first > 0 {
		hidden += c.Left + strconv.Itoa(first) + " "
	}
	if rest := len(g.nodes) - first - len(nodes); rest > 0 {
		hidden += strconv.Itoa(rest) + c.Arrow
	}
	b.WriteString(d.in.Paint(cell.Key, ui.FitLeft(hidden, d.tree-2)) + "  ")
	for _, n := range nodes {
		text, tone := d.verdict(n, d.col-2)
		b.WriteString(" " + d.in.Paint(tone, text) + strings.Repeat(" ", max(0, d.col-1-ui.Width(text))))
	}
	return b.String()
}

// verdict is what is thought of a server, in the longest form that fits: with its age
// when it is not alive.
func (d *drawing) verdict(name string, w int) (string, cell.Tone) {
	c := d.p.c
	n := c.Est.Node(name)
	mark, word, tone := cell.NodeFace(c, n)
	short, age := c.T("hierarchies.verdict-short-unknown"), ""
	if n != nil {
		switch n.Verdict {
		case policy.Alive, policy.Degraded, policy.Hung, policy.Presumed, policy.Dead:
			short = c.T("hierarchies.verdict-short-" + string(n.Verdict))
		}
		if n.Verdict != policy.Alive && !n.Since.IsZero() {
			age = " " + cell.Short(c, n.Since)
		}
	}
	for _, s := range []string{mark + " " + word + age, mark + " " + short + age, mark + " " + word, mark + " " + short} {
		if ui.Width(s) <= w {
			return s, tone
		}
	}
	return ui.Cut(mark+" "+short, w, ""), tone
}

func (d *drawing) cursor(text string) string { return d.in.Paint(cell.Cursor, "["+text+"]") }

// row is a resource with its cells.
func (d *drawing) row(r *row, at bool) string {
	nodes, _ := d.shown(&d.p.tree.groups[r.group])
	if len(d.above) < len(nodes) {
		d.above = make([]drawn, len(nodes))
	}
	var b strings.Builder
	b.Grow(d.tree + 64 + len(nodes)*(d.col+32)) // with their colours
	b.WriteString(d.label(r, at))
	for col, n := range nodes {
		b.WriteString(d.cell(r, n, col, at && n == d.p.cur.node))
	}
	return b.String()
}

func (d *drawing) cell(r *row, node string, col int, at bool) string {
	c := d.p.c
	i := c.Est.Cell(r.Res.Tag, node)
	w := d.col - 2
	if i == nil {
		text := ui.Fit(c.Waiting, w)
		if at {
			return d.cursor(text)
		}
		return " " + d.in.Paint(cell.Dim, text) + " "
	}
	f := cell.FaceOf(c, r.Res, i)
	spin := ""
	if d.p.tree.busyOn(r.Res.Tag, node) {
		spin = d.spin
	}
	if at {
		return d.cursor(f.Text(c, i, w, spin))
	}
	now := drawn{face: f, priority: i.Priority, since: i.Since, spin: spin, again: r.Again}
	if was := &d.above[col]; was.text != "" {
		if now.text = was.text; *was == now {
			return now.text
		}
	}
	tone := f.Tone
	if r.Again && tone != cell.Alarm {
		tone = cell.Dim
	}
	now.text = " " + d.in.Paint(tone, f.Text(c, i, w, spin)) + " "
	d.above[col] = now
	return now.text
}
