package topology

import (
	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/ui"
)

// paths is a window with all comm paths of a node, what both ends say about each, and
// the evidence for the node's verdict.
type paths struct {
	c    *ui.Context
	node string
	s    ui.Scroll
}

func newPaths(c *ui.Context, node string) *paths { return &paths{c: c, node: node} }

// Title implements ui.Page.
func (p *paths) Title() string { return p.c.T("topology.paths-of", "node", ui.Clean(p.node)) }

// Actions implements ui.Page.
func (p *paths) Actions() []ui.Action {
	return []ui.Action{{ID: "close", Key: "p", Help: p.c.T("common.close")}}
}

// Do implements ui.Page.
func (p *paths) Do(string) tea.Cmd { return ui.Close(p) }

// Update implements ui.Page.
func (p *paths) Update(msg tea.Msg) tea.Cmd {
	p.s.Update(msg)
	return nil
}

// Size implements ui.Sized.
func (p *paths) Size(w, h int) (int, int) {
	w = min(w, 90)
	return w, min(h, len(p.lines(w)))
}

// View implements ui.Page.
func (p *paths) View(w, h int) string { return p.s.View(p.lines(w), w, h) }

func (p *paths) lines(w int) []string {
	pic := newPicture(p.c.Est)
	n, ok := pic.at[p.node]
	if !ok {
		return []string{p.c.T("topology.off-no-node")}
	}
	var out []string
	for _, r := range pic.nodes[n].st.Evidence {
		for i, l := range ui.Wrap(ui.Clean(p.c.Reason(r)), w-2) {
			out = append(out, [...]string{p.c.Bullet, " "}[min(i, 1)]+" "+l)
		}
	}
	if len(out) > 0 {
		out = append(out, "")
	}
	peers := p.c.Est.Index.Peers(p.node)
	if len(peers) == 0 {
		return append(out, p.c.T("topology.no-paths"))
	}
	wide := 0
	for _, x := range peers {
		wide = max(wide, ui.Width(ui.Clean(x)))
	}
	for _, x := range peers {
		if m, ok := pic.at[x]; ok {
			out = append(out, p.peer(pic, n, m, wide)...)
		}
	}
	return out
}

// peer is one path: its state, what both ends say, the ways it may go.
func (p *paths) peer(pic *picture, n, m, wide int) []string {
	w := pic.path(n, m)
	a, b := pic.nodes[n], pic.nodes[m]
	s := pathStyle(p.c, w)(pathMark(p.c, w) + " " + ui.Fit(b.name, wide) + "  " + p.c.T(pathWord(w)))
	there, back := p.word(pic, n, m), p.word(pic, m, n)
	out := []string{s, "    " + p.c.Dim.Render(p.c.T("topology.say", "a", a.name, "there", there, "b", b.name, "back", back))}
	declared := false
	for _, c := range p.c.Est.Index.Estate().Paths {
		if c.From == a.st.Name && c.To == b.st.Name {
			declared = true
			out = append(out, "    "+p.c.Dim.Render(p.declared(c)))
		}
	}
	if !declared && b.srv.Address != "" {
		out = append(out, "    "+p.c.Dim.Render(p.c.T("topology.default-path", "address", ui.Clean(b.srv.Address))))
	}
	return out
}

// declared is a path that the definition names.
func (p *paths) declared(c hierarchy.CommPath) string {
	s := p.c.Arrow + " " + ui.Clean(c.ToAddr)
	if c.Priority > 0 {
		s += "  " + p.c.T("topology.priority", "at", c.Priority)
	}
	if c.Via != "" {
		s += "  " + p.c.T("topology.via", "tag", ui.Clean(string(c.Via)))
	}
	return s
}

func (p *paths) word(pic *picture, a, b int) string {
	return p.c.T("topology.says-" + pic.est.Says(pic.nodes[a].st.Name, pic.nodes[b].st.Name).String())
}
