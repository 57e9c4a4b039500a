package edit

import (
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// Delete takes a resource out of the definition. What it needs stays, unless Below; but
// what was made together with it by its kit (an Openswan resource's ec2 child) goes along
// when nothing else needs it, and a note says so.
type Delete struct {
	Tag string
	// Below: what it needs goes too, as far as nothing else needs it.
	Below bool
}

// String says the wish.
func (x Delete) String() string { return "delete " + x.Tag }

func (x Delete) change(d *draft) error {
	idx := d.index()
	r, err := find(idx, x.Tag)
	if err != nil {
		return err
	}
	if parents := idx.Parents(r.Tag); len(parents) > 0 {
		return refused("delete "+tags(parents)+" first, or remove the dependency", "%s cannot be deleted: %s need%s it",
			r.Tag, tags(parents), map[bool]string{true: "s"}[len(parents) == 1])
	}
	gone := append([]hierarchy.Tag{r.Tag}, d.madeWith(idx, r)...)
	if x.Below {
		gone = below(idx, r.Tag)
	}
	for _, t := range gone {
		if err := d.unnamed(idx, t, gone); err != nil {
			return err
		}
	}
	d.e.Res = slices.DeleteFunc(d.e.Res, func(r hierarchy.Resource) bool { return slices.Contains(gone, r.Tag) })
	return nil
}

// below is a resource with everything under it that nothing else needs.
func below(idx *hierarchy.Index, t hierarchy.Tag) []hierarchy.Tag {
	gone := []hierarchy.Tag{t}
	for _, c := range slices.Backward(idx.Descendants(t)) { // parents before children
		if !slices.ContainsFunc(idx.Parents(c), func(p hierarchy.Tag) bool { return !slices.Contains(gone, p) }) {
			gone = append(gone, c)
		}
	}
	return gone
}

// unnamed makes sure that nothing that stays names the resource: a comm path, or a
// field of another resource.
func (d *draft) unnamed(idx *hierarchy.Index, t hierarchy.Tag, gone []hierarchy.Tag) error {
	for _, p := range d.e.Paths {
		if slices.Contains(p.Via.Tags(), t) {
			return refused("take via out of that path first", "%s cannot be deleted: the comm path from %s to %s goes via it", t, p.From, p.To)
		}
	}
	for i := range d.e.Res {
		r := &d.e.Res[i]
		if slices.Contains(gone, r.Tag) || d.reg[r.Kit] == nil {
			continue
		}
		for _, f := range d.reg[r.Kit].Fields() {
			if f.Kind == kits.KindResource && r.Attrs[f.Name] != "" && hierarchy.Resolve(r.Cluster, r.Attrs[f.Name]) == t {
				return refused("change or delete "+string(r.Tag)+" first", "%s cannot be deleted: %s names it as its %s", t, r.Tag, f.Label)
			}
		}
	}
	return nil
}

// AddDependency lets Parent need Child.
type AddDependency struct{ Parent, Child string }

// String says the wish.
func (x AddDependency) String() string { return "let " + x.Parent + " need " + x.Child }

func (x AddDependency) change(d *draft) error {
	idx := d.index()
	p, c, err := pairOf(idx, x.Parent, x.Child)
	if err != nil {
		return err
	}
	switch {
	case p == c:
		return refused("", "%s cannot need itself", p.Tag)
	case p.Cluster != c.Cluster:
		return refused("a dependency stays inside one cluster", "%s and %s are in different clusters", p.Tag, c.Tag)
	case slices.Contains(p.Children, c.Tag):
		return nil
	}
	if way := wayDown(idx, c.Tag, p.Tag); way != nil {
		names := []string{string(p.Tag)}
		for _, t := range way {
			names = append(names, string(t))
		}
		return refused("remove one of these dependencies first", "%s would need itself: %s", p.Tag, strings.Join(names, " → "))
	}
	if missing := only(p, c); len(missing) > 0 {
		return refused("extend them to the same servers first", "%s is on %s, where %s is not", p.Tag, strings.Join(missing, ", "), c.Tag)
	}
	if missing := only(c, p); len(missing) > 0 {
		return refused("extend them to the same servers first", "%s is on %s, where %s is not", c.Tag, strings.Join(missing, ", "), p.Tag)
	}
	p.Children = append(p.Children, c.Tag)
	return nil
}

func pairOf(idx *hierarchy.Index, parent, child string) (p, c *hierarchy.Resource, err error) {
	if p, err = find(idx, parent); err != nil {
		return nil, nil, err
	}
	if r := idx.Resource(hierarchy.Resolve(p.Cluster, child)); r != nil {
		return p, r, nil // a short name means the parent's own cluster first
	}
	c, err = find(idx, child)
	return p, c, err
}

// wayDown is a chain of needs from one resource to another, both included.
func wayDown(idx *hierarchy.Index, from, to hierarchy.Tag) []hierarchy.Tag {
	if from == to {
		return []hierarchy.Tag{to}
	}
	if !slices.Contains(idx.Descendants(from), to) {
		return nil
	}
	for _, c := range idx.Children(from) {
		if rest := wayDown(idx, c, to); rest != nil {
			return append([]hierarchy.Tag{from}, rest...)
		}
	}
	return nil
}

// only are the servers of a that b is not on.
func only(a, b *hierarchy.Resource) []string {
	var out []string
	for _, p := range a.On {
		if b.Placement(p.Server) == nil {
			out = append(out, p.Server)
		}
	}
	return out
}

// RemoveDependency lets Parent no longer need Child.
type RemoveDependency struct{ Parent, Child string }

// String says the wish.
func (x RemoveDependency) String() string { return "let " + x.Parent + " no longer need " + x.Child }

func (x RemoveDependency) change(d *draft) error {
	idx := d.index()
	p, c, err := pairOf(idx, x.Parent, x.Child)
	if err != nil {
		return err
	}
	i := slices.Index(p.Children, c.Tag)
	if i < 0 {
		fix := string(p.Tag) + " needs nothing"
		if len(p.Children) > 0 {
			fix = string(p.Tag) + " needs " + tags(p.Children)
		}
		return &Error{NoSuch, string(p.Tag) + " does not need " + string(c.Tag), fix}
	}
	p.Children = slices.Delete(p.Children, i, i+1)
	return nil
}
