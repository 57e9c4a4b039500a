package ec2sim

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// NetworkACL guards the subnets of a VPC. A VPC's default one guards every subnet that no other names.
type NetworkACL struct {
	ID, Name, VPC string
	Default       bool
	Subnets       []string
	// In and Out are its entries, without the last one that denies whatever no other has decided.
	In, Out []ACLEntry
}

// ACLEntry decides for one protocol ("6", "17", "1", "-1" for all), range of ports and block of addresses. The lowest
// number that fits decides.
type ACLEntry struct {
	Number   int
	Allow    bool
	Protocol string
	// From and To are ports; for ICMP the type and the code, -1 = every one.
	From, To int
	CIDR     string
}

// lastEntry is the number of the entry that nobody can change: it denies.
const lastEntry = 32767

// addDefaultACLs gives every VPC the network ACL that it is created with: it lets everything through.
func addDefaultACLs(r *Region) {
	for _, v := range r.VPCs {
		if find(r.ACLs, func(a *NetworkACL) bool { return a.VPC == v.ID && a.Default }) == nil {
			all := []ACLEntry{{Number: 100, Allow: true, Protocol: "-1", CIDR: "0.0.0.0/0"}}
			r.ACLs = append(r.ACLs, NetworkACL{ID: "acl-" + strings.TrimPrefix(v.ID, "vpc-"), VPC: v.ID, Default: true, In: all, Out: slices.Clone(all)})
		}
	}
}

func (c *checker) acls() {
	for _, a := range c.r.ACLs {
		c.id(a.ID)
		c.vpc("network ACL "+a.ID, a.VPC)
		for _, e := range slices.Concat(a.In, a.Out) {
			c.cidr(e.CIDR)
			if e.Number < 1 || e.Number >= lastEntry {
				c.bad("%s: %d is no number of an entry", a.ID, e.Number)
			}
		}
	}
}

// guards are the subnets that an ACL is associated with.
func (sc scope) guards(a NetworkACL) []string {
	if !a.Default {
		return a.Subnets
	}
	var out []string
	for _, s := range sc.r.Subnets {
		named := func(o NetworkACL) bool { return !o.Default && slices.Contains(o.Subnets, s.ID) }
		if s.VPC == a.VPC && !slices.ContainsFunc(sc.r.ACLs, named) {
			out = append(out, s.ID)
		}
	}
	return out
}

func describeNetworkACLs(c *call) ([]element, *apiError) {
	sc, ids := c.view(), c.params.list("NetworkAclId")
	for _, id := range ids {
		if !slices.ContainsFunc(sc.r.ACLs, func(a NetworkACL) bool { return a.ID == id && sc.ownsVPC(a.VPC) }) {
			return nil, refuse("InvalidNetworkAclID.NotFound", "The networkAcl ID '%s' does not exist", id)
		}
	}
	list := slices.DeleteFunc(slices.Clone(sc.r.ACLs), func(a NetworkACL) bool {
		return !sc.ownsVPC(a.VPC) || len(ids) > 0 && !slices.Contains(ids, a.ID)
	})
	list, refused := choose(list, c.params.filters(), func(a NetworkACL) attributes {
		return attributes{
			"network-acl-id": {a.ID}, "vpc-id": {a.VPC}, "owner-id": {sc.account}, "default": {strconv.FormatBool(a.Default)},
			"association.subnet-id": sc.guards(a), "association.network-acl-id": {a.ID},
		}.nameTag(a.Name)
	})
	if refused != nil {
		return nil, refused
	}
	list, next, refused := page(c.params, list, 1000, c.s.opts.PageSize)
	return []element{set("networkAclSet", list, func(a NetworkACL) []element {
		return []element{
			leaf("networkAclId", a.ID), leaf("vpcId", a.VPC), leaf("ownerId", sc.account), leaf("default", a.Default),
			{name: "entrySet", kids: append(entriesXML(a.Out, true), entriesXML(a.In, false)...)},
			set("associationSet", sc.guards(a), func(subnet string) []element {
				return []element{leaf("networkAclAssociationId", "aclassoc-"+strings.TrimPrefix(subnet, "subnet-")), leaf("networkAclId", a.ID), leaf("subnetId", subnet)}
			}),
			nameTags(a.Name),
		}
	}), leaf("nextToken", next)}, c.readOnly(refused)
}

// entriesXML shows one direction, in the order of the numbers. Only TCP and UDP have ports, and only ICMP a type.
func entriesXML(entries []ACLEntry, egress bool) []element {
	entries = append(slices.Clone(entries), ACLEntry{Number: lastEntry, Protocol: "-1", CIDR: "0.0.0.0/0"})
	slices.SortStableFunc(entries, func(a, b ACLEntry) int { return cmp.Compare(a.Number, b.Number) })
	return set("", entries, func(e ACLEntry) []element {
		action := "deny"
		if e.Allow {
			action = "allow"
		}
		out := []element{leaf("ruleNumber", e.Number), leaf("protocol", e.Protocol), leaf("ruleAction", action), leaf("egress", egress), leaf("cidrBlock", e.CIDR)}
		switch e.Protocol {
		case "1":
			out = append(out, branch("icmpTypeCode", leaf("type", e.From), leaf("code", e.To)))
		case "6", "17":
			out = append(out, branch("portRange", leaf("from", e.From), leaf("to", e.To)))
		}
		return out
	}).kids
}

// SetACLEntry writes an entry as somebody at the AWS console would, in place of the one with its number.
func (s *Server) SetACLEntry(acl string, egress bool, e ACLEntry) error {
	return s.editACL(acl, egress, e.Number, &e)
}

// RemoveACLEntry takes an entry away as somebody at the AWS console would.
func (s *Server) RemoveACLEntry(acl string, egress bool, number int) error {
	return s.editACL(acl, egress, number, nil)
}
