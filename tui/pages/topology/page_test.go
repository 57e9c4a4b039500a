package topology

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"

	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

func mk(c *ui.Context) ui.Page { return New(c, "") }

func TestScreens(t *testing.T) {
	for _, name := range []string{uitest.Calm, uitest.Moving, uitest.Failover, uitest.Question, uitest.Trouble, uitest.Fresh} {
		uitest.Golden(t, name, uitest.Scene(t, name), mk)
	}
	uitest.Golden(t, "sixteen", uitest.Large(10), mk)
	uitest.Golden(t, "crossed", uitest.Of(uitest.Scene(t, uitest.Calm).Estate, "LK_S_B"), mk)
}

// shape is an estate of so many regions, each with two zones and two nodes in each.
func shape(regions, perZone int) *api.Snapshot {
	e := &hierarchy.Estate{Name: "shape", Cluster: []hierarchy.Cluster{{Name: "service"}, {Name: "vpn"}}}
	for r := range regions {
		name := []string{"ap-northeast-1", "ap-southeast-1", "eu-central-1", "us-east-1"}[r]
		e.Regions = append(e.Regions, hierarchy.Region{Name: name, VPC: "vpc-" + name, CIDRs: []string{fmt.Sprintf("10.%d.0.0/16", r)}})
		for z := range 2 {
			for i := range perZone {
				s := hierarchy.Server{Name: fmt.Sprintf("N%d%c%d", r+1, 'A'+z, i+1), Region: name, Zone: name + string("ac"[z]), Address: fmt.Sprintf("10.%d.%d.%d", r, z, i+10)}
				e.Servers = append(e.Servers, s)
				c := &e.Cluster[i%2]
				c.Servers = append(c.Servers, s.Name)
			}
		}
	}
	ip := hierarchy.Resource{Tag: "service/ip-www", Kit: "ip", Cluster: "service"}
	for i, s := range e.Cluster[0].Servers {
		ip.On = append(ip.On, hierarchy.Placement{Server: s, Priority: i + 1, Attrs: map[string]string{"address": "192.0.2.10"}})
	}
	e.Res = append(e.Res, ip)
	return uitest.Of(e, "N1B1")
}

func TestShapes(t *testing.T) {
	for name, s := range map[string]*api.Snapshot{"one-region": shape(1, 2), "three-regions": shape(3, 2), "sixteen-with-chain": shape(2, 4), "four-regions": shape(4, 3)} {
		uitest.Golden(t, name, s, mk)
	}
	uitest.Golden(t, "tunnels", tunnelled(), mk)
}

// tunnelled is an estate whose VPN nodes carry tunnels, one of them cut.
func tunnelled() *api.Snapshot {
	s := shape(2, 2)
	e := s.Estate
	for r, nodes := range [][]string{{"N1A2", "N1B2"}, {"N2A2", "N2B2"}} {
		res := hierarchy.Resource{Tag: hierarchy.MakeTag("vpn", fmt.Sprint("openswan-", r+1)), Kit: "openswan", Cluster: "vpn"}
		for i, n := range nodes {
			res.On = append(res.On, hierarchy.Placement{Server: n, Priority: i + 1})
		}
		e.Res = append(e.Res, res)
	}
	s = uitest.Of(e, "N1A1")
	s.Resources[1].On[1].State = hierarchy.OSF
	return s
}

// The tunnel that the routes lead to is called so, also while it is broken: it is the one
// to look at.
func TestTheTunnelInUse(t *testing.T) {
	s := tunnelled()
	for i := 1; i < len(s.Resources); i++ {
		r := &s.Resources[i]
		r.Active, r.Claim = "", &hierarchy.Claim{Node: r.On[1].Server}
		r.On[0].State, r.On[1].State = hierarchy.OSU, hierarchy.OSF
	}
	for _, l := range text.Langs() {
		c := uitest.Context(t, s, l, nil)
		p := newPicture(c.Est)
		if len(p.tunnels) != 2 || p.tunnels[0].busy || !p.tunnels[1].busy || p.tunnels[1].state != model.WayCut {
			t.Errorf("%+v", p.tunnels)
		}
		words := c.T("topology.tunnel-used")
		if screen := uitest.Screen(t, New(c, ""), 80, 21); strings.Count(screen, c.T("topology.used")) != 1 {
			t.Errorf("%s 80: the tunnel in use is not named once:\n%s", l, screen)
		}
		for _, z := range uitest.Sizes[1:] {
			if screen := uitest.Screen(t, New(c, ""), z.W, z.H); strings.Count(screen, words) != 1 {
				t.Errorf("%s %d: %q is not there once:\n%s", l, z.W, words, screen)
			}
		}
	}
}

// What a narrow box says of a standby node is what is wrong there, not that it is active.
func TestANarrowBoxSaysWhatFailed(t *testing.T) {
	s := uitest.Scene(t, uitest.Trouble)
	for _, x := range []struct {
		lang text.Lang
		want string
	}{{text.English, "✖ failed "}, {text.Japanese, "✖ 障害 "}} {
		screen := uitest.Screen(t, New(uitest.Context(t, s, x.lang, nil), ""), 80, 21)
		if !strings.Contains(screen, x.want) || strings.Contains(screen, "✖ 1") {
			t.Errorf("%q is not said:\n%s", x.want, screen)
		}
	}
}
