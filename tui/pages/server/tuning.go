package server

import (
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/ui"
)

// tuningPanel is the table of tuning values in force on the server. A value is edited
// in its row, and judged with every key.
type tuningPanel struct {
	p      *Page
	values []edit.Value
	list   ui.List
	in     *ui.Input // the value that is typed; nil = none
	all    bool      // it is meant for all servers
	wrong  string    // what is wrong with what is typed
}

// triedMsg is whether the definition with a value would be accepted.
type triedMsg struct {
	panel   *tuningPanel
	refused string
	wish    ui.Wish
}

func newTuning(p *Page) *tuningPanel { return &tuningPanel{p: p} }

func (t *tuningPanel) title() string {
	return t.p.c.T("server.panel-tuning") + more(&t.list)
}

func (t *tuningPanel) fresh() {
	t.values = edit.Values(t.p.c.Est.Index, hierarchy.TuningsOf(t.p.c.Est.Estate, t.p.c.Kits), t.p.name)
	t.list.SetN(len(t.values))
}

func (t *tuningPanel) at() (edit.Value, bool) {
	if t.list.At < len(t.values) {
		return t.values[t.list.At], true
	}
	return edit.Value{}, false
}

func (t *tuningPanel) actions() []ui.Action {
	c := t.p.c
	if t.in != nil { // they are typed keys then; listed for the hint line and help
		return []ui.Action{
			{ID: "save", Key: "enter", Help: c.T("server.do-save"), Off: t.wrong},
			{ID: "whom", Key: "tab", Help: c.T("server.do-whom")},
			{ID: "stop", Key: "esc", Help: c.T("common.cancel")},
		}
	}
	off := c.MayAct(api.Administrator)
	unset := off
	if v, ok := t.at(); ok && unset == "" && v.From != "server "+t.p.name {
		unset = c.T("server.off-not-own", "name", v.Name)
	}
	return []ui.Action{
		{ID: "edit", Key: "enter", Help: c.T("server.do-edit"), Off: off},
		{ID: "unset", Key: "d", Help: c.T("server.do-unset"), Off: unset},
	}
}

func (t *tuningPanel) do(id string) tea.Cmd {
	v, ok := t.at()
	if !ok {
		return nil
	}
	switch id {
	case "edit":
		t.in, t.all = ui.NewInput(t.p.c), false
		t.in.Set(v.Value)
		t.judge()
	case "unset":
		return ui.Do(ui.Wish{
			Title:   t.p.c.T("server.wish-unset", "name", v.Name, "node", ui.Clean(t.p.name)),
			Command: "ferry tuning set " + v.Name + " --unset --on " + shell(t.p.name),
			Edit:    edit.SetTuning{Server: t.p.name, Name: v.Name},
		})
	}
	return nil
}

// judge looks at what is typed.
func (t *tuningPanel) judge() {
	v, _ := t.at()
	_, err := v.Fix(t.in.Value())
	if t.wrong = ""; err != nil {
		t.wrong = ui.Clean(err.Error())
	}
}

// typed gets everything while a value is edited.
func (t *tuningPanel) typed(msg tea.Msg) tea.Cmd {
	if k, ok := msg.(tea.KeyPressMsg); ok {
		switch k.String() {
		case "esc":
			t.in, t.wrong = nil, ""
			return nil
		case "tab":
			t.all = !t.all
			return nil
		case "enter":
			return t.save()
		}
	} else if _, pasted := msg.(tea.PasteMsg); !pasted {
		return nil
	}
	cmd := t.in.Update(msg)
	t.judge()
	return cmd
}

// save tries the value on the definition, and asks for it when that is good.
func (t *tuningPanel) save() tea.Cmd {
	v, ok := t.at()
	fixed, err := v.Fix(t.in.Value())
	if !ok || err != nil {
		return ui.Complain(t.wrong)
	}
	w := t.wish(v, fixed)
	est, kits := t.p.c.Est.Index.Estate(), t.p.c.Kits
	return t.p.c.Call(func(context.Context, api.Service) tea.Msg {
		_, err := edit.Make(est, kits, edit.SetTuning{Server: w.Tuning.Node, Name: v.Name, Value: fixed})
		return triedMsg{t, reasonOf(err), w}
	})
}

func (t *tuningPanel) wish(v edit.Value, value string) ui.Wish {
	c := t.p.c
	w := ui.Wish{
		Title:   c.T("server.wish-tuning", "name", v.Name, "value", ui.Clean(value), "node", ui.Clean(t.p.name)),
		Command: "ferry tuning set " + v.Name + " " + shell(value) + " --on " + shell(t.p.name),
		Tuning:  &ui.Tuning{Node: t.p.name, Name: v.Name, Value: value},
	}
	if t.all {
		w.Title = c.T("server.wish-tuning-all", "name", v.Name, "value", ui.Clean(value))
		w.Command = "ferry tuning set " + v.Name + " " + shell(value)
		w.Tuning.Node = ""
	}
	return w
}

func (t *tuningPanel) tried(m triedMsg) tea.Cmd {
	if m.panel != t || t.in == nil {
		return nil
	}
	if m.refused != "" {
		t.wrong = m.refused
		return ui.Complain(m.refused)
	}
	t.in, t.wrong = nil, ""
	return ui.Do(m.wish)
}

func (t *tuningPanel) update(msg tea.Msg) (tea.Cmd, bool) {
	if m, ok := msg.(ui.Click); ok {
		t.list.Hit(m.Y - 1)
		return nil, true
	}
	return nil, t.list.Update(msg)
}

func (t *tuningPanel) rows(int) int { return len(t.values) + 6 }

// columns are the widths of value, default and source beside the name's; what does not
// fit is left out, the last first.
func (t *tuningPanel) columns(w int) (name, value, def, from int) {
	for _, v := range t.values {
		name = max(name, ui.Width(v.Name)+2)
		value = max(value, ui.Width(ui.Clean(v.Value))+2)
		def = max(def, ui.Width(v.Default)+2)
		from = max(from, ui.Width(t.from(v))+1)
	}
	c := t.p.c
	value = min(max(value, ui.Width(c.T("server.col-value"))+2), 18)
	def = max(def, ui.Width(c.T("server.col-default"))+2)
	from = max(from, ui.Width(c.T("server.col-from")))
	if name+value+def+from > w {
		from = max(0, w-name-value-def)
	}
	return name, value, def, from
}

// from says in the reader's language who set a value.
func (t *tuningPanel) from(v edit.Value) string {
	c := t.p.c
	kind, whom, _ := strings.Cut(v.From, " ")
	switch {
	case v.From == "all servers":
		return c.T("server.from-all")
	case v.From == "cluster's shape":
		return c.T("server.from-shape")
	case kind == "server":
		return c.T("server.from-server")
	case kind == "cluster":
		return c.T("server.from-cluster", "cluster", ui.Clean(whom))
	}
	return c.T("server.from-default")
}

func (t *tuningPanel) view(w, h int, focus bool) string {
	c := t.p.c
	name, value, def, from := t.columns(w)
	head := c.Strong.Render(ui.Fit(ui.Fit(c.T("server.col-name"), name)+ui.Fit(c.T("server.col-value"), value)+ui.Fit(c.T("server.col-default"), def)+c.T("server.col-from"), w))
	notes := t.notes(w)
	rows := max(1, h-1-len(notes))
	body := t.list.View(w, rows, func(i int, at bool) string {
		v := t.values[i]
		if at && t.in != nil {
			return c.Strong.Render(ui.Fit(v.Name, name)) + t.in.View(max(8, w-name))
		}
		s := ui.Fit(v.Name, name) + ui.Fit(ui.Clean(v.Value), value)
		rest := ui.Fit(v.Default, def) + ui.Fit(t.from(v), from)
		if room := w - name - value - def - from - 2; room >= 30 {
			rest += "  " + ui.Cut(t.help(v), room, c.Ellipsis)
		}
		switch {
		case at && focus:
			return c.Theme.Cursor.Render(ui.Fit(s+rest, w))
		case v.From == "default" || v.From == "cluster's shape":
			return c.Text.Render(s) + c.Dim.Render(rest)
		}
		return c.Strong.Render(s) + rest
	})
	return ui.Lines(append(append([]string{head}, strings.Split(body, "\n")...), notes...), w, h)
}

// notes are what the value under the cursor means, and while it is typed what it may be,
// and what is wrong with it.
func (t *tuningPanel) notes(w int) []string {
	v, ok := t.at()
	if !ok {
		return nil
	}
	c := t.p.c
	out := []string{c.Theme.Frame.Render(strings.Repeat(c.H, w))}
	for _, l := range ui.Wrap(t.help(v)+bounds(v), w) {
		out = append(out, c.Dim.Render(l))
	}
	if t.in == nil {
		return out
	}
	whom := c.T("server.for-one", "node", ui.Clean(t.p.name))
	if t.all {
		whom = c.T("server.for-all")
	}
	out = append(out, c.Text.Render(ui.Cut(c.Arrow+" "+whom, w, c.Ellipsis)))
	if t.wrong == "" {
		return append(out, c.Good.Render(c.Done+" "+c.T("server.good")))
	}
	for _, l := range ui.Wrap(c.Failed+" "+t.wrong, w) {
		out = append(out, c.Bad.Render(l))
	}
	return out
}

// help is a value's meaning: in the reader's language where the catalog has it, else as
// the kit that declares it says.
func (t *tuningPanel) help(v edit.Value) string {
	id := "server.tune-" + v.Name
	if s := t.p.c.T(id); s != "["+id+"]" {
		return s
	}
	return ui.Clean(v.Help)
}

// bounds says in short what may be written: "  [1-86400 s]".
func bounds(v edit.Value) string {
	switch v.Kind {
	case hierarchy.TuningSeconds:
		return "  [" + number(v.Min) + "-" + number(v.Max) + " s]"
	case hierarchy.TuningCount:
		return "  [" + number(v.Min) + "-" + number(v.Max) + "]"
	case hierarchy.TuningSwitch:
		return "  [0, 1]"
	case hierarchy.TuningWord:
		return "  [" + strings.Join(v.Choices, ", ") + "]"
	}
	return ""
}
