package server

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// resourcesPanel lists what is extended to the server, in the tree's order: parents
// above what they need.
type resourcesPanel struct {
	p    *Page
	tags []hierarchy.Tag
	wide int // the widest tag
	list ui.List
}

func newResources(p *Page) *resourcesPanel { return &resourcesPanel{p: p} }

func (x *resourcesPanel) title() string {
	return x.p.c.T("server.panel-resources") + "  " + number(len(x.tags)) + more(&x.list)
}

func (x *resourcesPanel) rows(int) int { return max(1, len(x.tags)) }

func (x *resourcesPanel) fresh() {
	var was hierarchy.Tag
	if x.list.At < len(x.tags) {
		was = x.tags[x.list.At]
	}
	x.tags, x.wide = nil, 0
	rows := x.p.c.Est.Rows()
	for i := range rows {
		if r := rows[i].Res; r != nil && !rows[i].Again && x.p.c.Est.Cell(r.Tag, x.p.name) != nil {
			x.tags = append(x.tags, r.Tag)
			x.wide = max(x.wide, ui.Width(ui.Clean(r.Tag.Short())))
		}
	}
	x.list.SetN(len(x.tags))
	if i := slices.Index(x.tags, was); i >= 0 {
		x.list.At = i
	}
}

func (x *resourcesPanel) actions() []ui.Action {
	off := ""
	if len(x.tags) == 0 {
		off = x.p.c.T("server.no-resources")
	}
	return []ui.Action{{ID: "resource", Key: "enter", Help: x.p.c.T("server.do-resource"), Off: off}}
}

func (x *resourcesPanel) do(string) tea.Cmd {
	if x.list.At < len(x.tags) {
		return ui.Go(ui.Resource, string(x.tags[x.list.At]))
	}
	return nil
}

func (x *resourcesPanel) update(msg tea.Msg) (tea.Cmd, bool) { return nil, pick(&x.list, msg) }

func (x *resourcesPanel) view(w, h int, focus bool) string {
	c := x.p.c
	if len(x.tags) == 0 {
		return ui.Lines(ui.Wrap(c.T("server.no-resources"), w), w, h)
	}
	notes := x.notes(w, focus)
	if len(notes) > 0 {
		h = max(1, h-len(notes))
	}
	body := x.list.View(w, h, func(i int, at bool) string {
		r := x.p.c.Est.Res(x.tags[i])
		in := x.p.c.Est.Cell(x.tags[i], x.p.name)
		mark, st := stateLook(c, in.State)
		stale := model.Stale(r, in)
		if stale {
			mark, st = c.Attention, c.Alarm
		}
		s := mark + " " + ui.Fit(ui.Clean(r.Tag.Short()), x.wide) + "  " + ui.Fit(string(in.State), 8) + " " + ui.FitLeft(number(in.Priority), 3)
		if stale {
			s += "  " + c.T("server.stale")
		} else {
			s += "  " + ui.Fit(c.Ago(in.Since), 6)
			if why := ui.Clean(c.Reason(in.Reason)); why != "" {
				s += "  " + why
			}
		}
		return line(c, st, ui.Cut(s, w, c.Ellipsis), w, at && focus)
	})
	return strings.Join(append([]string{body}, notes...), "\n")
}

// notes say in full why the resource under the cursor is as it is.
func (x *resourcesPanel) notes(w int, focus bool) []string {
	if !focus || x.list.At >= len(x.tags) {
		return nil
	}
	c, in := x.p.c, x.p.c.Est.Cell(x.tags[x.list.At], x.p.name)
	if in == nil {
		return nil
	}
	var out []string
	for _, s := range []string{c.Reason(in.Reason), in.Held} {
		if s = ui.Clean(s); s != "" {
			out = append(out, ui.Wrap(s, w)...)
		}
	}
	if len(out) == 0 {
		return nil
	}
	out = out[:min(len(out), 6)]
	for i := range out {
		out[i] = ui.Fit(out[i], w)
	}
	return append([]string{c.Theme.Frame.Render(strings.Repeat(c.H, w))}, out...)
}
