package ec2sim

import "slices"

func describeVPCs(c *call) ([]element, *apiError) {
	sc, ids := c.view(), c.params.list("VpcId")
	for _, id := range ids {
		if sc.vpc(id) == nil {
			return nil, refuse("InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", id)
		}
	}
	list := slices.DeleteFunc(slices.Clone(sc.r.VPCs), func(v VPC) bool {
		return v.Owner != sc.account || len(ids) > 0 && !slices.Contains(ids, v.ID)
	})
	list, refused := choose(list, c.params.filters(), func(v VPC) attributes {
		return attributes{
			"vpc-id": {v.ID}, "cidr": v.CIDRs[:1], "cidr-block-association.cidr-block": v.CIDRs, "owner-id": {v.Owner}, "state": {"available"},
		}.nameTag(v.Name)
	})
	if refused != nil {
		return nil, refused
	}
	list, next, refused := page(c.params, list, 1000, c.s.opts.PageSize)
	return []element{set("vpcSet", list, vpcXML), leaf("nextToken", next)}, c.readOnly(refused)
}

func vpcXML(v VPC) []element {
	return []element{
		leaf("vpcId", v.ID), leaf("ownerId", v.Owner), leaf("state", "available"), leaf("cidrBlock", v.CIDRs[0]),
		set("cidrBlockAssociationSet", v.CIDRs, func(cidr string) []element {
			return []element{leaf("cidrBlock", cidr), branch("cidrBlockState", leaf("state", "associated"))}
		}),
		leaf("instanceTenancy", "default"), leaf("isDefault", false), nameTags(v.Name),
	}
}

func describeSubnets(c *call) ([]element, *apiError) {
	sc, ids := c.view(), c.params.list("SubnetId")
	for _, id := range ids {
		if sc.subnet(id) == nil {
			return nil, refuse("InvalidSubnetID.NotFound", "The subnet ID '%s' does not exist", id)
		}
	}
	list := slices.DeleteFunc(slices.Clone(sc.r.Subnets), func(s Subnet) bool {
		return !sc.ownsVPC(s.VPC) || len(ids) > 0 && !slices.Contains(ids, s.ID)
	})
	list, refused := choose(list, c.params.filters(), func(s Subnet) attributes {
		return attributes{
			"subnet-id": {s.ID}, "vpc-id": {s.VPC}, "cidr-block": {s.CIDR}, "availability-zone": {s.Zone}, "state": {"available"},
		}.nameTag(s.Name)
	})
	if refused != nil {
		return nil, refused
	}
	list, next, refused := page(c.params, list, 1000, c.s.opts.PageSize)
	return []element{set("subnetSet", list, func(s Subnet) []element {
		return []element{
			leaf("subnetId", s.ID), leaf("vpcId", s.VPC), leaf("cidrBlock", s.CIDR), leaf("availabilityZone", s.Zone),
			leaf("ownerId", sc.account), leaf("state", "available"), leaf("mapPublicIpOnLaunch", false), nameTags(s.Name),
		}
	}), leaf("nextToken", next)}, c.readOnly(refused)
}
