package demo

import (
	"cmp"
	"context"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Kind is the page of things to break.
const Kind ui.Kind = "break"

// look is what the page knows of the simulated world; the engine knows nothing of it.
type look struct {
	broken map[string]bool
	off    map[string]bool // nodes without power
	probe  Probe
	at     time.Time // when it was looked
}

// The page's own messages.
type (
	lookedMsg  struct{ look look }
	toggledMsg struct {
		item  *Breakage
		broke bool
		err   error
	}
	mendedMsg struct{ err error }
)

// look asks the world.
func (d *Demo) look() look {
	l := look{broken: map[string]bool{}, off: map[string]bool{}, probe: d.Probe(), at: time.Now()}
	for _, b := range d.items {
		if !b.Broken() {
			continue
		}
		l.broken[b.ID] = true
		if b.Kind == "power" {
			l.off[b.Node] = true
		}
	}
	return l
}

// page is the menu of things to break.
type page struct {
	c     *ui.Context
	d     *Demo
	list  ui.List
	look  look
	asked bool // a look is under way
}

// Page makes the console's page of things to break.
func (d *Demo) Page(c *ui.Context) ui.Page {
	p := &page{c: c, d: d, look: d.look()}
	p.list.SetN(len(d.items))
	return p
}

func (p *page) Title() string { return p.c.T("demo.title") }

// Actions are breaking and mending; everything on the menu is one, too, so that the
// palette finds it.
func (p *page) Actions() []ui.Action {
	help := p.c.T("demo.key-break")
	if p.look.broken[p.item().ID] {
		help = p.c.T("demo.key-mend")
	}
	out := []ui.Action{{ID: "toggle", Key: "enter", Help: help}, {ID: "mend-all", Key: "M", Help: p.c.T("demo.key-mend-all"), Off: p.whole()}}
	for _, b := range p.d.items {
		out = append(out, ui.Action{ID: b.ID, Help: p.what(b), Quiet: true})
	}
	return out
}

func (p *page) whole() string {
	if len(p.look.broken) == 0 {
		return p.c.T("demo.off-whole")
	}
	return ""
}

func (p *page) item() *Breakage { return p.d.items[p.list.At] }

// Do breaks or mends. ReadOnly is about the engine; the world breaks whoever looks on.
func (p *page) Do(id string) tea.Cmd {
	switch id {
	case "toggle":
		return p.toggle(p.item())
	case "mend-all":
		return p.c.Call(func(context.Context, api.Service) tea.Msg { return mendedMsg{p.d.MendAll()} })
	}
	if b := p.d.Find(id); b != nil {
		return p.toggle(b)
	}
	return nil
}

func (p *page) toggle(b *Breakage) tea.Cmd {
	return p.c.Call(func(context.Context, api.Service) tea.Msg {
		broke, err := b.Toggle()
		return toggledMsg{b, broke, err}
	})
}

// Init looks for the first time.
func (p *page) Init() tea.Cmd { return p.refresh() }

func (p *page) refresh() tea.Cmd {
	if p.asked {
		return nil
	}
	p.asked = true
	return p.c.Call(func(context.Context, api.Service) tea.Msg { return lookedMsg{p.d.look()} })
}

func (p *page) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case lookedMsg:
		p.look, p.asked = msg.look, false
	case ui.Fresh, ui.Tick:
		return p.refresh()
	case toggledMsg:
		return tea.Batch(p.refresh(), p.tell(msg))
	case mendedMsg:
		if msg.err != nil {
			return tea.Batch(p.refresh(), ui.Complain(ui.Clean(msg.err.Error())))
		}
		return tea.Batch(p.refresh(), ui.Say(p.c.T("demo.mended-all")))
	case ui.Click:
		if _, ok := p.list.Hit(msg.Y - p.above()); ok {
			return nil
		}
	default:
		p.list.Update(msg)
	}
	return nil
}

// tell says what was done.
func (p *page) tell(msg toggledMsg) tea.Cmd {
	switch what := p.what(msg.item); {
	case msg.err != nil:
		return ui.Complain(ui.Clean(msg.err.Error()))
	case msg.broke:
		return ui.Say(p.c.T("demo.broke", "what", what))
	default:
		return ui.Say(p.c.T("demo.mended", "what", what))
	}
}

// words of an item.
func (p *page) what(b *Breakage) string { return p.word("what", b) }

func (p *page) word(which string, b *Breakage) string {
	kind := b.Kind
	if which == "expect" {
		kind = cmp.Or(b.Words, kind)
	}
	return p.c.T("demo."+which+"-"+kind, "node", b.Node, "peer", b.Other)
}

// How many lines the parts of the page take.
const (
	guideLines   = 3
	explainLines = 5
)

// above is how many lines stand above the list.
func (p *page) above() int { return guideLines + 4 }

// View draws the guide, what a client finds, the menu, and what the item under the
// cursor is about.
func (p *page) View(w, h int) string {
	rule := p.c.Theme.Frame.Render(strings.Repeat(p.c.H, w))
	head := append(p.guide(w), rule)
	head = append(head, p.client(w), p.rows(w), rule)
	explain := append([]string{rule}, p.explain(w)...)
	n := max(1, h-len(head)-1-explainLines)
	list := p.list.View(w, n, func(i int, at bool) string { return p.row(i, at, w) })
	lines := append(head, strings.Split(list, "\n")...)
	return ui.Lines(append(lines, explain...), w, h)
}

// guide is what to try next.
func (p *page) guide(w int) []string {
	s := guide(p.c.Est, p.c.Now, p.d.servers(), p.look.off)
	text := p.c.T("demo.step-"+string(s.Step), "node", s.Node, "to", s.To, "left", p.c.Span(max(0, s.Left).Truncate(time.Second)))
	label := " " + p.c.T("demo.next") + " "
	var out []string
	for i, line := range ui.Wrap(text, max(10, w-ui.Width(label)-1)) {
		if i > 0 {
			label = strings.Repeat(" ", ui.Width(label))
		}
		out = append(out, p.c.Accent.Render(label)+p.c.Strong.Render(line))
	}
	for len(out) < guideLines {
		out = append(out, "")
	}
	return out[:guideLines]
}

// client is what somebody who uses the service finds.
func (p *page) client(w int) string {
	x := p.look.probe
	age := p.c.Span(max(time.Second, p.look.at.Sub(x.Since).Truncate(time.Second)))
	way := x.Name
	if x.Address != "" {
		way += " " + p.c.Arrow + " " + x.Address
	}
	label := p.c.Dim.Render(" " + p.c.T("demo.client") + " ")
	var s string
	switch {
	case x.Node != "" && x.Outage > 0:
		s = label + way + " " + p.c.Arrow + " " + p.c.Good.Render(p.c.InService+" "+p.c.T("demo.client-again", "node", x.Node, "span", p.c.Span(x.Outage)))
	case x.Node != "":
		s = label + way + " " + p.c.Arrow + " " + p.c.Good.Render(p.c.InService+" "+p.c.T("demo.client-served", "node", x.Node, "age", age))
	case x.Served:
		s = label + p.c.Bad.Render(p.c.Failed+" "+p.c.T("demo.client-down", "age", age)) + " " + way
	default:
		s = label + p.c.Unknown.Render(p.c.NotKnown+" "+p.c.T("demo.client-waits")) + " " + way
	}
	return ui.Fit(s, w)
}

// rows is what became of what the client has written, or why it cannot write.
func (p *page) rows(w int) string {
	x := p.look.probe
	s := strings.Repeat(" ", ui.Width(" "+p.c.T("demo.client")+" "))
	switch {
	case x.Node == "" || x.Row == 0:
		s += p.c.Dim.Render(ui.Clean(x.Problem))
	case x.Lost > 0:
		s += p.c.Bad.Render(p.c.T("demo.client-lost", "row", x.Row, "lost", x.Lost))
	default:
		s += p.c.Text.Render(p.c.T("demo.client-rows", "row", x.Row))
	}
	return ui.Fit(s, w)
}

// row is one line of the menu: where it belongs, a check box, what it is, what ferry sees.
func (p *page) row(i int, at bool, w int) string {
	b := p.d.items[i]
	group := ""
	if i == 0 || p.d.items[i-1].Group != b.Group || i == p.list.Top {
		group = p.c.T("demo.group-" + b.Group)
	}
	box := "[" + p.c.Off + "] "
	if p.look.broken[b.ID] {
		box = "[" + p.c.On + "] "
	}
	left := " " + ui.Fit(group, 10) + " " + box + p.what(b)
	right, style := p.now(b)
	right = ui.Cut(right, max(0, w-ui.Width(left)-3), p.c.Ellipsis)
	pad := strings.Repeat(" ", max(1, w-ui.Width(left)-ui.Width(right)-1))
	switch {
	case at:
		return p.c.Cursor.Render(ui.Fit(left+pad+right, w))
	case p.look.broken[b.ID]:
		return p.c.Warn.Render(left) + pad + style(right)
	}
	return p.c.Text.Render(left) + pad + style(right)
}

// now is what there is to see of an item at this moment.
func (p *page) now(b *Breakage) (string, func(...string) string) {
	if b.Group != groupNodes {
		if p.look.broken[b.ID] {
			return p.c.T("demo.broken"), p.c.Warn.Render
		}
		return "", p.c.Dim.Render
	}
	n := p.c.Est.Node(b.Node)
	if n == nil {
		return "", p.c.Dim.Render
	}
	mark, style := p.c.Alive, p.c.Good.Render
	switch n.Verdict {
	case policy.Alive:
	case policy.Degraded:
		mark, style = p.c.Degraded, p.c.Warn.Render
	case policy.Unknown:
		mark, style = p.c.NotKnown, p.c.Unknown.Render
	default:
		mark, style = p.c.Dead, p.c.Bad.Render
	}
	s := mark + " " + p.c.T("common.verdict-"+string(n.Verdict))
	if r := root(p.c.Est); r != nil && r.Active == b.Node {
		if in := p.c.Est.Cell(r.Tag, b.Node); in != nil && in.State.InService() {
			s = p.c.T("demo.serves") + "  " + s
		}
	}
	return s, style
}

// explain is what the item under the cursor does and what is to be seen then.
func (p *page) explain(w int) []string {
	b := p.item()
	return ui.Pairs(p.c.Theme, w, " "+p.c.T("demo.does"), p.word("does", b), " "+p.c.T("demo.expect"), p.word("expect", b))
}
