package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/tui/ui"
)

// help lists what every key does, from the page or window that was on top.
type help struct {
	a      *app
	of     ui.Page
	scroll ui.Scroll
}

func newHelp(a *app, d *desk) *help { return &help{a: a, of: d.top()} }

func (h *help) Title() string        { return h.a.text.T("root.help-title", "page", h.of.Title()) }
func (h *help) Actions() []ui.Action { return nil }
func (h *help) Do(string) tea.Cmd    { return nil }

func (h *help) Update(msg tea.Msg) tea.Cmd {
	if k, ok := msg.(tea.KeyPressMsg); ok && k.String() == "q" {
		return ui.Close(h)
	}
	h.scroll.Update(msg)
	return nil
}

func (h *help) Size(w, height int) (int, int) {
	return min(w, 78), min(height, len(h.lines(min(w, 78))))
}

func (h *help) View(w, height int) string { return h.scroll.View(h.lines(w), w, height) }

func (h *help) lines(w int) []string {
	t := h.a.theme
	var out []string
	section := func(id string) { out = append(out, t.Accent.Render(h.a.text.T(id))) }
	row := func(key, what, off string) {
		for i, line := range ui.Wrap(what, max(10, w-14)) {
			if i > 0 {
				key = ""
			}
			out = append(out, "  "+t.Key.Render(ui.Fit(key, 10))+"  "+line)
		}
		for _, line := range ui.Wrap(off, max(10, w-14)) {
			if off != "" {
				out = append(out, ui.Fit("", 14)+t.Dim.Render(line))
			}
		}
	}
	if acts := h.a.actions(h.of); len(acts) > 0 {
		section("root.help-here")
		for _, x := range acts {
			if x.Key == "" { // for the palette alone
				continue
			}
			row(h.a.keyName(x.Key), x.Help, x.Off)
		}
		out = append(out, "")
	}
	section("root.help-move")
	for _, k := range []string{"arrows", "pages", "ends", "mouse"} {
		row(h.a.text.T("root.keys-"+k), h.a.text.T("root.help-"+k), "")
	}
	out = append(out, "")
	section("root.help-everywhere")
	for _, k := range []string{"numbers", "palette", "filter", "question", "back", "desks", "theme", "lang", "readonly", "quit"} {
		row(h.a.text.T("root.keys-"+k), h.a.text.T("root.help-"+k), "")
	}
	return out
}

// farewell asks before an engine that carries something out is ended with the console.
type farewell struct {
	c    *ui.Context
	what string
}

func (f *farewell) Title() string { return f.c.T("root.farewell-title") }

func (f *farewell) Actions() []ui.Action {
	return []ui.Action{
		{ID: "stay", Key: "enter", Help: f.c.T("root.farewell-stay")},
		{ID: "leave", Key: "Q", Help: f.c.T("root.farewell-leave")},
	}
}

func (f *farewell) Do(id string) tea.Cmd {
	if id == "leave" {
		return func() tea.Msg { return quitMsg{} }
	}
	return ui.Close(f)
}

func (f *farewell) Update(tea.Msg) tea.Cmd { return nil }

func (f *farewell) Size(w, h int) (int, int) { return min(w, 60), min(h, 7) }

func (f *farewell) View(w, h int) string {
	lines := ui.Wrap(f.c.T("root.farewell", "estate", ui.Clean(f.what)), w)
	return ui.Lines(lines, w, h)
}
