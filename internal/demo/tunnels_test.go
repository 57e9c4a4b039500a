package demo

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// tryTunnels runs a demo from everything in service, the VPN resources too.
func tryTunnels(t *testing.T, f func(b bench)) {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	synctest.Test(t, func(t *testing.T) {
		d, err := Open(t.Context(), Options{Kits: registry, Person: "anna", Who: "test", Version: "test", Small: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			d.Close()
			time.Sleep(time.Minute)
			synctest.Wait()
		}()
		b := bench{d, t}
		b.until("all is in service", func() bool {
			return b.Probe().Node == "LK_P_A" && b.gates("VPN_P_A", "VPN_S_A") && len(b.snapshot().Running) == 0
		})
		f(b)
	})
}

const vpnP, vpnS = hierarchy.Tag("vpn-primary/openswan-vpn1"), hierarchy.Tag("vpn-standby/openswan-vpn1")

// gates: the VPN resources are in service there, and the regions' routes lead there.
func (b bench) gates(p, s string) bool {
	return b.active(vpnP) == p && b.active(vpnS) == s && b.sim.Gateway("ap-northeast-1") == p && b.sim.Gateway("ap-southeast-1") == s
}

func (b bench) active(tag hierarchy.Tag) string {
	for _, r := range b.snapshot().Resources {
		if r.Tag == tag {
			return r.Active
		}
	}
	return ""
}

// Each breakage of the tunnels does what its page says, and the service does not notice.
func TestTunnelBreakages(t *testing.T) {
	for id, story := range map[string]func(b bench){
		"tunnel/cut": func(b bench) {
			b.until("both regions use the other tunnel", func() bool { return b.gates("VPN_P_B", "VPN_S_B") })
			b.toggle("tunnel/cut")
			b.until("the old tunnel is well", func() bool {
				return b.state(vpnP, "VPN_P_A") == hierarchy.OSU && b.state(vpnS, "VPN_S_A") == hierarchy.OSU
			})
			if !b.gates("VPN_P_B", "VPN_S_B") {
				b.t.Error("it moved back by itself")
			}
		},
		"tunnel/both": func(b bench) {
			time.Sleep(2 * time.Minute)
			if b.sim.Gateway("ap-northeast-1") != "VPN_P_A" || b.sim.Gateway("ap-southeast-1") != "VPN_S_A" {
				b.t.Error("it moved although nothing is better")
			}
			b.toggle("tunnel/both")
			at := time.Now()
			// Whichever tunnel is back first carries the traffic.
			b.until("all is well again", func() bool {
				well := true // each region for itself
				for tag, nodes := range map[hierarchy.Tag][]string{vpnP: {"VPN_P_A", "VPN_P_B"}, vpnS: {"VPN_S_A", "VPN_S_B"}} {
					for _, n := range nodes {
						s := b.state(tag, n)
						well = well && (s == hierarchy.ISP || s == hierarchy.OSU)
					}
					well = well && (b.state(tag, nodes[0]) == hierarchy.ISP || b.state(tag, nodes[1]) == hierarchy.ISP)
				}
				return well
			})
			if took := time.Since(at); took > time.Minute {
				b.t.Errorf("it took %v", took)
			}
		},
		"tunnel/daemon": func(b bench) {
			b.until("its failure is seen", func() bool { return b.state(vpnP, "VPN_P_A") != hierarchy.ISP })
			b.until("it is recovered on the spot", func() bool {
				return b.state(vpnP, "VPN_P_A") == hierarchy.ISP && b.state(vpnS, "VPN_S_A") == hierarchy.ISP
			})
			if !b.gates("VPN_P_A", "VPN_S_A") {
				b.t.Error("it moved")
			}
		},
		"tunnel/key": func(b bench) {
			b.until("both regions use the other tunnel", func() bool { return b.gates("VPN_P_B", "VPN_S_B") })
			b.toggle("tunnel/key")
			b.until("the old tunnel is well", func() bool { return b.state(vpnP, "VPN_P_A") == hierarchy.OSU })
		},
	} {
		t.Run(id[len("tunnel/"):], func(t *testing.T) {
			tryTunnels(t, func(b bench) {
				at := time.Now()
				b.toggle(id)
				story(b)
				b.t.Logf("%s: %v", id, time.Since(at))
				if p := b.Probe(); p.Node != "LK_P_A" || p.Outage > 0 {
					b.t.Errorf("a client of the service noticed: %+v", p)
				}
				if err := b.MendAll(); err != nil {
					b.t.Error(err)
				}
			})
		})
	}
}
