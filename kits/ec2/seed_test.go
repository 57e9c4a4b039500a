package ec2_test

import (
	"maps"
	"testing"

	"github.com/ferry-ha/ferry/kits"
)

// TestSeedChapter5RouteTableStates is the seed's worked example: three states of the Primary VPC's route table, as
// Openswan moves from VPN_P_A to VPN_P_B and then Route53 from LK_P_A to LK_P_B. (Its 172.17.0.0/24 is a slip for
// 172.16.0.0/16; VPC and internet gateway are not controlled.)
func TestSeedChapter5RouteTableStates(t *testing.T) {
	states := []struct {
		what          string
		service, vpn  string // where the resources are active
		moved         string
		virtualIP     string // target of 10.1.0.10/32
		peersVirtual  string // target of 10.2.0.0/16
		peersNetworks string // target of 172.16.0.0/16
	}{
		// Destination                                  10.1.0.10/32  10.2.0.0/16    172.16.0.0/16
		{"1 Route53 on LK_P_A, Openswan on VPN_P_A", "LK_P_A", "VPN_P_A", "both", "eni-LK_P_A", "eni-VPN_P_A", "eni-VPN_P_A"},
		{"2 Openswan switched over to VPN_P_B", "LK_P_A", "VPN_P_B", "vpn", "eni-LK_P_A", "eni-VPN_P_B", "eni-VPN_P_B"},
		{"3 Route53 switched over to LK_P_B", "LK_P_B", "VPN_P_B", "service", "eni-LK_P_B", "eni-VPN_P_B", "eni-VPN_P_B"},
	}
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		standby := e.targets("rtb-standby")
		for _, s := range states {
			if s.moved != "vpn" {
				want(t, e.act(t, kits.ActStart, e.service(s.service)), kits.OK, "")
			}
			if s.moved != "service" {
				want(t, e.act(t, kits.ActStart, e.vpn(s.vpn)), kits.OK, "")
			}
			table := map[string]string{
				"10.0.0.0/16": "local", "0.0.0.0/0": "igw-p",
				"10.1.0.10/32": s.virtualIP, "10.2.0.0/16": s.peersVirtual, "172.16.0.0/16": s.peersNetworks,
			}
			if got := e.targets("rtb-primary"); !maps.Equal(got, table) {
				t.Errorf("%s:\ngot  %v\nwant %v", s.what, got, table)
			}
			want(t, e.act(t, kits.ActCheck, e.service(s.service)), kits.OK, "")
			want(t, e.act(t, kits.ActCheck, e.vpn(s.vpn)), kits.OK, "")
		}
		if got := e.targets("rtb-standby"); !maps.Equal(got, standby) {
			t.Errorf("the Standby VPC's table was touched: %v", got)
		}
	})
}

// TestCrossingChangesTheOtherRegionsTable: in the Standby Region the virtual IP is another one, in another VPC's table.
func TestCrossingChangesTheOtherRegionsTable(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		if err := e.RemoveRoute("rtb-standby", "10.2.0.10/32"); err != nil {
			t.Fatal(err)
		}
		want(t, e.act(t, kits.ActStart, e.service("LK_S_A")), kits.OK, "")
		if got := e.targets("rtb-standby")["10.2.0.10/32"]; got != "eni-LK_S_A" {
			t.Errorf("10.2.0.10/32 points to %q", got)
		}
		if got := e.targets("rtb-primary")[vip]; got != "eni-LK_P_A" {
			t.Errorf("the Primary VPC's route was touched: %q", got)
		}
	})
}
