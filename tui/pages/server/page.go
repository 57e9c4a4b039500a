package server

import (
	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// panel is a part of the page.
type panel interface {
	title() string
	// fresh hears that the snapshot is another one.
	fresh()
	// actions are what only this panel can do.
	actions() []ui.Action
	do(id string) tea.Cmd
	// update gets keys that move; it tells whether it had a use for one.
	update(msg tea.Msg) (tea.Cmd, bool)
	view(w, h int, focus bool) string
	// rows is how many lines it would like to have.
	rows(w int) int
}

// The panels, in the order in which one goes through them.
const (
	general = iota
	flags
	tuning
	paths
	resources
)

// Page is one server.
type Page struct {
	c      *ui.Context
	name   string
	made   *model.Estate
	panels []panel
	at     int
	spots  []spot // where panels were drawn
}

type spot struct {
	panel, x, y, w, h int
}

// New makes the page of a server, or the list of servers when none is named.
func New(c *ui.Context, name string) ui.Page {
	if name == "" {
		return newList(c)
	}
	p := &Page{c: c, name: name}
	p.panels = []panel{newGeneral(p), newFlags(p), newTuning(p), newPaths(p), newResources(p)}
	return p
}

// Title implements ui.Page.
func (p *Page) Title() string { return ui.Clean(p.name) }

func (p *Page) node() *api.NodeStatus { return p.c.Est.Node(p.name) }

// server is the definition; never nil.
func (p *Page) server() *hierarchy.Server {
	if s := p.c.Est.Index.Server(p.name); s != nil {
		return s
	}
	return &hierarchy.Server{Name: p.name}
}

// sync lets the panels derive what they show when the snapshot is another one.
func (p *Page) sync() {
	if p.made == p.c.Est {
		return
	}
	p.made = p.c.Est
	for _, x := range p.panels {
		x.fresh()
	}
}

// gone tells that the estate has no such server.
func (p *Page) gone() bool { return p.node() == nil }

// Typing implements ui.Typer.
func (p *Page) Typing() bool { return p.tuning().in != nil }

func (p *Page) flags() *flagPanel    { return p.panels[flags].(*flagPanel) }
func (p *Page) tuning() *tuningPanel { return p.panels[tuning].(*tuningPanel) }

// Actions implements ui.Page.
func (p *Page) Actions() []ui.Action {
	p.sync()
	if p.gone() {
		return nil
	}
	admin, operator := p.c.MayAct(api.Administrator), p.c.MayAct(api.Operator)
	out := p.panels[p.at].actions()
	shut := p.c.T("server.do-shutdown-over")
	if p.server().SwitchOnShutdown {
		shut = p.c.T("server.do-shutdown-stay")
	}
	return append(out,
		ui.Action{ID: "flags", Key: "f", Help: p.c.T("server.do-flags"), Quiet: p.at == flags},
		ui.Action{ID: "tuning", Key: "t", Help: p.c.T("server.do-tuning"), Quiet: p.at == tuning},
		ui.Action{ID: "hold", Key: "m", Help: p.c.T("server.do-hold"), Off: operator},
		ui.Action{ID: "shutdown", Key: "s", Help: shut, Off: admin},
		ui.Action{ID: "doctor", Key: "c", Help: p.c.T("server.do-doctor")},
		ui.Action{ID: "next", Key: "]", Help: p.c.T("server.do-next"), Quiet: true},
		ui.Action{ID: "previous", Key: "[", Help: p.c.T("server.do-previous"), Quiet: true},
		ui.Action{ID: "copy", Key: "y", Help: p.c.T("server.do-copy")})
}

// Do implements ui.Page.
func (p *Page) Do(id string) tea.Cmd {
	p.sync()
	switch id {
	case "flags":
		p.at = flags
	case "tuning":
		p.at = tuning
	case "next":
		return p.other(1)
	case "previous":
		return p.other(-1)
	case "hold":
		return ui.Show(newHold(p.c, p.name))
	case "doctor":
		return ui.Go(ui.Doctor, p.name)
	case "shutdown":
		return ui.Do(p.shutdownWish())
	case "copy":
		s := sshCommand(p.c.Est.Index.Estate(), p.server())
		return ui.Copy(s, s)
	default:
		return p.panels[p.at].do(id)
	}
	return nil
}

// other goes to another server's page.
func (p *Page) other(by int) tea.Cmd {
	all := p.c.Est.Nodes
	for i := range all {
		if all[i].Name == p.name {
			return ui.Go(ui.Server, all[(i+by+len(all))%len(all)].Name)
		}
	}
	return nil
}

// Update implements ui.Page.
func (p *Page) Update(msg tea.Msg) tea.Cmd {
	p.sync()
	switch msg := msg.(type) {
	case judgedMsg:
		return p.flags().judged(msg)
	case triedMsg:
		return p.tuning().tried(msg)
	case ui.Click:
		return p.click(msg)
	}
	if p.Typing() {
		return p.tuning().typed(msg)
	}
	cmd, used := p.panels[p.at].update(msg)
	if k, ok := msg.(tea.KeyPressMsg); ok && !used {
		switch k.String() {
		case "left", "h", "shift+tab":
			p.at = (p.at + len(p.panels) - 1) % len(p.panels)
		case "right", "l", "tab": // tab comes here only where one estate is open
			p.at = (p.at + 1) % len(p.panels)
		}
	}
	return cmd
}

// click puts the focus on a panel, and the cursor on what is in it.
func (p *Page) click(m ui.Click) tea.Cmd {
	if p.Typing() {
		return nil
	}
	for _, s := range p.spots {
		if m.X >= s.x && m.X < s.x+s.w && m.Y >= s.y && m.Y < s.y+s.h {
			p.at = s.panel
			cmd, _ := p.panels[s.panel].update(ui.Click{X: m.X - s.x - 2, Y: m.Y - s.y - 1})
			return cmd
		}
	}
	return nil
}

// View implements ui.Page.
func (p *Page) View(w, h int) string {
	p.sync()
	p.spots = p.spots[:0]
	switch {
	case p.gone():
		return ui.Lines([]string{"", "  " + p.c.T("server.gone", "node", ui.Clean(p.name))}, w, h)
	case w >= 110 && h >= 28:
		return p.viewAll(w, h)
	}
	return p.viewOne(w, h)
}

// viewOne shows the panel that has the focus, below the names of all.
func (p *Page) viewOne(w, h int) string {
	box := p.box(p.at, 0, 1, w, h-1, true)
	bar, x := " ", 1
	for i, o := range p.panels {
		s := " " + o.title() + " "
		p.spots = append(p.spots, spot{i, x, 0, ui.Width(s), 1})
		x += ui.Width(s)
		if i == p.at {
			bar += p.c.Theme.Cursor.Render(s)
		} else {
			bar += p.c.Dim.Render(s)
		}
	}
	return ui.Fit(bar, w) + "\n" + box
}

// box draws a panel in its frame, with the server's name where no other panel has it.
func (p *Page) box(i, x, y, w, h int, named bool) string {
	p.spots = append(p.spots, spot{i, x, y, w, h})
	focus := i == p.at
	body := p.panels[i].view(w-4, h-2, focus) // before the title, which tells what part is visible
	title := p.panels[i].title()
	if focus {
		title = p.c.Closed + " " + title
	}
	if named {
		mark, _ := verdictLook(p.c, p.node().Verdict)
		title += "  " + mark + " " + ui.Clean(p.name) + "  " + verdictWord(p.c, p.node().Verdict)
	}
	return ui.Box(p.c.Theme, title, body, w, h, focus)
}

// viewAll shows all panels: what the server is on the left, what can be set on the right.
func (p *Page) viewAll(w, h int) string {
	left := min(max(w*2/5, 48), 84)
	right := w - left
	rest := h
	take := func(i, width, most int) int {
		n := min(p.panels[i].rows(width-4)+2, most)
		rest -= n
		return n
	}
	rest = h
	hg := take(general, left, h-10)
	hp := take(paths, left, max(5, rest-5))
	hr := rest
	rest = h
	hf := take(flags, right, h/2)
	ht := rest
	a := p.box(general, 0, 0, left, hg, true) + "\n" + p.box(paths, 0, hg, left, hp, false) + "\n" + p.box(resources, 0, hg+hp, left, hr, false)
	b := p.box(flags, left, 0, right, hf, false) + "\n" + p.box(tuning, left, hf, right, ht, false)
	return ui.Beside("", a, b)
}
