package lab

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
)

// Interfaces inside a router.
const (
	engineLink = "eng"
	clientLink = "cli"
	mgmtBridge = "mg"
	mgmtUplink = "mgup"
)

func tapName(i int) string  { return fmt.Sprintf("g%d", i) } // guest i, in its region's router
func mtapName(i int) string { return fmt.Sprintf("m%d", i) } // its management port
func peerName(j int) string { return fmt.Sprintf("peer%d", j) }

// Addresses of links that nobody outside the lab's own namespaces sees.
func engineLinkAddr(region, side int) string { return fmt.Sprintf("169.254.1.%d", region*4+1+side) }
func peerLinkAddr(a, b, own int) string {
	lo, hi := min(a, b), max(a, b)
	side := 0
	if own == hi {
		side = 1
	}
	return fmt.Sprintf("169.254.%d.%d", 16+lo*8+hi, 1+side)
}
func mgmtAddr(region, host int) string { return fmt.Sprintf("198.18.%d.%d", region, host) }

const mgmtHost = 254 // the harness's own host number on the management network

// buildNetwork makes all namespaces and what connects them. Nothing of it is visible in the machine's own network.
func (l *Lab) buildNetwork(ctx context.Context) error {
	for _, ns := range l.namespaces() {
		if err := l.tool(ctx, "", "", "ip", "netns", "add", l.NetNS(ns)); err != nil {
			return err
		}
		if err := l.prepareNS(ctx, ns); err != nil {
			return fmt.Errorf("preparing namespace %s: %w", ns, err)
		}
	}
	if err := l.tool(ctx, "", strings.Join(l.vethPairs(), "\n"), "ip", "-batch", "-"); err != nil {
		return fmt.Errorf("connecting the namespaces: %w", err)
	}
	for i, r := range l.top.Regions {
		if err := l.ip(ctx, RouterNS(r.Name), l.routerBatch(i)); err != nil {
			return err
		}
		if err := l.answerAtOnce(i); err != nil {
			return err
		}
		if err := l.ip(ctx, ClientNS(r.Name), clientBatch(r)); err != nil {
			return err
		}
	}
	if err := l.translate(ctx); err != nil {
		return err
	}
	if err := l.ip(ctx, EngineNS, l.engineBatch()); err != nil {
		return err
	}
	return l.ip(ctx, managementNS, l.mgmtBatch())
}

// prepareNS sets what interfaces made later inherit.
func (l *Lab) prepareNS(ctx context.Context, ns string) error {
	settings := []string{
		"ipv6/conf/all/disable_ipv6=1", "ipv6/conf/default/disable_ipv6=1",
		"ipv4/conf/all/rp_filter=0", "ipv4/conf/default/rp_filter=0",
		"ipv4/conf/all/send_redirects=0", "ipv4/conf/default/send_redirects=0",
		// The management bridge shall not pass through the routers' packet filter.
		"bridge/bridge-nf-call-iptables=0",
	}
	for _, s := range settings {
		path, value, _ := strings.Cut(s, "=")
		if err := l.sysctl(ns, value, path); err != nil {
			return err
		}
	}
	return l.ip(ctx, ns, []string{"link set lo up"})
}

// vethPairs are the links between namespaces, each made in its place.
func (l *Lab) vethPairs() []string {
	pair := func(a, ns1, b, ns2 string) string {
		return fmt.Sprintf("link add name %s netns %s type veth peer name %s netns %s", a, l.NetNS(ns1), b, l.NetNS(ns2))
	}
	var out []string
	for i, r := range l.top.Regions {
		router := RouterNS(r.Name)
		out = append(out,
			pair(engineLink, router, fmt.Sprintf("r%d", i), EngineNS),
			pair(clientLink, router, guestNIC, ClientNS(r.Name)),
			pair(mgmtUplink, router, fmt.Sprintf("r%d", i), managementNS))
		for j := i + 1; j < len(l.top.Regions) && !l.top.NoPeerLink; j++ {
			out = append(out, pair(peerName(j), router, peerName(i), RouterNS(l.top.Regions[j].Name)))
		}
		for j := i + 1; j < len(l.top.Regions); j++ {
			if l.top.internet(i, j) {
				out = append(out, pair(inetName(j), router, inetName(i), RouterNS(l.top.Regions[j].Name)))
			}
		}
	}
	return out
}

// routerBatch configures the router of region i: the parts of a VPC that do not depend on its route table.
func (l *Lab) routerBatch(i int) []string {
	r := l.top.Regions[i]
	out := []string{
		"link add name " + mgmtBridge + " type bridge stp_state 0 forward_delay 0",
		"link set " + mgmtBridge + " up",
		"link set " + mgmtUplink + " master " + mgmtBridge + " up",
		"addr add " + engineLinkAddr(i, 0) + "/30 dev " + engineLink,
		"link set " + engineLink + " up",
		fmt.Sprintf("route add %s via %s dev %s", l.top.Engine, engineLinkAddr(i, 1), engineLink),
		// Without a route a VPC drops, silently.
		"route add blackhole default metric 99999",
	}
	out = append(out, l.peerBatch(i)...)
	out = append(out, l.inetBatch(i)...)
	out = append(out, l.portBatch(r, clientLink, r.Client)...)
	for k, g := range l.top.Guests {
		if g.Region != r.Name {
			continue
		}
		out = append(out, "tuntap add dev "+tapName(k)+" mode tap")
		out = append(out, l.portBatch(r, tapName(k), g.Addr)...)
		out = append(out,
			// As in a VPC, where the address belongs to the interface, there is nothing to ask for by ARP.
			fmt.Sprintf("neigh replace %s lladdr %s dev %s nud permanent", g.Addr, guestMAC(0, k), tapName(k)),
			"tuntap add dev "+mtapName(k)+" mode tap",
			"link set "+mtapName(k)+" master "+mgmtBridge+" up",
			// Guests see the harness on the management network, not each other.
			"link set "+mtapName(k)+" type bridge_slave isolated on")
	}
	return out
}

// peerBatch joins router i to the others; each other region's own addresses are always reachable that way, after whatever
// the route table says.
func (l *Lab) peerBatch(i int) []string {
	var out []string
	for j, o := range l.top.Regions {
		if j == i || l.top.NoPeerLink {
			continue
		}
		out = append(out,
			fmt.Sprintf("addr add %s/30 dev %s", peerLinkAddr(i, j, i), peerName(j)),
			"link set "+peerName(j)+" up",
			fmt.Sprintf("route add %s via %s dev %s metric 9999", o.CIDR, peerLinkAddr(i, j, j), peerName(j)))
	}
	return out
}

// portBatch is one instance's attachment to the VPC: the gateway's address on a link of its own, a route to the instance,
// and ARP answers for the other instances of the subnet.
func (l *Lab) portBatch(r Region, dev string, a netip.Addr) []string {
	s, _ := r.subnet(a)
	out := []string{
		fmt.Sprintf("addr add %s/32 dev %s", s.Gateway, dev),
		"link set " + dev + " up",
		fmt.Sprintf("route add %s dev %s src %s", a, dev, s.Gateway),
	}
	for _, n := range l.instances(r) {
		if n != a && s.CIDR.Contains(n) {
			out = append(out, fmt.Sprintf("neigh add proxy %s dev %s", n, dev))
		}
	}
	return out
}

// answerAtOnce lets router i answer ARP for a guest's neighbours without the kernel's delay of up to 0.8 s. Only the first
// namespace has a default for it.
func (l *Lab) answerAtOnce(i int) error {
	paths := []string{"ipv4/neigh/" + clientLink + "/proxy_delay"}
	for k, g := range l.top.Guests {
		if g.Region == l.top.Regions[i].Name {
			paths = append(paths, "ipv4/neigh/"+tapName(k)+"/proxy_delay")
		}
	}
	return l.sysctl(RouterNS(l.top.Regions[i].Name), "0", paths...)
}

// instances are the addresses in use inside r.
func (l *Lab) instances(r Region) []netip.Addr {
	out := []netip.Addr{r.Client}
	for _, g := range l.top.Guests {
		if g.Region == r.Name {
			out = append(out, g.Addr)
		}
	}
	return out
}

func clientBatch(r Region) []string {
	s, _ := r.subnet(r.Client)
	return []string{
		fmt.Sprintf("addr add %s/%d dev %s", r.Client, s.CIDR.Bits(), guestNIC),
		"link set " + guestNIC + " up",
		fmt.Sprintf("route add default via %s dev %s", s.Gateway, guestNIC),
	}
}

// engineBatch gives the engine its one address and a link to each region. What lies in no region goes to the first.
func (l *Lab) engineBatch() []string {
	out := []string{fmt.Sprintf("addr add %s/32 dev lo", l.top.Engine)}
	for i, r := range l.top.Regions {
		dev := fmt.Sprintf("r%d", i)
		out = append(out,
			fmt.Sprintf("addr add %s/30 dev %s", engineLinkAddr(i, 1), dev),
			"link set "+dev+" up",
			fmt.Sprintf("route add %s via %s dev %s src %s", r.CIDR, engineLinkAddr(i, 0), dev, l.top.Engine))
	}
	return append(out, fmt.Sprintf("route add default via %s dev r0 src %s", engineLinkAddr(0, 0), l.top.Engine))
}

func (l *Lab) mgmtBatch() []string {
	var out []string
	for i := range l.top.Regions {
		out = append(out, fmt.Sprintf("addr add %s/24 dev r%d", mgmtAddr(i, mgmtHost), i), fmt.Sprintf("link set r%d up", i))
	}
	return out
}

// startRouting lets the routers forward; only then do packets pass.
func (l *Lab) startRouting() error {
	for _, r := range l.top.Regions {
		if err := l.sysctl(RouterNS(r.Name), "1", "ipv4/ip_forward"); err != nil {
			return fmt.Errorf("switching forwarding on in %s: %w", r.Name, err)
		}
	}
	return nil
}
