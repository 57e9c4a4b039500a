package topology

import (
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// drawing puts a picture on a canvas.
type drawing struct {
	c    *ui.Context
	p    *picture
	l    *layout
	cv   *ui.Canvas
	pen  pens
	here int // the node under the cursor; -1 = none
}

// pens are the theme's styles on the canvas.
type pens struct {
	text, dim, strong, accent, good, warn, bad, unknown, alarm, frame, cursor uint8
}

// draw draws everything; chain is the one that is followed, -1 = there is none.
func draw(c *ui.Context, p *picture, l *layout, here, chain int) *ui.Canvas {
	d := &drawing{c: c, p: p, l: l, cv: ui.NewCanvas(l.w, l.h), here: here}
	d.pen = pens{d.cv.Pen(c.Text), d.cv.Pen(c.Dim), d.cv.Pen(c.Strong), d.cv.Pen(c.Accent), d.cv.Pen(c.Good), d.cv.Pen(c.Warn),
		d.cv.Pen(c.Bad), d.cv.Pen(c.Unknown), d.cv.Pen(c.Alarm), d.cv.Pen(c.Theme.Frame), d.cv.Pen(c.Cursor)}
	for r := range p.regions {
		d.region(r)
	}
	for i := range p.nodes {
		d.node(i)
	}
	for r := range p.regions {
		d.between(r)
		d.zones(r)
	}
	for r := range len(p.regions) - 1 {
		d.gap(r)
	}
	d.engine()
	if chain >= 0 {
		d.chain(&p.chains[chain])
	}
	return d.cv
}

// frame draws a rectangle's border.
func (d *drawing) frame(r rect, heavy bool, pen uint8) {
	t := d.c.Theme
	h, v, tl, tr, bl, br := t.H, t.V, t.TL, t.TR, t.BL, t.BR
	if heavy {
		h, v, tl, tr, bl, br = t.HeavyH, t.HeavyV, t.HeavyTL, t.HeavyTR, t.HeavyBL, t.HeavyBR
	}
	d.cv.HLine(r.x, r.right(), r.y, h, pen)
	d.cv.HLine(r.x, r.right(), r.bottom(), h, pen)
	d.cv.VLine(r.x, r.y, r.bottom(), v, pen)
	d.cv.VLine(r.right(), r.y, r.bottom(), v, pen)
	d.cv.Text(r.x, r.y, tl, pen)
	d.cv.Text(r.right(), r.y, tr, pen)
	d.cv.Text(r.x, r.bottom(), bl, pen)
	d.cv.Text(r.right(), r.bottom(), br, pen)
}

// region draws a region's frame and those of its zones.
func (d *drawing) region(r int) {
	box, reg := d.l.regions[r], d.p.regions[r]
	d.frame(box, false, d.pen.frame)
	room := box.w - d.l.lane - 4
	title, foot := reg.title, ""
	if parts := strings.Split(title, "  "); ui.Width(title) > room && len(parts) == 3 {
		title, foot = parts[0]+"  "+parts[2], parts[1] // the VPC goes below
		if ui.Width(title) > room {
			title, foot = parts[0], parts[1]+"  "+parts[2]
		}
	}
	x := box.x + 1
	if !d.l.mirrored(r) {
		x = box.x + d.l.lane + 1
	}
	if ui.Width(title) < room {
		x++
	}
	d.cv.Text(x, box.y, " "+ui.Cut(title, room, d.c.Ellipsis)+" ", d.pen.strong)
	if foot != "" {
		x := box.x + 6
		if r > 0 && r == len(d.l.regions)-1 {
			x = box.x + 2
		}
		d.cv.Text(x, box.bottom(), " "+ui.Cut(foot, box.w-10, d.c.Ellipsis)+" ", d.pen.dim)
	}
	for _, zr := range d.l.zones[r] {
		d.frame(zr, false, d.pen.frame)
	}
}

// zones names a region's zones, and says what goes on inside each.
func (d *drawing) zones(r int) {
	reg := d.p.regions[r]
	for z, zr := range d.l.zones[r] {
		x := d.cv.Text(zr.x+2, zr.y, " "+ui.Cut(d.zoneTitle(reg.name, reg.zones[z].name), zr.w-6, d.c.Ellipsis)+" ", d.pen.dim)
		d.within(d.p.within(r, z), x+1, zr)
	}
}

// zoneTitle is "zone a" where the zone is named after its region, as AWS does.
func (d *drawing) zoneTitle(region, zone string) string {
	if letter, ok := strings.CutPrefix(zone, region); ok && letter != "" {
		return d.c.T("topology.zone", "letter", ui.Clean(letter))
	}
	return ui.Clean(zone)
}

// within tells in a zone's frame how many paths inside it work, unless all do and the
// frame is too narrow to say so.
func (d *drawing) within(b bundle, x int, zr rect) {
	if len(b.pairs) == 0 {
		return
	}
	s := " " + d.count(b) + " "
	if b.state() == model.WayOK && x+ui.Width(s)+10 > zr.right() {
		return
	}
	d.cv.Text(x, zr.y, s, d.wayPen(b.state()))
}

// node draws a node's box, or its line where boxes do not fit.
func (d *drawing) node(i int) {
	n, r := &d.p.nodes[i], d.l.nodes[i]
	mark, pen := d.verdict(n.st.Verdict)
	name := d.pen.strong
	point := " "
	if i == d.here {
		point, name = d.c.Closed, d.pen.cursor
	}
	x := r.x + 1
	if r.h >= 3 {
		d.frame(r, n.In > 0, d.framePen(i))
		d.inside(n, rect{r.x + 1, r.y + 1, r.w - 2, r.h - 2})
	}
	x = d.cv.Text(x, r.y, point, d.pen.accent)
	x = d.cv.Text(x, r.y, mark+" ", pen)
	x = d.cv.Text(x, r.y, n.name, name)
	x = d.cv.Text(x, r.y, " ", 0)
	if r.h < 3 {
		d.brief(n, x, r)
	}
}

// framePen colours a box by its node's verdict.
func (d *drawing) framePen(i int) uint8 {
	_, pen := d.verdict(d.p.nodes[i].st.Verdict)
	switch {
	case i == d.here:
		return d.pen.accent
	case pen == d.pen.good && d.p.nodes[i].In == 0:
		return d.pen.frame
	}
	return pen
}

func (d *drawing) verdict(v policy.Verdict) (mark string, pen uint8) {
	switch v {
	case policy.Alive:
		return d.c.Alive, d.pen.good
	case policy.Degraded, policy.Hung:
		return d.c.Degraded, d.pen.warn
	case policy.Dead, policy.Presumed:
		return d.c.Dead, d.pen.bad
	}
	return d.c.NotKnown, d.pen.unknown
}

// brief is what fits behind a name on one line.
func (d *drawing) brief(n *node, x int, r rect) {
	room := r.right() - x
	if word := d.verdictWord(n); n.st.Verdict != policy.Alive && ui.Width(word) <= room {
		_, pen := d.verdict(n.st.Verdict)
		d.cv.Text(x, r.y, word, pen)
		return
	}
	if s, pen := d.summary(n, room); ui.Width(s) <= room {
		d.cv.Text(x, r.y, s, pen)
	}
}

func (d *drawing) verdictWord(n *node) string {
	if n.st.Verdict == "" {
		return d.c.T("common.verdict-unknown")
	}
	return d.c.T("common.verdict-" + string(n.st.Verdict))
}

// inside fills a box: the verdict, since when, the address, what is active there.
func (d *drawing) inside(n *node, r rect) {
	if r.w >= 18 {
		r.x, r.w = r.x+1, r.w-2
	}
	y := r.y
	_, pen := d.verdict(n.st.Verdict)
	if r.h > 1 || n.st.Verdict != policy.Alive {
		d.line(r, y, d.verdictWord(n), pen, d.c.Ago(n.st.Since))
		y++
	}
	if n.Notable <= 1 && r.bottom()-y >= 1 || n.Notable > 1 && r.bottom()-y >= 2 {
		d.line(r, y, ui.Clean(n.srv.Address), d.pen.dim, "")
		y++
	}
	rows := r.bottom() - y + 1
	if rows <= 0 {
		return
	}
	if n.Notable == 0 || rows == 1 || rows < 2 && n.Notable > 1 {
		s, pen := d.summary(n, r.w)
		d.cv.Text(r.x, y, s, pen)
		if n.Notable == 0 {
			d.waits(n, r, y+1)
		}
		return
	}
	d.items(n, r, y, rows)
}

// waits tells what may come to a standby node and with which priority, when there is
// room for all of it.
func (d *drawing) waits(n *node, r rect, y int) {
	if y+len(n.Waits)-1 > r.bottom() {
		return
	}
	for _, t := range n.Waits {
		s := d.c.T("topology.turn", "tag", ui.Clean(t.Tag.Short()), "priority", t.Priority)
		if ui.Width(s) <= r.w {
			d.cv.Text(r.x, y, s, d.pen.dim)
			y++
		}
	}
}

// line writes text, and what follows it at the right end as far as there is room.
func (d *drawing) line(r rect, y int, s string, pen uint8, tail string) {
	d.cv.Text(r.x, y, ui.Cut(s, r.w, d.c.Ellipsis), pen)
	if tail != "" && ui.Width(s)+1+ui.Width(tail) <= r.w {
		d.cv.Text(r.x+r.w-ui.Width(tail), y, tail, d.pen.dim)
	}
}

// items names what is active in a box, as many as there are rows.
func (d *drawing) items(n *node, r rect, y, rows int) {
	last := y + rows - 1
	for i, it := range n.Items {
		lines, pen := d.item(n, it, r.w)
		if left := n.Notable - i; y+len(lines)-1 > last || y+len(lines)-1 == last && left > 1 {
			d.cv.Text(r.x, y, d.c.T("topology.more", "n", left), d.pen.dim)
			return
		}
		for _, s := range lines {
			d.cv.Text(r.x, y, ui.Cut(s, r.w, d.c.Ellipsis), pen)
			y++
		}
	}
	if more := n.Notable - len(n.Items); more > 0 {
		d.cv.Text(r.x, y, d.c.T("topology.more", "n", more), d.pen.dim)
	}
}

// summary is what is on a node in one short line.
func (d *drawing) summary(n *node, room int) (string, uint8) {
	if n.Notable == 0 {
		if n.Here == 0 {
			return d.c.T("topology.nothing-here"), d.pen.dim
		}
		if !n.heard() {
			return d.c.NotKnown + " " + d.c.T("topology.not-known"), d.pen.unknown
		}
		return d.c.Marks.Standby + " " + d.c.T("topology.standby"), d.pen.dim
	}
	lines, pen := d.item(n, n.Items[0], room)
	s := lines[0]
	if n.Notable > 1 {
		s += " +" + strconv.Itoa(n.Notable-1)
	}
	if ui.Width(s) > room {
		mark, _, _ := strings.Cut(s, " ")
		s = mark + " " + d.c.T("topology.active", "n", n.Notable)
		if word := worst(n.Items[0]); word != "" { // that is no active one
			s = mark + " " + d.c.T(word)
			if more := " +" + strconv.Itoa(n.Notable-1); n.Notable > 1 && ui.Width(s+more) <= room {
				s += more
			}
		}
	}
	return s, pen
}

// worst says what an item is that is not simply in service.
func worst(it model.Item) string {
	switch it.State {
	case hierarchy.OSF:
		return "topology.failed"
	case hierarchy.ISU:
		return "topology.impaired"
	case hierarchy.ILLSTATE:
		return "topology.not-known"
	}
	return ""
}

// item is a resource as a line, or as two where a stale one would not be seen as that.
func (d *drawing) item(n *node, it model.Item, room int) ([]string, uint8) {
	mark, pen := d.state(it.State)
	tag := ui.Clean(it.Tag.Short())
	if !n.heard() && it.State.InService() { // it was so when the node was heard last
		pen = d.pen.unknown
	}
	if it.Held && !it.Stale {
		if pen == d.pen.good {
			pen = d.pen.warn
		}
		return []string{mark + " " + tag + " " + d.c.Held}, pen
	}
	if !it.Stale {
		return []string{mark + " " + tag}, pen
	}
	word := d.c.Attention + " " + d.c.T("topology.stale")
	if s := word + ": " + tag; ui.Width(s) <= room {
		return []string{s}, d.pen.alarm
	}
	return []string{word, "  " + tag}, d.pen.alarm
}

func (d *drawing) state(s hierarchy.State) (mark string, pen uint8) {
	switch s {
	case hierarchy.ISP:
		return d.c.InService, d.pen.good
	case hierarchy.ISU:
		return d.c.Impaired, d.pen.warn
	case hierarchy.OSF:
		return d.c.Failed, d.pen.bad
	case hierarchy.OSU:
		return d.c.Marks.Standby, d.pen.dim
	}
	return d.c.Marks.Unknown, d.pen.unknown
}
