package ec2

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// Validate judges the fields of one node.
func (Kit) Validate(in kits.Instance) []kits.Problem {
	var out []kits.Problem
	add := func(field, fix, format string, args ...any) {
		out = append(out, kits.Problem{Field: field, Node: in.Node.Name, Text: fmt.Sprintf(format, args...), Fix: fix})
	}
	switch in.Attr(FieldType, TypeRouteTable) {
	case TypeRouteTable, TypeElasticIP:
	default:
		add(FieldType, `write type = "route-table" or "elastic-ip"`, "%q is not a type of EC2 resource", in.Attrs[FieldType])
	}
	if eni := eniOf(in); !strings.HasPrefix(eni, "eni-") {
		add(FieldENI, `set eni of the server, or the resource's eni there, like "eni-0123456789abcdef0"`, "the network interface of %s is not known (%q)", in.Node.Name, eni)
	}
	if in.Node.Region == "" || in.Node.VPC == "" {
		add("", "set the server's region and that region's vpc", "the VPC of %s is not known", in.Node.Name)
	}
	if in.Attr(FieldCredentials, CredRegion) == CredProfile && in.Attrs[FieldProfile] == "" {
		add(FieldProfile, `write profile = "NAME", or credentials = "default"`, "credentials is profile, but no profile is named")
	}
	if isEIP(in) {
		return append(out, eipProblems(in)...)
	}
	return append(out, destinationProblems(in)...)
}

func isIPv4(text string) bool {
	a, err := netip.ParseAddr(text)
	return err == nil && a.Is4()
}

func destinationProblems(in kits.Instance) []kits.Problem {
	field := FieldDestinations
	if in.Attrs[FieldDestinations] == "" {
		field = FieldIP
	}
	problem := func(text, fix string) kits.Problem {
		return kits.Problem{Field: field, Node: in.Node.Name, Text: text, Fix: fix}
	}
	dests, err := destinations(in)
	switch {
	case err != nil:
		return []kits.Problem{problem(err.Error(), `write IPv4 addresses and blocks, like "10.2.0.0/16"`)}
	case len(dests) == 0 && in.Attrs[FieldIP] != "":
		return []kits.Problem{problem(fmt.Sprintf("the IP resource %s is not below this resource", in.Attrs[FieldIP]), "make it a child")}
	case len(dests) == 0:
		return []kits.Problem{problem("nothing says which destinations are protected", "make an IP resource a child, or set destinations")}
	}
	var out []kits.Problem
	for _, d := range dests {
		for _, text := range in.Node.VPCCIDRs {
			if block, err := netip.ParsePrefix(text); err == nil && block.Contains(d.Addr()) && d.Bits() >= block.Bits() {
				out = append(out, problem(fmt.Sprintf("the destination %s lies inside %s, the VPC of %s itself", d, text, in.Node.Name),
					"choose a destination outside the VPC"))
			}
		}
	}
	return out
}

// Effects tells which routes a start will point to the node, or where it takes the Elastic IP, as far as the definition alone says it; Preview asks AWS.
func (Kit) Effects(a kits.Action, in kits.Instance) []kits.Effect {
	if a != kits.ActStart && a != kits.ActRecover {
		return nil
	}
	if isEIP(in) {
		return eipEffects(in)
	}
	dests, err := destinations(in)
	if err != nil {
		return nil
	}
	from := ""
	if in.Active != "" && in.Active != in.Node.Name && in.Nodes[in.Active].VPC == in.Node.VPC {
		from = name(in, eniOn(in, in.Active))
	}
	var out []kits.Effect
	for _, d := range dests {
		for _, place := range places(in) {
			out = append(out, kits.Effect{Kind: "route", What: fmt.Sprintf("%s in %s", d, place), From: from, To: name(in, eniOf(in))})
		}
	}
	return out
}

// places are the tables of the definition, or words for those that only AWS knows.
func places(in kits.Instance) []string {
	if tables := in.Regions[in.Node.Region].RouteTables; len(tables) > 0 {
		return tables
	}
	return []string{"every route table of " + in.Node.VPC + " that holds it"}
}

// Preview asks AWS and tells exactly what a start would change or create now. It changes nothing.
func (k Kit) Preview(ctx context.Context, in kits.Instance) ([]kits.Effect, error) {
	if isEIP(in) {
		return k.previewEIP(ctx, in)
	}
	entries, bad := k.read(ctx, in)
	if bad != nil {
		return nil, fmt.Errorf("previewing the routes of %s: %s", in.Tag, bad.Reason.Text)
	}
	return effectsOf(in, entries), nil
}
