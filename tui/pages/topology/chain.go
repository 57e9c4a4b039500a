package topology

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// The kits that lead clients to a node, and those of their fields and details that say
// where to. The console knows kits by their names alone.
const (
	kitIP, kitEC2, kitRoute53, kitOpenswan = "ip", "ec2", "route53", "openswan"

	fieldAddress, fieldZone, fieldHost      = "address", "zone", "host"
	fieldElasticIP, fieldTargets, detailDNS = "elastic_ip", "destinations", "record"
)

// chain is the way from a name to the node that is reached by it.
type chain struct {
	tag    hierarchy.Tag // the resource that it is named after, lowest of all
	name   string        // "www.example.com"; empty without a Route53 resource
	names  link
	routes link
	addr   link
	legs   []leg // by region; without an address where it is not extended
	// points is the region that the name leads to, -1 = none of them, or not known;
	// record is then what it holds instead.
	points int
	record string
}

// link is a resource of a chain: where it is active and how it is there.
type link struct {
	tag    hierarchy.Tag // empty = there is none
	active string
	state  hierarchy.State
}

// leg is the chain's end in one region.
type leg struct {
	addr   string
	routes []route
}

// route is an entry of a route table as last read; table may be empty.
type route struct{ dest, table, target string }

// chains finds the chains of the estate: one for each virtual IP, one for each EC2
// resource that stands alone.
func chains(e *model.Estate, p *picture) []chain {
	var out []chain
	for i := range e.Resources {
		r := &e.Resources[i]
		switch {
		case r.Kit == kitIP:
			out = append(out, newChain(e, p, r))
		case r.Kit == kitEC2 && !below(e, r.Tag, kitIP):
			out = append(out, newChain(e, p, r))
		}
	}
	return out
}

func below(e *model.Estate, t hierarchy.Tag, kit string) bool {
	return slices.ContainsFunc(e.Index.Descendants(t), func(t hierarchy.Tag) bool { r := e.Res(t); return r != nil && r.Kit == kit })
}

func newChain(e *model.Estate, p *picture, r *api.ResourceStatus) chain {
	ch := chain{tag: r.Tag, addr: linkOf(e, r), points: -1, legs: make([]leg, len(p.regions))}
	if n, ok := p.at[r.Active]; ok && ch.addr.state.InService() && !p.nodes[n].heard() {
		ch.addr.state = hierarchy.ILLSTATE // it was so when the node was heard last
	}
	if r.Kit == kitEC2 {
		ch.routes = ch.addr
	}
	for _, t := range e.Index.Ancestors(r.Tag) {
		switch a := e.Res(t); {
		case a == nil:
		case a.Kit == kitEC2 && ch.routes.tag == "":
			ch.routes = linkOf(e, a)
		case a.Kit == kitRoute53 && ch.names.tag == "":
			ch.names, ch.name = linkOf(e, a), fqdn(e.Index.Resource(t))
		}
	}
	def, placed := e.Index.Resource(r.Tag), e.Index.PlacementsByPriority(r.Tag)
	for i := range r.On {
		n, ok := p.at[r.On[i].Server]
		if !ok {
			continue
		}
		if l := &ch.legs[p.nodes[n].region]; l.addr == "" {
			l.addr = addressOn(def, placed, &r.On[i], i)
		}
	}
	ch.readRoutes(e, p)
	ch.readName(e, p)
	return ch
}

func linkOf(e *model.Estate, r *api.ResourceStatus) link {
	l := link{tag: r.Tag, active: r.Active, state: hierarchy.OSU}
	if i := e.Cell(r.Tag, r.Active); i != nil {
		l.state = i.State
	}
	return l
}

func fqdn(r *hierarchy.Resource) string {
	if r == nil {
		return ""
	}
	zone, _, _ := strings.Cut(r.Attrs[fieldZone], " (") // its id follows
	return ui.Clean(r.Attrs[fieldHost] + "." + zone)
}

// addressOn is the virtual IP, or what else clients reach, on a server, which is mostly
// the one of the i-th placement.
func addressOn(def *hierarchy.Resource, placed []hierarchy.Placement, in *api.InstanceStatus, i int) string {
	if in.Address != "" {
		return ui.Clean(in.Address)
	}
	if i >= len(placed) || placed[i].Server != in.Server {
		i = slices.IndexFunc(placed, func(p hierarchy.Placement) bool { return p.Server == in.Server })
	}
	for _, field := range []string{fieldAddress, fieldElasticIP, fieldTargets} {
		if i >= 0 && placed[i].Attrs[field] != "" {
			return ui.Clean(placed[i].Attrs[field])
		}
		if def != nil && def.Attrs[field] != "" {
			return ui.Clean(def.Attrs[field])
		}
	}
	return ""
}

// readRoutes takes what the nodes' checks saw in the route tables; without that, the
// state says where a region's routes point.
func (ch *chain) readRoutes(e *model.Estate, p *picture) {
	r := e.Res(ch.routes.tag)
	if r == nil {
		return
	}
	for i := range r.On {
		in := &r.On[i]
		n, ok := p.at[in.Server]
		if !ok {
			continue
		}
		l := &ch.legs[p.nodes[n].region]
		if in.Server != r.Active && len(l.routes) > 0 {
			continue
		}
		var seen []route
		for _, k := range slices.Sorted(maps.Keys(in.Details)) {
			if dest, table, ok := strings.Cut(k, " in "); ok && strings.Contains(dest, "/") {
				seen = append(seen, route{ui.Clean(dest), ui.Clean(table), p.target(ui.Clean(in.Details[k]))})
			}
		}
		switch {
		case len(seen) > 0:
			l.routes = seen
		case in.Server == r.Active && in.State.InService() && l.addr != "":
			l.routes = []route{{dest: dest(l.addr), target: ui.Clean(r.Active)}}
		}
	}
}

// target is where a route leads: a check writes an interface with its node behind it,
// "eni-1 (LK_P_A), blackhole", of which the node and what follows matter here.
func (p *picture) target(s string) string {
	_, rest, ok := strings.Cut(s, " (")
	if node, tail, closed := strings.Cut(rest, ")"); ok && closed {
		if _, known := p.at[node]; known {
			return node + tail
		}
	}
	return s
}

// dest writes a virtual IP as a destination of routes.
func dest(addr string) string {
	if strings.ContainsAny(addr, "/, ") {
		return addr
	}
	return addr + "/32"
}

// readName finds out which region's address the name holds: by the record as last read,
// or, when nothing was read, by where the resource is in service.
func (ch *chain) readName(e *model.Estate, p *picture) {
	r := e.Res(ch.names.tag)
	if r == nil {
		if n, ok := p.at[ch.addr.active]; ok { // without a name clients use the address itself
			ch.points = p.nodes[n].region
		}
		return
	}
	if in := e.Cell(r.Tag, r.Active); in != nil {
		ch.record = ui.Clean(in.Details[detailDNS])
	}
	if ch.record != "" {
		ch.points = slices.IndexFunc(ch.legs, func(l leg) bool { return l.addr == ch.record })
		return
	}
	if n, ok := p.at[r.Active]; ok && ch.names.state.InService() {
		ch.points = p.nodes[n].region
	}
}

// tunnel is an IPsec tunnel between VPN nodes of two regions.
type tunnel struct {
	a, b  int
	state model.Way
	busy  bool // traffic uses it: the routes of a side lead to it
}

// tunnels pairs the servers of Openswan resources in neighbouring regions, zone by zone:
// the first zone's with the first zone's.
func tunnels(e *model.Estate, p *picture) []tunnel {
	ends := make([][]end, len(p.regions))
	for i := range e.Resources {
		res := &e.Resources[i]
		if res.Kit != kitOpenswan {
			continue
		}
		for j := range res.On {
			in := &res.On[j]
			if n, ok := p.at[in.Server]; ok {
				r := p.nodes[n].region
				ends[r] = append(ends[r], end{in, leadsTo(res, in)})
			}
		}
	}
	var out []tunnel
	for r := range max(0, len(ends)-1) {
		for _, in := range [][]end{ends[r], ends[r+1]} {
			slices.SortFunc(in, func(a, b end) int {
				return cmp.Compare(p.nodes[p.at[a.Server]].zone, p.nodes[p.at[b.Server]].zone)
			})
		}
		for i := range min(len(ends[r]), len(ends[r+1])) {
			a, b := ends[r][i], ends[r+1][i]
			out = append(out, tunnel{p.at[a.Server], p.at[b.Server], tunnelState(a.State, b.State), a.busy || b.busy})
		}
	}
	return out
}

// end is a tunnel's end on one server.
type end struct {
	*api.InstanceStatus
	busy bool
}

// leadsTo tells whether the routes lead to this end. They go on to do so when its tunnel
// has failed: the claim stays until another end takes it.
func leadsTo(r *api.ResourceStatus, in *api.InstanceStatus) bool {
	return in.State.InService() || r.Active == "" && r.Claim != nil && r.Claim.Node == in.Server
}

func tunnelState(a, b hierarchy.State) model.Way {
	switch {
	case a == hierarchy.OSF || b == hierarchy.OSF:
		return model.WayCut
	case a == hierarchy.ILLSTATE || b == hierarchy.ILLSTATE:
		return model.WayUnknown
	case a == hierarchy.ISU || b == hierarchy.ISU:
		return model.WayPartly
	}
	return model.WayOK
}
