package nodesim

import (
	"fmt"
	"net/netip"
	"time"
)

const ipsecUnit = "ipsec.service"

// The words in which the tool says that there is no daemon: after a kill the socket is
// still there, after a stop it is not.
const (
	plutoRefused = `whack: is Pluto running?  connect() for "/run/pluto/pluto.ctl" failed (111 Connection refused)`
	plutoAbsent  = `whack: Pluto is not running (no "/run/pluto/pluto.ctl")`
)

// ipsecCommand is Libreswan's ipsec: status, trafficstatus, auto, and the version.
func ipsecCommand(c *command) int {
	switch verb := c.arg(0); verb {
	case "--version", "version":
		return c.say("Linux Libreswan 4.10 (XFRM) on 6.1.0-ferry-sim")
	case "status", "trafficstatus":
		return c.whack("--" + verb)
	case "whack":
		return c.whack(c.arg(1))
	case "auto":
		return c.ipsecAuto()
	default:
		fmt.Fprintf(c.err, "ipsec: unknown IPsec command %q (\"ipsec --help\" for list)\n", verb)
		return 1
	}
}

// hear asks the daemon something: f runs in it. The exit code is 33 without a daemon, and
// one that hangs keeps the question until its time is over.
func (c *command) hear(f func(v *ipsecWorld, d *pluto, now time.Time)) int {
	v := c.node.world.ipsec
	for {
		said, waits := "", false
		v.do(func(now time.Time) {
			switch d := v.on(c.node.name); {
			case d == nil || d.state == plutoStopped:
				said = plutoAbsent
			case d.state != plutoRuns:
				said = plutoRefused
			case !d.answers():
				waits = true
			default:
				f(v, d, now)
			}
		})
		switch {
		case said != "":
			fmt.Fprintln(c.err, said)
			return 33
		case !waits:
			return 0
		case sleep(c.ctx, 250*time.Millisecond) != nil:
			return terminated
		}
	}
}

func (c *command) whack(what string) int {
	var said []string
	code := c.hear(func(v *ipsecWorld, d *pluto, now time.Time) {
		switch what {
		case "--status":
			said = v.status(d, now)
		case "--trafficstatus":
			said = v.traffic(d, now)
		}
	})
	if code != 0 {
		return code
	}
	return c.say(said...)
}

// ipsecAuto is "ipsec auto --up NAME" and its kin.
func (c *command) ipsecAuto() int {
	verb, name := c.arg(1), c.arg(2)
	if verb != "--status" && verb != "--rereadsecrets" && name == "" {
		return c.fail(1, "auto: a connection is missing")
	}
	switch verb {
	case "--status":
		return c.whack(verb)
	case "--up":
		return c.ipsecUp(name)
	case "--rereadsecrets":
		return c.rereadSecrets()
	case "--down", "--delete", "--add", "--replace":
		return c.ipsecDown(verb, name)
	}
	return c.fail(1, "auto: %q is not simulated", verb)
}

func (c *command) rereadSecrets() int {
	said := []string{"002 forgetting secrets"}
	code := c.hear(func(_ *ipsecWorld, d *pluto, _ time.Time) {
		var files []string
		d.secrets, files = d.node.readSecrets()
		for _, f := range files {
			said = append(said, fmt.Sprintf("002 loading secrets from %q", f))
		}
	})
	if code != 0 {
		return code
	}
	return c.say(said...)
}

// ipsecDown takes a tunnel down, and with --delete, --add and --replace the connection
// out of the daemon; the latter two load it as the files have it now, without bringing it up.
func (c *command) ipsecDown(verb, name string) int {
	var said []string
	code := c.hear(func(v *ipsecWorld, d *pluto, now time.Time) {
		if old := d.conn(name); old != nil {
			said = old.farewell(now)
			v.terminate(old, now)
			old.up = false
			if verb != "--down" {
				d.forget(old)
			}
		}
		if verb != "--add" && verb != "--replace" {
			return
		}
		if s := d.node.readConf()[name]; s != nil {
			d.load(s, false, now)
		} else {
			said = append(said, fmt.Sprintf("021 no connection named %q", name))
		}
	})
	if code != 0 {
		return code
	}
	return c.say(said...) // 0 also when there is no such connection
}

func (d *pluto) forget(c *ipsecConn) {
	for i, o := range d.conns {
		if o == c {
			d.conns = append(d.conns[:i:i], d.conns[i+1:]...)
			return
		}
	}
}

// farewell is what the daemon says when it takes a connection down.
func (c *ipsecConn) farewell(now time.Time) []string {
	first := fmt.Sprintf("002 %q", c.partName(0))
	out := []string{first + ": terminating SAs using this connection"}
	switch {
	case c.session != 0:
		out = append(out, fmt.Sprintf("%s #%d: deleting state (STATE_V2_ESTABLISHED_IKE_SA) aged %s and sending notification", first, c.ike, aged(c.since, now)))
	case !c.try.IsZero():
		out = append(out, fmt.Sprintf("%s #%d: deleting state (STATE_V2_PARENT_I1) aged %s and NOT sending notification", first, c.ike, aged(c.try, now)))
	}
	for i := len(c.children) - 1; i >= 0; i-- {
		s := c.children[i]
		out = append(out, fmt.Sprintf("005 %q #%d: ESP traffic information: in=%s out=%s", c.partName(s.part), s.num, humanBytes(s.bytesIn), humanBytes(s.bytesO)))
	}
	return append(out, fmt.Sprintf("000 terminated %d connections from aliased connection %q", len(c.pairs()), c.name))
}

// ipsecUp asks for the tunnel and tells how it goes, until it is up or refused. One that
// is in the making already is not waited for: that ends with 0 although it is not up.
func (c *command) ipsecUp(name string) int {
	mine, busy, exists := 0, false, false
	said := []string{fmt.Sprintf("000 initiating all conns with alias='%s'", name)}
	code := c.hear(func(v *ipsecWorld, d *pluto, now time.Time) {
		o := d.conn(name)
		if exists = o != nil; !exists {
			return
		}
		o.up = true
		switch {
		case o.session != 0:
			said = append(said, o.again(v, now)...)
		case !o.try.IsZero():
			busy = true
		default:
			o.begin(now)
			mine = o.ike
			said = append(said, fmt.Sprintf("181 %q #%d: initiating IKEv2 connection", o.partName(0), mine),
				fmt.Sprintf("181 %q #%d: sent IKE_SA_INIT request to %s:500", o.partName(0), mine, o.peer))
		}
	})
	if code != 0 {
		return code
	}
	c.say(said...)
	switch {
	case !exists:
		c.say(fmt.Sprintf("021 no connection named %q", name))
		return 21
	case busy || mine == 0:
		return 0
	}
	return c.awaitUp(name, mine)
}

// again adds a Child SA to every part of a tunnel that is up: that is what --up does to one.
func (c *ipsecConn) again(v *ipsecWorld, now time.Time) []string {
	m := v.mate(c)
	if m == nil || !v.heard(c) {
		return nil
	}
	var out []string
	for k := range c.pairs() {
		v.child(c, m, k, now)
		s := newestChild(c, k)
		if s == nil {
			continue
		}
		out = append(out, fmt.Sprintf("002 %q #%d: initiating Child SA using IKE SA #%d", c.partName(k), s.num, c.ike),
			fmt.Sprintf("189 %q #%d: sent CREATE_CHILD_SA request for new IPsec SA", c.partName(k), s.num), c.childUp(s, "-MODP2048"))
	}
	return out
}

func (c *ipsecConn) childUp(s *childSA, group string) string {
	p := c.pairs()[s.part]
	return fmt.Sprintf("004 %q #%d: initiator established Child SA using #%d; IPsec tunnel [%s:0-65535 0] -> [%s:0-65535 0] {ESPinUDP/ESN=>0x%08x <0x%08x xfrm=AES_GCM_16_256-NONE%s NATD=%s:4500 DPD=active}",
		c.partName(s.part), s.num, c.ike, span(p.own), span(p.peer), s.spiOut, s.spiIn, group, c.peer)
}

// span is a network from its first to its last address.
func span(p netip.Prefix) string { return p.Addr().String() + "-" + broadcast(p) }

// awaitUp waits for the attempt with that number.
func (c *command) awaitUp(name string, mine int) int {
	v, sent := c.node.world.ipsec, 1
	for {
		if sleep(c.ctx, 100*time.Millisecond) != nil {
			return terminated
		}
		done, code := false, 0
		var said []string
		v.do(func(time.Time) {
			d := v.on(c.node.name)
			o := d.conn(name)
			switch {
			case d.state != plutoRuns || o == nil:
				done, code = true, 33
			case o.refused == mine:
				done, code = true, 36
				said = o.refusal(mine)
			case o.session != 0:
				done = true
				said = o.welcome()
			case o.ike != mine:
				done, code = true, 31 // given up, and tried anew
			}
			for ; !done && sent < o.sent && sent < len(retransmits); sent++ {
				said = append(said, fmt.Sprintf("010 %q #%d: STATE_V2_PARENT_I1: retransmission; will wait %v seconds for response", o.partName(0), mine, (retransmits[sent]-retransmits[sent-1]).Seconds()))
			}
		})
		if c.say(said...); done {
			return code
		}
	}
}

func (c *ipsecConn) welcome() []string {
	n := c.partName(0)
	out := []string{
		fmt.Sprintf("182 %q #%d: sent IKE_AUTH request {cipher=AES_GCM_16_256 integ=n/a prf=HMAC_SHA2_512 group=MODP2048}", n, c.ike),
		fmt.Sprintf("003 %q #%d: initiator established IKE SA; authenticated peer using authby=secret and ID_IPV4_ADDR '%s'", n, c.ike, c.peerID),
	}
	for _, s := range c.children {
		out = append(out, c.childUp(s, ""))
	}
	return out
}

func (c *ipsecConn) refusal(num int) []string {
	n := c.partName(0)
	return []string{
		fmt.Sprintf("182 %q #%d: sent IKE_AUTH request {cipher=AES_GCM_16_256 integ=n/a prf=HMAC_SHA2_512 group=MODP2048}", n, num),
		fmt.Sprintf("003 %q #%d: IKE SA authentication request rejected by peer: AUTHENTICATION_FAILED", n, num),
		fmt.Sprintf("036 %q #%d: encountered fatal error in state STATE_V2_PARENT_I2", n, num),
		fmt.Sprintf("002 %q #%d: deleting state (STATE_V2_PARENT_I2) aged 0.027576s and NOT sending notification", n, num),
		fmt.Sprintf("002 %q #%d: deleting IKE SA but connection is supposed to remain up; schedule EVENT_REVIVE_CONNS", n, num),
	}
}

// unitState is what systemd says of the daemon.
func (v *ipsecWorld) unitState(n *Node) string {
	state := "inactive"
	v.do(func(time.Time) {
		switch d := v.on(n.name); {
		case d == nil || d.state == plutoStopped && !d.broken:
		case d.state == plutoStopped:
			state = "failed"
		case d.state == plutoRuns:
			state = "active"
		default:
			state = "activating"
		}
	})
	return state
}

// ipsecUnitVerb is systemctl start, stop, restart or kill of the daemon.
func (c *command) ipsecUnitVerb(verb string) int {
	n := c.node
	switch verb {
	case "kill":
		n.pluto(func(d *pluto, _ time.Time) { d.frozen = false })
		n.KillIPsec()
	case "stop", "restart":
		if sleep(c.ctx, plutoStop) != nil {
			return 143
		}
		n.StopIPsec()
	}
	if verb != "start" && verb != "restart" {
		return 0
	}
	n.StartIPsec()
	for {
		switch n.world.ipsec.unitState(n) {
		case "active":
			return 0
		case "activating":
		default:
			fmt.Fprintf(c.err, "Job for %s failed because the control process exited with error code.\n", ipsecUnit)
			return 1
		}
		if sleep(c.ctx, 100*time.Millisecond) != nil {
			return 143
		}
	}
}

// showPluto keeps the daemon's place below /proc as it is now.
func (n *Node) showPluto() {
	v := n.world.ipsec
	pid, state := 0, ""
	v.do(func(time.Time) {
		switch d := v.on(n.name); {
		case d == nil || d.state != plutoRuns:
		case d.frozen:
			pid, state = d.pid, "T (stopped)"
		default:
			pid, state = d.pid, "S (sleeping)"
		}
	})
	n.mu.Lock()
	old := n.plutoShown
	n.plutoShown = pid
	n.mu.Unlock()
	if old != 0 && old != pid {
		_ = n.fs.remove(fmt.Sprintf("/proc/%d", old), true)
	}
	if pid != 0 {
		_ = n.fs.put(fmt.Sprintf("/proc/%d/comm", pid), []byte("pluto\n"), 0o444)
		_ = n.fs.put(fmt.Sprintf("/proc/%d/status", pid), []byte("Name:\tpluto\nState:\t"+state+"\n"), 0o444)
	}
}
