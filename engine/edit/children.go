package edit

import (
	"maps"
	"slices"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// All are edits that are one wish: all of them, or none.
type All []Edit

// String says the first one: the others follow from it.
func (a All) String() string {
	if len(a) == 0 {
		return "nothing"
	}
	return a[0].String()
}

func (a All) change(d *draft) error {
	for _, ed := range a {
		if err := ed.change(d); err != nil {
			return err
		}
	}
	return nil
}

// Pending is a resource that edits would put on servers, and whose kit reads from each of
// them what the children are to be (kits.ChildMaker).
type Pending struct {
	Kit string
	Tag hierarchy.Tag
	// On are its fields on each server where it would be new.
	On map[string]map[string]string
}

// Pendings tells what has to be read from servers before these edits can be made: what
// Provide then takes. Empty for most edits. It asks nobody.
func Pendings(e *hierarchy.Estate, reg kits.Registry, edits ...Edit) ([]Pending, error) {
	d := newDraft(e, reg)
	if err := All(edits).change(d); err != nil {
		return nil, err
	}
	was, x := hierarchy.NewIndex(e), d.index()
	var out []Pending
	for i := range d.e.Res {
		r := &d.e.Res[i]
		if _, makes := reg[r.Kit].(kits.ChildMaker); !makes {
			continue
		}
		p := Pending{Tag: r.Tag, Kit: r.Kit, On: map[string]map[string]string{}}
		for _, on := range r.On {
			if was.Placement(r.Tag, on.Server) == nil {
				p.On[on.Server] = hierarchy.InstanceOf(x, r.Tag, on.Server, "").Attrs
			}
		}
		if len(p.On) > 0 {
			out = append(out, p)
		}
	}
	return out, nil
}

// Provide gives a resource the children that its kit read from its servers: one that is
// not there is made, on the same servers, and needed from then on; one that is there gets
// the fields that it lacks on servers where it is new.
type Provide struct {
	// Tag is the resource, as a person writes it.
	Tag string
	// Found is what was read, by server.
	Found map[string][]kits.Child
}

// String says the wish.
func (p Provide) String() string { return "give " + p.Tag + " what it needs" }

func (p Provide) change(d *draft) error {
	r, err := d.resource(p.Tag)
	if err != nil {
		return err
	}
	for _, c := range p.children(r) {
		k, err := d.kit(c.kit)
		if err != nil {
			return err
		}
		for server := range c.on {
			if c.on[server], err = d.checked(k, r.Cluster, "", c.on[server]); err != nil {
				return err
			}
		}
		if have := d.childLike(r, c); have != nil {
			d.complete(have, k, c)
		} else if err := d.makeChild(r, c); err != nil {
			return err
		}
		if r, err = d.resource(p.Tag); err != nil { // the draft's list may have moved
			return err
		}
	}
	return nil
}

// foundChild is a child as all servers together see it.
type foundChild struct {
	kit, tag string
	on       map[string]map[string]string
}

// children groups what the servers said, those of the best server first.
func (p Provide) children(r *hierarchy.Resource) []foundChild {
	var out []foundChild
	for _, at := range r.On {
		for _, c := range p.Found[at.Server] {
			i := slices.IndexFunc(out, func(f foundChild) bool { return f.kit == c.Kit && f.tag == c.Tag })
			if i < 0 {
				i, out = len(out), append(out, foundChild{c.Kit, c.Tag, map[string]map[string]string{}})
			}
			out[i].on[at.Server] = maps.Clone(c.Attrs)
		}
	}
	return out
}

// childLike is the child that a resource has already: that tag, or the only one of the kit.
func (d *draft) childLike(r *hierarchy.Resource, c foundChild) *hierarchy.Resource {
	x := d.index()
	var alike []*hierarchy.Resource
	for _, t := range r.Children {
		switch have := x.Resource(t); {
		case have == nil || have.Kit != c.kit:
		case t.Short() == c.tag:
			return have
		default:
			alike = append(alike, have)
		}
	}
	if len(alike) == 1 {
		return alike[0]
	}
	return nil
}

func (d *draft) makeChild(r *hierarchy.Resource, c foundChild) error {
	tag := hierarchy.MakeTag(r.Cluster, c.tag)
	if old := d.index().Resource(tag); old != nil {
		return refused("let it be needed (--needs "+c.tag+") when it is the one, or delete it",
			"%s comes with a resource %s, but there is one already, of kit %s", r.Tag, tag, old.Kit)
	}
	child := hierarchy.Resource{Tag: tag, Kit: c.kit, Cluster: r.Cluster, Switchback: r.Switchback}
	same, own := spread(r.On, c.on)
	child.Attrs = same
	for _, p := range r.On {
		child.On = append(child.On, hierarchy.Placement{Server: p.Server, Priority: p.Priority, Attrs: own[p.Server]})
	}
	r.Children = append(r.Children, tag)
	d.e.Res = append(d.e.Res, child)
	return nil
}

// spread parts fields into those that are the same on every server and those of each.
func spread(on []hierarchy.Placement, fields map[string]map[string]string) (same map[string]string, own map[string]map[string]string) {
	same, own = map[string]string{}, map[string]map[string]string{}
	for _, p := range on {
		for name, v := range fields[p.Server] {
			if !slices.ContainsFunc(on, func(q hierarchy.Placement) bool { return fields[q.Server][name] != v }) {
				same[name] = v
				continue
			}
			if own[p.Server] == nil {
				own[p.Server] = map[string]string{}
			}
			own[p.Server][name] = v
		}
	}
	return same, own
}

// complete gives a child that is there what was read for servers where it is new. What
// somebody wrote down there stays, and is said when the server says otherwise.
func (d *draft) complete(child *hierarchy.Resource, k kits.Kit, c foundChild) {
	old := d.was.Resource(child.Tag)
	for i := range child.On {
		p := &child.On[i]
		if old != nil && old.Placement(p.Server) != nil {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(c.on[p.Server])) {
			f, err := field(k, name)
			v, own, common := c.on[p.Server][name], p.Attrs[name], child.Attrs[name]
			if common == "" {
				common = f.Default
			}
			switch {
			case err != nil || own == v || own == "" && common == v:
			case own != "":
				d.note("%s of %s on %s stays %s; the server itself says %s", name, child.Tag, p.Server, own, v)
			case !f.PerNode || child.Attrs[name] != "" && old == nil:
				d.note("%s of %s stays %s; %s itself says %s", name, child.Tag, common, p.Server, v)
			default:
				if p.Attrs == nil {
					p.Attrs = map[string]string{}
				}
				p.Attrs[name] = v
			}
		}
	}
}

// madeWith are the resources that were made with this one by its kit and are of no use
// without it: they go with it, unless something else needs them.
func (d *draft) madeWith(idx *hierarchy.Index, r *hierarchy.Resource) []hierarchy.Tag {
	var out []hierarchy.Tag
	if _, makes := d.reg[r.Kit].(kits.ChildMaker); !makes {
		return nil
	}
	for _, t := range idx.Children(r.Tag) {
		others := slices.DeleteFunc(slices.Clone(idx.Parents(t)), func(p hierarchy.Tag) bool { return p == r.Tag })
		if len(others) > 0 {
			d.note("%s stays, because %s need%s it", t, tags(others), map[bool]string{true: "s"}[len(others) == 1])
			continue
		}
		d.note("%s goes with %s, which it was made with", t, r.Tag)
		out = append(out, t)
	}
	return out
}
