package doctor

import (
	"context"
	"slices"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// Cloud is what is asked of AWS, and the one thing that is mended there.
type Cloud interface {
	// Survey reads what stands in a region.
	Survey(ctx context.Context, a cloud.Access, q cloud.SurveyQuestion) cloud.Survey
	// Rehearse asks whether changes would be permitted; nothing is changed.
	Rehearse(ctx context.Context, a cloud.Access, all []cloud.Rehearsal) map[string]error
	// MayChangeRecords asks the same of a zone's records.
	MayChangeRecords(ctx context.Context, a cloud.Access, zone, domain string) error
	// SetSourceDestCheck switches an interface's check.
	SetSourceDestCheck(ctx context.Context, a cloud.Access, eni string, on bool) error
	cloud.DNS
}

// Access says where and as whom a region is asked: as the first resource there that works through the service, since that
// is whom a failover depends on; else as the definition says of the region. kit is "ec2" or "route53".
func Access(x *hierarchy.Index, region, kit string) cloud.Access {
	for _, r := range resources(x, kit) {
		for _, p := range r.On {
			if x.RegionOf(p.Server) == region {
				return accessOf(hierarchy.InstanceOf(x, r.Tag, p.Server, ""), kit)
			}
		}
	}
	in := kits.Instance{Node: kits.Node{Region: region}, Regions: map[string]kits.Region{}}
	if r := x.Region(region); r != nil {
		in.Regions[region] = kits.Region{Profile: r.Profile, EndpointEC2: r.EndpointEC2, EndpointDNS: r.EndpointDNS}
	}
	return accessOf(in, kit)
}

// accesses are all that a region is asked with, each identity once.
func accesses(x *hierarchy.Index, region string) []cloud.Access {
	out := []cloud.Access{Access(x, region, "ec2")}
	for _, kit := range []string{"ec2", "route53"} {
		for _, r := range resources(x, kit) {
			for _, p := range r.On {
				if x.RegionOf(p.Server) != region {
					continue
				}
				a := accessOf(hierarchy.InstanceOf(x, r.Tag, p.Server, ""), kit)
				a.Endpoint = out[0].Endpoint
				if !slices.Contains(out, a) {
					out = append(out, a)
				}
			}
		}
	}
	return out
}

// accessOf reads the fields that the kits for AWS have in common.
func accessOf(in kits.Instance, kit string) cloud.Access {
	region := in.Regions[in.Node.Region]
	endpoint := region.EndpointEC2
	if kit == "route53" {
		endpoint = region.EndpointDNS
	}
	a := cloud.Access{Region: in.Node.Region, Endpoint: in.Attr("endpoint", endpoint)}
	switch in.Attr("credentials", "region") {
	case "profile":
		a.Source, a.Profile = cloud.FromProfile, in.Attrs["profile"]
	case "role":
		a.Source = cloud.FromRole
	default:
		if region.Profile != "" {
			a.Source, a.Profile = cloud.FromProfile, region.Profile
		}
	}
	return a
}

// InCloud says whether a region's VPC and instances are to be looked at.
func InCloud(x *hierarchy.Index, region string) bool {
	r := x.Region(region)
	return r != nil && r.VPC != "" && slices.ContainsFunc(x.Estate().Servers, func(s hierarchy.Server) bool { return s.Region == region && s.ENI != "" })
}

// SurveyQuestion is what to read in a region.
func SurveyQuestion(x *hierarchy.Index, region string) cloud.SurveyQuestion {
	q := cloud.SurveyQuestion{VPC: x.Region(region).VPC, As: accesses(x, region)}
	for _, s := range x.Estate().Servers {
		if s.Region == region && s.Instance != "" {
			q.Instances = append(q.Instances, s.Instance)
		}
	}
	return q
}

// Rehearsals are the changes that the estate may have to make in a region, with what was read there.
func Rehearsals(x *hierarchy.Index, region string, s *cloud.Survey) []cloud.Rehearsal {
	var out []cloud.Rehearsal
	for _, r := range resources(x, "ec2") {
		eni := firstENI(x, r, region)
		if eni == "" {
			continue
		}
		if isAddress(x, r) {
			out = append(out, cloud.Rehearsal{Action: "AssociateAddress", Interface: eni, Allocation: hierarchy.InstanceOf(x, r.Tag, r.On[0].Server, "").Attrs["elastic_ip"]})
			continue
		}
		dests := destinations(x, r, region)
		if len(dests) == 0 || len(s.Tables) == 0 {
			continue
		}
		table := s.Tables[0].ID
		for _, t := range s.Tables {
			if _, ok := t.To(dests[0]); ok {
				table = t.ID
			}
		}
		for _, action := range []string{"ReplaceRoute", "CreateRoute"} {
			out = append(out, cloud.Rehearsal{Action: action, Table: table, Destination: dests[0], Interface: eni})
		}
	}
	for _, cl := range x.Estate().Cluster {
		for _, name := range cl.Servers {
			if srv := x.Server(name); cl.Fencing != "" && srv != nil && srv.Region == region && srv.Instance != "" {
				out = append(out, cloud.Rehearsal{Action: "StopInstances", Instance: srv.Instance})
			}
		}
	}
	return firstOfEach(out)
}

// firstOfEach keeps one rehearsal of each action: what is permitted for one is, but for policies on single things, for all.
func firstOfEach(all []cloud.Rehearsal) []cloud.Rehearsal {
	var out []cloud.Rehearsal
	for _, r := range all {
		if !slices.ContainsFunc(out, func(o cloud.Rehearsal) bool { return o.Action == r.Action }) {
			out = append(out, r)
		}
	}
	return out
}

// Names asks Route 53 about the zone and the record of a resource.
func Names(ctx context.Context, c Cloud, x *hierarchy.Index, r *hierarchy.Resource) *cloud.ZoneSurvey {
	if len(r.On) == 0 {
		return nil
	}
	a := Access(x, x.RegionOf(r.On[0].Server), "route53")
	attrs := hierarchy.InstanceOf(x, r.Tag, r.On[0].Server, "").Attrs
	domain, id := zoneField(attrs["zone"])
	z := &cloud.ZoneSurvey{Name: cloud.DNSName(attrs["host"] + "." + domain)}
	all, err := c.Zones(ctx, a)
	if err != nil {
		z.Err = err
		return z
	}
	for _, one := range all {
		if cloud.DNSName(one.Name) == cloud.DNSName(domain) && (id == "" || one.ID == id) {
			z.Zones = append(z.Zones, one)
		}
	}
	if len(z.Zones) != 1 {
		return z
	}
	zone := z.Zones[0].ID
	z.Record, z.RecordErr = record(ctx, c, a, zone, z.Name, cloud.TypeA)
	if z.RecordErr == nil && z.Record == nil {
		z.Other, z.RecordErr = record(ctx, c, a, zone, z.Name, cloud.TypeCNAME)
	}
	z.ChangeErr = c.MayChangeRecords(ctx, a, zone, domain)
	return z
}

func record(ctx context.Context, c Cloud, a cloud.Access, zone, name, kind string) (*cloud.Record, error) {
	r, ok, err := c.Record(ctx, a, zone, name, kind)
	if err != nil || !ok {
		return nil, err
	}
	return &r, nil
}
