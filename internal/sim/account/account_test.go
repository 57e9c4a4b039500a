package account_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/examples"
	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/internal/sim/account"
	"github.com/ferry-ha/ferry/internal/sim/dnssim"
	"github.com/ferry-ha/ferry/internal/sim/r53sim"
	"github.com/ferry-ha/ferry/kits/cloud"
)

func bring(t *testing.T, change func(*hierarchy.Estate)) *sim.Sim {
	t.Helper()
	e, err := config.Load(strings.NewReader(examples.CrossRegion), "cross-region.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	change(e)
	s, err := sim.New(e, sim.Options{Dir: t.TempDir(), Route53: r53sim.Options{SyncLag: 30 * time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// nameless takes the names away.
func nameless(e *hierarchy.Estate) {
	e.Res = slices.DeleteFunc(e.Res, func(r hierarchy.Resource) bool { return r.Kit == "route53" })
}

// The service's name leads to the primary region's virtual IP, and a change made through the real SDK reaches somebody
// who asks by name.
func TestTheServiceHasAName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bring(t, nameless)
		aws := account.New(s)
		account.New(s) // the command makes it more than once
		access := cloud.Access{Region: "ap-northeast-1"}
		zones, err := aws.Zones(t.Context(), access)
		if err != nil || len(zones) != 1 || zones[0].ID != account.ZoneID || strings.TrimSuffix(zones[0].Name, ".") != "example.jp" {
			t.Fatalf("%+v, %v", zones, err)
		}
		old, ok, err := aws.Record(t.Context(), access, account.ZoneID, account.HostName, "A")
		if err != nil || !ok || old.TTL != account.RecordTTL || !slices.Equal(old.Values, []string{"10.1.0.10"}) {
			t.Fatalf("%+v, %t, %v", old, ok, err)
		}
		ns := dnssim.New(s.Route53, dnssim.Options{})
		defer ns.Close()
		client := &dnssim.Client{Servers: []string{"ns"}, Dial: ns.Dial}
		for _, want := range []string{"10.1.0.10", "10.2.0.10"} {
			got, err := client.LookupA(t.Context(), account.HostName)
			if err != nil || got.First() != netip.MustParseAddr(want) {
				t.Fatalf("%+v, %v, want %s", got, err, want)
			}
			next := old
			next.Values = []string{"10.2.0.10"}
			if want == "10.1.0.10" {
				if _, err := aws.ChangeRecord(t.Context(), access, account.ZoneID, &old, next); err != nil {
					t.Fatal(err)
				}
				time.Sleep(40 * time.Second)
			}
		}
	})
}

func TestAnEstateThatNamesAZoneGetsNoOther(t *testing.T) {
	s := bring(t, func(e *hierarchy.Estate) {
		for i := range e.Res {
			if e.Res[i].Kit == "route53" {
				e.Res[i].Attrs["zone"] = "mine.test (ZMINE)"
			}
		}
	})
	account.New(s)
	if zones := s.Route53.Zones(); len(zones) != 1 || zones[0].ID != "ZMINE" {
		t.Errorf("%+v", zones)
	}
}
