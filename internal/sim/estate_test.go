package sim

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/fleet"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/app"
	"github.com/ferry-ha/ferry/kits/ip"
)

const primary, standby = "ap-northeast-1", "ap-southeast-1"

type estate struct {
	*Sim
	t     *testing.T
	fleet *fleet.Fleet
	index *hierarchy.Index
}

// bring brings the example of Figure 1 up, with the engine's own way to reach nodes.
func bring(t *testing.T) estate {
	t.Helper()
	e, err := config.LoadFile("../../examples/cross-region.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(e, Options{Dir: t.TempDir(), EC2: ec2sim.Options{StateLag: time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	f := fleet.New(s.Nodes.DialContext, func(string) {}, slog.New(slog.DiscardHandler))
	f.Define(s.Definition, fleet.Identity{Estate: "e", Engine: "n", Epoch: 1})
	t.Cleanup(func() { f.Close(); s.Close() })
	return estate{s, t, f, hierarchy.NewIndex(s.Definition)}
}

// start takes the service's address and application into service on a node.
func (e estate) start(node string) {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(e.t.Context(), time.Minute)
	defer cancel()
	for tag, kit := range map[hierarchy.Tag]kits.Kit{"service/ip-route53": ip.Kit{}, "service/www": app.Kit{}} {
		in, err := e.instance(tag, node)
		if err != nil {
			e.t.Fatal(err)
		}
		if el := kit.Eligible(ctx, e.fleet.Host(node), in); el.Outcome != kits.OK {
			e.t.Errorf("%s on %s: %+v", tag, node, el)
		}
		if r := kit.Start(ctx, e.fleet.Acting(node, "ferry-test-"+kit.Name(), "l-"+kit.Name()), in); r.Outcome != kits.OK {
			e.t.Errorf("%s on %s: %+v", tag, node, r)
		}
	}
}

// instance is the resource on a node, by hand: the engine's own way needs its registry.
func (e estate) instance(tag hierarchy.Tag, node string) (kits.Instance, error) {
	r, err := e.index.Find(string(tag))
	if err != nil {
		return kits.Instance{}, err
	}
	in := kits.Instance{Tag: string(tag), Kit: r.Kit, Attrs: map[string]string{}, Node: kits.Node{Name: node, Address: e.index.Server(node).Address}}
	for k, v := range r.Attrs {
		in.Attrs[k] = v
	}
	for k, v := range e.index.Placement(r.Tag, node).Attrs {
		in.Attrs[k] = v
	}
	in.Tuning = map[string]string{ip.NoBroadcastPing: "1"}
	return in, nil
}

func (e estate) ask(region, addr, want, problem string) {
	e.t.Helper()
	got, err := e.Ask(region, addr)
	if got != want || want == "" && (err == nil || !strings.Contains(err.Error(), problem)) {
		e.t.Errorf("a client in %s asks %s: %q, %v; want %q %q", region, addr, got, err, want, problem)
	}
}

func TestFigureOneComesToLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := bring(t)
		if e.Port("service/www") != 8080 {
			t.Fatalf("port %d", e.Port("service/www"))
		}
		for _, s := range e.Definition.Servers {
			if rec := e.fleet.Record(t.Context(), s.Name); rec.Err != "" || rec.Boot == "" {
				t.Errorf("%s: %+v", s.Name, rec)
			}
		}
		e.ask(primary, "10.1.0.10:8080", "", "does not have the address")
		e.start("LK_P_A")
		e.ask(primary, "10.1.0.10:8080", "LK_P_A", "")
		e.ask(standby, "10.1.0.10:8080", "LK_P_A", "") // over the VPN nodes
		e.ask(primary, "10.1.0.1:8080", "", "")

		// The address alone does not move clients: the route must follow.
		e.start("LK_P_B")
		e.ask(primary, "10.1.0.10:8080", "LK_P_A", "")
		table := TableOf(*e.index.Region(primary))
		if err := e.EC2.SetRoute(table, ec2sim.Route{Destination: "10.1.0.10/32", Interface: e.index.Server("LK_P_B").ENI}); err != nil {
			t.Fatal(err)
		}
		e.ask(primary, "10.1.0.10:8080", "LK_P_B", "")
	})
}

func TestPowerAndTheCloudsView(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := bring(t)
		e.start("LK_P_A")
		if err := e.PowerOff("LK_P_A"); err != nil {
			t.Fatal(err)
		}
		state := func() ec2sim.State {
			w := e.EC2.Snapshot()
			return w.Instance(e.index.Server("LK_P_A").Instance).State
		}
		e.ask(primary, "10.1.0.10:8080", "", "no answer")
		if state() != ec2sim.Running {
			t.Errorf("EC2 knows at once: %s", state())
		}
		time.Sleep(61 * time.Second)
		if state() != ec2sim.Stopped {
			t.Errorf("EC2 says %s after its lag", state())
		}
		if err := e.PowerOn("LK_P_A"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if rec := e.fleet.Record(t.Context(), "LK_P_A"); rec.Err != "" {
			t.Error(rec.Err)
		}
		e.ask(primary, "10.1.0.10:8080", "", "does not have the address") // it stays quiet
		if err := e.PowerOff("nobody"); err == nil {
			t.Error("an unknown server has no power")
		}
	})
}

func TestClaimsAndPeersOfTheRealEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := bring(t)
		claim := func(unit string, number uint64) kits.Report {
			return fleet.WriteClaims(t.Context(), e.fleet.Acting("LK_P_A", unit, "claim"), []hierarchy.Tag{"service/www"}, number)
		}
		if r := claim("ferry-c1", 7); r.Outcome != kits.OK {
			t.Fatal(r)
		}
		if r := claim("ferry-c2", 6); r.Outcome != kits.Failed || r.Reason.Code != "claim.older" {
			t.Errorf("an older claim: %+v", r)
		}
		if rec := e.fleet.Record(t.Context(), "LK_P_A"); rec.Claims["service/www"] != 7 {
			t.Errorf("%+v", rec)
		}
		e.Nodes.Node("LK_P_A").SetDiskFull(true)
		if r := claim("ferry-c3", 8); r.Outcome == kits.OK {
			t.Errorf("a claim on a full disk: %+v", r)
		}
	})
}

func TestRegionLinkCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := bring(t)
		e.CutRegions(primary, standby)
		res, err := e.fleet.Host("LK_P_A").Run(t.Context(), kits.Script{Name: "ping", Body: "ping -c1 -W1 172.16.0.10; echo $?; ping -c1 -W1 10.0.10.10 >/dev/null; echo $?"})
		if err != nil || !strings.HasSuffix(res.Stdout, "1\n0\n") {
			t.Errorf("%q %v", res.Stdout, err)
		}
		e.HealRegions(primary, standby)
		if res, err = e.fleet.Host("LK_P_A").Run(t.Context(), kits.Script{Name: "ping", Body: "ping -c1 -W1 172.16.0.10"}); err != nil || res.Exit != 0 {
			t.Errorf("%+v %v", res, err)
		}
	})
}
