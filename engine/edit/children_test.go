package edit

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// tunnelKit cannot do without a route.
type tunnelKit struct{ toyKit }

func (tunnelKit) Children(context.Context, kits.Host, kits.Instance) ([]kits.Child, error) {
	panic("an edit asks nobody")
}

func (tunnelKit) Validate(in kits.Instance) []kits.Problem {
	for _, c := range in.Children {
		if c.Kit == "route" && c.On[in.Node.Name]["to"] != "" {
			return nil
		}
	}
	return []kits.Problem{{Field: "needs", Text: "it needs a route", Fix: "give it one"}}
}

func tunnelKits() kits.Registry {
	reg := toyKits()
	reg["tunnel"] = tunnelKit{toyKit{"tunnel", []kits.Field{{Name: "conn", Kind: kits.KindText, Required: true, PerNode: true}}}}
	reg["route"] = toyKit{"route", []kits.Field{
		{Name: "type", Kind: kits.KindText, Default: "table"},
		{Name: "to", Kind: kits.KindCIDRs, PerNode: true},
	}}
	return reg
}

func leadsTo(to string) []kits.Child {
	return []kits.Child{{Kit: "route", Tag: "route-1", Attrs: map[string]string{"type": "table", "to": to}}}
}

func newTunnel(on ...string) Create {
	c := Create{Tag: "vpn/tunnel-1", Kit: "tunnel", Fields: map[string]string{"conn": "one"}}
	for _, s := range on {
		c.On = append(c.On, Place{Server: s})
	}
	return c
}

// made is an estate with a tunnel that leads there, by server.
func made(t *testing.T, to map[string]string, edits ...Edit) *Result {
	t.Helper()
	p := Provide{Tag: "vpn/tunnel-1", Found: map[string][]kits.Child{}}
	for s, w := range to {
		p.Found[s] = leadsTo(w)
	}
	r, err := Make(estate(), tunnelKits(), append(edits, p)...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatIsMadeWithItsChildIsOneChange(t *testing.T) {
	asked, err := Pendings(estate(), tunnelKits(), newTunnel("VPN_P_A", "VPN_P_B"))
	want := []Pending{{Tag: "vpn/tunnel-1", Kit: "tunnel", On: map[string]map[string]string{"VPN_P_A": {"conn": "one"}, "VPN_P_B": {"conn": "one"}}}}
	if err != nil || !reflect.DeepEqual(asked, want) {
		t.Errorf("%+v, %v", asked, err)
	}
	for name, c := range map[string]struct {
		to   map[string]string
		same string
		own  [2]string
	}{
		"the same everywhere": {map[string]string{"VPN_P_A": "172.16.0.0/16", "VPN_P_B": "172.16.0.0/16"}, "172.16.0.0/16", [2]string{}},
		"each its own":        {map[string]string{"VPN_P_A": "172.16.0.0/16", "VPN_P_B": "172.17.0.0/16"}, "", [2]string{"172.16.0.0/16", "172.17.0.0/16"}},
	} {
		r := made(t, c.to, newTunnel("VPN_P_A", "VPN_P_B"))
		x := hierarchy.NewIndex(r.Estate)
		parent, child := x.Resource("vpn/tunnel-1"), x.Resource("vpn/route-1")
		if child == nil || !reflect.DeepEqual(parent.Children, []hierarchy.Tag{"vpn/route-1"}) || child.Attrs["to"] != c.same || child.Attrs["type"] != "table" {
			t.Fatalf("%s: %+v %+v", name, parent, child)
		}
		for i, s := range []string{"VPN_P_A", "VPN_P_B"} {
			if p := x.Placement("vpn/route-1", s); p == nil || p.Priority != i+1 || p.Attrs["to"] != c.own[i] {
				t.Errorf("%s: %s: %+v", name, s, p)
			}
		}
		if len(r.Changes) != 2 {
			t.Errorf("%s: %+v", name, r.Changes)
		}
	}
}

func TestWithoutWhatWasReadNothingIsMade(t *testing.T) {
	var bad *InvalidError
	if _, err := Make(estate(), tunnelKits(), newTunnel("VPN_P_A")); !errors.As(err, &bad) || !strings.Contains(err.Error(), "needs a route") {
		t.Errorf("%v", err)
	}
	// One of two servers gave no answer: neither the parent nor the child comes.
	half := Provide{Tag: "vpn/tunnel-1", Found: map[string][]kits.Child{"VPN_P_A": leadsTo("172.16.0.0/16")}}
	if _, err := Make(estate(), tunnelKits(), newTunnel("VPN_P_A", "VPN_P_B"), half); !errors.As(err, &bad) {
		t.Errorf("%v", err)
	}
}

func TestATagThatIsTakenIsNotTakenOver(t *testing.T) {
	other := Create{Tag: "vpn/route-1", Kit: "route", On: []Place{{Server: "VPN_P_A"}}, Fields: map[string]string{"to": "172.30.0.0/16"}}
	give := Provide{Tag: "vpn/tunnel-1", Found: map[string][]kits.Child{"VPN_P_A": leadsTo("172.16.0.0/16")}}
	_, err := Make(estate(), tunnelKits(), other, newTunnel("VPN_P_A"), give)
	var own *Error
	if !errors.As(err, &own) || own.Kind != Refused || own.Fix == "" {
		t.Errorf("%v", err)
	}
	// When it is the one, it is needed by name, and what somebody wrote down there stays.
	tunnel := newTunnel("VPN_P_A")
	tunnel.Needs = []string{"route-1"}
	r, err := Make(estate(), tunnelKits(), other, tunnel, give)
	if err != nil {
		t.Fatal(err)
	}
	if got := hierarchy.NewIndex(r.Estate).Resource("vpn/route-1"); got.Attrs["to"] != "172.30.0.0/16" || len(got.On[0].Attrs) > 0 {
		t.Errorf("%+v", got)
	}
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "172.16.0.0/16") {
		t.Errorf("what the server says is kept back: %q", r.Notes)
	}
}

func TestExtendingReadsTheTargetsOwn(t *testing.T) {
	first := made(t, map[string]string{"VPN_P_A": "172.16.0.0/16"}, newTunnel("VPN_P_A")).Estate
	ex := Extend{Tag: "vpn/tunnel-1", Server: "VPN_P_B"}
	asked, err := Pendings(first, tunnelKits(), ex)
	if err != nil || len(asked) != 1 || len(asked[0].On) != 1 || asked[0].On["VPN_P_B"]["conn"] != "one" {
		t.Fatalf("%+v, %v", asked, err)
	}
	for name, c := range map[string]struct {
		fields map[string]map[string]string
		says   string
		own    string
		notes  int
	}{
		"the same":       {nil, "172.16.0.0/16", "", 0},
		"another":        {nil, "172.17.0.0/16", "172.17.0.0/16", 0},
		"written by one": {map[string]map[string]string{"route-1": {"to": "172.30.0.0/16"}}, "172.17.0.0/16", "172.30.0.0/16", 1},
	} {
		ex.Fields = c.fields
		r, err := Make(first, tunnelKits(), All{ex, Provide{"vpn/tunnel-1", map[string][]kits.Child{"VPN_P_B": leadsTo(c.says)}}})
		if err != nil {
			t.Fatal(err)
		}
		p := hierarchy.NewIndex(r.Estate).Placement("vpn/route-1", "VPN_P_B")
		if p == nil || p.Attrs["to"] != c.own || len(r.Notes) != c.notes {
			t.Errorf("%s: %+v %q", name, p, r.Notes)
		}
		if a := hierarchy.NewIndex(r.Estate).Resource("vpn/route-1").Attrs["to"]; a != "172.16.0.0/16" {
			t.Errorf("%s: the first server's changed to %s", name, a)
		}
	}
}

func TestDeletingTakesTheChildAlong(t *testing.T) {
	both := made(t, map[string]string{"VPN_P_A": "172.16.0.0/16", "VPN_P_B": "172.16.0.0/16"}, newTunnel("VPN_P_A", "VPN_P_B")).Estate
	r, err := Make(both, tunnelKits(), Delete{Tag: "vpn/tunnel-1"})
	if err != nil {
		t.Fatal(err)
	}
	x := hierarchy.NewIndex(r.Estate)
	if x.Resource("vpn/tunnel-1") != nil || x.Resource("vpn/route-1") != nil || len(r.Changes) != 2 || len(r.Notes) != 1 {
		t.Errorf("%+v %q", r.Changes, r.Notes)
	}
	// Something else needs it, too: then it stays.
	shared, err := Make(both, tunnelKits(), Create{Tag: "vpn/other", Kit: "app", Fields: map[string]string{"start": "/x"}, Needs: []string{"route-1"}})
	if err != nil {
		t.Fatal(err)
	}
	r, err = Make(shared.Estate, tunnelKits(), Delete{Tag: "vpn/tunnel-1"})
	if err != nil || hierarchy.NewIndex(r.Estate).Resource("vpn/route-1") == nil || !strings.Contains(strings.Join(r.Notes, " "), "vpn/other needs it") {
		t.Errorf("%+v, %v", r, err)
	}
	for _, ed := range []Edit{Delete{Tag: "vpn/route-1"}, RemoveDependency{"vpn/tunnel-1", "vpn/route-1"}} {
		if _, err := Make(both, tunnelKits(), ed); err == nil {
			t.Errorf("%s leaves the tunnel without its route", ed)
		}
	}
	r, err = Make(both, tunnelKits(), Unextend{Tag: "vpn/tunnel-1", Server: "VPN_P_B"})
	if err != nil || hierarchy.NewIndex(r.Estate).Placement("vpn/route-1", "VPN_P_B") != nil || len(r.Changes) < 2 {
		t.Errorf("%+v, %v", r, err)
	}
}
