package edit

import (
	"maps"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

func (d *draft) kit(name string) (kits.Kit, error) {
	if k := d.reg[name]; k != nil {
		return k, nil
	}
	return nil, noSuch("kit", name, d.reg.Names())
}

func fieldNames(fields []kits.Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

// field finds a kit's field by name.
func field(k kits.Kit, name string) (kits.Field, error) {
	fields := k.Fields()
	for _, f := range fields {
		if f.Name == name {
			return f, nil
		}
	}
	return kits.Field{}, noSuch("field of kit "+k.Name(), name, fieldNames(fields))
}

// checked brings values into the form in which they are kept, or says which one
// cannot be. With a server they must be fields that differ from node to node.
func (d *draft) checked(k kits.Kit, cluster, server string, values map[string]string) (map[string]string, error) {
	out := make(map[string]string, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		f, err := field(k, name)
		if err != nil {
			return nil, err
		}
		v := strings.TrimSpace(values[name])
		switch {
		case f.Kind == kits.KindSecret:
			return nil, wrong("secrets are not kept in the definition", "%s of kit %s is a secret", name, k.Name())
		case server != "" && !f.PerNode:
			return nil, wrong("set it once, for all servers", "%s of kit %s is the same on every server: %s cannot have its own", name, k.Name(), server)
		}
		if f.Kind == kits.KindResource {
			if v, err = d.relative(cluster, v); err != nil {
				return nil, err
			}
		}
		if err := hierarchy.CheckField(f, v); err != nil {
			return nil, wrong(err.Error(), "%s (%s) cannot be %.80q", name, f.Label, v)
		}
		out[name] = v
	}
	return out, nil
}

// relative is a resource of this cluster as its cluster writes it.
func (d *draft) relative(cluster, written string) (string, error) {
	x := d.index()
	if r := x.Resource(hierarchy.Resolve(cluster, written)); r != nil {
		return r.Tag.Short(), nil
	}
	known := make([]string, 0)
	for _, t := range x.InCluster(cluster) {
		known = append(known, t.Short())
	}
	return "", noSuch("resource of cluster "+cluster, written, known)
}

// Set changes fields of a resource, for all its servers or, with Server, for one.
// An empty value takes the field away: then the kit's default holds, or what the
// resource says for all.
type Set struct {
	Tag    string
	Server string
	Fields map[string]string
}

// String says the wish.
func (s Set) String() string { return "set fields of " + s.Tag }

func (s Set) change(d *draft) error {
	r, err := d.resource(s.Tag)
	if err != nil {
		return err
	}
	k, err := d.kit(r.Kit)
	if err != nil {
		return err
	}
	where := &r.Attrs
	if s.Server != "" {
		p := r.Placement(s.Server)
		if p == nil {
			return notExtended(d, r, s.Server)
		}
		where = &p.Attrs
	}
	return d.put(r, k, where, s)
}

func (d *draft) put(r *hierarchy.Resource, k kits.Kit, where *map[string]string, s Set) error {
	keep := map[string]string{}
	for name, v := range s.Fields {
		if v != "" {
			keep[name] = v
		} else if _, err := field(k, name); err != nil {
			return err
		}
	}
	values, err := d.checked(k, r.Cluster, s.Server, keep)
	if err != nil {
		return err
	}
	for name := range s.Fields {
		delete(*where, name)
	}
	if *where == nil {
		*where = map[string]string{}
	}
	maps.Copy(*where, values)
	if s.Server == "" {
		d.noteOwn(r, values)
	}
	return nil
}

// noteOwn says which servers keep a value of their own beside a new one for all.
func (d *draft) noteOwn(r *hierarchy.Resource, values map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, p := range r.On {
			if own, there := p.Attrs[name]; there && own != values[name] {
				d.note("%s keeps its own %s of %s: %s", p.Server, name, r.Tag, own)
			}
		}
	}
}

func notExtended(d *draft, r *hierarchy.Resource, server string) error {
	if _, err := d.server(server); err != nil {
		return err
	}
	var on []string
	for _, p := range r.On {
		on = append(on, p.Server)
	}
	return &Error{NoSuch, string(r.Tag) + " is not extended to " + server, "it is on " + strings.Join(on, ", ")}
}

// SetSwitchback sets what happens when a better server comes back, for every
// resource of the hierarchy: they move together.
type SetSwitchback struct {
	Tag        string
	Switchback hierarchy.Switchback
}

// String says the wish.
func (s SetSwitchback) String() string { return "set the switchback type of " + s.Tag }

func (s SetSwitchback) change(d *draft) error {
	if s.Switchback != hierarchy.Intelligent && s.Switchback != hierarchy.Automatic {
		return wrong("write intelligent (stays where it is) or automatic (returns to the best server)", "%q is not a switchback type", s.Switchback)
	}
	return d.eachOf(s.Tag, func(r *hierarchy.Resource) error { r.Switchback = s.Switchback; return nil })
}

// eachOf does something to every resource of a hierarchy, in start order.
func (d *draft) eachOf(name string, do func(*hierarchy.Resource) error) error {
	x := d.index()
	r, err := find(x, name)
	if err != nil {
		return err
	}
	for _, t := range x.Hierarchy(r.Tag) {
		if err := do(x.Resource(t)); err != nil {
			return err
		}
	}
	return nil
}
