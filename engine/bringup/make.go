package bringup

import (
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// Make says of every hierarchy of a definition how far it is, in the order in which they come up. The
// snapshot may be of an older definition, or nil: what it does not know is new.
func Make(x *hierarchy.Index, reg kits.Registry, s *api.Snapshot) []Work {
	v := look(x, reg, s)
	var out []Work
	for _, tags := range x.Hierarchies() {
		if len(tags) > 0 {
			out = append(out, v.judge(tags))
		}
	}
	slices.SortStableFunc(out, func(a, b Work) int { return v.rank(a) - v.rank(b) })
	return out
}

// Lasting tells whether works of these states are all there is to wait for: nothing is to be done,
// and nothing may change by itself.
func Lasting(ws []Work) bool {
	return !slices.ContainsFunc(ws, func(w Work) bool { return w.State != Done && w.State != Blocked })
}

// rank is 0 for what other hierarchies may be reached by: tunnels, and what a comm path goes via.
func (v *view) rank(w Work) int {
	for _, t := range w.Resources {
		if _, carries := v.kit(t).(kits.Carrier); carries || v.via[t] {
			return 0
		}
	}
	return 1
}

func (v *view) judge(tags []hierarchy.Tag) Work {
	w := Work{Roots: v.x.Roots(tags[0]), Resources: tags}
	for _, t := range tags {
		if r := v.res[t]; r == nil || !v.inService(t, r.Active) {
			w.Missing = append(w.Missing, t)
		}
	}
	holders := v.holders(tags)
	if len(holders) == 1 {
		w.Node = holders[0]
	}
	switch op := v.running(tags); {
	case v.dual(tags) != nil:
		w.block(*v.dual(tags), "ferry", "status")
	case op != nil:
		w.State, w.Operation, w.Node = Busy, op.ID, op.Plan.Goal.Node
		w.Reason = why("busy", "operation "+op.ID+" works on it", "op", op.ID)
	case len(holders) > 1:
		w.block(why("apart", "parts of it are held by "+strings.Join(holders, " and ")+", and they have to be together", "nodes", strings.Join(holders, " ")), "ferry", "status")
	case len(holders) == 1:
		v.onHolder(&w)
	default:
		v.fresh(&w)
	}
	return w
}

// onHolder: what is held somewhere is brought up there and nowhere else.
func (v *view) onHolder(w *Work) {
	if len(w.Missing) == 0 {
		w.State, w.Reason = Done, why("in-service", "it is in service on "+w.Node, "node", w.Node)
		return
	}
	held, elsewhere := v.held(w.Resources), v.unclaimed(w.Resources)
	source, first := v.sourceless(w.Resources), v.x.PlacementsByPriority(w.Roots[0])
	elsewhere = slices.DeleteFunc(elsewhere, func(n string) bool { return n == w.Node })
	switch {
	case held != nil:
		w.block(*held, inService(w.Roots[0], w.Node)...)
	case source != "" && len(first) > 0 && first[0].Server != w.Node:
		w.block(why("source-elsewhere", string(source)+" has no source yet, and "+w.Node+", which holds what it belongs to, is not the first by priority", "tag", string(source), "node", w.Node), inService(w.Roots[0], w.Node)...)
	case v.lost(w.Node):
		w.block(why("holder-lost", w.Node+" holds it and is "+string(v.verdict(w.Node))+"; it is not brought up on a second node", "node", w.Node), "ferry", "confirm", "list")
	case v.verdict(w.Node) == policy.Unknown:
		w.unknown(why("node-unknown", "whether "+w.Node+", which holds it, is there is not known", "node", w.Node))
	case len(elsewhere) > 0:
		w.block(why("runs-elsewhere", "something of it runs on "+strings.Join(elsewhere, " and ")+", and "+w.Node+" holds it", "nodes", strings.Join(elsewhere, " "), "node", w.Node), "ferry", "status")
	case v.unclear(w.Missing, w.Node) != "":
		t := v.unclear(w.Missing, w.Node)
		w.unknown(why("state-unknown", "the state of "+string(t)+" on "+w.Node+" is not known", "tag", string(t), "node", w.Node))
	default:
		w.todo(why("rest", "the rest of it belongs on "+w.Node, "node", w.Node))
		v.price(w)
	}
}

// fresh: nobody holds any of it.
func (v *view) fresh(w *Work) {
	places := v.x.PlacementsByPriority(w.Roots[0])
	if len(places) == 0 {
		w.block(why("nowhere", "it is extended to no server"), "ferry", "resource", "extend", string(w.Roots[0]))
		return
	}
	first := places[0].Server
	runs, source := v.unclaimed(w.Resources), v.sourceless(w.Resources)
	w.Node = first
	reason := why("first", first+" is the first by priority", "node", first)
	switch last := v.lastHolder(w.Resources); {
	case v.asked(w.Resources) != "":
		w.block(why("question", "question "+v.asked(w.Resources)+" about it waits for an answer"), "ferry", "confirm", "list")
		return
	case len(runs) > 1:
		w.block(why("runs-twice", "something of it runs on "+strings.Join(runs, " and ")+", and nobody holds it", "nodes", strings.Join(runs, " ")), "ferry", "status")
		return
	case len(runs) == 1 && runs[0] != first && source != "":
		w.block(why("source-elsewhere", string(source)+" has no source yet, and something of it runs on "+runs[0]+", which is not the first by priority", "tag", string(source), "node", runs[0]), inService(w.Roots[0], runs[0])...)
		return
	case len(runs) == 1:
		w.Node, reason = runs[0], why("runs-here", "something of it runs on "+runs[0]+" already", "node", runs[0])
	case last != "" && last != first:
		w.Node, reason = last, why("data-here", "it was last in service on "+last+", and its data is there", "node", last)
	}
	v.whetherThere(w, reason, source, w.Node == first && len(runs) == 0 && v.lastHolder(w.Resources) == "")
}

// whetherThere looks whether the node is there. free: another one may take its place.
func (v *view) whetherThere(w *Work, reason kits.Reason, source hierarchy.Tag, free bool) {
	switch verdict := v.verdict(w.Node); {
	case v.lost(w.Node) && source != "":
		w.block(why("source-lost", w.Node+" is "+string(verdict)+"; its disk is to be the first source of "+string(source)+", and all others are overwritten", "node", w.Node, "tag", string(source)), "ferry", "status")
		return
	case v.lost(w.Node) && !free:
		w.block(why("data-lost", w.Node+" is "+string(verdict)+", and what it needs is there", "node", w.Node), "ferry", "status")
		return
	case v.lost(w.Node):
		next := v.next(w.Roots[0], w.Node)
		if next == "" {
			w.block(why("none-there", w.Node+" is "+string(verdict)+", and no other server of its region can take it", "node", w.Node), "ferry", "in-service", string(w.Roots[0]), "--on", "NODE")
			return
		}
		reason = why("next", w.Node+" is "+string(verdict)+", and "+next+" is the next by priority", "node", next, "lost", w.Node)
		w.Node = next
	case verdict == policy.Unknown && v.nodes[w.Node] != nil:
		w.unknown(why("node-unknown", "whether "+w.Node+" is there is not known", "node", w.Node))
		v.price(w)
		return
	}
	w.todo(reason)
	v.price(w)
}

// price says what is overwritten on other nodes: that of data without a source.
func (v *view) price(w *Work) {
	for _, t := range w.Resources {
		k, overwrites := v.kit(t).(kits.Overwriter)
		if !overwrites || v.recorded(t) {
			continue
		}
		by, lost := k.Overwrites(hierarchy.InstanceOf(v.x, t, w.Node, w.Node))
		for _, p := range v.x.PlacementsByPriority(t) {
			if what, is := lost[p.Server]; is {
				w.Overwrites = append(w.Overwrites, Overwrite{Tag: t, Node: p.Server, What: what, Source: w.Node, By: by})
			}
		}
	}
}
