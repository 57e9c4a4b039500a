package r53sim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/internal/sim/r53sim"
)

// inProcess is the endpoint with a plain client beside it, without a network.
func inProcess(t *testing.T, o r53sim.Options) (*r53sim.Server, wire) {
	t.Helper()
	s := start(t, o)
	return s, wire{http: s.Transport()}
}

func listed(t *testing.T, s *r53sim.Server) string {
	t.Helper()
	r, ok := s.Record("example.jp", "www.example.jp", "A")
	if !ok {
		return "nothing"
	}
	return strings.Join(r.Values, " ")
}

func servedBy(s *r53sim.Server, v r53sim.View) string {
	for _, z := range s.Served(v) {
		if z.ID == "ZFERRY" {
			if r := z.Find("www.example.jp", "A"); r != nil {
				return strings.Join(r.Values, " ")
			}
		}
	}
	return "nothing"
}

func TestAChangeIsPendingUntilTheLagHasPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := inProcess(t, r53sim.Options{SyncLag: 40 * time.Second})
		got := c.move(t, "10.1.0.10", "10.2.0.10")
		if got.status != 200 || got.in("Status") != "PENDING" {
			t.Fatalf("%+v", got)
		}
		quick, old := r53sim.View{Own: true, Lag: 15 * time.Second}, r53sim.View{Ago: 10 * time.Second}
		for _, step := range []struct {
			wait                       time.Duration
			status, insync, quick, old string
		}{
			{0, "PENDING", "10.1.0.10", "10.1.0.10", "10.1.0.10"},
			{15 * time.Second, "PENDING", "10.1.0.10", "10.2.0.10", "10.1.0.10"},
			{24 * time.Second, "PENDING", "10.1.0.10", "10.2.0.10", "10.1.0.10"},
			{time.Second, "INSYNC", "10.2.0.10", "10.2.0.10", "10.1.0.10"},
			{10 * time.Second, "INSYNC", "10.2.0.10", "10.2.0.10", "10.2.0.10"},
		} {
			time.Sleep(step.wait)
			if l := listed(t, s); l != "10.2.0.10" {
				t.Errorf("lists show %s", l)
			}
			state := []string{c.status(t, got.in("Id")), servedBy(s, r53sim.View{}), servedBy(s, quick), servedBy(s, old)}
			if want := []string{step.status, step.insync, step.quick, step.old}; !slices.Equal(state, want) {
				t.Errorf("after %s more: %v, want %v", step.wait, state, want)
			}
		}
	})
}

func TestLostStuckAndSlowChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := inProcess(t, r53sim.Options{SyncLag: time.Minute})
		for _, tc := range []struct {
			name                   string
			fault                  r53sim.Fault
			status, listed, served string // two minutes later
		}{
			{"lost", r53sim.Fault{Lost: true}, "INSYNC", "10.1.0.10", "10.1.0.10"},
			{"lost and stuck", r53sim.Fault{Lost: true, Stuck: true}, "PENDING", "10.1.0.10", "10.1.0.10"},
			{"slow", r53sim.Fault{Lag: 10 * time.Minute}, "PENDING", "10.2.0.10", "10.1.0.10"},
			{"stuck", r53sim.Fault{Stuck: true}, "PENDING", "10.2.0.10", "10.1.0.10"},
		} {
			must(t, s.SetRecord("ZFERRY", r53sim.Record{Name: "www.example.jp", Type: "A", TTL: 10, Values: []string{"10.1.0.10"}}))
			tc.fault.Times = 1
			remove := s.Inject(tc.fault)
			got := c.move(t, "10.1.0.10", "10.2.0.10")
			remove()
			if got.in("Status") != "PENDING" {
				t.Errorf("%s: accepted as %q, %+v", tc.name, got.in("Status"), got)
			}
			time.Sleep(2 * time.Minute)
			state := []string{c.status(t, got.in("Id")), listed(t, s), servedBy(s, r53sim.View{})}
			if want := []string{tc.status, tc.listed, tc.served}; !slices.Equal(state, want) {
				t.Errorf("%s: %v, want %v", tc.name, state, want)
			}
			if tc.name == "stuck" {
				must(t, s.Release(got.in("Id")))
				if st := c.status(t, got.in("Id")); st != "INSYNC" || servedBy(s, r53sim.View{}) != "10.2.0.10" {
					t.Errorf("released: %s, %s", st, servedBy(s, r53sim.View{}))
				}
			}
		}
	})
}

func TestACallerThatGetsNoAnswerCannotKnow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := inProcess(t, r53sim.Options{})
		for _, tc := range []struct {
			name  string
			fault r53sim.Fault
			err   error
			after string
		}{
			{"unreachable", r53sim.Fault{Unreachable: true}, io.ErrUnexpectedEOF, "10.1.0.10"},
			{"hanging", r53sim.Fault{Hang: true}, context.DeadlineExceeded, "10.1.0.10"},
			{"dropped after", r53sim.Fault{DropAfter: true}, io.ErrUnexpectedEOF, "10.2.0.10"},
			{"hanging after", r53sim.Fault{HangAfter: true}, context.DeadlineExceeded, "10.2.0.10"},
		} {
			must(t, s.SetRecord("ZFERRY", r53sim.Record{Name: "www.example.jp", Type: "A", TTL: 10, Values: []string{"10.1.0.10"}}))
			tc.fault.Times = 1
			remove := s.Inject(tc.fault)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			got := c.change(ctx, "ZFERRY", "UPSERT www.example.jp 10.2.0.10")
			cancel()
			synctest.Wait()
			remove()
			if !errors.Is(got.err, tc.err) || listed(t, s) != tc.after {
				t.Errorf("%s: %v, then lists show %s", tc.name, got.err, listed(t, s))
			}
			calls := s.Calls()
			if last := calls[len(calls)-1]; !last.Dropped || last.Params["changes"] != "UPSERT www.example.jp. A 10.2.0.10" {
				t.Errorf("%s is logged as %+v", tc.name, last)
			}
		}
	})
}

func TestThrottlingIsATokenBucketPerAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := inProcess(t, r53sim.Options{Bucket: r53sim.Bucket{Burst: 5, Rate: 2}})
		ask := func(n int) (ok int) {
			for range n {
				switch got := c.do(t.Context(), "GET", "hostedzone/ZFERRY", ""); {
				case got.status == 200:
					ok++
				case got.status != 400 || got.in("Code") != "Throttling":
					t.Errorf("%+v", got)
				}
			}
			return ok
		}
		if got := ask(10); got != 5 {
			t.Errorf("%d calls of a burst got through", got)
		}
		time.Sleep(1500 * time.Millisecond)
		if got := ask(10); got != 3 {
			t.Errorf("%d calls got through after 1.5 s", got)
		}
		time.Sleep(time.Hour)
		if got := ask(10); got != 5 {
			t.Errorf("%d calls got through after an hour", got)
		}
		s.SetBucket(r53sim.Bucket{})
		if got := ask(200); got != 200 {
			t.Errorf("%d of 200 calls got through without a bucket", got)
		}
	})
}

func TestAZoneTakesOneRequestAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := inProcess(t, r53sim.Options{SyncLag: time.Minute, Processing: 2 * time.Second})
		first := c.move(t, "10.1.0.10", "10.2.0.10")
		second := c.move(t, "10.2.0.10", "10.1.0.10")
		if first.status != 200 || second.status != 400 || second.in("Code") != "PriorRequestNotComplete" {
			t.Errorf("%+v, then %+v", first, second)
		}
		if other := c.change(t.Context(), "Z3M3LMPEXAMPLE", "CREATE a.example.com 10.0.0.1"); other.status != 200 {
			t.Errorf("another zone waits too: %+v", other)
		}
		time.Sleep(2 * time.Second)
		if third := c.move(t, "10.2.0.10", "10.1.0.10"); third.status != 200 {
			t.Errorf("a PENDING change holds the next one up: %+v", third)
		}
		if listed(t, s) != "10.1.0.10" {
			t.Errorf("lists show %s", listed(t, s))
		}
	})
}

func TestHooksHearEveryChangeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := inProcess(t, r53sim.Options{SyncLag: 30 * time.Second})
		began := time.Now()
		var mu sync.Mutex // hooks run on whatever goroutine made the change, timers' included
		var heard []string
		s.OnChange(func(e r53sim.Event) {
			mu.Lock()
			heard = append(heard, fmt.Sprintf("%s %s %s %s: %v -> %v by %q", e.At.Sub(began), e.Kind, e.Zone, e.Name, e.From, e.To, e.KeyID))
			mu.Unlock()
			if e.Kind == r53sim.RecordChanged && e.KeyID != "" { // a hook may call back
				must(t, s.SetRecord(e.Zone, r53sim.Record{Name: "seen.example.jp", Type: "A", TTL: 1, Values: []string{"10.0.0.9"}}))
			}
		})
		c.move(t, "10.1.0.10", "10.2.0.10")
		mu.Lock()
		if len(heard) != 2 {
			t.Errorf("not told before the call was answered: %v", heard)
		}
		mu.Unlock()
		time.Sleep(time.Minute)
		must(t, s.RemoveRecord("ZFERRY", "seen.example.jp", "A"))
		mu.Lock()
		defer mu.Unlock()
		want := []string{
			`0s record ZFERRY www.example.jp.: [10.1.0.10] -> [10.2.0.10] by "AKIAFERRY"`,
			`0s record ZFERRY seen.example.jp.: [] -> [10.0.0.9] by ""`,
			`30s insync ZFERRY : [] -> [] by ""`,
			`1m0s record ZFERRY seen.example.jp.: [10.0.0.9] -> [] by ""`,
		}
		if !slices.Equal(heard, want) {
			t.Errorf("heard\n%s\nwant\n%s", strings.Join(heard, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestFaultsHitWhatTheyName(t *testing.T) {
	s, c := inProcess(t, r53sim.Options{})
	s.Inject(r53sim.Fault{Action: "ChangeResourceRecordSets", Record: "WWW.example.jp", Code: "Refused", After: 1, Times: 1})
	if got := c.change(t.Context(), "ZFERRY", "CREATE www.www.example.jp 10.0.0.1"); got.status != 200 {
		t.Errorf("another record: %+v", got)
	}
	codes := []string{}
	for range 3 {
		codes = append(codes, c.change(t.Context(), "ZFERRY", "UPSERT www.example.jp 10.0.0.1").in("Code"))
	}
	if !slices.Equal(codes, []string{"", "Refused", ""}) {
		t.Errorf("three changes: %q", codes)
	}
	s.Inject(r53sim.Down())
	if got := c.do(t.Context(), "GET", "hostedzone", ""); got.status != 503 || got.in("Code") != "ServiceUnavailable" || got.in("Type") != "Receiver" {
		t.Errorf("down: %+v", got)
	}
	s.ClearFaults()
	s.Inject(r53sim.Fault{Action: "ListResourceRecordSets", Stale: time.Hour})
	if got := c.do(t.Context(), "GET", "hostedzone/ZFERRY/rrset?name=www.example.jp", ""); got.in("Value") != "10.1.0.10" {
		t.Errorf("stale: %+v", got)
	}
	if writes := s.Writes(); len(writes) != 4 {
		t.Errorf("%d writes logged", len(writes))
	}
}

func TestTheOlderErrorDocument(t *testing.T) {
	_, c := inProcess(t, r53sim.Options{LegacyErrors: true})
	got := c.change(t.Context(), "ZFERRY", "DELETE a.example.jp 10.0.0.1", "DELETE b.example.jp 10.0.0.1")
	if got.status != 400 || !strings.Contains(got.body, "<InvalidChangeBatch xmlns=") || strings.Count(got.body, "<Message>Tried to delete") != 2 {
		t.Errorf("%+v", got)
	}
}

func TestAClockThatIsTooFarOffIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, r53sim.Options{MaxSkew: 15 * time.Minute})
		for _, tc := range []struct {
			off  time.Duration
			want string
		}{{0, ""}, {14 * time.Minute, ""}, {-14 * time.Minute, ""}, {16 * time.Minute, "Signature not yet current"}, {-16 * time.Minute, "Signature expired"}} {
			c := wire{http: s.Transport(), now: func() time.Time { return time.Now().Add(tc.off) }}
			got := c.do(t.Context(), "GET", "hostedzone", "")
			if ok := got.status == 200; ok != (tc.want == "") || !strings.HasPrefix(got.in("Message"), tc.want) {
				t.Errorf("off by %s: %+v", tc.off, got)
			}
		}
	})
}

func TestRequestsThatAreNone(t *testing.T) {
	_, c := inProcess(t, r53sim.Options{})
	for _, tc := range []struct{ method, path, body, code string }{
		{"POST", "hostedzone/ZFERRY/rrset", "nonsense", "InvalidInput"},
		{"POST", "hostedzone/ZFERRY/rrset", "", "InvalidInput"},
		{"POST", "hostedzone/ZFERRY/rrset", "<ChangeResourceRecordSetsRequest/>", "InvalidInput"},
		{"POST", "hostedzone/ZFERRY/rrset", `<ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ChangeBatch><Changes></Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`, "InvalidInput"},
		{"POST", "hostedzone", "<CreateHostedZoneRequest/>", "InvalidInput"},
		{"GET", "nothing", "", "UnknownOperationException"},
		{"PUT", "hostedzone/ZFERRY", "", "UnknownOperationException"},
		{"GET", "hostedzone/ZFERRY/rrset?maxitems=x", "", "InvalidInput"},
	} {
		if got := c.do(t.Context(), tc.method, tc.path, tc.body); got.in("Code") != tc.code {
			t.Errorf("%s %s %q: %+v", tc.method, tc.path, tc.body, got)
		}
	}
}

func TestNewSaysWhatIsWrongWithTheSpec(t *testing.T) {
	zone := func(z r53sim.Zone) r53sim.World { return r53sim.World{Zones: []r53sim.Zone{z}} }
	a := func(name, value string) r53sim.Zone {
		return r53sim.Zone{Name: "a.test", Records: []r53sim.Record{{Name: name, Type: "A", TTL: 1, Values: []string{value}}}}
	}
	for name, w := range map[string]r53sim.World{
		"no name": zone(r53sim.Zone{}), "an id without Z": zone(r53sim.Zone{ID: "X1", Name: "a.test"}), "an empty label": zone(r53sim.Zone{Name: "a..test"}),
		"a bad address": zone(a("x.a.test", "10.0.0")), "a name outside": zone(a("x.b.test", "10.0.0.1")),
		"a record twice": zone(r53sim.Zone{Name: "a.test", Records: append(a("x.a.test", "10.0.0.1").Records, a("X.a.test.", "10.0.0.2").Records...)}),
		"two of one id":  {Zones: []r53sim.Zone{{ID: "Z1", Name: "a.test"}, {ID: "Z1", Name: "b.test"}}},
	} {
		if _, err := r53sim.New(w, r53sim.Options{}); err == nil {
			t.Errorf("%s was taken", name)
		} else {
			t.Log(err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
