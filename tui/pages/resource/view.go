package resource

import (
	"strings"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui/pages/hierarchies/cell"
	"github.com/ferry-ha/ferry/tui/ui"
)

// twoFrom is the width from which there are two columns.
const twoFrom = 110

// View implements ui.Page.
func (p *Page) View(w, h int) string {
	in := cell.NewInks(p.c.Theme)
	if p.tag == "" {
		return p.pick.view(in, w, h)
	}
	p.wide = w >= twoFrom
	r := p.c.Est.Res(p.tag)
	if r == nil {
		return ui.Lines(append([]string{""}, ui.Wrap("  "+p.c.T("hierarchies.gone", "tag", ui.Clean(string(p.tag))), w-4)...), w, h)
	}
	p.here()
	if !p.wide {
		p.side = 0
		b := &writer{c: p.c, w: w - 1}
		p.about(b, r)
		p.states(b, r)
		p.data(b, r)
		p.relatives(b, r)
		p.live(b, r)
		p.operations(b)
		p.definition(b, r)
		p.happenings(b)
		return p.column(in, 0, b.items, w, h)
	}
	lw := (w - 1) * 11 / 20
	left, right := &writer{c: p.c, w: lw - 2}, &writer{c: p.c, w: w - lw - 4}
	p.about(left, r)
	p.states(left, r)
	p.data(left, r)
	p.relatives(left, r)
	p.live(left, r)
	p.definition(right, r)
	p.operations(right)
	p.happenings(right)
	bar := strings.TrimSuffix(strings.Repeat(in.Paint(cell.Frame, p.c.V)+" \n", h), "\n")
	return ui.Beside("", p.column(in, 0, left.items, lw, h), bar, p.column(in, 1, right.items, w-lw-2, h))
}

// column draws one, with the cursor where it was.
func (p *Page) column(in *cell.Inks, side int, items []item, w, h int) string {
	col := &p.cols[side]
	first := col.items == nil
	col.items, col.w = items, w
	col.list.SetN(len(items))
	if first && side == 0 {
		col.key = "on:" + p.node
	}
	p.find(col)
	long := len(items) > h && h > 3 // then a line tells what is above and below
	if long {
		h--
	}
	s := col.list.View(w, h, func(i int, at bool) string { return items[i].draw(in, w, at && side == p.side) })
	if long {
		s += "\n" + in.Paint(cell.Dim, ui.FitLeft(col.list.More()+" ", w))
	}
	return s
}

// find puts the cursor on the line that it was on: of several of one key the nearest.
func (p *Page) find(col *column) {
	if col.list.At < len(col.items) && col.items[col.list.At].key == col.key && col.key != "" {
		return
	}
	best := -1
	for i := range col.items {
		if col.items[i].key == col.key && col.key != "" && (best < 0 || distance(i, col.list.At) < distance(best, col.list.At)) {
			best = i
		}
	}
	for i := col.list.At; best < 0 && i < len(col.items); i++ {
		if col.items[i].key != "" {
			best = i
		}
	}
	if best >= 0 {
		col.list.At = best
	}
}

func distance(a, b int) int {
	if a < b {
		return b - a
	}
	return a - b
}

// about says what it is and who holds it.
func (p *Page) about(b *writer, r *api.ResourceStatus) {
	c := p.c
	b.line("", span{cell.Strong, " " + ui.Clean(r.Tag.Short())}, span{cell.Dim, "  " + c.T("resource.kind", "kit", ui.Clean(r.Kit), "cluster", ui.Clean(r.Cluster))})
	facts := cell.ResourceFacts(c, p.tag)
	left := labelWidth(facts)
	for _, f := range facts {
		b.pair("about:"+f.Label, f.Label, left, f.Tone, f.Text)
	}
}

func labelWidth(facts []cell.Fact) int {
	left := 0
	for _, f := range facts {
		left = max(left, ui.Width(f.Label))
	}
	return left
}

// states are the servers, best priority first.
func (p *Page) states(b *writer, r *api.ResourceStatus) {
	c := p.c
	b.head(c.T("resource.servers"))
	name, word := 0, 0
	for i := range r.On {
		f := cell.FaceOf(c, r, &r.On[i])
		name, word = max(name, ui.Width(ui.Clean(r.On[i].Server))), max(word, ui.Width(strings.TrimSpace(f.Word+" "+f.Alert)))
	}
	for i := range r.On {
		p.state(b, r, &r.On[i], name, word)
	}
}

func (p *Page) state(b *writer, r *api.ResourceStatus, i *api.InstanceStatus, name, word int) {
	c, f := p.c, cell.FaceOf(p.c, r, i)
	node := ui.Clean(i.Server)
	key := "on:" + i.Server
	chosen := "  "
	if i.Server == p.node {
		chosen = c.Closed + " "
	}
	if o := c.Est.RunningOn(r.Tag); o != nil && o.Plan.Goal.Node == i.Server {
		f.Mark = c.Spinner()
	}
	more := c.T("resource.since", "age", cell.Ago(c, i.Since)) + "  " + c.T("resource.checked", "age", cell.Ago(c, i.Checked))
	if i.Since.IsZero() {
		more = c.T("resource.never-seen")
	}
	if i.Address != "" {
		more += "  " + ui.Clean(i.Address)
	}
	it := b.line(key, span{cell.Key, chosen}, span{cell.Dim, ui.FitLeft(itoa(i.Priority), 2) + " "}, span{cell.Strong, ui.Fit(node, name) + "  "},
		span{f.Tone, f.Mark + " " + ui.Fit(strings.TrimSpace(f.Word+" "+f.Alert), word)}, span{cell.Dim, "  " + more})
	open := opener(ui.Server, i.Server)
	it.node, it.open = i.Server, open
	n := len(b.items)
	if nd := c.Est.Node(i.Server); !cell.There(nd) {
		mark, verdict, tone := cell.NodeFace(c, nd)
		b.text(key, tone, 6, mark+" "+c.T("resource.server-is", "node", node, "verdict", verdict))
	}
	if why := ui.Clean(c.Reason(i.Reason)); why != "" {
		b.text(key, cell.Plain, 6, why)
	}
	if i.Held != "" {
		b.text(key, cell.Warn, 6, cell.HeldText(c, i))
	}
	for ; n < len(b.items); n++ {
		b.items[n].node, b.items[n].open = i.Server, open
	}
}
