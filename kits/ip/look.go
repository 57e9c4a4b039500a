package ip

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// look is what one script found on a node.
type look struct {
	noIP   bool
	device string // where the address should be; empty when the node could not tell
	held   []held
	link   linkState
	failed bool // a change was refused; the output says why
	// Broadcast ping: asked, replies from others, and whether the answer is usable.
	bcastAsked, bcastRan bool
	repliers             []string
	arpOther             string // MAC of another host that answers for the address
	noArping             bool
	static               []string
	staticDone           bool
}

// held is one IPv4 address on one interface.
type held struct {
	device, addr string
	bits         int
}

type linkState int

const (
	linkUnknown linkState = iota
	linkMissing
	linkDown
	linkUp
)

// parseLook reads the sections that the scripts print. An error means that the
// output cannot be understood: the caller reports Unknown.
func parseLook(res kits.Result) (look, error) {
	var l look
	section, ended := "", false
	for _, line := range strings.Split(res.Stdout, "\n") {
		line = strings.TrimRight(line, "\r")
		if line == "" {
			continue
		}
		if strings.HasPrefix(line, "@") {
			word, rest, _ := strings.Cut(line[1:], " ")
			if err := l.mark(word, rest); err != nil {
				return l, err
			}
			section = word
			ended = ended || word == "end"
			continue
		}
		if err := l.line(section, line); err != nil {
			return l, err
		}
	}
	if l.noIP {
		return l, nil
	}
	if res.Truncated || !ended {
		return l, errors.New("the answer is not complete")
	}
	return l, nil
}

// mark takes in one "@word rest" line.
func (l *look) mark(word, rest string) error {
	switch word {
	case "noip":
		l.noIP = true
	case "iface":
		if rest != "" && !deviceName.MatchString(rest) {
			return errors.New("no interface can have that name")
		}
		l.device = rest
	case "err":
		if !strings.HasPrefix(rest, "link ") {
			return fmt.Errorf("ip reported an error (%s)", kits.OneLine(rest, 80))
		}
		// Only a missing device is known to be a missing device: see line.
	case "failed":
		l.failed = true
	case "bcast":
		l.bcastAsked = true
	case "bcastend":
		// iputils: 0 = replies, 1 = none; 2 and others = could not ask.
		l.bcastRan = rest == "0" || rest == "1"
	case "staticend":
		l.staticDone = true
	case "noarping":
		l.noArping = true
	}
	return nil
}

// line takes in one line of a tool's output.
func (l *look) line(section, line string) error {
	switch section {
	case "addr":
		h, ok, err := parseAddrLine(line)
		if ok {
			l.held = append(l.held, h)
		}
		return err
	case "link":
		l.link = parseLinkLine(line, l.device)
	case "bcast":
		if from, ok := parseReply(line); ok {
			l.repliers = append(l.repliers, from)
		}
	case "arp":
		if _, mac, ok := strings.Cut(line, "reply from "); ok {
			l.arpOther = kits.OneLine(mac, 60)
		}
	case "static":
		l.static = append(l.static, kits.OneLine(line, 200))
	}
	return nil
}

// parseAddrLine reads a line of "ip -o -4 addr show":
//
//	2: eth0    inet 10.1.0.10/32 scope global eth0\       valid_lft forever …
//	3: ppp0    inet 10.9.0.1 peer 10.9.0.2/32 scope global ppp0
func parseAddrLine(line string) (held, bool, error) {
	f := strings.Fields(line)
	if len(f) < 4 || !strings.HasSuffix(f[0], ":") {
		return held{}, false, fmt.Errorf("cannot read %q", kits.OneLine(line, 80))
	}
	if f[2] != "inet" {
		return held{}, false, nil
	}
	if _, err := strconv.Atoi(strings.TrimSuffix(f[0], ":")); err != nil {
		return held{}, false, fmt.Errorf("cannot read %q", kits.OneLine(line, 80))
	}
	addr, length, slash := strings.Cut(f[3], "/")
	h := held{device: f[1], addr: addr, bits: 32}
	if _, err := netip.ParseAddr(addr); err != nil || !deviceName.MatchString(h.device) {
		return held{}, false, fmt.Errorf("cannot read the address or interface in %q", kits.OneLine(line, 80))
	}
	if slash {
		n, err := strconv.Atoi(length)
		if err != nil || n < 0 || n > 32 {
			return held{}, false, fmt.Errorf("cannot read the prefix length in %q", kits.OneLine(line, 80))
		}
		h.bits = n
	}
	return h, true, nil
}

// parseLinkLine reads a line of "ip -o link show dev X":
//
//	2: eth0@if7: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 … state UP mode …
//
// The flags decide, not the state word: tunnels, loopback and the lab's vector
// devices are UNKNOWN for ever although they carry packets, and LOWER_UP is the
// carrier. UP alone is the administrator's will.
func parseLinkLine(line, device string) linkState {
	f := strings.Fields(line)
	if len(f) < 3 || !strings.HasSuffix(f[1], ":") {
		if strings.Contains(line, "does not exist") || strings.Contains(line, "Cannot find device") ||
			strings.Contains(line, "can't find device") {
			return linkMissing
		}
		return linkUnknown
	}
	name, _, _ := strings.Cut(strings.TrimSuffix(f[1], ":"), "@")
	flags := f[2]
	if name != device && !strings.Contains(line, "altname "+device) ||
		!strings.HasPrefix(flags, "<") || !strings.HasSuffix(flags, ">") {
		return linkUnknown
	}
	up, carrier := false, false
	for _, flag := range strings.Split(strings.Trim(flags, "<>"), ",") {
		up = up || flag == "UP"
		carrier = carrier || flag == "LOWER_UP"
	}
	if up && carrier {
		return linkUp
	}
	return linkDown
}

// parseReply reads "64 bytes from 10.0.0.9: icmp_seq=1 ttl=64 time=0.2 ms".
func parseReply(line string) (string, bool) {
	_, rest, ok := strings.Cut(line, " bytes from ")
	if !ok {
		return "", false
	}
	from, _, _ := strings.Cut(rest, ":")
	a, err := netip.ParseAddr(strings.TrimSpace(from))
	return a.String(), err == nil
}

// holders are the places of one address.
func (l look) holders(addr string) []held {
	var out []held
	for _, h := range l.held {
		if h.addr == addr {
			out = append(out, h)
		}
	}
	return out
}

// answeredByOther tells whether a host other than this one replied.
func (l look) answeredByOther() bool {
	for _, r := range l.repliers {
		if len(l.holders(r)) == 0 {
			return true
		}
	}
	return false
}
