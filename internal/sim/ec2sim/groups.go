package ec2sim

import "slices"

// SecurityGroup belongs to a VPC.
type SecurityGroup struct {
	ID, Name, VPC string
	// In and Out are its rules; nothing in Out lets everything out, as a new group does.
	In, Out []SecurityRule
}

// SecurityRule lets one protocol ("tcp", "udp", "icmp", "-1") and range of ports through to or from CIDRs.
type SecurityRule struct {
	Protocol string
	From, To int
	CIDRs    []string
}

func (sc scope) groupsOf(e Interface) []SecurityGroup {
	vpc := sc.vpcOf(&e)
	var out []SecurityGroup
	for _, g := range sc.r.Groups {
		if g.VPC == vpc && (slices.Contains(e.Groups, g.ID) || len(e.Groups) == 0 && len(out) == 0) {
			out = append(out, g)
		}
	}
	return out
}

func groupNameXML(g SecurityGroup) []element {
	return []element{leaf("groupId", g.ID), leaf("groupName", g.Name)}
}

func describeSecurityGroups(c *call) ([]element, *apiError) {
	sc, ids := c.view(), c.params.list("GroupId")
	for _, id := range ids {
		if !slices.ContainsFunc(sc.r.Groups, func(g SecurityGroup) bool { return g.ID == id }) {
			return nil, refuse("InvalidGroup.NotFound", "The security group '%s' does not exist", id)
		}
	}
	list := slices.DeleteFunc(slices.Clone(sc.r.Groups), func(g SecurityGroup) bool {
		return !sc.ownsVPC(g.VPC) || len(ids) > 0 && !slices.Contains(ids, g.ID)
	})
	list, refused := choose(list, c.params.filters(), func(g SecurityGroup) attributes {
		return attributes{"group-id": {g.ID}, "vpc-id": {g.VPC}, "group-name": {g.Name}, "owner-id": {sc.account}}
	})
	if refused != nil {
		return nil, refused
	}
	list, next, refused := page(c.params, list, 1000, c.s.opts.PageSize)
	return []element{set("securityGroupInfo", list, func(g SecurityGroup) []element {
		out := g.Out
		if len(out) == 0 {
			out = []SecurityRule{{Protocol: "-1", CIDRs: []string{"0.0.0.0/0"}}}
		}
		return append(groupNameXML(g), leaf("ownerId", sc.account), leaf("vpcId", g.VPC), leaf("groupDescription", g.Name),
			set("ipPermissions", g.In, ruleXML), set("ipPermissionsEgress", out, ruleXML))
	}), leaf("nextToken", next)}, c.readOnly(refused)
}

// ruleXML leaves the ports out where all protocols are meant, as EC2 does.
func ruleXML(r SecurityRule) []element {
	out := []element{leaf("ipProtocol", r.Protocol)}
	if r.Protocol != "-1" {
		out = append(out, leaf("fromPort", r.From), leaf("toPort", r.To))
	}
	return append(out, branch("groups"), set("ipRanges", r.CIDRs, func(cidr string) []element { return []element{leaf("cidrIp", cidr)} }), branch("ipv6Ranges"), branch("prefixListIds"))
}
