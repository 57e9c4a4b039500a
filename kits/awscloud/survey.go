package awscloud

import (
	"context"
	"crypto/rand"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	dnstypes "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/ferry-ha/ferry/kits/cloud"
)

// Survey reads what an estate stands on in a region, all lists side by side. It changes nothing and gives no error: what could not be read stands in the survey's Errors.
func (c *Cloud) Survey(ctx context.Context, a cloud.Access, q cloud.SurveyQuestion) cloud.Survey {
	s := cloud.Survey{Region: a.Region, Instances: map[string]cloud.Instance{}, Errors: map[string]error{}}
	var mu sync.Mutex
	var wg sync.WaitGroup
	part := func(action string, ask func() (keep func(), err error)) {
		wg.Go(func() {
			keep, err := ask()
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				s.Errors[action] = err
				return
			}
			keep()
		})
	}
	part("DescribeVpcs", func() (func(), error) { l, err := c.vpcs(ctx, a, q.VPC); return func() { s.VPCs = l }, err })
	part("DescribeSubnets", func() (func(), error) { l, err := c.subnets(ctx, a, q.VPC); return func() { s.Subnets = l }, err })
	part("DescribeSecurityGroups", func() (func(), error) { l, err := c.groups(ctx, a, q.VPC); return func() { s.Groups = l }, err })
	part("DescribeNetworkAcls", func() (func(), error) { l, err := c.acls(ctx, a, q.VPC); return func() { s.ACLs = l }, err })
	part("DescribeRouteTables", func() (func(), error) { l, err := c.RouteTables(ctx, a, q.VPC); return func() { s.Tables = l }, err })
	part("DescribeNetworkInterfaces", func() (func(), error) { l, err := c.Interfaces(ctx, a, q.VPC); return func() { s.Interfaces = l }, err })
	part("DescribeAddresses", func() (func(), error) { l, err := c.Addresses(ctx, a); return func() { s.Addresses = l }, err })
	s.Identities = make([]cloud.Identity, len(q.As))
	for i, as := range q.As {
		wg.Go(func() { s.Identities[i] = c.identity(ctx, as) })
	}
	if len(q.Instances) > 0 {
		part("DescribeInstanceStatus", func() (func(), error) {
			l, err := c.states(ctx, a, q.Instances)
			return func() { s.Instances = l }, err
		})
	}
	wg.Wait()
	return s
}

// Rehearse asks whether changes would be permitted, with DryRun: by action, what speaks against it; nil when it is permitted. A change
// that is impossible as things are is permitted all the same.
func (c *Cloud) Rehearse(ctx context.Context, a cloud.Access, all []cloud.Rehearsal) map[string]error {
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, r := range all {
		wg.Go(func() { errs[i] = c.rehearse(ctx, a, r) })
	}
	wg.Wait()
	out := map[string]error{}
	for i, r := range all {
		if k := cloud.KindOf(errs[i]); errs[i] != nil && (k == cloud.Refused || k == cloud.NotFound) {
			errs[i] = nil
		}
		out[r.Action] = errs[i]
	}
	return out
}

// rehearse asks whether one change would be permitted.
func (c *Cloud) rehearse(ctx context.Context, a cloud.Access, r cloud.Rehearsal) error {
	switch r.Action {
	case "ReplaceRoute":
		return c.MayPutRoute(ctx, a, r.Table, r.Destination, r.Interface)
	case "CreateRoute":
		return rehearsed(c.dryCreateRoute(ctx, a, r))
	case "AssociateAddress":
		return c.MayPutAddress(ctx, a, r.Allocation, r.Interface, "")
	case "StopInstances":
		return rehearsed(c.stop(ctx, a, &ec2.StopInstancesInput{InstanceIds: []string{r.Instance}, DryRun: aws.Bool(true)}))
	}
	return &cloud.Error{Kind: cloud.Unreachable, Op: r.Action, Region: a.Region, Hint: "this action cannot be rehearsed"}
}

func (c *Cloud) dryCreateRoute(ctx context.Context, a cloud.Access, r cloud.Rehearsal) error {
	_, err := do(ctx, c, a, what{"CreateRoute", r.Destination.String() + " in " + r.Table, true}, func(ctx context.Context, api *ec2.Client) (*ec2.CreateRouteOutput, error) {
		return api.CreateRoute(ctx, &ec2.CreateRouteInput{
			RouteTableId: aws.String(r.Table), DestinationCidrBlock: aws.String(r.Destination.String()), NetworkInterfaceId: aws.String(r.Interface), DryRun: aws.Bool(true),
		})
	})
	return err
}

func inVPC(vpc string) []types.Filter {
	return []types.Filter{{Name: aws.String("vpc-id"), Values: []string{vpc}}}
}

// paged reads all pages of a list.
func paged[T any](page func(next *string) ([]T, *string, error)) ([]T, error) {
	var all []T
	var next *string
	for {
		list, more, err := page(next)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		if next = more; aws.ToString(next) == "" {
			return all, nil
		}
	}
}

func (c *Cloud) vpcs(ctx context.Context, a cloud.Access, vpc string) ([]cloud.VPC, error) {
	list, err := paged(func(next *string) ([]types.Vpc, *string, error) {
		out, err := do(ctx, c, a, what{"DescribeVpcs", vpc, true}, func(ctx context.Context, api *ec2.Client) (*ec2.DescribeVpcsOutput, error) {
			return api.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{Filters: inVPC(vpc), NextToken: next})
		})
		if err != nil {
			return nil, nil, err
		}
		return out.Vpcs, out.NextToken, nil
	})
	var out []cloud.VPC
	for _, v := range list {
		one := cloud.VPC{ID: aws.ToString(v.VpcId)}
		for _, b := range v.CidrBlockAssociationSet {
			if b.CidrBlockState == nil || b.CidrBlockState.State == types.VpcCidrBlockStateCodeAssociated {
				one.CIDRs = append(one.CIDRs, blocks(aws.ToString(b.CidrBlock))...)
			}
		}
		out = append(out, one)
	}
	return out, err
}

func blocks(texts ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, t := range texts {
		if p, err := netip.ParsePrefix(t); err == nil {
			out = append(out, p.Masked())
		}
	}
	return out
}

func (c *Cloud) subnets(ctx context.Context, a cloud.Access, vpc string) ([]cloud.Subnet, error) {
	list, err := paged(func(next *string) ([]types.Subnet, *string, error) {
		out, err := do(ctx, c, a, what{"DescribeSubnets", vpc, true}, func(ctx context.Context, api *ec2.Client) (*ec2.DescribeSubnetsOutput, error) {
			return api.DescribeSubnets(ctx, &ec2.DescribeSubnetsInput{Filters: inVPC(vpc), NextToken: next})
		})
		if err != nil {
			return nil, nil, err
		}
		return out.Subnets, out.NextToken, nil
	})
	var out []cloud.Subnet
	for _, s := range list {
		one := cloud.Subnet{ID: aws.ToString(s.SubnetId), VPC: aws.ToString(s.VpcId), Zone: aws.ToString(s.AvailabilityZone)}
		if p := blocks(aws.ToString(s.CidrBlock)); len(p) == 1 {
			one.CIDR = p[0]
		}
		out = append(out, one)
	}
	return out, err
}

func (c *Cloud) groups(ctx context.Context, a cloud.Access, vpc string) ([]cloud.SecurityGroup, error) {
	list, err := paged(func(next *string) ([]types.SecurityGroup, *string, error) {
		out, err := do(ctx, c, a, what{"DescribeSecurityGroups", vpc, true}, func(ctx context.Context, api *ec2.Client) (*ec2.DescribeSecurityGroupsOutput, error) {
			return api.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{Filters: inVPC(vpc), NextToken: next})
		})
		if err != nil {
			return nil, nil, err
		}
		return out.SecurityGroups, out.NextToken, nil
	})
	var out []cloud.SecurityGroup
	for _, g := range list {
		out = append(out, cloud.SecurityGroup{
			ID: aws.ToString(g.GroupId), Name: aws.ToString(g.GroupName), VPC: aws.ToString(g.VpcId),
			In: rulesOf(g.IpPermissions), Out: rulesOf(g.IpPermissionsEgress),
		})
	}
	return out, err
}

func rulesOf(list []types.IpPermission) []cloud.SecurityRule {
	var out []cloud.SecurityRule
	for _, p := range list {
		r := cloud.SecurityRule{Protocol: aws.ToString(p.IpProtocol), From: int(aws.ToInt32(p.FromPort)), To: int(aws.ToInt32(p.ToPort))}
		for _, b := range p.IpRanges {
			r.Blocks = append(r.Blocks, blocks(aws.ToString(b.CidrIp))...)
		}
		for _, g := range p.UserIdGroupPairs {
			r.Groups = append(r.Groups, aws.ToString(g.GroupId))
		}
		for _, l := range p.PrefixListIds {
			r.Lists = append(r.Lists, aws.ToString(l.PrefixListId))
		}
		out = append(out, r)
	}
	return out
}

func (c *Cloud) acls(ctx context.Context, a cloud.Access, vpc string) ([]cloud.NetworkACL, error) {
	list, err := paged(func(next *string) ([]types.NetworkAcl, *string, error) {
		out, err := do(ctx, c, a, what{"DescribeNetworkAcls", vpc, true}, func(ctx context.Context, api *ec2.Client) (*ec2.DescribeNetworkAclsOutput, error) {
			return api.DescribeNetworkAcls(ctx, &ec2.DescribeNetworkAclsInput{Filters: inVPC(vpc), NextToken: next})
		})
		if err != nil {
			return nil, nil, err
		}
		return out.NetworkAcls, out.NextToken, nil
	})
	var out []cloud.NetworkACL
	for _, n := range list {
		one := cloud.NetworkACL{ID: aws.ToString(n.NetworkAclId), Name: nameTag(n.Tags), VPC: aws.ToString(n.VpcId), Default: aws.ToBool(n.IsDefault)}
		for _, s := range n.Associations {
			one.Subnets = append(one.Subnets, aws.ToString(s.SubnetId))
		}
		for _, e := range n.Entries {
			p := blocks(aws.ToString(e.CidrBlock))
			switch {
			case len(p) == 0: // for IPv6
			case aws.ToBool(e.Egress):
				one.Out = append(one.Out, entryOf(e, p[0]))
			default:
				one.In = append(one.In, entryOf(e, p[0]))
			}
		}
		out = append(out, one)
	}
	return out, err
}

func entryOf(e types.NetworkAclEntry, block netip.Prefix) cloud.ACLEntry {
	out := cloud.ACLEntry{Number: int(aws.ToInt32(e.RuleNumber)), Allow: e.RuleAction == types.RuleActionAllow, Protocol: aws.ToString(e.Protocol), Block: block}
	switch {
	case e.IcmpTypeCode != nil:
		out.From, out.To = int(aws.ToInt32(e.IcmpTypeCode.Type)), int(aws.ToInt32(e.IcmpTypeCode.Code))
	case e.PortRange != nil:
		out.From, out.To = int(aws.ToInt32(e.PortRange.From)), int(aws.ToInt32(e.PortRange.To))
	}
	return out
}

// states reads several instances at once. One that EC2 does not know makes the whole call fail: then each is asked by itself.
func (c *Cloud) states(ctx context.Context, a cloud.Access, ids []string) (map[string]cloud.Instance, error) {
	out := map[string]cloud.Instance{}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
		i, err := c.Instance(ctx, a, id)
		switch {
		case err == nil:
			out[id] = i
		case cloud.KindOf(err) != cloud.NotFound:
			return nil, err
		}
	}
	return out, nil
}

// MayChangeRecords asks whether records of a zone may be changed, for which Route 53 has no rehearsal: it asks for the
// deletion of a record that cannot be there. Who may change records is told so (InvalidChangeBatch: then nil), who may not is told
// that. Nothing is changed either way.
func (c *Cloud) MayChangeRecords(ctx context.Context, a cloud.Access, zone, domain string) error {
	name := "_ferry-doctor-" + strings.ToLower(rand.Text()) + "." + cloud.DNSName(domain)
	w := what{"ChangeResourceRecordSets", "nothing in " + zone, true}
	_, err := askDNS(ctx, c, a, w, func(ctx context.Context, api *route53.Client) (*route53.ChangeResourceRecordSetsOutput, error) {
		return api.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{HostedZoneId: aws.String(zone), ChangeBatch: &dnstypes.ChangeBatch{
			Changes: []dnstypes.Change{{Action: dnstypes.ChangeActionDelete, ResourceRecordSet: setOf(cloud.Record{Name: name, Type: cloud.TypeA, TTL: 1, Values: []string{"192.0.2.1"}})}},
		}})
	})
	if cloud.CodeOf(err) == "InvalidChangeBatch" {
		return nil
	}
	return err
}
