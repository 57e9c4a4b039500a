package hierarchies

import (
	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/pages/hierarchies/cell"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Page is the page.
type Page struct {
	c      *ui.Context
	tree   *tree
	lines  []line
	folded map[hierarchy.Tag]bool
	filter string
	dirty  bool // lines are to be made anew

	cur place
	// settled: the cursor is where it belongs, or where a person put it.
	settled bool
	at      int            // the line that cur is on
	top     int            // the first visible line
	left    map[string]int // the first visible server, by cluster
	geo     geometry
}

// place is where the cursor is, by names. Without a tag it is on the cluster's servers.
type place struct {
	cluster string
	tag     hierarchy.Tag
	above   hierarchy.Tag // what the line hangs from
	node    string
}

// New makes it.
func New(c *ui.Context, _ string) *Page {
	return &Page{c: c, folded: map[hierarchy.Tag]bool{}, left: map[string]int{}}
}

// Title implements ui.Page.
func (p *Page) Title() string { return p.c.T("root.page-hierarchies") }

// Filter implements ui.Filterer.
func (p *Page) Filter(words string) {
	p.filter, p.dirty = words, true
	p.derive()
}

// Filtered implements ui.Filterer.
func (p *Page) Filtered() string { return p.filter }

// derive brings what follows from the snapshot, the folds and the filter up to date.
func (p *Page) derive() {
	if p.tree == nil || p.tree.est != p.c.Est {
		p.tree, p.dirty = treeOf(p.c.Est), true
	}
	if !p.dirty {
		return
	}
	p.dirty = false
	p.lay()
	if !p.settled && len(p.tree.groups) > 0 {
		p.begin()
	}
	p.find()
}

// here is the cell under the cursor.
func (p *Page) here() cell.At {
	p.derive()
	if len(p.lines) == 0 {
		return cell.At{}
	}
	return cell.At{Tag: p.cur.tag, Node: p.cur.node, Cluster: p.cur.cluster}
}

// current is the row under the cursor; nil when it is on a cluster's head.
func (p *Page) current() *row {
	if p.at < len(p.lines) && p.lines[p.at].part == resource {
		return &p.tree.rows[p.lines[p.at].row]
	}
	return nil
}

// Actions implements ui.Page.
func (p *Page) Actions() []ui.Action {
	a := p.here()
	if !p.c.Est.Known() {
		return []ui.Action{{ID: "command", Key: "y", Help: p.c.T("hierarchies.do-copy")}}
	}
	own := []ui.Action{
		{ID: "open", Key: "enter", Help: p.c.T("hierarchies.do-open"), Off: p.offOpen(a)},
		{ID: "trouble", Key: ".", Help: p.c.T("hierarchies.do-trouble"), Off: p.offTrouble()},
		{ID: "fold", Key: "space", Help: p.c.T("hierarchies.do-fold"), Off: p.offFold(), Quiet: true},
	}
	rest := cell.Actions(p.c, a)
	return append(append(own[:1:1], rest...), own[1:]...)
}

func (p *Page) offOpen(a cell.At) string {
	if a.Tag == "" && a.Node == "" {
		return p.c.T("hierarchies.off-nothing")
	}
	return ""
}

func (p *Page) offFold() string {
	if r := p.current(); r == nil || !r.Kids {
		return p.c.T("hierarchies.off-leaf")
	}
	return ""
}

func (p *Page) offTrouble() string {
	for g := unknown; g < grades; g++ {
		if p.tree.sums[g] > 0 {
			return ""
		}
	}
	return p.c.T("hierarchies.off-calm")
}

// Do implements ui.Page.
func (p *Page) Do(id string) tea.Cmd {
	a := p.here()
	p.settled = true
	switch id {
	case "open":
		if a.Tag != "" {
			return ui.Go(ui.Resource, string(a.Tag))
		}
		return ui.Go(ui.Server, a.Node)
	case "fold":
		p.fold()
	case "trouble":
		p.nextTrouble()
	case "command":
		cmd := p.c.T("hierarchies.fresh-command")
		return ui.Copy(cmd, cmd)
	default:
		return cell.Do(p.c, a, id)
	}
	return nil
}

func (p *Page) fold() {
	r := p.current()
	if r == nil || !r.Kids {
		return
	}
	if t := r.Res.Tag; p.folded[t] {
		delete(p.folded, t)
	} else {
		p.folded[t] = true
	}
	p.dirty = true
	p.derive()
}

// nextTrouble goes to the next row that is not as it should be, and opens what it is
// folded under.
func (p *Page) nextTrouble() {
	n, from := len(p.tree.rows), -1
	if p.at < len(p.lines) {
		if l := p.lines[p.at]; l.part == resource {
			from = l.row
		} else {
			from = p.tree.groups[l.group].from - 1
		}
	}
	for k := 1; k <= n; k++ {
		i := (from + k + n) % n
		r := &p.tree.rows[i]
		if r.grade < unknown || r.Again {
			continue
		}
		for up := r.parent; up >= 0; up = p.tree.rows[up].parent {
			delete(p.folded, p.tree.rows[up].Res.Tag)
		}
		p.filter, p.dirty = "", true
		p.goRow(i, unknown)
		p.derive()
		return
	}
}

// Update implements ui.Page.
func (p *Page) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case ui.Fresh:
		p.derive()
	case ui.Wheel:
		p.derive()
		p.settled = true
		p.move(3 * msg.By)
	case ui.Click:
		return p.click(msg.X, msg.Y)
	case tea.KeyPressMsg:
		p.derive()
		p.settled = true
		p.key(msg.String())
	}
	return nil
}
