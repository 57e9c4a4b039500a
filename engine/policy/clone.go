package policy

import (
	"maps"
	"slices"
)

// Clone copies the world so far that steps on the copy do not touch this one. The
// definition, plans and reasons are shared: nobody changes those.
func (w *World) Clone() *World {
	c := *w
	c.Instances = clonePointers(w.Instances)
	for _, in := range c.Instances {
		in.Recoveries = slices.Clone(in.Recoveries)
	}
	c.Nodes = clonePointers(w.Nodes)
	for _, n := range c.Nodes {
		n.Sights = maps.Clone(n.Sights)
	}
	c.Questions = clonePointers(w.Questions)
	c.Ops = clonePointers(w.Ops)
	c.Keeps = clonePointers(w.Keeps)
	c.Losses = clonePointers(w.Losses)
	for _, l := range c.Losses {
		l.Tried = slices.Clone(l.Tried)
	}
	c.Claims, c.Released, c.Given = maps.Clone(w.Claims), maps.Clone(w.Released), maps.Clone(w.Given)
	c.Quorum = clonePointers(w.Quorum)
	c.records = cloneMaps(w.records)
	c.saidBack = maps.Clone(w.saidBack)
	c.toldOf = maps.Clone(w.toldOf)
	c.Holds, c.wake, c.commands, c.dirty = maps.Clone(w.Holds), maps.Clone(w.wake), maps.Clone(w.commands), maps.Clone(w.dirty)
	c.rest = maps.Clone(w.rest)
	c.busy, c.asking, c.said = slices.Clone(w.busy), slices.Clone(w.asking), slices.Clone(w.said)
	c.gather()
	return &c
}

func clonePointers[K comparable, V any](m map[K]*V) map[K]*V {
	c := make(map[K]*V, len(m))
	for k, v := range m {
		own := *v
		c[k] = &own
	}
	return c
}

func cloneMaps[K, L comparable, V any](m map[K]map[L]V) map[K]map[L]V {
	c := make(map[K]map[L]V, len(m))
	for k, v := range m {
		c[k] = maps.Clone(v)
	}
	return c
}
