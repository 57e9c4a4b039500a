package wizard

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/ui"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// tunnels is a service whose VPN nodes have a connection to the Standby Region; those that
// are down may not take it. It counts how often it was asked.
func tunnels(down *[]string, asked *int) *uitest.Service {
	return &uitest.Service{
		ChoicesOf: func(kit, field, node string, _ map[string]string) ([]string, error) {
			if kit == "openswan" && field == "connection" {
				return []string{"vpn2", "office"}, nil
			}
			return nil, nil
		},
		ChildrenOf: func(p api.Prospect) ([]api.Found, error) {
			*asked++
			var out []api.Found
			for s := range p.On {
				f := api.Found{Server: s, Eligible: kits.Eligibility{Outcome: kits.OK}, Children: []api.Child{{Kit: "ec2", Tag: "ec2-vpn2",
					Attrs: map[string]string{"type": "route-table", "destinations": "172.16.0.0/16,10.2.0.0/16"}}}}
				if slices.Contains(*down, s) {
					f.Eligible = kits.Eligibility{Outcome: kits.Failed, Reason: kits.Why("openswan.tunnel-down", "the tunnel of "+s+" is not up")}
				}
				out = append(out, f)
			}
			slices.SortFunc(out, func(a, b api.Found) int { return strings.Compare(a.Server, b.Server) })
			return out, nil
		},
	}
}

// untilFields are the keys up to the connection's question, for the first n servers.
func untilFields(n int) []string {
	keys := keys(toOpenswan, []string{"enter"})
	for range n {
		keys = append(keys, "down", "space")
	}
	return append(keys, "enter")
}

func TestATunnelKeyByKey(t *testing.T) {
	var down []string
	asked := 0
	c := calm(t, tunnels(&down, &asked))
	p := Create(c, "vpn-primary").(*Window)
	uitest.Press(t, p, untilFields(2)...)
	if s := screen(t, p); !strings.Contains(s, "IPSec connection name") || !strings.Contains(s, "office") {
		t.Fatalf("no connections of the node to choose from:\n%s", s)
	}
	if asked != 0 {
		t.Error("the servers were asked before the summary")
	}
	uitest.Press(t, p, "vpn2", "enter")
	s := screen(t, p)
	for _, want := range []string{"What comes with it", "ec2-vpn2  ec2", "VPN_P_B  destinations = 172.16.0.0/16,10.2.0.0/16",
		"resource vpn-primary/openswan-vpn2", "resource vpn-primary/ec2-vpn2"} {
		if !strings.Contains(s, want) {
			t.Errorf("the summary lacks %q:\n%s", want, s)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
	w := wish(t, p)
	all, ok := w.Edit.(edit.All)
	if !ok || len(all) != 2 {
		t.Fatalf("%#v", w.Edit)
	}
	if w.Command != "ferry resource create openswan vpn-primary/openswan-vpn2 --on VPN_P_A,VPN_P_B --connection vpn2" {
		t.Errorf("%s", w.Command)
	}
	res, err := edit.Make(c.Est.Estate, c.Kits, w.Edit)
	if err != nil {
		t.Fatal(err)
	}
	r := hierarchy.NewIndex(res.Estate).Resource("vpn-primary/ec2-vpn2")
	if r == nil || r.Attrs["destinations"] != "172.16.0.0/16,10.2.0.0/16" || len(r.On) != 2 {
		t.Errorf("%+v", r)
	}
}

// A tunnel that is not up is a problem on the summary; once it is mended, a key asks again.
func TestATunnelThatIsNotUp(t *testing.T) {
	down, asked := []string{"VPN_P_B"}, 0
	p := Create(calm(t, tunnels(&down, &asked)), "vpn-primary").(*Window)
	uitest.Press(t, p, append(untilFields(2), "vpn2", "enter")...)
	if s := screen(t, p); !strings.Contains(s, "cannot be put on VPN_P_B: the tunnel of VPN_P_B is not up") {
		t.Fatalf("the refusal is not said:\n%s", s)
	}
	for _, m := range uitest.Press(t, p, "enter") {
		if _, ok := m.(ui.DoMsg); ok {
			t.Fatal("it can be made all the same")
		}
	}
	down = nil
	uitest.Press(t, p, "ctrl+r")
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
	if _, ok := wish(t, p).Edit.(edit.All); !ok {
		t.Error("the child does not come along")
	}
}

// Another answer asks anew, and what was said of the first one is not taken for it.
func TestAnotherConnectionIsAskedAnew(t *testing.T) {
	var down []string
	asked := 0
	p := Create(calm(t, tunnels(&down, &asked)), "vpn-primary").(*Window)
	uitest.Press(t, p, append(untilFields(1), "vpn2", "enter", "pgup", "ctrl+u", "office", "enter")...)
	if asked != 2 || len(p.judge.whole) != 2 {
		t.Errorf("asked %d times, %d edits:\n%s", asked, len(p.judge.whole), screen(t, p))
	}
}

// Extended, the target's own connection is read.
func TestExtendingATunnelKeyByKey(t *testing.T) {
	var down []string
	asked := 0
	svc := tunnels(&down, &asked)
	c := calm(t, svc)
	made, err := edit.Make(c.Est.Estate, c.Kits,
		edit.Create{Tag: "vpn-primary/openswan-vpn2", Kit: "openswan", Fields: map[string]string{"connection": "vpn2"}, On: []edit.Place{{Server: "VPN_P_A"}}},
		edit.Provide{Tag: "vpn-primary/openswan-vpn2", Found: map[string][]kits.Child{"VPN_P_A": {{Kit: "ec2", Tag: "ec2-vpn2",
			Attrs: map[string]string{"type": "route-table", "destinations": "172.16.0.0/16"}}}}})
	if err != nil {
		t.Fatal(err)
	}
	svc.Snap = uitest.Of(made.Estate, "LK_P_A")
	c = uitest.Context(t, svc.Snap, c.Lang, svc)
	p := Extend(c, "vpn-primary/openswan-vpn2").(*Window)
	uitest.Press(t, p, "enter", "enter")
	if s := screen(t, p); !strings.Contains(s, "What comes with it") || !strings.Contains(s, "VPN_P_B  destinations = 172.16.0.0/16,10.2.0.0/16") {
		t.Fatalf("what the target says is not shown:\n%s", s)
	}
	res, err := edit.Make(made.Estate, c.Kits, wish(t, p).Edit)
	if err != nil {
		t.Fatal(err)
	}
	on := hierarchy.NewIndex(res.Estate).Placement("vpn-primary/ec2-vpn2", "VPN_P_B")
	if on == nil || !reflect.DeepEqual(on.Attrs, map[string]string{"destinations": "172.16.0.0/16,10.2.0.0/16"}) {
		t.Errorf("%+v", on)
	}
}
