package ec2sim

import (
	"slices"
	"strings"
)

func describeRouteTables(c *call) ([]element, *apiError) {
	sc := c.view()
	tables, refused := sc.pickTables(c.params.list("RouteTableId"))
	if refused != nil {
		return nil, refused
	}
	tables, refused = choose(tables, c.params.filters(), sc.tableAttributes)
	if refused != nil {
		return nil, refused
	}
	tables, next, refused := page(c.params, tables, 100, c.s.opts.PageSize)
	return []element{set("routeTableSet", tables, sc.tableXML), leaf("nextToken", next)}, c.readOnly(refused)
}

// readOnly is how a Describe call ends: a DryRun of it does not answer either.
func (c *call) readOnly(refused *apiError) *apiError {
	if refused == nil && c.params.on("DryRun") {
		return errDryRun()
	}
	return refused
}

func (sc scope) pickTables(ids []string) ([]RouteTable, *apiError) {
	for _, id := range ids {
		if sc.table(id) == nil {
			return nil, errNoTable(id)
		}
	}
	var out []RouteTable
	for _, t := range sc.r.RouteTables {
		if sc.ownsVPC(t.VPC) && (len(ids) == 0 || slices.Contains(ids, t.ID)) {
			out = append(out, t)
		}
	}
	return out, nil
}

func (sc scope) tableAttributes(t RouteTable) attributes {
	a := attributes{
		"vpc-id": {t.VPC}, "route-table-id": {t.ID}, "owner-id": {sc.account},
		"association.subnet-id": t.Subnets, "association.main": {"false"},
		"association.route-table-id": {t.ID}, "association.route-table-association-id": nil,
		"route.destination-cidr-block": nil, "route.instance-id": nil, "route.state": nil,
		"route.gateway-id": nil, "route.nat-gateway-id": nil, "route.origin": nil,
	}
	if t.Main {
		a["association.main"] = []string{"true"}
	}
	for _, x := range associations(t) {
		a.add("association.route-table-association-id", x.id)
	}
	for _, r := range t.Routes {
		a.add("route.destination-cidr-block", r.Destination)
		a.add("route.state", sc.routeState(r))
		a.add("route.origin", r.Origin)
		a.add("route."+gatewayFilter(r.Gateway), r.Gateway)
		if eni := sc.eni(r.Interface); eni != nil {
			a.add("route.instance-id", eni.Instance)
		}
	}
	return a.nameTag(t.Name)
}

func (a attributes) add(name, value string) {
	if value != "" {
		a[name] = append(a[name], value)
	}
}

func gatewayFilter(gateway string) string {
	if strings.HasPrefix(gateway, "nat-") {
		return "nat-gateway-id"
	}
	return "gateway-id"
}

type association struct {
	id, subnet string
	main       bool
}

func associations(t RouteTable) []association {
	var out []association
	suffix := strings.TrimPrefix(t.ID, "rtb-")
	if t.Main {
		out = append(out, association{id: "rtbassoc-main" + suffix, main: true})
	}
	for _, s := range t.Subnets {
		out = append(out, association{id: "rtbassoc-" + suffix + strings.TrimPrefix(s, "subnet-"), subnet: s})
	}
	return out
}

func (sc scope) tableXML(t RouteTable) []element {
	return []element{
		leaf("routeTableId", t.ID), leaf("vpcId", t.VPC), leaf("ownerId", sc.account),
		set("routeSet", t.Routes, sc.routeXML),
		set("associationSet", associations(t), func(a association) []element {
			return []element{
				leaf("routeTableAssociationId", a.id), leaf("routeTableId", t.ID), leaf("subnetId", a.subnet), leaf("main", a.main),
				branch("associationState", leaf("state", "associated")),
			}
		}),
		branch("propagatingVgwSet"), nameTags(t.Name),
	}
}

// routeXML: a route to an interface reads back with the instance behind it and that instance's owner.
func (sc scope) routeXML(r Route) []element {
	out := []element{leaf("destinationCidrBlock", r.Destination)}
	switch {
	case strings.HasPrefix(r.Gateway, "nat-"):
		out = append(out, leaf("natGatewayId", r.Gateway))
	case strings.HasPrefix(r.Gateway, "pcx-"):
		out = append(out, leaf("vpcPeeringConnectionId", r.Gateway))
	case strings.HasPrefix(r.Gateway, "tgw-"):
		out = append(out, leaf("transitGatewayId", r.Gateway))
	default:
		out = append(out, leaf("gatewayId", r.Gateway))
	}
	if eni := sc.eni(r.Interface); eni != nil && eni.Instance != "" {
		out = append(out, leaf("instanceId", eni.Instance), leaf("instanceOwnerId", sc.account))
	}
	return append(out, leaf("networkInterfaceId", r.Interface), leaf("origin", r.Origin), leaf("state", sc.routeState(r)))
}

func nameTags(name string) element {
	if name == "" {
		return branch("tagSet")
	}
	return branch("tagSet", branch("item", leaf("key", "Name"), leaf("value", name)))
}
