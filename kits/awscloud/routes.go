package awscloud

import (
	"context"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/ferry-ha/ferry/kits/cloud"
)

// RouteTables reads every route table of a VPC, all pages. An empty list is what AWS said, not what is so: a VPC
// always has a main table, so the caller must take it for unknown.
func (c *Cloud) RouteTables(ctx context.Context, a cloud.Access, vpc string) ([]cloud.RouteTable, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	in := &ec2.DescribeRouteTablesInput{Filters: []types.Filter{{Name: aws.String("vpc-id"), Values: []string{vpc}}}}
	var tables []cloud.RouteTable
	for {
		out, err := do(ctx, c, a, what{"DescribeRouteTables", vpc, true}, func(ctx context.Context, api *ec2.Client) (*ec2.DescribeRouteTablesOutput, error) {
			return api.DescribeRouteTables(ctx, in)
		})
		if err != nil {
			return nil, err
		}
		for _, t := range out.RouteTables {
			tables = append(tables, tableOf(t))
		}
		if aws.ToString(out.NextToken) == "" {
			return tables, nil
		}
		in.NextToken = out.NextToken
	}
}

func tableOf(t types.RouteTable) cloud.RouteTable {
	out := cloud.RouteTable{ID: aws.ToString(t.RouteTableId), VPC: aws.ToString(t.VpcId), Name: nameTag(t.Tags)}
	for _, as := range t.Associations {
		if as.AssociationState != nil && as.AssociationState.State != types.RouteTableAssociationStateCodeAssociated {
			continue
		}
		out.Main = out.Main || aws.ToBool(as.Main)
		if s := aws.ToString(as.SubnetId); s != "" {
			out.Subnets = append(out.Subnets, s)
		}
	}
	for _, r := range t.Routes {
		// IPv6 and prefix-list routes are no business of ours.
		if dest, err := netip.ParsePrefix(aws.ToString(r.DestinationCidrBlock)); err == nil {
			out.Routes = append(out.Routes, routeOf(r, dest.Masked()))
		}
	}
	return out
}

func routeOf(r types.Route, dest netip.Prefix) cloud.Route {
	out := cloud.Route{
		Destination: dest, Interface: aws.ToString(r.NetworkInterfaceId), Instance: aws.ToString(r.InstanceId),
		Blackhole: r.State == types.RouteStateBlackhole,
	}
	if out.Interface != "" {
		return out
	}
	for _, other := range []*string{
		r.GatewayId, r.NatGatewayId, r.TransitGatewayId, r.VpcPeeringConnectionId, r.LocalGatewayId, r.CarrierGatewayId,
		r.CoreNetworkArn, r.EgressOnlyInternetGatewayId, r.InstanceId,
	} {
		if aws.ToString(other) != "" {
			out.Other = *other
			break
		}
	}
	return out
}

func nameTag(tags []types.Tag) string {
	for _, t := range tags {
		if aws.ToString(t.Key) == "Name" {
			return aws.ToString(t.Value)
		}
	}
	return ""
}

// PutRoute makes a table's route to dest point to a network interface: it replaces the route, or creates it when
// there is none. It may be done twice. That AWS accepted it does not mean that reads show it yet.
func (c *Cloud) PutRoute(ctx context.Context, a cloud.Access, table string, dest netip.Prefix, eni string) error {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	err := c.replaceRoute(ctx, a, table, dest, eni, false)
	if cloud.CodeOf(err) != "InvalidParameterValue" && cloud.CodeOf(err) != "InvalidRoute.NotFound" {
		return err
	}
	// ReplaceRoute answers InvalidParameterValue for a route that is not there, but also for other mistakes: CreateRoute
	// says the same for those.
	err = c.createRoute(ctx, a, table, dest, eni)
	if cloud.CodeOf(err) == "RouteAlreadyExists" { // our own first try whose answer got lost, or somebody else's
		return c.replaceRoute(ctx, a, table, dest, eni, false)
	}
	return err
}

// MayPutRoute asks EC2 whether a table's route to dest may be replaced, without doing it: nil when it says so. An
// error other than Unauthorized decides nothing; a route that is not there cannot be replaced, for one.
func (c *Cloud) MayPutRoute(ctx context.Context, a cloud.Access, table string, dest netip.Prefix, eni string) error {
	return rehearsed(c.replaceRoute(ctx, a, table, dest, eni, true))
}

func (c *Cloud) replaceRoute(ctx context.Context, a cloud.Access, table string, dest netip.Prefix, eni string, dry bool) error {
	_, err := do(ctx, c, a, what{"ReplaceRoute", dest.String() + " in " + table, true}, func(ctx context.Context, api *ec2.Client) (*ec2.ReplaceRouteOutput, error) {
		return api.ReplaceRoute(ctx, &ec2.ReplaceRouteInput{
			RouteTableId: aws.String(table), DestinationCidrBlock: aws.String(dest.String()), NetworkInterfaceId: aws.String(eni), DryRun: aws.Bool(dry),
		})
	})
	return err
}

func (c *Cloud) createRoute(ctx context.Context, a cloud.Access, table string, dest netip.Prefix, eni string) error {
	_, err := do(ctx, c, a, what{"CreateRoute", dest.String() + " in " + table, true}, func(ctx context.Context, api *ec2.Client) (*ec2.CreateRouteOutput, error) {
		return api.CreateRoute(ctx, &ec2.CreateRouteInput{
			RouteTableId: aws.String(table), DestinationCidrBlock: aws.String(dest.String()), NetworkInterfaceId: aws.String(eni),
		})
	})
	return err
}
