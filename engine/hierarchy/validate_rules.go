package hierarchy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

func (c *checker) flags() {
	seen := map[pair]bool{}
	for _, f := range c.e.Flags {
		here := at("flag", f.Viewer, f.Peer)
		if !c.flagServer(at("flag", f.Viewer), f.Viewer) || !c.flagServer(here, f.Peer) {
			continue
		}
		cl := c.x.ClusterOf(f.Viewer)
		if cl == nil || c.x.ClusterOf(f.Peer) != cl {
			c.add(here, "remove the row", "the flag on %q for %q means nothing: they share no cluster", f.Viewer, f.Peer)
			continue
		}
		if seen[pair{f.Viewer, f.Peer}] {
			c.add(here, "keep one row", "the flag on %q for %q is set twice", f.Viewer, f.Peer)
		}
		seen[pair{f.Viewer, f.Peer}] = true
		if !f.Confirm && !c.x.SameRegion(f.Viewer, f.Peer) && !cl.AllowAutomaticCrossing {
			c.add(here, fmt.Sprintf("set the confirm flag, or, if that is what you want, write allow_automatic_crossing = true under [cluster.%s]", cl.Name),
				"%q could take over from %q, which is in another region, without a person's word: the confirm flag is missing", f.Viewer, f.Peer)
		}
	}
}

func (c *checker) flagServer(here []string, name string) bool {
	if c.x.Server(name) != nil {
		return true
	}
	c.add(here, didYouMean(name, c.serverNames(), oneOf(c.serverNames())), "a flag names the server %q, which is not defined", name)
	return false
}

func (c *checker) tuning() {
	c.tuningValues(at("tuning"), "tuning", c.e.Tuning)
	for _, s := range c.e.Servers {
		c.tuningValues(at("server", s.Name, "tuning"), fmt.Sprintf("tuning of server %q", s.Name), s.Tuning)
	}
}

func (c *checker) tuningValues(here []string, what string, values map[string]string) {
	if len(values) == 0 {
		return
	}
	table := Tunings(c.kits)
	names := make([]string, len(table))
	for i, t := range table {
		names[i] = t.Name
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		where := append(slices.Clone(here), name)
		i := slices.Index(names, name)
		if i < 0 {
			if c.kits != nil {
				c.add(where, didYouMean(name, names, "leave it out"), "%s: there is no name %q", what, name)
			}
			continue
		}
		if _, err := table[i].Fix(values[name]); err != nil {
			c.add(where, fmt.Sprintf("the default is %q: %s", table[i].Default, table[i].Help), "%s: %s: %v", what, name, err)
		} else if name == QuorumHosts {
			c.quorumHosts(where, what, splitList(values[name]))
		}
	}
}

// crossingGuard refuses a definition in which a confirmation that nobody answers
// would cross the regions by itself. (A missing flag is found in flags.)
func (c *checker) crossingGuard() {
	for i := range c.e.Cluster {
		cl := &c.e.Cluster[i]
		if cl.AllowAutomaticCrossing || !c.x.CrossesRegions(cl) || c.homeless(cl) {
			continue
		}
		var open []string
		where := at("cluster", cl.Name)
		for _, s := range cl.Servers {
			srv := c.x.Server(s)
			if srv == nil || c.x.Effective(s, ConfirmSoDef) == "1" {
				continue
			}
			open = append(open, s)
			if _, own := srv.Tuning[ConfirmSoDef]; own {
				where = at("server", s, "tuning", ConfirmSoDef)
			} else if _, all := c.e.Tuning[ConfirmSoDef]; all {
				where = at("tuning", ConfirmSoDef)
			}
		}
		if len(open) > 0 {
			c.add(where, fmt.Sprintf("write CONFIRMSODEF = 1 under [tuning] or under [server.NAME.tuning] of each, "+
				"or, if that is what you want, allow_automatic_crossing = true under [cluster.%s]", cl.Name),
				"cluster %q lies in more than one region, but CONFIRMSODEF is 0 on %s: a confirmation that nobody answers would cross by itself",
				cl.Name, strings.Join(open, ", "))
		}
	}
}

// homeless tells that a server's region is not defined, most likely misspelt: whether
// the cluster crosses regions is not known then.
func (c *checker) homeless(cl *Cluster) bool {
	return slices.ContainsFunc(cl.Servers, func(s string) bool { return c.x.Server(s) != nil && c.x.Region(c.x.RegionOf(s)) == nil })
}
