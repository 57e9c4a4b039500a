package lab

import (
	"context"
	"fmt"
	"strings"
)

// The internet is a link between every two routers that carries public addresses only. Each router is the internet gateway
// of its VPC too: it translates between a guest's private address and its public one, one to one, as EC2 does for an Elastic
// IP. A guest never sees its public address; and what has none does not get out.

func inetName(j int) string { return fmt.Sprintf("inet%d", j) }

// InternetLink is the name of the link towards another region's router, inside a router's namespace.
func (l *Lab) InternetLink(towards string) string {
	j, _ := l.top.regionIndex(towards)
	return inetName(j)
}

// inetLinkAddr is the address of an internet link at region own; nobody sees it.
func inetLinkAddr(a, b, own int) string {
	lo, hi := min(a, b), max(a, b)
	side := 0
	if own == hi {
		side = 1
	}
	return fmt.Sprintf("169.254.%d.%d", 80+lo*8+hi, 1+side)
}

// public are a region's guests with a public address.
func (t Topology) public(region string) []GuestSpec {
	var out []GuestSpec
	for _, g := range t.Guests {
		if g.Region == region && g.Public.IsValid() {
			out = append(out, g)
		}
	}
	return out
}

// internet tells whether regions i and j have an internet link.
func (t Topology) internet(i, j int) bool {
	return i != j && len(t.public(t.Regions[i].Name)) > 0 && len(t.public(t.Regions[j].Name)) > 0
}

// inetBatch joins router i to the internet.
func (l *Lab) inetBatch(i int) []string {
	var out []string
	for j, o := range l.top.Regions {
		if !l.top.internet(i, j) {
			continue
		}
		out = append(out,
			fmt.Sprintf("addr add %s/30 dev %s", inetLinkAddr(i, j, i), inetName(j)),
			"link set "+inetName(j)+" up")
		for _, g := range l.top.public(o.Name) {
			out = append(out, fmt.Sprintf("route add %s via %s dev %s", g.Public, inetLinkAddr(i, j, j), inetName(j)))
		}
	}
	return out
}

// translate gives every router its internet gateway. It is set once; cuts stand in the filter.
func (l *Lab) translate(ctx context.Context) error {
	for i, r := range l.top.Regions {
		if len(l.top.public(r.Name)) == 0 {
			continue
		}
		if err := l.tool(ctx, RouterNS(r.Name), l.gateway(i), "nft", "-f", "-"); err != nil {
			return fmt.Errorf("setting the internet gateway of %s: %w", r.Name, err)
		}
	}
	return nil
}

// gateway is router i's nft program for what goes to the internet and comes from there.
func (l *Lab) gateway(i int) string {
	var private, publics, out, in []string
	for _, g := range l.top.Guests {
		if g.Public.IsValid() {
			publics = append(publics, g.Public.String())
		}
	}
	for _, g := range l.top.public(l.top.Regions[i].Name) {
		private = append(private, g.Addr.String())
		in = append(in, fmt.Sprintf("iifname \"inet*\" ip daddr %s dnat to %s", g.Public, g.Addr))
		out = append(out, fmt.Sprintf("oifname \"inet*\" ip saddr %s snat to %s", g.Addr, g.Public))
	}
	ours, everyones := nftSet(private), nftSet(publics)
	guard := []string{
		"oifname \"inet*\" ip saddr != " + ours + " drop",
		"oifname \"inet*\" ip daddr { 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 } drop",
		"iifname \"inet*\" ip daddr != " + ours + " drop",
	}
	chain := func(name, kind, hook string, priority int, rules ...string) string {
		return fmt.Sprintf("chain %s {\ntype %s hook %s priority %d; policy accept;\n%s\n}\n", name, kind, hook, priority, strings.Join(rules, "\n"))
	}
	return "table ip labinet {\n" +
		// Private traffic is none of the gateway's business, also not the kernel's memory of connections.
		chain("raw", "filter", "prerouting", -300, "ip saddr != "+everyones+" ip daddr != "+everyones+" notrack") +
		chain("in", "nat", "prerouting", -100, in...) +
		chain("guard", "filter", "forward", -10, guard...) +
		chain("out", "nat", "postrouting", 100, out...) + "}\n"
}

func nftSet(of []string) string { return "{ " + strings.Join(of, ", ") + " }" }
