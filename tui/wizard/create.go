package wizard

import (
	"cmp"
	"slices"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/form"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// creation asks what edit.Create needs.
type creation struct {
	w      *Window
	given  string         // the cluster, when it is not asked
	scopes map[string]int // by kit and field: how often it is asked, where the person said
	leader leader
}

// leader remembers whether anything can lead to the servers: it is asked for many times
// for each key, and going through a large cluster takes a millisecond.
type leader struct {
	est          *model.Estate
	kit, cluster string
	there        bool
}

// dead is the id of a page that leads nowhere: there is nothing to ask.
const dead = "dead"

func (a *creation) title() string { return a.w.c.T("wizard.create-title") }

func (a *creation) names(e edit.Edit) string {
	cr, _ := e.(edit.Create)
	return a.w.c.T("wizard.create-wish", "tag", string(hierarchy.MakeTag(cr.Cluster, cr.Tag)), "kit", cr.Kit)
}

func (a *creation) clusters() []string {
	var out []string
	if e := a.w.c.Est.Estate; e != nil {
		for _, c := range e.Cluster {
			out = append(out, c.Name)
		}
	}
	return out
}

func (a *creation) cluster() string {
	all := a.clusters()
	if slices.Contains(all, a.given) {
		return a.given
	}
	if v := a.w.answer("cluster"); slices.Contains(all, v) {
		return v
	}
	return first(all)
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// kit is the chosen one; nil when the program has none.
func (a *creation) kit() kits.Kit {
	return a.w.c.Kits[a.w.choose("kit", first(a.w.c.Kits.Names()))]
}

func (a *creation) pages() []page {
	c := a.w.c
	if a.cluster() == "" || a.kit() == nil {
		note := question{Field: form.Field{ID: "none", Kind: form.Note, Default: c.T("wizard.no-cluster")}}
		return []page{{dead, c.T("wizard.page-kit"), []question{note}}}
	}
	out := []page{
		{"kit", c.T("wizard.page-kit"), a.askKit()},
		{"servers", c.T("wizard.page-servers"), a.askServers()},
		{"fields", c.T("wizard.page-fields", "kit", a.kit().Name()), a.askFields()},
	}
	if asks := a.losses(); len(asks) > 0 {
		out = append(out, page{"lost", c.T("wizard.page-lost"), asks})
	}
	return out
}

func (a *creation) askKit() []question {
	c, all := a.w.c, a.clusters()
	var out []question
	if !slices.Contains(all, a.given) && len(all) > 1 {
		out = append(out, question{pin: true, Field: form.Field{ID: "cluster", Kind: form.Choice, Label: c.T("wizard.cluster"), Help: c.T("wizard.cluster-help"), Default: all[0], Items: all}})
	}
	names := c.Kits.Names()
	help := c.T("wizard.kit-help")
	if id := "wizard.about-" + a.kit().Name(); c.Has(id) {
		help += " " + c.T(id)
	}
	out = append(out, question{pin: true, Field: form.Field{ID: "kit", Kind: form.Choice, Label: c.T("wizard.kit"), Help: help, Default: first(names), Items: names}})
	return append(out, a.w.switchback("switchback", hierarchy.Intelligent))
}

// follows tells that the servers are those of what the resource needs.
func (a *creation) follows() bool {
	return a.mayFollow() && a.w.choose("follow", a.followDefault()) == "true"
}

// followDefault is "false" as long as nothing is needed and the cluster has nothing that
// the kit's fields could mean: there would be no servers to follow, and a person who needs
// none (an Elastic IP has no IP resource) could not go on.
func (a *creation) followDefault() string {
	if a.w.answer("needs") != "" {
		return "true"
	}
	now := leader{est: a.w.c.Est, kit: a.kit().Name(), cluster: a.cluster(), there: a.leader.there}
	if now != a.leader {
		now.there = slices.ContainsFunc(a.kit().Fields(), a.meant)
		a.leader = now
	}
	return strconv.FormatBool(now.there)
}

// meant tells that the cluster has a resource for a field to name.
func (a *creation) meant(f kits.Field) bool {
	if f.Kind != kits.KindResource {
		return false
	}
	named := slices.ContainsFunc(a.w.c.Kits.Names(), func(kit string) bool { return meansKit(f, kit) })
	x := a.w.c.Est.Index
	return slices.ContainsFunc(x.InCluster(a.cluster()), func(t hierarchy.Tag) bool {
		r := x.Resource(t)
		return r != nil && (!named || meansKit(f, r.Kit))
	})
}

func (a *creation) mayFollow() bool {
	return a.w.answer("needs") != "" || slices.ContainsFunc(a.kit().Fields(), func(f kits.Field) bool { return f.Kind == kits.KindResource })
}

func (a *creation) askServers() []question {
	c, cl := a.w.c, a.cluster()
	help, hint := c.T("wizard.needs-help"), c.T("wizard.needs-hint")
	if _, makes := a.kit().(kits.ChildMaker); makes {
		help, hint = c.T("wizard.needs-made-help"), c.T("wizard.needs-made")
	}
	needs := question{field: "needs", check: a.checkNeeds, tag: a.about(), Field: form.Field{
		ID: "needs", Label: c.T("wizard.needs"), Help: help, Hint: hint, Items: a.w.tags(cl, kits.Field{}),
	}}
	out := []question{needs}
	if a.mayFollow() {
		out = append(out, question{pin: true, Field: form.Field{ID: "follow", Kind: form.Check, Label: c.T("wizard.follow"), Help: c.T("wizard.follow-help"), Default: a.followDefault()}})
	}
	if a.follows() {
		return out
	}
	for i, s := range c.Est.Servers(cl) {
		region, zone, _ := c.Est.Place(s)
		q := question{check: a.checkRank(s, i == 0), Field: form.Field{
			ID: "on/" + s, Kind: form.Rank, Label: s + "  " + cmp.Or(zone, region), Heading: c.T("wizard.servers"), Help: c.T("wizard.servers-help"),
		}}
		out = append(out, q)
	}
	return out
}

// checkRank judges a server's place; the first server's also that there is any.
func (a *creation) checkRank(server string, alone bool) func(string) string {
	taken := a.w.checkPriority(func(n int) string {
		for _, p := range a.chosen() {
			if p.Server != server && p.Priority == n {
				return p.Server
			}
		}
		return ""
	})
	return func(v string) string {
		switch {
		case v != "":
			return taken(v)
		case alone && len(a.chosen()) == 0:
			return a.w.c.T("wizard.no-server")
		}
		return ""
	}
}

func (a *creation) checkNeeds(v string) string {
	for _, n := range list(v) {
		if bad := a.w.checkOf(kits.Field{Kind: kits.KindResource}, a.cluster())(n); bad != "" {
			return bad
		}
	}
	return ""
}

// chosen are the servers with a priority, the best first.
func (a *creation) chosen() []edit.Place {
	var out []edit.Place
	for _, s := range a.w.c.Est.Servers(a.cluster()) {
		if n := a.w.number("on/" + s); n > 0 {
			out = append(out, edit.Place{Server: s, Priority: n})
		}
	}
	slices.SortStableFunc(out, func(x, y edit.Place) int { return cmp.Compare(x.Priority, y.Priority) })
	return out
}

// places are the servers of the new resource as far as they are known.
func (a *creation) places() []edit.Place {
	if !a.follows() {
		return a.chosen()
	}
	x := a.w.c.Est.Index
	for _, n := range append(list(a.w.answer("needs")), a.named()...) {
		t := hierarchy.Resolve(a.cluster(), n)
		if x.Resource(t) == nil {
			continue
		}
		var out []edit.Place
		for _, p := range x.PlacementsByPriority(t) {
			out = append(out, edit.Place{Server: p.Server, Priority: p.Priority})
		}
		return out
	}
	return nil
}

// named are the resources that the fields name.
func (a *creation) named() []string {
	var out []string
	for _, f := range a.kit().Fields() {
		if v := a.w.answer(a.id(f, "")); f.Kind == kits.KindResource && v != "" {
			out = append(out, v)
		}
	}
	return out
}

func (a *creation) short() string { return a.w.choose("tag", a.suggestion()) }

func (a *creation) about() hierarchy.Tag {
	if a.kit() == nil {
		return ""
	}
	return hierarchy.MakeTag(a.cluster(), a.short())
}

func (a *creation) then(done edit.All) tea.Cmd {
	tag := hierarchy.Tag("")
	for _, e := range done {
		if cr, ok := e.(edit.Create); ok { // what is put in service, and extended, is what stands above
			tag = hierarchy.MakeTag(cr.Cluster, cr.Tag)
		}
	}
	if tag == "" {
		return ui.Close(a.w)
	}
	return tea.Batch(ui.Close(a.w), ui.Show(newNext(a.w.c, tag, "", a.w.c.T("wizard.created", "tag", string(tag)))))
}
