package r53sim

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strings"
)

// change is one change of a batch.
type change struct {
	action string
	record Record
	hasTTL bool
	hasRRs bool
}

// told is how messages of InvalidInput speak of a change.
func (c change) told() string {
	id := "null"
	if c.record.SetID != "" {
		id = c.record.SetID
	}
	return fmt.Sprintf("Change with [Action=%s, Name=%s, Type=%s, SetIdentifier=%s]", c.action, c.record.Name, c.record.Type, id)
}

// xmlSet is a ResourceRecordSet as it comes in.
type xmlSet struct {
	Name, Type, SetIdentifier, Region, Failover, HealthCheckId string
	Weight, TTL                                                *int64
	MultiValueAnswer                                           *bool
	GeoLocation                                                *struct{ ContinentCode, CountryCode, SubdivisionCode string }
	AliasTarget                                                *struct {
		HostedZoneId, DNSName string
		EvaluateTargetHealth  bool
	}
	ResourceRecords *struct {
		ResourceRecord []struct{ Value string }
	}
}

type xmlBatch struct {
	XMLName     xml.Name
	ChangeBatch *struct {
		Comment string
		Changes *struct {
			Change []struct {
				Action            string
				ResourceRecordSet *xmlSet
			}
		}
	}
}

// parseBatch reads a ChangeResourceRecordSetsRequest: the changes and the comment.
func parseBatch(body []byte) ([]change, string, *apiError) {
	var in xmlBatch
	if err := xml.Unmarshal(body, &in); err != nil {
		return nil, "", errInput("Invalid XML ; %v", err)
	}
	if in.XMLName.Local != "ChangeResourceRecordSetsRequest" || in.XMLName.Space != namespace {
		return nil, "", errInput("Invalid XML ; cvc-elt.1: Cannot find the declaration of element '%s'.", in.XMLName.Local)
	}
	if in.ChangeBatch == nil || in.ChangeBatch.Changes == nil || len(in.ChangeBatch.Changes.Change) == 0 {
		return nil, "", errInput("Invalid XML ; cvc-complex-type.2.4.b: The content of element 'ChangeBatch' is not complete.")
	}
	var out []change
	for _, ch := range in.ChangeBatch.Changes.Change {
		if ch.ResourceRecordSet == nil || !slices.Contains([]string{"CREATE", "DELETE", "UPSERT"}, ch.Action) {
			return nil, "", errInput("Invalid XML ; cvc-enumeration-valid: Value '%s' is not facet-valid with respect to enumeration '[CREATE, DELETE, UPSERT]'.", ch.Action)
		}
		read := ch.ResourceRecordSet.change(ch.Action)
		if refused := read.wellFormed(); refused != nil {
			return nil, "", refused
		}
		out = append(out, read)
	}
	return out, in.ChangeBatch.Comment, nil
}

func (x *xmlSet) change(action string) change {
	c := change{action: action, hasTTL: x.TTL != nil, hasRRs: x.ResourceRecords != nil && len(x.ResourceRecords.ResourceRecord) > 0}
	r := Record{
		Name: strings.TrimSpace(x.Name), Type: x.Type, SetID: x.SetIdentifier, Region: x.Region, Failover: x.Failover,
		HealthCheck: x.HealthCheckId, Weight: x.Weight, MultiValue: x.MultiValueAnswer,
	}
	if c.hasTTL {
		r.TTL = *x.TTL
	}
	if c.hasRRs {
		for _, v := range x.ResourceRecords.ResourceRecord {
			r.Values = append(r.Values, strings.TrimSpace(v.Value))
		}
	}
	if g := x.GeoLocation; g != nil {
		r.Geo = &Geo{Continent: g.ContinentCode, Country: g.CountryCode, Subdivision: g.SubdivisionCode}
	}
	if a := x.AliasTarget; a != nil {
		r.Alias = &Alias{Zone: a.HostedZoneId, Name: strings.TrimSpace(a.DNSName), EvaluateHealth: a.EvaluateTargetHealth}
	}
	c.record = r
	return c
}

// wellFormed refuses what cannot be a record set, whatever the zone holds.
func (c change) wellFormed() *apiError {
	r := c.record
	plain := c.hasTTL && c.hasRRs
	switch {
	case r.Name == "":
		return errInput("Invalid XML ; cvc-complex-type.2.4.a: Invalid content was found in element 'ResourceRecordSet': a Name is expected.")
	case !isType(r.Type):
		return errInput("Invalid XML ; cvc-enumeration-valid: Value '%s' is not a record type.", r.Type)
	case r.TTL < 0 || r.TTL > 1<<31-1:
		return errInput("Invalid XML ; cvc-maxInclusive-valid: Value '%d' is not a TTL between 0 and 2147483647.", r.TTL)
	case r.Alias != nil && (c.hasTTL || c.hasRRs):
		return errInput("Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found more than one in %s", c.told())
	case r.Alias == nil && !plain:
		return errInput("Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none in %s", c.told())
	case r.policies() > 0 && r.SetID == "":
		return errInput("Invalid request: Missing field 'SetIdentifier' in %s", c.told())
	case r.SetID != "" && r.policies() == 0:
		return errInput("Invalid request: Expected exactly one of [Weight, Region, Failover, GeoLocation, or MultiValueAnswer], but found none in %s", c.told())
	case r.policies() > 1:
		return errInput("Invalid request: Expected exactly one of [Weight, Region, Failover, GeoLocation, or MultiValueAnswer], but found more than one in %s", c.told())
	case r.Weight != nil && (*r.Weight < 0 || *r.Weight > 255):
		return errInput("Invalid XML ; cvc-maxInclusive-valid: Value '%d' is not a weight between 0 and 255.", *r.Weight)
	case r.Failover != "" && r.Failover != "PRIMARY" && r.Failover != "SECONDARY":
		return errInput("Invalid XML ; cvc-enumeration-valid: Value '%s' is not facet-valid with respect to enumeration '[PRIMARY, SECONDARY]'.", r.Failover)
	}
	return nil
}
