package ec2

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// accessOf says where and as whom AWS is called for this node.
func accessOf(in kits.Instance) cloud.Access {
	region := in.Regions[in.Node.Region]
	a := cloud.Access{Region: in.Node.Region, Endpoint: in.Attr(FieldEndpoint, region.EndpointEC2)}
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

// eniOf is the interface that takes the traffic on this node.
func eniOf(in kits.Instance) string { return in.Attr(FieldENI, in.Node.ENI) }

// nodeOf is the node that an interface belongs to in the definition; empty when none.
func nodeOf(in kits.Instance, eni string) string {
	if eni == eniOf(in) {
		return in.Node.Name
	}
	for name := range in.Nodes {
		if eni == eniOn(in, name) {
			return name
		}
	}
	return ""
}

// eniOn is the interface that takes the traffic on another node.
func eniOn(in kits.Instance, node string) string {
	if eni := in.On[node][FieldENI]; eni != "" {
		return eni
	}
	return in.Nodes[node].ENI
}

// name shows a route's target to people: "eni-1 (LK_P_A)".
func name(in kits.Instance, target string) string {
	if node := nodeOf(in, target); node != "" && target != "" {
		return target + " (" + node + ")"
	}
	if target == "" {
		return "nothing"
	}
	return target
}

// destinations are the protected ones on this node: the field's, or the addresses of the IP resources below.
func destinations(in kits.Instance) ([]netip.Prefix, error) {
	if text := in.Attrs[FieldDestinations]; text != "" {
		return parseCIDRs(text)
	}
	var out []netip.Prefix
	for _, child := range in.Children {
		if child.Kit != "ip" || !named(in, child.Tag) {
			continue
		}
		text := child.On[in.Node.Name]["address"]
		addr, err := netip.ParseAddr(text)
		if err != nil || !addr.Is4() {
			return nil, fmt.Errorf("the IP resource %s has no IPv4 address on %s (%q)", child.Tag, in.Node.Name, text)
		}
		out = append(out, netip.PrefixFrom(addr, 32))
	}
	return unique(out), nil
}

// named says whether the field ip means this resource; without the field every one is meant.
func named(in kits.Instance, tag string) bool {
	want := in.Attrs[FieldIP]
	return want == "" || want == tag || in.Cluster+"/"+want == tag
}

// parseCIDRs reads blocks separated by commas or blanks, in canonical form and each once.
func parseCIDRs(text string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \t\n", r) }) {
		p, err := netip.ParsePrefix(part)
		if err != nil || !p.Addr().Is4() {
			return nil, fmt.Errorf("%q is not an IPv4 CIDR block", part)
		}
		out = append(out, p.Masked())
	}
	return unique(out), nil
}

func unique(list []netip.Prefix) []netip.Prefix {
	slices.SortFunc(list, func(a, b netip.Prefix) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(list)
}
