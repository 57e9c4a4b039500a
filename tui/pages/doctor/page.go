package doctor

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Page is the page.
type Page struct {
	c    *ui.Context
	node string // only what concerns this server; empty = all

	checks   map[string]doctor.Check
	findings []doctor.Finding // as they came last
	at       time.Time        // when that was; zero = never
	took     time.Duration
	bad      error     // what the last examination came to instead
	running  time.Time // since when one runs; zero = none does
	try      int       // answers of another one are late

	rows   []row
	counts map[doctor.Verdict]int
	passed bool // those that passed are shown, too
	filter string
	lang   text.Lang // in which the rows are

	list ui.List
	cur  string // the id under the cursor, which outlives new findings
	full bool   // the one under the cursor has the whole page
	look ui.Scroll
	side int // where the list ends, for clicks; 0 = it has the whole width
	head int // lines above the list
}

// New makes it; arg is a server, or empty.
func New(c *ui.Context, arg string) *Page {
	p := &Page{c: c, node: arg, checks: map[string]doctor.Check{}, lang: c.Printer.Lang}
	for _, x := range doctor.Checks() {
		p.checks[x.ID] = x
	}
	p.choose()
	return p
}

// Init examines when the page is opened.
func (p *Page) Init() tea.Cmd {
	if p.mayExamine() != "" {
		return nil
	}
	return p.examine()
}

// Title implements ui.Page.
func (p *Page) Title() string {
	if p.node == "" {
		return p.c.T("root.page-doctor")
	}
	return p.c.T("doctor.title", "node", ui.Clean(p.node))
}

// Actions implements ui.Page.
func (p *Page) Actions() []ui.Action {
	t, f := p.c.T, p.finding()
	none, server := "", ""
	if f == nil {
		none, server = t("doctor.off-none"), t("doctor.off-none")
	} else if p.server(f) == "" {
		server = t("doctor.off-server")
	}
	first := ui.Action{ID: "open", Key: "enter", Help: t("doctor.key-open"), Off: none}
	if p.full {
		first = ui.Action{ID: "close", Key: "esc", Help: t("doctor.key-list")}
	}
	pass := t("doctor.key-passed")
	if p.passed {
		pass = t("doctor.key-not-passed")
	}
	return []ui.Action{
		first,
		{ID: "mend", Key: "x", Help: t("doctor.key-mend"), Off: p.mayMend(f)},
		{ID: "again", Key: "ctrl+r", Help: t("doctor.key-again"), Off: p.mayExamine()},
		{ID: "passed", Key: "a", Help: pass},
		{ID: "server", Key: "s", Help: t("doctor.key-server"), Off: server, Quiet: true},
		{ID: "copy", Key: "y", Help: t("doctor.key-copy"), Off: none},
	}
}

// mayExamine is why the estate cannot be examined now. Who only looks may: it changes nothing.
func (p *Page) mayExamine() string {
	c := p.c
	switch {
	case !p.running.IsZero():
		return c.T("doctor.off-running")
	case !c.Lost.IsZero():
		return c.T("common.off-lost")
	case c.Role != api.Nobody && c.Role < api.Operator: // nobody: the engine has not said yet who this is
		return c.T("common.off-role", "role", c.Role.String(), "need", api.Operator.String())
	}
	return ""
}

// mayMend is why ferry cannot mend a finding now.
func (p *Page) mayMend(f *doctor.Finding) string {
	c := p.c
	if f == nil {
		return c.T("doctor.off-none")
	}
	if off := c.MayAct(api.Administrator); off != "" {
		return off
	}
	switch {
	case f.Verdict == doctor.Pass:
		return c.T("doctor.off-passed")
	case !f.Fix.Safe || f.Fix.Command == "":
		return c.T("doctor.off-unsafe")
	case !plain(f.Fix.Command):
		return c.T("doctor.off-hidden")
	case !p.running.IsZero():
		return c.T("doctor.off-running")
	}
	return ""
}

// Do implements ui.Page.
func (p *Page) Do(id string) tea.Cmd {
	switch id {
	case "close":
		p.full = false
		return nil
	case "again":
		return p.examine()
	case "passed":
		p.passed = !p.passed
		p.choose()
		return nil
	}
	f := p.finding()
	if f == nil {
		return nil
	}
	switch id {
	case "open":
		p.full, p.look.Top = true, 0
	case "mend":
		return ui.Show(newMend(p.c, *f, p.checks[f.Check]))
	case "server":
		return ui.Go(ui.Server, p.server(f))
	case "copy":
		line := p.command(f)
		return ui.Copy(line, ui.Clean(line))
	}
	return nil
}

// server is the one that a finding is about, where it is about one alone.
func (p *Page) server(f *doctor.Finding) string {
	switch {
	case f.Fix.Node != "":
		return f.Fix.Node
	case len(f.Nodes) == 1:
		return f.Nodes[0]
	}
	return ""
}

// command is what mends a finding, ready to be pasted there, or what looks at it again.
func (p *Page) command(f *doctor.Finding) string {
	if f.Fix.Command != "" && plain(f.Fix.Command) {
		return f.Fix.Command
	}
	return ui.ShellWords("ferry", "doctor", "--check", f.Check)
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
	case examined:
		p.take(msg)
		return nil
	case mended:
		p.mended(msg)
		return nil
	case ui.Click:
		return p.click(msg)
	}
	if p.full {
		p.look.Update(msg)
		return nil
	}
	before := p.list.At
	if p.list.Update(msg) {
		p.settle(p.list.At - before)
	}
	return nil
}

func (p *Page) click(at ui.Click) tea.Cmd {
	if p.full || p.side > 0 && at.X >= p.side {
		return nil
	}
	before := p.list.At
	if i, ok := p.list.Hit(at.Y - p.head); ok {
		p.settle(1)
		if i == before { // a second click opens it
			return p.Do("open")
		}
	}
	return nil
}
