package cell

import (
	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Why is the window that tells everything that is known of a cell: its own state, the
// states of what it needs, and its server.
type Why struct {
	c      *ui.Context
	a      At
	scroll ui.Scroll
}

// NewWhy makes it.
func NewWhy(c *ui.Context, a At) *Why { return &Why{c: c, a: a} }

// Title implements ui.Page.
func (y *Why) Title() string { return y.c.T("hierarchies.why-title", "what", Name(y.c, y.a)) }

// Name says which cell it is.
func Name(c *ui.Context, a At) string {
	switch {
	case a.Tag == "":
		return ui.Clean(a.Node)
	case a.Node == "":
		return ui.Clean(string(a.Tag))
	}
	return c.T("hierarchies.tag-on", "tag", ui.Clean(string(a.Tag)), "node", ui.Clean(a.Node))
}

// Actions implements ui.Page.
func (y *Why) Actions() []ui.Action {
	return []ui.Action{{ID: "close", Key: "enter", Help: y.c.T("common.close")}}
}

// Do implements ui.Page.
func (y *Why) Do(string) tea.Cmd { return ui.Close(y) }

// Update implements ui.Page.
func (y *Why) Update(msg tea.Msg) tea.Cmd {
	y.scroll.Update(msg)
	return nil
}

// Size implements ui.Sized.
func (y *Why) Size(w, h int) (int, int) {
	w = min(w, 100)
	return w, min(h, max(6, len(y.lines(w))))
}

// View implements ui.Page.
func (y *Why) View(w, h int) string { return y.scroll.View(y.lines(w), w, h) }

func (y *Why) lines(w int) []string {
	c, in := y.c, NewInks(y.c.Theme)
	if y.a.Tag == "" {
		return FactLines(in, NodeFacts(c, y.a.Node), w)
	}
	out := FactLines(in, Facts(c, y.a), w)
	if below := y.below(); len(below) > 0 {
		out = append(out, "", in.Paint(Accent, c.T("hierarchies.why-below")))
		out = append(out, FactLines(in, below, w)...)
	}
	if y.a.Node != "" {
		out = append(out, "", in.Paint(Accent, c.T("hierarchies.why-node", "node", ui.Clean(y.a.Node))))
		out = append(out, FactLines(in, NodeFacts(c, y.a.Node), w)...)
	}
	return out
}

// below are the states of what the resource needs, on the same server; without one,
// where each is active.
func (y *Why) below() []Fact {
	var out []Fact
	for _, t := range y.c.Est.Index.Descendants(y.a.Tag) {
		if f, ok := y.brief(t); ok {
			out = append(out, f)
		}
	}
	return out
}

func (y *Why) brief(t hierarchy.Tag) (Fact, bool) {
	r := y.c.Est.Res(t)
	if r == nil {
		return Fact{}, false
	}
	node := y.a.Node
	if node == "" {
		node = model.Holder(r)
	}
	i := y.c.Est.Cell(t, node)
	if i == nil {
		return Fact{}, false
	}
	f := FaceOf(y.c, r, i)
	text := f.Mark + " " + f.alert() + StateText(y.c, r, i)
	if why := ui.Clean(y.c.Reason(i.Reason)); why != "" {
		text += ": " + why
	}
	return Fact{ui.Clean(t.Short()), text, f.Tone}, true
}
