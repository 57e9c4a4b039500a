package edit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// Place is a server for a resource.
type Place struct {
	Server string
	// Priority 1 is highest; 0 = the next number after those before it.
	Priority int
	// Fields that differ on this server.
	Fields map[string]string
}

// Create makes a resource.
type Create struct {
	// Cluster may be left out when the tag carries it, or when the servers or what the
	// resource needs say which it is.
	Cluster    string
	Tag        string
	Kit        string
	Switchback hierarchy.Switchback // empty = intelligent
	// Fields are the same on every server.
	Fields map[string]string
	// Needs are the resources that it stands on. Nil: the roots above every resource
	// that a field names (SPEC 4: Route53 is asked for the IP resource only and becomes
	// the parent of what stands above that). Empty, not nil: none.
	Needs []string
	// On are its servers. Empty: those of what it needs, with their priorities.
	On []Place
}

// String says the wish.
func (c Create) String() string { return "create " + c.Tag }

func (c Create) change(d *draft) error {
	k, err := d.kit(c.Kit)
	if err != nil {
		return err
	}
	cl, short, err := c.cluster(d, k)
	if err != nil {
		return err
	}
	tag := hierarchy.MakeTag(cl.Name, short)
	x := d.index()
	if old := x.Resource(tag); old != nil {
		return refused("choose another tag; tags are unique within a cluster", "there is a resource %s already, of kit %s", tag, old.Kit)
	}
	r := hierarchy.Resource{Tag: tag, Kit: c.Kit, Cluster: cl.Name, Switchback: hierarchy.Intelligent}
	if c.Switchback != "" {
		r.Switchback = c.Switchback
	}
	if r.Attrs, err = d.checked(k, cl.Name, "", c.Fields); err != nil {
		return err
	}
	if r.Children, err = c.children(d, k, &r); err != nil {
		return err
	}
	if r.On, err = c.placements(d, k, cl, r); err != nil {
		return err
	}
	d.e.Res = append(d.e.Res, r)
	return nil
}

// cluster finds out where the resource goes, and its tag there.
func (c Create) cluster(d *draft, k kits.Kit) (cl *hierarchy.Cluster, short string, err error) {
	name, short := c.Cluster, c.Tag
	if short == "" {
		return nil, "", wrong("", "the new resource has no tag")
	}
	for i := range d.e.Cluster {
		if rest, ok := strings.CutPrefix(short, d.e.Cluster[i].Name+"/"); ok && (name == "" || name == d.e.Cluster[i].Name) {
			name, short = d.e.Cluster[i].Name, rest
			break
		}
	}
	if name == "" {
		if name, err = c.guess(d, k); err != nil {
			return nil, "", err
		}
	}
	cl, err = d.cluster(name)
	return cl, short, err
}

// guess goes by the servers, then by what is needed or named; one cluster alone is meant.
func (c Create) guess(d *draft, k kits.Kit) (string, error) {
	if len(c.On) > 0 {
		if _, err := d.server(c.On[0].Server); err != nil {
			return "", err
		}
		if cl := d.e.ClusterOf(c.On[0].Server); cl != nil {
			return cl.Name, nil
		}
	}
	for _, name := range append(slices.Clone(c.Needs), c.named(k)...) {
		r, err := d.resource(name)
		if err != nil {
			return "", err
		}
		return r.Cluster, nil
	}
	if len(d.e.Cluster) == 1 {
		return d.e.Cluster[0].Name, nil
	}
	var known []string
	for _, cl := range d.e.Cluster {
		known = append(known, cl.Name+"/"+c.Tag)
	}
	return "", wrong("write "+strings.Join(known, " or "), "the cluster of %s is not known", c.Tag)
}

// named are the resources that the fields name.
func (c Create) named(k kits.Kit) []string {
	var out []string
	for _, f := range k.Fields() {
		if v := strings.TrimSpace(c.Fields[f.Name]); f.Kind == kits.KindResource && v != "" {
			out = append(out, v)
		}
	}
	return out
}

func (c Create) children(d *draft, k kits.Kit, r *hierarchy.Resource) ([]hierarchy.Tag, error) {
	x := d.index()
	var out []hierarchy.Tag
	if c.Needs == nil {
		for _, v := range c.named(k) {
			out = append(out, rootsAbove(x, hierarchy.Resolve(r.Cluster, v))...)
		}
	}
	for _, n := range c.Needs {
		short, err := d.relative(r.Cluster, n)
		if err != nil {
			return nil, err
		}
		out = append(out, hierarchy.MakeTag(r.Cluster, short))
	}
	return distinct(out), nil
}

// rootsAbove are the resources at the top that stand on this one; itself when none does.
func rootsAbove(x *hierarchy.Index, t hierarchy.Tag) []hierarchy.Tag {
	var out []hierarchy.Tag
	for _, a := range x.Ancestors(t) {
		if len(x.Parents(a)) == 0 {
			out = append(out, a)
		}
	}
	if out == nil {
		out = []hierarchy.Tag{t}
	}
	return out
}

func distinct(all []hierarchy.Tag) []hierarchy.Tag {
	var out []hierarchy.Tag
	for _, t := range all {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

func (c Create) placements(d *draft, k kits.Kit, cl *hierarchy.Cluster, r hierarchy.Resource) ([]hierarchy.Placement, error) {
	on := c.On
	if len(on) == 0 {
		if len(r.Children) == 0 {
			return nil, wrong("its cluster's servers are "+strings.Join(cl.Servers, ", "), "%s is on no server: say on which, by priority", c.Tag)
		}
		for _, p := range d.index().PlacementsByPriority(r.Children[0]) {
			on = append(on, Place{Server: p.Server, Priority: p.Priority})
		}
	}
	var out []hierarchy.Placement
	for _, p := range on {
		if err := d.member(cl, p.Server); err != nil {
			return nil, err
		}
		prio := p.Priority
		if prio == 0 {
			prio = nextPriority(out)
		}
		if err := free(r.Tag, out, p.Server, prio); err != nil {
			return nil, err
		}
		own, err := d.checked(k, cl.Name, p.Server, p.Fields)
		if err != nil {
			return nil, err
		}
		out = append(out, hierarchy.Placement{Server: p.Server, Priority: prio, Attrs: own})
	}
	return out, nil
}

func nextPriority(on []hierarchy.Placement) int {
	top := 0
	for _, p := range on {
		top = max(top, p.Priority)
	}
	return top + 1
}

// maxPriority is the customary range of the field.
const maxPriority = 999

// free tells whether a server may have a priority beside these.
func free(t hierarchy.Tag, on []hierarchy.Placement, server string, prio int) error {
	if prio < 1 || prio > maxPriority {
		return wrong(fmt.Sprintf("write a number from 1 (highest) to %d", maxPriority), "%d is not a priority", prio)
	}
	for _, p := range on {
		switch {
		case p.Server == server:
			return refused("name each server once", "%s is on %s twice", t, server)
		case p.Priority == prio:
			return refused(fmt.Sprintf("every server has its own; %d is free", nextPriority(on)),
				"%s has priority %d on %s and would have it on %s too", t, prio, p.Server, server)
		}
	}
	return nil
}
