package server

import (
	"cmp"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/ui"
)

// generalPanel says what the server is, how it is, and why that is believed.
type generalPanel struct {
	p *Page
	s ui.Scroll
}

func newGeneral(p *Page) *generalPanel { return &generalPanel{p: p} }

func (g *generalPanel) title() string        { return g.p.c.T("server.panel-general") }
func (g *generalPanel) fresh()               {}
func (g *generalPanel) actions() []ui.Action { return nil }
func (g *generalPanel) do(string) tea.Cmd    { return nil }
func (g *generalPanel) rows(w int) int       { return len(g.lines(w)) }
func (g *generalPanel) update(msg tea.Msg) (tea.Cmd, bool) {
	return nil, g.s.Update(msg)
}

func (g *generalPanel) view(w, h int, _ bool) string { return g.s.View(g.lines(w), w, h) }

func (g *generalPanel) lines(w int) []string {
	c, n, srv := g.p.c, g.p.node(), g.p.server()
	mark, st := verdictLook(c, n.Verdict)
	out := []string{st.Render(mark+" "+verdictWord(c, n.Verdict)) + "  " + c.Dim.Render(c.T("server.since", "age", c.Ago(n.Since)))}
	for _, r := range n.Evidence {
		for i, l := range ui.Wrap(ui.Clean(c.Reason(r)), w-2) {
			out = append(out, [...]string{c.Bullet, " "}[min(i, 1)]+" "+l)
		}
	}
	for _, h := range c.Est.Holds {
		if h.Scope == g.p.name {
			s := c.Held + " " + c.T("server.held", "until", c.Clock(c.Now, h.Until), "by", ui.Clean(h.By), "why", ui.Clean(h.Why))
			for _, l := range ui.Wrap(s, w) {
				out = append(out, c.Warn.Render(l))
			}
		}
	}
	out = append(out, "")
	return append(out, ui.Pairs(c.Theme, w, g.pairs(srv)...)...)
}

// pairs are the properties, those left out that nobody gave.
func (g *generalPanel) pairs(srv *hierarchy.Server) []string {
	c, n := g.p.c, g.p.node()
	held := c.T("server.copy-none")
	if !n.Copy.IsZero() {
		held = c.T("server.copy-held", "age", c.Ago(n.Copy))
	}
	seen := c.T("server.seen", "age", c.Ago(n.Seen))
	if n.Seen.IsZero() {
		seen = c.T("server.seen-never")
	}
	connect := srv.Connect
	if connect == srv.Address {
		connect = ""
	}
	all := []string{
		"seen-label", seen,
		"cluster", ui.Clean(n.Cluster),
		"region", ui.Clean(n.Region),
		"zone", ui.Clean(n.Zone),
		"address", ui.Clean(srv.Address),
		"connect", ui.Clean(connect),
		"interface", ui.Clean(srv.Interface),
		"instance", ui.Clean(srv.Instance),
		"eni", ui.Clean(srv.ENI),
		"shutdown", g.p.shutdownWord(srv.SwitchOnShutdown),
		"quorum", g.quorum(),
		"copy", held,
	}
	var out []string
	for i := 0; i < len(all); i += 2 {
		if all[i+1] != "" {
			out = append(out, c.T("server."+all[i]), all[i+1])
		}
	}
	return out
}

func (g *generalPanel) quorum() string {
	if g.p.node().Cluster == "" {
		return ""
	}
	q := g.p.c.Est.Index.Quorum(g.p.name)
	if q.Unjudged {
		return g.p.c.T("server.quorum-unjudged")
	}
	if len(q.Hosts) > 0 {
		return q.Mode + ": " + ui.Clean(strings.Join(q.Hosts, ", "))
	}
	return q.Mode
}

func (p *Page) shutdownWord(over bool) string {
	if over {
		return p.c.T("server.shutdown-over")
	}
	return p.c.T("server.shutdown-stay")
}

// shutdownWish is the other shutdown strategy.
func (p *Page) shutdownWish() ui.Wish {
	over := !p.server().SwitchOnShutdown
	word := "do-not-switch-over"
	if over {
		word = "switch-over"
	}
	return ui.Wish{
		Title:   p.c.T("server.wish-shutdown", "node", ui.Clean(p.name), "strategy", p.shutdownWord(over)),
		Command: "ferry server shutdown-strategy " + shell(p.name) + " " + word,
		Edit:    edit.SetShutdown{Server: p.name, SwitchOver: over},
	}
}

func verdictWord(c *ui.Context, v policy.Verdict) string {
	return c.T("common.verdict-" + cmp.Or(string(v), string(policy.Unknown)))
}

func verdictLook(c *ui.Context, v policy.Verdict) (string, lipgloss.Style) {
	switch v {
	case policy.Alive:
		return c.Alive, c.Good
	case policy.Degraded, policy.Hung:
		return c.Degraded, c.Warn
	case policy.Presumed, policy.Dead:
		return c.Dead, c.Bad
	}
	return c.NotKnown, c.Unknown
}

func stateLook(c *ui.Context, s hierarchy.State) (string, lipgloss.Style) {
	switch s {
	case hierarchy.ISP:
		return c.InService, c.Good
	case hierarchy.ISU:
		return c.Impaired, c.Warn
	case hierarchy.OSU:
		return c.Marks.Standby, c.Theme.Standby
	case hierarchy.OSF:
		return c.Failed, c.Bad
	}
	return c.Marks.Unknown, c.Theme.Unknown
}

// sshCommand is how a person logs in to a server the way the engine does.
func sshCommand(e *hierarchy.Estate, s *hierarchy.Server) string {
	words := []string{"ssh"}
	if f := cmp.Or(s.SSH.Config, e.SSH.Config); f != "" {
		words = append(words, "-F", shell(f))
	}
	if j := cmp.Or(s.SSH.Jump, e.SSH.Jump); j != "" {
		words = append(words, "-J", shell(j))
	}
	if n := cmp.Or(s.SSH.Port, e.SSH.Port); n != 0 && n != 22 {
		words = append(words, "-p", strconv.Itoa(n))
	}
	if f := cmp.Or(s.SSH.Identity, e.SSH.Identity); f != "" {
		words = append(words, "-i", shell(f))
	}
	to := cmp.Or(s.Connect, s.Address, s.Name)
	if u := cmp.Or(s.SSH.User, e.SSH.User); u != "" {
		to = u + "@" + to
	}
	return strings.Join(append(words, shell(to)), " ")
}

// shell quotes a word for a shell where it needs that.
func shell(s string) string {
	s = ui.Clean(s)
	plain := s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("@%+=:,./_-", r))
	}) < 0
	if plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
