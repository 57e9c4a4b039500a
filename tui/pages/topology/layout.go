package topology

import (
	"slices"

	"github.com/ferry-ha/ferry/tui/ui"
)

// rect is a rectangle of cells.
type rect struct{ x, y, w, h int }

func (r rect) right() int        { return r.x + r.w - 1 }
func (r rect) bottom() int       { return r.y + r.h - 1 }
func (r rect) has(x, y int) bool { return x >= r.x && x < r.x+r.w && y >= r.y && y < r.y+r.h }

// The measures of a drawing, in cells.
const (
	// boxMin is the narrowest box: the longest verdict ("presumed dead") fits into it.
	boxMin = 15
	// boxTall is the tallest box: who, since when, where, and six resources.
	boxTall = 11
	// gapMin and gapMax bound the gap between regions, in which the paths run.
	gapMin, gapMax = 8, 36
	// regionMax keeps a drawing together on a very wide screen.
	regionMax = 100
)

// layout is where everything of a picture is drawn. It is made for a size; a picture
// that needs more gets more, and is scrolled.
type layout struct {
	w, h    int
	top     int // rows for clients and name; 0 without a chain
	lane    int // cells between a region's frame and its zones, for the chain
	routes  int // rows for routes in a region
	gap     int
	boxH    int // 1 = a line without a frame
	zoneGap int // rows between zones
	regions []rect
	zones   [][]rect
	nodes   []rect
	col     []int // how many boxes stand between a node and its region's lane
	engine  int   // its row
}

// mirrored tells whether a region is drawn the other way round: of two regions the right
// one, so that its chain comes down outside and its VPN nodes face the gap.
func (l *layout) mirrored(r int) bool { return r == 1 && len(l.regions) == 2 }

func newLayout(p *picture, w, h int) *layout {
	l := &layout{w: w, lane: 1, routes: 1}
	wide := len(p.regions) * 40
	if w-wide > 30 {
		l.lane = 3
	}
	if len(p.chains) > 0 {
		l.top = 2
		if h >= 27 && slices.ContainsFunc(p.chains, func(c chain) bool { return c.name != "" }) {
			l.top = 4
		}
	} else {
		l.routes, l.lane = 0, 1
	}
	cols, boxW := l.columns(p, w)
	l.heights(p, cols, h)
	for c := 1; l.boxH == 1 && c < cols; c++ { // lines are better long than side by side
		if l.tall(p, c, 0) <= h {
			cols, boxW = c, ((boxW+1)*cols)/c-1
		}
	}
	l.place(p, cols, boxW)
	return l
}

// columns chooses the gap, and how many boxes of which width stand side by side.
func (l *layout) columns(p *picture, w int) (cols, boxW int) {
	n := max(1, len(p.regions))
	need := 1
	for r := range p.regions {
		need = max(need, p.slots(r))
	}
	l.gap = min(max(gapMin+(w-80)*2/5, gapMin), gapMax)
	if n > 1 {
		l.gap = max(gapMin, l.gap/(n-1))
	}
	each := min((w-l.gap*(n-1))/n, regionMax)
	room := each - 4 - l.lane // what the frames of region and zone leave
	least := max(boxMin, p.name+6)
	cols = min(max(1, (room+1)/(least+1)), need)
	for _, r := range p.regions { // a region's name stands in its frame
		least = max(least, (ui.Width(ui.Clean(r.name))+cols)/cols)
	}
	return cols, max(least, (room+1)/cols-1)
}

// slots is how many columns a region wants: for every cluster as many as it has nodes in
// one zone, so that what belongs together stands below each other.
func (p *picture) slots(r int) int {
	n := 0
	for _, c := range p.clusters(r) {
		n += p.widest(r, c)
	}
	return n
}

// clusters are those that have nodes in a region, in the order of their nodes.
func (p *picture) clusters(r int) []string {
	var out []string
	seen := map[string]bool{}
	for _, z := range p.regions[r].zones {
		for _, n := range z.nodes {
			if c := p.nodes[n].st.Cluster; !seen[c] {
				seen[c] = true
				out = append(out, c)
			}
		}
	}
	return out
}

func (p *picture) widest(r int, cluster string) (most int) {
	for _, z := range p.regions[r].zones {
		n := 0
		for _, i := range z.nodes {
			if p.nodes[i].st.Cluster == cluster {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// cells gives every node of a region its column and row of boxes in its zone, and how
// many rows each zone has.
func (p *picture) cells(r, cols int) (at map[int][2]int, rows []int) {
	at = map[int][2]int{}
	clusters := p.clusters(r)
	apart := p.slots(r) <= cols
	for _, z := range p.regions[r].zones {
		start, next, most := 0, 0, 0
		for _, c := range clusters {
			for _, n := range z.nodes {
				if p.nodes[n].st.Cluster == c {
					at[n] = [2]int{next % cols, next / cols}
					most = max(most, next/cols+1)
					next++
				}
			}
			if start += p.widest(r, c); apart {
				next = start
			}
		}
		rows = append(rows, max(1, most))
	}
	return at, rows
}

// heights chooses the tallest boxes with which all fits, and what room is left for.
func (l *layout) heights(p *picture, cols, h int) {
	want := min(4+max(p.deepest, 1), boxTall)
	for l.boxH = want; ; l.boxH-- {
		if l.boxH == 2 {
			l.boxH = 1
		}
		l.zoneGap = 0
		if l.boxH >= 4 && l.tall(p, cols, 1) <= h {
			l.zoneGap = 1
		}
		if l.boxH == 1 || l.tall(p, cols, l.zoneGap) <= h {
			break
		}
	}
	if l.routes == 0 {
		return
	}
	for rows := min(3, p.routeRows()); l.routes < rows && l.tall(p, cols, l.zoneGap) < h; {
		l.routes++
	}
	if l.boxH >= 5 && l.tall(p, cols, 2) <= h {
		l.zoneGap = 2
	}
}

// routeRows is how many route tables any leg of any chain shows.
func (p *picture) routeRows() (most int) {
	for _, c := range p.chains {
		for _, leg := range c.legs {
			most = max(most, len(leg.routes))
		}
	}
	return most
}

// tall is how many rows a drawing takes with so many between zones.
func (l *layout) tall(p *picture, cols, zoneGap int) int {
	most := 0
	for r := range p.regions {
		_, rows := p.cells(r, cols)
		n := 2 + l.routes + zoneGap*(len(rows)-1)
		for _, k := range rows {
			n += 2 + k*l.boxH
		}
		most = max(most, n)
	}
	return l.top + most + 1
}

// place gives everything its rectangle.
func (l *layout) place(p *picture, cols, boxW int) {
	zoneW := cols*(boxW+1) + 1
	regionW := zoneW + 2 + l.lane
	all := regionW*len(p.regions) + l.gap*max(0, len(p.regions)-1)
	l.nodes, l.col = make([]rect, len(p.nodes)), make([]int, len(p.nodes))
	l.regions = make([]rect, len(p.regions))
	height := l.tall(p, cols, l.zoneGap) - l.top - 1
	for r := range p.regions {
		l.regions[r] = rect{max(0, (l.w-all)/2) + r*(regionW+l.gap), l.top, regionW, height}
	}
	for r := range p.regions {
		l.placeRegion(p, r, cols, boxW, zoneW)
	}
	l.engine = l.top + height
	l.w, l.h = max(l.w, all), l.engine+1
}

func (l *layout) placeRegion(p *picture, r, cols, boxW, zoneW int) {
	at, rows := p.cells(r, cols)
	box := l.regions[r]
	x, y := box.x+1+l.lane, box.y+1+l.routes
	if l.mirrored(r) {
		x = box.x + 1
	}
	l.zones = append(l.zones, nil)
	for z, n := range rows {
		zr := rect{x, y, zoneW, 2 + n*l.boxH}
		l.zones[r] = append(l.zones[r], zr)
		for _, i := range p.regions[r].zones[z].nodes {
			col := at[i][0]
			l.col[i] = col
			if l.mirrored(r) {
				if p.slots(r) <= cols {
					col = cols - 1 - col
				} else { // no column means anything: they are read from the left
					l.col[i] = cols - 1 - col
				}
			}
			l.nodes[i] = rect{x + 1 + col*(boxW+1), y + 1 + at[i][1]*l.boxH, boxW, l.boxH}
		}
		y += zr.h + l.zoneGap
	}
}
