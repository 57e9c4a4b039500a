package tui

import (
	"slices"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/tui/confirm"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Messages of the root to itself, so that the palette can send them.
type (
	deskAt  struct{ n int }
	quitMsg struct{}
	lookMsg struct{ theme, lang, ascii, readOnly bool }
)

// key sends a key where it belongs: to what is typed, to an action of the page or
// window on top, to the root, or to the page as it is.
func (a *app) key(k tea.KeyPressMsg) tea.Cmd {
	d := a.desk()
	s := k.String()
	switch {
	case s == "ctrl+c":
		return a.leave()
	case a.filter != nil:
		return a.own(d, a.typeFilter(k))
	case d.typing():
		return a.own(d, d.top().Update(k))
	}
	if act, ok := a.action(d.top(), s); ok {
		if act.Off != "" {
			a.say(act.Off, true)
			return nil
		}
		return a.own(d, d.top().Do(act.ID))
	}
	if cmd, ok := a.global(d, s); ok {
		return cmd
	}
	return a.own(d, d.top().Update(k))
}

// action finds the action of a page that a key stands for.
func (a *app) action(p ui.Page, key string) (ui.Action, bool) {
	for _, x := range a.actions(p) {
		if x.Key == key {
			return x, true
		}
	}
	return ui.Action{}, false
}

// actions are a page's actions with the keys that the person chose.
func (a *app) actions(p ui.Page) []ui.Action {
	all := p.Actions()
	if len(a.opts.Keys) == 0 {
		return all
	}
	all = slices.Clone(all)
	room := string(a.desk().here().kind)
	for i := range all {
		if k := a.opts.Keys[room+"."+all[i].ID]; k != "" {
			all[i].Key = k
		}
	}
	return all
}

// global is what a key does everywhere.
func (a *app) global(d *desk, s string) (tea.Cmd, bool) {
	window := len(d.windows) > 0
	switch s {
	case "esc":
		return a.escape(d), true
	case "?":
		d.show(newHelp(a, d))
		return nil, true
	}
	if window {
		return nil, false
	}
	if n, err := strconv.Atoi(s); err == nil && n >= 1 && n <= len(a.kinds(d)) {
		return a.own(d, d.open(a.kinds(d)[n-1], "")), true
	}
	switch s {
	case ":", "ctrl+p":
		d.show(newPalette(a, d))
	case "/":
		a.startFilter(d)
	case "!":
		a.openQuestion(d)
	case "q":
		return a.leave(), true
	case "tab", "shift+tab":
		if len(a.desks) < 2 {
			return nil, false
		}
		step := 1
		if s == "shift+tab" {
			step = len(a.desks) - 1
		}
		a.at = (a.at + step) % len(a.desks)
	case "T":
		a.look(lookMsg{theme: true})
	case "L":
		a.look(lookMsg{lang: true})
	case "R":
		a.look(lookMsg{readOnly: true})
	default:
		return nil, false
	}
	return nil, true
}

// kinds are the pages of a desk in the order of their numbers.
func (a *app) kinds(d *desk) []ui.Kind {
	all := ui.Kinds()
	for _, x := range d.spec.More {
		all = append(all, x.Kind)
	}
	return all
}

// escape closes what lies on top, then a filter, then goes back.
func (a *app) escape(d *desk) tea.Cmd {
	if len(d.windows) == 0 {
		if f, ok := d.page().(ui.Filterer); ok && f.Filtered() != "" {
			f.Filter("")
			return nil
		}
	}
	return a.own(d, d.back())
}

// openQuestion opens the prompt of the question that waits longest.
func (a *app) openQuestion(d *desk) {
	pending := d.ctx.Est.Pending()
	if len(pending) == 0 {
		a.say(a.text.T("root.no-question"), false)
		return
	}
	d.show(confirm.New(d.ctx, pending[0].ID))
}

// look changes how things look, or whether one may act.
func (a *app) look(m lookMsg) {
	kind, lang, ascii := a.theme.Kind, a.text.Lang, a.theme.ASCII != m.ascii
	if m.theme {
		kind = after(theme.Kinds(), kind)
	}
	if m.lang {
		lang = after(text.Langs(), lang)
	}
	if p, err := text.New(lang); err == nil {
		*a.text = *p
	}
	*a.theme = *theme.New(kind, ascii)
	if m.readOnly {
		for _, d := range a.desks {
			d.ctx.ReadOnly = !d.ctx.ReadOnly
		}
	}
}

func after[T comparable](all []T, x T) T { return all[(slices.Index(all, x)+1)%len(all)] }

// leave quits, after a word when that would interrupt something.
func (a *app) leave() tea.Cmd {
	d := a.desk()
	if _, asking := d.top().(*farewell); !asking {
		for _, x := range a.desks {
			if x.spec.Local && len(x.ctx.Est.Running) > 0 {
				d.show(&farewell{c: d.ctx, what: x.ctx.Est.Name()})
				return nil
			}
		}
	}
	a.over = true
	return tea.Quit
}
