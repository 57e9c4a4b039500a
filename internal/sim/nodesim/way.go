package nodesim

import (
	"net/netip"
	"time"
)

// Hop is where a VPC's router sends a packet.
type Hop struct {
	// Via is the node whose interface it is handed to; empty = to the address itself,
	// which is in the VPC or on the Internet.
	Via string
	// Dropped: there is no route, or it leads nowhere.
	Dropped bool
}

// SetRoutes says where a packet for an address goes that leaves a node of the estate.
// Without it every node reaches every other. route is called without any lock and must
// not wait; it is nil again with nil.
func (w *World) SetRoutes(route func(from string, to netip.Addr) Hop) {
	w.change(func() { w.routes = route })
}

func (w *World) routeTable() func(string, netip.Addr) Hop {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.routes
}

// The bytes that packets count for in a tunnel: a ping with its headers.
const pingBytes = 84

// hopLimit ends a packet that goes round in a circle.
const hopLimit = 8

// passes tells whether packets get from a party to a node's address and back: by the
// routes and the tunnels when both are nodes of the estate, else on the straight way.
// source is the address they come from; empty = the node's own.
func (w *World) passes(from string, to *Node, address, source string) bool {
	if !w.joined(from, to.name) || !to.kernelUp() {
		return false
	}
	n := w.Node(from)
	if n == nil || n == to || w.routeTable() == nil {
		return true
	}
	src, err := netip.ParseAddr(source)
	if err != nil {
		src = netip.MustParseAddr(n.address)
	}
	dst, err := netip.ParseAddr(address)
	if err != nil || !to.Carries(address) {
		return true // a name or a public address: no private traffic
	}
	at, _ := w.forward(n, src, dst)
	if at != to {
		return false
	}
	at, _ = w.forward(to, dst, src)
	return at == n
}

// Travel follows a packet that a node sends or was handed, and says where it ends: at
// the node that has the address, or, with ok = false, at the last one that it reached.
// A packet that leaves for an address of no node (a client) arrives in the VPC of the
// node that sends it there.
func (w *World) Travel(from string, src, dst netip.Addr) (node string, ok bool) {
	n := w.Node(from)
	if n == nil || !n.kernelUp() {
		return from, false
	}
	at, ok := w.forward(n, src, dst)
	return at.name, ok
}

// forward goes hop by hop: into a tunnel where the kernel has a policy for the packet,
// else to where the VPC's router says.
func (w *World) forward(at *Node, src, dst netip.Addr) (*Node, bool) {
	routes := w.routeTable()
	for range hopLimit {
		if at.Carries(dst.String()) {
			return at, true
		}
		if next, tunnel := w.ipsec.through(at, src, dst); tunnel {
			if next == nil {
				return at, false
			}
			at = next
			continue
		}
		var hop Hop
		if routes != nil {
			hop = routes(at.name, dst)
		}
		if hop.Dropped {
			return at, false
		}
		next := w.Node(hop.Via)
		if hop.Via == "" {
			if next = w.owner(at.name, dst.String()); next == nil {
				return at, true
			}
		}
		if next == nil || next == at || !w.joined(at.name, next.name) || !next.kernelUp() {
			return at, false
		}
		at = next
	}
	return at, false
}

// through puts a packet into a tunnel of the node. tunnel is false when it has none for it;
// next is nil when the packet does not come out.
func (v *ipsecWorld) through(at *Node, src, dst netip.Addr) (next *Node, tunnel bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	d := v.on(at.name)
	if d == nil {
		return nil, false
	}
	v.advance(time.Now())
	c, k := d.policy(src, dst)
	if c == nil {
		return nil, false
	}
	return v.packet(c, k, pingBytes), true
}
