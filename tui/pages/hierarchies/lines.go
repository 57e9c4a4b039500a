package hierarchies

import (
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/ui"
)

// part is what a line shows.
type part uint8

const (
	regions part = iota
	servers
	verdicts
	resource
)

// headLines is how many lines head a cluster.
const headLines = 3

// line is a line of the list.
type line struct {
	part  part
	group int
	row   int // for resource
}

// stop tells that the cursor may be on it.
func (l line) stop() bool { return l.part == servers || l.part == resource }

// lay makes the lines of everything that is neither folded away nor filtered out.
func (p *Page) lay() {
	p.lines = p.lines[:0]
	keep := p.keeps()
	for g := range p.tree.groups {
		gr := &p.tree.groups[g]
		before := len(p.lines)
		p.lines = append(p.lines, line{regions, g, 0}, line{servers, g, 0}, line{verdicts, g, 0})
		for i := gr.from; i < gr.to; i++ {
			switch {
			case keep != nil && !keep[i]:
			case keep == nil && p.folded[p.tree.rows[i].Res.Tag]:
				p.lines = append(p.lines, line{resource, g, i})
				i += p.tree.rows[i].under
			default:
				p.lines = append(p.lines, line{resource, g, i})
			}
		}
		if keep != nil && len(p.lines) == before+headLines && !p.names(gr) {
			p.lines = p.lines[:before]
		}
	}
}

// names tells whether a filter is about the cluster itself or a server of it.
func (p *Page) names(g *group) bool {
	if g.from < g.to { // then it would show in the rows
		return false
	}
	return ui.Matches(p.filter, append([]string{g.name}, g.nodes...)...)
}

// keeps tells which rows a filter shows: hits, and what they hang from. Nil: all.
func (p *Page) keeps() []bool {
	words := strings.Fields(strings.ToLower(p.filter))
	if len(words) == 0 {
		return nil
	}
	m := newMatcher(p, words)
	keep := make([]bool, len(p.tree.rows))
	for i := range p.tree.rows {
		if !m.row(&p.tree.rows[i]) {
			continue
		}
		for j := i; j >= 0 && !keep[j]; j = p.tree.rows[j].parent {
			keep[j] = true
		}
	}
	return keep
}

// matcher finds rows by tag, kit, server and state word. Each word has to be true of the
// resource or of one cell of it; words about cells all of the same cell.
type matcher struct {
	words  []string
	states [5][]bool // by state, then by word
	nodes  map[string][]bool
}

func newMatcher(p *Page, words []string) *matcher {
	m := &matcher{words: words, nodes: map[string][]bool{}}
	for _, s := range []hierarchy.State{hierarchy.ISP, hierarchy.ISU, hierarchy.OSU, hierarchy.OSF, hierarchy.ILLSTATE} {
		m.states[stateAt(s)] = m.hits(strings.ToLower(string(s) + " " + p.c.T("common.state-"+string(s))))
	}
	for i := range p.c.Est.Nodes {
		n := &p.c.Est.Nodes[i]
		m.nodes[n.Name] = m.hits(strings.ToLower(n.Name + " " + n.Zone))
	}
	return m
}

// stateAt numbers the states: a map of them would be asked a hundred thousand times for
// a letter that is typed.
func stateAt(s hierarchy.State) int {
	switch s {
	case hierarchy.ISP:
		return 0
	case hierarchy.ISU:
		return 1
	case hierarchy.OSU:
		return 2
	case hierarchy.OSF:
		return 3
	}
	return 4
}

func (m *matcher) hits(text string) []bool {
	out := make([]bool, len(m.words))
	for i, w := range m.words {
		out[i] = strings.Contains(text, w)
	}
	return out
}

func (m *matcher) row(r *row) bool {
	tag, kit := strings.ToLower(string(r.Res.Tag)), strings.ToLower(r.Res.Kit)
	var left []int
	for i, w := range m.words {
		if !strings.Contains(tag, w) && !strings.Contains(kit, w) {
			left = append(left, i)
		}
	}
	if len(left) == 0 {
		return true
	}
	for i := range r.Res.On {
		c := &r.Res.On[i]
		if m.cell(left, m.states[stateAt(c.State)], m.nodes[c.Server]) {
			return true
		}
	}
	return false
}

func (m *matcher) cell(left []int, state, node []bool) bool {
	for _, i := range left {
		if !state[i] && (node == nil || !node[i]) {
			return false
		}
	}
	return true
}
