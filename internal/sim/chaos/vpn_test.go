package chaos

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
)

// tunnelled gives the toy estate tunnels and the usual tuning.
const tunnelled = "vpn\ntuning LKCHECKINTERVAL 30\ntuning NOBCASTPING 1\n"

// Every fault of a tunnel there is, in one estate: nothing is violated, and all comes back.
func TestTunnelsComeBack(t *testing.T) {
	text := tunnelled + strings.Replace(toy, "quiet 1m", `at 10s tunnel v1a cut
at 2m tunnel v1a join
at 3m ipsec v1b freeze
at 5m ipsec v1b thaw
at 6m tunnel v2b change-key
at 8m ipsec v2a break
at 9m ipsec v1a kill
at 10m power-off v2b
at 11m tunnel v1a block
quiet 12m`, 1)
	sc, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := Parse(sc.String()); err != nil || again.String() != sc.String() || !again.Shape.VPN {
		t.Errorf("it does not read what it writes: %v\n%s", err, again)
	}
	res := run(t, sc)
	if len(res.Broken) > 0 {
		t.Errorf("%v\n%s", res.Broken, tail(res.Story, 8000))
	}
	for _, want := range []string{"failover vpn1/openswan-t", "recover vpn2/openswan-t"} {
		if !strings.Contains(res.Story, want) {
			t.Errorf("no %s in\n%s", want, tail(res.Story, 8000))
		}
	}
}

// The rule of the tunnels can fail.
func TestTunnelRuleTrips(t *testing.T) {
	for _, trouble := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			sc, err := Parse("vpn\n" + toy)
			if err != nil {
				t.Fatal(err)
			}
			e := newEyes(sc.Shape)
			time.Sleep(time.Hour)
			if trouble {
				e.tunnelBad = time.Now().Add(-time.Minute)
			}
			o := op("1", plan.GoalFailover, "v1a", "v1b")
			o.Plan.Goal.Tag = vpnTag(0)
			e.put("op/1", o)
			if got := len(e.broken) > 0 && e.broken[0].Rule == Tunnels; got == trouble {
				t.Errorf("a tunnel in trouble: %v; violations: %v", trouble, e.broken)
			}
		})
	}
}

// In the end a tunnel that is down is not overlooked.
func TestTunnelThatStaysDownIsSeen(t *testing.T) {
	sc, err := Parse(tunnelled + toy)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		w, err := bring(t.Context(), sc, dir)
		if err != nil {
			t.Fatal(err)
		}
		defer w.close()
		w.sim.Nodes.Node("v1a").BreakIPsec()
		w.sim.Nodes.Cut("v1b", "v2b")
		time.Sleep(time.Second)
		w.settled(t.Context())
		if n := len(w.eyes.broken); n == 0 || w.eyes.broken[n-1].Rule != Tunnels {
			t.Errorf("violations: %v, tunnels %+v", w.eyes.broken, []nodesim.Tunnel(w.sim.Nodes.Tunnels()))
		}
	})
}
