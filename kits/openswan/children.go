package openswan

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// The child that every openswan resource has: an ec2 resource that leads the peer region's
// subnets to the active node. Kits do not know each other; these are its words in a definition.
const (
	childKit          = "ec2"
	childType         = "type"
	childRouteTable   = "route-table"
	childDestinations = "destinations"
)

var (
	_ kits.ChildMaker = Kit{}
	_ kits.Carrier    = Kit{}
)

// Children reads from this node's ipsec.conf which networks the EC2 child must route here:
// the peer's subnets. A configuration that does not do, or could not be read, is an error
// that says what and where.
func (k Kit) Children(ctx context.Context, h kits.Host, in kits.Instance) ([]kits.Child, error) {
	con, err := k.Connection(ctx, h, in)
	if err != nil {
		return nil, fmt.Errorf("reading the connection %s of %s: %w", in.Attrs[FieldConnection], in.Node.Name, err)
	}
	var to []string
	for _, p := range PeerSubnets(con) {
		to = append(to, p.String())
	}
	return []kits.Child{{Kit: childKit, Tag: childTag(in), Attrs: map[string]string{
		childType: childRouteTable, childDestinations: strings.Join(to, ","),
	}}}, nil
}

// Carries are the destinations that the EC2 child leads to the active node.
func (Kit) Carries(in kits.Instance) []netip.Prefix {
	var out []netip.Prefix
	for _, c := range in.Children {
		if c.Kit != childKit {
			continue
		}
		for _, d := range strings.FieldsFunc(c.On[in.Node.Name][childDestinations], func(r rune) bool { return r == ',' || r == ' ' }) {
			if p, err := netip.ParsePrefix(d); err == nil {
				out = append(out, p)
			}
		}
	}
	return out
}

// childTag is "ec2-vpn1" beside "openswan-vpn1"; for a resource without a tag, or with one
// that does not begin so, the same of the whole tag or of the connection.
func childTag(in kits.Instance) string {
	about := strings.TrimPrefix(in.Tag, in.Cluster+"/")
	if about == "" {
		about = in.Attrs[FieldConnection]
	}
	return childKit + "-" + strings.TrimPrefix(about, Kit{}.Name()+"-")
}

// childProblem says what is wrong with the EC2 child on this node; nil when nothing is.
func childProblem(in kits.Instance) *kits.Problem {
	p := &kits.Problem{Field: "needs"}
	for _, c := range in.Children {
		on := c.On[in.Node.Name]
		if c.Kit != childKit || on[childType] != "" && on[childType] != childRouteTable {
			continue
		}
		if on[childDestinations] != "" {
			return nil
		}
		p.Node = in.Node.Name
		p.Text = fmt.Sprintf("%s, which leads the traffic here, has no destinations: nothing would be routed through the tunnel", c.Tag)
		p.Fix = fmt.Sprintf("write destinations = \"…\" at %s: the peer region's subnets, as rightsubnets or leftsubnets in ipsec.conf name them", c.Tag)
	}
	if p.Text == "" {
		p.Text = "it needs an ec2 resource of type route-table: without one, no traffic is led to the active node"
		p.Fix = fmt.Sprintf(`write needs = [%q] and that resource with kit = "ec2", type = "route-table" and destinations = the peer region's subnets; ferry resource create openswan makes both`,
			childTag(in))
	}
	return p
}
