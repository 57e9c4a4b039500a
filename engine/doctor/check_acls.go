package doctor

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// portRange is where the kernel says which ports connections come from.
const portRange = sysNet + "ip_local_port_range"

// lastEntry is the entry of every network ACL that denies what no other has decided; the console shows it as *.
const lastEntry = 32767

// denial is the number of the entry that keeps some of the traffic to or from an address away; false = all of it gets
// through.
func denial(entries []cloud.ACLEntry, t traffic, other netip.Addr) (number int, denied bool) {
	type span struct{ from, to int }
	open := []span{{t.from, t.to}}
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(a, b cloud.ACLEntry) int { return cmp.Compare(a.Number, b.Number) })
	for _, e := range entries {
		if !t.is(e.Protocol) || !e.Block.Contains(other) {
			continue
		}
		from, to := e.From, e.To
		switch {
		case e.Protocol == "-1" || t.proto == "icmp" && e.From == -1:
			from, to = 0, 65535
		case t.proto == "icmp" && e.To > 0: // an echo and its reply have the code 0
			continue
		case t.proto == "icmp":
			to = from
		}
		var left []span
		for _, s := range open {
			low, high := max(s.from, from), min(s.to, to)
			switch {
			case low > high:
				left = append(left, s)
				continue
			case !e.Allow:
				return e.Number, true
			}
			if s.from < low {
				left = append(left, span{s.from, low - 1})
			}
			if high < s.to {
				left = append(left, span{high + 1, s.to})
			}
		}
		if open = left; len(open) == 0 {
			return 0, false
		}
	}
	return lastEntry, true
}

func entryName(number int) string {
	if number == lastEntry {
		return "*"
	}
	return strconv.Itoa(number)
}

// aclOf guards a subnet: the one that names it, else the VPC's default one.
func aclOf(s *cloud.Survey, i cloud.Interface) *cloud.NetworkACL {
	var chosen *cloud.NetworkACL
	for k := range s.ACLs {
		switch a := &s.ACLs[k]; {
		case slices.Contains(a.Subnets, i.Subnet):
			return a
		case a.Default && a.VPC == i.VPC:
			chosen = a
		}
	}
	return chosen
}

// guarded calls f for every server whose subnet's network ACL is known.
func (b *bench) guarded(want func(string) bool, f func(srv *hierarchy.Server, eni cloud.Interface, acl *cloud.NetworkACL)) {
	b.regions(func(r *hierarchy.Region, s *cloud.Survey) {
		if s.Errors["DescribeNetworkAcls"] != nil || s.Errors["DescribeNetworkInterfaces"] != nil {
			return // aws.permissions says so
		}
		for i := range b.x.Estate().Servers {
			srv := &b.x.Estate().Servers[i]
			eni, ok := interfaceOf(s, srv)
			if srv.Region != r.Name || !ok || !want(srv.Name) {
				continue
			}
			if acl := aclOf(s, eni); acl != nil {
				f(srv, eni, acl)
			} else {
				b.at(srv.Name, srv.Name).unknown(textf("the network ACL of %s, the subnet of %s, was not told", eni.Subnet, srv.Name))
			}
		}
	})
}

// exchange is a question and its answer; both servers may be the one who asks.
type exchange struct {
	what        string
	ask, answer traffic
}

// refusals collects what an ACL denies, each kind with all the addresses that it is denied for.
type refusals struct {
	kinds []string
	who   map[string][]string
}

func (r *refusals) look(entries []cloud.ACLEntry, t traffic, what, way string, other netip.Addr, name string) {
	number, denied := denial(entries, t, other)
	if !denied {
		return
	}
	kind := textf("entry %s denies %s %s", entryName(number), what, way)
	if r.who == nil {
		r.who = map[string][]string{}
	}
	if r.who[kind] == nil {
		r.kinds = append(r.kinds, kind)
	}
	r.who[kind] = append(r.who[kind], textf("%s (%s)", name, other))
}

// against gives a finding what was denied.
func (r *refusals) against(f *Finding, srv *hierarchy.Server, eni cloud.Interface, acl *cloud.NetworkACL) {
	if len(r.kinds) == 0 {
		return
	}
	var all []string
	for _, k := range r.kinds {
		all = append(all, k+" "+strings.Join(r.who[k], ", "))
	}
	denied := strings.Join(all, "; ")
	f.fail(textf("network ACL %s of %s, the subnet of %s: %s", acl.ID, eni.Subnet, srv.Name, denied), "acl", acl.ID, "subnet", eni.Subnet, "node", srv.Name, "denied", denied).
		mend(textf("add entries to network ACL %s that allow it, with numbers below those that deny it; it keeps no state, so answers need entries, too", acl.ID))
}

// exchanged judges what servers and their peers ask of each other. What stays inside one subnet passes no network ACL.
func (b *bench) exchanged(on func(string) bool, peers func(string) []string, what func(server string) exchange) {
	via := b.passedOn(on, peers)
	b.guarded(func(s string) bool { return on(s) && len(peers(s)) > 0 || len(via[s]) > 0 }, func(srv *hierarchy.Server, eni cloud.Interface, acl *cloud.NetworkACL) {
		var others []string
		if on(srv.Name) {
			others = append(others, peers(srv.Name)...)
		}
		for _, o := range via[srv.Name] {
			if !slices.Contains(others, o) {
				others = append(others, o)
			}
		}
		var denied refusals
		f := b.at(srv.Name, srv.Name)
		own := what(srv.Name)
		for _, name := range others {
			peer := b.x.Server(name)
			if peer == nil || b.neighbours(eni, peer) {
				continue
			}
			a, err := netip.ParseAddr(peer.Address)
			if err != nil {
				continue
			}
			theirs := what(name)
			denied.look(acl.In, own.ask, own.what, "in from", a, name)
			denied.look(acl.Out, theirs.answer, "the answers to "+own.what, "out to", a, name)
			denied.look(acl.Out, own.ask, own.what, "out to", a, name)
			denied.look(acl.In, own.answer, "the answers to "+own.what, "in from", a, name)
		}
		denied.against(f, srv, eni, acl)
	})
}

// neighbours: a server is in the interface's subnet.
func (b *bench) neighbours(eni cloud.Interface, peer *hierarchy.Server) bool {
	s := b.Surveys[peer.Region]
	if s == nil {
		return false
	}
	other, ok := interfaceOf(s, peer)
	return ok && other.Subnet == eni.Subnet
}

// passedOn are the servers whose traffic to peers in another region a VPN node passes on, by VPN node: those whose route there leads
// to one of their region's VPN nodes, any of which may take over. An ACL sees such packets with the server's own address.
func (b *bench) passedOn(on func(string) bool, peers func(string) []string) map[string][]string {
	out := map[string][]string{}
	b.regions(func(r *hierarchy.Region, s *cloud.Survey) {
		vpn := slices.DeleteFunc(slices.Clone(b.x.Estate().Servers), func(v hierarchy.Server) bool {
			return v.Region != r.Name || v.ENI == "" || !uses(b.x, v.Name, ipsecOnly...)
		})
		for i := range b.x.Estate().Servers {
			srv := &b.x.Estate().Servers[i]
			eni, ok := interfaceOf(s, srv)
			if srv.Region != r.Name || !ok || !on(srv.Name) || uses(b.x, srv.Name, ipsecOnly...) {
				continue
			}
			t := tableOf(s, eni.Subnet)
			for _, name := range peers(srv.Name) {
				peer := b.x.Server(name)
				if t == nil || peer == nil || peer.Region == r.Name || !leadsTo(t, peer.Address, vpn) {
					continue
				}
				for _, v := range vpn {
					if !slices.Contains(out[v.Name], srv.Name) {
						out[v.Name] = append(out[v.Name], srv.Name)
					}
				}
			}
		}
	})
	return out
}

// leadsTo: the table's most specific route to an address has one of the servers as its target.
func leadsTo(t *cloud.RouteTable, address string, servers []hierarchy.Server) bool {
	a, err := netip.ParseAddr(address)
	best := cloud.Route{}
	for _, r := range t.Routes {
		if err == nil && r.Destination.Contains(a) && (!best.Destination.IsValid() || r.Destination.Bits() > best.Destination.Bits()) {
			best = r
		}
	}
	return slices.ContainsFunc(servers, func(s hierarchy.Server) bool { return best.Interface == s.ENI })
}

func judgeACLsPing(b *bench) {
	b.exchanged(every, b.x.Peers, func(string) exchange { return exchange{"ICMP echo", echo, echoReply} })
}

func judgeACLsMirror(b *bench) {
	for _, r := range resources(b.x, "datakeeper") {
		number := portOf(b.x, r)
		if number == 0 {
			continue
		}
		b.exchanged(func(s string) bool { return b.x.Placement(r.Tag, s) != nil }, sharing(r), func(s string) exchange {
			low, high := b.portsOf(s)
			return exchange{textf("TCP %d of %s", number, r.Tag), port("tcp", number), traffic{"tcp", low, high}}
		})
	}
}

// portsOf are the ports that a server's connections come from: as its kernel says, else as Linux has them.
func (b *bench) portsOf(server string) (low, high int) {
	if facts := b.Nodes[server]; facts != nil {
		said, _ := facts.said("first", portRange)
		if w := strings.Fields(said); len(w) == 2 && 0 < number(w[0]) && number(w[0]) <= number(w[1]) {
			return number(w[0]), number(w[1])
		}
	}
	return 32768, 60999
}

func judgeACLsVPN(b *bench) {
	b.guarded(func(s string) bool { return uses(b.x, s, ipsecOnly...) }, func(srv *hierarchy.Server, eni cloud.Interface, acl *cloud.NetworkACL) {
		far := b.publicBeyond(srv.Region)
		if len(far) == 0 {
			return
		}
		var denied refusals
		f := b.at(srv.Name, srv.Name)
		for _, n := range ipsecPorts {
			t := port("udp", n)
			for _, way := range []struct {
				entries []cloud.ACLEntry
				name    string
			}{{acl.In, "in from"}, {acl.Out, "out to"}} {
				passes := func(a netip.Addr) bool { _, no := denial(way.entries, t, a); return !no }
				if slices.ContainsFunc(far, passes) { // which of them is the peer stands in ipsec.conf
					continue
				}
				for _, a := range far {
					denied.look(way.entries, t, textf("UDP %d", n), way.name, a, "a VPN node of the other region")
				}
			}
		}
		denied.against(f, srv, eni, acl)
	})
}
