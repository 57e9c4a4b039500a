package route53

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// accessOf says where and as whom Route 53 is called for this node. Route 53 has one home for all regions; the region
// only says whose profile and endpoint are meant.
func accessOf(in kits.Instance) cloud.Access {
	region := in.Regions[in.Node.Region]
	a := cloud.Access{Region: in.Node.Region, Endpoint: in.Attr(FieldEndpoint, region.EndpointDNS)}
	switch in.Attr(FieldCredentials, CredRegion) {
	case CredProfile:
		a.Source, a.Profile = cloud.FromProfile, in.Attrs[FieldProfile]
	case CredRole:
		a.Source = cloud.FromRole
	case CredRegion:
		if region.Profile != "" {
			a.Source, a.Profile = cloud.FromProfile, region.Profile
		}
	}
	return a
}

// zoneForm is how a zone is written: a domain name, and in brackets its id and whether it is a private one.
var zoneForm = regexp.MustCompile(`^([^\s()]+)(?: \((Z[A-Za-z0-9]+)(, private)?\))?$`)

// parseZone reads the field zone. The id is empty when only the name is given.
func parseZone(text string) (cloud.Zone, error) {
	m := zoneForm.FindStringSubmatch(strings.TrimSpace(text))
	if m == nil {
		return cloud.Zone{}, fmt.Errorf("%q is not a hosted zone", text)
	}
	return cloud.Zone{Name: cloud.DNSName(m[1]), ID: m[2], Private: m[3] != ""}, nil
}

// showZone writes a zone so that parseZone reads it.
func showZone(z cloud.Zone) string {
	if z.Private {
		return fmt.Sprintf("%s (%s, private)", cloud.ShowDNSName(z.Name), z.ID)
	}
	return fmt.Sprintf("%s (%s)", cloud.ShowDNSName(z.Name), z.ID)
}

// wish is what the definition wants of Route 53 on a node.
type wish struct {
	zone cloud.Zone // as written: the id may be missing
	name string     // the full name, in the form of cloud.DNSName
	addr string
	ttl  int64
}

func (w wish) record() cloud.Record {
	return cloud.Record{Name: w.name, Type: cloud.TypeA, TTL: w.ttl, Values: []string{w.addr}}
}

// shown is the record's name for people.
func (w wish) shown() string { return cloud.ShowDNSName(w.name) }

// wished reads the definition for the instance's node.
func wished(in kits.Instance) (wish, error) {
	zone, err := parseZone(in.Attrs[FieldZone])
	if err != nil {
		return wish{}, err
	}
	addr, err := addressOn(in, in.Node.Name)
	if err != nil {
		return wish{}, err
	}
	return wish{zone: zone, name: cloud.DNSName(in.Attrs[FieldHost] + "." + zone.Name), addr: addr, ttl: tuned(in).ttl}, nil
}

// addressOn is the virtual IP that the record holds while the resource is in service on a node.
func addressOn(in kits.Instance, node string) (string, error) {
	var below []kits.Relative
	for _, child := range in.Children {
		if child.Kit == "ip" && named(in, child.Tag) {
			below = append(below, child)
		}
	}
	switch {
	case len(below) == 0 && in.Attrs[FieldIP] != "":
		return "", fmt.Errorf("the IP resource %s is not below this resource", in.Attrs[FieldIP])
	case len(below) == 0:
		return "", fmt.Errorf("no IP resource is below this resource")
	case len(below) > 1:
		return "", fmt.Errorf("%d IP resources are below this resource, and the field ip does not say which is meant", len(below))
	}
	text := below[0].On[node]["address"]
	addr, err := netip.ParseAddr(text)
	if err != nil || !addr.Is4() {
		return "", fmt.Errorf("the IP resource %s has no IPv4 address on %s (%q)", below[0].Tag, node, text)
	}
	return addr.String(), nil
}

// named says whether the field ip means this resource; without the field every one is meant.
func named(in kits.Instance, tag string) bool {
	want := in.Attrs[FieldIP]
	return want == "" || want == tag || in.Cluster+"/"+want == tag
}
