package doctor

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// cloudRules look at what AWS says of the VPCs, instances, interfaces and routes.
func cloudRules() []rule {
	return []rule{
		{Check: Check{ID: "aws.credentials", Subject: OfCloud, About: "the engine has credentials for each region, and AWS takes them",
			Why: "without, no route, address or name can be moved", Mend: "an instance role, or a profile with keys that do not expire"}, judge: judgeCredentials},
		{Check: Check{ID: "aws.identity", Subject: OfCloud, About: "the engine acts as a role: what GetCallerIdentity says of credentials that are looked up anew, for every region, profile and instance role that the definition names (not what a role was assumed with, nor the roles of the servers, which ferry does not use)",
			Why:  "the key of a user does not end by itself and works wherever it is copied to; the root user's may do everything; a role that was detached from the engine's machine goes on for hours, and then no more",
			Mend: "on EC2 attach an instance role to the engine's machine; elsewhere let a profile assume a role (IAM Roles Anywhere, IAM Identity Center); with the policy that ferry doctor iam-policy prints"}, judge: judgeCaller},
		{Check: Check{ID: "aws.permissions", Subject: OfCloud, About: "every action that the estate uses is permitted (asked with DryRun)",
			Why: "a failover would end half-way", Mend: "attach the policy that ferry doctor iam-policy prints"}, judge: judgePermissions},
		{Check: Check{ID: "aws.vpc", Subject: OfCloud, About: "the region's VPC exists and has the blocks of addresses of the definition",
			Why: "virtual IPs are judged by those blocks", Mend: "correct vpc and cidrs in the definition"}, judge: judgeVPC},
		{Check: Check{ID: "aws.subnets", Subject: OfCloud, About: "the servers of a cluster in one region are in different subnets and zones",
			Why: "the definition may say so and AWS not", Mend: "correct the definition, or move the instance"}, judge: judgeSubnets},
		{Check: Check{ID: "aws.instance", Subject: OfCloud, About: "instance, interface, address and zone of a server belong together as the definition says",
			Why: "routes would lead to another machine, and a fence would stop one", Mend: "correct instance, eni, address or zone of the server"}, judge: judgeInstance},
		{Check: Check{ID: "aws.source-dest-check", Subject: OfCloud, About: "source/dest check is off on interfaces that carry addresses which are not their own",
			Why: "EC2 drops what is sent to a virtual IP or through a tunnel otherwise", Mend: "switch it off; --fix does it", Fixable: true}, judge: judgeSourceDest},
		{Check: Check{ID: "aws.route-tables", Subject: OfCloud, About: "the route tables that serve the servers exist and hold every protected destination",
			Why: "ferry keeps right what is in a table; a table without the route leads its subnets nowhere", Mend: "create the route to the interface of the active server"}, judge: judgeTables},
		{Check: Check{ID: "aws.routes", Subject: OfCloud, About: "protected destinations lead to an interface of a server of their resource",
			Why: "somebody else's target is not moved along", Mend: "take the resource into service again, or correct the route"}, judge: judgeTargets},
		{Check: Check{ID: "aws.peer-routes", Subject: OfCloud, About: "each region has routes to the other region's VPC and virtual IPs",
			Why: "servers would not reach each other, nor clients the service after a crossing", Mend: "add the blocks to destinations of the tunnel's EC2 resource and create the routes"}, judge: judgePeerRoutes},
		{Check: Check{ID: "aws.internet", Subject: OfCloud, About: "VPN nodes have a default route to the internet and an Elastic IP",
			Why: "the tunnel ends at a public address; one that is not elastic changes with the next stop", Mend: "allocate an Elastic IP, and route 0.0.0.0/0 to an internet gateway"}, judge: judgeInternet},
	}
}

// region calls f for each region that was asked and took the credentials.
func (b *bench) regions(f func(r *hierarchy.Region, s *cloud.Survey)) {
	for i := range b.x.Estate().Regions {
		r := &b.x.Estate().Regions[i]
		if s := b.Surveys[r.Name]; s != nil && refusedAll(s) == nil {
			f(r, s)
		}
	}
}

// refusedAll is the error that every read of a region gave; nil when one of them was answered.
func refusedAll(s *cloud.Survey) error {
	var first error
	for _, action := range describes {
		err := s.Errors[action]
		if err == nil || cloud.CodeOf(err) == "UnauthorizedOperation" {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// describes are the reads of a survey. Those in needed are made by the kits and the engine as well.
var (
	describes = []string{"DescribeRouteTables", "DescribeNetworkInterfaces", "DescribeInstanceStatus", "DescribeVpcs", "DescribeSubnets", "DescribeSecurityGroups", "DescribeNetworkAcls", "DescribeAddresses"}
	needed    = []string{"DescribeRouteTables", "DescribeNetworkInterfaces", "DescribeInstanceStatus"}
)

// unread says that a list could not be had; the finding is then unknown, or somebody else's.
func unasked(f *Finding, s *cloud.Survey, actions ...string) bool {
	for _, a := range actions {
		if err := s.Errors[a]; err != nil {
			f.unknown(textf("%s was not answered: %v", a, err))
			return true
		}
	}
	return false
}

func judgeCredentials(b *bench) {
	for _, r := range b.x.Estate().Regions {
		s := b.Surveys[r.Name]
		if s == nil {
			continue
		}
		f := b.at(r.Name)
		err := refusedAll(s)
		switch {
		case err == nil:
		case cloud.KindOf(err) == cloud.Unauthorized:
			f.fail(textf("AWS does not take the engine's credentials in %s: %v", r.Name, err), "error", err.Error()).mend(hintOf(err, "give the engine an instance role, or a profile in the region's section of the definition"))
		default:
			f.unknown(textf("AWS could not be asked in %s: %v", r.Name, err)).mend(hintOf(err, "check the engine's way to the AWS API"))
		}
	}
}

func judgeCaller(b *bench) {
	b.regions(func(r *hierarchy.Region, s *cloud.Survey) {
		for _, id := range s.Identities {
			f := b.at(id.Access.String())
			role := "let the engine act as a role: an instance role on EC2, elsewhere a profile that assumes one"
			switch {
			case id.Err != nil && cloud.KindOf(id.Err) == cloud.Unauthorized:
				f.fail(textf("there are no credentials for %s any more: %v", id.Access, id.Err), "error", id.Err.Error()).mend(hintOf(id.Err, role))
			case id.Err != nil && id.Lasting:
				f.warn(textf("the engine acts in %s with a key that does not end by itself; whose it is was not told: %v", id.Access, id.Err), "error", id.Err.Error()).mend(role)
			case id.Err != nil:
				f.unknown(textf("whom AWS takes the engine for in %s was not told: %v", id.Access, id.Err)).mend(hintOf(id.Err, "check the engine's way to AWS STS"))
			case strings.HasSuffix(id.ARN, ":root"):
				f.fail(textf("the engine acts in %s as the root user of the account (%s), which may do everything", id.Access, id.ARN), "arn", id.ARN).mend(role + ", and delete the root user's key")
			case strings.Contains(id.ARN, ":assumed-role/"):
			case id.Lasting:
				f.warn(textf("the engine acts in %s with a key of %s that does not end by itself", id.Access, id.ARN), "arn", id.ARN).mend(role)
			default:
				f.warn(textf("the engine acts in %s as %s, with a session that ends and that nobody renews", id.Access, id.ARN), "arn", id.ARN).mend(role)
			}
		}
	})
}

func hintOf(err error, other string) string {
	var e *cloud.Error
	if errors.As(err, &e) && e.Hint != "" {
		return e.Hint
	}
	return other
}

func judgePermissions(b *bench) {
	b.regions(func(r *hierarchy.Region, s *cloud.Survey) {
		f := b.at(r.Name)
		var denied, optional, untold []string
		for _, action := range sortedKeys(s.Errors) {
			err := s.Errors[action]
			switch {
			case cloud.KindOf(err) == cloud.Unauthorized && slices.Contains(describes, action) && !slices.Contains(needed, action):
				optional = append(optional, "ec2:"+action)
			case cloud.KindOf(err) == cloud.Unauthorized:
				denied = append(denied, "ec2:"+action)
			case slices.Contains(describes, action) || !cloud.KindOf(err).Answered():
				untold = append(untold, textf("%s: %v", action, err))
			}
		}
		mend := "attach the policy that ferry doctor iam-policy prints to the role or user of the engine"
		switch {
		case len(denied) > 0:
			f.fail(textf("the engine may not do %s in %s", strings.Join(denied, ", "), r.Name), "actions", strings.Join(denied, ", ")).mend(mend)
		case len(optional) > 0:
			f.warn(textf("the engine may not do %s in %s, so not everything can be checked", strings.Join(optional, ", "), r.Name), "actions", strings.Join(optional, ", ")).mend(mend)
		case len(untold) > 0:
			f.unknown(strings.Join(untold, "; "))
		}
	})
}

// hidden: the read is denied, which aws.permissions says; checks that rest on it are left out.
func hidden(s *cloud.Survey, actions ...string) bool {
	return slices.ContainsFunc(actions, func(a string) bool {
		return s.Errors[a] != nil && cloud.KindOf(s.Errors[a]) == cloud.Unauthorized
	})
}

func judgeVPC(b *bench) {
	b.regions(func(r *hierarchy.Region, s *cloud.Survey) {
		if r.VPC == "" || hidden(s, "DescribeVpcs") {
			return
		}
		f := b.at(r.Name)
		if unasked(f, s, "DescribeVpcs") {
			return
		}
		i := slices.IndexFunc(s.VPCs, func(v cloud.VPC) bool { return v.ID == r.VPC })
		if i < 0 {
			f.fail(textf("%s has no VPC %s", r.Name, r.VPC)).mend("correct vpc of the region in the definition")
			return
		}
		have, want := s.VPCs[i].CIDRs, prefixes(r.CIDRs)
		for _, p := range want {
			if !slices.Contains(have, p) {
				f.fail(textf("%s does not have the block %s that the definition names; it has %s", r.VPC, p, joined(have))).mend("correct cidrs of the region in the definition")
			}
		}
		for _, p := range have {
			if !slices.Contains(want, p) && f.Verdict == Pass {
				f.warn(textf("%s has the block %s, which the definition does not name", r.VPC, p)).mend("add it to cidrs of the region, so that virtual IPs are judged by it")
			}
		}
	})
}

func joined(all []netip.Prefix) string {
	var out []string
	for _, p := range all {
		out = append(out, p.String())
	}
	return strings.Join(out, ", ")
}

// interfaceOf is a server's interface as AWS says.
func interfaceOf(s *cloud.Survey, srv *hierarchy.Server) (cloud.Interface, bool) {
	for _, i := range s.Interfaces {
		if i.ID == srv.ENI && srv.ENI != "" {
			return i, true
		}
	}
	return cloud.Interface{}, false
}

func judgeSubnets(b *bench) {
	for _, cl := range b.x.Estate().Cluster {
		b.regions(func(r *hierarchy.Region, s *cloud.Survey) {
			if hidden(s, "DescribeNetworkInterfaces") {
				return
			}
			zone, subnet := map[string]string{}, map[string]string{}
			var f *Finding
			for _, name := range cl.Servers {
				srv := b.x.Server(name)
				if srv == nil || srv.Region != r.Name {
					continue
				}
				if f == nil {
					f = b.at(cl.Name+" in "+r.Name, name)
				}
				i, ok := interfaceOf(s, srv)
				if !ok {
					continue // aws.instance says so
				}
				if o := zone[i.Zone]; o != "" && b.x.Server(o).Zone != srv.Zone { // estate.zones says it otherwise
					f.fail(textf("AWS says that %s and %s are both in %s", o, name, i.Zone)).mend("move one of the instances into another zone")
				} else if o := subnet[i.Subnet]; o != "" && zone[i.Zone] == "" {
					f.fail(textf("AWS says that %s and %s are both in %s", o, name, i.Subnet)).mend("move one of the instances into a subnet of another zone")
				}
				zone[i.Zone], subnet[i.Subnet] = name, name
			}
		})
	}
}

func judgeInstance(b *bench) {
	b.regions(func(r *hierarchy.Region, s *cloud.Survey) {
		if hidden(s, "DescribeNetworkInterfaces") {
			return
		}
		for i := range b.x.Estate().Servers {
			srv := &b.x.Estate().Servers[i]
			if srv.Region != r.Name || srv.ENI == "" {
				continue
			}
			f := b.at(srv.Name, srv.Name)
			if unasked(f, s, "DescribeNetworkInterfaces") {
				continue
			}
			eni, ok := interfaceOf(s, srv)
			switch {
			case !ok:
				f.fail(textf("%s has no interface %s of %s", r.VPC, srv.ENI, srv.Name)).mend(textf("correct eni of server %s", srv.Name))
			case eni.Instance == "":
				f.fail(textf("%s of %s is attached to no instance", srv.ENI, srv.Name)).mend("attach it")
			case srv.Instance != "" && eni.Instance != srv.Instance:
				f.fail(textf("%s belongs to %s, not to %s of %s", srv.ENI, eni.Instance, srv.Instance, srv.Name)).mend(textf("correct instance or eni of server %s", srv.Name))
			case !slices.Contains(eni.Addresses, srv.Address):
				f.fail(textf("%s has the address %s, not %s of %s", srv.ENI, strings.Join(eni.Addresses, ", "), srv.Address, srv.Name)).mend(textf("correct address of server %s", srv.Name))
			case srv.Zone != "" && eni.Zone != srv.Zone:
				f.fail(textf("%s of %s is in %s, not in %s", srv.ENI, srv.Name, eni.Zone, srv.Zone)).mend(textf("correct zone of server %s", srv.Name))
			case srv.Instance != "":
				judgeState(f, srv, s)
			}
		}
	})
}

// judgeState says when EC2 does not take an instance for healthy. It lags reality, so this is only a warning.
func judgeState(f *Finding, srv *hierarchy.Server, s *cloud.Survey) {
	in, ok := s.Instances[srv.Instance]
	switch {
	case !ok && s.Errors["DescribeInstanceStatus"] != nil:
		if !hidden(s, "DescribeInstanceStatus") {
			f.unknown(textf("%s was not told of: %v", srv.Instance, s.Errors["DescribeInstanceStatus"]))
		}
	case !ok:
		f.fail(textf("%s knows no instance %s of %s", srv.Region, srv.Instance, srv.Name)).mend(textf("correct instance of server %s", srv.Name))
	case in.State != cloud.StateRunning:
		f.warn(textf("EC2 says that %s of %s is %s", srv.Instance, srv.Name, in.State)).mend("start it; EC2 tells late what is so")
	case in.System == "impaired" || in.Checks == "impaired":
		f.warn(textf("EC2's status checks of %s are impaired (system %s, instance %s)", srv.Name, in.System, in.Checks)).mend("look at the instance's console; a stop and start moves it to another host")
	}
}

// routed are the resources that keep routes.
func routed(x *hierarchy.Index) []*hierarchy.Resource {
	return slices.DeleteFunc(resources(x, "ec2"), func(r *hierarchy.Resource) bool { return len(r.On) == 0 || isAddress(x, r) })
}

func isAddress(x *hierarchy.Index, r *hierarchy.Resource) bool {
	return hierarchy.InstanceOf(x, r.Tag, r.On[0].Server, "").Attrs["type"] == "elastic-ip"
}

func judgeSourceDest(b *bench) {
	b.regions(func(r *hierarchy.Region, s *cloud.Survey) {
		if hidden(s, "DescribeNetworkInterfaces") {
			return
		}
		var seen []string
		for _, res := range routed(b.x) {
			for _, p := range res.On {
				srv := b.x.Server(p.Server)
				if srv == nil || srv.Region != r.Name || slices.Contains(seen, srv.Name) {
					continue
				}
				seen = append(seen, srv.Name)
				eni, ok := interfaceOf(s, srv)
				if !ok {
					continue // aws.instance says so
				}
				if f := b.at(srv.Name, srv.Name); eni.SourceDestCheck {
					f.fail(textf("the source/dest check of %s on %s is on, so EC2 drops what is sent to a virtual IP or through the tunnel", eni.ID, srv.Name), "eni", eni.ID).mend("switch it off")
					f.Fix.Command = textf("aws ec2 modify-network-interface-attribute --region %s --network-interface-id %s --no-source-dest-check", r.Name, eni.ID)
					f.Fix.Interface, f.Fix.Region, f.Fix.Safe = eni.ID, r.Name, true
				}
			}
		}
	})
}

// destinations are what a resource keeps routes to in a region.
func destinations(x *hierarchy.Index, r *hierarchy.Resource, region string) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range r.On {
		if x.RegionOf(p.Server) != region {
			continue
		}
		in := hierarchy.InstanceOf(x, r.Tag, p.Server, "")
		texts := strings.FieldsFunc(in.Attrs["destinations"], func(c rune) bool { return strings.ContainsRune(", \t\n", c) })
		if len(texts) == 0 {
			for _, c := range in.Children {
				want := in.Attrs["ip"]
				if a := c.On[p.Server]["address"]; c.Kit == "ip" && a != "" && (want == "" || want == c.Tag || in.Cluster+"/"+want == c.Tag) {
					texts = append(texts, a+"/32")
				}
			}
		}
		for _, d := range prefixes(texts) {
			if !slices.Contains(out, d) {
				out = append(out, d)
			}
		}
	}
	return out
}

// tableOf serves a subnet: the one that names it, else the VPC's main one.
func tableOf(s *cloud.Survey, subnet string) *cloud.RouteTable {
	var chosen *cloud.RouteTable
	for i := range s.Tables {
		switch t := &s.Tables[i]; {
		case slices.Contains(t.Subnets, subnet):
			return t
		case t.Main:
			chosen = t
		}
	}
	return chosen
}

// serving are the tables that serve the estate's servers in the region, each once.
func (b *bench) serving(r *hierarchy.Region, s *cloud.Survey) []*cloud.RouteTable {
	var out []*cloud.RouteTable
	for i := range b.x.Estate().Servers {
		srv := &b.x.Estate().Servers[i]
		if eni, ok := interfaceOf(s, srv); ok && srv.Region == r.Name {
			if t := tableOf(s, eni.Subnet); t != nil && !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
	}
	return out
}

func judgeTables(b *bench) {
	b.regions(func(r *hierarchy.Region, s *cloud.Survey) {
		if hidden(s, "DescribeRouteTables") || len(routed(b.x)) == 0 {
			return
		}
		f := b.at(r.Name)
		if unasked(f, s, "DescribeRouteTables") {
			return
		}
		for _, id := range r.RouteTables {
			if !slices.ContainsFunc(s.Tables, func(t cloud.RouteTable) bool { return t.ID == id }) {
				f.fail(textf("%s has no route table %s", r.VPC, id)).mend("correct route_tables of the region in the definition")
			}
		}
		for _, res := range routed(b.x) {
			for _, d := range destinations(b.x, res, r.Name) {
				for _, t := range b.serving(r, s) {
					if _, ok := t.To(d); !ok {
						eni := firstENI(b.x, res, r.Name)
						f.fail(textf("route table %s has no route to %s of %s", t.ID, d, res.Tag), "table", t.ID, "destination", d.String()).
							mend("create the route to the interface of the server that is to be active")
						f.Fix.Command = textf("aws ec2 create-route --region %s --route-table-id %s --destination-cidr-block %s --network-interface-id %s", r.Name, t.ID, d, eni)
					}
				}
			}
		}
	})
}

func firstENI(x *hierarchy.Index, res *hierarchy.Resource, region string) string {
	for _, p := range x.PlacementsByPriority(res.Tag) {
		if srv := x.Server(p.Server); srv != nil && srv.Region == region {
			return srv.ENI
		}
	}
	return ""
}

func judgeTargets(b *bench) {
	b.regions(func(r *hierarchy.Region, s *cloud.Survey) {
		if hidden(s, "DescribeRouteTables") {
			return
		}
		for _, res := range routed(b.x) {
			var own []string
			for _, p := range res.On {
				own = append(own, hierarchy.InstanceOf(b.x, res.Tag, p.Server, "").Attr("eni", b.x.Server(p.Server).ENI))
			}
			dests := destinations(b.x, res, r.Name)
			if len(dests) == 0 || s.Errors["DescribeRouteTables"] != nil {
				continue // aws.route-tables says so
			}
			f := b.at(string(res.Tag) + " in " + r.Name)
			for _, d := range dests {
				for _, t := range s.Tables {
					switch route, ok := t.To(d); {
					case !ok:
					case !slices.Contains(own, route.Interface):
						f.fail(textf("the route to %s in %s leads to %s, which is no server of %s", d, t.ID, route.Target(), res.Tag), "table", t.ID).
							mend(textf("take %s into service again (ferry in-service), or correct the route", res.Tag))
					case route.Blackhole:
						f.fail(textf("the route to %s in %s is a blackhole: the instance behind %s does not run, or it is detached", d, t.ID, route.Interface), "table", t.ID).mend("start the instance, or move the resource")
					}
				}
			}
		}
	})
}

func judgePeerRoutes(b *bench) {
	b.regions(func(r *hierarchy.Region, s *cloud.Survey) {
		if hidden(s, "DescribeRouteTables") || s.Errors["DescribeRouteTables"] != nil {
			return
		}
		far := b.beyond(r.Name)
		if len(far) == 0 {
			return
		}
		f := b.at(r.Name)
		for _, t := range b.serving(r, s) {
			for _, d := range far {
				if !covered(t, d) {
					f.fail(textf("route table %s leads %s, which is of the other region, nowhere", t.ID, d), "table", t.ID, "destination", d.String()).
						mend("add it to destinations of the tunnel's EC2 resource and to rightsubnets in ipsec.conf, and create the route to a VPN node")
				}
			}
		}
	})
}

// beyond is what of other regions a region must reach: the VPCs and virtual IPs of clusters over both.
func (b *bench) beyond(region string) []netip.Prefix {
	var out []netip.Prefix
	for _, cl := range b.x.Estate().Cluster {
		if !b.x.CrossesRegions(&cl) || !slices.ContainsFunc(cl.Servers, func(s string) bool { return b.x.RegionOf(s) == region }) {
			continue
		}
		for _, s := range cl.Servers {
			if o := b.x.Region(b.x.RegionOf(s)); o != nil && o.Name != region {
				out = append(out, prefixes(o.CIDRs)...)
				for _, in := range of(b.x, s, "ip") {
					out = append(out, prefixes([]string{in.Attrs["address"] + "/32"})...)
				}
			}
		}
	}
	slices.SortFunc(out, func(p, q netip.Prefix) int { return strings.Compare(p.String(), q.String()) })
	return slices.Compact(out)
}

// covered: a route other than the one to the internet leads there.
func covered(t *cloud.RouteTable, d netip.Prefix) bool {
	return slices.ContainsFunc(t.Routes, func(r cloud.Route) bool {
		return r.Destination.Bits() > 0 && r.Destination.Bits() <= d.Bits() && r.Destination.Contains(d.Addr())
	})
}

func judgeInternet(b *bench) {
	b.regions(func(r *hierarchy.Region, s *cloud.Survey) {
		for i := range b.x.Estate().Servers {
			srv := &b.x.Estate().Servers[i]
			eni, ok := interfaceOf(s, srv)
			if srv.Region != r.Name || !ok || !uses(b.x, srv.Name, "openswan") || hidden(s, "DescribeRouteTables", "DescribeAddresses") {
				continue
			}
			f := b.at(srv.Name, srv.Name)
			if unasked(f, s, "DescribeRouteTables", "DescribeAddresses") {
				continue
			}
			t := tableOf(s, eni.Subnet)
			out, has := cloud.Route{}, false
			if t != nil {
				out, has = t.To(netip.MustParsePrefix("0.0.0.0/0"))
			}
			switch {
			case !has || out.Blackhole:
				f.fail(textf("%s has no way to the internet: its route table has no working default route", srv.Name)).mend("route 0.0.0.0/0 to an internet gateway")
			case !slices.ContainsFunc(s.Addresses, func(a cloud.Address) bool { return a.Interface == eni.ID }):
				f.warn(textf("%s has no Elastic IP: its public address changes when it is stopped, and the tunnel is then down", srv.Name)).mend("allocate an Elastic IP, associate it, and write it into ipsec.conf on both sides")
			}
		}
	})
}
