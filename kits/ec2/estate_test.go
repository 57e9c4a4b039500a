package ec2_test

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/awscloud"
	"github.com/ferry-ha/ferry/kits/ec2"
)

// The places of the seed's Figure 1.
const (
	tokyo, singapore     = "ap-northeast-1", "ap-southeast-1"
	primaryVPC           = "vpc-primary"
	standbyVPC           = "vpc-standby"
	vip, peerVIPs, peers = "10.1.0.10/32", "10.2.0.0/16", "172.16.0.0/16"
)

// figure1 is the simulated AWS of the seed's Figure 1, before anything of ours is in service: the routes its chapters
// 4 and 5 begin with.
func figure1() ec2sim.World {
	node := func(name, subnet, ip string) (ec2sim.Instance, ec2sim.Interface) {
		return ec2sim.Instance{ID: "i-" + name, Name: name}, ec2sim.Interface{ID: "eni-" + name, Name: name, Subnet: subnet, PrivateIP: ip, Instance: "i-" + name}
	}
	w := ec2sim.World{
		Keys: []ec2sim.Key{{ID: "AKIAFERRY", Secret: "secret"}},
		Regions: []ec2sim.Region{
			{
				Name: tokyo,
				VPCs: []ec2sim.VPC{{ID: primaryVPC, CIDRs: []string{"10.0.0.0/16"}}},
				Subnets: []ec2sim.Subnet{
					{ID: "subnet-pa", VPC: primaryVPC, Zone: tokyo + "a", CIDR: "10.0.0.0/24"},
					{ID: "subnet-pb", VPC: primaryVPC, Zone: tokyo + "c", CIDR: "10.0.10.0/24"},
				},
				RouteTables: []ec2sim.RouteTable{{ID: "rtb-primary", Name: "Primary", VPC: primaryVPC, Main: true, Routes: []ec2sim.Route{
					{Destination: "0.0.0.0/0", Gateway: "igw-p"},
					{Destination: vip, Interface: "eni-LK_P_A"}, {Destination: peerVIPs, Interface: "eni-VPN_P_A"}, {Destination: peers, Interface: "eni-VPN_P_A"},
				}}},
			},
			{
				Name:    singapore,
				VPCs:    []ec2sim.VPC{{ID: standbyVPC, CIDRs: []string{"172.16.0.0/16"}}},
				Subnets: []ec2sim.Subnet{{ID: "subnet-sa", VPC: standbyVPC, Zone: singapore + "a", CIDR: "172.16.0.0/24"}},
				RouteTables: []ec2sim.RouteTable{{ID: "rtb-standby", Name: "Standby", VPC: standbyVPC, Main: true, Routes: []ec2sim.Route{
					{Destination: "10.2.0.10/32", Interface: "eni-LK_S_A"},
				}}},
			},
		},
	}
	for _, n := range []struct{ name, subnet, ip string }{
		{"LK_P_A", "subnet-pa", "10.0.0.10"}, {"LK_P_B", "subnet-pb", "10.0.10.10"}, {"VPN_P_A", "subnet-pa", "10.0.0.5"},
		{"VPN_P_B", "subnet-pb", "10.0.10.5"}, {"LK_S_A", "subnet-sa", "172.16.0.10"},
	} {
		i, eni := node(n.name, n.subnet, n.ip)
		r := &w.Regions[0]
		if n.subnet == "subnet-sa" {
			r = &w.Regions[1]
		}
		r.Instances, r.Interfaces = append(r.Instances, i), append(r.Interfaces, eni)
	}
	return w
}

// estate is Figure 1 with the kit on top of it, over the real awscloud and the real SDK.
type estate struct {
	*ec2sim.Server
	kit ec2.Kit
	// tables are the route tables the definition names for the Primary Region.
	tables []string
}

// newEstate builds the estate; change may alter the world before. Credentials come from the environment, as on a
// laptop; nothing of the machine's own AWS configuration is read.
func newEstate(t *testing.T, change func(*ec2sim.World)) *estate {
	t.Helper()
	w := figure1()
	if change != nil {
		change(&w)
	}
	s, err := ec2sim.New(w, ec2sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return &estate{Server: s, kit: ec2.New(awscloud.New(awscloud.Options{Transport: s.Transport()}))}
}

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAFERRY")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	synctest.Test(t, test)
}

// service is the resource ec2-route53 of the service cluster on a node, above the IP resource ip-route53.
func (e *estate) service(node string) kits.Instance {
	in := e.instance(node, "service/ec2-route53", "service")
	on := map[string]map[string]string{}
	for _, n := range []string{"LK_P_A", "LK_P_B"} {
		on[n] = map[string]string{"address": "10.1.0.10"}
	}
	on["LK_S_A"] = map[string]string{"address": "10.2.0.10"}
	in.Children = []kits.Relative{{Tag: "service/ip-route53", Kit: "ip", On: on}}
	return in
}

// vpn is the resource ec2-vpn1 of the cluster vpn-primary, which protects the peer region's networks.
func (e *estate) vpn(node string) kits.Instance {
	in := e.instance(node, "vpn-primary/ec2-vpn1", "vpn-primary")
	in.Attrs[ec2.FieldDestinations] = "10.2.0.0/16, 172.16.0.0/16"
	return in
}

func (e *estate) instance(node, tag, cluster string) kits.Instance {
	nodes := map[string]kits.Node{}
	for _, n := range []string{"LK_P_A", "LK_P_B", "VPN_P_A", "VPN_P_B", "LK_S_A"} {
		nodes[n] = kits.Node{Name: n, Region: tokyo, VPC: primaryVPC, VPCCIDRs: []string{"10.0.0.0/16"}, ENI: "eni-" + n, Instance: "i-" + n}
	}
	nodes["LK_S_A"] = kits.Node{Name: "LK_S_A", Region: singapore, VPC: standbyVPC, VPCCIDRs: []string{"172.16.0.0/16"}, ENI: "eni-LK_S_A", Instance: "i-LK_S_A"}
	return kits.Instance{
		Tag: tag, Kit: "ec2", Cluster: cluster, Node: nodes[node], Nodes: nodes,
		Attrs: map[string]string{ec2.FieldType: ec2.TypeRouteTable},
		Regions: map[string]kits.Region{
			tokyo:     {Name: tokyo, VPC: primaryVPC, RouteTables: e.tables},
			singapore: {Name: singapore, VPC: standbyVPC},
		},
	}
}

// targets is a route table as destination → target.
func (e *estate) targets(table string) map[string]string {
	w := e.Snapshot()
	return w.Table(table).Targets()
}

// writes are the changes asked for since the log was emptied: "ReplaceRoute 10.1.0.10/32 in rtb-primary".
func (e *estate) writes() []string {
	var out []string
	for _, c := range e.Writes() {
		out = append(out, c.Action+" "+c.Params["DestinationCidrBlock"]+" in "+c.Params["RouteTableId"])
	}
	slices.SortFunc(out, cmp.Compare[string])
	return out
}

// act runs one action as the runner does: with the kit's own deadline.
func (e *estate) act(t *testing.T, a kits.Action, in kits.Instance) kits.Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), e.kit.Timeout(a, in))
	defer cancel()
	do := map[kits.Action]func(context.Context, kits.Host, kits.Instance) kits.Report{
		kits.ActCheck: e.kit.Check, kits.ActStart: e.kit.Start, kits.ActStop: e.kit.Stop, kits.ActRecover: e.kit.Recover,
	}
	return do[a](ctx, nil, in)
}

func (e *estate) eligible(t *testing.T, in kits.Instance) kits.Eligibility {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), e.kit.Timeout(kits.ActEligible, in))
	defer cancel()
	return e.kit.Eligible(ctx, nil, in)
}

// want fails the test unless the report has this outcome and its reason this code.
func want(t *testing.T, r kits.Report, o kits.Outcome, code string) {
	t.Helper()
	if r.Outcome != o || r.Reason.Code != code {
		t.Fatalf("got %s, %q (%s); want %s, %q", r.Outcome, r.Reason.Code, r.Reason.Text, o, code)
	}
}

var _ ec2.Cloud = (*awscloud.Cloud)(nil)
