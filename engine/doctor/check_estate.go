package doctor

import (
	"net/netip"
	"slices"
	"strconv"
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
				f.found(Fail, "undescribed", "region", r.Name)
			}
			for _, o := range seen {
				if p, q, both := overlap(prefixes(o.CIDRs), prefixes(r.CIDRs)); both {
					f.found(Fail, "overlap", "block", p.String(), "region", o.Name, "block2", q.String(), "region2", r.Name)
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
				f.found(Unknown, "untold", "node", s)
				continue
			}
			byZone[srv.Zone] = append(byZone[srv.Zone], s)
			if same := byZone[srv.Zone]; len(same) > 1 {
				f.found(Fail, "shared", "nodes", strings.Join(same, ", "), "zone", srv.Zone, "region", srv.Region)
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
						f.found(Fail, "inside", "address", a.String(), "node", p.Server, "block", block.String(), "vpc", region.VPC)
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
		var has, wants, sets []string
		for _, name := range []string{"CONFIRMSODEF", "LKCHECKINTERVAL", "NOBCASTPING"} {
			if have := b.x.Effective(s.Name, name); want[name] != "" && have != want[name] {
				has, wants = append(has, name+" = "+have), append(wants, name+" = "+want[name])
				sets = append(sets, textf("ferry tuning set %s %s --on %s", name, want[name], s.Name))
			}
		}
		if len(has) > 0 {
			f.found(Warn, "other", "have", strings.Join(has, ", "), "want", strings.Join(wants, ", "), "commands", strings.Join(sets, "; "))
		}
	}
}

func judgeConfirm(b *bench) {
	for _, cl := range b.x.Estate().Cluster {
		if !b.x.CrossesRegions(&cl) {
			continue
		}
		f := b.at(cl.Name)
		var open [][2]string
		for _, viewer := range cl.Servers {
			for _, peer := range cl.Servers {
				if !b.x.SameRegion(viewer, peer) && !b.x.Flag(viewer, peer).Confirm {
					open = append(open, [2]string{viewer, peer})
				}
			}
		}
		if len(open) > 0 {
			f.found(Fail, "open", "viewer", open[0][0], "peer", open[0][1], "n", strconv.Itoa(len(open)))
			continue
		}
		if cl.AllowAutomaticCrossing {
			f.found(Warn, "allowed")
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
			f.found(Warn, "none")
		case q.Mode == hierarchy.TCPRemote && len(q.Hosts) < 3:
			f.found(Warn, "few", "n", strconv.Itoa(len(q.Hosts)))
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
				f.found(Warn, "address", "address", a, "n", strconv.Itoa(len(seen)))
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
					cut = append(cut, s+" → "+peer)
				case b.Peers[s][peer] != "ok":
					untold = append(untold, s+" → "+peer)
				}
			}
		}
		switch {
		case len(cut) > 0:
			f.found(Fail, "cut", "paths", strings.Join(cut, ", "))
		case len(untold) > 0:
			f.found(Unknown, "untold", "paths", strings.Join(untold, ", "))
		}
	}
}

// silent: nothing is known of the node, which is a finding of its own.
func (b *bench) silent(node string) bool { return b.Nodes[node] == nil || b.Nodes[node].Err != nil }
