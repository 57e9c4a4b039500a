package tui

import (
	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/tui/ui"
)

// mouse gives a click or a turn of the wheel to what is under it, in its own cells.
func (a *app) mouse(msg tea.Msg) tea.Cmd {
	d := a.desk()
	if a.w < minW || a.h < minH {
		return nil
	}
	switch msg := msg.(type) {
	case tea.MouseWheelMsg:
		by := 1
		if msg.Button == tea.MouseWheelUp {
			by = -1
		}
		return a.own(d, d.top().Update(ui.Wheel{By: by}))
	case tea.MouseClickMsg:
		if msg.Button == tea.MouseLeft {
			return a.click(d, msg.X, msg.Y)
		}
	}
	return nil
}

func (a *app) click(d *desk, x, y int) tea.Cmd {
	if len(d.windows) > 0 {
		w := d.top()
		ww, wh := a.windowSize(w)
		wx, wy := a.windowAt(ww, wh)
		if x > wx+1 && x < wx+ww-2 && y > wy && y < wy+wh-1 {
			return a.own(d, w.Update(ui.Click{X: x - wx - 2, Y: y - wy - 1}))
		}
		return nil
	}
	head := len(a.head(d))
	switch {
	case y == 1:
		return a.clickTab(d, x)
	case y == 2 && head > 2:
		if len(d.ctx.Est.Pending()) > 0 {
			a.openQuestion(d)
		}
		return nil
	case y >= head && y < a.h-1:
		return a.own(d, d.page().Update(ui.Click{X: x, Y: y - head}))
	}
	return nil
}

// clickTab opens the page whose name is at cell x, which lies where tabs drew it.
func (a *app) clickTab(d *desk, x int) tea.Cmd {
	at := 0
	for i, label := range a.tabLabels(d) {
		if at += ui.Width(label); x < at {
			return a.own(d, d.open(a.kinds(d)[i], ""))
		}
	}
	return nil
}
