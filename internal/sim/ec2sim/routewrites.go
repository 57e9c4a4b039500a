package ec2sim

import (
	"net/netip"
	"slices"
	"strings"
)

func createRoute(c *call) ([]element, *apiError) {
	return done(), c.writeRoute(func(t *RouteTable, dest string, target Route) (string, *apiError) {
		if t.Route(dest) != nil {
			return "", refuse("RouteAlreadyExists", "The route identified by %s already exists.", dest)
		}
		t.Routes = append(t.Routes, target)
		return "", nil
	})
}

func replaceRoute(c *call) ([]element, *apiError) {
	return done(), c.writeRoute(func(t *RouteTable, dest string, target Route) (string, *apiError) {
		route := t.Route(dest)
		if route == nil {
			return "", refuse("InvalidParameterValue",
				"There is no route defined for '%s' in the route table. Use CreateRoute instead.", dest)
		}
		from := route.Interface + route.Gateway
		*route = target
		return from, nil
	})
}

// writeRoute checks everything that CreateRoute and ReplaceRoute check alike, then lets do store the route; do gives
// back the target that was there before.
func (c *call) writeRoute(do func(t *RouteTable, dest string, target Route) (string, *apiError)) *apiError {
	id, refused := c.params.need("RouteTableId")
	if refused != nil {
		return refused
	}
	return c.change(func(sc scope) ([]Event, *apiError) {
		table := sc.table(id)
		if table == nil {
			return nil, errNoTable(id)
		}
		dest, refused := c.destination()
		if refused != nil {
			return nil, refused
		}
		target, refused := c.target(sc, table)
		if refused == nil {
			refused = sc.insideVPC(table, dest, target)
		}
		if refused != nil {
			return nil, refused
		}
		target.Destination, target.Origin = dest.String(), "CreateRoute"
		from, refused := do(table, dest.String(), target)
		if refused != nil {
			return nil, refused
		}
		to := target.Interface + target.Gateway
		return []Event{{Kind: RouteChanged, Subject: table.ID, Destination: dest.String(), From: from, To: to}}, nil
	})
}

func (c *call) destination() (netip.Prefix, *apiError) {
	text, refused := c.params.need("DestinationCidrBlock")
	if refused != nil {
		return netip.Prefix{}, refused
	}
	dest, ok := cidr(text)
	if !ok {
		return dest, invalidValue("destinationCidrBlock", text, "This is not a valid CIDR block.")
	}
	return dest, nil
}

// gatewayParams are the targets that we only store; what lies behind them is not simulated.
func gatewayParams() []string {
	return []string{"GatewayId", "NatGatewayId", "VpcPeeringConnectionId", "TransitGatewayId", "EgressOnlyInternetGatewayId", "VpcEndpointId"}
}

// target reads the one target a route must have.
func (c *call) target(sc scope, t *RouteTable) (Route, *apiError) {
	var named []string
	for _, p := range append([]string{"NetworkInterfaceId", "InstanceId"}, gatewayParams()...) {
		if c.params.get(p) != "" {
			named = append(named, p)
		}
	}
	switch {
	case len(named) == 0:
		return Route{}, refuse("MissingParameter", "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, vpcPeeringConnectionId, transitGatewayId or instanceId")
	case len(named) > 1:
		return Route{}, refuse("InvalidParameterCombination", "The parameters %s cannot be used together", strings.Join(named, ", "))
	case slices.Contains(gatewayParams(), named[0]):
		return Route{Gateway: c.params.get(named[0])}, nil
	}
	eni, refused := sc.targetInterface(c.params.get("NetworkInterfaceId"), c.params.get("InstanceId"))
	if refused != nil {
		return Route{}, refused
	}
	if sc.vpcOf(eni) != t.VPC {
		return Route{}, refuse("InvalidParameterValue", "route table %s and network interface %s belong to different networks", t.ID, eni.ID)
	}
	return Route{Interface: eni.ID}, nil
}

// targetInterface finds the interface named, or the only one of the instance named.
func (sc scope) targetInterface(id, instance string) (*Interface, *apiError) {
	if instance == "" {
		if eni := sc.eni(id); eni != nil {
			return eni, nil
		}
		return nil, errNoInterface(id)
	}
	if sc.instance(instance) == nil {
		return nil, errNoInstance(instance)
	}
	enis := sc.enisOf(instance)
	if len(enis) != 1 {
		return nil, errManyInterfaces(instance)
	}
	return enis[0], nil
}

// insideVPC: a destination inside the VPC's own block must be that block or one of its subnets.
func (sc scope) insideVPC(t *RouteTable, dest netip.Prefix, target Route) *apiError {
	for _, text := range sc.vpc(t.VPC).CIDRs {
		block, _ := cidr(text)
		if !block.Contains(dest.Addr()) || dest.Bits() < block.Bits() {
			continue
		}
		isSubnet := slices.ContainsFunc(sc.r.Subnets, func(s Subnet) bool { return s.VPC == t.VPC && s.CIDR == dest.String() })
		if dest != block && !isSubnet {
			return invalidValue("destinationCidrBlock", dest.String(), "It lies inside the VPC's CIDR block "+text+" and matches none of its subnets.")
		}
		if target.Interface == "" {
			return invalidValue("destinationCidrBlock", dest.String(), "A route inside the VPC's CIDR block can target only an interface or an instance.")
		}
	}
	return nil
}

func deleteRoute(c *call) ([]element, *apiError) {
	id, refused := c.params.need("RouteTableId")
	if refused != nil {
		return nil, refused
	}
	return done(), c.change(func(sc scope) ([]Event, *apiError) {
		table := sc.table(id)
		if table == nil {
			return nil, errNoTable(id)
		}
		dest, refused := c.destination()
		if refused != nil {
			return nil, refused
		}
		route := table.Route(dest.String())
		if route == nil {
			return nil, refuse("InvalidRoute.NotFound", "no route with destination-cidr-block %s in route table %s", dest, id)
		}
		if route.Gateway == "local" {
			return nil, refuse("InvalidParameterValue", "cannot remove local route %s in route table %s", dest, id)
		}
		gone := Event{Kind: RouteChanged, Subject: id, Destination: dest.String(), From: route.Interface + route.Gateway}
		table.Routes = slices.DeleteFunc(table.Routes, func(r Route) bool { return r.Destination == dest.String() })
		return []Event{gone}, nil
	})
}
