package openswan

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// tunnel is what the daemon says about one connection, all its parts together. With
// leftsubnets a connection vpn1 becomes "vpn1/1x1", "vpn1/1x2", … one for each pair of networks.
type tunnel struct {
	parts []part
	// The addresses as the daemon has them: ours for the tunnel, the peer's for the
	// tunnel, and the peer's host. Invalid when unset.
	source, peer, host netip.Addr
	// ike: an IKE SA is established. retransmit: all that are wait for an answer of the peer, which is what a cut link
	// looks like; one that is left over may wait for long beside another that has its answers.
	ike, retransmit bool
	// connecting: the daemon is trying.
	connecting bool
	// sas are the numbers of all SAs that are listed, also those that are left over from before.
	sas     map[int]bool
	in, out int64 // bytes, of all established parts
}

// part is one pair of networks.
type part struct {
	name string
	// owner is the number of the IPsec SA that status calls the newest; 0 = none, -1 = it was not said.
	owner int
	up    bool
}

// up tells whether every part is established.
func (t tunnel) up() bool {
	for _, p := range t.parts {
		if !p.up {
			return false
		}
	}
	return len(t.parts) > 0
}

// down are the names of the parts that are not established.
func (t tunnel) down() []string {
	var out []string
	for _, p := range t.parts {
		if !p.up {
			out = append(out, p.name)
		}
	}
	return out
}

// answersLike tells whether lines are the status of a living daemon: it begins so in every version.
func answersLike(lines []string) bool {
	for _, l := range lines {
		if strings.HasPrefix(l, "000 using kernel interface") {
			return true
		}
	}
	return false
}

// parseStatus reads what "ipsec status" (Libreswan) or "ipsec auto --status" (Openswan)
// says about a connection. An error means that it cannot be understood.
func parseStatus(lines []string, conn string) (tunnel, error) {
	var t tunnel
	if !answersLike(lines) {
		return t, errors.New("this is not the status of a daemon that runs")
	}
	sas := map[int]sa{}
	for _, l := range lines {
		rest, ok := strings.CutPrefix(l, "000 ")
		if !ok {
			continue
		}
		var err error
		switch {
		case strings.HasPrefix(rest, `"`):
			err = t.connLine(rest, conn)
		case strings.HasPrefix(rest, "#"):
			err = saLine(rest, conn, sas)
		}
		if err != nil {
			return t, err
		}
	}
	return t, t.weigh(sas)
}

// belongs tells whether a quoted name at the beginning is the connection or a part of it.
func belongs(s, conn string) (name, rest string, ok bool) {
	s, quoted := strings.CutPrefix(s, `"`)
	name, rest, closed := strings.Cut(s, `"`)
	if !quoted || !closed {
		return "", "", false
	}
	pair, isPart := strings.CutPrefix(name, conn+"/")
	if isPart {
		a, b, x := strings.Cut(pair, "x")
		isPart = x && isNumber(a) && isNumber(b)
	}
	return name, rest, name == conn || isPart
}

func isNumber(s string) bool { return s != "" && len(s) < 6 && strings.Trim(s, "0123456789") == "" }

// connLine reads a line of the connection list.
func (t *tunnel) connLine(line, conn string) error {
	name, rest, ok := belongs(line, conn)
	if !ok {
		return nil
	}
	rest, plain := strings.CutPrefix(rest, ":")
	if !plain {
		return fmt.Errorf("%s is a template for many peers, which this kit does not protect", name)
	}
	if len(t.parts) == 0 || t.parts[len(t.parts)-1].name != name {
		for _, p := range t.parts {
			if p.name == name {
				return fmt.Errorf("%s is listed in two places", name)
			}
		}
		t.parts = append(t.parts, part{name: name, owner: -1})
	}
	rest = strings.TrimSpace(rest)
	switch {
	case strings.Contains(rest, "==="):
		return t.ends(rest)
	case strings.Contains(rest, "their_ip=") || strings.Contains(rest, "hisip="):
		return t.privates(rest)
	case strings.HasPrefix(rest, "newest "):
		return t.newest(rest)
	}
	return nil
}

// ends reads "NET===HOST<NAME>[ID]---HOP...HOP---HOST<NAME>[ID]===NET; erouted; …".
func (t *tunnel) ends(s string) error {
	s, _, _ = strings.Cut(s, ";")
	_, far, ok := strings.Cut(s, "...")
	if !ok {
		return fmt.Errorf("cannot read the ends in %.80q", s)
	}
	far, _, _ = strings.Cut(far, "===")
	if i := strings.LastIndex(far, "---"); i >= 0 {
		far = far[i+3:]
	}
	if i := strings.IndexAny(far, "<["); i >= 0 {
		far = far[:i]
	}
	return agree(&t.host, far)
}

// privates reads "oriented; my_ip=10.0.0.5; their_ip=172.16.0.5; …" or Openswan's "myip=…; hisip=…".
func (t *tunnel) privates(s string) error {
	for _, f := range strings.Split(s, ";") {
		key, val, _ := strings.Cut(strings.TrimSpace(f), "=")
		var err error
		switch key {
		case "my_ip", "myip":
			err = agree(&t.source, val)
		case "their_ip", "hisip":
			err = agree(&t.peer, val)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// agree sets an address, which must be the same in every part. What is no address is left unset.
func agree(to *netip.Addr, text string) error {
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is4() || a.IsUnspecified() {
		return nil
	}
	if to.IsValid() && *to != a {
		return fmt.Errorf("the parts of the connection name two addresses for one end: %s and %s", *to, a)
	}
	*to = a
	return nil
}

// newest reads "newest IKE SA: #2; newest IPsec SA: #3; …"; the first is an ISAKMP SA with IKEv1.
func (t *tunnel) newest(s string) error {
	_, after, ok := strings.Cut(s, "newest IPsec SA: #")
	num, _, _ := strings.Cut(after, ";")
	n, err := strconv.Atoi(strings.TrimSpace(num))
	if !ok || err != nil || n < 0 {
		return fmt.Errorf("cannot read the newest SA in %.80q", s)
	}
	t.parts[len(t.parts)-1].owner = n
	return nil
}

// sa is one state of the daemon's state list.
type sa struct {
	name        string
	child, ike  bool // established
	pending     bool // neither
	retransmits bool
	in, out     int64
}

// saLine reads one line of the state list. A state has one line about itself and, when it is a child, one about its traffic:
//
//	#3: "vpn1/1x1":500 STATE_V2_ESTABLISHED_CHILD_SA (established Child SA); …
//	#3: "vpn1/1x1" esp.a62cedfe@10.9.0.2 … Traffic: ESPin=84B ESPout=252B ESPmax=2^63B
func saLine(line, conn string, sas map[int]sa) error {
	num, rest, ok := strings.Cut(strings.TrimPrefix(line, "#"), ": ")
	n, err := strconv.Atoi(num)
	if !ok || err != nil || n <= 0 {
		return fmt.Errorf("cannot read the state in %.80q", line)
	}
	name, rest, ours := belongs(rest, conn)
	if !ours {
		return nil
	}
	s := sas[n]
	if s.name != "" && s.name != name {
		return fmt.Errorf("state #%d belongs to %s and to %s", n, s.name, name)
	}
	s.name = name
	if _, word, ok := strings.Cut(rest, " STATE_"); ok && !strings.HasPrefix(rest, " ") {
		s.state("STATE_" + word)
	} else if _, traffic, ok := strings.Cut(rest, "Traffic:"); ok {
		s.in, s.out = size(traffic, "ESPin="), size(traffic, "ESPout=")
	}
	sas[n] = s
	return nil
}

// state takes in "STATE_NAME (in words); flag; flag; …".
func (s *sa) state(text string) {
	word, rest, _ := strings.Cut(text, " ")
	said, flags, _ := strings.Cut(rest, ")")
	switch word {
	case "STATE_V2_ESTABLISHED_CHILD_SA":
		s.child = said == "(established Child SA"
	case "STATE_QUICK_I2", "STATE_QUICK_R2", "STATE_V2_IPSEC_I", "STATE_V2_IPSEC_R":
		s.child = strings.Contains(said, "IPsec SA established")
	case "STATE_V2_ESTABLISHED_IKE_SA":
		s.ike = said == "(established IKE SA"
	case "STATE_MAIN_I4", "STATE_MAIN_R3", "STATE_AGGR_I2", "STATE_AGGR_R2":
		s.ike = strings.Contains(said, "ISAKMP SA established")
	case "STATE_PARENT_I3", "STATE_PARENT_R2":
		s.ike = strings.Contains(said, "PARENT SA established") || strings.Contains(said, "IKE SA established")
	}
	s.pending = !s.child && !s.ike
	s.retransmits = strings.Contains(flags, "RETRANSMIT in ") || strings.Contains(flags, "EVENT_RETRANSMIT in ")
}

// mostBytes is what a count may be: sums of it never overflow, and no tunnel carries as much.
const mostBytes = 1 << 50

// size reads a byte count like "ESPin=84B" or "ESPin=2KB"; 0 when it is not there.
func size(s, key string) int64 {
	_, s, _ = strings.Cut(s, key)
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	n, err := strconv.ParseInt(s[:i], 10, 64)
	if err != nil {
		return 0
	}
	unit, _, _ := strings.Cut(s[i:], " ")
	shift := map[string]uint{"KB": 10, "MB": 20, "GB": 30}[unit]
	if n > mostBytes>>shift {
		return 0
	}
	return n << shift
}

// weigh says of every part whether it is up: the SA that the connection list calls
// its newest stands in the state list as established. Where the two lists do not fit together, nothing is known.
func (t *tunnel) weigh(sas map[int]sa) error {
	for i, p := range t.parts {
		s, listed := sas[p.owner]
		switch {
		case p.owner < 0:
			return fmt.Errorf("the status of %s is not complete", p.name)
		case p.owner == 0:
		case !listed || s.name != p.name || !s.child:
			return fmt.Errorf("the status of %s names #%d as its SA, but does not show that as an established one", p.name, p.owner)
		default:
			t.parts[i].up = true
		}
	}
	t.sas = map[int]bool{}
	answered := false
	for n, s := range sas {
		t.sas[n] = true
		t.ike = t.ike || s.ike
		answered = answered || s.ike && !s.retransmits
		t.connecting = t.connecting || s.pending
		if s.child {
			t.in, t.out = t.in+s.in, t.out+s.out
		}
	}
	t.retransmit = t.ike && !answered
	return nil
}
