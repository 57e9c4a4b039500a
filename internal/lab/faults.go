package lab

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// cut is a pair of ends between which nothing passes. An end is a guest, a region (its client, or all of it), the engine, or
// everything.
type cut struct {
	from, to string
	oneWay   bool
}

// everything is the other end of a cut that takes something off the network.
const everything = "*"

// Cut drops all packets between two ends, silently: guests by name, [EngineNS], a region's client by [ClientNS], or a region
// by name (all of it, seen from another region). It holds until [Lab.Heal].
func (l *Lab) Cut(ctx context.Context, a, b string) error { return l.addCut(ctx, cut{from: a, to: b}) }

// CutOneWay drops what from sends to the other end; answers still pass.
func (l *Lab) CutOneWay(ctx context.Context, from, to string) error {
	return l.addCut(ctx, cut{from: from, to: to, oneWay: true})
}

// CutGuest takes a guest off the network. It goes on running, and [Guest.Sh] still reaches it.
func (l *Lab) CutGuest(ctx context.Context, name string) error { return l.Cut(ctx, name, everything) }

// CutEngine takes the engine's namespace off the network, towards all regions; everything else goes on.
func (l *Lab) CutEngine(ctx context.Context) error { return l.Cut(ctx, EngineNS, everything) }

// CutRegions drops everything on the links between the regions. The engine's own links stay.
func (l *Lab) CutRegions(ctx context.Context) error {
	for i, a := range l.top.Regions {
		for _, b := range l.top.Regions[i+1:] {
			if err := l.Cut(ctx, a.Name, b.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// Heal ends all cuts. Latency stays; see [Lab.Latency].
func (l *Lab) Heal(ctx context.Context) error {
	l.mu.Lock()
	l.cuts, l.tunnelCuts = nil, nil
	l.mu.Unlock()
	return l.applyFilter(ctx)
}

func (l *Lab) addCut(ctx context.Context, c cut) error {
	for _, end := range []string{c.from, c.to} {
		if !l.isEnd(end) {
			return fmt.Errorf("cutting %s from %s: there is no %s in the lab", c.from, c.to, end)
		}
	}
	l.mu.Lock()
	l.cuts = append(l.cuts, c)
	l.mu.Unlock()
	return l.applyFilter(ctx)
}

func (l *Lab) isEnd(name string) bool {
	if name == everything || name == EngineNS {
		return true
	}
	for _, r := range l.top.Regions {
		if name == r.Name || name == ClientNS(r.Name) {
			return true
		}
	}
	return slices.ContainsFunc(l.guests, func(g *Guest) bool { return g.Name() == name })
}

// applyFilter gives every router its packet filter: the cuts that concern it, and the source/dest checks. Each router's
// filter is exchanged at one stroke.
func (l *Lab) applyFilter(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, r := range l.top.Regions {
		if err := l.tool(ctx, RouterNS(r.Name), l.filter(i), "nft", "-f", "-"); err != nil {
			return fmt.Errorf("setting the filter of %s: %w", r.Name, err)
		}
	}
	return nil
}

// filter is the nft program of router i.
func (l *Lab) filter(i int) string {
	var drops []string
	for _, c := range l.cuts {
		drops = append(drops, l.drops(i, c.from, c.to)...)
		if !c.oneWay {
			drops = append(drops, l.drops(i, c.to, c.from)...)
		}
	}
	forward := append(append(drops, l.tunnelDrops(i)...), l.sourceDestRules(i)...)
	var local []string // what the router itself answers or sends: no pings of the gateway from a guest that is cut off
	for _, c := range l.cuts {
		if e := l.end(i, c.from); c.to == everything && e.link != "" && e.addr == "" {
			local = append(local, fmt.Sprintf("iifname %q drop", e.link), fmt.Sprintf("oifname %q drop", e.link))
		}
	}
	return "table inet lab\ndelete table inet lab\ntable inet lab {\n" +
		chain("forward", forward) + chain("input", only(local, "iifname")) + chain("output", only(local, "oifname")) + "}\n"
}

func chain(hook string, rules []string) string {
	return fmt.Sprintf("chain %s {\ntype filter hook %s priority 0; policy accept;\n%s\n}\n", hook, hook, strings.Join(rules, "\n"))
}

func only(rules []string, prefix string) []string {
	return slices.DeleteFunc(slices.Clone(rules), func(r string) bool { return !strings.HasPrefix(r, prefix) })
}

// end is how a router sees one end of a cut: a link of its own, and an address when others are behind the same link.
type end struct{ link, addr string }

// end finds name from router i; the zero value means that i has nothing to do with it.
func (l *Lab) end(i int, name string) end {
	if name == EngineNS {
		return end{link: engineLink}
	}
	for j, r := range l.top.Regions {
		switch {
		case name == ClientNS(r.Name) && i == j:
			return end{link: clientLink}
		case name == ClientNS(r.Name):
			return l.far(j, r.Client.String())
		case name == r.Name && i != j && l.top.NoPeerLink:
			return end{addr: l.networksOf(j)}
		case name == r.Name && i != j:
			return end{link: peerName(j)}
		}
	}
	for k, g := range l.guests {
		if g.Name() == name && g.region == i {
			return end{link: tapName(k)}
		}
		if g.Name() == name {
			return l.far(g.region, g.Addr().String())
		}
	}
	return end{}
}

// far is an address in another region. Without a peer link what is sent there leaves on no link of its own.
func (l *Lab) far(region int, addr string) end {
	if l.top.NoPeerLink {
		return end{addr: addr}
	}
	return end{link: peerName(region), addr: addr}
}

func (l *Lab) networksOf(region int) string {
	var nets []string
	for _, n := range l.top.networks(l.top.Regions[region]) {
		nets = append(nets, n.String())
	}
	return nftSet(nets)
}

// between are the ends of a cut that separates two regions where tunnels join them: the internet between them.
func (l *Lab) between(i int, from, to string) (f, t end, ok bool) {
	a, isA := l.top.regionIndex(from)
	b, isB := l.top.regionIndex(to)
	if !isA || !isB || !l.top.NoPeerLink {
		return f, t, false
	}
	if a != i {
		f.link = inetName(a)
	}
	if b != i {
		t.link = inetName(b)
	}
	return f, t, true
}

// drops are router i's rules for packets from one end to another. A region as an end of its own router stands for
// everything in it, which needs no condition.
func (l *Lab) drops(i int, from, to string) []string {
	f, t, ok := l.between(i, from, to)
	if !ok {
		f, t = l.end(i, from), l.end(i, to)
	}
	var cond []string
	add := func(link, word, addr, field string) {
		if link != "" {
			cond = append(cond, fmt.Sprintf("%s %q", word, link))
		}
		if addr != "" {
			cond = append(cond, "ip "+field+" "+addr)
		}
	}
	add(f.link, "iifname", f.addr, "saddr")
	add(t.link, "oifname", t.addr, "daddr")
	if len(cond) == 0 {
		return nil
	}
	return []string{strings.Join(append(cond, "drop"), " ")}
}

// sourceDestRules are EC2's source/dest check for the guests of region i that have it on.
func (l *Lab) sourceDestRules(i int) []string {
	var out []string
	for k, g := range l.guests {
		if g.region == i && g.checked {
			out = append(out,
				fmt.Sprintf("iifname %q ip saddr != %s drop", tapName(k), g.Addr()),
				fmt.Sprintf("oifname %q ip daddr != %s drop", tapName(k), g.Addr()))
		}
	}
	return out
}

// SetSourceDestCheck switches a guest's source/dest check, as ModifyNetworkInterfaceAttribute does.
func (l *Lab) SetSourceDestCheck(ctx context.Context, name string, on bool) error {
	g := l.Guest(name)
	l.mu.Lock()
	g.checked = on
	l.mu.Unlock()
	return l.applyFilter(ctx)
}

// Latency delays every packet that a guest sends in its subnet, and loses a share of them (percent, 0 to 100). Answers come
// back undelayed, so a round trip grows by delay once. Zero and zero end it.
func (l *Lab) Latency(ctx context.Context, name string, delay time.Duration, loss float64) error {
	script := fmt.Sprintf("tc qdisc del dev %s root 2>/dev/null; true", guestNIC)
	if delay > 0 || loss > 0 {
		script = fmt.Sprintf("modprobe sch_netem && tc qdisc replace dev %s root netem limit 10000 delay %dus loss %g%%", guestNIC, delay.Microseconds(), loss)
	}
	if _, err := l.Guest(name).Sh(ctx, script); err != nil {
		return fmt.Errorf("setting latency: %w", err)
	}
	return nil
}
