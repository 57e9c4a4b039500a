package e2e

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/internal/lab"
	"github.com/ferry-ha/ferry/internal/sim/dnssim"
	"github.com/ferry-ha/ferry/internal/sim/r53sim"
)

const serviceName = "www.example.com"

// byName is a client in the Primary Region that asks by name, through a resolver which
// remembers as long as the TTL says.
func (s *site) byName() *lab.Probe {
	region := s.estate.Regions[0].Name
	resolver := &dnssim.Client{Servers: []string{dnsAddr}, Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		return s.l.Dial(ctx, lab.ClientNS(region), network, addr)
	}}
	return s.l.ClientIn(region).ProbeName(long(s.t), func(ctx context.Context) (netip.Addr, error) {
		a, err := resolver.LookupA(ctx, serviceName)
		return a.First(), err
	}, 8080, everyAsk)
}

func (s *site) record() string {
	s.t.Helper()
	r, ok := s.route53.Record("example.com", serviceName, "A")
	if !ok || len(r.Values) != 1 {
		s.t.Fatalf("the record is %+v", r)
	}
	return r.Values[0]
}

// changes are the calls that changed a record: what doctor asks for and Route 53 refuses by itself is none.
func (s *site) changes() (done []r53sim.Call) {
	for _, c := range s.route53.Writes() {
		if c.Code == "" {
			done = append(done, c)
		}
	}
	return done
}

// TestCrossingByNameAndBack: both zone nodes are off; the answer takes the service to
// the other region, the name follows, and a client finds it by the same name. Then back.
func TestCrossingByNameAndBack(t *testing.T) {
	s := running(t)
	if s.record() != "10.1.0.10" {
		t.Fatalf("the name leads to %s", s.record())
	}
	for _, n := range []string{"LK_P_B", "LK_P_A"} {
		if err := s.l.Guest(n).PowerOff(ctx(t)); err != nil {
			t.Fatal(err)
		}
	}
	q := s.question()
	if len(q.Evidence) == 0 || q.To != "LK_S_A" {
		t.Errorf("question to %s, evidence %v", q.To, q.Evidence)
	}
	if changes := s.changes(); len(changes) != 0 {
		t.Errorf("the name was changed before anybody answered: %+v", changes)
	}
	probe := s.byName()
	answered := time.Now()
	s.must("confirm", "yes", q.ID, "--region", farRegion, "--node-is-off", q.From)
	if err := probe.WaitAnswer(ctx(t), "LK_S_A"); err != nil {
		t.Fatal(err)
	}
	whole := time.Since(answered)
	probe.Stop()
	s.until("everything on LK_S_A", activeOn("LK_S_A"))
	if s.record() != "10.2.0.10" {
		t.Errorf("the name leads to %s", s.record())
	}
	s.splitOutage(whole)

	for _, n := range []string{"LK_P_A", "LK_P_B"} {
		if err := s.l.Guest(n).PowerOn(ctx(t)); err != nil {
			t.Fatal(err)
		}
	}
	s.until("everybody alive and known", func(sn *api.Snapshot) bool { return allAlive(sn) && allKnown(sn) })
	probe = s.byName()
	s.must("in-service", "www", "--on", "LK_P_A", "--yes", "--confirm-region", "ap-northeast-1")
	if err := probe.WaitAnswer(ctx(t), "LK_P_A"); err != nil {
		t.Fatal(err)
	}
	probe.Stop()
	t.Logf("back again, by name: %s", probe.Outage())
	s.until("everything on LK_P_A", activeOn("LK_P_A"))
	if changes := s.changes(); s.record() != "10.1.0.10" || len(changes) != 2 {
		t.Errorf("back again the name leads to %s after %+v", s.record(), changes)
	}
}

// splitOutage says how much of a crossing was ours, how much Route 53's API, and how
// much clients' resolvers that still remembered.
func (s *site) splitOutage(whole time.Duration) {
	s.t.Helper()
	ops, err := s.client.Operations(ctx(s.t), 1)
	if err != nil || len(ops) == 0 {
		s.t.Fatal(err)
	}
	var api time.Duration
	var up time.Time
	for i, st := range ops[0].Plan.Steps {
		ran := ops[0].Steps[i]
		if st.Kind != plan.StepStart {
			continue
		}
		if st.Tag == "service/route53-www" {
			api = ran.Ended.Sub(ran.Began)
		}
		if ran.Ended.After(up) {
			up = ran.Ended
		}
	}
	moved := up.Sub(ops[0].Began)
	s.t.Logf("from the answer to a client by name %s: ours %s, Route 53 until INSYNC %s, resolvers' memory (TTL 10 s) %s",
		whole.Round(time.Millisecond), (moved - api).Round(time.Millisecond), api.Round(time.Millisecond), max(0, whole-moved).Round(time.Millisecond))
}
