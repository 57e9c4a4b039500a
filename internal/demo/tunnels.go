package demo

import (
	"fmt"
	"sync"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/sim"
)

// groupTunnels stands for what joins the regions.
const groupTunnels = "tunnels"

// tuneTunnels makes the checks and recoveries of VPN nodes quick: what takes minutes in
// production takes seconds here.
func tuneTunnels(e *hierarchy.Estate) {
	ends := map[string]bool{}
	for _, t := range sim.TunnelsOf(e) {
		ends[t.A], ends[t.B] = true, true
	}
	for i := range e.Servers {
		if ends[e.Servers[i].Name] {
			tune := e.Servers[i].Tuning
			tune["OPENSWAN_PING_TIMEOUT"], tune["OPENSWAN_CHECK_TRY_COUNT"], tune["OPENSWAN_CHECK_INTERVAL"] = "2", "2", "1"
		}
	}
}

// tunnels is what can be broken between the regions; nothing in an estate without VPN nodes.
func (d *Demo) tunnels() []*Breakage {
	if len(d.sim.Tunnels()) == 0 {
		return nil
	}
	return []*Breakage{
		d.busy("tunnel/cut", "tunnel", d.sim.CutTunnel, d.sim.HealTunnel),
		d.bothTunnels(),
		d.daemon(),
		d.busy("tunnel/key", "key", d.sim.ChangeKey, d.sim.RestoreKey),
	}
}

// gateway is the VPN node of the first region whose tunnel carries the traffic now.
func (d *Demo) gateway() (string, error) {
	if n := d.sim.Gateway(d.sim.Definition.Regions[0].Name); n != "" {
		return n, nil
	}
	return "", fmt.Errorf("no route of %s leads to a VPN node at this moment", d.sim.Definition.Regions[0].Name)
}

// busy breaks the tunnel that carries the traffic when it is broken, and mends that one.
func (d *Demo) busy(id, kind string, breaks, mends func(node string) error) *Breakage {
	var mu sync.Mutex
	at := ""
	return &Breakage{ID: id, Kind: kind, Group: groupTunnels,
		broken: func() bool { mu.Lock(); defer mu.Unlock(); return at != "" },
		breaks: func() error {
			mu.Lock()
			defer mu.Unlock()
			node, err := d.gateway()
			if err == nil {
				err = breaks(node)
			}
			if err == nil {
				at = node
			}
			return err
		},
		mends: func() error {
			mu.Lock()
			defer mu.Unlock()
			err := mends(at)
			if err == nil {
				at = ""
			}
			return err
		}}
}

// bothTunnels cuts every tunnel. It has its own cuts: mending this mends a single cut, too.
func (d *Demo) bothTunnels() *Breakage {
	t := &toggle{}
	each := func(do func(string) error) func() {
		return func() {
			for _, x := range d.sim.Tunnels() {
				_ = do(x.A) // it is the end of a tunnel
			}
		}
	}
	return &Breakage{ID: "tunnel/both", Kind: "tunnels", Group: groupTunnels, broken: t.is,
		breaks: t.turn(true, each(d.sim.CutTunnel)), mends: t.turn(false, each(d.sim.HealTunnel))}
}

// daemon stops the IPsec daemon where the traffic goes. ferry starts it again.
func (d *Demo) daemon() *Breakage {
	var mu sync.Mutex
	at := ""
	broken := func() bool { return at != "" && !d.sim.Nodes.Node(at).Running("ipsec") }
	return &Breakage{ID: "tunnel/daemon", Kind: "daemon", Group: groupTunnels, Passing: true,
		broken: func() bool { mu.Lock(); defer mu.Unlock(); return broken() },
		breaks: func() error {
			mu.Lock()
			defer mu.Unlock()
			node, err := d.gateway()
			if err == nil {
				at = node
				d.sim.Nodes.Node(node).StopIPsec()
			}
			return err
		},
		mends: func() error {
			mu.Lock()
			defer mu.Unlock()
			if broken() {
				d.sim.Nodes.Node(at).StartIPsec()
			}
			return nil
		}}
}
