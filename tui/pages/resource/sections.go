package resource

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/pages/hierarchies/cell"
	"github.com/ferry-ha/ferry/tui/ui"
)

func itoa(n int) string { return strconv.Itoa(n) }

func opener(k ui.Kind, arg string) func() tea.Cmd {
	return func() tea.Cmd { return ui.Go(k, arg) }
}

// relativesMost bounds the lists of relatives.
const relativesMost = 50

// relatives are what it needs and what needs it, with where each is.
func (p *Page) relatives(b *writer, r *api.ResourceStatus) {
	x := p.c.Est.Index
	for _, s := range []struct {
		id   string
		tags []hierarchy.Tag
	}{{"resource.needed-by", x.Parents(r.Tag)}, {"resource.needs", x.Children(r.Tag)}} {
		if len(s.tags) == 0 {
			continue
		}
		b.head(p.c.T(s.id))
		for _, t := range s.tags[:min(len(s.tags), relativesMost)] {
			p.relative(b, t)
		}
		if more := len(s.tags) - relativesMost; more > 0 {
			b.line("", span{cell.Dim, " " + p.c.T("resource.more", "n", more)})
		}
	}
}

func (p *Page) relative(b *writer, t hierarchy.Tag) {
	c := p.c
	r := c.Est.Res(t)
	spans := []span{{cell.Plain, " " + ui.Clean(t.Short())}}
	if r != nil {
		spans = []span{{cell.Dim, " " + c.Marks.Unknown + " "}, {cell.Strong, ui.Clean(t.Short())}, {cell.Dim, "  " + ui.Clean(r.Kit)}}
		if i := c.Est.Cell(t, cmp.Or(model.Holder(r), first(r.On))); i != nil {
			f := cell.FaceOf(c, r, i)
			spans[0] = span{f.Tone, " " + f.Mark + " " + strings.TrimSpace(f.Word+" "+f.Alert) + "  "}
			spans = append(spans, span{cell.Dim, "  " + ui.Clean(i.Server)})
		}
	}
	b.line("tag:"+string(t), spans...).open = opener(ui.Resource, string(t))
}

func first(on []api.InstanceStatus) string {
	if len(on) == 0 {
		return ""
	}
	return on[0].Server
}

// live is what the kit tells of the server under the cursor.
func (p *Page) live(b *writer, r *api.ResourceStatus) {
	i := p.c.Est.Cell(r.Tag, p.node)
	if i == nil || len(i.Details) == 0 {
		return
	}
	b.head(p.c.T("resource.live", "node", ui.Clean(p.node)))
	left := 0
	for k := range i.Details {
		left = max(left, ui.Width(p.detail(r.Kit, k)))
	}
	left = min(left, b.w/2)
	for _, k := range slices.Sorted(maps.Keys(i.Details)) {
		b.pair("live:"+k, p.detail(r.Kit, k), left, cell.Plain, ui.Clean(i.Details[k]))
	}
}

// detail is a word for a kit's key in the reader's language, where the catalog has one.
func (p *Page) detail(kit, key string) string {
	if id := "resource.live-" + kit + "-" + key; p.c.Has(id) {
		return p.c.T(id)
	}
	return ui.Clean(key)
}

// definition is what was written down, with the kit's words for it.
func (p *Page) definition(b *writer, r *api.ResourceStatus) {
	c := p.c
	def := c.Est.Index.Resource(r.Tag)
	if def == nil {
		return
	}
	b.head(c.T("resource.definition"))
	facts := []cell.Fact{{Label: c.T("resource.switchback"), Text: c.T("resource.switchback-" + cmp.Or(string(def.Switchback), string(hierarchy.Intelligent)))}}
	known := map[string]bool{}
	if k := c.Kits[r.Kit]; k != nil {
		for _, f := range k.Fields() {
			known[f.Name] = true
			facts = append(facts, p.field(def, k.Name(), f)...)
		}
	}
	facts = append(facts, unknownFields(def, known)...)
	left := min(labelWidth(facts), b.w/2)
	for _, f := range facts {
		b.pair("field:"+f.Label, f.Label, left, f.Tone, f.Text)
	}
}

// field is a field's value: one for all servers, or those that differ with their servers.
func (p *Page) field(def *hierarchy.Resource, kit string, f kits.Field) []cell.Fact {
	c := p.c
	label := ui.Clean(f.Label)
	if id := "fields." + kit + "-" + f.Name + "-label"; c.T(id) != "["+id+"]" {
		label = c.T(id)
	}
	if f.Kind == kits.KindSecret {
		return []cell.Fact{{Label: label, Text: c.T("resource.secret"), Tone: cell.Dim}}
	}
	var out []cell.Fact
	if v := def.Attrs[f.Name]; v != "" {
		out = append(out, cell.Fact{Label: label, Text: ui.Clean(v)})
	}
	out = append(out, perNode(def, f.Name, label)...)
	switch {
	case len(out) > 0:
	case f.Default != "":
		out = append(out, cell.Fact{Label: label, Text: c.T("resource.by-default", "value", ui.Clean(f.Default)), Tone: cell.Dim})
	case f.Required:
		out = append(out, cell.Fact{Label: label, Text: c.T("common.none"), Tone: cell.Warn})
	}
	return out
}

// perNode are the values that a field has on single servers, those that are equal on
// one line.
func perNode(def *hierarchy.Resource, name, label string) []cell.Fact {
	var values []string
	on := map[string][]string{}
	for _, pl := range def.On {
		if v := pl.Attrs[name]; v != "" {
			if on[v] == nil {
				values = append(values, v)
			}
			on[v] = append(on[v], ui.Clean(pl.Server))
		}
	}
	var out []cell.Fact
	for _, v := range values {
		out = append(out, cell.Fact{Label: label, Text: ui.Clean(v) + "  " + strings.Join(on[v], ", ")})
	}
	return out
}

// unknownFields are those of a kit that this console does not have.
func unknownFields(def *hierarchy.Resource, known map[string]bool) []cell.Fact {
	var out []cell.Fact
	for _, k := range slices.Sorted(maps.Keys(def.Attrs)) {
		if !known[k] {
			out = append(out, cell.Fact{Label: ui.Clean(k), Text: ui.Clean(def.Attrs[k])})
		}
	}
	return out
}

// operations are those that moved it, newest first.
func (p *Page) operations(b *writer) {
	c := p.c
	b.head(c.T("resource.operations"))
	n := 0
	for _, o := range p.past.all(c, p.tag) {
		text := cell.OpText(c, &o)
		if !ui.Matches(p.filter, text, o.By) || n == 12 {
			continue
		}
		n++
		mark, tone := opMark(c, o.Outcome)
		b.entry("op:"+o.ID, mark, tone, c.Clock(c.Now, o.Began), cell.Plain, text, opener(ui.Operations, o.ID))
		if why := ui.Clean(c.Reason(o.Reason)); why != "" && o.Outcome != policy.OpDone {
			b.text("op:"+o.ID, cell.Dim, 5, why)
		}
	}
	if n == 0 {
		p.nothing(b)
	}
}

func opMark(c *ui.Context, o policy.OpOutcome) (string, cell.Tone) {
	switch o {
	case policy.OpRunning:
		return c.Spinner(), cell.Accent
	case policy.OpDone:
		return c.Done, cell.Good
	case policy.OpRolledBack:
		return c.Left, cell.Warn
	}
	return c.Marks.Failed, cell.Bad
}

// nothing says whether nothing happened or nothing is known.
func (p *Page) nothing(b *writer) {
	switch {
	case p.past.err != nil:
		b.text("", cell.Warn, 1, ui.Clean(p.past.err.Error()))
	case p.past.asked && !p.past.known:
		b.line("", span{cell.Dim, " " + p.c.Spinner() + " " + p.c.T("common.loading")})
	default:
		b.line("", span{cell.Dim, " " + p.c.T("common.nothing")})
	}
}

// eventsShown bounds what is drawn; page 7 has them all.
const eventsShown = 60

// happenings are its events, newest first.
func (p *Page) happenings(b *writer) {
	c := p.c
	b.head(c.T("resource.events"))
	n := 0
	for i := len(p.past.events) - 1; i >= 0 && n < eventsShown; i-- {
		e := &p.past.events[i]
		text := ui.Clean(c.Reason(e.Reason))
		if !ui.Matches(p.filter, text, e.Node, e.By, e.Kind, e.Severity) {
			continue
		}
		n++
		mark, tone := c.Bullet, cell.Plain
		switch e.Severity {
		case "warning":
			mark, tone = c.Attention, cell.Warn
		case "error":
			mark, tone = c.Marks.Failed, cell.Bad
		}
		b.entry("event:"+strconv.FormatInt(e.Seq, 10), mark, tone, c.Clock(c.Now, e.At), tone, text, nil)
	}
	if n == 0 {
		p.nothing(b)
	}
}
