package config

import (
	"context"
	"net/netip"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// toyKit declares fields of every kind and judges addresses as the IP kit does. It
// is never asked to act.
type toyKit struct {
	name   string
	fields []kits.Field
}

func (k toyKit) Name() string                                   { return k.name }
func (k toyKit) Traits() kits.Traits                            { return kits.Traits{} }
func (k toyKit) Fields() []kits.Field                           { return k.fields }
func (toyKit) Tunables() []kits.Tunable                         { return nil }
func (toyKit) Effects(kits.Action, kits.Instance) []kits.Effect { return nil }
func (toyKit) Timeout(kits.Action, kits.Instance) time.Duration { return time.Second }

func (k toyKit) Validate(in kits.Instance) []kits.Problem {
	a, err := netip.ParseAddr(in.Attrs["address"])
	if err != nil {
		return nil
	}
	for _, c := range in.EstateCIDRs {
		if p, err := netip.ParsePrefix(c); err == nil && p.Contains(a) {
			return []kits.Problem{{
				Field: "address", Node: in.Node.Name,
				Text: "the virtual IP " + a.String() + " lies inside the VPC CIDR " + c, Fix: "write an address outside every VPC",
			}}
		}
	}
	return nil
}

func (toyKit) Eligible(context.Context, kits.Host, kits.Instance) kits.Eligibility {
	return kits.Eligibility{}
}
func (toyKit) Check(context.Context, kits.Host, kits.Instance) kits.Report   { return kits.Report{} }
func (toyKit) Start(context.Context, kits.Host, kits.Instance) kits.Report   { return kits.Report{} }
func (toyKit) Stop(context.Context, kits.Host, kits.Instance) kits.Report    { return kits.Report{} }
func (toyKit) Recover(context.Context, kits.Host, kits.Instance) kits.Report { return kits.Report{} }

func toyKits() kits.Registry {
	return kits.Registry{
		"ip": toyKit{name: "ip", fields: []kits.Field{
			{Name: "address", Label: "IP address", Kind: kits.KindAddress, Required: true, PerNode: true},
			{Name: "netmask", Label: "Netmask", Kind: kits.KindNetmask, Default: "255.255.255.255"},
			{Name: "interface", Label: "Network interface", Kind: kits.KindText, PerNode: true},
		}},
		"ec2": toyKit{name: "ec2", fields: []kits.Field{
			{Name: "type", Label: "EC2 resource type", Kind: kits.KindChoice, Choices: []string{"route-table"}, Default: "route-table"},
			{Name: "ip", Label: "IP resource", Kind: kits.KindResource},
			{Name: "destinations", Label: "Destinations", Kind: kits.KindCIDRs},
			{Name: "eni", Label: "ENI", Kind: kits.KindText, PerNode: true},
			{Name: "key", Label: "Access key", Kind: kits.KindSecret},
		}},
		"app": toyKit{name: "app", fields: []kits.Field{
			{Name: "start", Label: "Start script", Kind: kits.KindPath, Required: true},
			{Name: "start_timeout", Label: "Start timeout", Kind: kits.KindDuration, Default: "60"},
			{Name: "quiet", Label: "Quiet", Kind: kits.KindBool},
		}},
	}
}

// twoNodes is a small good definition that bad ones are made from.
const twoNodes = `[estate]
name = "two-nodes"

[region.ap-northeast-1]
vpc = "vpc-0a1"
cidrs = ["10.0.0.0/16"]

[server.NODE_A]
region = "ap-northeast-1"
zone = "ap-northeast-1a"
address = "10.0.0.10"

[server.NODE_B]
region = "ap-northeast-1"
zone = "ap-northeast-1c"
address = "10.0.10.10"

[cluster.service]
servers = ["NODE_A", "NODE_B"]

[cluster.service.resource.ip-www]
kit = "ip"
on.NODE_A = { priority = 1, address = "10.1.0.10" }
on.NODE_B = { priority = 2, address = "10.1.0.10" }

[cluster.service.resource.ec2-www]
kit = "ec2"
needs = ["ip-www"]
on = ["NODE_A", "NODE_B"]

[cluster.service.resource.www]
kit = "app"
needs = ["ec2-www"]
start = "/opt/www/start"
on = ["NODE_A", "NODE_B"]
`
