package nodesim

import (
	"fmt"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"time"
)

const (
	ipsecConf    = "/etc/ipsec.conf"
	ipsecSecrets = "/etc/ipsec.secrets"
	ipsecDir     = "/etc/ipsec.d"
)

// connSetting is one conn section as a daemon loads it, seen from its node.
type connSetting struct {
	name          string
	own, peer     netip.Addr // the hosts, ours without the address translation
	nextHop       bool       // found by %defaultroute: status shows the router
	ownID, peerID string
	ownSource     string // may be empty
	peerSource    string
	ownNets       []netip.Prefix
	peerNets      []netip.Prefix
	several       bool // leftsubnets: every pair of networks is a part of its own
	auto          string
	liveness      time.Duration // dpddelay; 0 = the peer is never asked
	restart       bool          // dpdaction=restart
}

// netPair is one pair of networks: own network i, peer's network j.
type netPair struct{ own, peer netip.Prefix }

func (c *connSetting) pairs() []netPair {
	var out []netPair
	for _, a := range c.ownNets {
		for _, b := range c.peerNets {
			out = append(out, netPair{a, b})
		}
	}
	return out
}

// partName is what the daemon calls a part: "vpn1/1x2", or "vpn1" where there is only one.
func (c *connSetting) partName(k int) string {
	if !c.several {
		return c.name
	}
	return fmt.Sprintf("%s/%dx%d", c.name, k/len(c.peerNets)+1, k%len(c.peerNets)+1)
}

// readConf reads every conn of the node's ipsec.conf that is complete. It is as
// forgiving as can be: what it does not understand is not loaded, as with the daemon.
func (n *Node) readConf() map[string]*connSetting {
	sections := map[string]map[string]string{}
	n.readSections(ipsecConf, sections, 0)
	out := map[string]*connSetting{}
	for name := range sections {
		if name == "%default" {
			continue
		}
		if c := n.connOf(name, drawn(sections, name, 0)); c != nil {
			out[name] = c
		}
	}
	return out
}

// readSections reads one file and what it includes.
func (n *Node) readSections(file string, into map[string]map[string]string, depth int) {
	data, err := n.fs.read(file)
	if err != nil || depth > 10 {
		return
	}
	var cur map[string]string
	for _, line := range lines(string(data)) {
		text, _, _ := strings.Cut(line, "#")
		text = strings.TrimSpace(text)
		w := strings.Fields(text)
		switch {
		case text == "":
		case line[0] != ' ' && line[0] != '\t' && w[0] == "include" && len(w) == 2:
			for _, f := range n.included(w[1], path.Dir(file)) {
				n.readSections(f, into, depth+1)
			}
		case line[0] != ' ' && line[0] != '\t':
			cur = nil
			if w[0] == "conn" && len(w) == 2 {
				cur = map[string]string{}
				into[w[1]] = cur
			}
		case cur != nil:
			key, value, _ := strings.Cut(text, "=")
			cur[strings.ToLower(strings.TrimSpace(key))] = strings.Trim(strings.TrimSpace(value), `"`)
		}
	}
}

func (n *Node) included(pattern, dir string) []string {
	pattern = absolute(dir, strings.Trim(pattern, `"`))
	all, _ := n.fs.list(path.Dir(pattern))
	var out []string
	for _, f := range all {
		if ok, _ := path.Match(path.Base(pattern), f.Name()); ok {
			out = append(out, path.Join(path.Dir(pattern), f.Name()))
		}
	}
	return out
}

// drawn is a section with what it takes over by also= and from %default.
func drawn(sections map[string]map[string]string, name string, depth int) map[string]string {
	out := map[string]string{}
	for _, from := range []string{name, sections[name]["also"], "%default"} {
		more := sections[from]
		if from != name && from != "%default" && from != "" && depth < 10 {
			more = drawn(sections, from, depth+1)
		}
		for k, v := range more {
			if _, there := out[k]; !there {
				out[k] = v
			}
		}
	}
	return out
}

// connOf makes a connection of parameters; nil when it has no end on this node or lacks something.
func (n *Node) connOf(name string, p map[string]string) *connSetting {
	own, peer := "left", "right"
	if !n.isHere(p["left"], p["leftid"]) {
		own, peer = "right", "left"
		if !n.isHere(p["right"], p["rightid"]) {
			return nil
		}
	}
	c := &connSetting{name: name, own: netip.MustParseAddr(n.address), nextHop: p[own] == "%defaultroute", auto: p["auto"], restart: p["dpdaction"] == "restart"}
	var err error
	if c.peer, err = netip.ParseAddr(p[peer]); err != nil {
		return nil
	}
	c.ownID, c.peerID = orElse(p[own+"id"], n.address), orElse(p[peer+"id"], p[peer])
	c.ownSource, c.peerSource = p[own+"sourceip"], p[peer+"sourceip"]
	c.several = p[own+"subnets"] != "" || p[peer+"subnets"] != ""
	c.ownNets, c.peerNets = nets(p[own+"subnets"]+p[own+"subnet"]), nets(p[peer+"subnets"]+p[peer+"subnet"])
	if s, err := strconv.Atoi(strings.TrimSuffix(p["dpddelay"], "s")); err == nil {
		c.liveness = time.Duration(s) * time.Second
	}
	if len(c.ownNets) == 0 || len(c.peerNets) == 0 {
		return nil
	}
	return c
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// isHere tells whether an end is this node's: by its host, or by the public address that it calls itself.
func (n *Node) isHere(host, id string) bool {
	return host == "%defaultroute" || host == n.address || host != "" && host == n.config.Public || id != "" && id == n.config.Public
}

func nets(text string) []netip.Prefix {
	var out []netip.Prefix
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("{}, \t", r) }) {
		p, err := netip.ParsePrefix(w)
		if err != nil {
			return nil
		}
		out = append(out, p)
	}
	return out
}

// secret is one line of ipsec.secrets: whom it is for, and the shared text.
type secret struct {
	ids  []string
	text string
}

// readSecrets reads the node's pre-shared keys, and which files they came from.
func (n *Node) readSecrets() (all []secret, files []string) {
	pending := []string{ipsecSecrets}
	for len(pending) > 0 && len(files) < 100 {
		file := pending[0]
		pending = pending[1:]
		data, err := n.fs.read(file)
		if err != nil {
			continue
		}
		files = append(files, file)
		for _, line := range lines(string(data)) {
			if w := strings.Fields(line); len(w) == 2 && w[0] == "include" {
				pending = append(pending, n.included(w[1], path.Dir(file))...)
				continue
			}
			ids, rest, ok := strings.Cut(line, ":")
			kind, text, is := strings.Cut(strings.TrimSpace(rest), " ")
			if ok && is && kind == "PSK" {
				all = append(all, secret{strings.Fields(ids), strings.Trim(strings.TrimSpace(text), `"`)})
			}
		}
	}
	return all, files
}

// shared finds the key between two identities; empty = there is none.
func shared(all []secret, own, peer string) string {
	for _, s := range all {
		fits := 0
		for _, id := range s.ids {
			if id == own || id == peer || id == "%any" || id == "0.0.0.0" {
				fits++
			}
		}
		if len(s.ids) == 0 || fits == len(s.ids) {
			return s.text
		}
	}
	return ""
}
