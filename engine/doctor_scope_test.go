package engine_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/store"
	"github.com/ferry-ha/ferry/examples"
	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/internal/sim/account"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
)

func (b *bench) diagnose(q api.Examination) *api.Diagnosis {
	b.t.Helper()
	d, err := b.eng.Examine(b.t.Context(), q)
	if err != nil {
		b.t.Fatal(err)
	}
	return d
}

// TestOnlyTheServersWantedAreAsked: and those that they are compared with, if they are taken for alive.
func TestOnlyTheServersWantedAreAsked(t *testing.T) {
	prepared(t, func(b *bench) {
		asked := func(what string, q api.Examination, want map[string]int) *api.Diagnosis {
			t.Helper()
			d := b.diagnose(q)
			if !maps.Equal(d.Asked, want) {
				t.Errorf("%s: asked %v, want %v", what, d.Asked, want)
			}
			return d
		}
		quiet := func(d *api.Diagnosis) {
			t.Helper()
			for _, f := range d.Findings {
				if f.Verdict != doctor.Pass {
					t.Errorf("%s %s: %s", f.Verdict, f.ID(), f.Reason.Text)
				}
			}
		}
		asked("AWS alone", api.Examination{Checks: []string{"aws"}}, map[string]int{})
		asked("what is of tunnels", api.Examination{Checks: []string{"vpn"}}, map[string]int{"VPN_P_A": 1, "VPN_P_B": 1, "VPN_S_A": 1, "VPN_S_B": 1})

		b.machine("LK_S_B").Hang()
		quiet(asked("a server of another cluster", api.Examination{Nodes: []string{"VPN_P_A"}}, map[string]int{"VPN_P_A": 2, "VPN_P_B": 1}))
		d := asked("before it is known", api.Examination{Nodes: []string{"LK_P_A"}}, map[string]int{"LK_P_A": 1, "LK_P_B": 1, "LK_S_A": 1, "LK_S_B": 1})
		quiet(d)
		if d.Took > 10*time.Second { // of the simulated clock
			t.Errorf("the server that hangs cost %s", d.Took)
		}
		b.until("LK_S_B is missed", func(s *api.Snapshot) bool { return verdictOf(s, "LK_S_B") != policy.Alive })
		quiet(asked("once it is known", api.Examination{Nodes: []string{"LK_P_A"}}, map[string]int{"LK_P_A": 1, "LK_P_B": 1, "LK_S_A": 1}))
		if found := b.examine(api.Examination{Nodes: []string{"LK_S_B"}}); !slices.Equal(ids(found), []string{"node.reached@LK_S_B"}) {
			t.Errorf("asked about itself: %q", ids(found))
		}
		b.machine("LK_S_B").Resume()
	})
}

func verdictOf(s *api.Snapshot, node string) policy.Verdict {
	for _, n := range s.Nodes {
		if n.Name == node {
			return n.Verdict
		}
	}
	return ""
}

// TestAServerIsStillCompared: what differs on it is found when it alone is asked about, and not held against the others.
func TestAServerIsStillCompared(t *testing.T) {
	prepared(t, func(b *bench) {
		must(func(b *bench) error { return b.machine("LK_S_A").SetKernel("5.10.0-el9") })(b)
		if got := ids(b.examine(api.Examination{Nodes: []string{"LK_S_A"}})); !slices.Equal(got, []string{"same.kernel@service"}) {
			t.Errorf("found %q", got)
		}
		if got := ids(b.examine(api.Examination{Nodes: []string{"LK_P_A"}})); len(got) > 0 {
			t.Errorf("found %q on another one", got)
		}
		text, _ := b.machine("VPN_P_B").ReadFile("/etc/machine-id")
		write("VPN_P_A", "/etc/machine-id", text)(b)
		for _, n := range []string{"VPN_P_A", "VPN_P_B"} {
			if got := ids(b.examine(api.Examination{Nodes: []string{n}})); !slices.Equal(got, []string{"same.identity@VPN_P_B"}) {
				t.Errorf("a clone, seen from %s: %q", n, got)
			}
		}
	})
}

// TestMendingAsksTheFindingsServers: no other one stands in the way.
func TestMendingAsksTheFindingsServers(t *testing.T) {
	prepared(t, func(b *bench) {
		write("VPN_P_A", "/proc/sys/net/ipv4/ip_forward", "0\n")(b)
		f := b.examine(api.Examination{})[0]
		b.machine("VPN_P_B").Hang()
		began := time.Now()
		m, err := b.eng.Mend(b.t.Context(), api.Mending{Finding: f.ID(), Command: f.Fix.Command, Nodes: f.Nodes})
		if err != nil || !m.Gone {
			t.Errorf("mending gives %+v, %v", m, err)
		}
		if took := time.Since(began); took > 10*time.Second { // of the simulated clock
			t.Errorf("it took %s", took)
		}
		// Who does not say whom the finding concerned gets no answer that one of them could belie.
		m, err = b.eng.Mend(b.t.Context(), api.Mending{Finding: f.ID(), Command: f.Fix.Command})
		if e := api.AsError(err); e == nil || e.Kind != api.KindUnavailable {
			t.Errorf("without the servers: %+v, %v", m, err)
		}
		b.machine("VPN_P_B").Resume()
	})
}

// TestADraftIsExamined: a definition that is not in force, by an engine that has none, which stays so.
func TestADraftIsExamined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, err := config.Load(strings.NewReader(examples.CrossRegion), "cross-region.toml", registry(nil))
		if err != nil {
			t.Fatal(err)
		}
		wellDefined(e)
		s, err := sim.New(e, sim.Options{Dir: t.TempDir(), Nodes: nodesim.Options{CommandTime: 5 * time.Millisecond}})
		if err != nil {
			t.Fatal(err)
		}
		b := &bench{t: t, sim: s, disk: store.NewDisk(), aws: account.New(s)}
		b.open(b.disk.Open())
		defer b.close()
		b.machine("LK_S_B").Remove("setsid")
		command("VPN_P_B", "systemctl disable ipsec")(b)
		got := ids(b.examine(api.Examination{Estate: s.Definition, Except: []string{"aws", "kit"}}))
		if !slices.Equal(got, []string{"node.tools@LK_S_B", "vpn.starts-at-boot@VPN_P_B"}) {
			t.Errorf("found %q", got)
		}
		d := b.diagnose(api.Examination{Estate: s.Definition, Nodes: []string{"VPN_P_B"}})
		if !maps.Equal(d.Asked, map[string]int{"VPN_P_B": 2, "VPN_P_A": 1}) || !slices.ContainsFunc(d.Findings, func(f doctor.Finding) bool { return f.ID() == "vpn.starts-at-boot@VPN_P_B" }) {
			t.Errorf("of one server: asked %v, %d findings", d.Asked, len(d.Findings))
		}
		if now, err := b.eng.Export(t.Context()); err != nil || now.Name != "" || len(now.Servers) > 0 {
			t.Errorf("in force is %q, %v", now.Name, err)
		}
		for _, f := range []string{"/var/lib/ferry/leader", "/var/lib/ferry"} {
			if _, err := b.machine("LK_P_A").ReadFile(f); err == nil {
				t.Errorf("%s was written on the server", f)
			}
		}
		var bad hierarchy.Estate = *s.Definition
		bad.Servers = append(slices.Clone(bad.Servers), bad.Servers[0])
		if _, err := b.eng.Examine(t.Context(), api.Examination{Estate: &bad}); api.AsError(err) == nil || api.AsError(err).Kind != api.KindConfig {
			t.Errorf("a wrong definition gives %v", err)
		}
	})
}
