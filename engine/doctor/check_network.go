package doctor

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// networkRules look at security groups and network ACLs.
func networkRules() []rule {
	return []rule{
		{Check: Check{ID: "aws.groups-cluster", Subject: OfCloud, About: "security groups let ICMP echo through between the servers of a cluster",
			Why: "comm paths are probed by ping", Mend: "allow ICMP from the peers' addresses"}, judge: judgeGroupsPing},
		{Check: Check{ID: "aws.groups-mirror", Subject: OfCloud, About: "security groups let the mirror's port through between the servers of a mirror",
			Why: "the source reaches no target", Mend: "allow the port from the peers' addresses"}, judge: judgeGroupsMirror},
		{Check: Check{ID: "aws.groups-mirror-open", Subject: OfCloud, About: "nobody else reaches the mirror's port",
			Why: "nbd asks for no password: who reaches the port can read and write the data", Mend: "allow the port from the servers' addresses only"}, judge: judgeMirrorOpen},
		{Check: Check{ID: "aws.groups-vpn", Subject: OfCloud, About: "security groups of VPN nodes let UDP 500 and 4500 in from the other region's VPN nodes",
			Why: "no tunnel comes up", Mend: "allow both from the peers' Elastic IPs"}, judge: judgeGroupsVPN},
		{Check: Check{ID: "aws.groups-service", Subject: OfCloud, About: "security groups let clients reach the database's port",
			Why: "the service would be up and nobody could use it", Mend: "allow the port from where the clients are"}, judge: judgeGroupsService},
		{Check: Check{ID: "aws.acls-cluster", Subject: OfCloud, About: "network ACLs of the servers' subnets let ICMP echo and its replies through between the servers of a cluster, those of VPN nodes also what they pass on",
			Why: "comm paths are probed by ping; a network ACL keeps no state, so the reply needs an entry of its own", Mend: "add entries for echo and for echo reply, with numbers below those that deny"}, judge: judgeACLsPing},
		{Check: Check{ID: "aws.acls-mirror", Subject: OfCloud, About: "network ACLs let the mirror's port through between the servers of a mirror, and the answers back to the ports that connections come from (net.ipv4.ip_local_port_range)",
			Why: "the source reaches no target, or hears nothing of it", Mend: "add entries for the port and, the other way, for the range of ports"},
			ask: askIf(mirrorOnly, Question{"first", portRange}), judge: judgeACLsMirror},
		{Check: Check{ID: "aws.acls-vpn", Subject: OfCloud, About: "network ACLs of VPN nodes' subnets let UDP 500 and 4500 in and out between them and the other region's VPN nodes (behind an Elastic IP IPsec is always inside UDP)",
			Why: "no tunnel comes up", Mend: "add entries for both ports and both directions"}, judge: judgeACLsVPN},
	}
}

// traffic is what has to get through: a protocol, and a range of ports or, for ICMP, of types.
type traffic struct {
	proto    string
	from, to int
}

var echo, echoReply = traffic{"icmp", 8, 8}, traffic{"icmp", 0, 0}

func port(proto string, n int) traffic { return traffic{proto, n, n} }

// is: a rule that is for this protocol is for the traffic.
func (t traffic) is(protocol string) bool {
	return slices.Contains([]string{"-1", t.proto, map[string]string{"icmp": "1", "tcp": "6", "udp": "17"}[t.proto]}, protocol)
}

// admits: a rule lets the traffic from (or to) the address through. groups are those of the other side; they count
// inside one region only.
func admits(rules []cloud.SecurityRule, t traffic, other netip.Addr, groups []string) bool {
	return slices.ContainsFunc(rules, func(r cloud.SecurityRule) bool {
		return t.fits(r) && (len(r.Lists) > 0 ||
			slices.ContainsFunc(r.Blocks, func(p netip.Prefix) bool { return p.Contains(other) }) ||
			slices.ContainsFunc(r.Groups, func(g string) bool { return slices.Contains(groups, g) }))
	})
}

func (t traffic) fits(r cloud.SecurityRule) bool {
	switch {
	case r.Protocol == "-1":
		return true
	case !t.is(r.Protocol):
		return false
	case t.proto == "icmp":
		return r.From == -1 || r.From == t.from
	}
	return r.From <= t.from && t.to <= r.To
}

// rulesOf are the rules in and out of an interface; false when a group of it was not told of.
func rulesOf(s *cloud.Survey, i cloud.Interface) (in, out []cloud.SecurityRule, known bool) {
	known = len(i.Groups) > 0
	for _, id := range i.Groups {
		k := slices.IndexFunc(s.Groups, func(g cloud.SecurityGroup) bool { return g.ID == id })
		if k < 0 {
			return nil, nil, false
		}
		in, out = append(in, s.Groups[k].In...), append(out, s.Groups[k].Out...)
	}
	return in, out, known
}

// grouped calls f for every server of an estate whose groups are known.
func (b *bench) grouped(want func(string) bool, f func(srv *hierarchy.Server, eni cloud.Interface, in, out []cloud.SecurityRule)) {
	b.regions(func(r *hierarchy.Region, s *cloud.Survey) {
		if s.Errors["DescribeSecurityGroups"] != nil || s.Errors["DescribeNetworkInterfaces"] != nil {
			return
		}
		for i := range b.x.Estate().Servers {
			srv := &b.x.Estate().Servers[i]
			eni, ok := interfaceOf(s, srv)
			if srv.Region != r.Name || !ok || !want(srv.Name) {
				continue
			}
			if in, out, known := rulesOf(s, eni); known {
				f(srv, eni, in, out)
			} else {
				b.at(srv.Name, srv.Name).unknown(textf("the security groups of %s were not told", srv.Name))
			}
		}
	})
}

// groupsOf are a peer's groups, where they may be named: in the same region.
func (b *bench) groupsOf(peer, region string) []string {
	srv, s := b.x.Server(peer), b.Surveys[region]
	if srv == nil || s == nil || srv.Region != region {
		return nil
	}
	eni, _ := interfaceOf(s, srv)
	return eni.Groups
}

// between judges traffic from all peers to each server; what says what it is for.
func (b *bench) between(want func(string) bool, peers func(string) []string, t traffic, what string) {
	b.grouped(want, func(srv *hierarchy.Server, _ cloud.Interface, in, out []cloud.SecurityRule) {
		f := b.at(srv.Name, srv.Name)
		var shut, shutOut []string
		for _, p := range peers(srv.Name) {
			peer := b.x.Server(p)
			if peer == nil {
				continue
			}
			a, err := netip.ParseAddr(peer.Address)
			if err != nil {
				continue
			}
			if !admits(in, t, a, b.groupsOf(p, srv.Region)) {
				shut = append(shut, textf("%s (%s)", p, a))
			}
			if !admits(out, t, a, b.groupsOf(p, srv.Region)) {
				shutOut = append(shutOut, textf("%s (%s)", p, a))
			}
		}
		switch {
		case len(shut) > 0:
			f.fail(textf("the security groups of %s do not let %s in from %s", srv.Name, what, strings.Join(shut, ", "))).mend(textf("allow %s from these addresses in a group of %s", what, srv.ENI))
		case len(shutOut) > 0:
			f.fail(textf("the security groups of %s do not let %s out to %s", srv.Name, what, strings.Join(shutOut, ", "))).mend(textf("allow %s to these addresses in a group of %s", what, srv.ENI))
		}
	})
}

func judgeGroupsPing(b *bench) {
	b.between(func(s string) bool { return len(b.x.Peers(s)) > 0 }, b.x.Peers, echo, "ICMP echo")
}

func judgeGroupsMirror(b *bench) {
	for _, r := range resources(b.x, "datakeeper") {
		number := portOf(b.x, r)
		on := func(s string) bool { return b.x.Placement(r.Tag, s) != nil }
		if number == 0 {
			continue
		}
		b.between(on, sharing(r), port("tcp", number), textf("TCP %d of %s", number, r.Tag))
	}
}

// sharing gives the other servers of a resource.
func sharing(r *hierarchy.Resource) func(string) []string {
	return func(s string) []string {
		var out []string
		for _, p := range r.On {
			if p.Server != s {
				out = append(out, p.Server)
			}
		}
		return out
	}
}

func judgeMirrorOpen(b *bench) {
	for _, r := range resources(b.x, "datakeeper") {
		t := port("tcp", portOf(b.x, r))
		if t.from == 0 {
			continue
		}
		var home []netip.Prefix
		for _, region := range b.x.Estate().Regions {
			home = append(home, prefixes(region.CIDRs)...)
		}
		b.grouped(func(s string) bool { return b.x.Placement(r.Tag, s) != nil }, func(srv *hierarchy.Server, _ cloud.Interface, in, _ []cloud.SecurityRule) {
			f := b.at(srv.Name, srv.Name)
			for _, rule := range in {
				for _, p := range rule.Blocks {
					if t.fits(rule) && !slices.ContainsFunc(home, func(h netip.Prefix) bool { return h.Bits() <= p.Bits() && h.Contains(p.Addr()) }) {
						f.fail(textf("port %d of %s on %s is open to %s: whoever reaches it reads and writes the data", t.from, r.Tag, srv.Name, p)).
							mend(textf("allow TCP %d from the servers of %s only", t.from, r.Tag))
					}
				}
			}
		})
	}
}

// ipsecPorts are IKE's, and the one that everything takes behind a translated address.
var ipsecPorts = []int{500, 4500}

func judgeGroupsVPN(b *bench) {
	vpn := func(s string) bool { return uses(b.x, s, "openswan") }
	b.grouped(vpn, func(srv *hierarchy.Server, _ cloud.Interface, in, _ []cloud.SecurityRule) {
		far := b.publicBeyond(srv.Region)
		if len(far) == 0 {
			return
		}
		f := b.at(srv.Name, srv.Name)
		for _, n := range ipsecPorts {
			if !slices.ContainsFunc(far, func(a netip.Addr) bool { return admits(in, port("udp", n), a, nil) }) {
				f.fail(textf("the security groups of %s let UDP %d in from no VPN node of the other region", srv.Name, n)).
					mend("allow UDP 500 and 4500 from the Elastic IP of the peer")
			}
		}
	})
}

// publicBeyond are the Elastic IPs of VPN nodes in other regions.
func (b *bench) publicBeyond(region string) []netip.Addr {
	var out []netip.Addr
	for i := range b.x.Estate().Servers {
		srv := &b.x.Estate().Servers[i]
		s := b.Surveys[srv.Region]
		if s == nil || srv.Region == region || !uses(b.x, srv.Name, "openswan") {
			continue
		}
		for _, a := range s.Addresses {
			if addr, err := netip.ParseAddr(a.PublicIP); err == nil && a.Interface == srv.ENI {
				out = append(out, addr)
			}
		}
	}
	return out
}

func judgeGroupsService(b *bench) {
	for _, r := range resources(b.x, "postgresql") {
		number := portOf(b.x, r)
		if number == 0 {
			number = 5432
		}
		b.grouped(func(s string) bool { return b.x.Placement(r.Tag, s) != nil }, func(srv *hierarchy.Server, _ cloud.Interface, in, _ []cloud.SecurityRule) {
			f := b.at(srv.Name, srv.Name)
			if !slices.ContainsFunc(in, port("tcp", number).fits) {
				f.fail(textf("the security groups of %s let nobody reach port %d of %s", srv.Name, number, r.Tag)).mend("allow the port from where the clients are")
			}
		})
	}
}

// nbdPort is where a mirror's targets listen when the definition names no port: the first free one from nbd's
// registered port on.
const nbdPort = "10809"

// portOf is a resource's port, its kit's own where the definition names none; 0 = not known.
func portOf(x *hierarchy.Index, r *hierarchy.Resource) int {
	if len(r.On) == 0 {
		return 0
	}
	in := hierarchy.InstanceOf(x, r.Tag, r.On[0].Server, "")
	if r.Kit == "datakeeper" {
		return number(in.Attr("port", nbdPort))
	}
	return number(in.Attrs["port"])
}
