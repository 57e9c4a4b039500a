package operations

import (
	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Page is the page.
type Page struct {
	c *ui.Context

	rows   []*row // all, newest first
	byID   map[string]*row
	shown  []*row // those that the filter lets through
	filter string
	lang   text.Lang // in which the rows' texts are

	list ui.List
	cur  string // the id under the cursor, which outlives new rows
	full bool   // the one under the cursor has the whole page
	look ui.Scroll
	// moved: the person scrolled by hand, so what runs is no longer kept in sight.
	moved bool
	kept  kept
	side  int // where the list ends, for clicks; 0 = it has the whole width
	head  int // lines above the list

	loads
}

// New makes it; arg is the id of an operation to open, or empty.
func New(c *ui.Context, arg string) *Page {
	p := &Page{c: c, byID: map[string]*row{}, cur: arg, full: arg != "", lang: c.Printer.Lang, loads: loads{limit: firstLoad}}
	p.takeRunning()
	return p
}

// Init asks for past operations when the page is opened.
func (p *Page) Init() tea.Cmd { return p.load() }

// Title implements ui.Page.
func (p *Page) Title() string { return p.c.T("root.page-operations") }

// at is the operation under the cursor; nil when there is none.
func (p *Page) at() *row {
	if p.list.At < len(p.shown) {
		return p.shown[p.list.At]
	}
	return nil
}

// Actions implements ui.Page.
func (p *Page) Actions() []ui.Action {
	t, off := p.c.T, ""
	if p.at() == nil {
		off = t("operations.off-none")
	}
	first := ui.Action{ID: "open", Key: "enter", Help: t("operations.key-open"), Off: off}
	if p.full {
		first = ui.Action{ID: "close", Key: "esc", Help: t("operations.key-list")}
	}
	return []ui.Action{
		first,
		{ID: "resource", Key: "v", Help: t("operations.key-resource"), Off: off},
		{ID: "copy", Key: "y", Help: t("operations.key-copy"), Off: off},
		{ID: "copy-id", Key: "Y", Help: t("operations.key-copy-id"), Off: off, Quiet: true},
		{ID: "again", Key: "ctrl+r", Help: t("operations.key-again"), Quiet: p.bad == nil},
	}
}

// Do implements ui.Page.
func (p *Page) Do(id string) tea.Cmd {
	switch id {
	case "close":
		p.full = false
		return nil
	case "again":
		return p.load()
	}
	r := p.at()
	if r == nil {
		return nil
	}
	switch id {
	case "open":
		p.full, p.moved, p.look.Top = true, false, 0
	case "resource":
		return ui.Go(ui.Resource, string(r.op.Plan.Goal.Tag))
	case "copy":
		line := "ferry operations " + ui.Clean(r.op.ID)
		return ui.Copy(line, line)
	case "copy-id":
		return ui.Copy(ui.Clean(r.op.ID), ui.Clean(r.op.ID))
	}
	return nil
}

// Filter implements ui.Filterer.
func (p *Page) Filter(words string) {
	if p.filter != words {
		p.filter = words
		p.choose()
	}
}

// Filtered implements ui.Filterer.
func (p *Page) Filtered() string { return p.filter }

// Update implements ui.Page.
func (p *Page) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case loaded:
		if msg.p == p {
			return p.took(msg)
		}
		return nil
	case ui.Fresh:
		p.takeRunning()
		return p.loadIf(p.lostTrack() || p.bad != nil)
	case ui.Progress:
		o := msg.Operation
		p.put(&o)
		p.choose()
		return nil
	case ui.Happened:
		return p.loadIf(msg.Event.Op != "" && p.byID[msg.Event.Op] == nil)
	case ui.Tick:
		return p.loadIf(false)
	case ui.Click:
		return p.click(msg)
	}
	return p.move(msg)
}

// move gives keys and the wheel to what is scrolled.
func (p *Page) move(msg tea.Msg) tea.Cmd {
	if p.full {
		if p.look.Update(msg) {
			p.moved = true
		}
		return nil
	}
	if !p.list.Update(msg) {
		return nil
	}
	return p.pointed()
}

// pointed follows the cursor: it is remembered by its operation, and at the end of the
// list older ones are asked for.
func (p *Page) pointed() tea.Cmd {
	if r := p.at(); r != nil && p.cur != r.op.ID {
		p.cur, p.look.Top, p.moved = r.op.ID, 0, false
	}
	if p.list.At == len(p.shown)-1 && p.older() {
		return p.load()
	}
	return nil
}

func (p *Page) click(at ui.Click) tea.Cmd {
	if p.full || p.side > 0 && at.X >= p.side {
		return nil
	}
	before := p.list.At
	if i, ok := p.list.Hit(at.Y - p.head); ok {
		if i == before { // a second click opens it
			return p.Do("open")
		}
		return p.pointed()
	}
	return nil
}

// operation is what is under the cursor.
func (p *Page) operation() *api.Operation {
	if r := p.at(); r != nil {
		return r.op
	}
	return nil
}
