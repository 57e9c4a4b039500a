package topology

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/ui"
)

// chain draws the way that clients take: from above over the name to a region's virtual
// IP, down the region's lane past its routes, and into the active node. What is not in
// use is drawn dashed and dim.
func (d *drawing) chain(ch *chain) {
	active := -1
	if n, ok := d.p.at[ch.addr.active]; ok {
		active = d.p.nodes[n].region
	}
	centre, y := d.centre(), d.l.top-1
	for _, on := range []bool{false, true} { // what is used lies on top
		for r := range d.l.regions {
			if ch.legs[r].addr != "" && (r == ch.points) == on {
				d.branch(ch, r, centre, y, active)
			}
		}
	}
	d.head(ch, centre, y)
	for r := range d.l.regions {
		if ch.legs[r].addr != "" {
			d.address(ch, r, centre, y, active)
			d.routes(ch, r, active)
		}
	}
	if active >= 0 {
		d.into(ch, d.p.at[ch.addr.active])
	}
}

// centre is where clients stand: above the middle.
func (d *drawing) centre() int {
	first, last := d.l.regions[0], d.l.regions[len(d.l.regions)-1]
	return (first.x + last.right()) / 2
}

// laneX is the column in which a region's chain runs down.
func (d *drawing) laneX(r int) int {
	off := (d.l.lane + 1) / 2
	if d.l.mirrored(r) {
		return d.l.regions[r].right() - off
	}
	return d.l.regions[r].x + off
}

// stroke is how a part of the chain looks: full where it works, dashed with its colour
// where it does not, dim where it is not used.
func (d *drawing) stroke(used bool, s hierarchy.State) (h, v string, pen uint8) {
	_, pen = d.state(s)
	switch {
	case !used || s == hierarchy.OSU:
		return d.c.DashH, d.c.DashV, d.pen.dim
	case s.InService():
		return d.c.HeavyH, d.c.HeavyV, pen
	}
	return d.c.DashH, d.c.DashV, pen
}

// head draws the clients and the name that they use.
func (d *drawing) head(ch *chain, centre, y int) {
	clients := d.c.T("topology.clients")
	if ch.names.tag == "" {
		d.cv.Text(centre-ui.Width(clients)/2, max(0, y-1), clients, d.pen.strong)
		return
	}
	mark, pen := d.state(ch.names.state)
	_, v, line := d.stroke(true, ch.names.state)
	name := mark + " " + ch.name
	tail, tailPen := "", d.pen.bad
	if op := d.p.est.RunningOn(ch.tag); op != nil && op.Plan.Goal.Node != "" {
		tail, tailPen = "  "+d.c.Running+" "+d.c.T("topology.moving", "node", ui.Clean(op.Plan.Goal.Node)), d.pen.warn
	}
	if ch.record != "" && ch.points < 0 {
		tail, tailPen = " "+d.c.Arrow+" "+ui.Cut(ch.record, 40, d.c.Ellipsis)+" "+d.c.Attention, d.pen.bad
	}
	if d.l.top >= 4 {
		d.cv.Text(centre-ui.Width(clients)/2, y-3, clients, d.pen.strong)
		d.cv.Text(centre, y-2, v, line)
	} else {
		lead := clients + " " + d.c.HeavyH + d.c.Head + " "
		name = lead + name
	}
	x := d.cv.Text(max(0, centre-ui.Width(name)/2), y-1, name, pen)
	d.cv.Text(x, y-1, tail, tailPen)
}

// branch draws the line from below the name to the top of a region's lane.
func (d *drawing) branch(ch *chain, r, centre, y, active int) {
	state := ch.names.state
	if ch.names.tag == "" {
		state = ch.addr.state
	}
	used := r == ch.points
	h, v, pen := d.stroke(used, state)
	x := d.laneX(r)
	d.cv.HLine(x, centre, y, h, pen)
	corner := d.c.TL
	if x > centre {
		corner = d.c.TR
	}
	full := used && state.InService()
	if full {
		corner = d.c.HeavyTL
		if x > centre {
			corner = d.c.HeavyTR
		}
		d.cv.Text(centre, y, d.c.HeavyTeeUp, pen)
	} else if d.c.HeavyTeeUp != d.at(centre, y) {
		d.cv.Text(centre, y, d.c.TeeUp, d.pen.dim)
	}
	d.cv.Text(x, y, corner, pen)
	_, v, pen = d.stroke(r == active, ch.down().state)
	d.cv.VLine(x, y+1, d.l.regions[r].y+1, v, pen)
}

// at is the mark in a cell, as text.
func (d *drawing) at(x, y int) string { return strings.TrimSpace(d.cv.At(x, y)) }

// down is the link that leads from the address to the node: the routes, or, without
// any, the address itself.
func (ch *chain) down() link {
	if ch.routes.tag != "" {
		return ch.routes
	}
	return ch.addr
}

// address writes a region's virtual IP on the line above it.
func (d *drawing) address(ch *chain, r, centre, y, active int) {
	pen := d.pen.dim
	mark := ""
	if r == active {
		mark, pen = d.state(ch.addr.state)
		mark += " "
	}
	s := " " + mark + ch.legs[r].addr + " "
	x := d.laneX(r) + 3
	if d.l.mirrored(r) {
		x = d.laneX(r) - 2 - ui.Width(s)
	}
	d.cv.Text(x, y, s, pen)
}

// routes writes where a region's route tables send the address.
func (d *drawing) routes(ch *chain, r, active int) {
	if ch.routes.tag == "" {
		return
	}
	box, lane := d.l.regions[r], d.laneX(r)
	left, width := lane+3, box.right()-lane-3
	if d.l.mirrored(r) {
		left, width = box.x+2, lane-box.x-4
	}
	rows := d.routeLines(ch, r, active, width)
	for i, row := range rows {
		y := box.y + 1 + i
		tee, h := d.c.TeeRight, d.c.H
		_, v, pen := d.stroke(r == active, ch.routes.state)
		if r == active && ch.routes.state.InService() {
			tee, h = d.c.HeavyTee, d.c.HeavyH
			if d.l.mirrored(r) {
				tee = d.c.HeavyTeeLeft
			}
		} else if d.l.mirrored(r) {
			tee = d.c.TeeLeft
		}
		if i == len(rows)-1 && r != active { // the chain ends here
			tee = d.c.BL
			if d.l.mirrored(r) {
				tee = d.c.BR
			}
		}
		d.cv.Text(lane, y, v, pen)
		d.cv.Text(lane, y, tee, pen)
		s := ui.Cut(row.text, width, d.c.Ellipsis)
		if d.l.mirrored(r) {
			d.cv.Text(lane-1, y, h, pen)
			d.cv.Text(left+width-ui.Width(s), y, s, row.pen)
		} else {
			d.cv.Text(lane+1, y, h, pen)
			d.cv.Text(left, y, s, row.pen)
		}
	}
}

type routeLine struct {
	text string
	pen  uint8
}

// routeLines are a region's routes in as many lines as there are; when there are more
// routes, in one line that counts them and names every target.
func (d *drawing) routeLines(ch *chain, r, active, width int) []routeLine {
	leg := ch.legs[r]
	if len(leg.routes) == 0 {
		word := d.c.T("topology.not-in-use")
		pen := d.pen.dim
		if r == active {
			mark, p := d.state(ch.routes.state)
			word, pen = mark+" "+d.c.T("topology.routes-unknown"), p
		}
		return []routeLine{{dest(leg.addr) + " " + word, pen}}
	}
	if len(leg.routes) <= d.l.routes {
		var out []routeLine
		for _, x := range leg.routes {
			s := x.dest + " " + d.c.Arrow + " " + x.target
			if long := x.dest + " " + x.table + " " + d.c.Arrow + " " + x.target; x.table != "" && ui.Width(long) <= width {
				s = long
			}
			out = append(out, routeLine{s, d.routePen(ch, r, active, x.target)})
		}
		return out
	}
	return []routeLine{d.allRoutes(ch, r, active)}
}

// allRoutes puts several routes into one line: where they lead, or, when some lead
// elsewhere, how many and where to.
func (d *drawing) allRoutes(ch *chain, r, active int) routeLine {
	routes := ch.legs[r].routes
	var targets, wrong []string
	n, pen := 0, d.routePen(ch, r, active, ui.Clean(ch.routes.active))
	for _, x := range routes {
		list := &targets
		if d.routePen(ch, r, active, x.target) == d.pen.bad && x.target != ui.Clean(ch.routes.active) {
			list, pen = &wrong, d.pen.bad
			n++
		}
		if !slices.Contains(*list, x.target) {
			*list = append(*list, x.target)
		}
	}
	if n > 0 {
		return routeLine{d.c.Failed + " " + strconv.Itoa(n) + "/" + strconv.Itoa(len(routes)) + " " + d.c.Arrow + " " + strings.Join(wrong, ", "), pen}
	}
	return routeLine{dest(ch.legs[r].addr) + " " + d.c.Arrow + " " + strings.Join(targets, ", ") + " (" + strconv.Itoa(len(routes)) + ")", pen}
}

// routePen marks a route that leads somewhere else than to the active node.
func (d *drawing) routePen(ch *chain, r, active int, target string) uint8 {
	_, pen := d.state(ch.routes.state)
	switch {
	case r != active:
		return d.pen.dim
	case target != ui.Clean(ch.routes.active):
		return d.pen.bad
	}
	return pen
}

// into draws the end of the chain: down the lane and into the active node's box.
func (d *drawing) into(ch *chain, n int) {
	r, box := d.p.nodes[n].region, d.l.nodes[n]
	h, v, pen := d.stroke(true, ch.addr.state)
	lane, mirrored := d.laneX(r), d.l.mirrored(r)
	heavy := ch.addr.state.InService()
	from, y := d.l.regions[r].y+1, box.y+min(1, box.h-1)
	if ch.routes.tag != "" {
		from += len(d.routeLines(ch, r, r, 0))
	}
	edge, step, corner, head := box.x, 1, d.c.BL, d.c.Head
	if heavy {
		corner = d.c.HeavyBL
	}
	if mirrored {
		edge, step, corner, head = box.right(), -1, d.c.BR, d.c.HeadLeft
		if heavy {
			corner = d.c.HeavyBR
		}
	}
	x := lane
	if d.l.col[n] > 0 { // other boxes stand before it: over the zone's frame, then down beside it
		turn := d.l.zones[r][d.p.nodes[n].zone].y
		d.cv.VLine(lane, from, turn, v, pen)
		d.cv.HLine(lane, edge-step, turn, h, pen)
		d.cv.Text(lane, turn, corner, pen)
		x, from = edge-step, turn+1
		bend := d.c.TR
		if heavy {
			bend = d.c.HeavyTR
		}
		if mirrored {
			bend = d.c.TL
			if heavy {
				bend = d.c.HeavyTL
			}
		}
		d.cv.Text(x, turn, bend, pen)
	}
	d.cv.VLine(x, from, y, v, pen)
	d.cv.HLine(x, edge, y, h, pen)
	d.cv.Text(x, y, corner, pen)
	if !heavy {
		head, pen = d.state(ch.addr.state)
	}
	d.cv.Text(edge, y, head, pen)
}
