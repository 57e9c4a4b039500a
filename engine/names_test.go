package engine_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/internal/sim/r53sim"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// record is what the control plane says of the service's name.
func (b *bench) record() string {
	b.t.Helper()
	r, ok := b.sim.Route53.Record("example.com", "www.example.com", "A")
	if !ok || len(r.Values) != 1 {
		b.t.Fatalf("the record is %+v", r)
	}
	return r.Values[0]
}

func TestNameFollowsACrossingAndComesBack(t *testing.T) {
	scenario(t, func(b *bench) {
		b.sim.Route53.SetSyncLag(30 * time.Second)
		if b.record() != "10.1.0.10" {
			b.t.Errorf("before: %s", b.record())
		}
		b.off("LK_P_A")
		b.settled("LK_P_B")
		if n := len(b.sim.Route53.Writes()); n != 0 {
			b.t.Errorf("a move inside the region wrote %d times to Route 53", n)
		}
		b.off("LK_P_B")
		q := b.asked()
		if err := b.answer(q, "off", far, "anna"); err != nil {
			b.t.Fatal(err)
		}
		b.settled("LK_S_A")
		b.check("LK_S_A")
		if b.record() != "10.2.0.10" {
			b.t.Errorf("after the crossing the name leads to %s", b.record())
		}
		b.sim.EC2.SetStateLag(0)
		b.on("LK_P_A")
		b.becomes("LK_P_A", "alive")
		if _, err := b.wish("LK_P_A", near); err != nil {
			b.t.Fatal(err)
		}
		b.settled("LK_P_A")
		if b.record() != "10.1.0.10" || len(b.sim.Route53.Writes()) != 2 {
			b.t.Errorf("back again the name leads to %s, after %d changes", b.record(), len(b.sim.Route53.Writes()))
		}
	}, calm)
}

func TestServiceCrossesWhileRoute53IsDown(t *testing.T) {
	scenario(t, func(b *bench) {
		b.off("LK_P_A", "LK_P_B")
		q := b.asked()
		remove := b.sim.Route53.Inject(r53sim.Fault{Unreachable: true})
		if err := b.answer(q, "off", far, "anna"); err != nil {
			b.t.Fatal(err)
		}
		b.settled("LK_S_A")
		b.check("LK_S_A") // parents go on over an impaired name
		b.told("service/route53-www", "impaired")
		b.told("aws route53 change-resource-record-sets")
		remove()
		b.until("the name healed by itself", inService("service/route53-www", "LK_S_A"))
		if b.record() != "10.2.0.10" {
			b.t.Errorf("the name leads to %s", b.record())
		}
	}, calm)
}

// The likeliest trouble of Route 53: what it holds can be read, nothing can be changed.
func TestServiceCrossesWhileRoute53CannotBeChanged(t *testing.T) {
	scenario(t, func(b *bench) {
		b.off("LK_P_A", "LK_P_B")
		q := b.asked()
		remove := b.sim.Route53.Inject(r53sim.Fault{Action: "ChangeResourceRecordSets", Unreachable: true})
		if err := b.answer(q, "off", far, "anna"); err != nil {
			b.t.Fatal(err)
		}
		b.settled("LK_S_A")
		b.check("LK_S_A")
		if got := b.ops(); got[len(got)-1] != "failover LK_S_A done" && got[len(got)-2] != "failover LK_S_A done" {
			b.t.Errorf("operations %q", got)
		}
		time.Sleep(20 * time.Minute) // recovered in vain again and again: no reason to move
		b.settled("LK_S_A")
		remove()
		b.until("the name healed by itself", inService("service/route53-www", "LK_S_A"))
		if b.record() != "10.2.0.10" {
			b.t.Errorf("the name leads to %s", b.record())
		}
	}, calm)
}

// inService: the resource is ISP on the node.
func inService(t hierarchy.Tag, node string) func(*api.Snapshot) bool {
	return func(s *api.Snapshot) bool {
		for _, r := range s.Resources {
			for _, on := range r.On {
				if r.Tag == t && on.Server == node && on.State == hierarchy.ISP {
					return true
				}
			}
		}
		return false
	}
}

// A name of the region is right on each of its nodes; that must not keep a first engine
// from finding out who holds what already runs.
func TestFirstEngineClaimsWhatRunsUnderAName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		defer b.close()
		if code, out := b.node("LK_P_B").Exec(t.Context(), "ip addr add 10.1.0.10/32 dev eth0 && systemctl start www"); code != 0 {
			t.Fatal(out)
		}
		rtb := sim.TableOf(*b.sim.Definition.Region(near))
		access := cloud.Access{Region: near}
		if err := b.aws.PutRoute(t.Context(), access, rtb, netip.MustParsePrefix("10.1.0.10/32"), b.sim.Definition.Server("LK_P_B").ENI); err != nil {
			t.Fatal(err)
		}
		b.settled("LK_P_B")
		for _, r := range b.snapshot().Resources {
			if r.Cluster == "service" && (r.Claim == nil || r.Claim.Node != "LK_P_B") {
				t.Errorf("%s has the claim %+v\n%s", r.Tag, r.Claim, b.story())
			}
		}
	})
}

// TestChoicesForAResourceToBe: a form asks for what the account has, before the
// resource exists.
func TestChoicesForAResourceToBe(t *testing.T) {
	scenario(t, func(b *bench) {
		for _, c := range []struct{ kit, field, node, want string }{
			{"route53", "zone", "LK_P_A", "example.com"},
			{"ec2", "eni", "LK_S_A", "eni-lksa"},
			{"ip", "interface", "LK_P_A", "eth0"},
		} {
			got, err := b.eng.Choices(b.t.Context(), c.kit, c.field, c.node, map[string]string{"type": "route-table"})
			if err != nil || !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, c.want) }) {
				t.Errorf("%s.%s on %s: %q, %v; want %s among them", c.kit, c.field, c.node, got, err, c.want)
			}
		}
	}, calm)
}
