package edit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// Extend takes a resource, with the whole hierarchy that moves together with it, to
// one more server.
type Extend struct {
	Tag    string
	Server string
	// AllRoots says that a hierarchy with several roots goes as a whole; without it,
	// extending one of several roots is refused: all or none.
	AllRoots bool
	// Priority on the new server; 0 = one more than the highest number there is.
	Priority int
	// TemplatePriority is the new priority on Template; 0 = as it is.
	TemplatePriority int
	// Template is the server that it is extended from; empty = the best one.
	Template string
	// Switchback of the hierarchy; empty = as it is.
	Switchback hierarchy.Switchback
	// Fields on the new server, by resource as a person writes it, then by name.
	// Required ones that are left out are those of a server in the same region.
	Fields map[string]map[string]string
}

// String says the wish.
func (x Extend) String() string { return "extend " + x.Tag + " to " + x.Server }

func (x Extend) change(d *draft) error {
	r, err := d.resource(x.Tag)
	if err != nil {
		return err
	}
	cl, err := d.cluster(r.Cluster)
	if err != nil {
		return err
	}
	if err := d.member(cl, x.Server); err != nil {
		return err
	}
	if r.Placement(x.Server) != nil {
		return refused("ferry resource show "+x.Tag+" tells where it is", "%s is extended to %s already", r.Tag, x.Server)
	}
	if err := wholeHierarchy(d.index(), r.Tag, x.AllRoots, "extend"); err != nil {
		return err
	}
	if err := x.template(d); err != nil {
		return err
	}
	if x.Switchback != "" {
		if err := (SetSwitchback{x.Tag, x.Switchback}).change(d); err != nil {
			return err
		}
	}
	return x.places(d, r.Tag)
}

// wholeHierarchy refuses to take one of several roots along without the others.
func wholeHierarchy(x *hierarchy.Index, t hierarchy.Tag, all bool, verb string) error {
	roots := x.Roots(t)
	if all || len(roots) < 2 {
		return nil
	}
	return refused(fmt.Sprintf("they move together: %s all of them, or none", verb),
		"%s belongs to a hierarchy with %d roots: %s", t, len(roots), tags(roots))
}

func (x Extend) template(d *draft) error {
	if x.TemplatePriority == 0 {
		return nil
	}
	r, err := d.resource(x.Tag)
	if err != nil {
		return err
	}
	from := x.Template
	if from == "" {
		from = d.index().PlacementsByPriority(r.Tag)[0].Server
	}
	return SetPriority{Tag: x.Tag, Priorities: map[string]int{from: x.TemplatePriority}}.change(d)
}

func (x Extend) places(d *draft, t hierarchy.Tag) error {
	own, err := x.fields(d, t)
	if err != nil {
		return err
	}
	prio, idx := x.Priority, d.index()
	for _, m := range idx.Hierarchy(t) {
		if x.Priority == 0 {
			prio = max(prio, nextPriority(idx.PlacementsByPriority(m)))
		}
	}
	for _, m := range idx.Hierarchy(t) {
		r := idx.Resource(m)
		if err := free(m, r.On, x.Server, prio); err != nil {
			return err
		}
		attrs := own[m]
		for _, ask := range x.asks(d, idx, r) {
			name := ask.Field.Name
			switch {
			case attrs[name] != "" || ask.Default == "" || !ask.Field.Required:
			case ask.Default != r.Attrs[name]:
				attrs[name] = ask.Default
			case ask.Far:
				d.note("%s of %s on %s, in another region, is the one that all servers have: %s", name, m, x.Server, ask.Default)
			}
		}
		d.last = append(d.last, func() { d.noteLeftOut(m, x.Server); d.noteOverwritten(m, x.Server) })
		r.On = append(r.On, hierarchy.Placement{Server: x.Server, Priority: prio, Attrs: attrs})
	}
	return nil
}

// noteOverwritten says what on the new server becomes a copy of what others have.
func (d *draft) noteOverwritten(t hierarchy.Tag, server string) {
	x := d.index()
	r := x.Resource(t)
	if r == nil {
		return
	}
	k, ok := d.reg[r.Kit].(kits.Overwriter)
	if !ok {
		return
	}
	for _, p := range x.PlacementsByPriority(t) {
		if p.Server == server {
			continue
		}
		if _, lost := k.Overwrites(hierarchy.InstanceOf(x, t, p.Server, "")); lost[server] != "" {
			d.note("%s on %s is OVERWRITTEN by %s: it becomes a copy, and what is on it now is lost for good", lost[server], server, t)
		}
		return
	}
}

// fields sorts the given fields by resource; every member of the hierarchy has a map.
func (x Extend) fields(d *draft, t hierarchy.Tag) (map[hierarchy.Tag]map[string]string, error) {
	idx := d.index()
	out := map[hierarchy.Tag]map[string]string{}
	for _, m := range idx.Hierarchy(t) {
		out[m] = map[string]string{}
	}
	for _, written := range slices.Sorted(maps.Keys(x.Fields)) {
		r := idx.Resource(hierarchy.Resolve(t.Cluster(), written))
		if r == nil || out[r.Tag] == nil {
			return nil, noSuch("resource in the hierarchy of "+string(t), written, shortTags(idx.Hierarchy(t)))
		}
		k, err := d.kit(r.Kit)
		if err != nil {
			return nil, err
		}
		values, err := d.checked(k, r.Cluster, x.Server, x.Fields[written])
		if err != nil {
			return nil, err
		}
		maps.Copy(out[r.Tag], values)
	}
	return out, nil
}

func shortTags(all []hierarchy.Tag) []string {
	out := make([]string, len(all))
	for i, t := range all {
		out[i] = t.Short()
	}
	return out
}

// Ask is a question that extend has: a field of a resource that may differ on the
// new server.
type Ask struct {
	Tag   hierarchy.Tag
	Field kits.Field
	// Default is what a server of the same region has, or what holds for all servers.
	Default string
	// Far: Default holds for all servers, but none of them is in the new one's region.
	// A field that has to be given is asked for then all the same.
	Far bool
}

// Asks are the questions of an extend wizard for the whole hierarchy, what is needed
// first. Those with Field.Required and without Default must be answered.
func Asks(e *hierarchy.Estate, reg kits.Registry, x Extend) ([]Ask, error) {
	d := newDraft(e, reg)
	r, err := d.resource(x.Tag)
	if err != nil {
		return nil, err
	}
	idx := d.index()
	var out []Ask
	for _, m := range idx.Hierarchy(r.Tag) {
		out = append(out, x.asks(d, idx, idx.Resource(m))...)
	}
	return out, nil
}

func (x Extend) asks(d *draft, idx *hierarchy.Index, r *hierarchy.Resource) []Ask {
	k := d.reg[r.Kit]
	if k == nil {
		return nil
	}
	like := sameRegion(idx, r, x.Server)
	var out []Ask
	for _, f := range k.Fields() {
		if !f.PerNode || f.Kind == kits.KindSecret {
			continue
		}
		a := Ask{Tag: r.Tag, Field: f, Default: r.Attrs[f.Name], Far: like == nil && r.Attrs[f.Name] != ""}
		if a.Default == "" {
			a.Default = f.Default
		}
		if like != nil && f.Required && like.Attrs[f.Name] != "" {
			a.Default = like.Attrs[f.Name]
		}
		out = append(out, a)
	}
	return out
}

// sameRegion is the best placement in the region of a server; nil when there is none.
func sameRegion(idx *hierarchy.Index, r *hierarchy.Resource, server string) *hierarchy.Placement {
	for i, p := range idx.PlacementsByPriority(r.Tag) {
		if p.Server != server && idx.SameRegion(p.Server, server) {
			return &idx.PlacementsByPriority(r.Tag)[i]
		}
	}
	return nil
}

// noteLeftOut names what another server of the region has of its own and the new one
// has not: such a field may be that machine's alone (an ENI), so it is not copied.
func (d *draft) noteLeftOut(t hierarchy.Tag, server string) {
	idx := d.index()
	r, p := idx.Resource(t), idx.Placement(t, server)
	if r == nil || p == nil {
		return
	}
	like := sameRegion(idx, r, server)
	if like == nil {
		return
	}
	var left []string
	for _, name := range slices.Sorted(maps.Keys(like.Attrs)) {
		if p.Attrs[name] == "" {
			left = append(left, name)
		}
	}
	if len(left) > 0 {
		d.note("%s has its own %s of %s; %s has not", like.Server, strings.Join(left, " and "), r.Tag, server)
	}
}

// Unextend takes a hierarchy away from a server.
type Unextend struct {
	Tag      string
	Server   string
	AllRoots bool
}

// String says the wish.
func (u Unextend) String() string { return "unextend " + u.Tag + " from " + u.Server }

func (u Unextend) change(d *draft) error {
	r, err := d.resource(u.Tag)
	if err != nil {
		return err
	}
	if r.Placement(u.Server) == nil {
		return notExtended(d, r, u.Server)
	}
	if err := wholeHierarchy(d.index(), r.Tag, u.AllRoots, "unextend"); err != nil {
		return err
	}
	return d.eachOf(u.Tag, func(r *hierarchy.Resource) error {
		if len(r.On) == 1 {
			return refused("ferry resource delete "+r.Tag.Short()+" deletes it", "%s is on no other server than %s", r.Tag, u.Server)
		}
		r.On = slices.DeleteFunc(r.On, func(p hierarchy.Placement) bool { return p.Server == u.Server })
		return nil
	})
}

// SetPriority gives servers other priorities, for every resource of a hierarchy.
type SetPriority struct {
	Tag        string
	Priorities map[string]int // by server
}

// String says the wish.
func (s SetPriority) String() string { return "set priorities of " + s.Tag }

func (s SetPriority) change(d *draft) error {
	r, err := d.resource(s.Tag)
	if err != nil {
		return err
	}
	for _, server := range slices.Sorted(maps.Keys(s.Priorities)) {
		if r.Placement(server) == nil {
			return notExtended(d, r, server)
		}
	}
	return d.eachOf(s.Tag, s.renumber)
}

func (s SetPriority) renumber(r *hierarchy.Resource) error {
	var done []hierarchy.Placement
	for _, p := range r.On {
		if n, ok := s.Priorities[p.Server]; ok {
			p.Priority = n
		}
		if err := free(r.Tag, done, p.Server, p.Priority); err != nil {
			return err
		}
		done = append(done, p)
	}
	r.On = done
	return nil
}
