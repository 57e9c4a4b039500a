package awscloud_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/kits/awscloud"
	"github.com/ferry-ha/ferry/kits/cloud"
)

const region = "ap-northeast-1"

// world is one VPC with two nodes, seven route tables (more than a page), and an Elastic IP.
func world() ec2sim.World {
	r := ec2sim.Region{
		Name:    region,
		VPCs:    []ec2sim.VPC{{ID: "vpc-1", CIDRs: []string{"10.0.0.0/16"}}},
		Subnets: []ec2sim.Subnet{{ID: "subnet-1", VPC: "vpc-1", Zone: region + "a", CIDR: "10.0.0.0/24"}},
		RouteTables: []ec2sim.RouteTable{
			{ID: "rtb-1", Name: "Primary", VPC: "vpc-1", Main: true, Subnets: []string{"subnet-1"}, Routes: []ec2sim.Route{
				{Destination: "0.0.0.0/0", Gateway: "igw-1"}, {Destination: "10.1.0.10/32", Interface: "eni-a"},
			}},
		},
		Instances: []ec2sim.Instance{{ID: "i-a"}, {ID: "i-b"}},
		Interfaces: []ec2sim.Interface{
			{ID: "eni-a", Name: "a", Subnet: "subnet-1", PrivateIP: "10.0.0.10", SecondaryIPs: []string{"10.0.0.11"}, Instance: "i-a"},
			{ID: "eni-b", Subnet: "subnet-1", PrivateIP: "10.0.0.20", Instance: "i-b", SourceDestCheck: true},
		},
		Addresses: []ec2sim.Address{{AllocationID: "eipalloc-1", PublicIP: "54.249.2.50", Association: "eipassoc-0", Interface: "eni-a", PrivateIP: "10.0.0.10"}},
	}
	for _, id := range []string{"rtb-2", "rtb-3", "rtb-4", "rtb-5", "rtb-6", "rtb-7"} {
		r.RouteTables = append(r.RouteTables, ec2sim.RouteTable{ID: id, VPC: "vpc-1"})
	}
	return ec2sim.World{Regions: []ec2sim.Region{r}, Keys: []ec2sim.Key{
		{ID: "AKIAFERRY", Secret: "ferry-secret"},
		{ID: "AKIAPROFILE", Secret: "profile-secret"},
		{ID: "ASIAROLE", Secret: "role-secret", Token: "role-token"},
		{ID: "AKIAREADER", Secret: "reader-secret", Deny: []string{"ReplaceRoute"}},
	}}
}

// ferryKey is the access of the tests that are not about credentials.
func ferryKey() cloud.Access {
	return cloud.Access{Region: region, Source: cloud.FromKey, Key: cloud.KeyPair{ID: "AKIAFERRY", Secret: "ferry-secret"}}
}

// setup is a simulated EC2 and a Cloud that talks to it.
func setup(t *testing.T, o ec2sim.Options) (*ec2sim.Server, *awscloud.Cloud) {
	t.Helper()
	s, err := ec2sim.New(world(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, awscloud.New(awscloud.Options{
		Transport: s.Transport(),
		Access: func(r string) cloud.Access {
			a := ferryKey()
			a.Region = r
			return a
		},
	})
}

// isolate keeps the machine's own AWS configuration out of a test.
func isolate(t *testing.T) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_PROFILE": "", "AWS_ACCESS_KEY_ID": "",
		"AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_EC2": "", "AWS_REGION": "",
		"AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
}

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	isolate(t)
	synctest.Test(t, test)
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
