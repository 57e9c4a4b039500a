package act

import (
	"errors"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/tui/ui"
)

// problem is an error in words.
type problem struct {
	text, hint []string
	kind       api.ErrorKind
	code       string
	// sending: it came of the order, not of the preview. unsure: it is not known whether
	// the engine took the order.
	sending, unsure bool
}

func newProblem(err error, sending bool) *problem {
	var own *edit.Error
	var invalid *edit.InvalidError
	p := &problem{sending: sending}
	switch {
	case errors.As(err, &own):
		p.kind, p.text, p.hint = api.KindUsage, []string{own.Text}, []string{own.Fix}
	case errors.As(err, &invalid):
		p.kind = api.KindConfig
		for _, x := range invalid.Problems {
			p.text = append(p.text, x.Text)
			p.hint = append(p.hint, x.Fix)
		}
	default:
		e := api.AsError(err)
		p.kind, p.code, p.text, p.hint = e.Kind, e.Code, strings.Split(e.Message, "\n"), strings.Split(e.Hint, "\n")
	}
	switch p.kind {
	case api.KindUnavailable, api.KindTimeout, api.KindFailed:
		p.unsure = sending && !ui.NeverSent(err)
	}
	return p
}

// failed keeps an error on the screen until something else is tried. A definition that
// somebody changed meanwhile is looked at again at once, and the person asked again.
func (w *Window) failed(err error, sending bool) tea.Cmd {
	w.bad = newProblem(err, sending)
	if w.bad.code == api.DefinitionChanged {
		w.mind = w.c.T("act.definition-changed")
		return w.load()
	}
	if w.bad.unsure {
		w.tried = true
		return w.search()
	}
	return nil
}

// unsure tells that an order may have been taken that nobody confirmed.
func (w *Window) unsure() bool { return w.bad != nil && w.bad.unsure }

// lines are the problem in words.
func (p *problem) lines(c *ui.Context, width int) []string {
	var out []string
	paint := func(style func(...string) string, text string) {
		if text = ui.Clean(text); text == "" {
			return
		}
		for _, l := range ui.Wrap(text, width) {
			out = append(out, style(l))
		}
	}
	for i, t := range p.text {
		if i == 0 {
			t = c.Marks.Failed + " " + t
		}
		paint(c.Bad.Render, t)
	}
	for _, h := range p.hint {
		paint(c.Text.Render, h)
	}
	switch {
	case p.unsure:
		paint(c.Warn.Render, c.T("act.not-known"))
	case p.sending:
		paint(c.Text.Render, c.T("act.not-done"))
	}
	return append(out, "")
}
