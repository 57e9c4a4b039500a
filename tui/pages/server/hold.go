package server

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui/ui"
)

// maxHold is as long as the command allows: a forgotten hold must not switch automation
// off for good.
const maxHold = 30 * 24 * time.Hour

// hold is the small window that asks for how long automation is to be quiet on a server.
// The reason is asked for by the preview that follows.
type hold struct {
	c    *ui.Context
	node string
	in   *ui.Input
}

func newHold(c *ui.Context, node string) *hold {
	h := &hold{c: c, node: node, in: ui.NewInput(c)}
	h.in.Set("1h")
	return h
}

// Title implements ui.Page.
func (h *hold) Title() string { return h.c.T("server.hold-title", "node", ui.Clean(h.node)) }

// Typing implements ui.Typer.
func (h *hold) Typing() bool { return true }

// held is the hold in force on the server; nil = none.
func (h *hold) held() *api.HoldStatus {
	for i := range h.c.Est.Holds {
		if h.c.Est.Holds[i].Scope == h.node {
			return &h.c.Est.Holds[i]
		}
	}
	return nil
}

// Actions implements ui.Page; the keys come to Update, since one types here.
func (h *hold) Actions() []ui.Action {
	out := []ui.Action{{ID: "hold", Key: "enter", Help: h.c.T("server.do-hold"), Off: h.wrong()}}
	if h.held() != nil {
		out = append(out, ui.Action{ID: "release", Key: "ctrl+r", Help: h.c.T("server.do-release")})
	}
	return append(out, ui.Action{ID: "cancel", Key: "esc", Help: h.c.T("common.cancel")})
}

// wrong says why the time that stands there cannot be.
func (h *hold) wrong() string {
	if d, err := time.ParseDuration(h.in.Value()); err != nil || d < time.Second || d > maxHold {
		return h.c.T("server.hold-wrong")
	}
	return ""
}

// Do implements ui.Page.
func (h *hold) Do(id string) tea.Cmd {
	wish := ui.Wish{Title: h.Title(), Hold: &api.Hold{Scope: h.node}}
	switch id {
	case "hold":
		if w := h.wrong(); w != "" {
			return ui.Complain(w)
		}
		d, _ := time.ParseDuration(h.in.Value())
		wish.Hold.Until = h.c.Now.Add(d)
	case "release":
		if h.held() == nil {
			return nil
		}
		wish.Title = h.c.T("server.wish-release", "node", ui.Clean(h.node))
	default:
		return ui.Close(h)
	}
	return tea.Batch(ui.Close(h), ui.Do(wish))
}

// Update implements ui.Page.
func (h *hold) Update(msg tea.Msg) tea.Cmd {
	k, ok := msg.(tea.KeyPressMsg)
	if !ok {
		if p, pasted := msg.(tea.PasteMsg); pasted {
			return h.in.Update(p)
		}
		return nil
	}
	switch k.String() {
	case "enter":
		return h.Do("hold")
	case "ctrl+r":
		return h.Do("release")
	case "esc":
		return h.Do("cancel")
	}
	return h.in.Update(k)
}

// Size implements ui.Sized.
func (h *hold) Size(w, _ int) (int, int) {
	w = min(w, 64)
	return w, len(h.lines(w))
}

// View implements ui.Page.
func (h *hold) View(w, n int) string { return ui.Lines(h.lines(w), w, n) }

func (h *hold) lines(w int) []string {
	c := h.c
	var out []string
	if x := h.held(); x != nil {
		for _, l := range ui.Wrap(c.Held+" "+c.T("server.held", "until", c.Clock(c.Now, x.Until), "by", ui.Clean(x.By), "why", ui.Clean(x.Why)), w) {
			out = append(out, c.Warn.Render(l))
		}
		out = append(out, c.Key.Render("ctrl+r")+" "+c.T("server.do-release"), "")
	}
	out = append(out, ui.Wrap(c.T("server.hold-means"), w)...)
	label := c.T("server.hold-for") + " "
	out = append(out, "", c.Strong.Render(label)+h.in.View(min(16, w-ui.Width(label))))
	if s := h.wrong(); s != "" {
		return append(out, c.Bad.Render(ui.Cut(c.Failed+" "+s, w, c.Ellipsis)))
	}
	d, _ := time.ParseDuration(h.in.Value())
	return append(out, c.Good.Render(ui.Cut(c.Done+" "+c.T("server.hold-until", "until", c.Clock(c.Now, c.Now.Add(d))), w, c.Ellipsis)))
}
