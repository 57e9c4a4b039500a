package wizard

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/form"
	"github.com/ferry-ha/ferry/tui/ui"
)

// A kits.Overwriter overwrites something on other servers than the one whose data counts: a
// mirror. What is lost is named, and a person agrees to it by a typed word, on a page before
// the summary. The word belongs to what was named: for another disk it has to be typed again.

func overwrites(k kits.Kit) bool { _, ok := k.(kits.Overwriter); return ok }

// loss is what one resource overwrites.
type loss struct {
	source, kept string            // the server whose data counts, and what is read there
	lost         map[string]string // by server
}

// lossOf asks a kit what it would overwrite if it came into service on source. Servers of
// which nothing is known yet are left out.
func lossOf(k kits.Kit, tag hierarchy.Tag, source string, on map[string]map[string]string) loss {
	o, ok := k.(kits.Overwriter)
	if !ok || source == "" {
		return loss{}
	}
	in := kits.Instance{Tag: string(tag), Kit: k.Name(), Node: kits.Node{Name: source}, Attrs: on[source], On: on}
	out := loss{source: source}
	out.kept, out.lost = o.Overwrites(in)
	out.lost = maps.Clone(out.lost)
	maps.DeleteFunc(out.lost, func(_, what string) bool { return what == "" })
	return out
}

// askLoss are the lines of the page: what is lost, what is kept, and the word.
func (w *Window) askLoss(tag hierarchy.Tag, l loss, word string) []question {
	c := w.c
	var out []question
	var all []string
	for _, s := range slices.Sorted(maps.Keys(l.lost)) {
		what := ui.Clean(l.lost[s])
		all = append(all, s+" "+what)
		out = append(out, question{Field: form.Field{ID: "lost-at/" + string(tag) + "/" + s, Kind: form.Note, Label: s, Default: what, Heading: c.T("wizard.lost-head")}})
	}
	out = append(out, question{Field: form.Field{ID: "kept/" + string(tag), Kind: form.Note, Label: l.source, Default: ui.Clean(l.kept), Heading: c.T("wizard.kept-head")}})
	wrong := c.T("wizard.lost-missing", "lost", strings.Join(all, ", "), "word", word)
	return append(out, question{
		missing: wrong,
		check: func(v string) string {
			if v == word {
				return ""
			}
			return wrong
		},
		Field: form.Field{ID: "lost/" + string(tag) + "/" + strings.Join(all, "/"), Label: c.T("wizard.lost-agree", "word", word), Help: c.T("wizard.lost-help", "server", l.source), Required: true},
	})
}

// losses are the create wizard's: nothing happens before the resource comes into service,
// which is meant to be on the server of the best priority.
func (a *creation) losses() []question {
	k, on := a.kit(), map[string]map[string]string{}
	places := a.places()
	if !overwrites(k) || len(places) < 2 {
		return nil
	}
	for _, p := range places {
		on[p.Server] = a.before(k.Fields(), p.Server)
	}
	l := lossOf(k, a.about(), places[0].Server, on)
	if len(l.lost) == 0 {
		return nil
	}
	return a.w.askLoss(a.about(), l, l.source)
}

// losses are the extend wizard's: what is on the target now.
func (a *extension) losses(r *hierarchy.Resource) []question {
	x, to := a.w.c.Est.Index, a.server(r)
	asks := a.asked(r)
	var out []question
	for _, t := range x.Hierarchy(r.Tag) {
		m := x.Resource(t)
		k := a.w.c.Kits[m.Kit]
		if k == nil || !overwrites(k) {
			continue
		}
		on := map[string]map[string]string{to: copied(m.Attrs)}
		for _, p := range m.On {
			on[p.Server] = copied(m.Attrs)
			maps.Copy(on[p.Server], p.Attrs)
		}
		for _, q := range asks {
			if v := cmp.Or(a.w.answer(a.id(r, q)), q.Default); q.Tag == t && v != "" {
				on[to][q.Field.Name] = v
			}
		}
		l := lossOf(k, t, a.source(t), on)
		if l.lost[to] != "" {
			l.lost = map[string]string{to: l.lost[to]}
			out = append(out, a.w.askLoss(t, l, to)...)
		}
	}
	return out
}

// source is the server whose data counts: where it is active, or else the best one.
func (a *extension) source(t hierarchy.Tag) string {
	if s := a.w.c.Est.Res(t); s != nil && s.Active != "" {
		return s.Active
	}
	if all := a.w.c.Est.Index.PlacementsByPriority(t); len(all) > 0 {
		return all[0].Server
	}
	return ""
}
