package awscloud

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/ferry-ha/ferry/kits/cloud"
)

// Record reads the record set of exactly this name and type; false when there is none. Route 53's list begins at the
// name asked for or, when there is no such name, at the next one: what comes back is compared.
func (c *Cloud) Record(ctx context.Context, a cloud.Access, zone, name, kind string) (cloud.Record, bool, error) {
	name = cloud.DNSName(name)
	in := &route53.ListResourceRecordSetsInput{
		HostedZoneId: aws.String(zone), StartRecordName: aws.String(name), StartRecordType: types.RRType(kind), MaxItems: aws.Int32(1),
	}
	out, err := askDNS(ctx, c, a, what{"ListResourceRecordSets", kind + " " + name + " in " + zone, true}, func(ctx context.Context, api *route53.Client) (*route53.ListResourceRecordSetsOutput, error) {
		return api.ListResourceRecordSets(ctx, in)
	})
	if err != nil {
		return cloud.Record{}, false, err
	}
	for _, set := range out.ResourceRecordSets {
		if r := recordOf(set); r.Name == name && r.Type == kind {
			return r, true, nil
		}
	}
	return cloud.Record{}, false, nil
}

func recordOf(set types.ResourceRecordSet) cloud.Record {
	r := cloud.Record{Name: cloud.DNSName(aws.ToString(set.Name)), Type: string(set.Type), TTL: aws.ToInt64(set.TTL), Special: specialOf(set)}
	for _, v := range set.ResourceRecords {
		r.Values = append(r.Values, aws.ToString(v.Value))
	}
	return r
}

// specialOf says what sets a record set apart from a plain one.
func specialOf(set types.ResourceRecordSet) string {
	switch {
	case set.AliasTarget != nil:
		return "an alias for " + cloud.ShowDNSName(aws.ToString(set.AliasTarget.DNSName))
	case set.TrafficPolicyInstanceId != nil:
		return "made by the traffic policy instance " + *set.TrafficPolicyInstanceId
	case set.SetIdentifier != nil:
		return fmt.Sprintf("one of several under a routing policy (%s)", *set.SetIdentifier)
	case set.HealthCheckId != nil:
		return "tied to the health check " + *set.HealthCheckId
	}
	return ""
}

// ChangeRecord puts a record set in the place of another, in one atomic batch; cloud.DNS says what that promises. It is
// not sent again when the answer gets lost: the second try would meet what the first one did, and be refused.
func (c *Cloud) ChangeRecord(ctx context.Context, a cloud.Access, zone string, old *cloud.Record, to cloud.Record) (cloud.Change, error) {
	if old != nil && old.Special != "" {
		return cloud.Change{}, &cloud.Error{
			Kind: cloud.Refused, Op: "ChangeResourceRecordSets", Region: a.Region, Subject: old.Name + " in " + zone,
			Err: fmt.Errorf("the record is %s", old.Special), Hint: "it is not ours to change; delete it or choose another name",
		}
	}
	var changes []types.Change
	if old != nil {
		changes = append(changes, types.Change{Action: types.ChangeActionDelete, ResourceRecordSet: setOf(*old)})
	}
	changes = append(changes, types.Change{Action: types.ChangeActionCreate, ResourceRecordSet: setOf(to)})
	in := &route53.ChangeResourceRecordSetsInput{HostedZoneId: aws.String(zone), ChangeBatch: &types.ChangeBatch{Changes: changes, Comment: aws.String("ferry")}}
	w := what{"ChangeResourceRecordSets", to.Type + " " + to.Name + " in " + zone, false}
	out, err := askDNS(ctx, c, a, w, func(ctx context.Context, api *route53.Client) (*route53.ChangeResourceRecordSetsOutput, error) {
		return api.ChangeResourceRecordSets(ctx, in)
	})
	if err != nil {
		return cloud.Change{}, err
	}
	return changeOf(out.ChangeInfo, w, a)
}

func setOf(r cloud.Record) *types.ResourceRecordSet {
	set := &types.ResourceRecordSet{Name: aws.String(r.Name), Type: types.RRType(r.Type), TTL: aws.Int64(r.TTL)}
	for _, v := range r.Values {
		set.ResourceRecords = append(set.ResourceRecords, types.ResourceRecord{Value: aws.String(v)})
	}
	return set
}

// ChangeStatus asks how far a change has got.
func (c *Cloud) ChangeStatus(ctx context.Context, a cloud.Access, id string) (cloud.Change, error) {
	w := what{"GetChange", id, true}
	out, err := askDNS(ctx, c, a, w, func(ctx context.Context, api *route53.Client) (*route53.GetChangeOutput, error) {
		return api.GetChange(ctx, &route53.GetChangeInput{Id: aws.String(id)})
	})
	if err != nil {
		return cloud.Change{}, err
	}
	return changeOf(out.ChangeInfo, w, a)
}

func changeOf(info *types.ChangeInfo, w what, a cloud.Access) (cloud.Change, error) {
	if info == nil || aws.ToString(info.Id) == "" {
		return cloud.Change{}, emptyAnswer(w.op, a, w.subject)
	}
	return cloud.Change{ID: bare(*info.Id), InSync: info.Status == types.ChangeStatusInsync}, nil
}
