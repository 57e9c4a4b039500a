package sim

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
)

// The access key that a simulated account accepts, and the role whose it is. It opens nothing anywhere else.
const (
	AccessKey    = "ASIASIMULATEDFERRY00"
	SecretKey    = "simulated-secret-of-no-value"
	SessionToken = "simulated-token-of-no-value"
	RoleARN      = "arn:aws:sts::" + ec2sim.DefaultAccount + ":assumed-role/ferry/i-engine"
)

// Cloud is the account in which an estate would stand, as its definition describes
// it: VPCs, subnets, instances, interfaces with source/dest check off, and route
// tables as the seed's Chapter 4 leaves them: each virtual IP points to the
// highest-priority node of its region, the other region's addresses to the first
// VPN node. Nodes at which tunnels end have an Elastic IP.
func Cloud(e *hierarchy.Estate) ec2sim.World {
	x := hierarchy.NewIndex(e)
	w := ec2sim.World{Keys: []ec2sim.Key{{ID: AccessKey, Secret: SecretKey, Token: SessionToken, ARN: RoleARN}}}
	for _, r := range e.Regions {
		w.Regions = append(w.Regions, cloudRegion(x, r))
	}
	return w
}

func cloudRegion(x *hierarchy.Index, r hierarchy.Region) ec2sim.Region {
	out := ec2sim.Region{Name: r.Name, VPCs: []ec2sim.VPC{{ID: r.VPC, CIDRs: r.CIDRs}}}
	subnets := map[string]string{}
	for _, s := range x.Estate().Servers {
		if s.Region != r.Name || s.ENI == "" {
			continue
		}
		id, ok := subnets[s.Zone]
		if !ok {
			id = fmt.Sprintf("subnet-%s-%d", strings.TrimPrefix(r.VPC, "vpc-"), len(subnets))
			subnets[s.Zone] = id
			out.Subnets = append(out.Subnets, ec2sim.Subnet{ID: id, VPC: r.VPC, Zone: s.Zone, CIDR: network(s.Address, 24)})
		}
		out.Instances = append(out.Instances, ec2sim.Instance{ID: s.Instance, Name: s.Name})
		out.Interfaces = append(out.Interfaces, ec2sim.Interface{ID: s.ENI, Name: s.Name, Subnet: id, PrivateIP: s.Address, Instance: s.Instance})
		if public := publicOf(x.Estate(), s.Name); public != "" {
			id := strings.TrimPrefix(s.ENI, "eni-")
			out.Addresses = append(out.Addresses, ec2sim.Address{AllocationID: "eipalloc-" + id, Name: s.Name, PublicIP: public, Association: "eipassoc-" + id, Interface: s.ENI, PrivateIP: s.Address})
		}
	}
	out.Groups = []ec2sim.SecurityGroup{cloudGroup(x, r)}
	out.RouteTables = []ec2sim.RouteTable{{ID: TableOf(r), VPC: r.VPC, Main: true, Routes: cloudRoutes(x, r)}}
	return out
}

// cloudGroup is the one security group of a region: all between the estate's VPCs, SSH from everywhere, and what IPsec
// needs.
func cloudGroup(x *hierarchy.Index, r hierarchy.Region) ec2sim.SecurityGroup {
	var home []string
	for _, o := range x.Estate().Regions {
		home = append(home, o.CIDRs...)
	}
	all := []string{"0.0.0.0/0"}
	return ec2sim.SecurityGroup{ID: GroupOf(r), Name: "ferry", VPC: r.VPC, In: []ec2sim.SecurityRule{
		{Protocol: "-1", CIDRs: home},
		{Protocol: "tcp", From: 22, To: 22, CIDRs: all},
		{Protocol: "udp", From: 500, To: 500, CIDRs: all},
		{Protocol: "udp", From: 4500, To: 4500, CIDRs: all},
	}}
}

// GroupOf names a region's security group.
func GroupOf(r hierarchy.Region) string { return "sg-" + strings.TrimPrefix(r.VPC, "vpc-") }

// TableOf names a region's route table: the first configured one, or one named after the VPC.
func TableOf(r hierarchy.Region) string {
	if len(r.RouteTables) > 0 {
		return r.RouteTables[0]
	}
	return "rtb-" + strings.TrimPrefix(r.VPC, "vpc-")
}

// cloudRoutes are the region's routes beside the local ones.
func cloudRoutes(x *hierarchy.Index, r hierarchy.Region) []ec2sim.Route {
	routes := []ec2sim.Route{{Destination: "0.0.0.0/0", Gateway: "igw-" + strings.TrimPrefix(r.VPC, "vpc-")}}
	var far []string
	for i := range x.Estate().Res {
		for _, p := range x.PlacementsByPriority(x.Estate().Res[i].Tag) {
			address, s := p.Attrs["address"], x.Server(p.Server)
			if address == "" || s == nil {
				continue
			}
			if s.Region != r.Name {
				far = append(far, network(address, 16))
			} else if dest := address + "/32"; !holds(routes, dest) {
				routes = append(routes, ec2sim.Route{Destination: dest, Interface: s.ENI})
			}
		}
	}
	for _, other := range x.Estate().Regions {
		if other.Name != r.Name {
			far = append(far, other.CIDRs...)
		}
	}
	if way := wayOut(x, r.Name); way != "" {
		for _, dest := range far {
			if !holds(routes, dest) {
				routes = append(routes, ec2sim.Route{Destination: dest, Interface: way})
			}
		}
	}
	return routes
}

func holds(routes []ec2sim.Route, dest string) bool {
	return slices.ContainsFunc(routes, func(r ec2sim.Route) bool { return r.Destination == dest })
}

// wayOut is the interface that carries traffic to the other region: the first
// node at which a tunnel ends, else of a cluster that lies in this region alone.
func wayOut(x *hierarchy.Index, region string) string {
	for _, t := range TunnelsOf(x.Estate()) {
		for _, end := range []string{t.A, t.B} {
			if s := x.Server(end); s.Region == region {
				return s.ENI
			}
		}
	}
	for _, c := range x.Estate().Cluster {
		if len(c.Servers) == 0 || x.CrossesRegions(&c) {
			continue
		}
		if s := x.Server(c.Servers[0]); s != nil && s.Region == region && len(x.Estate().Regions) > 1 {
			return s.ENI
		}
	}
	return ""
}

// network is the network of that length around an address; the address itself when it is none.
func network(address string, bits int) string {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return address
	}
	return p.String()
}
