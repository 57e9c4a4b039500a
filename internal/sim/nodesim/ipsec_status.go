package nodesim

import (
	_ "embed" // what the daemon says of itself, the same on every node
	"fmt"
	"net/netip"
	"strings"
	"time"
)

//go:embed ipsec_head.txt
var ipsecHead string

// saLife is how long an SA lives (ipsec_life), and when it is renewed before.
const (
	saLife  = 28800
	saRekey = 27800
)

// status is what "ipsec status" says; v.mu is held.
func (v *ipsecWorld) status(d *pluto, now time.Time) []string {
	a := d.node.address
	out := []string{"000 using kernel interface: xfrm", "000  ",
		"000 interface lo UDP 127.0.0.1:4500", "000 interface lo UDP 127.0.0.1:500",
		"000 interface " + d.node.config.Interface + " UDP " + a + ":4500", "000 interface " + d.node.config.Interface + " UDP " + a + ":500",
		"000  "}
	out = append(out, lines(ipsecHead)...)
	out = append(out, "000  ", "000 Connection list:", "000  ")
	loaded, active, ike, half, sas := 0, 0, 0, 0, 0
	var states []string
	for _, c := range d.conns {
		for k := range c.pairs() {
			loaded++
			if newestChild(c, k) != nil {
				active++
			}
			out = append(out, c.listed(k)...)
		}
		sas += len(c.children)
		switch {
		case c.session != 0:
			ike++
		case !c.try.IsZero():
			half++
		}
		states = append(states, v.states(c, now)...)
	}
	out = append(out, "000  ",
		fmt.Sprintf("000 Total IPsec connections: loaded %d, active %d", loaded, active), "000  ",
		"000 State Information: DDoS cookies not required, Accepting new IKE connections",
		fmt.Sprintf("000 IKE SAs: total(%d), half-open(%d), open(0), authenticated(%d), anonymous(0)", ike+half, half, ike),
		fmt.Sprintf("000 IPsec SAs: total(%d), authenticated(%d), anonymous(0)", sas, sas), "000  ")
	out = append(out, states...)
	return append(out, "000  ", "000 Bare Shunt list:", "000  ")
}

// listed are a part's lines in the connection list.
func (c *ipsecConn) listed(k int) []string {
	name, pair := c.partName(k), c.pairs()[k]
	owner, route := 0, "unrouted"
	if s := newestChild(c, k); s != nil {
		owner, route = s.num, "erouted"
	} else if c.routed {
		route = "prospective erouted"
	}
	ike := 0
	if k == 0 && c.session != 0 {
		ike = c.ike
	}
	hop, up := "", ""
	if c.nextHop {
		hop = "---" + router(c.own)
	}
	if c.up {
		up = "+UP"
	}
	own, peer := c.own.String(), c.peer.String()
	if c.ownID != own {
		own += "[" + c.ownID + "]"
	}
	if c.peerID != peer {
		peer += "[" + c.peerID + "]"
	}
	alias := ""
	if c.several {
		alias = c.name
	}
	said := []string{
		fmt.Sprintf("%s===%s%s...%s===%s; %s; eroute owner: #%d", pair.own, own, hop, peer, pair.peer, route, owner),
		fmt.Sprintf("    oriented; my_ip=%s; their_ip=%s; my_updown=ipsec _updown;", unset(c.ownSource), unset(c.peerSource)),
		"  xauth us:none, xauth them:none,  my_username=[any]; their_username=[any]",
		"  our auth:secret, their auth:secret, our autheap:none, their autheap:none;",
		"  modecfg info: us:none, them:none, modecfg policy:push, dns:unset, domains:unset, cat:unset;",
		"  sec_label:unset;",
		"  ike_life: 28800s; ipsec_life: 28800s; ipsec_max_bytes: 2^63B; ipsec_max_packets: 2^63; replay_window: 128; rekey_margin: 540s; rekey_fuzz: 100%; keyingtries: 0;",
		"  retransmit-interval: 500ms; retransmit-timeout: 60s; iketcp:no; iketcp-port:4500;",
		"  initial-contact:no; cisco-unity:no; fake-strongswan:no; send-vendorid:no; send-no-esp-tfc:no;",
		"  policy: IKEv2+PSK+ENCRYPT+TUNNEL+PFS" + up + "+IKE_FRAG_ALLOW+ESN_NO+ESN_YES;",
		"  v2-auth-hash-policy: none;",
		fmt.Sprintf("  conn_prio: %d,%d; interface: %s; metric: 0; mtu: unset; sa_prio:auto; sa_tfc:none;", pair.own.Bits(), pair.peer.Bits(), c.d.node.config.Interface),
		"  nflog-group: unset; mark: unset; vti-iface:unset; vti-routing:no; vti-shared:no; nic-offload:auto;",
		fmt.Sprintf("  our idtype: ID_IPV4_ADDR; our id=%s; their idtype: ID_IPV4_ADDR; their id=%s", c.ownID, c.peerID),
		fmt.Sprintf("  liveness: %s; dpdaction:%s; dpddelay:%ds; retransmit-timeout:60s", choose(c.liveness > 0, "active", "passive"), choose(c.restart, "restart", "hold"), c.liveness/time.Second),
		"  nat-traversal: encaps:auto; keepalive:20s",
		fmt.Sprintf("  newest IKE SA: #%d; newest IPsec SA: #%d; conn serial: $%d;", ike, owner, c.serial+k),
	}
	if alias != "" {
		said = append(said, "  aliases: "+alias)
	}
	if owner > 0 {
		said = append(said, "  IKEv2 algorithm newest: AES_GCM_16_256-HMAC_SHA2_512-MODP2048", "  ESP algorithm newest: AES_GCM_16_256-NONE; pfsgroup=<Phase1>")
	}
	out := make([]string, len(said))
	for i, s := range said {
		gap := " "
		if i == 0 {
			out[i] = `000 "` + name + `": ` + s
			continue
		}
		out[i] = `000 "` + name + `":` + gap + s
	}
	return out
}

func choose(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

func unset(s string) string {
	if s == "" {
		return "unset"
	}
	return s
}

// router is the first address of the subnet: a VPC's router.
func router(a netip.Addr) string {
	p, err := a.Prefix(24)
	if err != nil {
		return a.String()
	}
	return p.Addr().Next().String()
}

// port is what the daemons talk over: 4500 where addresses are translated on the way.
func (c *ipsecConn) port() int {
	if c.ownID != c.own.String() {
		return 4500
	}
	return 500
}

// states are the connection's lines in the state list.
func (v *ipsecWorld) states(c *ipsecConn, now time.Time) []string {
	first := fmt.Sprintf("000 #%d: %q:", c.ike, c.partName(0))
	age := int(now.Sub(c.since) / time.Second)
	if c.session == 0 {
		if c.try.IsZero() {
			return nil
		}
		out := []string{fmt.Sprintf("%s500 STATE_V2_PARENT_I1 (sent IKE_SA_INIT request); RETRANSMIT in %ds; idle;", first, untilNext(c.try, now))}
		for k := range c.pairs() {
			out = append(out, fmt.Sprintf("000 #%d: pending CHILD SA for %q", c.ike, c.partName(k)))
		}
		return out
	}
	wait := ""
	if !c.probe.IsZero() {
		wait = fmt.Sprintf("RETRANSMIT in %ds; ", untilNext(c.probe, now))
	}
	out := []string{fmt.Sprintf("%s%d STATE_V2_ESTABLISHED_IKE_SA (established IKE SA); %sREKEY in %ds; REPLACE in %ds; newest; idle;", first, c.port(), wait, saRekey-age, saLife-age-1)}
	for _, s := range c.children {
		out = append(out, c.childState(s, now)...)
	}
	return out
}

func (c *ipsecConn) childState(s *childSA, now time.Time) []string {
	first := fmt.Sprintf("000 #%d: %q", s.num, c.partName(s.part))
	age := int(now.Sub(s.since) / time.Second)
	live, newest := "", ""
	if newestChild(c, s.part) == s {
		newest = "newest; eroute owner; "
		if c.liveness > 0 {
			live = fmt.Sprintf("LIVENESS in %ds; ", int((c.liveness-now.Sub(c.since)%c.liveness)/time.Second))
		}
	}
	return []string{
		fmt.Sprintf("%s:%d STATE_V2_ESTABLISHED_CHILD_SA (established Child SA); %sREKEY in %ds; REPLACE in %ds; %sIKE SA #%d; idle;", first, c.port(), live, saRekey-age, saLife-age-1, newest, c.ike),
		fmt.Sprintf("%s esp.%x@%s esp.%x@%s tun.0@%s tun.0@%s Traffic: ESPin=%s ESPout=%s ESPmax=2^63B ", first, s.spiOut, c.peer, s.spiIn, c.own, c.peer, c.own, humanBytes(s.bytesIn), humanBytes(s.bytesO)),
	}
}

// untilNext is the time until the next packet of an exchange that began then, in seconds.
func untilNext(began, now time.Time) int {
	for _, d := range append(retransmits[1:len(retransmits):len(retransmits)], retransmitLimit) {
		if at := began.Add(d); at.After(now) {
			return int(at.Sub(now) / time.Second)
		}
	}
	return 0
}

// humanBytes is how status shows a count: above 10,000 in the next unit.
func humanBytes(n int64) string {
	unit := "B"
	for _, u := range []string{"KB", "MB"} {
		if n > 10240 {
			n, unit = n>>10, u
		}
	}
	return fmt.Sprint(n) + unit
}

// traffic is what "ipsec trafficstatus" says; v.mu is held.
func (v *ipsecWorld) traffic(d *pluto, now time.Time) []string {
	var out []string
	for _, c := range d.conns {
		for _, s := range c.children {
			added := s.since.Unix()
			if now.Sub(s.since) < time.Second && s.bytesIn == 0 && s.bytesO == 0 {
				added = 0
			}
			out = append(out, fmt.Sprintf("006 #%d: %q, type=ESP, add_time=%d, inBytes=%d, outBytes=%d, maxBytes=2^63B, id='%s'",
				s.num, c.partName(s.part), added, s.bytesIn, s.bytesO, c.peerID))
		}
	}
	return out
}

// aged is how the daemon writes an age.
func aged(since, now time.Time) string {
	return strings.TrimSuffix(fmt.Sprintf("%.6f", now.Sub(since).Seconds()), "0") + "s"
}
