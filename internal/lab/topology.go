package lab

import (
	"errors"
	"fmt"
	"net/netip"
)

// Topology describes the estate that [Start] builds. It is plain data; nothing in the package knows the names in it.
type Topology struct {
	Regions []Region
	Guests  []GuestSpec
	// Engine is the one address of the engine's namespace, the same towards every region. It lies outside every region.
	Engine netip.Addr
	// NoPeerLink leaves out the links between the routers: the regions then reach each other only through guests that
	// carry a tunnel. Without it, a route whose target is no guest of the lab goes over the peer link.
	NoPeerLink bool
	// Tunnels join regions through guests; see [EightNodes].
	Tunnels []Tunnel
}

// Region is one VPC: a router namespace, its subnets, and a client's namespace in one of them.
type Region struct {
	Name    string // as AWS spells it, for example ap-northeast-1
	CIDR    netip.Prefix
	Subnets []Subnet
	Client  netip.Addr // inside one of Subnets
	Routes  []Route    // the route table at the start and after each reset
}

// Subnet is one availability zone's subnet.
type Subnet struct {
	Zone    string
	CIDR    netip.Prefix
	Gateway netip.Addr // the router's address in it
}

// GuestSpec is one guest. Its subnet is the one of its region that holds Addr.
type GuestSpec struct {
	Name            string
	Region          string
	Addr            netip.Addr
	Public          netip.Addr // Elastic IP, if any: the router translates it, the guest does not know it
	ENI             string     // the network interface by which routes name it
	MemoryMB        int        // 0: 256
	DataMB          int        // a second disk, /dev/ubdb, all zeros at first; 0: none. It survives a power-off, and tests that wrote to it Spoil the guest
	SourceDestCheck bool       // on: the router drops what is not from or to Addr
}

// Route is one entry of a region's route table beside the local ones, which are implied.
type Route struct {
	Dest      netip.Prefix
	ENI       string // target; an interface that belongs to no guest means the peer link
	Blackhole bool   // packets are dropped, as EC2 does when the target's instance is stopped
}

// Regions, clients and guests of the worked example.
const (
	PrimaryRegion = "ap-northeast-1"
	StandbyRegion = "ap-southeast-1"
)

// FourNodes is the service side of the cross-region example: two regions, two zones each, one service node per zone.
// The routes send the other region and its virtual IP to the VPN node's interface, which the peer link stands for.
func FourNodes() Topology {
	return Topology{
		Engine: netip.MustParseAddr("192.168.100.10"),
		Regions: []Region{
			exampleRegion(PrimaryRegion, [2]string{"a", "c"}, "10.0.0.0/16", [2]string{"10.0.0.0/24", "10.0.10.0/24"}, "172.16.0.0/16", "10.2.0.0/16", "eni-vpn-p-a"),
			exampleRegion(StandbyRegion, [2]string{"a", "c"}, "172.16.0.0/16", [2]string{"172.16.0.0/24", "172.16.10.0/24"}, "10.0.0.0/16", "10.1.0.0/16", "eni-vpn-s-a"),
		},
		Guests: []GuestSpec{
			{Name: "LK_P_A", Region: PrimaryRegion, Addr: netip.MustParseAddr("10.0.0.10"), ENI: "eni-lk-p-a"},
			{Name: "LK_P_B", Region: PrimaryRegion, Addr: netip.MustParseAddr("10.0.10.10"), ENI: "eni-lk-p-b"},
			{Name: "LK_S_A", Region: StandbyRegion, Addr: netip.MustParseAddr("172.16.0.10"), ENI: "eni-lk-s-a"},
			{Name: "LK_S_B", Region: StandbyRegion, Addr: netip.MustParseAddr("172.16.10.10"), ENI: "eni-lk-s-b"},
		},
	}
}

func exampleRegion(name string, zones [2]string, cidr string, subnets [2]string, peer, peerVIPs, vpnENI string) Region {
	r := Region{Name: name, CIDR: netip.MustParsePrefix(cidr)}
	for i, s := range subnets {
		p := netip.MustParsePrefix(s)
		r.Subnets = append(r.Subnets, Subnet{Zone: name + zones[i], CIDR: p, Gateway: p.Addr().Next()})
	}
	client := r.Subnets[0].CIDR.Addr().As4()
	client[3] = 200
	r.Client = netip.AddrFrom4(client)
	r.Routes = []Route{
		{Dest: netip.MustParsePrefix(peer), ENI: vpnENI},
		{Dest: netip.MustParsePrefix(peerVIPs), ENI: vpnENI},
	}
	return r
}

// Validate says what is wrong with t, or returns nil.
func (t Topology) Validate() error {
	var errs []error
	bad := func(format string, a ...any) { errs = append(errs, fmt.Errorf(format, a...)) }
	if len(t.Regions) == 0 || len(t.Guests) == 0 {
		bad("a topology needs a region and a guest")
	}
	if len(t.Regions) > 8 || len(t.Guests) > 64 {
		bad("at most 8 regions and 64 guests")
	}
	if !t.Engine.Is4() {
		bad("the engine needs an IPv4 address")
	}
	names, addrs := map[string]bool{EngineNS: true}, map[netip.Addr]bool{}
	taken := func(kind, name string, a netip.Addr) {
		if name == "" || names[name] {
			bad("%s %q: no name, or the name is taken", kind, name)
		}
		if addrs[a] {
			bad("%s %s: address %s is taken", kind, name, a)
		}
		names[name], addrs[a] = true, true
	}
	for _, r := range t.Regions {
		if r.CIDR.Contains(t.Engine) {
			bad("the engine's address %s lies inside region %s", t.Engine, r.Name)
		}
		if _, ok := r.subnet(r.Client); !ok {
			bad("region %s: the client's address %s is in none of its subnets", r.Name, r.Client)
		}
		taken("region", r.Name, r.Client)
	}
	for _, g := range t.Guests {
		taken("guest", g.Name, g.Addr)
		i, ok := t.regionIndex(g.Region)
		if !ok {
			bad("guest %s: there is no region %q", g.Name, g.Region)
			continue
		}
		if _, ok := t.Regions[i].subnet(g.Addr); !ok {
			bad("guest %s: address %s is in no subnet of %s", g.Name, g.Addr, g.Region)
		}
		if g.Public.IsValid() && (!g.Public.Is4() || g.Public.IsPrivate() || addrs[g.Public]) {
			bad("guest %s: %s is no public IPv4 address, or is taken", g.Name, g.Public)
		}
		addrs[g.Public] = g.Public.IsValid()
	}
	t.validateTunnels(bad)
	return errors.Join(errs...)
}

// subnet is the one of r that holds a.
func (r Region) subnet(a netip.Addr) (Subnet, bool) {
	for _, s := range r.Subnets {
		if s.CIDR.Contains(a) {
			return s, true
		}
	}
	return Subnet{}, false
}

func (t Topology) regionIndex(name string) (int, bool) {
	for i, r := range t.Regions {
		if r.Name == name {
			return i, true
		}
	}
	return 0, false
}
