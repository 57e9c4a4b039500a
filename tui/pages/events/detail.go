package events

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui/confirm"
	"github.com/ferry-ha/ferry/tui/decision"
	"github.com/ferry-ha/ferry/tui/ui"
)

// detail is the window of one event, with all that it carries.
type detail struct {
	c      *ui.Context
	e      api.Event
	scroll ui.Scroll
}

func newDetail(c *ui.Context, e api.Event) *detail { return &detail{c: c, e: e} }

// Title implements ui.Page.
func (d *detail) Title() string { return d.c.T("events.number", "seq", d.e.Seq) }

// Actions implements ui.Page: the pages that tell more, under their own numbers.
func (d *detail) Actions() []ui.Action {
	var out []ui.Action
	add := func(id, key, what string) {
		if what != "" {
			out = append(out, ui.Action{ID: id, Key: key, Help: ui.Clean(what)})
		}
	}
	add("resource", "3", string(d.e.Tag))
	add("server", "4", d.e.Node)
	add("operation", "5", d.e.Op)
	add("question", "6", d.e.Question)
	return append(out, ui.Action{ID: "copy", Key: "y", Help: d.c.T("events.do-copy")})
}

// Do implements ui.Page.
func (d *detail) Do(id string) tea.Cmd {
	switch id {
	case "resource":
		return ui.Go(ui.Resource, string(d.e.Tag))
	case "server":
		return ui.Go(ui.Server, d.e.Node)
	case "operation":
		return ui.Go(ui.Operations, d.e.Op)
	case "question":
		return tea.Batch(ui.Close(d), ui.Show(confirm.New(d.c, d.e.Question)))
	case "copy":
		return ui.Copy(asLine(d.c, d.e), d.Title())
	}
	return nil
}

// Update implements ui.Page.
func (d *detail) Update(msg tea.Msg) tea.Cmd {
	d.scroll.Update(msg)
	return nil
}

// Size implements ui.Sized.
func (d *detail) Size(w, h int) (int, int) {
	w = min(w, 100)
	return w, min(h, len(d.lines(w)))
}

// View implements ui.Page.
func (d *detail) View(w, h int) string { return d.scroll.View(d.lines(w), w, h) }

func (d *detail) lines(w int) []string {
	c, e := d.c, d.e
	st, mark := severity(c, e)
	var out []string
	for _, line := range ui.Wrap(message(c, e), w) {
		out = append(out, st.Render(line))
	}
	pairs := []string{
		c.T("events.when"), e.At.Local().Format("2006-01-02 15:04:05 -0700") + "  " + c.T("confirm.ago", "age", c.Ago(e.At)),
		c.T("events.severity"), strings.TrimSpace(mark + " " + c.T("events.severity-"+known(e.Severity))),
		c.T("events.kind"), kind(c, e),
	}
	for _, x := range []struct{ name, v string }{{"resource", string(e.Tag)}, {"server", e.Node}, {"operation", e.Op}, {"question", e.Question}, {"by", e.By}} {
		if x.v != "" {
			pairs = append(pairs, c.T("events."+x.name), ui.Clean(x.v))
		}
	}
	out = append(append(out, ""), ui.Pairs(c.Theme, w, pairs...)...)
	if e.Decision != nil {
		out = append(out, "", c.Accent.Render(ui.Cut(c.T("events.decision"), w, c.Ellipsis)))
		out = append(out, ui.Wrap(decision.Headline(c, *e.Decision), w)...)
		out = append(out, decision.Reasons(c, *e.Decision, w)...)
	}
	return append(out, d.arguments(w)...)
}

// known keeps severities to those that have words.
func known(s string) string {
	switch s {
	case "error", "warning":
		return s
	}
	return "info"
}

// arguments are the reason's own data, as programs get them.
func (d *detail) arguments(w int) []string {
	c, r := d.c, d.e.Reason
	if r.Code == "" {
		return nil
	}
	pairs := []string{c.T("events.code"), ui.Clean(r.Code)}
	for _, k := range slices.Sorted(maps.Keys(r.Args)) {
		pairs = append(pairs, ui.Clean(k), ui.Clean(r.Args[k]))
	}
	pairs = append(pairs, c.T("events.sequence"), strconv.FormatInt(d.e.Seq, 10))
	return append([]string{"", c.Accent.Render(ui.Cut(c.T("events.data"), w, c.Ellipsis))}, ui.Pairs(c.Theme, w, pairs...)...)
}
