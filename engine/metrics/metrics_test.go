package metrics

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/ferry-ha/ferry/engine"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/notify"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// fixed is an engine that always says the same.
type fixed struct {
	s      *api.Snapshot
	h      engine.Health
	t      engine.Tally
	events []api.Event
	err    error
}

func (f *fixed) Snapshot(context.Context) (*api.Snapshot, error)         { return f.s, f.err }
func (f *fixed) Health(context.Context) (engine.Health, error)           { return f.h, f.err }
func (f *fixed) Tally() engine.Tally                                     { return f.t }
func (f *fixed) Events(context.Context, int64, int) ([]api.Event, error) { return f.events, nil }
func (f *fixed) Watch(ctx context.Context, _ int64) (<-chan api.Update, error) {
	ch := make(chan api.Update)
	context.AfterFunc(ctx, func() { close(ch) })
	return ch, nil
}

// scene has one of everything.
func scene() *fixed {
	now := time.Now()
	on := func(states ...hierarchy.State) (all []api.InstanceStatus) {
		for i, s := range states {
			all = append(all, api.InstanceStatus{Server: string(rune('A' + i)), State: s, Checked: now.Add(-time.Minute)})
		}
		return all
	}
	s := &api.Snapshot{Estate: &hierarchy.Estate{Name: "two"}, Engine: api.EngineInfo{Version: "v1", Since: now.Add(-time.Hour)},
		Nodes: []api.NodeStatus{{Name: "A", Cluster: "service", Region: "r1", Verdict: policy.Alive, Seen: now, Copy: now}, {Name: "B", Cluster: "service", Region: "r2", Verdict: policy.Dead}},
		Resources: []api.ResourceStatus{
			{Tag: "service/www", Kit: "app", Cluster: "service", Children: []hierarchy.Tag{"service/disk"}, Active: "A", Claim: &hierarchy.Claim{Number: 7, Node: "A"}, On: on(hierarchy.ISU, hierarchy.OSF)},
			{Tag: "service/disk", Kit: "datakeeper", Cluster: "service", Active: "A", On: on(hierarchy.ISP, hierarchy.OSU), Data: &api.DataStatus{Heard: now, Doubtful: true, Nodes: map[string]map[string]string{
				"A": {"state": "Source"}, "B": {"state": "Target, resyncing 42 %", "percent": "42", "backlog": "14 writes", "last": now.Add(-90 * time.Second).Format(time.RFC3339)}}}},
			{Tag: "service/lost", Kit: "ip", Cluster: "service", On: on(hierarchy.OSU)},
		},
		Questions: []policy.Question{{Tag: "service/www", State: policy.Pending, Until: now.Add(5 * time.Minute)}, {Tag: "service/www", State: policy.Answered}},
		Running:   []api.Operation{{Op: policy.Op{Plan: plan.Plan{Goal: plan.Goal{Kind: plan.GoalRecover}}}}},
		Holds:     []api.HoldStatus{{}},
	}
	s.Resources[0].On[1].Held = "held"
	return &fixed{s: s, h: engine.Health{Leads: true, Stores: true, Epoch: 3}, t: engine.Tally{
		Checks: map[engine.CheckKind]uint64{{Kit: "app", Outcome: "failed"}: 4},
		Beats:  map[string]engine.Beats{"A": {Answered: 9, Missed: 1, Took: 4 * time.Millisecond}},
	}}
}

func counted() map[string]notify.Count {
	return map[string]notify.Count{"ops": {Sent: 5, Failed: 2, Queued: 1, Dropped: map[string]uint64{"gave-up": 1}}}
}

func ended(goal, outcome, took string) api.Event {
	return api.Event{Event: policy.Event{Kind: "operation", Tag: "service/www", Reason: kits.Why("op-"+outcome, "", "goal", goal, "took", took)}}
}

func shown(t *testing.T, s *Server) string {
	t.Helper()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	b, _ := io.ReadAll(w.Result().Body)
	if w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, b)
	}
	return string(b)
}

func TestValues(t *testing.T) {
	s := New(scene(), Options{Counts: counted})
	s.coll.see(ended("failover", "done", "4.2s"))
	s.coll.see(ended("failover", "failed", "1m3s"))
	s.coll.see(ended("recover", "done", "900ms"))
	s.coll.see(api.Event{Event: policy.Event{Kind: "operation", Reason: kits.Why("op-began-failover", "")}})
	s.coll.see(api.Event{Event: policy.Event{Kind: "operation", Reason: kits.Why("op-interrupted", "")}})
	text := shown(t, s)
	for _, want := range []string{
		`ferry_info{estate="two",version="v1"} 1`, `ferry_engine_epoch 3`, `ferry_engine_leads 1`, `ferry_engine_automation 0`,
		`ferry_resource_state{cluster="service",kit="app",node="B",state="OSF",tag="service/www"} 1`,
		`ferry_resources{cluster="service",state="OSU"} 2`, `ferry_hierarchies_nowhere{cluster="service"} 1`,
		`ferry_resource_held{cluster="service",node="B",tag="service/www"} 1`, `ferry_claim{cluster="service",node="A",tag="service/www"} 7`,
		`ferry_node_verdict{cluster="service",node="B",region="r2",verdict="dead"} 1`,
		`ferry_heartbeat_rtt_seconds{node="A"} 0.004`, `ferry_heartbeats_total{node="A",result="missed"} 1`,
		`ferry_mirror_leg_state{cluster="service",node="B",state="resyncing",tag="service/disk"} 1`, `ferry_mirror_leg_in_sync{cluster="service",node="B",tag="service/disk"} 0`,
		`ferry_mirror_leg_backlog_writes{cluster="service",node="B",tag="service/disk"} 14`, `ferry_mirror_leg_resync_ratio{cluster="service",node="B",tag="service/disk"} 0.42`,
		`ferry_mirror_doubtful{cluster="service",tag="service/disk"} 1`, `ferry_confirmations_open{cluster="service"} 1`, `ferry_holds 1`,
		`ferry_operations_running{goal="recover"} 1`, `ferry_failovers_total{cluster="service",outcome="failed"} 1`, `ferry_failovers_total{cluster="service",outcome="rolled-back"} 0`,
		`ferry_operations_total{goal="failover",outcome="done"} 1`, `ferry_operation_duration_seconds_bucket{goal="failover",le="5"} 1`,
		`ferry_checks_total{kit="app",outcome="failed"} 4`, `ferry_notifications_sent_total{channel="ops"} 5`, `ferry_notifications_dropped_total{channel="ops",reason="gave-up"} 1`,
		`ferry_resource_series_omitted 0`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s", want)
		}
	}
	behind := regexp.MustCompile(`ferry_mirror_leg_behind_seconds\{.*node="B".*\} (9[0-9])`)
	left := regexp.MustCompile(`(?m)^ferry_confirmation_left_seconds (29[0-9]|300)`)
	if !behind.MatchString(text) || !left.MatchString(text) {
		t.Errorf("ages are wrong:\n%s", text)
	}
	for _, name := range Names() {
		if !strings.Contains(text, "\n# TYPE "+name+" ") {
			t.Errorf("%s is not shown when there is one of everything", name)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (ferry_\w+)`).FindAllStringSubmatch(text, -1) {
		if !slices.Contains(Names(), m[1]) {
			t.Errorf("%s is not among the names", m[1])
		}
	}
}

func TestTooManyResourcesHaveNoSeriesOfTheirOwn(t *testing.T) {
	text := shown(t, New(scene(), Options{MaxInstances: 4}))
	if strings.Contains(text, "\nferry_resource_state{") || !strings.Contains(text, "\nferry_resource_series_omitted 5\n") || !strings.Contains(text, `ferry_resources{cluster="service",state="ISU"} 1`) {
		t.Errorf("shown:\n%s", text)
	}
}

// TestWhatANodeSaysIsNoLabel: a kit's words come from a node.
func TestWhatANodeSaysIsNoLabel(t *testing.T) {
	f := scene()
	f.s.Resources[1].Data.Nodes["B"]["state"] = "Target, evil \"word\"\n"
	f.s.Resources[1].Data.Nodes["stranger"] = map[string]string{"state": "Target, in sync"}
	text := shown(t, New(f, Options{}))
	if strings.Contains(text, "evil") || strings.Contains(text, "stranger") || !strings.Contains(text, `state="other"`) {
		t.Errorf("shown:\n%s", text)
	}
}

func TestHealth(t *testing.T) {
	for _, c := range []struct {
		name           string
		change         func(*fixed)
		healthz, ready int
		says           string
	}{
		{"well", func(*fixed) {}, 200, 200, "ok"},
		{"another leads", func(f *fixed) { f.h.Leads, f.h.Notice = false, "see bastion" }, 200, 503, "see bastion"},
		{"the store is full", func(f *fixed) { f.h.Stores, f.h.Notice = false, "disk full" }, 200, 503, "disk full"},
		{"the loop hangs", func(f *fixed) { f.err = errors.New("gives no answer") }, 503, 503, "gives no answer"},
	} {
		f := scene()
		c.change(f)
		s := New(f, Options{})
		for path, want := range map[string]int{"/healthz": c.healthz, "/readyz": c.ready} {
			w := httptest.NewRecorder()
			s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
			if w.Code != want || path == "/readyz" && !strings.Contains(w.Body.String(), c.says) {
				t.Errorf("%s %s: %d %s", c.name, path, w.Code, w.Body)
			}
		}
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		if (w.Code == 200) != (f.err == nil) {
			t.Errorf("%s: metrics answer %d", c.name, w.Code)
		}
		w = httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/metrics", nil))
		if w.Code != http.StatusMethodNotAllowed {
			t.Errorf("a POST is answered with %d", w.Code)
		}
	}
}

const doc = "../../docs/watching.md"

// TestDocument: every metric is explained, and nothing that is none.
func TestDocument(t *testing.T) {
	b, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(ferry_\\w+)` \\| ([^|]*) \\|").FindAllStringSubmatch(string(b), -1) {
		rows[m[1]] = m[2]
	}
	for name, f := range families() {
		labels, known := rows[name]
		if want := strings.Join(f.labels, ", "); !known || labels != want {
			t.Errorf("%s: the document has labels %q (there: %v), want %q", name, labels, known, want)
		}
		delete(rows, name)
	}
	for name := range rows {
		t.Errorf("the document explains %s, which is no metric", name)
	}
}

// TestAlertRules: the example rules are YAML in Prometheus' form and use metrics that there are.
func TestAlertRules(t *testing.T) {
	b, err := os.ReadFile(doc)
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(b), "```yaml\n")
	text, _, ends := strings.Cut(text, "```")
	var rules struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(text), &rules); err != nil || !found || !ends || len(rules.Groups) == 0 || len(rules.Groups[0].Rules) < 8 {
		t.Fatalf("no rules (%v)", err)
	}
	for _, r := range rules.Groups[0].Rules {
		names := regexp.MustCompile(`ferry_\w+`).FindAllString(r.Expr, -1)
		if r.Alert == "" || r.Annotations["summary"] == "" || r.Labels["severity"] == "" || len(names) == 0 && !strings.Contains(r.Expr, "up{") {
			t.Errorf("rule %+v is incomplete", r)
		}
		for _, n := range names {
			if !slices.Contains(Names(), strings.TrimSuffix(n, "_bucket")) {
				t.Errorf("%s uses %s, which is no metric", r.Alert, n)
			}
		}
	}
}

// BenchmarkPage is one page of 10,000 resources on four servers.
func BenchmarkPage(b *testing.B) {
	f := scene()
	f.s.Resources = nil
	for i := range 10_000 {
		r := api.ResourceStatus{Tag: hierarchy.Tag(fmt.Sprint("service/r", i)), Kit: "app", Cluster: "service", Active: "A", Claim: &hierarchy.Claim{Number: 7, Node: "A"}}
		for _, n := range []string{"A", "B", "C", "D"} {
			r.On = append(r.On, api.InstanceStatus{Server: n, State: hierarchy.OSU, Checked: time.Now()})
		}
		f.s.Resources = append(f.s.Resources, r)
	}
	for _, limit := range []int{DefaultInstances, 1} {
		b.Run(fmt.Sprint("series=", limit > 1), func(b *testing.B) {
			h, size := New(f, Options{MaxInstances: limit}).Handler(), 0
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
				size = w.Body.Len()
			}
			b.ReportMetric(float64(size), "B/page")
		})
	}
}
