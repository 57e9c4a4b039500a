package sim

import (
	"fmt"
	"net/netip"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
)

// follow switches nodes as their instances are really switched: by StopInstances,
// StartInstances, or PowerOff and PowerOn here.
func (s *Sim) follow(e ec2sim.Event) {
	if e.Kind != ec2sim.PowerChanged {
		return
	}
	for _, srv := range s.index.Estate().Servers {
		if srv.Instance != e.Subject {
			continue
		}
		if n := s.Nodes.Node(srv.Name); n != nil && e.To == string(ec2sim.Running) {
			n.PowerOn()
		} else if n != nil {
			n.PowerOff()
		}
	}
}

// PowerOff takes a node's power away. EC2 says so after its StateLag.
func (s *Sim) PowerOff(server string) error { return s.power(server, ec2sim.Stopped) }

// PowerOn boots it.
func (s *Sim) PowerOn(server string) error { return s.power(server, ec2sim.Running) }

func (s *Sim) power(server string, to ec2sim.State) error {
	n, srv := s.Nodes.Node(server), s.index.Server(server)
	switch {
	case n == nil || srv == nil:
		return fmt.Errorf("the estate has no server %s", server)
	case srv.Instance != "":
		return s.EC2.SetInstanceState(srv.Instance, to)
	case to == ec2sim.Running:
		n.PowerOn()
	default:
		n.PowerOff()
	}
	return nil
}

// CutRegions cuts every way between two regions.
func (s *Sim) CutRegions(a, b string) { s.regions(a, b, s.Nodes.Cut) }

// HealRegions undoes CutRegions.
func (s *Sim) HealRegions(a, b string) { s.regions(a, b, s.Nodes.Heal) }

func (s *Sim) regions(a, b string, do func(x, y string)) {
	for _, x := range s.index.Estate().Servers {
		for _, y := range s.index.Estate().Servers {
			if x.Region == a && y.Region == b {
				do(x.Name, y.Name)
			}
		}
	}
}

// Port is where a resource of kit app listens; 0 for others.
func (s *Sim) Port(tag hierarchy.Tag) int { return s.ports[tag] }

// Ask is a client in a region's VPC that asks addr ("10.1.0.10:8080"): the answer
// is the name of the node that served it. The region's first route table decides
// where the packets go; where it leads to a node that does not have the address
// (a VPN node), the other regions' tables are followed from there; in an estate with
// tunnels, through one that carries it, and the answer back likewise.
func (s *Sim) Ask(region, addr string) (string, error) {
	if first, node, ok := s.tunnelled(region, addr); !ok {
		return "", fmt.Errorf("no answer from %s: handed to %s, the way ends at %s", addr, first, node)
	}
	return s.Nodes.Ask(func(a netip.Addr) (string, bool) { return s.route(region, a) }, addr)
}

// tunnelled tells whether a client's question gets through the tunnels, when it needs them.
func (s *Sim) tunnelled(region, addr string) (first, node string, ok bool) {
	p, err := netip.ParseAddrPort(addr)
	if err != nil || len(s.tunnels) == 0 {
		return "", "", true
	}
	first, ok = s.nextHop(region, p.Addr())
	if n := s.Nodes.Node(first); !ok || n == nil || !s.isVPN(first) || carries(n, p.Addr()) {
		return first, first, true
	}
	node, ok = s.across(region, first, p.Addr())
	return first, node, ok
}

func (s *Sim) isVPN(node string) bool {
	_, err := s.twin(node)
	return err == nil
}

func (s *Sim) route(region string, a netip.Addr) (string, bool) {
	node, ok := s.nextHop(region, a)
	if ok && s.isVPN(node) && !carries(s.Nodes.Node(node), a) {
		return s.across(region, node, a)
	}
	if n := s.Nodes.Node(node); !ok || n == nil || carries(n, a) {
		return node, ok
	}
	for _, r := range s.index.Estate().Regions {
		if r.Name == region {
			continue
		}
		if far, ok := s.nextHop(r.Name, a); ok && carries(s.Nodes.Node(far), a) {
			return far, true
		}
	}
	return node, ok
}

func carries(n *nodesim.Node, a netip.Addr) bool { return n != nil && n.Carries(a.String()) }

// nextHop is the node whose interface the longest matching route names.
func (s *Sim) nextHop(region string, a netip.Addr) (string, bool) {
	eni, best := "", -1
	r := s.index.Region(region)
	if r == nil {
		return "", false
	}
	w := s.EC2.Snapshot()
	t := w.Table(TableOf(*r))
	if t == nil {
		return "", false
	}
	for _, route := range t.Routes {
		p, err := netip.ParsePrefix(route.Destination)
		if err == nil && p.Contains(a) && p.Bits() > best {
			eni, best = route.Interface, p.Bits()
		}
	}
	for _, srv := range s.index.Estate().Servers {
		if eni != "" && srv.ENI == eni {
			return srv.Name, true
		}
	}
	return "", false
}
