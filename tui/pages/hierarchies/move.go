package hierarchies

import (
	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/tui/ui"
)

// geometry is where the last frame drew things, for clicks.
type geometry struct {
	h           int // lines of the list
	tree, col   int // widths of the label and of a column
	width       int // of the list
	pinned      bool
	pinnedGroup int
}

// listTop is how many lines stand above the list.
const listTop = 1

func (p *Page) key(k string) {
	page := max(1, p.geo.h-headLines-1)
	switch k {
	case "up", "k":
		p.move(-1)
	case "down", "j":
		p.move(1)
	case "pgup", "ctrl+b":
		p.move(-page)
	case "pgdown", "ctrl+f":
		p.move(page)
	case "home", "g":
		p.move(-len(p.lines))
	case "end", "G":
		p.move(len(p.lines))
	case "left", "h":
		p.aside(-1)
	case "right", "l":
		p.aside(1)
	}
}

// move goes so many lines down to the nearest one that the cursor may be on.
func (p *Page) move(by int) {
	if len(p.lines) == 0 {
		return
	}
	dir := 1
	if by < 0 {
		dir = -1
	}
	if to := p.near(min(max(p.at+by, 0), len(p.lines)-1), dir); to >= 0 {
		p.put(to)
	}
}

// aside goes to the server beside.
func (p *Page) aside(by int) {
	if g := p.groupNamed(p.cur.cluster); g != nil && len(g.nodes) > 0 {
		p.cur.node = g.nodes[min(max(index(g.nodes, p.cur.node)+by, 0), len(g.nodes)-1)]
	}
}

// click puts the cursor on the cell that was hit; a click on the cell under the cursor
// opens it, one on a branch's mark folds it.
func (p *Page) click(x, y int) tea.Cmd {
	p.derive()
	p.settled = true
	at, ok := p.lineAt(y - listTop)
	if !ok || x >= p.geo.width || !p.lines[at].stop() {
		return nil
	}
	before, wasAt := p.cur, p.at
	p.put(at)
	g := &p.tree.groups[p.lines[at].group]
	if x >= p.geo.tree && p.geo.col > 0 {
		col := p.left[g.name] + (x-p.geo.tree)/p.geo.col
		if col < len(g.nodes) {
			p.cur.node = g.nodes[col]
		}
	} else if r := p.current(); r != nil && r.Kids && p.onMark(r, x) {
		p.fold()
		return nil
	}
	if p.cur == before && p.at == wasAt {
		return p.Do("open")
	}
	return nil
}

// onMark tells whether x is on a row's fold mark, which is the end of its branch.
func (p *Page) onMark(r *row, x int) bool {
	d := &drawing{p: p, tree: p.geo.tree}
	end := ui.Width(d.branch(r))
	return x == end-2 || x == end-1
}

// lineAt is the line drawn at y of the list.
func (p *Page) lineAt(y int) (int, bool) {
	if y < 0 || y >= p.geo.h {
		return 0, false
	}
	if p.geo.pinned && y < headLines {
		for i, l := range p.lines {
			if l.group == p.geo.pinnedGroup {
				return i + y, true
			}
		}
	}
	at := p.top + y
	return at, at < len(p.lines)
}
