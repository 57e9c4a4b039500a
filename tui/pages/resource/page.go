package resource

import (
	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/pages/hierarchies/cell"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Page is the page.
type Page struct {
	c    *ui.Context
	tag  hierarchy.Tag
	node string // the server that actions are about
	past past

	cols   [2]column
	side   int // the column that the cursor is in
	wide   bool
	filter string
	pick   chooser // without a tag
	h      int
}

// column is a list of lines with its cursor, remembered by key.
type column struct {
	list  ui.List
	items []item
	key   string
	w     int
}

// New makes it for a tag, or a list to choose from.
func New(c *ui.Context, arg string) *Page {
	p := &Page{c: c, tag: hierarchy.Tag(arg)}
	p.pick.c = c
	return p
}

// Init asks for what has happened before.
func (p *Page) Init() tea.Cmd {
	if p.tag == "" {
		return nil
	}
	return p.past.load(p.c, p.tag)
}

// Title implements ui.Page.
func (p *Page) Title() string {
	if p.tag == "" {
		return p.c.T("root.page-resource")
	}
	return ui.Clean(string(p.tag))
}

// Filter implements ui.Filterer: of the list, or of what has happened.
func (p *Page) Filter(words string) {
	p.filter = words
	p.pick.filter(words)
}

// Filtered implements ui.Filterer.
func (p *Page) Filtered() string { return p.filter }

// here is what actions are about.
func (p *Page) here() cell.At {
	if p.tag == "" {
		return p.pick.at()
	}
	a := cell.At{Tag: p.tag, Node: p.node, Cluster: p.tag.Cluster()}
	r := p.c.Est.Res(p.tag)
	if r == nil {
		return a
	}
	if p.c.Est.Cell(p.tag, p.node) == nil { // not chosen yet, or it is there no more
		a.Node = model.Holder(r)
		if a.Node == "" && len(r.On) > 0 {
			a.Node = r.On[0].Server
		}
		p.node = a.Node
	}
	return a
}

// Actions implements ui.Page.
func (p *Page) Actions() []ui.Action {
	a := p.here()
	open := ui.Action{ID: "open", Key: "enter", Help: p.c.T("hierarchies.do-open")}
	if p.tag == "" {
		if a.Tag == "" {
			open.Off = p.c.T("hierarchies.off-nothing")
			return []ui.Action{open}
		}
	} else if it := p.current(); it == nil || it.open == nil {
		open.Off = p.c.T("resource.off-open")
	}
	return append([]ui.Action{open}, cell.Actions(p.c, a)...)
}

// Do implements ui.Page.
func (p *Page) Do(id string) tea.Cmd {
	if id != "open" {
		return cell.Do(p.c, p.here(), id)
	}
	if p.tag == "" {
		return ui.Go(ui.Resource, string(p.pick.at().Tag))
	}
	if it := p.current(); it != nil && it.open != nil {
		return it.open()
	}
	return nil
}

// Update implements ui.Page.
func (p *Page) Update(msg tea.Msg) tea.Cmd {
	if p.tag == "" {
		return p.pick.update(msg)
	}
	switch msg := msg.(type) {
	case ui.Fresh:
		if p.past.err != nil {
			return p.past.load(p.c, p.tag)
		}
	case ui.Happened:
		p.past.happened(p.tag, msg.Event)
	case ui.Progress:
		p.past.moved(p.tag, msg.Operation)
	case loaded:
		p.past.take(p.tag, msg)
	case ui.Click:
		return p.click(msg.X, msg.Y)
	case ui.Wheel:
		p.moved(p.cols[p.side].list.Update(msg))
	case tea.KeyPressMsg:
		p.key(msg)
	}
	return nil
}

func (p *Page) key(msg tea.KeyPressMsg) {
	switch msg.String() {
	case "left", "h":
		p.side = 0
		p.moved(true)
	case "right", "l":
		if p.wide {
			p.side = 1
			p.moved(true)
		}
	default:
		before := p.cols[p.side].list.At
		if p.cols[p.side].list.Update(msg) {
			p.skip(p.cols[p.side].list.At - before)
			p.moved(true)
		}
	}
}

// skip lets the cursor pass over lines that only divide.
func (p *Page) skip(by int) {
	col := &p.cols[p.side]
	step := 1
	if by < 0 {
		step = -1
	}
	for _, dir := range []int{step, -step} {
		for i := col.list.At; i >= 0 && i < len(col.items); i += dir {
			if col.items[i].key != "" {
				col.list.At = i
				return
			}
		}
	}
}

// moved remembers what the cursor is on now.
func (p *Page) moved(yes bool) {
	col := &p.cols[p.side]
	if !yes || col.list.At >= len(col.items) {
		return
	}
	it := &col.items[col.list.At]
	col.key = it.key
	if it.node != "" {
		p.node = it.node
	}
}

func (p *Page) current() *item {
	col := &p.cols[p.side]
	if col.list.At < len(col.items) {
		return &col.items[col.list.At]
	}
	return nil
}

// click puts the cursor on a line; a second click opens it.
func (p *Page) click(x, y int) tea.Cmd {
	side := 0
	if p.wide && x > p.cols[0].w {
		side = 1
	}
	was := p.cols[side].list.At
	row, ok := p.cols[side].list.Hit(y)
	if !ok {
		return nil
	}
	again := p.side == side && row == was
	p.side = side
	p.skip(0)
	p.moved(true)
	if it := p.current(); again && it != nil && it.open != nil {
		return it.open()
	}
	return nil
}
