package wizard

import (
	"slices"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/form"
	"github.com/ferry-ha/ferry/tui/ui"
)

// extension asks what edit.Extend needs.
type extension struct {
	w       *Window
	written string // the tag as it was given
}

// resource is what is extended; nil while the estate has it not.
func (a *extension) resource() *hierarchy.Resource {
	r, err := a.w.c.Est.Index.Find(a.written)
	if err != nil {
		return nil
	}
	return r
}

func (a *extension) names(e edit.Edit) string {
	x, _ := e.(edit.Extend)
	return a.w.c.T("wizard.extend-wish", "tag", x.Tag, "server", x.Server)
}

func (a *extension) title() string { return a.w.c.T("wizard.extend-title", "tag", a.written) }

func (a *extension) about() hierarchy.Tag {
	if r := a.resource(); r != nil {
		return r.Tag
	}
	return ""
}

// free are the servers of the cluster that the resource is not on.
func (a *extension) free(r *hierarchy.Resource) []string {
	return free(a.w.c, r)
}

func free(c *ui.Context, r *hierarchy.Resource) []string {
	var out []string
	for _, s := range c.Est.Servers(r.Cluster) {
		if r.Placement(s) == nil {
			out = append(out, s)
		}
	}
	return out
}

func (a *extension) server(r *hierarchy.Resource) string {
	return a.w.choose("to", first(a.free(r)))
}

func (a *extension) pages() []page {
	c, r := a.w.c, a.resource()
	why := ""
	switch {
	case r == nil:
		why = c.T("wizard.no-resource", "tag", a.written)
	case len(a.free(r)) == 0:
		why = c.T("wizard.everywhere", "tag", string(r.Tag))
	}
	if why != "" {
		note := question{Field: form.Field{ID: "none", Kind: form.Note, Default: why}}
		return []page{{dead, c.T("wizard.page-where"), []question{note}}}
	}
	out := []page{{"where", c.T("wizard.page-where"), a.askWhere(r)}}
	if asks := a.askFields(r); len(asks) > 0 {
		out = append(out, page{"fields", c.T("wizard.page-there", "server", a.server(r)), asks})
	}
	if asks := a.losses(r); len(asks) > 0 {
		out = append(out, page{"lost", c.T("wizard.page-lost"), asks})
	}
	return out
}

func (a *extension) askWhere(r *hierarchy.Resource) []question {
	c := a.w.c
	all := a.free(r)
	names := make([]string, len(all))
	for i, s := range all {
		_, zone, _ := c.Est.Place(s)
		names[i] = s + "  " + zone
	}
	out := []question{{pin: true, check: a.checkTarget(r), Field: form.Field{ID: "to", Kind: form.Choice, Label: c.T("wizard.target"), Help: c.T("wizard.target-help"), Default: all[0], Items: all, Names: names}}}
	if roots := c.Est.Index.Roots(r.Tag); len(roots) > 1 {
		out = append(out, question{check: a.checkRoots, Field: form.Field{
			ID: "roots", Kind: form.Check, Label: c.T("wizard.all-roots"), Help: c.T("wizard.all-roots-help", "roots", joined(roots)), Default: "",
		}})
	}
	out = append(out, a.w.switchback("switchback", r.Switchback))
	out = append(out, a.askPriorities(r)...)
	return append(out, question{Field: form.Field{ID: "same-tag", Kind: form.Note, Label: c.T("wizard.tag"), Default: string(r.Tag)}})
}

// checkTarget notices that somebody else was quicker.
func (a *extension) checkTarget(r *hierarchy.Resource) func(string) string {
	return func(v string) string {
		if slices.Contains(a.free(r), v) {
			return ""
		}
		return a.w.c.T("wizard.bad-target", "server", v)
	}
}

func joined(tags []hierarchy.Tag) string {
	s := ""
	for i, t := range tags {
		if i > 0 {
			s += ", "
		}
		s += string(t)
	}
	return s
}

func (a *extension) checkRoots(v string) string {
	if v == "true" {
		return ""
	}
	return a.w.c.T("wizard.bad-roots")
}

// template is the server that the resource is extended from: the best one, or another.
func (a *extension) template(r *hierarchy.Resource) hierarchy.Placement {
	all := a.w.c.Est.Index.PlacementsByPriority(r.Tag)
	for _, p := range all {
		if p.Server == a.w.answer("template") {
			return p
		}
	}
	if len(all) == 0 {
		return hierarchy.Placement{}
	}
	return all[0]
}

func (a *extension) askPriorities(r *hierarchy.Resource) []question {
	c, all := a.w.c, a.w.c.Est.Index.PlacementsByPriority(r.Tag)
	var servers []string
	last := 0
	for _, p := range all {
		servers, last = append(servers, p.Server), max(last, p.Priority)
	}
	from := a.template(r)
	var out []question
	if len(servers) > 1 {
		out = append(out, question{Field: form.Field{ID: "template", Kind: form.Choice, Label: c.T("wizard.template"), Help: c.T("wizard.template-help"), Default: servers[0], Items: servers}})
	}
	other := a.w.checkPriority(func(n int) string {
		for _, p := range all {
			if p.Server != from.Server && p.Priority == n {
				return p.Server
			}
		}
		return ""
	})
	own := a.w.checkPriority(func(n int) string {
		for _, p := range all {
			if p.Server == from.Server {
				p.Priority = a.templatePriority(r)
			}
			if p.Priority == n {
				return p.Server
			}
		}
		return ""
	})
	return append(out,
		question{check: other, Field: form.Field{ID: "tprio/" + from.Server, Label: c.T("wizard.template-priority"), Help: c.T("wizard.template-priority-help"), Default: strconv.Itoa(from.Priority)}},
		question{check: own, Field: form.Field{ID: "prio", Label: c.T("wizard.target-priority"), Help: c.T("wizard.target-priority-help"), Default: strconv.Itoa(max(last, a.templatePriority(r)) + 1)}},
	)
}

func (a *extension) templatePriority(r *hierarchy.Resource) int {
	from := a.template(r)
	if n := a.w.number("tprio/" + from.Server); n > 0 {
		return n
	}
	return from.Priority
}

// asked are the questions of edit for the target. It works on a copy, so it is given the
// hierarchy alone: the whole definition may be a thousand times larger.
func (a *extension) asked(r *hierarchy.Resource) []edit.Ask {
	if a.w.c.Est.Estate == nil {
		return nil
	}
	part, x := *a.w.c.Est.Estate, a.w.c.Est.Index
	part.Res = nil
	for _, t := range x.Hierarchy(r.Tag) {
		part.Res = append(part.Res, *x.Resource(t))
	}
	asks, err := edit.Asks(&part, a.w.c.Kits, edit.Extend{Tag: string(r.Tag), Server: a.server(r)})
	if err != nil {
		return nil
	}
	return asks
}

func (a *extension) id(r *hierarchy.Resource, k edit.Ask) string {
	return "x/" + a.server(r) + "/" + string(k.Tag) + "/" + k.Field.Name
}

func (a *extension) askFields(r *hierarchy.Resource) []question {
	x, server := a.w.c.Est.Index, a.server(r)
	var out []question
	before := map[hierarchy.Tag]map[string]string{}
	for _, k := range a.asked(r) {
		m := x.Resource(k.Tag)
		kit := a.w.c.Kits[m.Kit]
		q := a.w.ofField(kit, k.Field, a.id(r, k), m.Cluster)
		q.tag, q.nodes, q.Heading = k.Tag, []string{server}, string(k.Tag)
		a.defaults(&q, k)
		if before[k.Tag] == nil {
			before[k.Tag] = copied(m.Attrs)
		}
		if loads(kit, k.Field) {
			q.live = &source{kit: m.Kit, field: k.Field.Name, node: server, attrs: copied(before[k.Tag]), only: k.Field.Kind == kits.KindChoice}
		}
		if v := a.w.answer(q.ID); v != "" {
			before[k.Tag][k.Field.Name] = v
		}
		out = append(out, q)
	}
	return out
}

func copied(m map[string]string) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// own tells that a field has to be given for each region: an address, or what is
// overwritten there. A path is the same everywhere, as a rule.
func (a *extension) own(k edit.Ask) bool {
	kit := a.w.c.Kits[a.w.c.Est.Index.Resource(k.Tag).Kit]
	return k.Field.Required && (k.Field.Kind == kits.KindAddress || overwrites(kit))
}

// defaults shows what holds when nothing is answered. What each region has its own of, and
// is known from another one only, is offered, but not taken for granted.
func (a *extension) defaults(q *question, k edit.Ask) {
	q.Default = k.Default
	if k.Far && k.Default != "" && a.own(k) {
		q.Default, q.Hint = "", a.w.c.T("wizard.elsewhere", "value", k.Default)
		q.Items = append([]string{k.Default}, q.Items...)
	}
	if k.Field.Required && q.Hint == "" && q.Default == "" {
		for _, p := range a.w.c.Est.Index.PlacementsByPriority(k.Tag) {
			if v := p.Attrs[k.Field.Name]; v != "" {
				q.Hint = a.w.c.T("wizard.there", "server", p.Server, "value", v)
				break
			}
		}
	}
	if q.Kind == form.Choice && q.Default != "" && !slices.Contains(q.Items, q.Default) {
		q.Items = append([]string{q.Default}, q.Items...)
		q.Names = nil
	}
}

func (a *extension) edit(sound bool) edit.Edit {
	r := a.resource()
	if r == nil || len(a.free(r)) == 0 {
		return nil
	}
	x := edit.Extend{
		Tag: string(r.Tag), Server: a.server(r), AllRoots: a.w.answer("roots") == "true",
		Priority: a.w.number("prio"), Fields: a.given(r, sound),
	}
	if from := a.template(r); a.templatePriority(r) != from.Priority {
		x.Template, x.TemplatePriority = from.Server, a.templatePriority(r)
	}
	if s := hierarchy.Switchback(a.w.answer("switchback")); s != r.Switchback {
		x.Switchback = s
	}
	return x
}

// given are the answers that differ from what holds anyway.
func (a *extension) given(r *hierarchy.Resource, sound bool) map[string]map[string]string {
	var out map[string]map[string]string
	for _, k := range a.asked(r) {
		v := a.w.answer(a.id(r, k))
		far := k.Far && a.own(k)
		bad := sound && v != "" && a.w.checkOf(k.Field, r.Cluster)(v) != ""
		if v == "" || v == k.Default && !far || bad || k.Field.Kind == kits.KindSecret {
			continue
		}
		if out == nil {
			out = map[string]map[string]string{}
		}
		if out[k.Tag.Short()] == nil {
			out[k.Tag.Short()] = map[string]string{}
		}
		out[k.Tag.Short()][k.Field.Name] = v
	}
	return out
}

func (a *extension) along(bool) []edit.Edit { return nil }

func (a *extension) split(*question) (string, func()) { return "", nil }

func (a *extension) then(done edit.All) tea.Cmd {
	x, ok := done[0].(edit.Extend)
	if !ok {
		return ui.Close(a.w)
	}
	return tea.Batch(ui.Close(a.w), ui.Show(newNext(a.w.c, hierarchy.Tag(x.Tag), x.Server, a.w.c.T("wizard.extended", "tag", x.Tag, "server", x.Server))))
}
