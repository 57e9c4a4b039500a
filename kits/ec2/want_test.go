package ec2

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ferry-ha/ferry/kits/cloud"
)

// Few destinations and targets, chosen to look alike, so that random tables collide often.
func destGen() *rapid.Generator[netip.Prefix] {
	return rapid.Map(rapid.SampledFrom([]string{"10.1.0.1/32", "10.1.0.10/32", "10.1.0.100/32", "10.1.0.0/16", "0.0.0.0/0"}), netip.MustParsePrefix)
}

func tablesGen() *rapid.Generator[[]cloud.RouteTable] {
	return rapid.Custom(func(t *rapid.T) []cloud.RouteTable {
		var out []cloud.RouteTable
		for n := range rapid.IntRange(1, 5).Draw(t, "tables") {
			table := cloud.RouteTable{ID: string(rune('a' + n)), Main: n == 0}
			if rapid.Bool().Draw(t, "associated") {
				table.Subnets = []string{"subnet"}
			}
			for _, d := range unique(rapid.SliceOfN(destGen(), 0, 4).Draw(t, "destinations")) {
				table.Routes = append(table.Routes, cloud.Route{
					Destination: d, Interface: rapid.SampledFrom([]string{"eni-1", "eni-2", ""}).Draw(t, "target"), Blackhole: rapid.Bool().Draw(t, "blackhole"),
				})
			}
			out = append(out, table)
		}
		return out
	})
}

func TestWantedProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tables := tablesGen().Draw(t, "tables")
		dests := unique(rapid.SliceOfN(destGen(), 1, 3).Draw(t, "wanted"))
		var configured []string
		if rapid.Bool().Draw(t, "configured") {
			configured = []string{"a"}
		}
		entries := wanted(tables, configured, dests)
		has := func(table string, d netip.Prefix) bool {
			return slices.ContainsFunc(entries, func(e entry) bool { return e.table == table && e.dest == d })
		}
		for _, d := range dests {
			held := false
			for _, table := range tables {
				_, holds := table.To(d)
				considered := configured == nil || table.ID == "a"
				held = held || holds && considered
				if holds && considered && !has(table.ID, d) {
					t.Fatalf("%s holds %s and is left out", table.ID, d)
				}
				if !considered && has(table.ID, d) {
					t.Fatalf("%s is not configured", table.ID)
				}
			}
			if !held && !has("a", d) {
				t.Fatalf("nobody holds %s, and the main table does not get it", d)
			}
		}
		// Carrying the entries out makes all of them right, and touches nothing else.
		after := carryOut(tables, entries, "eni-1")
		again := wanted(after, configured, dests)
		if bad := wrong(again, "eni-1"); len(bad) > 0 || len(again) != len(entries) {
			t.Fatalf("after carrying out %v, %v is wrong (%v)", entries, bad, again)
		}
		for n, table := range tables {
			for _, r := range table.Routes {
				if now, _ := after[n].To(r.Destination); !slices.Contains(dests, r.Destination) && now != r {
					t.Fatalf("%s in %s was touched", r.Destination, table.ID)
				}
			}
		}
	})
}

// carryOut is what AWS's tables look like after the entries were put.
func carryOut(tables []cloud.RouteTable, entries []entry, eni string) []cloud.RouteTable {
	out := slices.Clone(tables)
	for n := range out {
		out[n].Routes = slices.Clone(out[n].Routes)
		for _, e := range entries {
			if e.table != out[n].ID {
				continue
			}
			out[n].Routes = slices.DeleteFunc(out[n].Routes, func(r cloud.Route) bool { return r.Destination == e.dest })
			out[n].Routes = append(out[n].Routes, cloud.Route{Destination: e.dest, Interface: eni})
		}
	}
	return out
}

func FuzzParseCIDRs(f *testing.F) {
	for _, seed := range []string{"10.2.0.0/16, 172.16.0.0/16", "10.2.0.5/16\t10.2.0.0/16", "::1/128", "10.1.0.10", ",,", "0.0.0.0/0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parseCIDRs(text)
		if err != nil {
			return
		}
		for i, p := range list {
			if !p.Addr().Is4() || p != p.Masked() || slices.Contains(list[:i], p) {
				t.Errorf("%q gives %v", text, list)
			}
		}
	})
}
