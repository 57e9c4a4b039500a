package nodesim

import (
	"fmt"
	"time"
)

// TunnelEnd is one end of a tunnel between two VPN nodes.
type TunnelEnd struct {
	// Node names the node, which has a public address (NodeConfig.Public).
	Node string
	// Connection is the conn section's name in the node's ipsec.conf.
	Connection string
	// Subnets are the networks behind this end: "10.0.0.0/16".
	Subnets []string
}

// AddTunnel sets a tunnel up on both nodes, as an administrator would: ipsec.conf and
// the pre-shared key as files, the daemon running and enabled at boot, the tunnel up.
func (w *World) AddTunnel(a, b TunnelEnd, key string) error {
	na, nb := w.Node(a.Node), w.Node(b.Node)
	if na == nil || nb == nil || na.config.Public == "" || nb.config.Public == "" {
		return fmt.Errorf("a tunnel between %s and %s: both must be nodes with a public address", a.Node, b.Node)
	}
	for _, e := range []struct {
		n, far    *Node
		own, peer TunnelEnd
	}{{na, nb, a, b}, {nb, na, b, a}} {
		if err := e.n.installTunnel(e.far, e.own, e.peer, key); err != nil {
			return err
		}
	}
	w.ipsec.do(func(now time.Time) {
		for _, n := range []*Node{na, nb} {
			d := w.ipsec.on(n.name)
			if d == nil {
				d = &pluto{node: n, pid: 640}
				w.ipsec.daemons = append(w.ipsec.daemons, d)
			}
			w.ipsec.run(d, now.Add(-handshake)) // so that it is up at once
		}
		w.ipsec.advance(now)
	})
	return nil
}

func (n *Node) installTunnel(far *Node, own, peer TunnelEnd, key string) error {
	n.mu.Lock()
	n.services[ipsecUnit] = &service{Service: Service{Name: ipsecUnit, Enabled: true}}
	n.mu.Unlock()
	conn := fmt.Sprintf(`conn %s
    type=tunnel
    authby=secret
    ikev2=insist
    left=%%defaultroute
    # the public address of %s
    leftid=%s
    leftsubnets={%s}
    leftsourceip=%s
    # the public address of %s
    right=%s
    rightsubnets={%s}
    rightsourceip=%s
    dpddelay=3
    dpdaction=restart
    auto=start
`, own.Connection, n.name, n.config.Public, joinComma(own.Subnets), n.address, far.name, far.config.Public, joinComma(peer.Subnets), far.address)
	for _, f := range []struct{ path, text string }{
		{ipsecConf, "version 2.0\nconfig setup\n    protostack=netkey\n\ninclude " + ipsecDir + "/*.conf\n"},
		{ipsecSecrets, "include " + ipsecDir + "/*.secrets\n"},
		{ipsecDir + "/" + own.Connection + ".conf", conn},
	} {
		if err := n.fs.put(f.path, []byte(f.text), 0o600); err != nil {
			return err
		}
	}
	return n.SetSharedKey(own.Connection, key)
}

func joinComma(s []string) string {
	out := ""
	for i, x := range s {
		if i > 0 {
			out += ","
		}
		out += x
	}
	return out
}

// SetSharedKey writes a connection's pre-shared key to the node's disk. The daemon goes
// on with the one it has until it reads it again and makes the tunnel anew.
func (n *Node) SetSharedKey(connection, key string) error {
	peer := ""
	if c := n.readConf()[connection]; c != nil {
		peer = c.peerID
	}
	return n.fs.put(ipsecDir+"/"+connection+".secrets", fmt.Appendf(nil, "%s %s : PSK \"%s\"\n", n.config.Public, peer, key), 0o600)
}

// pluto does something to the node's IPsec daemon; nothing on a node without one.
func (n *Node) pluto(f func(d *pluto, now time.Time)) {
	v := n.world.ipsec
	v.do(func(now time.Time) {
		if d := v.on(n.name); d != nil {
			f(d, now)
		}
	})
}

// KillIPsec ends the IPsec daemon as kill -9 does; systemd has it up again 4 s later.
func (n *Node) KillIPsec() {
	n.pluto(func(d *pluto, now time.Time) {
		if d.state == plutoRuns {
			d.gone(plutoDead, now.Add(plutoRestart))
		}
	})
}

// StopIPsec stops the IPsec daemon in good order, as systemctl stop does; nothing starts it again by itself.
func (n *Node) StopIPsec() { n.pluto(n.world.ipsec.stop) }

// StartIPsec starts it; it runs 4.6 s later.
func (n *Node) StartIPsec() { n.pluto(n.world.ipsec.start) }

// BreakIPsec ends the IPsec daemon and lets every start of it fail, until MendIPsec.
func (n *Node) BreakIPsec() {
	n.pluto(func(d *pluto, now time.Time) {
		n.world.ipsec.stop(d, now)
		d.broken = true
	})
}

// MendIPsec undoes BreakIPsec; it does not start the daemon.
func (n *Node) MendIPsec() { n.pluto(func(d *pluto, _ time.Time) { d.broken = false }) }

// FreezeIPsec stops the IPsec daemon with a signal: it is there, answers nothing, and
// what the kernel has of the tunnel goes on working until the peer gives it up.
func (n *Node) FreezeIPsec() {
	n.pluto(func(d *pluto, _ time.Time) { d.frozen = d.state == plutoRuns })
}

// ThawIPsec lets it go on.
func (n *Node) ThawIPsec() { n.pluto(func(d *pluto, _ time.Time) { d.frozen = false }) }

// ReloadSecrets lets the daemon read the keys again and makes its tunnels anew, as an
// administrator does who has changed them.
func (n *Node) ReloadSecrets() {
	n.pluto(func(d *pluto, now time.Time) {
		if !d.answers() {
			return
		}
		d.secrets, _ = n.readSecrets()
		for _, c := range d.conns {
			n.world.ipsec.terminate(c, now)
			c.up = true
			c.begin(now)
		}
	})
}

// FlushSAs takes the tunnel's keys out of the node's kernel behind the daemon's back: it
// still says "up", and nothing passes until the tunnel is made anew.
func (n *Node) FlushSAs() {
	n.pluto(func(d *pluto, _ time.Time) {
		for _, c := range d.conns {
			c.kernel = false
		}
	})
}

// LosePart takes one pair of networks (counted from 0) out of a node's tunnels, at both
// ends, as a rekeying that failed does. It comes back when the tunnel is made anew.
func (n *Node) LosePart(part int) {
	n.pluto(func(d *pluto, _ time.Time) {
		for _, c := range d.conns {
			m := n.world.ipsec.mate(c)
			for i, s := range c.children {
				if s.part != part || m == nil {
					continue
				}
				c.children = append(c.children[:i:i], c.children[i+1:]...)
				for j, o := range m.children {
					if o.spiIn == s.spiOut {
						m.children = append(m.children[:j:j], m.children[j+1:]...)
						break
					}
				}
				break
			}
		}
	})
}

// BlockESP lets what tunnels carry between two nodes vanish while their daemons go on
// talking to each other: the tunnel is up and carries nothing. AllowESP undoes it.
func (w *World) BlockESP(a, b string) {
	w.ipsec.do(func(time.Time) { w.ipsec.noData[pair(a, b)] = true })
}

// AllowESP undoes BlockESP.
func (w *World) AllowESP(a, b string) {
	w.ipsec.do(func(time.Time) { delete(w.ipsec.noData, pair(a, b)) })
}

// Tunnel is a node's end of a tunnel as it is now, seen from above.
type Tunnel struct {
	Node, Connection string
	// Up: the daemon runs and says so. Carries: packets really come out at the peer.
	Up, Carries bool
	// Answers: the daemon does, whatever the kernel still carries.
	Answers bool
}

// Tunnels are all ends, in the order in which they were added.
func (w *World) Tunnels() []Tunnel {
	var out []Tunnel
	v := w.ipsec
	v.do(func(time.Time) {
		for _, d := range v.daemons {
			for _, c := range d.conns {
				t := Tunnel{Node: d.node.name, Connection: c.name, Up: c.session != 0, Carries: c.session != 0, Answers: d.answers()}
				for k := range c.pairs() {
					t.Up = t.Up && newestChild(c, k) != nil
					t.Carries = t.Carries && v.packet(c, k, 0) != nil
				}
				out = append(out, t)
			}
		}
	})
	return out
}

// start and stop are systemd's; v.mu is held.
func (v *ipsecWorld) start(d *pluto, now time.Time) {
	if d.state == plutoStopped && d.node.runs(d.node.bootCount()) {
		d.state, d.until = plutoStarting, now.Add(plutoStart)
	}
}

func (v *ipsecWorld) stop(d *pluto, now time.Time) {
	if d.answers() {
		for _, c := range d.conns {
			v.terminate(c, now)
		}
	}
	d.gone(plutoStopped, now)
}
