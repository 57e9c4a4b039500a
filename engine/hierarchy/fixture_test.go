package hierarchy

import (
	"context"
	"net/netip"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// toyKit has a few fields of most kinds and refuses an address inside a VPC, as the
// IP kit does. It is never asked to act.
type toyKit struct {
	name   string
	fields []kits.Field
	tuning []kits.Tunable
}

func (k toyKit) Name() string                                   { return k.name }
func (k toyKit) Traits() kits.Traits                            { return kits.Traits{Replicated: k.name == "mirror"} }
func (k toyKit) Fields() []kits.Field                           { return k.fields }
func (k toyKit) Tunables() []kits.Tunable                       { return k.tuning }
func (toyKit) Effects(kits.Action, kits.Instance) []kits.Effect { return nil }
func (toyKit) Timeout(kits.Action, kits.Instance) time.Duration { return time.Second }

func (k toyKit) Validate(in kits.Instance) []kits.Problem {
	a, err := netip.ParseAddr(in.Attrs["address"])
	if err != nil {
		return nil
	}
	for _, c := range in.EstateCIDRs {
		if p, err := netip.ParsePrefix(c); err == nil && p.Contains(a) {
			return []kits.Problem{{Field: "address", Node: in.Node.Name, Text: a.String() + " lies inside the VPC's " + c, Fix: "choose an address outside every VPC"}}
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
			{Name: "address", Kind: kits.KindAddress, Required: true, PerNode: true},
			{Name: "netmask", Kind: kits.KindNetmask, Default: "255.255.255.255"},
			{Name: "device", Kind: kits.KindText, PerNode: true},
		}, tuning: []kits.Tunable{{Name: "NOBCASTPING", Default: "0"}, {Name: "IP_PAUSE", Default: "3", Unit: "s"}}},
		"ec2": toyKit{name: "ec2", fields: []kits.Field{
			{Name: "type", Kind: kits.KindChoice, Choices: []string{"route-table", "elastic-ip"}, Default: "route-table"},
			{Name: "ip", Kind: kits.KindResource},
		}},
		"app": toyKit{name: "app", fields: []kits.Field{
			{Name: "start", Kind: kits.KindPath, Required: true},
			{Name: "start_timeout", Kind: kits.KindDuration, Default: "60s"},
			{Name: "quiet", Kind: kits.KindBool},
			{Name: "allow", Kind: kits.KindCIDRs},
		}},
		"mirror": toyKit{name: "mirror"},
	}
}

// figure1 is the service cluster of the seed's Figure 1 with one vpn cluster.
func figure1() *Estate {
	on := func(attrs func(server string) map[string]string) []Placement {
		var all []Placement
		for i, s := range []string{"LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B"} {
			p := Placement{Server: s, Priority: i + 1}
			if attrs != nil {
				p.Attrs = attrs(s)
			}
			all = append(all, p)
		}
		return all
	}
	vip := func(server string) map[string]string {
		if server[3] == 'P' {
			return map[string]string{"address": "10.1.0.10"}
		}
		return map[string]string{"address": "10.2.0.10"}
	}
	return &Estate{
		Name: "figure1",
		Regions: []Region{
			{Name: "ap-northeast-1", VPC: "vpc-0p", CIDRs: []string{"10.0.0.0/16"}},
			{Name: "ap-southeast-1", VPC: "vpc-0s", CIDRs: []string{"172.16.0.0/16"}},
		},
		Servers: []Server{
			{Name: "LK_P_A", Region: "ap-northeast-1", Zone: "ap-northeast-1a", Address: "10.0.0.10"},
			{Name: "LK_P_B", Region: "ap-northeast-1", Zone: "ap-northeast-1c", Address: "10.0.10.10"},
			{Name: "LK_S_A", Region: "ap-southeast-1", Zone: "ap-southeast-1a", Address: "172.16.0.10"},
			{Name: "LK_S_B", Region: "ap-southeast-1", Zone: "ap-southeast-1c", Address: "172.16.10.10"},
			{Name: "VPN_P_A", Region: "ap-northeast-1", Zone: "ap-northeast-1a", Address: "10.0.0.5"},
			{Name: "VPN_P_B", Region: "ap-northeast-1", Zone: "ap-northeast-1c", Address: "10.0.10.5"},
		},
		Cluster: []Cluster{
			{Name: "service", Servers: []string{"LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B"}},
			{Name: "vpn-primary", Servers: []string{"VPN_P_A", "VPN_P_B"}},
		},
		Tuning: map[string]string{"CONFIRMSODEF": "1"},
		Res: []Resource{
			{Tag: "service/www", Kit: "app", Cluster: "service", Switchback: Intelligent,
				Children: []Tag{"service/ec2-route53"}, Attrs: map[string]string{"start": "/etc/www/start"}, On: on(nil)},
			{Tag: "service/ip-route53", Kit: "ip", Cluster: "service", Switchback: Intelligent, On: on(vip)},
			{Tag: "service/ec2-route53", Kit: "ec2", Cluster: "service", Switchback: Intelligent,
				Children: []Tag{"service/ip-route53"}, On: on(nil)},
		},
	}
}
