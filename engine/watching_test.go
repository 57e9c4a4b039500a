package engine_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/metrics"
	"github.com/ferry-ha/ferry/engine/notify"
	"github.com/ferry-ha/ferry/kits"
)

// pager is the other end of an SNS channel.
type pager struct {
	mu  sync.Mutex
	got []string
}

func (p *pager) Publish(_ context.Context, _, _, _, _, text string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.got = append(p.got, strings.ReplaceAll(text, "\n\n", " | "))
	return nil
}

// told checks that messages with these parts came in this order, and forgets them.
func (p *pager) told(t *testing.T, parts ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	all := strings.Join(p.got, "\n")
	rest := all
	for _, part := range parts {
		i := strings.Index(rest, part)
		if i < 0 {
			t.Errorf("not told %q in its place:\n%s", part, all)
			return
		}
		rest = rest[i+len(part):]
	}
	p.got = nil
}

func paged(e *hierarchy.Estate) {
	e.Notify = []hierarchy.Notify{{Name: "pager", Channel: hierarchy.NotifySNS, Topic: "arn:aws:sns:ap-northeast-1:1:ferry"}}
}

// tells lets a Notifier work on the engine that runs, until stop.
func (b *bench) tells(p *pager) (stop func()) {
	b.t.Helper()
	if err := b.eng.Begin(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.t.Context())
	done := make(chan error, 1)
	n := notify.New(b.eng, notify.Options{SNS: p, Say: func(_ string, r kits.Reason) string { return r.Text }})
	go func() { done <- n.Run(ctx) }()
	return func() {
		b.t.Helper()
		time.Sleep(time.Minute)
		cancel()
		if err := <-done; err != nil {
			b.t.Error(err)
		}
	}
}

// TestAFailoverIsToldOnceOverARestart: what the engine really logs reaches people, in its
// order, and an engine that is killed and starts again repeats nothing.
func TestAFailoverIsToldOnceOverARestart(t *testing.T) {
	scenario(t, func(b *bench) {
		p := &pager{}
		stop := b.tells(p)
		b.node("LK_P_A").PowerOff()
		b.settled("LK_P_B")
		stop()
		p.told(b.t, "node, error: LK_P_A", "failover, warning: service/www @ LK_P_B | service/www moves from LK_P_A to LK_P_B.", "failover, warning: service/www @ LK_P_B | Operation")
		b.eng.Close()
		b.open(b.disk.Open())
		stop = b.tells(p)
		stop()
		p.told(b.t, "did not end in good order")
		if text := strings.Join(p.got, "\n"); strings.Contains(text, "moves from") {
			b.t.Errorf("told again: %s", text)
		}
		if err := b.eng.End(b.t.Context()); err != nil {
			b.t.Fatal(err)
		}
		stop = b.tells(p)
		stop()
		p.told(b.t, "engine | The engine of test was stopped in good order", "engine | The engine of test has started and acts")
	}, paged)
}

// TestMetricsOfARealEngine: the values of a failover are on the page.
func TestMetricsOfARealEngine(t *testing.T) {
	scenario(t, func(b *bench) {
		ctx, cancel := context.WithCancel(b.t.Context())
		s, done := metrics.New(b.eng, metrics.Options{}), make(chan bool)
		go func() { s.Count(ctx); close(done) }()
		synctest.Wait()
		b.node("LK_P_A").PowerOff()
		b.settled("LK_P_B")
		time.Sleep(10 * time.Second)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		cancel()
		<-done
		for _, want := range []string{
			`ferry_failovers_total\{cluster="service",outcome="done"\} 1`, `ferry_node_verdict\{cluster="service",node="LK_P_A",region="ap-northeast-1",verdict="(presumed-)?dead"\} 1`,
			`ferry_resource_state\{cluster="service",kit="app",node="LK_P_B",state="ISP",tag="service/www"\} 1`, `ferry_operation_duration_seconds_count\{goal="failover"\} 1`,
			`ferry_heartbeats_total\{node="LK_P_A",result="missed"\} [1-9]`, `ferry_heartbeat_rtt_seconds\{node="LK_P_B"\} [0-9]`, `ferry_checks_total\{kit="app",outcome="ok"\} [1-9]`,
			`ferry_engine_leads 1`, `ferry_engine_automation 1`, `ferry_engine_store_writable 1`, `ferry_hierarchies_nowhere\{cluster="service"\} 0`,
		} {
			if !regexp.MustCompile(`(?m)^` + want).MatchString(w.Body.String()) {
				b.t.Errorf("no %s", want)
			}
		}
		if b.t.Failed() {
			b.t.Log(strings.Join(regexp.MustCompile(`(?m)^ferry_.*$`).FindAllString(w.Body.String(), -1), "\n"))
		}
	})
}
