package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/tui/ui"
)

// typed is a line of text that is being typed at the bottom.
type typed struct {
	in  *ui.Input
	was string // what stood there before
}

func (a *app) startFilter(d *desk) {
	f, ok := d.page().(ui.Filterer)
	if !ok {
		a.say(a.text.T("root.no-filter"), false)
		return
	}
	a.filter = &typed{in: ui.NewInput(d.ctx), was: f.Filtered()}
	a.filter.in.Set(f.Filtered())
}

// typeFilter narrows the page with every key. Enter keeps the filter, esc takes it back.
func (a *app) typeFilter(k tea.KeyPressMsg) tea.Cmd {
	f, ok := a.desk().page().(ui.Filterer)
	if !ok {
		a.filter = nil
		return nil
	}
	switch k.String() {
	case "enter":
		a.filter = nil
		return nil
	case "esc":
		f.Filter(a.filter.was)
		a.filter = nil
		return nil
	case "up", "down", "pgup", "pgdown":
		return a.desk().page().Update(k)
	}
	cmd := a.filter.in.Update(k)
	f.Filter(a.filter.in.Value())
	return cmd
}

// paste puts text where one types; anywhere else it is ignored, since pasted text must
// never act as keys.
func (a *app) paste(msg tea.PasteMsg) tea.Cmd {
	d := a.desk()
	switch {
	case a.filter != nil:
		cmd := a.filter.in.Update(msg)
		if f, ok := d.page().(ui.Filterer); ok {
			f.Filter(a.filter.in.Value())
		}
		return a.own(d, cmd)
	case d.typing():
		return a.own(d, d.top().Update(msg))
	}
	return nil
}
