package r53sim_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/ferry-ha/ferry/internal/sim/r53sim"
)

// TestBatchesAreAllOrNothing drives random batches against the endpoint and against a map of names to addresses.
func TestBatchesAreAllOrNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, err := r53sim.New(estate(), r53sim.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		defer s.Close()
		c := wire{http: s.Transport()}
		model := map[string]string{"www.example.jp.": "10.1.0.10"}
		names := rapid.SampledFrom([]string{"www.example.jp.", "a.example.jp.", "b.a.example.jp."})
		addresses := rapid.SampledFrom([]string{"10.1.0.10", "10.2.0.10"})
		for range rapid.IntRange(1, 8).Draw(rt, "batches") {
			var lines []string
			next, good, seen := maps.Clone(model), true, map[string]string{}
			for range rapid.IntRange(1, 3).Draw(rt, "changes") {
				action := rapid.SampledFrom([]string{"CREATE", "DELETE", "UPSERT"}).Draw(rt, "action")
				name, address := names.Draw(rt, "name"), addresses.Draw(rt, "address")
				lines = append(lines, action+" "+name+" "+address)
				have, there := next[name]
				before, again := seen[name]
				seen[name] = before + action
				switch {
				case again && seen[name] != "DELETECREATE", action == "CREATE" && there, action == "DELETE" && have != address:
					good = false
				case action == "DELETE":
					delete(next, name)
				default:
					next[name] = address
				}
			}
			got := c.change(rt.Context(), "ZFERRY", lines...)
			if (got.status == 200) != good {
				rt.Fatalf("%v on %v: %+v", lines, model, got)
			}
			if good {
				model = next
			}
			if got := addressesIn(s); !maps.Equal(got, model) {
				rt.Fatalf("after %v the zone holds %v, want %v", lines, got, model)
			}
		}
	})
}

func addressesIn(s *r53sim.Server) map[string]string {
	out := map[string]string{}
	z, _ := s.Zone("ZFERRY")
	for _, r := range z.Records {
		if r.Type == "A" {
			out[r.Name] = strings.Join(r.Values, " ")
		}
	}
	return out
}

// TestPagesAreTheWholeZone: whatever the records and the size of a page, the pages together are every record once and in
// order, each page beginning where the one before said.
func TestPagesAreTheWholeZone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		labels := rapid.StringMatching(`[a-zA-Z0-9*_#-]{1,3}`)
		zone := r53sim.Zone{ID: "ZFERRY", Name: "example.jp"}
		for _, parts := range rapid.SliceOfNDistinct(rapid.SliceOfN(labels, 1, 3), 0, 12, func(l []string) string { return strings.ToLower(strings.Join(l, ".")) }).Draw(rt, "names") {
			zone.Records = append(zone.Records, r53sim.Record{Name: strings.Join(parts, ".") + ".example.jp", Type: "A", Values: []string{"10.0.0.1"}})
		}
		s, err := r53sim.New(r53sim.World{Keys: estate().Keys, Zones: []r53sim.Zone{zone}}, r53sim.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		defer s.Close()
		c := wire{http: s.Transport()}
		size := rapid.IntRange(1, 5).Draw(rt, "size")
		whole, _ := s.Zone("ZFERRY")
		var want, got []string
		for _, r := range whole.Records {
			want = append(want, r.Name+" "+r.Type)
		}
		query := fmt.Sprintf("maxitems=%d", size)
		for range len(want) + 1 {
			page := c.do(rt.Context(), "GET", "hostedzone/ZFERRY/rrset?"+query, "")
			got = append(got, sets(page.body)...)
			if page.in("IsTruncated") == "false" {
				break
			}
			query = fmt.Sprintf("maxitems=%d&name=%s&type=%s", size, strings.ReplaceAll(page.in("NextRecordName"), `\`, "%5C"), page.in("NextRecordType"))
		}
		if !slices.Equal(got, want) {
			rt.Fatalf("pages of %d: %v, want %v", size, got, want)
		}
	})
}

// sets are the names and types in a page.
func sets(body string) (out []string) {
	for _, part := range strings.Split(body, "<ResourceRecordSet>")[1:] {
		one := answered{body: "<x>" + strings.Split(part, "</ResourceRecordSet>")[0] + "</x>"}
		out = append(out, one.in("Name")+" "+one.in("Type"))
	}
	return out
}

// FuzzCanonical: what Canonical takes, it takes again unchanged, and it is a name that can stand in XML and in DNS.
func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{"www.example.jp", "*.A.b", `\052.x.`, `a\056b.c`, ".", "", "a..b", `\9`, "é.test", `\000.x`, `\777.x`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		once, err := r53sim.Canonical(name)
		if err != nil {
			return
		}
		if twice, err := r53sim.Canonical(once); err != nil || twice != once {
			t.Fatalf("%q is %q and then %q, %v", name, once, twice, err)
		}
		if !strings.HasSuffix(once, ".") || strings.ToLower(once) != once || strings.Trim(once, `abcdefghijklmnopqrstuvwxyz0123456789-_.\`) != "" {
			t.Fatalf("%q is %q", name, once)
		}
		if upper, err := r53sim.Canonical(strings.ToUpper(once)); err != nil || upper != once {
			t.Fatalf("in capitals %q is %q, %v", once, upper, err)
		}
	})
}
