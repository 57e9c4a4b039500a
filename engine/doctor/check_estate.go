package doctor

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// estateRules look at the definition alone, and at what the engine has seen of comm paths.
func estateRules() []rule {
	return []rule{
		{Check: Check{ID: "estate.regions", Subject: OfEstate, About: "a cluster over two regions has one VPC in each, whose blocks of addresses do not overlap",
			Why: "traffic between overlapping VPCs cannot be routed through a tunnel", Mend: "give one of the VPCs another block of addresses"}, judge: judgeRegions},
		{Check: Check{ID: "estate.zones", Subject: OfEstate, About: "the servers of a cluster in one region are in different availability zones",
			Why: "a zone that fails would take all of them", Mend: "put a server of the cluster into another zone, in a subnet of its own"}, judge: judgeZones},
		{Check: Check{ID: "estate.virtual-ip", Subject: OfEstate, About: "virtual IPs lie outside of every VPC's blocks of addresses",
			Why: "a route table sends what lies inside to nobody: the local route always wins", Mend: "take an address outside of the VPCs, like 10.1.0.10 beside 10.0.0.0/16"}, judge: judgeVirtualIPs, account: true},
		{Check: Check{ID: "estate.tuning", Subject: OfEstate, About: "servers of a cluster over two regions have LKCHECKINTERVAL = 360, NOBCASTPING = 1 and CONFIRMSODEF = 1; those with a tunnel LKCHECKINTERVAL = 260",
			Why:  "a VPC has no broadcast; between regions checks take longer, and an unanswered question must move nothing",
			Mend: "ferry tuning set, or the server's tuning in the definition"}, judge: judgeTuning},
		{Check: Check{ID: "estate.confirm", Subject: OfEstate, About: "before a server takes over from one in another region, a person is asked",
			Why: "an automatic crossing on a cut line leaves two active sides", Mend: "take allow_automatic_crossing out of the cluster and set the flags: ferry server confirm-failover"}, judge: judgeConfirm},
		{Check: Check{ID: "estate.quorum", Subject: OfEstate, About: "somebody outside is asked, before an automatic move, whether the taker is itself cut off",
			Why: "paths between regions and zones break more often than servers do", Mend: "name at least three quorum_hosts, in places that fail independently"}, judge: judgeQuorum},
		{Check: Check{ID: "estate.tags", Subject: OfEstate, About: "an IP resource with several addresses is not named after one of them",
			Why: "the tag would say an address that is not in use", Mend: "give it a tag like ip-route53"}, judge: judgeTags},
		{Check: Check{ID: "estate.paths", Subject: OfGroup, About: "the servers of a cluster reach each other",
			Why: "a server that no peer reaches is taken for dead when the engine loses it too", Mend: "let ICMP echo through between them: security groups, network ACLs, the servers' own firewalls, and routes through the tunnel"}, judge: judgePaths},
	}
}

func prefixes(texts []string) []netip.Prefix {
	var out []netip.Prefix
	for _, t := range texts {
		if p, err := netip.ParsePrefix(t); err == nil {
			out = append(out, p.Masked())
		}
	}
	return out
}

func judgeRegions(b *bench) {
	for _, cl := range b.x.Estate().Cluster {
		if !b.x.CrossesRegions(&cl) {
			continue
		}
		f := b.at(cl.Name)
		var seen []hierarchy.Region
		for _, s := range cl.Servers {
			r := b.x.Region(b.x.RegionOf(s))
			if r == nil || slices.ContainsFunc(seen, func(o hierarchy.Region) bool { return o.Name == r.Name }) {
				continue
			}
			if r.VPC == "" || len(r.CIDRs) == 0 {
				f.fail(textf("region %s has no VPC or no blocks of addresses in the definition", r.Name)).mend(textf("write vpc and cidrs of region %s into the definition", r.Name))
			}
			for _, o := range seen {
				if p, q, both := overlap(prefixes(o.CIDRs), prefixes(r.CIDRs)); both {
					f.fail(textf("the blocks %s of %s and %s of %s overlap", p, o.Name, q, r.Name)).mend("give one of the two VPCs another block of addresses")
				}
			}
			seen = append(seen, *r)
		}
	}
}

func overlap(a, b []netip.Prefix) (p, q netip.Prefix, yes bool) {
	for _, p := range a {
		for _, q := range b {
			if p.Overlaps(q) {
				return p, q, true
			}
		}
	}
	return p, q, false
}

func judgeZones(b *bench) {
	for _, cl := range b.x.Estate().Cluster {
		byZone := map[string][]string{}
		f := b.at(cl.Name)
		for _, s := range cl.Servers {
			srv := b.x.Server(s)
			if srv == nil {
				continue
			}
			if srv.Zone == "" {
				f.unknown(textf("the zone of %s is not in the definition", s)).mend(textf("write zone of server %s into the definition", s))
				continue
			}
			byZone[srv.Zone] = append(byZone[srv.Zone], s)
			if same := byZone[srv.Zone]; len(same) > 1 {
				f.fail(textf("%s are all in zone %s", strings.Join(same, " and "), srv.Zone), "zone", srv.Zone).
					mend(textf("run one of them in another zone of %s, in a subnet of its own there", srv.Region))
				f.Nodes = same
			}
		}
	}
}

func judgeVirtualIPs(b *bench) {
	for _, r := range resources(b.x, "ip") {
		f := b.at(string(r.Tag))
		for _, p := range r.On {
			address := hierarchy.InstanceOf(b.x, r.Tag, p.Server, "").Attrs["address"]
			a, err := netip.ParseAddr(address)
			if err != nil {
				continue
			}
			for _, region := range b.x.Estate().Regions {
				for _, block := range append(prefixes(region.CIDRs), b.realBlocks(region.Name)...) {
					if block.Contains(a) {
						f.fail(textf("the virtual IP %s on %s lies inside %s of %s", a, p.Server, block, region.VPC), "address", a.String()).
							mend(textf("take an address outside of %s for it", block))
						f.Nodes = []string{p.Server}
					}
				}
			}
		}
	}
}

// realBlocks are the VPC's blocks as AWS says; none where it was not asked.
func (b *bench) realBlocks(region string) []netip.Prefix {
	s, r := b.Surveys[region], b.x.Region(region)
	if s == nil || r == nil {
		return nil
	}
	for _, v := range s.VPCs {
		if v.ID == r.VPC {
			return v.CIDRs
		}
	}
	return nil
}

func judgeTuning(b *bench) {
	for _, s := range b.x.Estate().Servers {
		want := map[string]string{}
		cl := b.x.ClusterOf(s.Name)
		switch {
		case cl == nil:
			continue
		case uses(b.x, s.Name, "openswan"):
			want["LKCHECKINTERVAL"] = "260"
		case b.x.CrossesRegions(cl):
			want = map[string]string{"LKCHECKINTERVAL": "360", "NOBCASTPING": "1", "CONFIRMSODEF": "1"}
		default:
			continue
		}
		f := b.at(s.Name, s.Name)
		var wrong, sets []string
		for _, name := range []string{"CONFIRMSODEF", "LKCHECKINTERVAL", "NOBCASTPING"} {
			if have := b.x.Effective(s.Name, name); want[name] != "" && have != want[name] {
				wrong = append(wrong, textf("%s is %s instead of %s", name, have, want[name]))
				sets = append(sets, textf("ferry tuning set %s %s --on %s", name, want[name], s.Name))
			}
		}
		if len(wrong) > 0 {
			f.warn(textf("on %s %s", s.Name, strings.Join(wrong, ", "))).mend(strings.Join(sets, "; "))
		}
	}
}

func judgeConfirm(b *bench) {
	for _, cl := range b.x.Estate().Cluster {
		if !b.x.CrossesRegions(&cl) {
			continue
		}
		f := b.at(cl.Name)
		var open []string
		for _, viewer := range cl.Servers {
			for _, peer := range cl.Servers {
				if !b.x.SameRegion(viewer, peer) && !b.x.Flag(viewer, peer).Confirm {
					open = append(open, viewer+" from "+peer)
				}
			}
		}
		if len(open) > 0 {
			f.fail(textf("nobody is asked before %s takes over in another region (%d pairs in all)", open[0], len(open))).
				mend("set the flags with ferry server confirm-failover NODE PEER on, and take allow_automatic_crossing out of the cluster")
			continue
		}
		if cl.AllowAutomaticCrossing {
			f.warn(textf("cluster %s has allow_automatic_crossing: only the flags keep it from crossing by itself", cl.Name)).mend("take allow_automatic_crossing out of the definition")
		}
	}
}

func judgeQuorum(b *bench) {
	for _, cl := range b.x.Estate().Cluster {
		if len(cl.Servers) < 2 {
			continue
		}
		f := b.at(cl.Name)
		q := b.x.Quorum(cl.Servers[0])
		switch {
		case q.Unjudged:
			f.warn(textf("cluster %s has no quorum hosts: before an automatic move nobody is asked whether the server that takes over is itself cut off", cl.Name)).
				mend(`write quorum_hosts = ["host:port", …] with at least three, in places that fail independently, or quorum_mode = "none" if that is what you want`)
		case q.Mode == hierarchy.TCPRemote && len(q.Hosts) < 3:
			f.warn(textf("cluster %s has %d quorum hosts: a majority of them is lost with one", cl.Name, len(q.Hosts))).mend("name at least three, in places that fail independently")
		}
	}
}

func judgeTags(b *bench) {
	for _, r := range resources(b.x, "ip") {
		f := b.at(string(r.Tag))
		seen := map[string]bool{}
		for _, p := range r.On {
			seen[hierarchy.InstanceOf(b.x, r.Tag, p.Server, "").Attrs["address"]] = true
		}
		for a := range seen {
			if len(seen) > 1 && a != "" && strings.Contains(r.Tag.Short(), a) {
				f.warn(textf("%s is named after %s, but has %d addresses", r.Tag, a, len(seen))).mend("give it a tag without an address when it is created next time, like ip-route53")
			}
		}
	}
}

func judgePaths(b *bench) {
	for _, cl := range b.x.Estate().Cluster {
		if len(cl.Servers) < 2 || b.Peers == nil {
			continue
		}
		f := b.at(cl.Name)
		var cut, untold []string
		for _, s := range cl.Servers {
			for _, peer := range cl.Servers {
				switch {
				case s == peer || b.silent(s) || b.silent(peer):
				case b.Peers[s][peer] == "failed":
					cut = append(cut, s+" to "+peer)
				case b.Peers[s][peer] != "ok":
					untold = append(untold, s+" to "+peer)
				}
			}
		}
		switch {
		case len(cut) > 0:
			f.fail(textf("no answer to a ping from %s", strings.Join(cut, ", "))).
				mend("let ICMP echo through between them: security groups, network ACLs, the servers' own firewalls, the routes through the tunnel")
		case len(untold) > 0:
			f.unknown(textf("whether servers reach each other is not known: %s", strings.Join(untold, ", ")))
		}
	}
}

// silent: nothing is known of the node, which is a finding of its own.
func (b *bench) silent(node string) bool { return b.Nodes[node] == nil || b.Nodes[node].Err != nil }
