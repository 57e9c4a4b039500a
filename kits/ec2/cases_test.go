package ec2_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/awscloud"
	"github.com/ferry-ha/ferry/kits/ec2"
)

// The tests in this file are SPEC 7's "AWS" cases that concern EC2 routes, each under its own name.

// threeTables gives the Primary VPC two further tables that hold the virtual IP, and one that does not.
func threeTables(w *ec2sim.World) {
	r := &w.Regions[0]
	for _, id := range []string{"rtb-two", "rtb-three"} {
		r.RouteTables = append(r.RouteTables, ec2sim.RouteTable{ID: id, VPC: primaryVPC, Routes: []ec2sim.Route{{Destination: vip, Interface: "eni-LK_P_A"}}})
	}
	r.RouteTables = append(r.RouteTables, ec2sim.RouteTable{ID: "rtb-other", VPC: primaryVPC, Subnets: []string{"subnet-pb"}})
}

func TestThrottledIsNeverAFailure(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		remove := e.Inject(ec2sim.Throttle("*", 0))
		want(t, e.act(t, kits.ActCheck, e.service("LK_P_A")), kits.Unknown, "ec2.throttled")
		want(t, e.act(t, kits.ActStart, e.service("LK_P_B")), kits.Unknown, "ec2.throttled")
		if got := e.eligible(t, e.service("LK_P_B")); got.Outcome != kits.Unknown {
			t.Errorf("eligible: %+v", got)
		}
		calls := len(e.Calls())
		remove()
		// 15 s of back-off capped at 4 s are some ten tries for each of the four questions, not hundreds.
		if calls < 20 || calls > 80 {
			t.Errorf("%d calls while throttled", calls)
		}
		e.Inject(ec2sim.Throttle("*", 4))
		want(t, e.act(t, kits.ActStart, e.service("LK_P_B")), kits.OK, "") // a while of it is waited out
	})
}

func TestEmptyAnswerIsUnknown(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		e.Inject(ec2sim.Fault{Action: "DescribeRouteTables", Empty: true})
		want(t, e.act(t, kits.ActCheck, e.service("LK_P_A")), kits.Unknown, "ec2.empty-answer")
		want(t, e.act(t, kits.ActStart, e.service("LK_P_B")), kits.Unknown, "ec2.empty-answer")
		if got := e.eligible(t, e.service("LK_P_B")); got.Outcome != kits.Unknown || got.Reason.Code != "ec2.empty-answer" {
			t.Errorf("eligible: %+v", got)
		}
		if w := e.writes(); len(w) > 0 {
			t.Errorf("written on an empty answer: %v", w)
		}
	})
}

func TestStaleReadIsNoFailureOfACheck(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		want(t, e.act(t, kits.ActStart, e.service("LK_P_B")), kits.OK, "")
		e.Inject(ec2sim.Fault{Action: "DescribeRouteTables", Stale: time.Minute, Times: 2})
		want(t, e.act(t, kits.ActCheck, e.service("LK_P_B")), kits.OK, "")
	})
}

func TestAfterAChangeThePollGoesOnUntilItIsSeen(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		e.SetReadLag(12 * time.Second)
		began := time.Now()
		want(t, e.act(t, kits.ActStart, e.service("LK_P_B")), kits.OK, "")
		if took := time.Since(began); took < 12*time.Second || took > 15*time.Second {
			t.Errorf("the start took %s with a read lag of 12 s", took)
		}
		e.SetReadLag(5 * time.Minute)
		want(t, e.act(t, kits.ActStart, e.vpn("VPN_P_B")), kits.Unknown, "ec2.not-seen") // accepted, but who knows
		if got := e.targets("rtb-primary")[peers]; got != "eni-VPN_P_B" {
			t.Errorf("the route points to %q", got)
		}
	})
}

// A start that trusted a stale "already right" would leave the clients with the other node.
func TestThereAndBackWithinTheReadLagIsWritten(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		e.SetReadLag(20 * time.Second)
		if err := e.SetRoute("rtb-primary", ec2sim.Route{Destination: vip, Interface: "eni-LK_P_B"}); err != nil {
			t.Fatal(err)
		}
		want(t, e.act(t, kits.ActStart, e.service("LK_P_A")), kits.OK, "")
		if got := e.targets("rtb-primary")[vip]; got != "eni-LK_P_A" {
			t.Errorf("the route points to %q", got)
		}
	})
}

func TestReplaceOfAMissingRouteCreatesItAndThePreviewSaysSo(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, threeTables)
		for _, table := range []string{"rtb-primary", "rtb-two", "rtb-three"} {
			if err := e.RemoveRoute(table, vip); err != nil {
				t.Fatal(err)
			}
		}
		in := e.service("LK_P_A")
		want(t, e.act(t, kits.ActCheck, in), kits.Failed, "ec2.no-route")
		effects, err := e.kit.Preview(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		// The main table and the one with a subnet; not those that serve nobody.
		wantEffects := []kits.Effect{
			{Kind: "route", What: "10.1.0.10/32 in rtb-primary (Primary), created", To: "eni-LK_P_A (LK_P_A)"},
			{Kind: "route", What: "10.1.0.10/32 in rtb-other, created", To: "eni-LK_P_A (LK_P_A)"},
		}
		if !slices.Equal(effects, wantEffects) {
			t.Errorf("the preview says %+v", effects)
		}
		want(t, e.act(t, kits.ActRecover, in), kits.OK, "")
		for table, target := range map[string]string{"rtb-primary": "eni-LK_P_A", "rtb-other": "eni-LK_P_A", "rtb-two": "", "rtb-three": ""} {
			if got := e.targets(table)[vip]; got != target {
				t.Errorf("%s: the route points to %q, want %q", table, got, target)
			}
		}
	})
}

func TestTwoOfThreeTablesThenAnErrorIsPartialAndResumed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, threeTables)
		in := e.service("LK_P_B")
		remove := e.Inject(ec2sim.Fault{Action: "ReplaceRoute", Params: map[string]string{"RouteTableId": "rtb-three"}, Code: "InternalError", Message: "An internal error has occurred"})
		r := e.act(t, kits.ActStart, in)
		want(t, r, kits.Unknown, "ec2.partial")
		if r.Reason.Args["done"] != "10.1.0.10/32 in rtb-primary (Primary), 10.1.0.10/32 in rtb-two" || r.Reason.Args["open"] != "10.1.0.10/32 in rtb-three" {
			t.Errorf("the report says done %q, open %q", r.Reason.Args["done"], r.Reason.Args["open"])
		}
		if r.Details["10.1.0.10/32 in rtb-three"] != "not known to be changed" || r.Presence != kits.Present {
			t.Errorf("details %v, presence %q", r.Details, r.Presence)
		}
		got := e.act(t, kits.ActCheck, in)
		want(t, got, kits.Failed, "ec2.other-target")
		if !strings.Contains(got.Reason.Text, "rtb-three points to eni-LK_P_A (LK_P_A) instead of eni-LK_P_B (LK_P_B)") || got.Presence != kits.Present {
			t.Errorf("the check says %q, %q", got.Reason.Text, got.Presence)
		}
		remove()
		want(t, e.act(t, kits.ActStart, in), kits.OK, "")
		for _, table := range []string{"rtb-primary", "rtb-two", "rtb-three"} {
			if got := e.targets(table)[vip]; got != "eni-LK_P_B" {
				t.Errorf("%s: the route points to %q", table, got)
			}
		}
		if _, there := e.targets("rtb-other")[vip]; there {
			t.Error("a table that did not hold the destination got a route")
		}
	})
}

func TestRefusedChangeIsAFailureWithTheReason(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, func(w *ec2sim.World) { w.Keys[0].Deny = []string{"ReplaceRoute"} })
		r := e.act(t, kits.ActStart, e.service("LK_P_B"))
		want(t, r, kits.Failed, "ec2.partial")
		for _, part := range []string{"none was changed", "ReplaceRoute", tokyo, "allow ec2:ReplaceRoute"} {
			if !strings.Contains(r.Reason.Text, part) {
				t.Errorf("%q is not in: %s", part, r.Reason.Text)
			}
		}
	})
}

func TestAnswerLostAfterTheChangeEndsWell(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		if err := e.RemoveRoute("rtb-primary", vip); err != nil {
			t.Fatal(err)
		}
		// The create is done, its answer lost; the second try meets RouteAlreadyExists for our own first one.
		e.Inject(ec2sim.Fault{Action: "CreateRoute", DropAfter: true, Times: 1})
		want(t, e.act(t, kits.ActStart, e.service("LK_P_B")), kits.OK, "")
		if got := e.targets("rtb-primary")[vip]; got != "eni-LK_P_B" {
			t.Errorf("the route points to %q", got)
		}
	})
}

func TestBlackholeRouteIsFailed(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		if err := e.SetInstanceState("i-LK_P_A", ec2sim.Stopped); err != nil {
			t.Fatal(err)
		}
		r := e.act(t, kits.ActCheck, e.service("LK_P_A"))
		want(t, r, kits.Failed, "ec2.blackhole")
		if !strings.Contains(r.Details["10.1.0.10/32 in rtb-primary (Primary)"], "blackhole") {
			t.Errorf("details: %v", r.Details)
		}
		want(t, e.act(t, kits.ActStart, e.service("LK_P_A")), kits.Failed, "ec2.blackhole")
		want(t, e.act(t, kits.ActStart, e.service("LK_P_B")), kits.OK, "")
	})
}

func TestTargetIsAlwaysTheENIAlsoOnAnInstanceWithSeveral(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, func(w *ec2sim.World) {
			w.Regions[0].Interfaces = append(w.Regions[0].Interfaces,
				ec2sim.Interface{ID: "eni-second", Subnet: "subnet-pb", PrivateIP: "10.0.10.11", Instance: "i-LK_P_B", DeviceIndex: 1})
		})
		in := e.service("LK_P_B")
		in.Attrs[ec2.FieldENI] = "eni-second"
		want(t, e.act(t, kits.ActStart, in), kits.OK, "")
		if got := e.targets("rtb-primary")[vip]; got != "eni-second" {
			t.Errorf("the route points to %q", got)
		}
		for _, c := range e.Writes() {
			if c.Params["InstanceId"] != "" || c.Params["NetworkInterfaceId"] == "" {
				t.Errorf("%s with %v", c.Action, c.Params)
			}
		}
		// The same instance's other interface is not the right one.
		in.Attrs[ec2.FieldENI] = "eni-LK_P_B"
		want(t, e.act(t, kits.ActCheck, in), kits.Failed, "ec2.other-target")
	})
}

func TestTenOneZeroOneIsNotTenOneZeroTen(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, func(w *ec2sim.World) {
			routes := &w.Regions[0].RouteTables[0].Routes
			*routes = append(*routes, ec2sim.Route{Destination: "10.1.0.1/32", Interface: "eni-VPN_P_A"}, ec2sim.Route{Destination: "10.1.0.100/32", Interface: "eni-VPN_P_A"})
		})
		want(t, e.act(t, kits.ActCheck, e.service("LK_P_A")), kits.OK, "")
		want(t, e.act(t, kits.ActStart, e.service("LK_P_B")), kits.OK, "")
		got := e.targets("rtb-primary")
		if got["10.1.0.1/32"] != "eni-VPN_P_A" || got["10.1.0.100/32"] != "eni-VPN_P_A" || got[vip] != "eni-LK_P_B" {
			t.Errorf("the table is %v", got)
		}
	})
}

func TestACheckNeverWrites(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, threeTables)
		before := e.Snapshot()
		for _, node := range []string{"LK_P_A", "LK_P_B", "LK_S_A"} { // active and standby alike
			e.act(t, kits.ActCheck, e.service(node))
			e.eligible(t, e.service(node))
			if _, err := e.kit.Preview(t.Context(), e.service(node)); err != nil {
				t.Error(err)
			}
			if _, err := e.kit.Choices(t.Context(), nil, e.service(node), ec2.FieldENI); err != nil {
				t.Error(err)
			}
		}
		if w := e.writes(); len(w) > 0 {
			t.Errorf("written: %v", w)
		}
		if len(e.Calls()) < 10 {
			t.Errorf("only %d calls were made", len(e.Calls()))
		}
		after := e.Snapshot()
		if !maps.Equal(before.Table("rtb-primary").Targets(), after.Table("rtb-primary").Targets()) {
			t.Error("a route changed")
		}
	})
}

func TestStopLeavesTheRoutesAlsoWhileTheAPIIsDown(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		e.Inject(ec2sim.Fault{Unreachable: true})
		want(t, e.act(t, kits.ActStop, e.service("LK_P_A")), kits.OK, "ec2.left")
		if len(e.Calls()) > 0 {
			t.Errorf("calls were made: %v", e.Calls())
		}
		if got := e.targets("rtb-primary")[vip]; got != "eni-LK_P_A" {
			t.Errorf("the route points to %q", got)
		}
	})
}

func TestAPIDownOrSilentIsUnknown(t *testing.T) {
	for what, f := range map[string]ec2sim.Fault{
		"ec2.unreachable": {Unreachable: true}, "ec2.timeout": {Hang: true},
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				e := newEstate(t, nil)
				e.Inject(f)
				began := time.Now()
				want(t, e.act(t, kits.ActCheck, e.service("LK_P_A")), kits.Unknown, what)
				want(t, e.act(t, kits.ActStart, e.service("LK_P_B")), kits.Unknown, what)
				if got := e.eligible(t, e.service("LK_P_B")); got.Outcome != kits.Unknown {
					t.Errorf("eligible: %+v", got)
				}
				if took := time.Since(began); took > time.Minute {
					t.Errorf("three questions took %s", took)
				}
				e.ClearFaults()
				if w := e.writes(); len(w) > 0 {
					t.Errorf("written: %v", w)
				}
			})
		})
	}
}

func TestEveryCallCarriesKeyAndRegion(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		for node, region := range map[string]string{"LK_P_B": tokyo, "LK_S_A": singapore} {
			e.ResetCalls()
			e.act(t, kits.ActStart, e.service(node))
			e.eligible(t, e.service(node))
			for _, c := range e.Calls() {
				if c.Region != region || c.KeyID != "AKIAFERRY" {
					t.Errorf("%s for %s went to %q as %q", c.Action, node, c.Region, c.KeyID)
				}
			}
			if len(e.Calls()) < 4 {
				t.Errorf("only %d calls for %s", len(e.Calls()), node)
			}
		}
		// The field profile names credentials this machine does not have: that is said, and no other key is tried.
		e.ResetCalls()
		in := e.service("LK_P_B")
		in.Attrs[ec2.FieldCredentials], in.Attrs[ec2.FieldProfile] = ec2.CredProfile, "nobody"
		r := e.act(t, kits.ActCheck, in)
		want(t, r, kits.Unknown, "ec2.unauthorized")
		if !strings.Contains(r.Reason.Text, "add the profile nobody to ~/.aws/config") || len(e.Calls()) > 0 {
			t.Errorf("%d calls; %s", len(e.Calls()), r.Reason.Text)
		}
	})
}

func TestConfiguredTablesOnlyAreTouched(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, threeTables)
		e.tables = []string{"rtb-primary", "rtb-other"} // the second has no route yet
		in := e.service("LK_P_B")
		want(t, e.act(t, kits.ActStart, in), kits.OK, "")
		for table, target := range map[string]string{"rtb-primary": "eni-LK_P_B", "rtb-other": "eni-LK_P_B", "rtb-two": "eni-LK_P_A"} {
			if got := e.targets(table)[vip]; got != target {
				t.Errorf("%s: the route points to %q, want %q", table, got, target)
			}
		}
		if err := e.RemoveRoute("rtb-other", vip); err != nil {
			t.Fatal(err)
		}
		want(t, e.act(t, kits.ActCheck, in), kits.Failed, "ec2.no-route")
		e.tables = []string{"rtb-typo"}
		want(t, e.act(t, kits.ActCheck, e.service("LK_P_B")), kits.Unknown, "ec2.no-table")
		if got := e.eligible(t, e.service("LK_P_B")); got.Outcome != kits.Failed || !strings.Contains(got.Reason.Text, "rtb-typo") {
			t.Errorf("eligible: %+v", got)
		}
	})
}

func TestWithoutACloudThePurePartsWork(t *testing.T) {
	e := &estate{kit: ec2.New((*awscloud.Cloud)(nil))}
	in := e.service("LK_P_B")
	in.Active = "LK_P_A"
	got := e.kit.Effects(kits.ActStart, in)
	wantEffects := []kits.Effect{{Kind: "route", What: "10.1.0.10/32 in every route table of vpc-primary that holds it", From: "eni-LK_P_A (LK_P_A)", To: "eni-LK_P_B (LK_P_B)"}}
	if !slices.Equal(got, wantEffects) {
		t.Errorf("effects %+v", got)
	}
	e.tables = []string{"rtb-1", "rtb-2"}
	if got := e.kit.Effects(kits.ActStart, e.vpn("VPN_P_B")); len(got) != 4 || got[3].What != "172.16.0.0/16 in rtb-2" {
		t.Errorf("effects %+v", got)
	}
	if got := e.kit.Effects(kits.ActStop, in); len(got) != 0 {
		t.Errorf("a stop has the effects %+v", got)
	}
}
