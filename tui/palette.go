package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/tui/ui"
)

// palette finds anything by typing a few letters of it: pages, resources, servers, what
// can be done here.
type palette struct {
	a    *app
	d    *desk
	in   *ui.Input
	all  []entry
	hits []entry
	list ui.List
}

type entry struct {
	what, more string
	do         func() tea.Cmd
}

func newPalette(a *app, d *desk) *palette {
	p := &palette{a: a, d: d, in: ui.NewInput(d.ctx)}
	p.in.Hint(a.text.T("root.palette-hint"))
	p.all = p.entries()
	p.narrow()
	return p
}

func (p *palette) Title() string            { return p.a.text.T("root.palette-title") }
func (p *palette) Typing() bool             { return true }
func (p *palette) Actions() []ui.Action     { return nil }
func (p *palette) Do(string) tea.Cmd        { return nil }
func (p *palette) Size(w, h int) (int, int) { return min(w, 72), min(h, 16) }

func (p *palette) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case ui.Click:
		if _, ok := p.list.Hit(msg.Y - 2); ok {
			return p.choose()
		}
	case ui.Wheel:
		p.list.Update(msg)
	case tea.PasteMsg:
		cmd := p.in.Update(msg)
		p.narrow()
		return cmd
	case tea.KeyPressMsg:
		switch msg.String() {
		case "esc":
			return ui.Close(p)
		case "enter":
			return p.choose()
		case "up", "down", "pgup", "pgdown":
			p.list.Update(msg)
		case "ctrl+n":
			p.list.Update(tea.KeyPressMsg{Code: tea.KeyDown})
		case "ctrl+p":
			p.list.Update(tea.KeyPressMsg{Code: tea.KeyUp})
		default:
			cmd := p.in.Update(msg)
			p.narrow()
			return cmd
		}
	}
	return nil
}

func (p *palette) choose() tea.Cmd {
	if p.list.At >= len(p.hits) {
		return nil
	}
	p.d.close(p)
	return p.hits[p.list.At].do()
}

func (p *palette) narrow() {
	p.hits = p.hits[:0]
	for _, e := range p.all {
		if ui.Matches(p.in.Value(), e.what, e.more) {
			p.hits = append(p.hits, e)
		}
	}
	p.list.At = 0
	p.list.SetN(len(p.hits))
}

func (p *palette) View(w, h int) string {
	t := p.a.theme
	head := t.Key.Render(":") + p.in.View(w-1) + "\n\n"
	if len(p.hits) == 0 {
		return head + t.Dim.Render(p.a.text.T("root.palette-none"))
	}
	list := p.list.View(w, h-2, func(i int, at bool) string {
		e := p.hits[i]
		left := ui.Fit(" "+e.what, w*6/10)
		if at {
			return t.Cursor.Render(ui.Fit(left+e.more, w))
		}
		return t.Text.Render(left) + t.Dim.Render(ui.Fit(e.more, w-ui.Width(left)))
	})
	return head + ui.Highlight(list, p.in.Value(), t.Match)
}

// entries are everything there is to find, what is possible here first.
func (p *palette) entries() []entry {
	var out []entry
	page := p.d.page()
	for _, x := range p.a.actions(page) {
		more := p.a.text.T("root.palette-action") + " · " + p.a.keyName(x.Key)
		out = append(out, entry{x.Help, more, func() tea.Cmd {
			if x.Off != "" {
				return ui.Complain(x.Off)
			}
			return page.Do(x.ID)
		}})
	}
	for _, k := range slices.Concat(p.a.kinds(p.d), ui.Unnumbered()) {
		out = append(out, entry{p.a.label(p.d, k), p.a.text.T("root.palette-page") + " · " + string(k), func() tea.Cmd { return ui.Go(k, "") }})
	}
	for i := range p.d.ctx.Est.Resources {
		r := &p.d.ctx.Est.Resources[i]
		out = append(out, entry{ui.Clean(string(r.Tag)), p.a.text.T("root.palette-resource") + " · " + r.Kit, func() tea.Cmd { return ui.Go(ui.Resource, string(r.Tag)) }})
	}
	for i := range p.d.ctx.Est.Nodes {
		n := &p.d.ctx.Est.Nodes[i]
		out = append(out, entry{ui.Clean(n.Name), p.a.text.T("root.palette-server") + " · " + n.Zone, func() tea.Cmd { return ui.Go(ui.Server, n.Name) }})
	}
	for i, d := range p.a.desks {
		if len(p.a.desks) > 1 {
			out = append(out, entry{d.name(), p.a.text.T("root.palette-estate"), func() tea.Cmd { return func() tea.Msg { return deskAt{i} } }})
		}
	}
	for _, x := range []struct {
		id string
		m  tea.Msg
	}{
		{"theme", lookMsg{theme: true}}, {"lang", lookMsg{lang: true}}, {"ascii", lookMsg{ascii: true}},
		{"readonly", lookMsg{readOnly: true}}, {"quit", quitMsg{}},
	} {
		out = append(out, entry{p.a.text.T("root.help-" + x.id), p.a.text.T("root.palette-console") + " · " + x.id, func() tea.Cmd { return func() tea.Msg { return x.m } }})
	}
	return out
}
