package r53sim

import (
	"fmt"
	"slices"
	"strings"
)

// key is what a record set is found by.
func (r Record) key() string { return r.Name + " " + r.Type + " " + r.SetID }

// print is everything a record set says; two sets are equal when it is. The order of the values does not count.
func (r Record) print() string {
	values := slices.Sorted(slices.Values(r.Values))
	out := fmt.Sprintf("%s %d %q region=%s failover=%s health=%s", r.key(), r.TTL, values, r.Region, r.Failover, r.HealthCheck)
	if r.Alias != nil {
		out += fmt.Sprintf(" alias=%s/%s/%t", r.Alias.Zone, canonical(r.Alias.Name), r.Alias.EvaluateHealth)
	}
	if r.Weight != nil {
		out += fmt.Sprintf(" weight=%d", *r.Weight)
	}
	if r.Geo != nil {
		out += fmt.Sprintf(" geo=%v", *r.Geo)
	}
	if r.MultiValue != nil {
		out += fmt.Sprintf(" multi=%t", *r.MultiValue)
	}
	return out
}

func indexOf(records []Record, r Record) int {
	return slices.IndexFunc(records, func(have Record) bool { return have.key() == r.key() })
}

// named is how messages speak of a record set.
func (r Record) named() string {
	out := fmt.Sprintf("[name='%s', type='%s'", r.Name, r.Type)
	if r.SetID != "" {
		out += fmt.Sprintf(", set-identifier='%s'", r.SetID)
	}
	return out + "]"
}

func (r Record) elements() []element {
	out := []element{leaf("Name", r.Name), leaf("Type", r.Type), leaf("SetIdentifier", r.SetID)}
	if r.Weight != nil {
		out = append(out, leaf("Weight", *r.Weight))
	}
	out = append(out, leaf("Region", r.Region))
	if r.Geo != nil {
		out = append(out, branch("GeoLocation", leaf("ContinentCode", r.Geo.Continent), leaf("CountryCode", r.Geo.Country), leaf("SubdivisionCode", r.Geo.Subdivision)))
	}
	out = append(out, leaf("Failover", r.Failover))
	if r.MultiValue != nil {
		out = append(out, leaf("MultiValueAnswer", *r.MultiValue))
	}
	if r.Alias == nil {
		out = append(out, leaf("TTL", r.TTL), list("ResourceRecords", "ResourceRecord", r.Values, func(v string) []element { return []element{leaf("Value", v)} }))
	} else {
		out = append(out, branch("AliasTarget", leaf("HostedZoneId", r.Alias.Zone), leaf("DNSName", canonical(r.Alias.Name)), leaf("EvaluateTargetHealth", r.Alias.EvaluateHealth)))
	}
	return append(out, leaf("HealthCheckId", r.HealthCheck))
}

// policies says how many routing policies a record set follows.
func (r Record) policies() int {
	n := 0
	for _, has := range []bool{r.Weight != nil, r.Region != "", r.Failover != "", r.Geo != nil, r.MultiValue != nil} {
		if has {
			n++
		}
	}
	return n
}

func isType(t string) bool {
	return slices.Contains(strings.Fields("SOA A TXT NS CNAME MX NAPTR PTR SRV SPF AAAA CAA DS"), t)
}
