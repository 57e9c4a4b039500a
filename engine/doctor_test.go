package engine_test

import (
	"testing"
	"testing/synctest"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// prepared is the seed's Figure 1 as Chapters 3 and 4 want it, with everything in service.
func prepared(t *testing.T, f func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, wellDefined)
		defer b.close()
		b.until("all nodes alive", alive)
		b.put("service/www", "LK_P_A")
		b.put("vpn-primary/openswan-vpn1", "VPN_P_A")
		b.put("vpn-standby/openswan-vpn1", "VPN_S_A")
		f(b)
	})
}

// wellDefined adds what the example leaves to its reader: quorum hosts, and an application that is a unit.
func wellDefined(e *hierarchy.Estate) {
	for i := range e.Res {
		if e.Res[i].Kit == "app" {
			e.Res[i].Attrs["start"] = "systemctl start www"
		}
	}
	for i := range e.Servers {
		t := e.Servers[i].Tuning
		t["LKCHECKINTERVAL"] = "360"
		if t["NOBCASTPING"] == "" {
			t["LKCHECKINTERVAL"] = "260"
		}
	}
	for i := range e.Cluster {
		e.Cluster[i].QuorumHosts = []string{"witness1.example.com:22", "witness2.example.com:22", "witness3.example.com:22"}
	}
}

// examine gives what did not pass.
func (b *bench) examine(q api.Examination) []doctor.Finding {
	b.t.Helper()
	d, err := b.eng.Examine(b.t.Context(), q)
	if err != nil {
		b.t.Fatal(err)
	}
	var bad []doctor.Finding
	for _, f := range d.Findings {
		if f.Verdict != doctor.Pass {
			bad = append(bad, f)
		}
	}
	return bad
}

// TestRightEstateIsSilent: nothing is said against an estate that is as it should be, and every node is asked once; the
// nodes with a tunnel twice, because what to ask the daemon stands in a file of theirs.
func TestRightEstateIsSilent(t *testing.T) {
	prepared(t, func(b *bench) {
		d, err := b.eng.Examine(b.t.Context(), api.Examination{})
		if err != nil {
			b.t.Fatal(err)
		}
		for _, f := range d.Findings {
			if f.Verdict != doctor.Pass {
				b.t.Errorf("%s %s: %s", f.Verdict, f.ID(), f.Reason.Text)
			}
		}
		if len(d.Findings) < 150 || d.Trips != 2 {
			b.t.Errorf("%d findings, %d trips", len(d.Findings), d.Trips)
		}
	})
}
