package edit

import (
	"context"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// toyKit only has fields; it is never asked to act.
type toyKit struct {
	name   string
	fields []kits.Field
}

func (k toyKit) Name() string                                                  { return k.name }
func (k toyKit) Traits() kits.Traits                                           { return kits.Traits{} }
func (k toyKit) Fields() []kits.Field                                          { return k.fields }
func (k toyKit) Tunables() []kits.Tunable                                      { return nil }
func (k toyKit) Validate(kits.Instance) []kits.Problem                         { return nil }
func (k toyKit) Effects(kits.Action, kits.Instance) []kits.Effect              { return nil }
func (k toyKit) Timeout(kits.Action, kits.Instance) time.Duration              { return time.Second }
func (k toyKit) Check(context.Context, kits.Host, kits.Instance) kits.Report   { panic("no") }
func (k toyKit) Start(context.Context, kits.Host, kits.Instance) kits.Report   { panic("no") }
func (k toyKit) Stop(context.Context, kits.Host, kits.Instance) kits.Report    { panic("no") }
func (k toyKit) Recover(context.Context, kits.Host, kits.Instance) kits.Report { panic("no") }
func (k toyKit) Eligible(context.Context, kits.Host, kits.Instance) kits.Eligibility {
	panic("no")
}

func toyKits() kits.Registry {
	return kits.Registry{
		"ip": toyKit{"ip", []kits.Field{
			{Name: "address", Label: "IP address", Kind: kits.KindAddress, Required: true, PerNode: true},
			{Name: "netmask", Label: "Netmask", Kind: kits.KindNetmask, Default: "255.255.255.255"},
			{Name: "device", Label: "Device", Kind: kits.KindText, PerNode: true},
		}},
		"ec2": toyKit{"ec2", []kits.Field{
			{Name: "type", Kind: kits.KindChoice, Choices: []string{"route-table", "elastic-ip"}, Default: "route-table"},
			{Name: "ip", Label: "IP resource", Kind: kits.KindResource},
			{Name: "eni", Label: "ENI", Kind: kits.KindText, PerNode: true},
			{Name: "key", Label: "Key", Kind: kits.KindSecret},
		}},
		"app": toyKit{"app", []kits.Field{{Name: "start", Kind: kits.KindPath, Required: true}}},
	}
}

// estate is a service cluster over two regions on three of its four servers, and a
// VPN pair.
func estate() *hierarchy.Estate {
	on := func(address bool) []hierarchy.Placement {
		all := []hierarchy.Placement{{Server: "LK_P_A", Priority: 1}, {Server: "LK_P_B", Priority: 2}, {Server: "LK_S_A", Priority: 3}}
		for i := range all {
			if address {
				all[i].Attrs = map[string]string{"address": []string{"10.1.0.10", "10.1.0.10", "10.2.0.10"}[i]}
			}
		}
		return all
	}
	server := func(name, region, address string) hierarchy.Server {
		return hierarchy.Server{Name: name, Region: region, Zone: region + "a", Address: address}
	}
	return hierarchy.Normalize(&hierarchy.Estate{
		Name:    "toy",
		Regions: []hierarchy.Region{{Name: "north", CIDRs: []string{"10.0.0.0/16"}}, {Name: "south", CIDRs: []string{"172.16.0.0/16"}}},
		Servers: []hierarchy.Server{
			server("LK_P_A", "north", "10.0.0.10"), server("LK_P_B", "north", "10.0.10.10"),
			server("LK_S_A", "south", "172.16.0.10"), server("LK_S_B", "south", "172.16.10.10"),
			server("VPN_P_A", "north", "10.0.0.5"), server("VPN_P_B", "north", "10.0.10.5"),
		},
		Cluster: []hierarchy.Cluster{
			{Name: "service", Servers: []string{"LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B"}},
			{Name: "vpn", Servers: []string{"VPN_P_A", "VPN_P_B"}},
		},
		Tuning: map[string]string{"CONFIRMSODEF": "1"},
		Res: []hierarchy.Resource{
			{Tag: "service/www", Kit: "app", Cluster: "service", Children: []hierarchy.Tag{"service/ec2"},
				Attrs: map[string]string{"start": "/www"}, On: on(false)},
			{Tag: "service/ec2", Kit: "ec2", Cluster: "service", Children: []hierarchy.Tag{"service/ip"},
				Attrs: map[string]string{"ip": "ip"}, On: on(false)},
			{Tag: "service/ip", Kit: "ip", Cluster: "service", On: on(true)},
			{Tag: "vpn/lone", Kit: "app", Cluster: "vpn", Attrs: map[string]string{"start": "/lone"},
				On: []hierarchy.Placement{{Server: "VPN_P_A", Priority: 1}}},
		},
	})
}
