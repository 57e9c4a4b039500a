package lab

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
)

// Table is one route table of a region's VPC.
type Table struct {
	// Subnets are those that the table is associated with. The region's main table has none: it serves every subnet that no
	// other table names, and what comes in from the peer link and the engine.
	Subnets []netip.Prefix
	Routes  []Route
}

// routing is what a router was told: route commands by kernel table and destination, and the rules that choose a table.
type routing struct {
	routes map[int]map[netip.Prefix]string
	rules  map[string]bool
}

const (
	// firstTable is the kernel table of a region's main route table; the others follow.
	firstTable = 100
	maxTables  = 16
)

// SetTable is [Lab.SetTables] for a region with a main table only.
func (l *Lab) SetTable(ctx context.Context, region string, routes []Route) error {
	return l.SetTables(ctx, region, []Table{{Routes: routes}})
}

// SetTables makes a region's router follow its route tables: packets for each destination go to the guest that has the
// route's network interface, over the peer link when no guest has it, or nowhere. Which table counts depends on the subnet
// that a packet comes from. What is not in the list any more is taken away. Unchanged tables cost nothing, so a caller may
// send everything on every change.
func (l *Lab) SetTables(ctx context.Context, region string, tables []Table) error {
	i, ok := l.top.regionIndex(region)
	if !ok {
		return fmt.Errorf("setting routes: there is no region %q in the lab", region)
	}
	if len(tables) > maxTables {
		return fmt.Errorf("setting routes of %s: %d tables, at most %d", region, len(tables), maxTables)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	have, known := l.routing[region]
	if !known {
		have = l.unknownRouting(ctx, i)
	}
	want := l.wanted(i, tables)
	delete(l.routing, region) // until it is known to be so
	if err := l.ip(ctx, RouterNS(region), changes(have, want)); err != nil {
		return err
	}
	l.routing[region] = want
	return nil
}

// unknownRouting brings a router, new or left in the middle by an error, to having no routes from tables. Flushing a table
// that is not there fails and is right, so the result says nothing; what matters fails again when routes are set.
func (l *Lab) unknownRouting(ctx context.Context, i int) routing {
	batch := "rule flush\nrule add pref 32766 lookup main\n"
	for n := range maxTables {
		batch += fmt.Sprintf("route flush table %d\n", firstTable+n)
	}
	_ = l.tool(ctx, RouterNS(l.top.Regions[i].Name), batch, "ip", "-force", "-batch", "-")
	return routing{}
}

// wanted is what tables mean for router i. The VPC's own addresses are thrown back from every table: they are found in the
// kernel's main table, where the local routes are and which ends with dropping everything.
func (l *Lab) wanted(i int, tables []Table) routing {
	w := routing{routes: map[int]map[netip.Prefix]string{}, rules: map[string]bool{}}
	r := l.top.Regions[i]
	next := firstTable + 1
	for _, t := range tables {
		id := firstTable
		if len(t.Subnets) > 0 {
			id, next = next, next+1
		} else {
			w.rules[fmt.Sprintf("pref 200 lookup %d", id)] = true
		}
		w.routes[id] = map[netip.Prefix]string{r.CIDR: fmt.Sprintf("replace throw %s table %d", r.CIDR, id)}
		for _, rt := range t.Routes {
			if dest := rt.Dest.Masked(); dest != r.CIDR {
				w.routes[id][dest] = l.hop(i, rt, id)
			}
		}
		for _, port := range l.portsIn(i, t.Subnets) {
			w.rules[fmt.Sprintf("pref 100 iif %s lookup %d", port, id)] = true
			w.rules[fmt.Sprintf("pref 101 iif %s lookup main", port)] = true
		}
	}
	return w
}

// changes are the ip commands that lead from one routing to another. A destination that stays is replaced in place, so that
// no packet falls between.
func changes(have, want routing) []string {
	var out []string
	for _, id := range slices.Sorted(maps.Keys(want.routes)) {
		for dest, cmd := range want.routes[id] {
			if have.routes[id][dest] != cmd {
				out = append(out, "route "+cmd)
			}
		}
	}
	for rule := range want.rules {
		if !have.rules[rule] {
			out = append(out, "rule add "+rule)
		}
	}
	for rule := range have.rules {
		if !want.rules[rule] {
			out = append(out, "rule del "+rule)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(have.routes)) {
		for dest := range have.routes[id] {
			if _, ok := want.routes[id][dest]; !ok {
				out = append(out, fmt.Sprintf("route del %s table %d", dest, id))
			}
		}
	}
	return out
}

// hop is the route command that carries r out in region i.
func (l *Lab) hop(i int, r Route, table int) string {
	dest := r.Dest.Masked()
	dropped := fmt.Sprintf("replace blackhole %s table %d", dest, table)
	if r.Blackhole {
		return dropped
	}
	for k, g := range l.top.Guests {
		if g.Region == l.top.Regions[i].Name && g.ENI == r.ENI {
			return fmt.Sprintf("replace %s via %s dev %s table %d", dest, g.Addr, tapName(k), table)
		}
	}
	j, ok := l.peerFor(i, dest)
	if !ok || l.top.NoPeerLink {
		return dropped
	}
	return fmt.Sprintf("replace %s via %s dev %s table %d", dest, peerLinkAddr(i, j, j), peerName(j), table)
}

// peerFor is the region a destination outside region i leads to: the one whose addresses it holds, else the only or next
// other one, as for the virtual IPs, which belong to no region's addresses.
func (l *Lab) peerFor(i int, dest netip.Prefix) (int, bool) {
	for j, r := range l.top.Regions {
		if j != i && r.CIDR.Overlaps(dest) {
			return j, true
		}
	}
	if len(l.top.Regions) < 2 {
		return 0, false
	}
	return (i + 1) % len(l.top.Regions), true
}

// portsIn are router i's links to the instances of some subnets.
func (l *Lab) portsIn(i int, subnets []netip.Prefix) []string {
	in := func(a netip.Addr) bool {
		return slices.ContainsFunc(subnets, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	r := l.top.Regions[i]
	var out []string
	if in(r.Client) {
		out = append(out, clientLink)
	}
	for k, g := range l.top.Guests {
		if g.Region == r.Name && in(g.Addr) {
			out = append(out, tapName(k))
		}
	}
	return out
}

// initialTables brings every region's routes to what the topology says.
func (l *Lab) initialTables(ctx context.Context) error {
	for _, r := range l.top.Regions {
		if err := l.SetTable(ctx, r.Name, r.Routes); err != nil {
			return err
		}
	}
	return nil
}
