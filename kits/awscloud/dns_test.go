package awscloud_test

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/sim/r53sim"
	"github.com/ferry-ha/ferry/kits/awscloud"
	"github.com/ferry-ha/ferry/kits/cloud"
)

func zones() r53sim.World {
	weight := int64(10)
	w := r53sim.World{
		Keys: []r53sim.Key{{ID: "AKIAFERRY", Secret: "ferry-secret"}, {ID: "AKIAREADER", Secret: "reader-secret", Deny: []string{"Change*"}}},
		Zones: []r53sim.Zone{
			{ID: "Z1", Name: "example.com", Records: []r53sim.Record{
				{Name: "*.example.com", Type: "A", TTL: 10, Values: []string{"192.0.2.3"}},
				{Name: "alias.example.com", Type: "A", Alias: &r53sim.Alias{Zone: "Z1", Name: "www.example.com"}},
				{Name: "several.example.com", Type: "A", TTL: 10, SetID: "one", Weight: &weight, Values: []string{"192.0.2.4"}},
				{Name: "www.example.com", Type: "A", TTL: 10, Values: []string{"10.1.0.10"}},
				{Name: "www.example.com", Type: "TXT", TTL: 10, Values: []string{`"a text"`}},
			}},
			{ID: "Z2", Name: "example.com", VPCs: []r53sim.VPC{{Region: region, ID: "vpc-1"}}},
		},
	}
	for i := range 7 {
		w.Zones = append(w.Zones, r53sim.Zone{Name: fmt.Sprintf("more-%d.example.net", i)})
	}
	return w
}

func setupDNS(t *testing.T, o r53sim.Options) (*r53sim.Server, *awscloud.Cloud) {
	t.Helper()
	s, err := r53sim.New(zones(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, awscloud.New(awscloud.Options{Transport: s.Transport()})
}

func TestZonesReadsAllPages(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, c := setupDNS(t, r53sim.Options{PageSize: 4})
		all, err := c.Zones(t.Context(), ferryKey())
		if err != nil || len(all) != 9 || len(s.Calls()) != 3 {
			t.Fatalf("%d zones in %d calls, %v", len(all), len(s.Calls()), err)
		}
		for _, want := range []cloud.Zone{{ID: "Z1", Name: "example.com."}, {ID: "Z2", Name: "example.com.", Private: true}} {
			if !slices.ContainsFunc(all, func(z cloud.Zone) bool { return z.ID == want.ID && z.Name == want.Name && z.Private == want.Private }) {
				t.Errorf("%+v is not among %+v", want, all)
			}
		}
		z, err := c.Zone(t.Context(), ferryKey(), "Z1")
		if err != nil || len(z.Servers) != 4 || z.ID != "Z1" || z.Name != "example.com." {
			t.Errorf("got %+v, %v", z, err)
		}
		if z, err := c.Zone(t.Context(), ferryKey(), "Z2"); err != nil || len(z.Servers) != 0 || !z.Private {
			t.Errorf("a private zone has no servers to ask: %+v, %v", z, err)
		}
		_, err = c.Zone(t.Context(), ferryKey(), "ZNONE")
		wantError(t, "unknown zone", err, cloud.NotFound, "NoSuchHostedZone")
	})
}

// Route 53's list begins at a name, it does not look one up.
func TestRecordIsReadExactly(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		_, c := setupDNS(t, r53sim.Options{})
		for _, test := range []struct {
			name, kind, value, special string
		}{
			{"www.example.com", "A", "10.1.0.10", ""},
			{"WWW.Example.Com.", "A", "10.1.0.10", ""},
			{"www.example.com", "TXT", `"a text"`, ""},
			{"www.example.com", "CNAME", "", ""},
			{"ww.example.com", "A", "", ""},
			{"aaa.example.com", "A", "", ""},
			{"zzz.example.com", "A", "", ""},
			{"*.example.com", "A", "192.0.2.3", ""},
			{"alias.example.com", "A", "", "an alias for www.example.com"},
			{"several.example.com", "A", "192.0.2.4", "one of several under a routing policy (one)"},
		} {
			r, found, err := c.Record(t.Context(), ferryKey(), "Z1", test.name, test.kind)
			if err != nil || found != (test.value != "" || test.special != "") || strings.Join(r.Values, ",") != test.value || r.Special != test.special {
				t.Errorf("%s %s: %+v, %v, %v", test.name, test.kind, r, found, err)
			}
		}
		_, _, err := c.Record(t.Context(), ferryKey(), "ZNONE", "www.example.com", "A")
		wantError(t, "unknown zone", err, cloud.NotFound, "NoSuchHostedZone")
	})
}

func www(value string, ttl int64) cloud.Record {
	return cloud.Record{Name: "www.example.com.", Type: cloud.TypeA, TTL: ttl, Values: []string{value}}
}

func TestChangeRecordComparesTheWholeOldValue(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, c := setupDNS(t, r53sim.Options{})
		put := func(old *cloud.Record, to cloud.Record) error {
			_, err := c.ChangeRecord(t.Context(), ferryKey(), "Z1", old, to)
			return err
		}
		right := www("10.1.0.10", 10)
		for what, old := range map[string]cloud.Record{"other value": www("10.1.0.1", 10), "other TTL": www("10.1.0.10", 60)} {
			wantError(t, what, put(&old, www("10.2.0.10", 10)), cloud.Refused, "InvalidChangeBatch")
		}
		wantError(t, "create of what is there", put(nil, www("10.2.0.10", 10)), cloud.Refused, "InvalidChangeBatch")
		wantError(t, "no address", put(&right, www("10.2.0.299", 10)), cloud.Refused, "InvalidChangeBatch")
		special := right
		special.Special = "an alias for x"
		wantError(t, "special", put(&special, www("10.2.0.10", 10)), cloud.Refused, "")
		if r, _ := s.Record("Z1", "www.example.com", "A"); r.Values[0] != "10.1.0.10" {
			t.Fatalf("the record holds %v", r.Values)
		}
		if err := put(&right, www("10.2.0.10", 0)); err != nil {
			t.Fatal(err)
		}
		if r, _ := s.Record("Z1", "www.example.com", "A"); r.Values[0] != "10.2.0.10" || r.TTL != 0 {
			t.Errorf("the record is %+v", r)
		}
		err := put(&right, www("10.3.0.10", 10))
		if !strings.Contains(fmt.Sprint(err), "www.example.com.") || strings.Contains(fmt.Sprint(err), "RequestID") {
			t.Errorf("it says: %v", err)
		}
	})
}

func TestChangeGoesFromPendingToInSync(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		_, c := setupDNS(t, r53sim.Options{SyncLag: 30 * time.Second})
		old := www("10.1.0.10", 10)
		change, err := c.ChangeRecord(t.Context(), ferryKey(), "Z1", &old, www("10.2.0.10", 10))
		if err != nil || change.InSync || change.ID == "" || strings.Contains(change.ID, "/") {
			t.Fatalf("got %+v, %v", change, err)
		}
		for _, step := range []struct {
			wait time.Duration
			want bool
		}{{0, false}, {29 * time.Second, false}, {time.Second, true}} {
			time.Sleep(step.wait)
			if now, err := c.ChangeStatus(t.Context(), ferryKey(), change.ID); err != nil || now.InSync != step.want || now.ID != change.ID {
				t.Errorf("got %+v, %v; want in sync %v", now, err, step.want)
			}
		}
		_, err = c.ChangeStatus(t.Context(), ferryKey(), "CNONE")
		wantError(t, "unknown change", err, cloud.NotFound, "NoSuchChange")
	})
}

// A change whose answer gets lost is not sent again; one that was not begun is.
func TestAChangeIsSentOnceOnly(t *testing.T) {
	tests := map[string]struct {
		fault r53sim.Fault
		kind  cloud.Kind // empty: it succeeds
		calls int
		made  bool
	}{
		"answer lost":        {r53sim.Fault{DropAfter: true}, cloud.Unreachable, 1, true},
		"connection lost":    {r53sim.Fault{Unreachable: true}, cloud.Unreachable, 1, false},
		"server error":       {r53sim.Fault{Code: "InternalFailure"}, cloud.Unreachable, 1, false},
		"stalls afterwards":  {r53sim.Fault{HangAfter: true}, cloud.Timeout, 1, true},
		"throttled":          {r53sim.Throttle("", 3), "", 4, true},
		"earlier change":     {r53sim.Fault{Code: "PriorRequestNotComplete", Times: 3}, "", 4, true},
		"throttled for good": {r53sim.Throttle("", 0), cloud.Throttled, 0, false},
		"busy for good":      {r53sim.Fault{Code: "PriorRequestNotComplete"}, cloud.Busy, 0, false},
		"denied":             {r53sim.Fault{Code: "AccessDenied"}, cloud.Unauthorized, 1, false},
	}
	for what, test := range tests {
		t.Run(what, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				s, c := setupDNS(t, r53sim.Options{})
				test.fault.Action = "Change*"
				remove := s.Inject(test.fault)
				old := www("10.1.0.10", 10)
				_, err := c.ChangeRecord(t.Context(), ferryKey(), "Z1", &old, www("10.2.0.10", 10))
				if test.kind == "" && err != nil || test.kind != "" && cloud.KindOf(err) != test.kind {
					t.Errorf("got %v, want %q", err, test.kind)
				}
				remove()
				time.Sleep(time.Second)
				if n := len(s.Writes()); test.calls > 0 && n != test.calls {
					t.Errorf("%d calls, want %d", n, test.calls)
				}
				if r, _ := s.Record("Z1", "www.example.com", "A"); (r.Values[0] == "10.2.0.10") != test.made {
					t.Errorf("the record holds %v", r.Values)
				}
			})
		})
	}
}

// Everything that calls through one Cloud shares the account's rate, whatever the credentials and the region.
func TestTheRateIsSharedAndAShortDeadlineIsNotKeptWaiting(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, c := setupDNS(t, r53sim.Options{})
		began := time.Now()
		for i := range 20 {
			a := ferryKey()
			if i%2 == 0 {
				a.Region, a.Key = "ap-southeast-1", cloud.KeyPair{ID: "AKIAREADER", Secret: "reader-secret"}
			}
			if _, _, err := c.Record(t.Context(), a, "Z1", "www.example.com", "A"); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != 3*time.Second { // five at once, then one each 200 ms
			t.Errorf("20 calls took %s", took)
		}
		for range 50 { // others wait in line
			go c.Record(t.Context(), ferryKey(), "Z1", "www.example.com", "A")
		}
		time.Sleep(time.Millisecond)
		before := time.Now()
		_, _, err := c.Record(within(t, 2*time.Second), ferryKey(), "Z1", "www.example.com", "A")
		wantError(t, "no turn in time", err, cloud.Throttled, "")
		if took := time.Since(before); took > 2*time.Second {
			t.Errorf("it took %s", took)
		}
		time.Sleep(time.Minute)
		if n := len(s.Calls()); n != 70 {
			t.Errorf("%d calls were made", n)
		}
	})
}

func TestEndpointOverridesOfRoute53(t *testing.T) {
	isolate(t)
	listen := func() (*r53sim.Server, string) {
		s, err := r53sim.New(zones(), r53sim.Options{})
		if err != nil {
			t.Fatal(err)
		}
		l := httptest.NewServer(s)
		t.Cleanup(func() { s.Close(); l.Close() })
		return s, l.URL
	}
	ask := func(s *r53sim.Server, a cloud.Access) {
		t.Helper()
		_, found, err := awscloud.New(awscloud.Options{}).Record(t.Context(), a, "Z1", "www.example.com", "A")
		if err != nil || !found || len(s.Calls()) == 0 {
			t.Errorf("%v, %v, %d calls", found, err, len(s.Calls())) // also when the signature is for another region
		}
	}
	explicit, u1 := listen()
	service, u2 := listen()
	general, u3 := listen()
	a := ferryKey()
	t.Setenv("AWS_ENDPOINT_URL", u3)
	ask(general, a)
	t.Setenv("AWS_ENDPOINT_URL_ROUTE_53", u2)
	ask(service, a)
	a.Endpoint = u1
	ask(explicit, a)
}
