package topology

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// picture is what is drawn of a snapshot, without any place on the screen.
type picture struct {
	est     *model.Estate
	regions []region
	nodes   []node
	at      map[string]int // node by name
	chains  []chain
	tunnels []tunnel
	// deepest is the longest list of what is there on any node, name the widest name.
	deepest, name int
}

type region struct {
	name, title string
	zones       []zone
	seen, total int // nodes that the engine sees
}

type zone struct {
	name  string
	nodes []int
}

type node struct {
	name         string
	st           *api.NodeStatus
	srv          *hierarchy.Server
	region, zone int
	model.Load        // what is there
	seen         bool // by the engine itself
}

// heard tells that what is said about the node's inside is about now.
func (n *node) heard() bool {
	return n.st.Verdict == policy.Alive || n.st.Verdict == policy.Degraded
}

func newPicture(e *model.Estate) *picture {
	p := &picture{est: e, at: map[string]int{}}
	for _, r := range e.Index.Estate().Regions {
		p.region(r.Name)
	}
	for _, n := range e.Nodes {
		p.addNode(n.Name)
	}
	p.order()
	p.chains = chains(e, p)
	p.tunnels = tunnels(e, p)
	for i := range p.nodes {
		p.name = max(p.name, ui.Width(p.nodes[i].name))
		p.deepest = max(p.deepest, len(p.nodes[i].Items))
	}
	return p
}

// region finds a region by name, or makes it.
func (p *picture) region(name string) int {
	i := slices.IndexFunc(p.regions, func(r region) bool { return r.name == name })
	if i >= 0 {
		return i
	}
	title := []string{ui.Clean(name)}
	if def := p.est.Index.Region(name); def != nil {
		title = append(title, ui.Clean(def.VPC), ui.Clean(strings.Join(def.CIDRs, " ")))
	}
	title = slices.DeleteFunc(title, func(s string) bool { return s == "" })
	p.regions = append(p.regions, region{name: name, title: strings.Join(title, "  ")})
	return len(p.regions) - 1
}

func (p *picture) addNode(name string) {
	st, srv := p.est.Node(name), p.est.Index.Server(name)
	if srv == nil {
		srv = &hierarchy.Server{Name: name}
	}
	r := p.region(st.Region)
	zones := &p.regions[r].zones
	z := slices.IndexFunc(*zones, func(z zone) bool { return z.name == st.Zone })
	if z < 0 {
		*zones = append(*zones, zone{name: st.Zone})
		z = len(*zones) - 1
	}
	n := node{name: ui.Clean(name), st: st, srv: srv, region: r, zone: z, Load: p.est.Load(name), seen: sees(p.est, st)}
	p.regions[r].total++
	if n.seen {
		p.regions[r].seen++
	}
	(*zones)[z].nodes = append((*zones)[z].nodes, len(p.nodes))
	p.at[name] = len(p.nodes)
	p.nodes = append(p.nodes, n)
}

// order sorts zones by name; nodes in them stay in the definition's order, cluster by cluster.
func (p *picture) order() {
	rank := map[string]int{}
	for i, c := range p.est.Index.Estate().Cluster {
		rank[c.Name] = i + 1
	}
	for r := range p.regions {
		zones := p.regions[r].zones
		slices.SortStableFunc(zones, func(a, b zone) int { return cmp.Compare(a.name, b.name) })
		for z := range zones {
			slices.SortStableFunc(zones[z].nodes, func(a, b int) int {
				return cmp.Compare(rank[p.nodes[a].st.Cluster], rank[p.nodes[b].st.Cluster])
			})
			for _, n := range zones[z].nodes {
				p.nodes[n].zone = z
			}
		}
	}
}

// seesSlack is what a snapshot may be behind the heartbeats.
const seesSlack = 5 * time.Second

// sees tells whether the engine itself reached a node within the beats that may be missed.
func sees(e *model.Estate, n *api.NodeStatus) bool {
	if n.Seen.IsZero() {
		return false
	}
	beat := e.Index.Seconds(n.Name, hierarchy.LCMHBeatTime)
	return e.At.Sub(n.Seen) <= beat*time.Duration(e.Index.Int(n.Name, hierarchy.LCMNumHBeats))+seesSlack
}

// path judges the path between two nodes of the picture.
func (p *picture) path(a, b int) model.Way { return p.est.Way(p.nodes[a].st.Name, p.nodes[b].st.Name) }

// pair is a comm path between two nodes.
type pair struct {
	a, b  int
	state model.Way
}

// bundle is the paths of one cluster that go the same way on the drawing.
type bundle struct {
	cluster string
	pairs   []pair
}

func (b bundle) ok() (n int) {
	for _, p := range b.pairs {
		if p.state == model.WayOK {
			n++
		}
	}
	return n
}

// state is the bundle as one line: cut when all are, partly when some are missing.
func (b bundle) state() model.Way {
	var n [model.WayCut + 1]int
	for _, p := range b.pairs {
		n[p.state]++
	}
	switch {
	case n[model.WayOK] == len(b.pairs):
		return model.WayOK
	case n[model.WayCut] == len(b.pairs):
		return model.WayCut
	case n[model.WayCut] == 0 && n[model.WayPartly] == 0:
		return model.WayUnknown
	}
	return model.WayPartly
}

// bundles collects, by cluster, the paths between nodes on two sides.
func (p *picture) bundles(left, right func(n int) bool) []bundle {
	var out []bundle
	for _, c := range p.est.Index.Estate().Cluster {
		b := bundle{cluster: c.Name}
		for _, x := range c.Servers {
			i, ok := p.at[x]
			if !ok || !left(i) {
				continue
			}
			for _, y := range c.Servers {
				if j, ok := p.at[y]; ok && right(j) {
					b.pairs = append(b.pairs, pair{i, j, p.path(i, j)})
				}
			}
		}
		if len(b.pairs) > 0 {
			out = append(out, b)
		}
	}
	return out
}

// across are the paths over the gap behind region r.
func (p *picture) across(r int) []bundle {
	return p.bundles(func(n int) bool { return p.nodes[n].region <= r }, func(n int) bool { return p.nodes[n].region > r })
}

// between are the paths inside region r that go from its zones up to z to those behind.
func (p *picture) between(r, z int) []bundle {
	in := func(n int) bool { return p.nodes[n].region == r }
	return p.bundles(func(n int) bool { return in(n) && p.nodes[n].zone <= z }, func(n int) bool { return in(n) && p.nodes[n].zone > z })
}

// within are the paths inside one zone.
func (p *picture) within(r, z int) bundle {
	var out bundle
	for _, a := range p.regions[r].zones[z].nodes {
		for _, b := range p.regions[r].zones[z].nodes {
			if a < b && p.nodes[a].st.Cluster == p.nodes[b].st.Cluster && p.nodes[a].st.Cluster != "" {
				out.pairs = append(out.pairs, pair{a, b, p.path(a, b)})
			}
		}
	}
	return out
}

// here are the first few resources extended to a node, as the tree has them.
func (p *picture) here(n, most int) []hierarchy.Tag {
	first := p.nodes[n].First
	return first[:min(len(first), most)]
}
