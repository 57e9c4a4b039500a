package hierarchy

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/ferry-ha/ferry/kits"
)

// Index answers questions about one Estate in constant time. It is immutable and
// may be shared; so are the slices and maps it returns. Where a definition is
// wrong (two resources of one tag, a cycle) it still answers, with the first of
// two and without following the edge that closes the cycle; Validate tells.
type Index struct {
	estate *Estate
	kits   kits.Registry

	ids       map[Tag]int32
	short     map[string][]Tag
	servers   map[string]*Server
	regions   map[string]*Region
	clusters  map[string]*Cluster
	clusterOf map[string]*Cluster
	inCluster map[string][]Tag
	onServer  map[string][]Tag
	flags     map[pair]Flag

	graph  graph
	placed [][]Placement // by resource, by priority
	facts  facts
	rels   []atomic.Pointer[ownFacts] // made when first asked for
	kin    []atomic.Pointer[kin]      // the same
}

type pair struct{ viewer, peer string }

// NewIndex makes the index of a definition. It takes about 0.5 µs per resource. The
// estate must not be changed afterwards.
func NewIndex(e *Estate) *Index { return NewIndexFor(e, nil) }

// NewIndexFor is NewIndex with the kits at hand: their tunables then have a value,
// and fields that were left out have their defaults in what InstanceOf gives.
func NewIndexFor(e *Estate, reg kits.Registry) *Index {
	x := &Index{
		estate:    e,
		kits:      reg,
		ids:       make(map[Tag]int32, len(e.Res)),
		short:     make(map[string][]Tag, len(e.Res)),
		servers:   make(map[string]*Server, len(e.Servers)),
		regions:   make(map[string]*Region, len(e.Regions)),
		clusters:  make(map[string]*Cluster, len(e.Cluster)),
		clusterOf: make(map[string]*Cluster, len(e.Servers)),
		inCluster: make(map[string][]Tag, len(e.Cluster)),
		onServer:  make(map[string][]Tag, len(e.Servers)),
		flags:     make(map[pair]Flag, len(e.Flags)),
		placed:    make([][]Placement, len(e.Res)),
		rels:      make([]atomic.Pointer[ownFacts], len(e.Res)),
		kin:       make([]atomic.Pointer[kin], len(e.Res)),
	}
	x.addPlaces()
	x.addResources()
	x.graph = newGraph(e.Res, x.ids)
	x.addOrder()
	for _, f := range e.Flags {
		putFirst(x.flags, pair{f.Viewer, f.Peer}, f)
	}
	x.facts = newFacts(x)
	return x
}

func (x *Index) addPlaces() {
	e := x.estate
	for i := range e.Regions {
		putFirst(x.regions, e.Regions[i].Name, &e.Regions[i])
	}
	for i := range e.Servers {
		putFirst(x.servers, e.Servers[i].Name, &e.Servers[i])
	}
	for i := range e.Cluster {
		c := &e.Cluster[i]
		putFirst(x.clusters, c.Name, c)
		for _, s := range c.Servers {
			putFirst(x.clusterOf, s, c)
		}
	}
}

func (x *Index) addResources() {
	for i := range x.estate.Res {
		r := &x.estate.Res[i]
		if _, twice := x.ids[r.Tag]; twice {
			continue
		}
		x.ids[r.Tag] = int32(i)
		x.short[r.Tag.Short()] = append(x.short[r.Tag.Short()], r.Tag)
		x.placed[i] = r.On
		if !slices.IsSortedFunc(r.On, byPriority) {
			x.placed[i] = slices.Clone(r.On)
			slices.SortStableFunc(x.placed[i], byPriority)
		}
	}
}

// addOrder fills the per-server and per-cluster lists in start order.
func (x *Index) addOrder() {
	for _, i := range x.graph.order {
		r := &x.estate.Res[i]
		x.inCluster[r.Cluster] = append(x.inCluster[r.Cluster], r.Tag)
		for _, p := range x.placed[i] {
			x.onServer[p.Server] = append(x.onServer[p.Server], r.Tag)
		}
	}
}

func byPriority(a, b Placement) int { return a.Priority - b.Priority }

func putFirst[K comparable, V any](m map[K]V, k K, v V) {
	if _, there := m[k]; !there {
		m[k] = v
	}
}

// Estate is what the index was made from.
func (x *Index) Estate() *Estate { return x.estate }

// Resource finds a resource by its full tag; nil when there is none.
func (x *Index) Resource(t Tag) *Resource {
	i, ok := x.ids[t]
	if !ok {
		return nil
	}
	return &x.estate.Res[i]
}

// Find finds a resource by what a person typed: a full tag, or a short one when
// only one cluster uses it. The error tells what to type instead.
func (x *Index) Find(name string) (*Resource, error) {
	if r := x.Resource(Tag(name)); r != nil {
		return r, nil
	}
	switch tags := x.short[name]; len(tags) {
	case 1:
		return x.Resource(tags[0]), nil
	case 0:
		return nil, &NoSuchError{What: "resource", Name: name, Near: Closest(name, x.names())}
	default:
		return nil, &NoSuchError{What: "resource", Name: name, Several: tags}
	}
}

func (x *Index) names() []string {
	names := make([]string, 0, 2*len(x.estate.Res))
	for i := range x.estate.Res {
		t := x.estate.Res[i].Tag
		names = append(names, t.Short(), string(t))
	}
	return names
}

// NoSuchError says that a name means nothing, or several things.
type NoSuchError struct {
	What, Name string
	Near       string // the closest name there is; may be empty
	Several    []Tag  // the short tag is used by all of these
}

// Error tells what was asked for and what to type instead.
func (e *NoSuchError) Error() string {
	if len(e.Several) > 0 {
		all := make([]string, len(e.Several))
		for i, t := range e.Several {
			all[i] = string(t)
		}
		return fmt.Sprintf("%s %q is ambiguous: write one of %s", e.What, e.Name, strings.Join(all, ", "))
	}
	if e.Near != "" {
		return fmt.Sprintf("no %s %q in this estate; did you mean %q?", e.What, e.Name, e.Near)
	}
	return fmt.Sprintf("no %s %q in this estate", e.What, e.Name)
}

// Server finds a server; nil when there is none.
func (x *Index) Server(name string) *Server { return x.servers[name] }

// Region finds a region; nil when there is none.
func (x *Index) Region(name string) *Region { return x.regions[name] }

// Cluster finds a cluster; nil when there is none.
func (x *Index) Cluster(name string) *Cluster { return x.clusters[name] }

// ClusterOf is the cluster that a server belongs to; nil when it is in none.
func (x *Index) ClusterOf(server string) *Cluster { return x.clusterOf[server] }

// RegionOf is the name of a server's region; empty for an unknown server.
func (x *Index) RegionOf(server string) string {
	if s := x.servers[server]; s != nil {
		return s.Region
	}
	return ""
}

// SameRegion tells whether two servers are known to be in one region. Where
// either is unknown they are not: what is not known to be inside is a crossing.
func (x *Index) SameRegion(a, b string) bool {
	sa, sb := x.servers[a], x.servers[b]
	return sa != nil && sb != nil && sa.Region == sb.Region
}

// Peers are the other servers of a server's cluster, in the cluster's order.
func (x *Index) Peers(server string) []string {
	c := x.clusterOf[server]
	if c == nil {
		return nil
	}
	peers := make([]string, 0, len(c.Servers))
	for _, s := range c.Servers {
		if s != server {
			peers = append(peers, s)
		}
	}
	return peers
}

// PlacementsByPriority are the servers a resource is extended to, highest
// priority (lowest number) first.
func (x *Index) PlacementsByPriority(t Tag) []Placement {
	i, ok := x.ids[t]
	if !ok {
		return nil
	}
	return x.placed[i]
}

// Placement is a resource's place on a server; nil when it is not extended there.
func (x *Index) Placement(t Tag, server string) *Placement {
	placed := x.PlacementsByPriority(t)
	for i := range placed {
		if placed[i].Server == server {
			return &placed[i]
		}
	}
	return nil
}

// On are the resources extended to a server, in start order.
func (x *Index) On(server string) []Tag { return x.onServer[server] }

// InCluster are the resources of a cluster, in start order.
func (x *Index) InCluster(cluster string) []Tag { return x.inCluster[cluster] }
