package nodesim

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ipCommand is as much of iproute2 as scripts use: addr and link, show, add,
// replace, del, set.
func ipCommand(c *command) int {
	var words []string
	four, oneline := false, false
	for _, a := range c.args {
		switch a {
		case "-4":
			four = true
		case "-o", "-oneline":
			oneline = true
		case "-br", "-j", "-json", "-6", "-s", "-d":
			return c.fail(255, "option %q is not simulated", a)
		default:
			words = append(words, a)
		}
	}
	if len(words) == 0 {
		return c.fail(255, "what?")
	}
	verb, rest := "show", words[1:]
	if len(rest) > 0 {
		verb, rest = rest[0], rest[1:]
	}
	switch object := words[0]; {
	case strings.HasPrefix("address", object) && object != "":
		return c.ipAddr(verb, rest, four)
	case strings.HasPrefix("link", object):
		return c.ipLink(verb, rest)
	case strings.HasPrefix("route", object) && oneline:
		return c.fail(255, "ip -o route is not simulated")
	}
	return c.fail(1, `Object "%s" is unknown, try "ip help".`, words[0])
}

// device takes "dev X" out of the words.
func device(words []string) (dev string, rest []string) {
	for i := 0; i < len(words); i++ {
		if words[i] == "dev" && i+1 < len(words) {
			dev = words[i+1]
			i++
			continue
		}
		rest = append(rest, words[i])
	}
	return dev, rest
}

func (c *command) ipAddr(verb string, words []string, four bool) int {
	n := c.node
	dev, rest := device(words)
	n.mu.Lock()
	defer n.mu.Unlock()
	i := n.iface(dev)
	if dev != "" && i == nil {
		if verb == "show" || verb == "list" {
			fmt.Fprintf(c.err, "Device \"%s\" does not exist.\n", dev)
		} else {
			fmt.Fprintf(c.err, "Cannot find device \"%s\"\n", dev)
		}
		return 1
	}
	switch verb {
	case "show", "list", "ls":
		c.showAddrs(dev)
		return 0
	case "add", "replace", "del", "delete":
		if i == nil || len(rest) == 0 {
			return c.fail(255, "Not enough information: \"dev\" argument is required.")
		}
		return c.changeAddr(i, verb, rest[0])
	}
	return c.fail(1, `Command "%s" is unknown, try "ip address help".`, verb)
}

// showAddrs prints the one-line form; n.mu is held.
func (c *command) showAddrs(dev string) {
	for k, i := range c.node.ifaces {
		if dev != "" && i.name != dev {
			continue
		}
		for _, a := range i.addrs {
			scope, brd := "global", ""
			if i.name == "lo" {
				scope = "host"
			}
			if a.Bits() < 31 && i.name != "lo" {
				brd = " brd " + broadcast(a)
			}
			fmt.Fprintf(c.out, "%d: %s    inet %s%s scope %s %s\\       valid_lft forever preferred_lft forever\n", k+1, i.name, a, brd, scope, i.name)
		}
	}
}

func broadcast(p netip.Prefix) string {
	b := p.Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(b).String()
}

func (c *command) changeAddr(i *iface, verb, text string) int {
	if !strings.Contains(text, "/") {
		text += "/32"
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return c.fail(1, "any valid prefix is expected rather than %q.", text)
	}
	at := slices.Index(i.addrs, p)
	switch {
	case verb == "add" && at >= 0:
		fmt.Fprintln(c.err, "RTNETLINK answers: File exists")
		return 2
	case (verb == "add" || verb == "replace") && at < 0:
		i.addrs = append(i.addrs, p)
		c.node.tell("address", p.Addr().String(), true)
	case strings.HasPrefix(verb, "del") && at < 0:
		fmt.Fprintln(c.err, "RTNETLINK answers: Cannot assign requested address")
		return 2
	case strings.HasPrefix(verb, "del"):
		i.addrs = slices.Delete(i.addrs, at, at+1)
		c.node.tell("address", p.Addr().String(), false)
	}
	return 0
}

func (c *command) ipLink(verb string, words []string) int {
	n := c.node
	dev, rest := device(words)
	if dev == "" && len(rest) > 0 {
		dev, rest = rest[0], rest[1:]
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	i := n.iface(dev)
	if dev != "" && i == nil {
		fmt.Fprintf(c.err, "Device \"%s\" does not exist.\n", dev)
		return 1
	}
	switch verb {
	case "show", "list", "ls":
		for k, i := range n.ifaces {
			if dev == "" || i.name == dev {
				fmt.Fprintln(c.out, linkLine(k+1, i))
			}
		}
		return 0
	case "set":
		if i == nil || len(rest) != 1 || rest[0] != "up" && rest[0] != "down" {
			return c.fail(255, "only \"ip link set DEV up|down\" is simulated")
		}
		i.up = rest[0] == "up"
		return 0
	}
	return c.fail(1, `Command "%s" is unknown, try "ip link help".`, verb)
}

func linkLine(index int, i *iface) string {
	if i.name == "lo" {
		return fmt.Sprintf(`%d: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1000\    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00`, index)
	}
	flags, state := "BROADCAST,MULTICAST", "DOWN"
	switch {
	case i.up && i.cable:
		flags, state = flags+",UP,LOWER_UP", "UP"
	case i.up:
		flags = "NO-CARRIER," + flags + ",UP"
	}
	return fmt.Sprintf(`%d: %s: <%s> mtu 9001 qdisc mq state %s mode DEFAULT group default qlen 1000\    link/ether 06:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff`, index, i.name, flags, state)
}

// pingCommand is iputils' ping. -b asks everybody on the same subnet.
func pingCommand(c *command) int {
	flags, rest := c.flags("cWwIits")
	if len(rest) != 1 {
		return c.fail(2, "usage error: Destination address required")
	}
	target := rest[0]
	wait := time.Duration(c.number(flags["W"], c.number(flags["w"], 10))) * time.Second
	fmt.Fprintf(c.out, "PING %s (%s) 56(84) bytes of data.\n", target, target)
	sent := 1
	repliers := c.node.world.echo(c.node, target, flags["b"] != "", flags["I"])
	// With -w a packet goes out each second until one is answered.
	for ; flags["w"] != "" && len(repliers) == 0 && time.Duration(sent)*time.Second < wait; sent++ {
		if sleep(c.ctx, time.Second) != nil {
			return 1
		}
		repliers = c.node.world.echo(c.node, target, flags["b"] != "", flags["I"])
	}
	if len(repliers) == 0 {
		if sleep(c.ctx, wait-time.Duration(sent-1)*time.Second) != nil {
			return 1
		}
	}
	for _, r := range repliers {
		rtt := c.node.world.rtt(c.node.name, r.name)
		if sleep(c.ctx, rtt) != nil {
			return 1
		}
		if flags["q"] == "" {
			fmt.Fprintf(c.out, "64 bytes from %s: icmp_seq=%d ttl=64 time=%.1f ms\n", r.addr, sent, max(0.1, float64(rtt)/float64(time.Millisecond)))
		}
	}
	fmt.Fprintf(c.out, "\n--- %s ping statistics ---\n%d packets transmitted, %d received, %d%% packet loss, time %dms\n",
		target, sent, len(repliers), 100*max(0, sent-len(repliers))/sent, 1000*(sent-1))
	if len(repliers) == 0 {
		return 1
	}
	return 0
}

type replier struct{ name, addr string }

// echo lists who answers a ping from a node: nobody through an interface that is down.
func (w *World) echo(from *Node, target string, broadcastPing bool, source string) []replier {
	if source != "" && !from.liveSource(source) {
		return nil
	}
	if !broadcastPing {
		if n := w.owner(from.name, target); n != nil && w.ping(from.name, target, source) {
			return []replier{{n.name, target}}
		}
		return nil
	}
	w.mu.Lock()
	all := w.allNodes()
	w.mu.Unlock()
	var out []replier
	for _, n := range all {
		p := netip.PrefixFrom(netip.MustParseAddr(n.address), n.config.Prefix).Masked()
		if broadcast(p) == target && w.ping(from.name, n.address, "") {
			out = append(out, replier{n.name, n.address})
		}
	}
	slices.SortFunc(out, func(a, b replier) int { return strings.Compare(a.addr, b.addr) })
	return out
}

// liveSource tells whether an interface, or the one that has an address, can send.
func (n *Node) liveSource(s string) bool {
	n.mu.Lock()
	i := n.iface(s)
	live := i != nil && i.up && i.cable
	n.mu.Unlock()
	return live || i == nil && n.Carries(s)
}

// arpingCommand is iputils' arping. On a network of routes nobody answers.
func arpingCommand(c *command) int {
	flags, rest := c.flags("cwIs")
	if flags["V"] != "" {
		return c.say("arping from iputils 20221126")
	}
	if len(rest) != 1 {
		return c.fail(2, "usage error")
	}
	wait := time.Duration(c.number(flags["w"], 1)) * time.Second
	fmt.Fprintf(c.out, "ARPING %s from 0.0.0.0 %s\n", rest[0], flags["I"])
	if sleep(c.ctx, wait) != nil {
		return 1
	}
	fmt.Fprintln(c.out, "Sent 1 probes (1 broadcast(s))\nReceived 0 response(s)")
	if flags["D"] != "" || flags["U"] != "" || flags["A"] != "" {
		return 0
	}
	return 1
}

// ncCommand only tries a connection: nc -z [-w SECONDS] HOST PORT.
func ncCommand(c *command) int {
	flags, rest := c.flags("wsp")
	port, err := strconv.Atoi(lastOf(rest))
	if len(rest) != 2 || flags["z"] == "" || err != nil {
		return c.fail(1, "only \"nc -z [-w SECONDS] HOST PORT\" is simulated")
	}
	return c.tryConnect(rest[0], port, time.Duration(c.number(flags["w"], 127))*time.Second, 1)
}

func lastOf(s []string) string {
	if len(s) == 0 {
		return ""
	}
	return s[len(s)-1]
}

// tryConnect returns 0 when accepted; silence takes the whole wait.
func (c *command) tryConnect(host string, port int, wait time.Duration, code int) int {
	w := c.node.world
	switch w.reach(c.node.name, host, port) {
	case accepted:
		if n := w.owner(c.node.name, host); sleep(c.ctx, w.rtt(c.node.name, n.name)) != nil {
			return code
		}
		return 0
	case refused:
		return code
	}
	_ = sleep(c.ctx, wait)
	return code
}

// curlCommand asks http://HOST[:PORT]/…; the body is the name of the node that answers.
func curlCommand(c *command) int {
	flags, rest := c.flags("mo")
	url, ok := strings.CutPrefix(lastOf(rest), "http://")
	if !ok {
		return c.fail(3, "only http://HOST[:PORT]/ is simulated")
	}
	host, _, _ := strings.Cut(url, "/")
	host, portText, _ := strings.Cut(host, ":")
	port := c.number(portText, 80)
	if code := c.tryConnect(host, port, time.Duration(c.number(flags["m"], 127))*time.Second, 7); code != 0 {
		return code
	}
	n := c.node.world.owner(c.node.name, host)
	if n == nil || n.gate(c.ctx) != nil {
		return 28
	}
	if flags["o"] == "" {
		return c.say(n.name)
	}
	return 0
}
