package topology

import (
	"slices"
	"strconv"

	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// wayLine is what a line is made of, horizontally and vertically, with the mark that
// stands in it when not all is well.
func (d *drawing) wayLine(w model.Way) (h, v, mark string, pen uint8) {
	switch w {
	case model.WayOK:
		return d.c.H, d.c.V, "", d.pen.good
	case model.WayPartly:
		return d.c.DashH, d.c.DashV, d.c.Attention, d.pen.warn
	case model.WayCut:
		return d.c.DashH, d.c.DashV, d.c.Failed, d.pen.bad
	}
	return d.c.Waiting, d.c.Waiting, d.c.NotKnown, d.pen.unknown
}

func (d *drawing) wayPen(w model.Way) uint8 {
	_, _, _, pen := d.wayLine(w)
	return pen
}

// count says how many of a bundle's paths work: "3/4".
func (d *drawing) count(b bundle) string {
	s := strconv.Itoa(b.ok()) + "/" + strconv.Itoa(len(b.pairs))
	if _, _, mark, _ := d.wayLine(b.state()); mark != "" {
		s = mark + " " + s
	}
	return s
}

// between draws the paths from zone to zone of a region.
func (d *drawing) between(r int) {
	zones := d.l.zones[r]
	for z := range len(zones) - 1 {
		var used []int
		for _, b := range d.p.between(r, z) {
			wide := 2
			if len(b.pairs) > 1 {
				wide = ui.Width(d.count(b)) + 3
			}
			x := min(d.column(b, r, z), zones[z].right()-wide)
			for slices.ContainsFunc(used, func(u int) bool { return abs(x-u) <= wide }) {
				x -= wide + 2
			}
			used = append(used, x)
			d.down(b, x, zones[z].bottom(), zones[z+1].y)
		}
	}
}

// column is where a bundle crosses from a zone to the next: below the nodes it comes from.
func (d *drawing) column(b bundle, r, z int) int {
	left, right := d.l.w, 0
	for _, p := range b.pairs {
		for _, n := range []int{p.a, p.b} {
			if d.p.nodes[n].zone == z {
				left, right = min(left, d.l.nodes[n].x), max(right, d.l.nodes[n].right())
			}
		}
	}
	if left > right { // they come from a zone further up
		return d.l.zones[r][z].x + d.l.zones[r][z].w/2
	}
	return left + (right-left)*4/5 // beside the names in the frames
}

// down draws a bundle from one zone's frame to the next one's; a single path goes on to
// the boxes themselves.
func (d *drawing) down(b bundle, x, y0, y1 int) {
	_, v, mark, pen := d.wayLine(b.state())
	if len(b.pairs) == 1 {
		for _, n := range []int{b.pairs[0].a, b.pairs[0].b} {
			switch r := d.l.nodes[n]; {
			case r.h < 3 || x <= r.x || x >= r.right():
			case r.bottom() == y0-1 && !d.heavy(n):
				d.cv.Text(x, y0-1, d.c.TeeDown, pen)
			case r.y == y1+1 && x > r.x+4+ui.Width(d.p.nodes[n].name) && !d.heavy(n):
				d.cv.Text(x, y1+1, d.c.TeeUp, pen)
			}
		}
	}
	d.cv.VLine(x, y0, y1, v, pen)
	mid := (y0 + y1) / 2
	if mark != "" {
		d.cv.Text(x, mid, mark, pen)
	}
	if len(b.pairs) > 1 {
		d.cv.Text(x+1, mid, " "+strconv.Itoa(b.ok())+"/"+strconv.Itoa(len(b.pairs))+" ", pen)
	}
}

func (d *drawing) heavy(n int) bool { return d.p.nodes[n].In > 0 }

// gap draws what runs between region r and the next: tunnels at the height of their
// nodes, and the comm paths as a bundle for each cluster.
func (d *drawing) gap(r int) {
	x0, x1 := d.l.regions[r].right(), d.l.regions[r+1].x
	free := map[int]bool{}
	for y := d.l.regions[r].y + 1; y < d.l.regions[r].bottom(); y++ {
		free[y] = true
	}
	for _, t := range d.p.tunnels {
		if d.p.nodes[t.a].region == r {
			y := d.tunnel(t)
			delete(free, y)
			delete(free, y-1)
		}
	}
	var rows []int
	for y := d.l.regions[r].y + 1; y < d.l.regions[r].bottom(); y++ {
		if free[y] {
			rows = append(rows, y)
		}
	}
	bundles := d.p.across(r)
	full, need := true, 0
	for _, b := range bundles {
		need += 2 + len(b.pairs)
	}
	if need > len(rows) || x1-x0-1 < 2*d.p.name+8 {
		full, need = false, 4*len(bundles)
	}
	rows = rows[max(0, (len(rows)-need)/2):]
	for _, b := range bundles {
		if full {
			rows = d.fullBundle(b, x0, x1, rows)
		} else {
			rows = d.shortBundle(b, x0, x1, rows)
		}
	}
}

// tunnel draws an IPsec tunnel from box to box, and says in which row.
func (d *drawing) tunnel(t tunnel) int {
	a, b := d.l.nodes[t.a], d.l.nodes[t.b]
	h, _, mark, pen := d.wayLine(t.state)
	if t.busy && t.state == model.WayOK {
		h = d.c.HeavyH
	}
	y := a.y + min(2, a.h-1)
	d.cv.HLine(a.right()+1, b.x-1, y, h, pen)
	mid := (d.l.regions[d.p.nodes[t.a].region].right() + d.l.regions[d.p.nodes[t.b].region].x) / 2
	if mark != "" {
		d.cv.Text(mid, y, mark, pen)
	}
	word := d.c.T("topology.tunnel")
	if t.busy {
		word = d.c.T("topology.tunnel-used")
		if ui.Width(word) >= b.x-a.right()-8 {
			word = d.c.T("topology.used")
		}
	}
	d.cv.Text(mid-ui.Width(word)/2, y-1, word, d.pen.dim)
	return y
}

// together leaves out the rows before the first so many that stand below each other: what
// is written on either side of a tunnel would be read as one thing with it.
func together(rows []int, n int) []int {
	for i := 0; i+n <= len(rows); i++ {
		if rows[i+n-1]-rows[i] == n-1 {
			return rows[i:]
		}
	}
	return rows
}

// shortBundle draws a bundle as one line with a count, and takes the rows it used.
func (d *drawing) shortBundle(b bundle, x0, x1 int, rows []int) []int {
	if len(rows) < 2 {
		return rows
	}
	rows = together(rows, 3)
	centre := func(y int, s string, pen uint8) {
		if n := ui.Width(s); n < x1-x0 {
			d.cv.Text(x0+1+(x1-x0-1-n)/2, y, s, pen)
		}
	}
	if len(rows) >= 3 {
		centre(rows[0], ui.Clean(b.cluster), d.pen.dim)
		rows = rows[1:]
	}
	h, _, mark, pen := d.wayLine(b.state())
	d.cv.HLine(x0, x1, rows[0], h, pen)
	d.cv.Text(x0, rows[0], d.c.TeeRight, pen)
	d.cv.Text(x1, rows[0], d.c.TeeLeft, pen)
	if mark != "" {
		centre(rows[0], " "+mark+" ", pen)
	}
	centre(rows[1], strconv.Itoa(b.ok())+"/"+strconv.Itoa(len(b.pairs)), pen)
	return rows[min(3, len(rows)):]
}

// fullBundle draws a bundle with a line for each pair of nodes.
func (d *drawing) fullBundle(b bundle, x0, x1 int, rows []int) []int {
	if len(rows) < 1+len(b.pairs) {
		return rows
	}
	h, _, _, pen := d.wayLine(b.state())
	d.cv.HLine(x0, x1, rows[0], h, pen)
	d.cv.Text(x0, rows[0], d.c.TeeRight, pen)
	d.cv.Text(x1, rows[0], d.c.TeeLeft, pen)
	head := " " + ui.Clean(b.cluster) + " " + d.count(b) + " "
	if ui.Width(head) > x1-x0-3 {
		head = " " + d.count(b) + " "
	}
	d.cv.Text((x0+x1-ui.Width(head)+1)/2, rows[0], head, pen)
	for i, p := range b.pairs {
		d.pair(p, x0, x1, rows[1+i])
	}
	return rows[min(2+len(b.pairs), len(rows)):]
}

func (d *drawing) pair(p pair, x0, x1, y int) {
	name := func(n int) uint8 {
		if n == d.here {
			return d.pen.accent
		}
		return d.pen.text
	}
	from, to := d.p.nodes[p.a].name, d.p.nodes[p.b].name
	h, _, mark, pen := d.wayLine(p.state)
	a := d.cv.Text(x0+2, y, from, name(p.a)) + 1
	z := x1 - 2 - ui.Width(to)
	d.cv.Text(z+1, y, to, name(p.b))
	d.cv.HLine(a, z-1, y, h, pen)
	if mark != "" {
		d.cv.Text((a+z-2)/2, y, " "+mark+" ", pen)
	}
}

// engine draws who watches, and which regions are seen, below everything.
func (d *drawing) engine() {
	y, last := d.l.engine, len(d.p.regions)-1
	stub := func(r int) int {
		if r == last && r > 0 {
			return d.l.regions[r].right() - 4
		}
		return d.l.regions[r].x + 4
	}
	if last < 0 {
		return
	}
	seen, total := 0, 0
	for r, reg := range d.p.regions {
		seen, total = seen+reg.seen, total+reg.total
		h, _, mark, pen := d.wayLine(d.sight(r))
		x := stub(r)
		d.cv.HLine((stub(max(r-1, 0))+x+1)/2, (x+stub(min(r+1, last)))/2, y, h, pen)
		d.cv.Text(x, d.l.regions[r].bottom(), d.c.TeeDown, pen)
		corner := d.c.TeeUp
		if r == 0 {
			corner = d.c.BL
		} else if r == last {
			corner = d.c.BR
		}
		d.cv.Text(x, y, corner, pen)
		if mark != "" {
			s := mark + " " + strconv.Itoa(reg.seen) + "/" + strconv.Itoa(reg.total)
			if r == last && r > 0 {
				d.cv.Text(x-2-ui.Width(s), y, " "+s+" ", pen)
			} else {
				d.cv.Text(x+2, y, " "+s+" ", pen)
			}
		}
	}
	d.engineLabel(y, stub(0), stub(last), seen, total)
}

// sight is how the engine sees a region's nodes.
func (d *drawing) sight(r int) model.Way {
	reg := d.p.regions[r]
	switch {
	case !d.c.Lost.IsZero():
		return model.WayUnknown
	case reg.seen == reg.total:
		return model.WayOK
	case reg.seen == 0:
		return model.WayCut
	}
	return model.WayPartly
}

func (d *drawing) engineLabel(y, x0, x1, seen, total int) {
	e := d.p.est.Engine
	pen := d.pen.text
	s := d.c.T("topology.engine", "who", ui.Cut(ui.Clean(e.Who), 32, d.c.Ellipsis), "seen", seen, "total", total)
	if !d.c.Lost.IsZero() {
		s, pen = d.c.T("topology.engine-lost", "age", d.c.Ago(d.c.Lost)), d.pen.bad
	} else if !e.Automation {
		if long := s + ", " + d.c.T("topology.automation-off"); ui.Width(long) < x1-x0-24 {
			s = long
		}
		pen = d.pen.warn
	}
	if x1 <= x0 { // one region: it stands behind its only stub
		d.cv.Text(x0+1, y, d.c.H+" "+s, pen)
		return
	}
	s = " " + s + " "
	d.cv.Text((x0+x1-ui.Width(s)+1)/2, y, s, pen)
}
