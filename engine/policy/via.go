package policy

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// A comm path may declare what carries it: via = "vpn-primary/openswan-vpn1". While
// that resource is not steadily in service, a probe over the path that failed says
// nothing about the node at its end (SPEC 6): it counts unknown, not missed, and what
// is known only over such paths makes nothing cross.

// wayKey names a path: from peer to node, by the name the monitor reports it under.
type wayKey struct{ from, to, name string }

// way is what carries a path to a node. What nobody declared counts from when it is
// first in service: until then the traffic goes by ways of its own.
type way struct {
	to       string
	via      []hierarchy.Tag
	declared bool
}

// defineVia finds what carries which path. The monitor names a declared path by its
// to_address, and "default" where that is left out.
func (w *World) defineVia() {
	w.via, w.ways = map[wayKey]way{}, nil
	for _, p := range w.Estate.Paths {
		if p.Via == "" {
			continue
		}
		for _, name := range pathNames(w.x, p) {
			w.via[wayKey{p.From, p.To, name}] = way{p.To, p.Via.Tags(), true}
		}
		w.ways = append(w.ways, way{p.To, p.Via.Tags(), true})
	}
	w.carry()
}

// carry finds what carries the paths between regions that nobody declared: what carries
// the peer's address out of the one region, and the answer out of the other.
func (w *World) carry() {
	var all []carrier
	for i := range w.Estate.Res {
		r := &w.Estate.Res[i]
		if k, ok := w.kits[r.Kit].(kits.Carrier); ok {
			all = append(all, w.carriers(k, r)...)
		}
	}
	if len(all) == 0 {
		return
	}
	for i := range w.Estate.Servers {
		from := &w.Estate.Servers[i]
		for _, peer := range w.x.Peers(from.Name) {
			to := w.x.Server(peer)
			if to == nil || w.x.SameRegion(from.Name, peer) || w.declared(from.Name, peer) {
				continue
			}
			via := append(between(all, from, to), between(all, to, from)...)
			if len(via) == 0 {
				continue
			}
			for _, name := range []string{"", "default", to.Address} {
				w.via[wayKey{from.Name, peer, name}] = way{to: peer, via: via}
			}
			w.ways = append(w.ways, way{to: peer, via: via})
		}
	}
}

// carrier is a resource that carries a region's traffic into a network.
type carrier struct {
	tag    hierarchy.Tag
	region string
	net    netip.Prefix
}

func (w *World) carriers(k kits.Carrier, r *hierarchy.Resource) (out []carrier) {
	for _, p := range r.On {
		for _, net := range k.Carries(hierarchy.InstanceOf(w.x, r.Tag, p.Server, "")) {
			if c := (carrier{r.Tag, w.x.RegionOf(p.Server), net}); !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// between are the carriers of what one server sends to the other.
func between(all []carrier, from, to *hierarchy.Server) (out []hierarchy.Tag) {
	a, err := netip.ParseAddr(to.Address)
	if err != nil {
		return nil
	}
	for _, c := range all {
		if c.region == from.Region && c.net.Contains(a) && !slices.Contains(out, c.tag) {
			out = append(out, c.tag)
		}
	}
	return out
}

func (w *World) declared(from, to string) bool {
	return slices.ContainsFunc(w.Estate.Paths, func(p hierarchy.CommPath) bool { return p.From == from && p.To == to })
}

func pathNames(x *hierarchy.Index, p hierarchy.CommPath) []string {
	if p.ToAddr != "" {
		return []string{p.ToAddr}
	}
	names := []string{"", "default"}
	if s := x.Server(p.To); s != nil {
		names = append(names, s.Address)
	}
	return names
}

// wayInDoubt is the resource that should carry a path and is not steadily in service;
// "" = nothing carries it, or that is as it should be.
func (s *step) wayInDoubt(from, to, name string) hierarchy.Tag {
	if len(s.via) == 0 {
		return ""
	}
	w := s.via[wayKey{from, to, name}]
	for _, t := range w.via {
		if found := s.Claims[t].Number == 0 && !w.declared; !found && !s.steady(t, s.Nodes[to].missedAt) {
			return t
		}
	}
	return ""
}

// lookAtWays has what carries the paths to a missed node checked now: that it was in
// service at the last regular check, minutes ago, says nothing about this moment.
func (s *step) lookAtWays(to string, n *Node) {
	if len(s.via) == 0 || n.Verdict == Presumed || n.Verdict == Dead {
		return
	}
	var asked []hierarchy.Tag
	for _, p := range s.ways {
		if p.to != to {
			continue
		}
		for _, via := range p.via {
			if slices.Contains(asked, via) {
				continue
			}
			asked = append(asked, via)
			if at := s.Active(via); s.alive(at) && s.instance(via, at).Checked.Before(n.missedAt) {
				s.checkNow([]hierarchy.Tag{via}, at)
			}
		}
	}
}

// sightInDoubt is the same for all that a peer missed of a node. One such path is
// enough: the node is missed when it is missed on all paths, and this one may only
// lack its carrier.
func (s *step) sightInDoubt(of, peer string, v Sight) hierarchy.Tag {
	var via hierarchy.Tag
	for _, name := range sorted(v.Paths) {
		if v.Paths[name] != kits.Failed {
			continue
		}
		if t := s.wayInDoubt(peer, of, name); t != "" {
			via = t
		}
	}
	return via
}

// steady tells that a resource has been in service on its node for so long that what
// it carries must have come back: as long as a loss takes to be noticed, twice. It
// must be seen there by a check of this run no older than two check intervals and made
// after since (when a node at the other end was first missed), on a node that misses
// no beat, with no operation at work on its hierarchy.
func (s *step) steady(t hierarchy.Tag, since time.Time) bool {
	at := s.Active(t)
	in, n := s.instance(t, at), s.Nodes[at]
	if in == nil || n == nil || !s.alive(at) || n.Missed > 0 || s.Running(t) != nil {
		return false
	}
	if in.Checked.Before(since) {
		return false
	}
	if !in.fresh || in.unclear || !in.State.InService() || s.now.Sub(in.Checked) > 2*s.x.Seconds(at, hierarchy.LKCheckInterval) {
		return false
	}
	settled := 2 * time.Duration(s.beats(at)) * s.beatTime(at)
	return s.now.Sub(in.Since) >= settled && s.now.Sub(s.Claims[t].At) >= settled
}

// lossInDoubt is what carries the paths on which alone the loss of a node rests, when
// that is not steadily in service now; "" when some peer misses it over a way of its
// own, when EC2 has proven it, or when the node is not lost.
func (s *step) lossInDoubt(node string) string {
	n := s.Nodes[node]
	if len(s.via) == 0 || n.Verdict != Presumed {
		return ""
	}
	var via []string
	for _, peer := range s.x.Peers(node) {
		v, ok := n.Sights[peer]
		if !ok || !s.fresh(v, peer) || s.Nodes[peer].Missed > 0 || v.Reach == kits.OK {
			continue
		}
		t := s.sightInDoubt(node, peer, v)
		if t == "" {
			return ""
		}
		if !slices.Contains(via, string(t)) {
			via = append(via, string(t))
		}
	}
	return strings.Join(via, ", ")
}

// waitsForWay holds a crossing until the way on which its evidence rests is steady.
func (s *step) waitsForWay(h holding, to string, reasons []NodeReason) {
	s.keep = true
	s.wakeAt(h.comp, s.now.Add(s.beatTime(h.node)))
	s.decide(h, DoHold, to, append(reasons, reasonOn(h.node, why("hold-via", "node", h.node, "via", s.lossInDoubt(h.node))))...)
}
