package model

import (
	"slices"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// Load is what there is on a server, in short. It is found once for a snapshot, where
// that is made: looking at every resource on every server takes longer than a frame.
type Load struct {
	// Here are the resources extended to it, In those in service there, Notable those
	// worth a line: in service, failing, held, or not known while they belong there.
	Here, In, Notable int
	// Items are the first of the notable ones, at most LoadItems: the worst first, then
	// as in the tree. What is at least impaired is never left out for one that is well.
	Items []Item
	// First are the first resources extended to it, as in the tree, at most LoadFirst.
	First []hierarchy.Tag
	// Waits are the first roots of hierarchies extended to it, at most LoadItems.
	Waits []Turn
}

// How many a Load names.
const (
	LoadItems = 8
	LoadFirst = 64
)

// Item is a notable resource on a server.
type Item struct {
	Tag   hierarchy.Tag
	State hierarchy.State
	Stale bool
	Held  bool // automation does nothing about it
}

// Turn is a hierarchy's root with the server's priority for it.
type Turn struct {
	Tag      hierarchy.Tag
	Priority int
}

// Load is what there is on a server; of one that nobody knows, nothing.
func (e *Estate) Load(server string) Load {
	if l := e.loads[server]; l != nil {
		return *l
	}
	return Load{}
}

// The urgencies of items, the worst first.
const (
	urgentStale = iota
	urgentFailed
	urgentImpaired
	urgentUnknown
	urgentHeld
	urgentNot
	urgencies
)

func (i *Item) urgency() int {
	switch {
	case i.Stale:
		return urgentStale
	case i.State == hierarchy.OSF:
		return urgentFailed
	case i.State == hierarchy.ISU:
		return urgentImpaired
	case i.State == hierarchy.ILLSTATE:
		return urgentUnknown
	case i.Held:
		return urgentHeld
	}
	return urgentNot
}

// loading is a Load while it is being found, its items by urgency.
type loading struct {
	Load
	items [urgencies][]Item
}

// findLoads goes through all resources on all servers.
func (e *Estate) findLoads() map[string]*Load {
	all := make(map[string]*loading, len(e.nodes))
	for name := range e.nodes {
		all[name] = &loading{}
	}
	var last []placed
	for i := range e.rows {
		r := e.rows[i].Res
		if r == nil || e.rows[i].Again {
			continue
		}
		for j := range r.On {
			if j >= len(last) { // resources mostly have the same servers in the same order
				last = append(last, placed{})
			}
			if name := r.On[j].Server; last[j].name != name {
				last[j] = placed{name, all[name]}
			}
			if last[j].on != nil {
				last[j].on.add(r, &r.On[j], len(e.rows[i].Branch) == 0)
			}
		}
	}
	out := make(map[string]*Load, len(all))
	for name, l := range all {
		l.Items = slices.Concat(l.items[:]...)
		l.Items = l.Items[:min(len(l.Items), LoadItems)]
		out[name] = &l.Load
	}
	return out
}

type placed struct {
	name string
	on   *loading
}

func (l *loading) add(r *api.ResourceStatus, in *api.InstanceStatus, root bool) {
	l.Here++
	if len(l.First) < LoadFirst {
		l.First = append(l.First, r.Tag)
	}
	if root && len(l.Waits) < LoadItems {
		l.Waits = append(l.Waits, Turn{r.Tag, in.Priority})
	}
	if in.State == hierarchy.OSU && in.Held == "" {
		return
	}
	serves := in.State.InService()
	if serves {
		l.In++
	}
	ill := in.State == hierarchy.ILLSTATE && r.Active == in.Server
	if !serves && in.State != hierarchy.OSF && !ill && in.Held == "" {
		return
	}
	l.Notable++
	it := Item{Tag: r.Tag, State: in.State, Stale: Stale(r, in), Held: in.Held != ""}
	if u := it.urgency(); len(l.items[u]) < LoadItems {
		l.items[u] = append(l.items[u], it)
	}
}
