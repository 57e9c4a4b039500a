package sim

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
)

// sharedKey is what both ends of every tunnel prove themselves with.
const (
	sharedKey = "simulated-shared-key-of-no-value"
	wrongKey  = "somebody-has-changed-this-key"
)

// Tunnel is a pair of VPN nodes in two regions with an IPsec tunnel between them.
type Tunnel struct{ A, B string }

// TunnelsOf are the tunnels of an estate: the nodes of openswan resources in
// neighbouring regions, zone by zone, the first zone's with the first zone's.
func TunnelsOf(e *hierarchy.Estate) []Tunnel {
	x := hierarchy.NewIndex(e)
	ends := make([][]string, len(e.Regions))
	for _, r := range e.Res {
		for _, p := range r.On {
			if s := x.Server(p.Server); r.Kit == "openswan" && s != nil {
				i := slices.IndexFunc(e.Regions, func(r hierarchy.Region) bool { return r.Name == s.Region })
				if i >= 0 && !slices.Contains(ends[i], s.Name) {
					ends[i] = append(ends[i], s.Name)
				}
			}
		}
	}
	for _, in := range ends {
		slices.SortStableFunc(in, func(a, b string) int { return cmp.Compare(x.Server(a).Zone, x.Server(b).Zone) })
	}
	var out []Tunnel
	for i := range max(0, len(ends)-1) {
		for k := range min(len(ends[i]), len(ends[i+1])) {
			out = append(out, Tunnel{ends[i][k], ends[i+1][k]})
		}
	}
	return out
}

// Tunnels are those of this estate.
func (s *Sim) Tunnels() []Tunnel { return slices.Clone(s.tunnels) }

// publicOf is a VPN node's public address: the one it is dialed by, or the seed's for
// the first of a region, and those beside it. Empty for other nodes.
func publicOf(e *hierarchy.Estate, server string) string {
	for k, t := range TunnelsOf(e) {
		for side, name := range []string{t.A, t.B} {
			if name != server {
				continue
			}
			if a, err := netip.ParseAddr(e.Server(server).Connect); err == nil && !a.IsPrivate() {
				return a.String()
			}
			if side == 0 {
				return fmt.Sprintf("54.249.2.%d", 50+k)
			}
			return fmt.Sprintf("54.254.156.%d", 254-k)
		}
	}
	return ""
}

// networksOf are the networks behind a region's VPN nodes: its VPC, and those of its virtual IPs.
func networksOf(x *hierarchy.Index, region string) []string {
	r := x.Region(region)
	if r == nil {
		return nil
	}
	out := slices.Clone(r.CIDRs)
	for i := range x.Estate().Res {
		for _, p := range x.PlacementsByPriority(x.Estate().Res[i].Tag) {
			net := network(p.Attrs["address"], 16)
			if p.Attrs["address"] != "" && x.RegionOf(p.Server) == region && !slices.Contains(out, net) {
				out = append(out, net)
			}
		}
	}
	return out
}

// addTunnels sets the tunnels up and lets private traffic between regions take them.
// An estate without openswan resources has none: there every node reaches every other.
func (s *Sim) addTunnels(e *hierarchy.Estate) error {
	if s.tunnels = TunnelsOf(e); len(s.tunnels) == 0 {
		return nil
	}
	for _, t := range s.tunnels {
		if err := s.Nodes.AddTunnel(s.tunnelEnd(t.A), s.tunnelEnd(t.B), sharedKey); err != nil {
			return err
		}
	}
	s.EC2.OnChange(func(ec2sim.Event) { s.routes.forget() })
	s.Nodes.SetRoutes(s.hop)
	return nil
}

func (s *Sim) tunnelEnd(node string) nodesim.TunnelEnd {
	end := nodesim.TunnelEnd{Node: node, Connection: "vpn1", Subnets: networksOf(s.index, s.index.RegionOf(node))}
	for _, r := range s.index.Estate().Res {
		if r.Kit != "openswan" || s.index.Placement(r.Tag, node) == nil {
			continue
		}
		if c := hierarchy.InstanceOf(s.index, r.Tag, node, "").Attrs["connection"]; c != "" {
			end.Connection = c
		}
	}
	return end
}

// twin is the node at the other end of a node's tunnel.
func (s *Sim) twin(node string) (string, error) {
	for _, t := range s.tunnels {
		switch node {
		case t.A:
			return t.B, nil
		case t.B:
			return t.A, nil
		}
	}
	return "", fmt.Errorf("no tunnel ends on %s", node)
}

// CutTunnel cuts the public way between a VPN node and the one at the other end of its
// tunnel. The daemons say "up" for another minute.
func (s *Sim) CutTunnel(node string) error { return s.withTwin(node, s.Nodes.Cut) }

// HealTunnel undoes CutTunnel.
func (s *Sim) HealTunnel(node string) error { return s.withTwin(node, s.Nodes.Heal) }

// BlockESP lets what the tunnel of a node carries vanish while the daemons go on talking.
func (s *Sim) BlockESP(node string) error { return s.withTwin(node, s.Nodes.BlockESP) }

// AllowESP undoes BlockESP.
func (s *Sim) AllowESP(node string) error { return s.withTwin(node, s.Nodes.AllowESP) }

func (s *Sim) withTwin(node string, do func(a, b string)) error {
	far, err := s.twin(node)
	if err != nil {
		return err
	}
	do(node, far)
	return nil
}

// ChangeKey is an administrator who changes the pre-shared key on one node only, and
// lets the daemon use it: its tunnel is refused from then on.
func (s *Sim) ChangeKey(node string) error { return s.setKey(node, wrongKey) }

// RestoreKey undoes ChangeKey in the same way.
func (s *Sim) RestoreKey(node string) error { return s.setKey(node, sharedKey) }

func (s *Sim) setKey(node, key string) error {
	if _, err := s.twin(node); err != nil {
		return err
	}
	n := s.Nodes.Node(node)
	if err := n.SetSharedKey(s.tunnelEnd(node).Connection, key); err != nil {
		return fmt.Errorf("writing the key of %s: %w", node, err)
	}
	n.ReloadSecrets()
	return nil
}

// routeCache keeps the regions' route tables as they are now, read for every packet.
type routeCache struct {
	mu     sync.Mutex
	tables map[string][]cachedRoute // by region; nil = to be read
}

type cachedRoute struct {
	to  netip.Prefix
	hop nodesim.Hop
	igw bool
}

func (c *routeCache) forget() {
	c.mu.Lock()
	c.tables = nil
	c.mu.Unlock()
}

// hop is what the router of a node's VPC does with a packet. Nodes outside of the
// regions, like witnesses, are on the Internet.
func (s *Sim) hop(from string, to netip.Addr) nodesim.Hop {
	srv := s.index.Server(from)
	if srv == nil {
		return nodesim.Hop{}
	}
	return s.hopFrom(srv.Region, to)
}

// Gateway is the node to which a region's router hands what is for the other region, by
// its route table as it is now; empty when it is none.
func (s *Sim) Gateway(region string) string {
	for _, r := range s.index.Estate().Regions {
		if p, err := netip.ParsePrefix(append(r.CIDRs, "")[0]); r.Name != region && err == nil {
			return s.hopFrom(region, p.Addr().Next()).Via
		}
	}
	return ""
}

func (s *Sim) hopFrom(region string, to netip.Addr) nodesim.Hop {
	best := cachedRoute{hop: nodesim.Hop{Dropped: true}}
	for _, r := range s.routesOf(region) {
		if r.to.Contains(to) && (!best.to.IsValid() || r.to.Bits() > best.to.Bits()) {
			best = r
		}
	}
	if best.igw && to.IsPrivate() {
		return nodesim.Hop{Dropped: true} // the Internet knows no private addresses
	}
	return best.hop
}

func (s *Sim) routesOf(region string) []cachedRoute {
	s.routes.mu.Lock()
	defer s.routes.mu.Unlock()
	if s.routes.tables == nil {
		s.routes.tables = s.readRoutes()
	}
	return s.routes.tables[region]
}

func (s *Sim) readRoutes() map[string][]cachedRoute {
	w := s.EC2.Snapshot()
	out := map[string][]cachedRoute{}
	for _, r := range s.index.Estate().Regions {
		t := w.Table(TableOf(r))
		if t == nil {
			continue
		}
		for _, rt := range t.Routes {
			if p, err := netip.ParsePrefix(rt.Destination); err == nil {
				out[r.Name] = append(out[r.Name], cachedRoute{to: p, hop: s.hopOf(w, rt), igw: strings.HasPrefix(rt.Gateway, "igw-")})
			}
		}
	}
	return out
}

// hopOf is where a route leads: an interface drops what is not for itself while its
// source/dest check is on, and what it gets while it is attached to nothing.
func (s *Sim) hopOf(w ec2sim.World, rt ec2sim.Route) nodesim.Hop {
	if rt.Interface == "" {
		return nodesim.Hop{}
	}
	for _, r := range w.Regions {
		for _, i := range r.Interfaces {
			if i.ID == rt.Interface && i.SourceDestCheck {
				return nodesim.Hop{Dropped: true}
			}
		}
	}
	for _, srv := range s.index.Estate().Servers {
		if srv.ENI == rt.Interface {
			return nodesim.Hop{Via: srv.Name}
		}
	}
	return nodesim.Hop{Dropped: true}
}

// across follows a client's question into the other region and the answer back, through
// the tunnels. It returns where it ends, which is the node that has the address when ok.
func (s *Sim) across(region, first string, a netip.Addr) (node string, ok bool) {
	client := clientIn(s.index.Region(region))
	node, ok = s.Nodes.Travel(first, client, a)
	if !ok || !carries(s.Nodes.Node(node), a) {
		return node, false
	}
	back, ok := s.Nodes.Travel(node, a, client)
	if !ok || s.index.RegionOf(back) != region {
		return back, false
	}
	return node, true
}

// clientIn is the address of a client in a region's VPC.
func clientIn(r *hierarchy.Region) netip.Addr {
	if r == nil || len(r.CIDRs) == 0 {
		return netip.Addr{}
	}
	p, err := netip.ParsePrefix(r.CIDRs[0])
	if err != nil {
		return netip.Addr{}
	}
	a := p.Masked().Addr()
	for range 200 {
		a = a.Next()
	}
	return a
}
