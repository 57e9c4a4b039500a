package ec2sim_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
)

// figure1 is the Primary Region of the seed's Figure 1, with a second route table, a spare interface, and a Standby
// Region that holds just enough to be somebody else's.
func figure1() ec2sim.World {
	enis := []ec2sim.Interface{
		{ID: "eni-lkpa", Name: "LK_P_A", Subnet: "subnet-pa", PrivateIP: "10.0.0.10", SecondaryIPs: []string{"10.0.0.11"}, Instance: "i-lkpa"},
		{ID: "eni-lkpb", Name: "LK_P_B", Subnet: "subnet-pb", PrivateIP: "10.0.10.10", Instance: "i-lkpb", SourceDestCheck: true},
		{ID: "eni-vpnpa", Name: "VPN_P_A", Subnet: "subnet-pa", PrivateIP: "10.0.0.5", Instance: "i-vpnpa"},
		{ID: "eni-vpnpb", Name: "VPN_P_B", Subnet: "subnet-pb", PrivateIP: "10.0.10.5", Instance: "i-vpnpb"},
		{ID: "eni-two0", Subnet: "subnet-pb", PrivateIP: "10.0.10.20", Instance: "i-two"},
		{ID: "eni-two1", Subnet: "subnet-pb", PrivateIP: "10.0.10.21", Instance: "i-two", DeviceIndex: 1},
		{ID: "eni-spare", Subnet: "subnet-pb", PrivateIP: "10.0.10.99"},
	}
	primary := ec2sim.Region{
		Name: "ap-northeast-1",
		VPCs: []ec2sim.VPC{{ID: "vpc-primary", Name: "Primary_VPC", CIDRs: []string{"10.0.0.0/16"}}},
		Subnets: []ec2sim.Subnet{
			{ID: "subnet-pa", VPC: "vpc-primary", Zone: "ap-northeast-1a", CIDR: "10.0.0.0/24"},
			{ID: "subnet-pb", VPC: "vpc-primary", Zone: "ap-northeast-1c", CIDR: "10.0.10.0/24"},
		},
		RouteTables: []ec2sim.RouteTable{
			{ID: "rtb-main", Name: "Primary", VPC: "vpc-primary", Main: true, Routes: []ec2sim.Route{
				{Destination: "0.0.0.0/0", Gateway: "igw-1"},
				{Destination: "10.1.0.10/32", Interface: "eni-lkpa"},
				{Destination: "10.2.0.0/16", Interface: "eni-vpnpa"},
				{Destination: "172.16.0.0/16", Interface: "eni-vpnpa"},
			}},
			{ID: "rtb-extra", VPC: "vpc-primary", Subnets: []string{"subnet-pb"}, Routes: []ec2sim.Route{
				{Destination: "10.1.0.10/32", Interface: "eni-lkpa"},
			}},
		},
		Instances: []ec2sim.Instance{
			{ID: "i-lkpa", Name: "LK_P_A"}, {ID: "i-lkpb", Name: "LK_P_B"},
			{ID: "i-vpnpa", Name: "VPN_P_A"}, {ID: "i-vpnpb", Name: "VPN_P_B"}, {ID: "i-two", Name: "two interfaces"},
		},
		ACLs: []ec2sim.NetworkACL{{ID: "acl-tight", VPC: "vpc-primary", Subnets: []string{"subnet-pb"}, In: []ec2sim.ACLEntry{
			{Number: 95, Allow: true, Protocol: "1", From: 8, To: -1, CIDR: "10.0.0.0/16"},
			{Number: 90, Allow: true, Protocol: "6", From: 22, To: 22, CIDR: "0.0.0.0/0"},
		}}},
		Interfaces: enis,
		Addresses:  []ec2sim.Address{{AllocationID: "eipalloc-1", PublicIP: "54.249.2.50"}},
	}
	standby := ec2sim.Region{
		Name:        "ap-southeast-1",
		VPCs:        []ec2sim.VPC{{ID: "vpc-standby", CIDRs: []string{"172.16.0.0/16"}}, {ID: "vpc-foreign", CIDRs: []string{"192.168.0.0/16"}, Owner: "999999999999"}},
		Subnets:     []ec2sim.Subnet{{ID: "subnet-sa", VPC: "vpc-standby", Zone: "ap-southeast-1a", CIDR: "172.16.0.0/24"}},
		RouteTables: []ec2sim.RouteTable{{ID: "rtb-standby", VPC: "vpc-standby", Main: true}, {ID: "rtb-foreign", VPC: "vpc-foreign", Main: true}},
		Instances:   []ec2sim.Instance{{ID: "i-lksa", Name: "LK_S_A"}},
		Interfaces:  []ec2sim.Interface{{ID: "eni-lksa", Subnet: "subnet-sa", PrivateIP: "172.16.0.10", Instance: "i-lksa"}},
	}
	return ec2sim.World{
		Regions: []ec2sim.Region{primary, standby},
		Keys: []ec2sim.Key{
			{ID: "AKIAFERRY", Secret: "ferry-secret"},
			{ID: "AKIAREADER", Secret: "reader-secret", Deny: []string{"*Route", "StopInstances", "AssociateAddress"}},
			{ID: "AKIAFOREIGN", Secret: "foreign-secret", Account: "999999999999"},
			{ID: "ASIATEMP", Secret: "temp-secret", Token: "token-1", ARN: "arn:aws:sts::123456789012:assumed-role/ferry/i-0engine"},
			{ID: "ASIAOLD", Secret: "old-secret", Token: "token-2", Expires: time.Unix(1, 0)},
		},
	}
}

// serve starts the endpoint on a real listener.
func serve(t *testing.T, o ec2sim.Options) (*ec2sim.Server, string) {
	t.Helper()
	s, err := ec2sim.New(figure1(), o)
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(s)
	t.Cleanup(func() { s.Close(); listener.Close() })
	return s, listener.URL
}
