package hierarchy

import (
	"fmt"
	"slices"
	"strings"
)

func (c *checker) resources() {
	seen := map[Tag]bool{}
	for i := range c.e.Res {
		r := &c.e.Res[i]
		if !c.tag(r) {
			continue
		}
		if seen[r.Tag] {
			c.add(c.here(r), "tags are unique within a cluster: give one of them another tag", "two resources of cluster %q have the tag %q", r.Cluster, r.Tag.Short())
			continue
		}
		seen[r.Tag] = true
		cl := c.x.Cluster(r.Cluster)
		if cl == nil {
			c.add(c.here(r), didYouMean(r.Cluster, c.clusterNames(), oneOf(c.clusterNames())), "resource %s is in cluster %q, which is not defined", r.Tag, r.Cluster)
			continue
		}
		known := c.kit(r)
		c.switchback(r)
		c.needs(r)
		c.placements(r, cl)
		if known {
			c.fields(r)
		}
	}
}

// here is where a resource stands in the file.
func (c *checker) here(r *Resource, keys ...string) []string {
	return append(at("cluster", r.Cluster, "resource", r.Tag.Short()), keys...)
}

func (c *checker) tag(r *Resource) bool {
	if r.Tag.Cluster() != r.Cluster || r.Cluster == "" {
		c.add(c.here(r), fmt.Sprintf("name it %q", MakeTag(r.Cluster, r.Tag.Short())), "resource %q does not carry the name of its cluster %q", r.Tag, r.Cluster)
		return false
	}
	if strings.HasPrefix(r.Tag.Short(), r.Cluster+"/") {
		c.add(c.here(r), "leave the cluster's name out of the tag", "resource %s names its cluster twice", r.Tag)
		return false
	}
	if !tagRule.MatchString(r.Tag.Short()) {
		c.add(c.here(r), "use letters, digits and . _ : / -, beginning with a letter, digit or slash, at most 63",
			"a resource of cluster %q has a tag that cannot be used: %.80q", r.Cluster, r.Tag.Short())
		return false
	}
	return true
}

// kit tells whether the resource's kit is known, and can judge it.
func (c *checker) kit(r *Resource) bool {
	if r.Kit == "" {
		c.add(c.here(r, "kit"), `write kit = "…"`, "resource %s has no kit", r.Tag)
		return false
	}
	if c.kits == nil {
		return false
	}
	if c.kits[r.Kit] == nil {
		c.add(c.here(r, "kit"), didYouMean(r.Kit, c.kits.Names(), oneOf(c.kits.Names())), "resource %s: there is no kit %q", r.Tag, r.Kit)
		return false
	}
	return true
}

func (c *checker) switchback(r *Resource) {
	switch r.Switchback {
	case Intelligent, "":
	case Automatic:
		for _, t := range c.x.Hierarchy(r.Tag) {
			kit := c.kits[c.x.Resource(t).Kit]
			if kit != nil && kit.Traits().Replicated {
				c.add(c.here(r, "switchback"), `write switchback = "intelligent"`,
					"resource %s switches back automatically, but its hierarchy holds the replicated disk %s", r.Tag, t)
			}
		}
	default:
		c.add(c.here(r, "switchback"), `write "intelligent" (stays where it is) or "automatic" (returns to the best node)`,
			"resource %s: %q is not a switchback type", r.Tag, r.Switchback)
	}
}

func (c *checker) needs(r *Resource) {
	here := c.here(r, "needs")
	for i, child := range r.Children {
		switch {
		case child == r.Tag:
			// graph() names it
		case slices.Contains(r.Children[:i], child):
			c.add(here, "name each once", "resource %s needs %s twice", r.Tag, child)
		case c.x.Resource(child) == nil:
			c.spoil(r, "needs")
			names := slices.DeleteFunc(shorts(c.x.InCluster(r.Cluster)), func(n string) bool { return n == r.Tag.Short() })
			c.add(here, didYouMean(child.Short(), names, "define it, or take it out of needs as well when it was deleted on purpose"),
				"resource %s needs %q, which does not exist", r.Tag, Short(child, r.Cluster))
		case child.Cluster() != r.Cluster:
			c.add(here, "a dependency stays inside one cluster", "resource %s needs %s of another cluster", r.Tag, child)
		}
	}
}

// Short is a tag as somebody writes it inside a cluster.
func Short(t Tag, cluster string) string {
	if t.Cluster() == cluster {
		return t.Short()
	}
	return string(t)
}

func shorts(tags []Tag) []string {
	names := make([]string, len(tags))
	for i, t := range tags {
		names[i] = t.Short()
	}
	return names
}

// maxPriority is the field's customary range.
const maxPriority = 999

func (c *checker) placements(r *Resource, cl *Cluster) {
	if len(r.On) == 0 {
		c.add(c.here(r, "on"), `write on = ["…", "…"] with the servers by priority`, "resource %s is on no server", r.Tag)
	}
	byServer, byPriority := map[string]bool{}, map[int]string{}
	for _, p := range r.On {
		here := c.here(r, "on", p.Server)
		switch {
		case !slices.Contains(cl.Servers, p.Server):
			c.add(here, didYouMean(p.Server, cl.Servers, "its servers are "+strings.Join(cl.Servers, ", ")),
				"resource %s is extended to %q, which is not a server of cluster %q", r.Tag, p.Server, cl.Name)
		case byServer[p.Server]:
			c.add(here, "keep one of them", "resource %s is extended to %q twice", r.Tag, p.Server)
		}
		byServer[p.Server] = true
		other, taken := byPriority[p.Priority]
		switch {
		case p.Priority < 1 || p.Priority > maxPriority:
			c.add(append(here, "priority"), fmt.Sprintf("write a number from 1 (highest) to %d", maxPriority),
				"resource %s has priority %d on %q", r.Tag, p.Priority, p.Server)
		case taken && other != p.Server:
			c.add(append(here, "priority"), "give every server its own priority, 1 is highest",
				"resource %s has priority %d on %q and on %q", r.Tag, p.Priority, other, p.Server)
		}
		byPriority[p.Priority] = p.Server
	}
}

// graph judges dependencies as a whole: no cycle, and every resource of a hierarchy
// on the same servers. A parent without its child could not start there; a root
// extended without the others would be left behind when they move.
func (c *checker) graph() {
	if ring := c.x.Cycle(); ring != nil {
		names := make([]string, len(ring))
		for i, t := range ring {
			names[i] = string(t)
		}
		r := c.x.Resource(ring[0])
		c.add(c.here(r, "needs"), "take one of these needs out", "resource %s needs itself: %s", ring[0], strings.Join(names, " → "))
	}
	for _, members := range c.x.Hierarchies() {
		c.sameServers(members)
	}
}

func (c *checker) sameServers(members []Tag) {
	var all []string
	for _, t := range members {
		for _, p := range c.x.PlacementsByPriority(t) {
			if !slices.Contains(all, p.Server) {
				all = append(all, p.Server)
			}
		}
	}
	for _, t := range members {
		r := c.x.Resource(t)
		if cl := c.x.Cluster(r.Cluster); cl != nil && len(r.On) > 0 && !c.misplaced(r, cl) {
			c.missingOn(r, cl, all, members)
		}
	}
}

// misplaced tells that a resource names a server that its cluster does not have;
// that is said already, and saying more would hide it.
func (c *checker) misplaced(r *Resource, cl *Cluster) bool {
	return slices.ContainsFunc(r.On, func(p Placement) bool { return !slices.Contains(cl.Servers, p.Server) })
}

// missingOn names the servers of all on which the resource is missing: first where
// one that needs it is there, then where only others of the hierarchy are.
func (c *checker) missingOn(r *Resource, cl *Cluster, all []string, members []Tag) {
	var under, beside []string
	for _, s := range all {
		switch {
		case r.Placement(s) != nil || !slices.Contains(cl.Servers, s):
		case c.parentOn(r.Tag, s) != "":
			under = append(under, s)
		default:
			beside = append(beside, s)
		}
	}
	if len(under) > 0 {
		parent := c.parentOn(r.Tag, under[0])
		c.add(c.here(r, "on"), fmt.Sprintf("extend %s to the same servers, or unextend %s", r.Tag, parent),
			"resource %s is extended to %s, but %s, which it needs, is not", parent, list(under), r.Tag)
	}
	if len(beside) > 0 {
		c.add(c.here(r, "on"), "extend all resources of a hierarchy to the same servers: all or none",
			"resource %s is not extended to %s, but %s of the same hierarchy is", r.Tag, list(beside), c.someOn(members, beside[0]))
	}
}

func (c *checker) parentOn(t Tag, server string) Tag {
	for _, parent := range c.x.Parents(t) {
		if c.x.Placement(parent, server) != nil {
			return parent
		}
	}
	return ""
}

func (c *checker) someOn(members []Tag, server string) Tag {
	for _, t := range slices.Backward(members) {
		if c.x.Placement(t, server) != nil {
			return t
		}
	}
	return ""
}

// CheckDelete tells which resources would be left without something that they need
// when these are deleted.
func (x *Index) CheckDelete(tags ...Tag) []Problem {
	c := &checker{e: x.estate, x: x}
	for _, t := range tags {
		for _, parent := range x.Parents(t) {
			if !slices.Contains(tags, parent) {
				c.add(c.here(x.Resource(parent), "needs"), fmt.Sprintf("delete %s first, or its dependency on %s", parent, t),
					"resource %s cannot be deleted: %s needs it", t, parent)
			}
		}
	}
	return c.problems
}
