package demo

import (
	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/tui/ui"
)

// welcome is the first window: what this is, and where to begin.
type welcome struct {
	c      *ui.Context
	data   bool // there is data beside the service
	scroll ui.Scroll
}

// Welcome makes the first window.
func (d *Demo) Welcome(c *ui.Context) ui.Page { return &welcome{c: c, data: d.data.mirror != ""} }

func (w *welcome) Title() string { return w.c.T("demo.welcome-title") }

func (w *welcome) Actions() []ui.Action {
	return []ui.Action{
		{ID: "break", Key: "enter", Help: w.c.T("demo.welcome-break")},
		{ID: "look", Key: "1", Help: w.c.T("demo.welcome-look")},
	}
}

func (w *welcome) Do(id string) tea.Cmd {
	if id == "break" {
		return tea.Batch(ui.Close(w), ui.Go(Kind, ""))
	}
	return ui.Close(w)
}

func (w *welcome) Update(msg tea.Msg) tea.Cmd {
	if k, ok := msg.(tea.KeyPressMsg); ok && k.String() == "9" {
		return w.Do("break")
	}
	w.scroll.Update(msg)
	return nil
}

func (w *welcome) Size(width, h int) (int, int) {
	width = min(width, 72)
	return width, min(h, len(w.lines(width)))
}

func (w *welcome) View(width, h int) string { return w.scroll.View(w.lines(width), width, h) }

// lines are what it says: what this is, three steps, where help is.
func (w *welcome) lines(width int) []string {
	kind := ""
	if w.data {
		kind = "-data"
	}
	out := ui.Wrap(w.c.T("demo.welcome-what"+kind), width)
	out = append(out, "")
	for i, id := range []string{"demo.welcome-one", "demo.welcome-two" + kind, "demo.welcome-three" + kind} {
		mark := string(rune('1'+i)) + "  "
		for _, line := range ui.Wrap(w.c.T(id), max(10, width-3)) {
			out = append(out, w.c.Accent.Render(mark)+line)
			mark = "   "
		}
	}
	out = append(out, "")
	return append(out, ui.Wrap(w.c.T("demo.welcome-help"), width)...)
}
