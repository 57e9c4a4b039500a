package hierarchy

import (
	"maps"
	"slices"

	"github.com/ferry-ha/ferry/kits"
)

// facts are what every Instance shares, made once with the Index.
type facts struct {
	nodes    map[string]kits.Node
	regions  map[string]kits.Region
	cidrs    []string // of every VPC
	tuning   map[string]map[string]string
	forAll   map[string]string // tuning without any server's own
	defaults map[string]string
	fields   map[string]map[string]string // by kit: the defaults of its fields
}

func newFacts(x *Index) facts {
	f := facts{
		nodes:    make(map[string]kits.Node, len(x.servers)),
		regions:  make(map[string]kits.Region, len(x.regions)),
		tuning:   make(map[string]map[string]string, len(x.servers)),
		defaults: map[string]string{},
		fields:   make(map[string]map[string]string, len(x.kits)),
	}
	for name, kit := range x.kits {
		f.fields[name] = fieldDefaults(kit)
	}
	for i := range x.estate.Regions {
		r := &x.estate.Regions[i]
		f.regions[r.Name] = kits.Region{
			Name: r.Name, VPC: r.VPC, CIDRs: r.CIDRs, Profile: r.Profile,
			EndpointEC2: r.EndpointEC2, EndpointDNS: r.EndpointDNS, RouteTables: r.RouteTables,
		}
		f.cidrs = append(f.cidrs, r.CIDRs...)
	}
	table := Tunings(x.kits)
	for _, t := range table {
		f.defaults[t.Name] = t.Default
	}
	f.forAll = maps.Clone(f.defaults)
	maps.Copy(f.forAll, x.estate.Tuning)
	for i := range x.estate.Servers {
		s := &x.estate.Servers[i]
		r := f.regions[s.Region]
		f.nodes[s.Name] = kits.Node{
			Name: s.Name, Region: s.Region, Zone: s.Zone, Address: s.Address, Interface: s.Interface,
			Instance: s.Instance, ENI: s.ENI, VPC: r.VPC, VPCCIDRs: r.CIDRs,
		}
		f.tuning[s.Name] = x.tuningOf(s, table)
	}
	return f
}

// InstanceOf is a resource on a server as its kit sees it. Active is the server
// where the resource is or is about to be in service; it may be empty.
//
// Children and Parents hold all relatives, not only the direct ones, nearest
// first: a Route53 resource stands on an EC2 resource and needs the address of
// the IP resource below that. Fields that were left out have their kit's defaults
// when the Index was made with the kits. Maps and slices are shared between
// instances: a kit must not change them.
//
// For an unknown tag the result has the tag only; for a server to which the
// resource is not extended, the fields that hold on every server.
func InstanceOf(x *Index, tag Tag, server, active string) kits.Instance {
	in := kits.Instance{Tag: string(tag), Active: active, Node: kits.Node{Name: server}}
	i, ok := x.ids[tag]
	if !ok {
		return in
	}
	r := &x.estate.Res[i]
	in.Kit, in.Cluster = r.Kit, r.Cluster
	own := x.own(i)
	in.On, in.Nodes = own.On, own.nodes
	if in.Attrs, ok = in.On[server]; !ok {
		in.Attrs = x.attrsOn(r, nil)
	}
	k := x.kinOf(i)
	in.Children, in.Parents = k.children, k.parents
	x.surround(&in, server)
	return in
}

// surround fills in what does not depend on the resource.
func (x *Index) surround(in *kits.Instance, server string) {
	if n, known := x.facts.nodes[server]; known {
		in.Node = n
	}
	in.EstateCIDRs = x.facts.cidrs
	in.Regions = x.facts.regions
	in.Tuning = x.Tuning(server)
}

// Prospect is a resource that does not exist yet, as its kit sees it on a server: what
// is known of the place, and the fields that a person has given so far. A kit loads
// choices for a form from it.
func Prospect(x *Index, kit, server string, attrs map[string]string) kits.Instance {
	in := kits.Instance{Kit: kit, Node: kits.Node{Name: server}, Attrs: attrs}
	if c := x.ClusterOf(server); c != nil {
		in.Cluster = c.Name
	}
	x.surround(&in, server)
	return in
}

// kin are a resource's relatives, nearest first.
type kin struct{ children, parents []kits.Relative }

// maxKin bounds what is kept: in one hierarchy of thousands, everything kept for
// everything would be millions.
const maxKin = 32

func (x *Index) kinOf(i int32) kin {
	if k := x.kin[i].Load(); k != nil {
		return *k
	}
	k := kin{x.relatives(x.graph.reach(i, x.graph.children)), x.relatives(x.graph.reach(i, x.graph.parents))}
	if len(k.children)+len(k.parents) <= maxKin {
		x.kin[i].Store(&k)
	}
	return k
}

func (x *Index) relatives(nums []int32) []kits.Relative {
	if len(nums) == 0 {
		return nil
	}
	all := make([]kits.Relative, len(nums))
	for k, i := range nums {
		all[k] = x.own(i).Relative
	}
	return all
}

// ownFacts are a resource's fields and servers.
type ownFacts struct {
	kits.Relative
	nodes map[string]kits.Node
}

// own gives a resource's facts, made at the first question. Two goroutines may both
// make them; the results are equal.
func (x *Index) own(i int32) *ownFacts {
	if f := x.rels[i].Load(); f != nil {
		return f
	}
	r := &x.estate.Res[i]
	f := &ownFacts{
		Relative: kits.Relative{Tag: string(r.Tag), Kit: r.Kit, On: make(map[string]map[string]string, len(r.On))},
		nodes:    make(map[string]kits.Node, len(r.On)),
	}
	same := x.attrsOn(r, nil)
	for _, p := range r.On {
		f.On[p.Server] = same // mostly a server adds nothing of its own
		if len(p.Attrs) > 0 {
			f.On[p.Server] = x.attrsOn(r, p.Attrs)
		}
		if n, known := x.facts.nodes[p.Server]; known {
			f.nodes[p.Server] = n
		}
	}
	x.rels[i].Store(f)
	return f
}

// attrsOn lays a server's own fields over the resource's, and those over defaults.
func (x *Index) attrsOn(r *Resource, own map[string]string) map[string]string {
	all := make(map[string]string, len(r.Attrs)+len(own))
	maps.Copy(all, x.facts.fields[r.Kit])
	maps.Copy(all, r.Attrs)
	maps.Copy(all, own)
	return all
}

func fieldDefaults(kit kits.Kit) map[string]string {
	all := map[string]string{}
	for _, f := range kit.Fields() {
		if f.Default != "" {
			all[f.Name] = f.Default
		}
	}
	return all
}

// Regions lists the names of the regions that a resource is extended to, in order
// of priority.
func (x *Index) Regions(t Tag) []string {
	var names []string
	for _, p := range x.PlacementsByPriority(t) {
		if r := x.RegionOf(p.Server); r != "" && !slices.Contains(names, r) {
			names = append(names, r)
		}
	}
	return names
}
