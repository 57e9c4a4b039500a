package lab

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Tunnel is an IPsec connection between two guests of different regions, each behind a public address of its own. Both run
// pluto and keep the tunnel up from boot on.
type Tunnel struct {
	Connection string // its name in ipsec.conf, the same on both guests; once in a topology
	Ends       [2]TunnelEnd
}

// TunnelEnd is one guest of a tunnel.
type TunnelEnd struct {
	Guest    string
	Networks []netip.Prefix // what lies behind this end
}

// end is the guest's own end and the other one.
func (t Tunnel) end(guest string) (own, peer TunnelEnd) {
	if t.Ends[0].Guest == guest {
		return t.Ends[0], t.Ends[1]
	}
	return t.Ends[1], t.Ends[0]
}

// parts is the number of Child SAs: one for each pair of networks.
func (t Tunnel) parts() int { return len(t.Ends[0].Networks) * len(t.Ends[1].Networks) }

// Secret is the tunnel's pre-shared key, longer than pluto's warning asks for.
func (t Tunnel) Secret() string {
	return "of-" + t.Connection + "-and-of-nothing-but-a-lab-on-one-machine"
}

// EightNodes is the whole cross-region example: [FourNodes] and a VPN node in every zone, with tunnels that are all up.
// There is no peer link: what goes from one region to the other goes to the VPN node that the route table names (those of
// zone a at the start), and through its tunnel. The VPN nodes have their private addresses only; their public ones are
// Elastic IPs, which the routers translate.
func EightNodes() Topology {
	t := FourNodes()
	t.NoPeerLink = true
	vpn := func(name, region, addr, public, eni string) {
		t.Guests = append(t.Guests, GuestSpec{Name: name, Region: region, Addr: netip.MustParseAddr(addr), Public: netip.MustParseAddr(public), ENI: eni})
	}
	vpn("VPN_P_A", PrimaryRegion, "10.0.0.5", "54.249.2.50", "eni-vpn-p-a")
	vpn("VPN_P_B", PrimaryRegion, "10.0.10.5", "54.249.2.51", "eni-vpn-p-b")
	vpn("VPN_S_A", StandbyRegion, "172.16.0.5", "54.254.156.254", "eni-vpn-s-a")
	vpn("VPN_S_B", StandbyRegion, "172.16.10.5", "54.254.156.253", "eni-vpn-s-b")
	primary := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16"), netip.MustParsePrefix("10.1.0.0/16")}
	standby := []netip.Prefix{netip.MustParsePrefix("172.16.0.0/16"), netip.MustParsePrefix("10.2.0.0/16")}
	t.Tunnels = []Tunnel{
		{Connection: "vpn1", Ends: [2]TunnelEnd{{"VPN_P_A", primary}, {"VPN_S_A", standby}}},
		{Connection: "vpn2", Ends: [2]TunnelEnd{{"VPN_P_B", primary}, {"VPN_S_B", standby}}},
	}
	return t
}

// SetENI gives a guest's network interface another name, in the routes too.
func (t *Topology) SetENI(guest, eni string) {
	for i := range t.Guests {
		if t.Guests[i].Name != guest {
			continue
		}
		for _, r := range t.Regions {
			for k := range r.Routes {
				if r.Routes[k].ENI == t.Guests[i].ENI {
					r.Routes[k].ENI = eni
				}
			}
		}
		t.Guests[i].ENI = eni
	}
}

// tunnelsOf are those that end at a guest.
func (t Topology) tunnelsOf(guest string) []Tunnel {
	var out []Tunnel
	for _, x := range t.Tunnels {
		if x.Ends[0].Guest == guest || x.Ends[1].Guest == guest {
			out = append(out, x)
		}
	}
	return out
}

func (t Topology) tunnel(connection string) (Tunnel, bool) {
	i := slices.IndexFunc(t.Tunnels, func(x Tunnel) bool { return x.Connection == connection })
	if i < 0 {
		return Tunnel{}, false
	}
	return t.Tunnels[i], true
}

// guestSpec is the guest of that name; the zero value when there is none.
func (t Topology) guestSpec(name string) GuestSpec {
	for _, g := range t.Guests {
		if g.Name == name {
			return g
		}
	}
	return GuestSpec{}
}

// networks are everything that belongs to a region: its addresses, and what its ends of tunnels lead to.
func (t Topology) networks(r Region) []netip.Prefix {
	out := []netip.Prefix{r.CIDR}
	for _, x := range t.Tunnels {
		for _, e := range x.Ends {
			for _, n := range e.Networks {
				if t.guestSpec(e.Guest).Region == r.Name && !slices.Contains(out, n) {
					out = append(out, n)
				}
			}
		}
	}
	return out
}

// validateTunnels says what is wrong with the tunnels and the public addresses.
func (t Topology) validateTunnels(bad func(format string, a ...any)) {
	names := map[string]bool{}
	for _, x := range t.Tunnels {
		if x.Connection == "" || names[x.Connection] {
			bad("tunnel %q: no name, or the name is taken", x.Connection)
		}
		names[x.Connection] = true
		for _, e := range x.Ends {
			if g := t.guestSpec(e.Guest); !g.Public.Is4() || len(e.Networks) == 0 {
				bad("tunnel %s: %q is no guest with a public address, or has no networks", x.Connection, e.Guest)
			}
		}
		if t.guestSpec(x.Ends[0].Guest).Region == t.guestSpec(x.Ends[1].Guest).Region {
			bad("tunnel %s: both ends are in one region", x.Connection)
		}
	}
	if len(t.Tunnels) > 0 && !t.NoPeerLink {
		bad("a topology with tunnels has no peer link")
	}
}

// confPath is where a guest's connections stand; the distribution's ipsec.conf includes what lies there.
const (
	confPath    = "etc/ipsec.d/lab.conf"
	secretsPath = "etc/ipsec.d/lab.secrets"
)

// ipsecConf is what an administrator writes into ipsec.conf on a node behind an Elastic IP: it has its private address
// only, and is known to its peer by the public one.
func (t Topology) ipsecConf(guest string) string {
	var b strings.Builder
	for _, x := range t.tunnelsOf(guest) {
		own, peer := x.end(guest)
		o, p := t.guestSpec(own.Guest), t.guestSpec(peer.Guest)
		fmt.Fprintf(&b, "conn %s\n", x.Connection)
		for _, line := range []string{
			"type=tunnel", "authby=secret", "ikev2=insist",
			"left=%defaultroute", "leftid=" + o.Public.String(),
			"leftsubnets=" + braces(own.Networks), "leftsourceip=" + o.Addr.String(),
			"right=" + p.Public.String(),
			"rightsubnets=" + braces(peer.Networks), "rightsourceip=" + p.Addr.String(),
			"dpddelay=3", "dpdtimeout=10", "dpdaction=restart", "auto=start",
		} {
			b.WriteString("    " + line + "\n")
		}
	}
	return b.String()
}

// ipsecSecrets names the pre-shared keys of a guest's tunnels.
func (t Topology) ipsecSecrets(guest string) string {
	var b strings.Builder
	for _, x := range t.tunnelsOf(guest) {
		own, peer := x.end(guest)
		b.WriteString(t.secretLine(own, peer, x.Secret()))
	}
	return b.String()
}

func (t Topology) secretLine(own, peer TunnelEnd, secret string) string {
	return fmt.Sprintf("%s %s : PSK %q\n", t.guestSpec(own.Guest).Public, t.guestSpec(peer.Guest).Public, secret)
}

func braces(nets []netip.Prefix) string {
	var s []string
	for _, n := range nets {
		s = append(s, n.String())
	}
	return "{" + strings.Join(s, " ") + "}"
}

// isVPN tells whether a guest is an end of a tunnel.
func (g *Guest) isVPN() bool { return len(g.lab.top.tunnelsOf(g.Name())) > 0 }

// vpnUp makes a guest forward, and start pluto: by itself at later boots, and at this one, whose units systemd has chosen
// before the seed disk was read.
const vpnUp = vpnForward + `[ -e /etc/systemd/system/multi-user.target.wants/ipsec.service ] ||
  ln -s /lib/systemd/system/ipsec.service /etc/systemd/system/multi-user.target.wants/ipsec.service
systemctl --no-block start ipsec.service
`

// vpnForward is what every guide to IPsec asks for on a router with one interface: without it the kernel tells senders to
// go to the VPC's router instead.
const vpnForward = `echo 1 >/proc/sys/net/ipv4/ip_forward
for f in /proc/sys/net/ipv4/conf/*/send_redirects /proc/sys/net/ipv4/conf/*/accept_redirects; do echo 0 >$f; done
`
