package openswan

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Side is one end of a connection.
type Side struct {
	// Host is the address of the end as the configuration has it; invalid where it
	// is found at run time (%defaultroute) or is a name.
	Host netip.Addr
	// Public is the public address, from left or leftid; invalid when neither holds one.
	Public netip.Addr
	// Source is leftsourceip: the node's private address, from which it pings through the tunnel.
	Source netip.Addr
	// Subnets are the networks behind this end.
	Subnets []netip.Prefix

	word    string // "left" or "right"
	dynamic bool   // the host is this machine's own, whatever it is: only one end can say so
}

// Connection is one conn section, seen from a node.
type Connection struct {
	Name        string
	Local, Peer Side
}

// PeerSubnets are the destinations in the peer region that the connection's EC2 child
// must route to the active node: the peer side's subnets, each once, in the order of ipsec.conf. Pure.
func PeerSubnets(c Connection) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range c.Peer.Subnets {
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// connection reads a connection and finds which side is the node's, by the
// addresses that the node has (own) and those that lead to it from outside (public).
func (c *conf) connection(name string, own, public []netip.Addr) (Connection, error) {
	p, err := c.params(name)
	if err != nil {
		return Connection{}, err
	}
	left, err := side(p, "left")
	if err != nil {
		return Connection{}, err
	}
	right, err := side(p, "right")
	if err != nil {
		return Connection{}, err
	}
	l, r := left.belongs(own, public), right.belongs(own, public)
	switch {
	case l && r:
		return Connection{}, p["left"].at.errorf("both ends of conn %s are this node's; give each end its own addresses", name)
	case l:
		return Connection{name, left, right}, nil
	case r:
		return Connection{name, right, left}, nil
	}
	return Connection{}, p["left"].at.errorf("neither end of conn %s is this node's: no address of the node is left, right, leftsourceip or rightsourceip", name)
}

// belongs tells whether the end is on the machine that has these addresses.
func (s Side) belongs(own, public []netip.Addr) bool {
	return s.dynamic ||
		s.Host.IsValid() && (slices.Contains(own, s.Host) || slices.Contains(public, s.Host)) ||
		s.Source.IsValid() && slices.Contains(own, s.Source) ||
		s.Public.IsValid() && slices.Contains(public, s.Public)
}

// side reads one end.
func side(p map[string]value, word string) (Side, error) {
	s := Side{word: word}
	host, ok := p[word]
	if !ok {
		return s, fmt.Errorf("the connection has no %s", word)
	}
	var err error
	if s.Host, s.dynamic, err = hostOf(host, word); err != nil {
		return s, err
	}
	if v, ok := p[word+"sourceip"]; ok {
		if s.Source, err = netip.ParseAddr(v.text); err != nil || !s.Source.Is4() {
			return s, v.at.errorf("%ssourceip=%.40s is not an IPv4 address", word, v.text)
		}
	}
	one, single := p[word+"subnet"]
	many, several := p[word+"subnets"]
	switch {
	case single && several:
		return s, many.at.errorf("both %ssubnet and %ssubnets are set; keep one of them", word, word)
	case single:
		s.Subnets, err = subnets(one, word+"subnet", false)
	case several:
		s.Subnets, err = subnets(many, word+"subnets", true)
	}
	s.Public = publicOf(s.Host, idAddr(p[word+"id"].text), s.Source)
	return s, err
}

// hostOf reads left=: an address, something that is this machine's own, or a name.
func hostOf(v value, word string) (a netip.Addr, dynamic bool, err error) {
	switch t := v.text; {
	case t == "%defaultroute":
		return a, true, nil
	case t == "%any" || t == "%any4" || t == "0.0.0.0" || t == "%opportunistic" || t == "%opportunisticgroup" || t == "%group":
		return a, false, nil
	case strings.HasPrefix(t, "%") && len(t) > 1 && !strings.ContainsAny(t[1:], "% \t,"):
		return a, true, nil // an interface of this machine, like %eth0
	case isName(t):
		if a, err := netip.ParseAddr(t); err == nil && a.Is4() {
			return a, false, nil
		}
		if strings.Trim(t, "0123456789.") == "" {
			break // digits and dots, and no address
		}
		return a, false, nil
	}
	return a, false, v.at.errorf("%s=%.60s is not an IPv4 address, a host name or %%defaultroute", word, v.text)
}

func isName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == ""
}

// idAddr is the address that an identity consists of; invalid for names and certificates.
func idAddr(id string) netip.Addr {
	a, err := netip.ParseAddr(strings.TrimPrefix(id, "@"))
	if err != nil || !a.Is4() {
		return netip.Addr{}
	}
	return a
}

// publicOf chooses between an end's host and its identity: behind an Elastic IP one
// of them is the private address. Where both or neither are public, the host counts, for that is where packets go.
func publicOf(host, id, source netip.Addr) netip.Addr {
	for _, a := range []netip.Addr{host, id} {
		if a.IsValid() && !a.IsPrivate() && a != source {
			return a
		}
	}
	if host.IsValid() {
		return host
	}
	return id
}

// subnets reads "{10.0.0.0/16, 10.1.0.0/16}", with or without braces.
func subnets(v value, key string, several bool) ([]netip.Prefix, error) {
	text, open := strings.CutPrefix(v.text, "{")
	text, closed := strings.CutSuffix(text, "}")
	if open != closed {
		return nil, v.at.errorf("%s=%.60s: a brace is missing", key, v.text)
	}
	var out []netip.Prefix
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' }) {
		p, err := subnet(word)
		if err != nil {
			return nil, v.at.errorf("%s: %v", key, err)
		}
		out = append(out, p)
	}
	switch {
	case len(out) == 0:
		return nil, v.at.errorf("%s names no network", key)
	case len(out) > 1 && !several:
		return nil, v.at.errorf("%s takes one network; write %ss", key, key)
	case len(out) > 64:
		return nil, v.at.errorf("%s names more than 64 networks", key)
	}
	return out, nil
}

// subnet reads one network, its length as a number or as a netmask.
func subnet(text string) (netip.Prefix, error) {
	addr, length, ok := strings.Cut(text, "/")
	a, err := netip.ParseAddr(addr)
	if err != nil || !a.Is4() {
		return netip.Prefix{}, fmt.Errorf("%.60q is not an IPv4 network", text)
	}
	bits := 32
	if ok {
		if bits, err = strconv.Atoi(length); err != nil || length != strconv.Itoa(bits) || bits < 0 || bits > 32 {
			if bits = maskBits(length); bits < 0 {
				return netip.Prefix{}, fmt.Errorf("%.60q is not an IPv4 network", text)
			}
		}
	}
	p := netip.PrefixFrom(a, bits)
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%s is an address inside a network; write %s", text, p.Masked())
	}
	return p, nil
}

// maskBits turns a netmask into its length; -1 when it is none.
func maskBits(mask string) int {
	m, err := netip.ParseAddr(mask)
	if err != nil || !m.Is4() {
		return -1
	}
	for bits := range 33 {
		ones, _ := netip.AddrFrom4([4]byte{255, 255, 255, 255}).Prefix(bits)
		if ones.Addr() == m {
			return bits
		}
	}
	return -1
}

// missing are the facts that the kit needs and the connection does not give.
func (c Connection) missing() []string {
	var out []string
	for _, s := range []Side{c.Local, c.Peer} {
		if !s.Public.IsValid() {
			out = append(out, fmt.Sprintf("the public IP in %s or %sid", s.word, s.word))
		}
		if len(s.Subnets) == 0 {
			out = append(out, s.word+"subnets")
		}
		if !s.Source.IsValid() {
			out = append(out, s.word+"sourceip")
		}
	}
	return out
}
