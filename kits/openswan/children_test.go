package openswan

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/kits"
)

// childConf is the connection as the seed has it on VPN_P_A, with the addresses of these tests.
const childConf = `conn vpn1
  left=10.9.0.1
  leftsourceip=10.1.0.1
  leftsubnets={10.0.0.0/16 10.1.0.0/16}
  right=10.9.0.2
  rightsourceip=10.2.0.1
  rightsubnets={172.16.0.0/16,10.2.0.0/16 172.16.0.0/16}
`

func TestTheChildRoutesThePeersSubnets(t *testing.T) {
	for tag, child := range map[string]string{
		"vpn-primary/openswan-vpn1": "ec2-vpn1", "": "ec2-vpn1", "openswan-tokyo": "ec2-tokyo", "vpn-primary/tunnel": "ec2-tunnel",
	} {
		m := newMachine(t)
		m.conf(childConf)
		in := instance()
		in.Tag = tag
		got, err := Kit{}.Children(t.Context(), m, in)
		want := []kits.Child{{Kit: "ec2", Tag: child, Attrs: map[string]string{"type": "route-table", "destinations": "172.16.0.0/16,10.2.0.0/16"}}}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %v", tag, got, err)
		}
		untouched(t, m)
	}
}

// Written down from the other end, the same connection leads to the other region.
func TestTheTwinsChildRoutesTheOtherWay(t *testing.T) {
	m := newMachine(t)
	m.conf(childConf)
	in := instance()
	in.Node = kits.Node{Name: "VPN_S_A", Address: "10.9.0.2"}
	got, err := Kit{}.Children(t.Context(), m, in)
	if err != nil || got[0].Attrs["destinations"] != "10.0.0.0/16,10.1.0.0/16" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAChildThatCannotBeReadIsAnError(t *testing.T) {
	m := newMachine(t)
	m.conf("conn vpn1\n  left=10.9.0.1\n  right=10.9.0.2\n  leftsourceip=10.1.0.1\n")
	_, err := Kit{}.Children(t.Context(), m, instance())
	if err == nil || !strings.Contains(err.Error(), "VPN_P_A") || !strings.Contains(err.Error(), "rightsubnets") || !errors.As(err, &noFit{}) {
		t.Errorf("%v", err)
	}
	if _, err := (Kit{}).Children(t.Context(), silent{}, instance()); err == nil || errors.As(err, &noFit{}) {
		t.Errorf("no answer is not known: %v", err)
	}
}

// silent is a node that gives no answer.
type silent struct{}

func (silent) Node() string { return "VPN_P_A" }
func (silent) Run(context.Context, kits.Script) (kits.Result, error) {
	return kits.Result{}, context.DeadlineExceeded
}

func TestWithoutItsChildItIsWrong(t *testing.T) {
	child := func(kit, typ, dest string) []kits.Relative {
		return []kits.Relative{{Tag: "vpn-primary/x", Kit: kit, On: map[string]map[string]string{"VPN_P_A": {"type": typ, "destinations": dest}}}}
	}
	for name, c := range map[string]struct {
		children []kits.Relative
		text     string
	}{
		"right":               {child("ec2", "route-table", "172.16.0.0/16"), ""},
		"type left out":       {child("ec2", "", "172.16.0.0/16"), ""},
		"none":                {nil, "needs an ec2 resource"},
		"another kit":         {child("ip", "", "172.16.0.0/16"), "needs an ec2 resource"},
		"an Elastic IP":       {child("ec2", "elastic-ip", "172.16.0.0/16"), "needs an ec2 resource"},
		"without destination": {child("ec2", "route-table", ""), "no destinations"},
	} {
		in := instance()
		in.Children = c.children
		got := Kit{}.Validate(in)
		switch {
		case c.text == "" && len(got) > 0:
			t.Errorf("%s: %+v", name, got)
		case c.text != "" && (len(got) != 1 || !strings.Contains(got[0].Text, c.text) || got[0].Fix == "" || got[0].Field != "needs"):
			t.Errorf("%s: %+v", name, got)
		}
	}
}
