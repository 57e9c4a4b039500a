package topology

import (
	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Page is the drawing with a cursor on one node and details of that below.
type Page struct {
	c     *ui.Context
	made  *model.Estate // what pic was made from
	pic   *picture
	lay   *layout
	layAt [2]int        // the size that lay was made for
	node  string        // the node under the cursor
	chain hierarchy.Tag // the chain that is followed
	x, y  int           // the corner of the visible part
	w, h  int           // its size
	more  string        // where the drawing goes on outside of it
}

// New makes the page; arg may be a node to stand on.
func New(c *ui.Context, arg string) *Page { return &Page{c: c, node: arg} }

// Title implements ui.Page.
func (p *Page) Title() string { return p.c.T("root.page-topology") }

// picture is the picture of the present snapshot.
func (p *Page) picture() *picture {
	if p.made == p.c.Est && p.pic != nil {
		return p.pic
	}
	p.made, p.pic, p.lay = p.c.Est, newPicture(p.c.Est), nil
	return p.pic
}

// layout is where it is drawn in w × h cells.
func (p *Page) layout(w, h int) *layout {
	pic := p.picture()
	if p.lay == nil || p.layAt != [2]int{w, h} {
		p.lay, p.layAt = newLayout(pic, w, h), [2]int{w, h}
	}
	return p.lay
}

// at is the node under the cursor; -1 without any.
func (p *Page) at() int {
	pic := p.picture()
	if n, ok := pic.at[p.node]; ok {
		return n
	}
	return first(pic)
}

// first is where the cursor stands before it was moved: where the first chain ends.
func first(pic *picture) int {
	for _, ch := range pic.chains {
		if n, ok := pic.at[ch.addr.active]; ok {
			return n
		}
	}
	for _, r := range pic.regions {
		for _, z := range r.zones {
			return z.nodes[0]
		}
	}
	return -1
}

// followed is the chain that is drawn; -1 without any.
func (p *Page) followed() int {
	pic := p.picture()
	for i := range pic.chains {
		if pic.chains[i].tag == p.chain {
			return i
		}
	}
	return min(0, len(pic.chains)-1)
}

// Actions implements ui.Page.
func (p *Page) Actions() []ui.Action {
	off := ""
	if p.at() < 0 {
		off = p.c.T("topology.off-no-node")
	}
	out := []ui.Action{
		{ID: "open", Key: "enter", Help: p.c.T("topology.do-open"), Off: off},
		{ID: "paths", Key: "p", Help: p.c.T("topology.do-paths"), Off: off},
	}
	few := ""
	if len(p.picture().chains) < 2 {
		few = p.c.T("topology.off-one-chain")
	}
	return append(out,
		ui.Action{ID: "next", Key: "]", Help: p.c.T("topology.do-next"), Off: few, Quiet: few != ""},
		ui.Action{ID: "previous", Key: "[", Help: p.c.T("topology.do-previous"), Off: few, Quiet: true},
		ui.Action{ID: "copy", Key: "y", Help: p.c.T("topology.do-copy"), Off: off})
}

// Do implements ui.Page.
func (p *Page) Do(id string) tea.Cmd {
	n := p.at()
	switch id {
	case "next":
		p.follow(1)
	case "previous":
		p.follow(-1)
	}
	if n < 0 {
		return nil
	}
	node := p.picture().nodes[n]
	switch id {
	case "open":
		return ui.Go(ui.Server, node.st.Name)
	case "paths":
		return ui.Show(newPaths(p.c, node.st.Name))
	case "copy":
		if addr := ui.Clean(node.srv.Address); addr != "" {
			return ui.Copy(addr, addr)
		}
		return ui.Copy(node.name, node.name)
	}
	return nil
}

// follow goes to another chain.
func (p *Page) follow(by int) {
	if all := p.picture().chains; len(all) > 0 {
		p.chain = all[(p.followed()+by+len(all))%len(all)].tag
	}
}

// Update implements ui.Page.
func (p *Page) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case ui.Click:
		if p.lay == nil || msg.Y >= p.h {
			return nil
		}
		for i, r := range p.lay.nodes {
			if r.has(msg.X+p.x, msg.Y+p.y) {
				p.node = p.picture().nodes[i].st.Name
			}
		}
	case ui.Wheel:
		p.move(0, msg.By)
	case tea.KeyPressMsg:
		switch msg.String() {
		case "up", "k":
			p.move(0, -1)
		case "down", "j":
			p.move(0, 1)
		case "left", "h":
			p.move(-1, 0)
		case "right", "l":
			p.move(1, 0)
		}
	}
	return nil
}

// move puts the cursor on the nearest node in a direction. What lies straight ahead
// is nearer than what lies aside; a cell is about twice as high as it is wide.
func (p *Page) move(dx, dy int) {
	n := p.at()
	if n < 0 || p.lay == nil || n >= len(p.lay.nodes) {
		return
	}
	best, cost := -1, 0
	fx, fy := middle(p.lay.nodes[n])
	for i, r := range p.lay.nodes {
		x, y := middle(r)
		ahead, aside := (x-fx)*dx+2*(y-fy)*dy, abs((x-fx)*dy)+2*abs((y-fy)*dx)
		if ahead <= 0 {
			continue
		}
		if c := ahead + 3*aside; best < 0 || c < cost {
			best, cost = i, c
		}
	}
	if best >= 0 {
		p.node = p.picture().nodes[best].st.Name
	}
}

func middle(r rect) (x, y int) { return r.x + r.w/2, r.y + r.h/2 }

func abs(n int) int { return max(n, -n) }

// View implements ui.Page.
func (p *Page) View(w, h int) string {
	pic := p.picture()
	if len(pic.nodes) == 0 {
		return p.nothing(w, h)
	}
	below := detailRows(h)
	p.w, p.h = w, h-below
	lay := p.layout(w, p.h)
	if lay.h < p.h { // what the drawing leaves is for the details
		below, p.h = h-lay.h, lay.h
	}
	p.scroll(lay)
	p.more = p.c.Theme.Accent.Render(beyond(p.c, lay, p))
	out := draw(p.c, pic, lay, p.at(), p.followed()).View(p.x, p.y, w, p.h)
	if below > 0 {
		out += "\n" + ui.Lines(p.details(w, below), w, below)
	}
	return out
}

// detailRows is how much the details below the drawing get of a page's height.
func detailRows(h int) int {
	switch {
	case h < 21:
		return 2
	case h < 26:
		return 3
	case h < 44:
		return 7
	}
	return 10
}

// scroll moves the visible part so that the node under the cursor is in it; from the
// first row of nodes one sees the top.
func (p *Page) scroll(l *layout) {
	p.x, p.y = min(p.x, max(0, l.w-p.w)), min(p.y, max(0, l.h-p.h))
	n := p.at()
	if n < 0 {
		return
	}
	r := l.nodes[n]
	p.x = min(p.x, max(0, r.x-4))
	p.x = max(p.x, r.right()+4-p.w, 0)
	p.y = min(p.y, r.y-2)
	p.y = max(p.y, r.bottom()+3-p.h, 0)
	if r.bottom() < p.h {
		p.y = 0
	}
	p.x, p.y = min(p.x, max(0, l.w-p.w)), min(p.y, max(0, l.h-p.h))
}

// beyond are marks for the sides on which there is more than is visible.
func beyond(c *ui.Context, l *layout, p *Page) (s string) {
	for _, x := range []struct {
		is   bool
		mark string
	}{{p.x > 0, c.Left}, {p.x+p.w < l.w, c.Arrow}, {p.y > 0, c.Up}, {p.y+p.h < l.h, c.Down}} {
		if x.is {
			s += " " + x.mark
		}
	}
	return s
}

// nothing is shown instead of a drawing.
func (p *Page) nothing(w, h int) string {
	word := p.c.T("topology.empty")
	if !p.c.Est.Known() && p.c.Est.At.IsZero() {
		word = p.c.T("common.loading")
	}
	lines := make([]string, max(0, h/3))
	for _, l := range ui.Wrap(word, min(60, w-4)) {
		lines = append(lines, "  "+p.c.Dim.Render(l))
	}
	return ui.Lines(lines, w, h)
}
