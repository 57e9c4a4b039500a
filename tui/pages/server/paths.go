package server

import (
	"slices"
	"strconv"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// pathsPanel lists the comm paths from the server: one row for each address of a peer.
type pathsPanel struct {
	p    *Page
	all  []commPath
	list ui.List
}

type commPath struct {
	peer, addr, via string
	priority        int
	way             model.Way
}

func newPaths(p *Page) *pathsPanel { return &pathsPanel{p: p} }

func (x *pathsPanel) title() string { return x.p.c.T("server.panel-paths") + more(&x.list) }
func (x *pathsPanel) rows(int) int  { return max(1, len(x.all)) }

// fresh collects the paths: those that the definition declares, else the peer's own
// address. What is known is known of the pair of nodes, not of a single address.
func (x *pathsPanel) fresh() {
	e := x.p.c.Est
	x.all = nil
	for _, peer := range e.Index.Peers(x.p.name) {
		way := e.Way(x.p.name, peer)
		n := len(x.all)
		for _, d := range e.Index.Estate().Paths {
			if d.From == x.p.name && d.To == peer {
				x.all = append(x.all, commPath{peer, d.ToAddr, string(d.Via), d.Priority, way})
			}
		}
		if s := e.Index.Server(peer); len(x.all) == n && s != nil {
			x.all = append(x.all, commPath{peer, s.Address, "", 0, way})
		}
		slices.SortStableFunc(x.all[n:], func(a, b commPath) int { return a.priority - b.priority })
	}
	x.list.SetN(len(x.all))
}

func (x *pathsPanel) actions() []ui.Action {
	off := ""
	if len(x.all) == 0 {
		off = x.p.c.T("server.no-paths")
	}
	return []ui.Action{{ID: "peer", Key: "enter", Help: x.p.c.T("server.do-peer"), Off: off}}
}

func (x *pathsPanel) do(string) tea.Cmd {
	if x.list.At < len(x.all) {
		return ui.Go(ui.Server, x.all[x.list.At].peer)
	}
	return nil
}

func (x *pathsPanel) update(msg tea.Msg) (tea.Cmd, bool) { return nil, pick(&x.list, msg) }

// pick moves the cursor of a list by keys, the wheel, or a click.
func pick(l *ui.List, msg tea.Msg) bool {
	if m, ok := msg.(ui.Click); ok {
		l.Hit(m.Y)
		return true
	}
	return l.Update(msg)
}

func (x *pathsPanel) view(w, h int, focus bool) string {
	c := x.p.c
	if len(x.all) == 0 {
		return ui.Lines(ui.Wrap(c.T("server.no-paths"), w), w, h)
	}
	peer, addr, word := 0, 0, 0
	for _, p := range x.all {
		peer, addr = max(peer, ui.Width(ui.Clean(p.peer))), max(addr, ui.Width(ui.Clean(p.addr)))
		word = max(word, ui.Width(wayWord(c, p.way)))
	}
	return x.list.View(w, h, func(i int, at bool) string {
		p := x.all[i]
		mark, st := wayLook(c, p.way)
		s := mark + " " + ui.Fit(ui.Clean(p.peer), peer) + "  " + ui.Fit(wayWord(c, p.way), word) + "  " + ui.Fit(ui.Clean(p.addr), addr)
		if p.priority > 0 {
			s += "  " + c.T("server.priority", "at", p.priority)
		}
		if p.via != "" {
			s += "  " + c.T("server.via", "tag", ui.Clean(p.via))
		}
		return line(c, st, ui.Cut(s, w, c.Ellipsis), w, at && focus)
	})
}

// line paints a row, as a whole so that a long list stays fast.
func line(c *ui.Context, st lipgloss.Style, s string, w int, at bool) string {
	if at {
		return c.Theme.Cursor.Render(ui.Fit(s, w))
	}
	return st.Render(s)
}

func wayLook(c *ui.Context, w model.Way) (string, lipgloss.Style) {
	switch w {
	case model.WayOK:
		return c.Done, c.Text
	case model.WayPartly:
		return c.Attention, c.Warn
	case model.WayCut:
		return c.Failed, c.Bad
	}
	return c.NotKnown, c.Theme.Unknown
}

func wayWord(c *ui.Context, w model.Way) string {
	return c.T([...]string{"server.path-ok", "server.path-partly", "server.path-unknown", "server.path-cut"}[w])
}

// more says for a title which part of a list is visible, when that is not all.
func more(l *ui.List) string {
	if s := l.More(); s != "" {
		return "  " + s
	}
	return ""
}

func number(n int) string { return strconv.Itoa(n) }
