package topology

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

func page(t testing.TB, s *api.Snapshot) (*ui.Context, *Page) {
	t.Helper()
	c := uitest.Context(t, s, text.English, &uitest.Service{Snap: s})
	p := New(c, "")
	p.View(80, 21)
	return c, p
}

func (p *Page) on() string { return p.picture().nodes[p.at()].name }

func TestTheCursorMovesAsTheNodesLie(t *testing.T) {
	_, p := page(t, uitest.Scene(t, uitest.Calm))
	for _, step := range [][2]string{
		{"", "LK_P_A"}, {"right", "VPN_P_A"}, {"right", "VPN_S_A"}, {"right", "LK_S_A"}, {"right", "LK_S_A"}, {"down", "LK_S_B"},
		{"left", "VPN_S_B"}, {"left", "VPN_P_B"}, {"up", "VPN_P_A"}, {"left", "LK_P_A"}, {"j", "LK_P_B"},
	} {
		if step[0] != "" {
			uitest.Press(t, p, step[0])
		}
		if p.on() != step[1] {
			t.Fatalf("%s leads to %s, want %s", step[0], p.on(), step[1])
		}
	}
	if m := uitest.Press(t, p, "enter"); m[0] != (ui.GoMsg{Kind: ui.Server, Arg: "LK_P_B"}) {
		t.Errorf("%#v", m)
	}
	if m := uitest.Press(t, p, "y"); m[0].(ui.CopyMsg).Text != "10.0.10.10" {
		t.Errorf("%#v", m)
	}
	p.Update(ui.Click{X: 70, Y: 7})
	if p.on() != "LK_S_A" {
		t.Errorf("a click leads to %s", p.on())
	}
}

func TestTheCursorStaysOnItsNode(t *testing.T) {
	c, p := page(t, uitest.Scene(t, uitest.Calm))
	uitest.Press(t, p, "right")
	s := uitest.Scene(t, uitest.Failover)
	slices.Reverse(s.Nodes)
	c.Est = model.New(s, c.Kits)
	p.Update(ui.Fresh{})
	if p.on() != "VPN_P_A" {
		t.Errorf("the cursor went to %s", p.on())
	}
}

// TestTheWayFollowsTheTruth: where a name and routes point is what was read, not what
// ought to be.
func TestTheWayFollowsTheTruth(t *testing.T) {
	s := uitest.Scene(t, uitest.Calm)
	on := func(tag hierarchy.Tag, server string) *api.InstanceStatus {
		for i := range s.Resources {
			for j := range s.Resources[i].On {
				if s.Resources[i].Tag == tag && s.Resources[i].On[j].Server == server {
					return &s.Resources[i].On[j]
				}
			}
		}
		t.Fatal(tag, server)
		return nil
	}
	name, routes := on("service/route53-www", "LK_P_A"), on("service/ec2-route53", "LK_P_A")
	name.State, name.Details = hierarchy.OSF, map[string]string{"record": "198.51.100.7"}
	routes.State = hierarchy.OSF
	routes.Details = map[string]string{"10.1.0.10/32 in rtb-1 (Primary)": "eni-lkpa (LK_P_A)", "10.1.0.10/32 in rtb-2": "eni-lkpb (LK_P_B), blackhole"}
	_, p := page(t, s)
	for _, z := range uitest.Sizes {
		out := uitest.Screen(t, p, z.W, z.H)
		for _, want := range []string{"✖ www.example.com", "198.51.100.7 !", "LK_P_B, blackhole"} {
			if !strings.Contains(out, want) {
				t.Errorf("%dx%d does not show %q:\n%s", z.W, z.H, want, out)
			}
		}
	}
	name.Details["record"] = "10.2.0.10"
	p.pic = nil
	if p.picture().chains[0].points != 1 {
		t.Error("a name that holds the other region's address is not drawn there")
	}
}

func TestALostNodeHasNoWord(t *testing.T) {
	s := uitest.Scene(t, uitest.Calm)
	set := func(name string, v policy.Verdict, peer, says string) { // what peer says of name
		for i := range s.Nodes {
			if s.Nodes[i].Name == name {
				s.Nodes[i].Verdict = v
				s.Nodes[i].Peers[peer] = says
			}
		}
	}
	ok, failed := kits.OK.String(), kits.Failed.String()
	for _, c := range []struct {
		there, back string
		verdict     policy.Verdict // of LK_P_B
		want        model.Way
	}{
		{ok, ok, policy.Alive, model.WayOK},
		{ok, failed, policy.Alive, model.WayPartly},
		{failed, failed, policy.Degraded, model.WayCut},
		{failed, ok, policy.Presumed, model.WayCut},
		{ok, failed, policy.Unknown, model.WayOK},
		{"", ok, policy.Hung, model.WayUnknown},
		{"nonsense", "", policy.Alive, model.WayUnknown},
	} {
		set("LK_P_B", c.verdict, "LK_P_A", c.there)
		set("LK_P_A", policy.Alive, "LK_P_B", c.back)
		if got := model.New(s, nil).Way("LK_P_A", "LK_P_B"); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

func TestPathsOfANode(t *testing.T) {
	s := uitest.Scene(t, uitest.Trouble)
	s.Estate.Paths = []hierarchy.CommPath{{Cluster: "service", From: "LK_P_B", To: "LK_S_A", ToAddr: "172.16.0.11", Priority: 2, Via: "vpn-primary/openswan-vpn1"}}
	c, p := page(t, s)
	uitest.Press(t, p, "down")
	var win ui.Page
	for _, m := range uitest.Press(t, p, "p") {
		if m, ok := m.(ui.ShowMsg); ok {
			win = m.Window
		}
	}
	w, h := win.(ui.Sized).Size(100, 40)
	out := uitest.Screen(t, win, w, h)
	for _, want := range []string{"LK_S_A does not reach LK_P_B.", "✖ LK_S_A", "172.16.0.11  priority 2  carried by vpn-primary/openswan-vpn1", "LK_P_B says: not reached"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing:\n%s", want, out)
		}
	}
	c.Est = model.Empty()
	uitest.Screen(t, win, w, h)
}

func TestHostileText(t *testing.T) {
	const hostile = "evil\x1b]0;owned\x07\x1b[31m\r\n\u202edesrever\u200b日本"
	s := uitest.Scene(t, uitest.Calm)
	for i := range s.Nodes {
		s.Nodes[i].Evidence = []kits.Reason{kits.Why("x", hostile, "node", hostile)}
		s.Nodes[i].Zone += hostile
	}
	for i := range s.Estate.Regions {
		s.Estate.Regions[i].VPC, s.Estate.Regions[i].CIDRs = hostile, []string{hostile}
	}
	for i := range s.Resources {
		for j := range s.Resources[i].On {
			s.Resources[i].On[j].Address = hostile
			s.Resources[i].On[j].Details = map[string]string{"record": hostile, "10.1.0.10/32 in " + hostile: hostile}
		}
	}
	s.Engine.Who = hostile
	_, p := page(t, s)
	for _, z := range append(uitest.Sizes, struct{ W, H int }{60, 13}) {
		uitest.Screen(t, p, z.W, z.H)
	}
}

func TestASCII(t *testing.T) {
	for _, s := range []*api.Snapshot{uitest.Scene(t, uitest.Trouble), uitest.Scene(t, uitest.Question), uitest.Scene(t, uitest.Calm), tunnelled()} {
		c, p := page(t, s)
		c.Theme = theme.New(theme.Mono, true)
		for _, z := range uitest.Sizes {
			for _, r := range uitest.Screen(t, p, z.W, z.H) {
				if r > 0x7e {
					t.Fatalf("%U in an ASCII screen", r)
				}
			}
		}
	}
	s := uitest.Scene(t, uitest.Trouble)
	c, p := page(t, s)
	c.Theme = theme.New(theme.Mono, true)
	t.Log("\n" + uitest.Screen(t, p, 80, 21))
}

// TestNothingIsLost: in any window, whatever the estate's shape, every node can be walked
// to and is then visible with its whole name.
func TestNothingIsLost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := shape(rapid.IntRange(1, 4).Draw(rt, "regions"), rapid.IntRange(1, 4).Draw(rt, "perZone"))
		_, p := page(t, s)
		w, h := rapid.IntRange(60, 240).Draw(rt, "w"), rapid.IntRange(13, 70).Draw(rt, "h")
		for range 2 {
			p.node = rapid.SampledFrom(s.Nodes).Draw(rt, "node").Name
			out := uitest.Screen(t, p, w, h)
			if n := strings.Count(out, p.c.Closed+p.c.Alive+" "+p.node+" "); n != 1 {
				rt.Fatalf("%s is there %d times in %dx%d:\n%s", p.node, n, w, h, out)
			}
		}
	})
}

// TestEveryNodeIsReached by arrow keys from any other.
func TestEveryNodeIsReached(t *testing.T) {
	for _, s := range []*api.Snapshot{uitest.Scene(t, uitest.Calm), shape(3, 2), shape(4, 3), uitest.Large(10)} {
		_, p := page(t, s)
		reached := map[string]bool{p.on(): true}
		for queue := []string{p.on()}; len(queue) > 0; queue = queue[1:] {
			for _, d := range [][2]int{{0, 1}, {0, -1}, {1, 0}, {-1, 0}} {
				p.node = queue[0]
				p.move(d[0], d[1])
				if !reached[p.node] {
					reached[p.node] = true
					queue = append(queue, p.node)
				}
			}
		}
		if len(reached) != len(s.Nodes) {
			t.Errorf("%d of %d nodes are reached", len(reached), len(s.Nodes))
		}
	}
}

func TestSeveralChains(t *testing.T) {
	s := shape(2, 2)
	second := s.Estate.Res[0]
	second.Tag = "service/ip-second"
	s.Estate.Res = append(s.Estate.Res, second)
	s = uitest.Of(s.Estate, "N2A1")
	_, p := page(t, s)
	uitest.Press(t, p, "]")
	if p.followed() != 1 {
		t.Error("the second chain is not followed")
	}
	if out := uitest.Screen(t, p, 120, 37); !strings.Contains(out, "service/ip-second (2 of 2)") {
		t.Errorf("which chain it is is not said:\n%s", out)
	}
	uitest.Press(t, p, "]")
	if p.followed() != 0 {
		t.Error("it does not go round")
	}
}

func BenchmarkView(b *testing.B) {
	for _, n := range []int{10, 1000, 10000} {
		s := uitest.Large(n)
		_, p := page(b, s)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				p.View(200, 57)
			}
		})
	}
	_, p := page(b, uitest.Scene(b, uitest.Trouble))
	b.Run("figure1", func(b *testing.B) {
		for b.Loop() {
			p.View(120, 37)
		}
	})
}

// BenchmarkFresh is the first frame after a new snapshot: of applications alone, and
// where a thousand of them stand on an address each.
func BenchmarkFresh(b *testing.B) {
	for _, kit := range []string{"app", "ip"} {
		s := uitest.Large(10000)
		for i := 9; i < len(s.Resources); i += 10 {
			s.Resources[i].Kit, s.Estate.Res[i].Kit = kit, kit
		}
		_, p := page(b, s)
		b.Run(kit, func(b *testing.B) {
			for b.Loop() {
				p.pic = nil
				p.View(200, 57)
			}
		})
	}
}

// TestWhatWasIsNotWhatIs: an address on a node that nobody hears is not drawn as if it
// were known to be there.
func TestWhatWasIsNotWhatIs(t *testing.T) {
	s := uitest.Scene(t, uitest.Calm)
	for i := range s.Nodes {
		s.Nodes[i].Verdict, s.Nodes[i].Seen = policy.Unknown, uitest.Ago(time.Minute)
	}
	_, p := page(t, s)
	out := uitest.Screen(t, p, 80, 21)
	for _, want := range []string{"? 10.1.0.10", "sees 0 of 8", "0/4", "? LK_P_A"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing:\n%s", want, out)
		}
	}
	if strings.Contains(out, p.c.Head+"unknown") {
		t.Errorf("the chain ends as if it were known:\n%s", out)
	}
}
