// Package simulate is the page of "what if": a list of failures to tick (a server, a
// zone, a region, a resource, several at once) beside what the engine would make of them
// on the estate as it is now: each decision with its reasons, and the plans.
//
// Nothing happens in earnest. The very decisions that the engine makes (package policy)
// are made here on a copy, in a command beside the screen, since a large estate takes
// its time; no server is asked and no engine is called. Servers that are lost now are
// lost in the simulation, too, unless they are unticked.
//
// It runs anew whenever the ticks or what is in service change, one run at a time; in a
// very large estate only when a person asks for it.
package simulate

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Page is the page.
type Page struct {
	c      *ui.Context
	filter string

	// What is ticked. A server that is lost now counts as ticked until somebody says no.
	nodes map[string]bool
	res   map[hierarchy.Tag]bool
	works bool // a repair on the spot works

	est  *model.Estate // what rows were made from
	made string
	lang text.Lang
	rows []row
	list ui.List
	key  string // the row under the cursor

	reading bool // the result has the keys, not the list
	narrow  bool // only one of both fits
	top     int  // line of the first row in the last view
	tall    int
	wide    int // how wide the list was
	need    int // how wide the longest resource's row is

	running bool
	redo    bool   // the definition is another one
	want    string // the situation that is ticked now; "" = nothing fails
	asked   string // the one that the result, or the run under way, is about
	out     *result
	scroll  ui.Scroll
	drawn   drawn
}

// result is what became of a situation.
type result struct {
	situation
	out *policy.Simulated
	err error
}

// New makes it; arg is a server that is lost to begin with, "" = none.
func New(c *ui.Context, arg string) *Page {
	p := &Page{c: c, nodes: map[string]bool{}, res: map[hierarchy.Tag]bool{}}
	if arg != "" {
		p.nodes[arg] = true
		p.key = "node " + arg
	}
	return p
}

// Init runs what is ticked from the start.
func (p *Page) Init() tea.Cmd { return p.run() }

// Title implements ui.Page.
func (p *Page) Title() string { return p.c.T("root.page-simulate") }

// Filter implements ui.Filterer.
func (p *Page) Filter(words string) { p.filter = words; p.reading = false }

// Filtered implements ui.Filterer.
func (p *Page) Filtered() string { return p.filter }

// Actions implements ui.Page.
func (p *Page) Actions() []ui.Action {
	t := p.c.T
	off, none := "", ""
	if r := p.current(); r == nil || !r.ticks() {
		off = t("simulate.off-row")
	}
	if p.want == "" {
		none = t("simulate.off-nothing")
	}
	if p.reading {
		back := []ui.Action{{ID: "choose", Key: "left", Help: t("simulate.do-choose")}, {ID: "copy", Key: "y", Help: t("simulate.do-copy"), Off: none},
			{ID: "switch", Key: "tab", Help: t("simulate.do-choose"), Quiet: true}}
		if p.narrow {
			back = append(back, ui.Action{ID: "back", Key: "esc", Help: t("simulate.do-choose"), Quiet: true})
		}
		return back
	}
	return []ui.Action{
		{ID: "tick", Key: "space", Help: t("simulate.do-tick"), Off: off},
		{ID: "read", Key: "enter", Help: t("simulate.do-read"), Off: none},
		{ID: "clear", Key: "x", Help: t("simulate.do-clear"), Off: none},
		{ID: "copy", Key: "y", Help: t("simulate.do-copy"), Off: none},
		{ID: "right", Key: "right", Help: t("simulate.do-read"), Off: none, Quiet: true},
		{ID: "switch", Key: "tab", Help: t("simulate.do-read"), Off: none, Quiet: true},
	}
}

// Do implements ui.Page.
func (p *Page) Do(id string) tea.Cmd {
	switch id {
	case "tick":
		if r := p.current(); r != nil {
			p.tick(r)
		}
		return p.run()
	case "read", "right":
		p.reading = p.want != ""
		return p.start(true)
	case "choose", "back":
		p.reading = false
	case "switch":
		if p.reading = !p.reading && p.want != ""; p.reading {
			return p.start(true)
		}
	case "clear":
		p.clear()
		return p.run()
	case "copy":
		cmd := p.situation().command()
		return ui.Copy(cmd, p.c.T("simulate.the-command"))
	}
	return nil
}

// Update implements ui.Page.
func (p *Page) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case doneMsg:
		if msg.p == p {
			return p.done(msg)
		}
		return nil
	case ui.Happened:
		if msg.Event.Kind == "definition" {
			p.redo = true // by the next snapshot, which has it
		}
		return nil
	case ui.Fresh:
		return p.run()
	case ui.Tick:
		return nil
	case ui.Click:
		return p.click(msg)
	}
	p.derive()
	if p.reading {
		p.scroll.Update(msg)
		return nil
	}
	if p.list.Update(msg) {
		if r := p.current(); r != nil {
			p.key = r.key
		}
	}
	return nil
}

func (p *Page) click(m ui.Click) tea.Cmd {
	p.derive()
	switch {
	case p.narrow && p.reading:
		return nil
	case !p.narrow && m.X >= p.wide:
		p.reading = p.want != ""
		return p.start(true)
	case m.Y < p.top || m.Y >= p.top+p.tall:
		return nil
	}
	p.reading = false
	if _, ok := p.list.Hit(m.Y - p.top); !ok {
		return nil
	}
	r := p.current()
	p.key = r.key
	if r.ticks() {
		p.tick(r)
	}
	return p.run()
}

func (p *Page) current() *row {
	p.derive()
	if p.list.At < len(p.rows) {
		return &p.rows[p.list.At]
	}
	return nil
}

// doneMsg is the end of a run.
type doneMsg struct {
	p   *Page
	key string
	res *result
}

// atOnce is up to how many resources a tick decides at once: at most a second's work,
// beside the screen, when everything there is fails over. More a person asks for with enter.
const atOnce = 20_000

// run simulates what is ticked now where that is quick.
func (p *Page) run() tea.Cmd { return p.start(len(p.c.Est.Resources) <= atOnce) }

// start simulates what is ticked now, unless that is known or under way. It tells nobody
// but this page.
func (p *Page) start(now bool) tea.Cmd {
	var s situation
	key := ""
	if p.anything() {
		s = p.situation()
		key = s.key()
	}
	p.want = key
	if key == p.asked && !p.redo || p.running {
		return nil
	}
	if key == "" {
		p.asked, p.out, p.reading, p.redo = "", nil, false, false
		return nil
	}
	if !now {
		if p.redo {
			p.asked, p.out, p.redo = "", nil, false
		}
		return nil
	}
	p.asked, p.redo, p.running = key, false, true
	x, reg, at := p.c.Est.Index, p.c.Kits, p.c.Now
	return func() tea.Msg {
		out, err := policy.SimulateOn(x, reg, at, s.imagined)
		return doneMsg{p, key, &result{s, out, err}}
	}
}

func (p *Page) done(msg doneMsg) tea.Cmd {
	p.running = false
	if msg.key == p.asked {
		p.out, p.scroll.Top = msg.res, 0
	}
	return p.run()
}

// anything tells whether something may fail at all.
func (p *Page) anything() bool {
	for _, on := range p.res {
		if on {
			return true
		}
	}
	for i := range p.c.Est.Nodes {
		if p.down(p.c.Est.Nodes[i].Name) {
			return true
		}
	}
	return false
}

// down tells whether a server is lost in the simulation.
func (p *Page) down(server string) bool {
	if on, said := p.nodes[server]; said {
		return on
	}
	return p.lostNow(server)
}

func (p *Page) lostNow(server string) bool {
	n := p.c.Est.Node(server)
	return n != nil && (n.Verdict == policy.Presumed || n.Verdict == policy.Dead)
}

// tick turns a row on or off. A zone or a region stands for its servers.
func (p *Page) tick(r *row) {
	switch {
	case r.kind == rowWorks:
		p.works = !p.works
	case r.tag != "":
		p.res[r.tag] = !p.res[r.tag]
	default:
		on := !p.allDown(r.servers)
		for _, s := range r.servers {
			p.nodes[s] = on
		}
	}
}

func (p *Page) allDown(servers []string) bool {
	return !slices.ContainsFunc(servers, func(s string) bool { return !p.down(s) })
}

// clear takes every tick away, those of servers that are lost now, too.
func (p *Page) clear() {
	clear(p.res)
	clear(p.nodes)
	for i := range p.c.Est.Nodes {
		if n := p.c.Est.Nodes[i].Name; p.lostNow(n) {
			p.nodes[n] = false
		}
	}
	p.works = false
}
