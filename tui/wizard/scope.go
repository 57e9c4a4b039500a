package wizard

import (
	"cmp"
	"slices"

	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/form"
)

// How often a field is asked that may differ from node to node.
const (
	forAll = iota
	perRegion
	perServer
	scopesN
)

// part is some of the servers: all, those of a region, or one.
type part struct {
	name  string // "" = all
	nodes []string
}

// parts are the servers as a scope divides them.
func (a *creation) parts(scope int) []part {
	var out []part
	for _, p := range a.places() {
		name := ""
		switch scope {
		case perRegion:
			name = a.w.c.Est.Index.RegionOf(p.Server)
		case perServer:
			name = p.Server
		}
		i := slices.IndexFunc(out, func(x part) bool { return x.name == name })
		if i < 0 {
			out, i = append(out, part{name: name}), len(out)
		}
		out[i].nodes = append(out[i].nodes, p.Server)
	}
	if out == nil || scope == forAll {
		return []part{{nodes: nodesOf(out)}}
	}
	return out
}

func nodesOf(parts []part) []string {
	var out []string
	for _, p := range parts {
		out = append(out, p.nodes...)
	}
	return out
}

// scopeOf is how often a field is asked: what the person said, else once; but per region
// for an address that has to be given, since each region has its own, and per server for
// what has to be given and is overwritten there.
func (a *creation) scopeOf(f kits.Field) int {
	if !divisible(f) {
		return forAll
	}
	scope, said := a.scopes[a.id(f, "")]
	switch {
	case said || !f.Required:
	case overwrites(a.kit()):
		scope = perServer
	case f.Kind == kits.KindAddress:
		scope = perRegion
	}
	if len(a.parts(scope)) < 2 {
		return forAll
	}
	return scope
}

// divisible tells that a field may be asked more than once. A resource that is named is
// the same everywhere: the servers follow from it.
func divisible(f kits.Field) bool {
	return f.PerNode && f.Kind != kits.KindSecret && f.Kind != kits.KindResource
}

// id names an answer: of a kit's field, for a part of the servers.
func (a *creation) id(f kits.Field, part string) string {
	id := "k/" + a.kit().Name() + "/" + f.Name
	if part != "" {
		id += "@" + part
	}
	return id
}

// value is a field's answer for a server; "" = nothing was answered.
func (a *creation) value(f kits.Field, server string) string {
	scope := a.scopeOf(f)
	for _, p := range a.parts(scope) {
		if p.name == "" || slices.Contains(p.nodes, server) {
			return a.valueOf(f, p, scope)
		}
	}
	return ""
}

// valueOf is a field's answer for a part of the servers.
func (a *creation) valueOf(f kits.Field, p part, scope int) string {
	return cmp.Or(a.w.answer(a.id(f, p.name)), a.coarser(f, p, scope))
}

// coarser is what was answered for more servers than these, which holds where nothing
// else is said: so an answer stays when the question is divided after it was given.
func (a *creation) coarser(f kits.Field, p part, scope int) string {
	if scope == forAll {
		return ""
	}
	v := a.w.answer(a.id(f, ""))
	if scope == perServer {
		v = cmp.Or(a.w.answer(a.id(f, a.w.c.Est.Index.RegionOf(p.name))), v)
	}
	return v
}

func (a *creation) askFields() []question {
	k := a.kit()
	var out []question
	for i, f := range k.Fields() {
		scope := a.scopeOf(f)
		for _, p := range a.parts(scope) {
			q := a.w.ofField(k, f, a.id(f, p.name), a.cluster())
			q.tag, q.nodes, q.scope = a.about(), p.nodes, a.id(f, "")
			if p.name != "" {
				q.Label += " (" + p.name + ")"
				q.Default = cmp.Or(a.coarser(f, p, scope), q.Default)
			}
			if f.Kind == kits.KindResource {
				a.leads(f, &q)
			}
			if node := a.look(p); loads(k, f) && node != "" {
				q.live = &source{kit: k.Name(), field: f.Name, node: node, attrs: a.before(k.Fields()[:i], node), only: f.Kind == kits.KindChoice}
			}
			out = append(out, q)
		}
	}
	sug := a.suggestion()
	out = append(out, a.askMount()...)
	out = append(out, question{check: a.w.checkTag(a.cluster()), tag: a.about(), Field: form.Field{
		ID: "tag", Label: a.w.c.T("wizard.tag"), Help: a.w.c.T("wizard.tag-help"), Default: sug, Required: true, Items: []string{sug},
	}})
	return append(out, a.askMountName()...)
}

// leads asks for a resource where the servers follow from it and nothing else tells them.
func (a *creation) leads(f kits.Field, q *question) {
	if a.follows() && len(a.named()) == 0 && a.w.answer("needs") == "" {
		q.Required = true
		q.Hint = a.w.c.T("wizard.leads")
		q.missing = a.w.c.T("wizard.leads-missing", "follow", a.w.c.T("wizard.follow"))
	}
}

// look is the node on which choices are looked for.
func (a *creation) look(p part) string {
	if len(p.nodes) > 0 {
		return p.nodes[0]
	}
	return first(a.w.c.Est.Servers(a.cluster()))
}

// before are the answers to the fields that come first, for a node.
func (a *creation) before(fields []kits.Field, node string) map[string]string {
	out := map[string]string{}
	for _, f := range fields {
		if v := a.value(f, node); v != "" && f.Kind != kits.KindSecret {
			out[f.Name] = v
		}
	}
	return out
}

// split goes to the next way in which the field under the cursor can be asked.
func (a *creation) split(q *question) (help string, do func()) {
	i := slices.IndexFunc(a.kit().Fields(), func(f kits.Field) bool { return q.scope != "" && a.id(f, "") == q.scope })
	if i < 0 || !divisible(a.kit().Fields()[i]) {
		return "", nil
	}
	f := a.kit().Fields()[i]
	now := a.scopeOf(f)
	for step := 1; step < scopesN; step++ {
		to := (now + step) % scopesN
		if to != forAll && len(a.parts(to)) < 2 || to == perServer && len(a.parts(to)) == len(a.parts(perRegion)) {
			continue
		}
		words := []string{forAll: "wizard.do-once", perRegion: "wizard.do-per-region", perServer: "wizard.do-per-server"}
		return a.w.c.T(words[to]), func() { a.divide(f, to) }
	}
	return "", nil
}

// divide changes how often a field is asked.
func (a *creation) divide(f kits.Field, scope int) {
	a.scopes[a.id(f, "")] = scope
	a.w.derive()
	a.w.form.Focus(a.id(f, a.parts(scope)[0].name))
}

func (a *creation) edit(sound bool) edit.Edit {
	k := a.kit()
	if k == nil || a.cluster() == "" || len(a.places()) == 0 && sound {
		return nil
	}
	cr := edit.Create{
		Cluster: a.cluster(), Tag: a.short(), Kit: k.Name(), Fields: map[string]string{},
		Switchback: hierarchy.Switchback(a.w.choose("switchback", string(hierarchy.Intelligent))),
	}
	if sound && a.w.checkTag(a.cluster())(cr.Tag) != "" {
		cr.Tag = a.suggestion()
	}
	if needs := list(a.w.answer("needs")); len(needs) > 0 && (!sound || a.checkNeeds(a.w.answer("needs")) == "") {
		cr.Needs = needs
	}
	on := a.places()
	for _, f := range k.Fields() {
		a.give(&cr, on, f, sound)
	}
	if !a.follows() || slices.ContainsFunc(on, func(p edit.Place) bool { return len(p.Fields) > 0 }) {
		cr.On = on
	}
	return cr
}

// give puts a field's answers where they belong: the same for all servers once, at the
// resource. The default is not written down.
func (a *creation) give(cr *edit.Create, on []edit.Place, f kits.Field, sound bool) {
	if f.Kind == kits.KindSecret {
		return
	}
	check := a.w.checkOf(f, a.cluster())
	good := func(v string) string {
		if v == f.Default || sound && v != "" && check(v) != "" {
			return ""
		}
		return v
	}
	scope := a.scopeOf(f)
	parts := a.parts(scope)
	one := good(a.valueOf(f, parts[0], scope))
	if !slices.ContainsFunc(parts, func(p part) bool { return good(a.valueOf(f, p, scope)) != one }) {
		if one != "" {
			cr.Fields[f.Name] = one
		}
		return
	}
	for i := range on {
		v := good(a.value(f, on[i].Server))
		if v == "" {
			continue
		}
		if on[i].Fields == nil {
			on[i].Fields = map[string]string{}
		}
		on[i].Fields[f.Name] = v
	}
}
