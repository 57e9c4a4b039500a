package hierarchies

import (
	"cmp"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/model"
)

// begin puts the cursor where one looks first: on what has failed, else on the first
// resource, where it is active.
func (p *Page) begin() {
	best := -1
	for i := range p.tree.rows {
		if g := p.tree.rows[i].grade; best < 0 || g >= failed && g > p.tree.rows[best].grade {
			best = i
		}
	}
	if best >= 0 {
		p.goRow(best, failed)
		p.settled = model.Holder(p.tree.rows[best].Res) != "" // an engine that has just begun finds out first
		return
	}
	g := &p.tree.groups[0]
	p.cur = place{cluster: g.name, node: nth(g.nodes, 0)}
}

// goRow puts the cursor on a row: on the server where its trouble is when that is bad
// enough, else where it is active.
func (p *Page) goRow(i int, enough grade) {
	r := &p.tree.rows[i]
	node := model.Holder(r.Res)
	if node == "" && len(r.Res.On) > 0 {
		node = r.Res.On[0].Server
	}
	if r.grade >= enough {
		node = cmp.Or(worst(r.Res), node)
	}
	if node == "" {
		node = nth(p.tree.groups[r.group].nodes, 0)
	}
	p.cur = place{cluster: p.tree.groups[r.group].name, tag: r.Res.Tag, above: p.above(i), node: node}
}

func (p *Page) above(i int) hierarchy.Tag {
	if up := p.tree.rows[i].parent; up >= 0 {
		return p.tree.rows[up].Res.Tag
	}
	return ""
}

func nth(names []string, i int) string {
	if i < 0 || i >= len(names) {
		return ""
	}
	return names[i]
}

// find looks where the cursor's names are now: the same line, the same resource elsewhere
// in the tree, or else the line nearest to where it was.
func (p *Page) find() {
	same, like := -1, -1
	for i, l := range p.lines {
		switch {
		case l.part == servers && p.cur.tag == "" && p.tree.groups[l.group].name == p.cur.cluster:
			same = i
		case l.part == resource && p.cur.tag != "" && p.tree.rows[l.row].Res.Tag == p.cur.tag:
			if p.above(l.row) == p.cur.above {
				same = i
			} else if like < 0 {
				like = i
			}
		}
		if same >= 0 {
			break
		}
	}
	if same < 0 {
		same = like
	}
	if same < 0 {
		same = p.near(min(p.at, len(p.lines)-1), 1)
	}
	if p.at = 0; same >= 0 {
		p.put(same)
	}
}

// near is the nearest line that the cursor may be on, looking first in a direction; -1
// when there is none.
func (p *Page) near(from, dir int) int {
	for _, d := range []int{dir, -dir} {
		for i := from; i >= 0 && i < len(p.lines); i += d {
			if p.lines[i].stop() {
				return i
			}
		}
	}
	return -1
}

// put sets the cursor on a line, on the same server where the cluster has it.
func (p *Page) put(at int) {
	l := p.lines[at]
	g := &p.tree.groups[l.group]
	col := 0
	if old := p.groupNamed(p.cur.cluster); old != nil {
		col = max(0, index(old.nodes, p.cur.node))
	}
	node := p.cur.node
	if index(g.nodes, node) < 0 {
		node = nth(g.nodes, min(col, len(g.nodes)-1))
	}
	p.at = at
	p.cur = place{cluster: g.name, node: node}
	if l.part == resource {
		p.cur.tag, p.cur.above = p.tree.rows[l.row].Res.Tag, p.above(l.row)
	}
}

func (p *Page) groupNamed(name string) *group {
	for i := range p.tree.groups {
		if p.tree.groups[i].name == name {
			return &p.tree.groups[i]
		}
	}
	return nil
}

func index(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}
