package metrics

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ferry-ha/ferry/engine"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/follow"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/notify"
	"github.com/ferry-ha/ferry/engine/policy"
)

// Engine is what is shown.
type Engine interface {
	follow.Source
	Snapshot(ctx context.Context) (*api.Snapshot, error)
	Health(ctx context.Context) (engine.Health, error)
	Tally() engine.Tally
}

// snapshotWithin bounds the wait for the engine's loop when values are asked for.
const snapshotWithin = 10 * time.Second

// collector makes the series when they are asked for.
type collector struct {
	eng   Engine
	sent  func() map[string]notify.Count // nil = no notifications
	limit int
	kinds map[string]metric
	descs map[string]*prometheus.Desc

	mu       sync.Mutex
	ended    map[[2]string]uint64 // goal, outcome
	failover map[[2]string]uint64 // cluster, outcome
	took     *prometheus.HistogramVec
}

func newCollector(e Engine, sent func() map[string]notify.Count, limit int) *collector {
	f := families()
	return &collector{eng: e, sent: sent, limit: limit, kinds: f, descs: descs(), ended: map[[2]string]uint64{}, failover: map[[2]string]uint64{},
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: durations, Help: f[durations].help, Buckets: buckets}, f[durations].labels)}
}

// see counts an event.
func (c *collector) see(e api.Event) {
	outcome, ended := strings.CutPrefix(e.Reason.Code, "op-")
	if e.Kind != "operation" || !ended {
		return
	}
	switch policy.OpOutcome(outcome) {
	case policy.OpDone, policy.OpRolledBack, policy.OpFailed:
	default:
		return
	}
	goal := e.Reason.Args["goal"]
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended[[2]string{goal, outcome}]++
	if goal == "failover" {
		cluster, _, _ := strings.Cut(string(e.Tag), "/")
		c.failover[[2]string{cluster, outcome}]++
	}
	if d, err := time.ParseDuration(e.Reason.Args["took"]); err == nil {
		c.took.WithLabelValues(goal).Observe(d.Seconds())
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		ch <- d
	}
	c.took.Describe(ch)
}

// page is one answer.
type page struct {
	*collector
	ch  chan<- prometheus.Metric
	s   *api.Snapshot
	now time.Time
}

func (p *page) put(name string, value float64, labels ...string) {
	kind := prometheus.GaugeValue
	if p.kinds[name].counter {
		kind = prometheus.CounterValue
	}
	m, err := prometheus.NewConstMetric(p.descs[name], kind, value, labels...)
	if err != nil {
		m = prometheus.NewInvalidMetric(p.descs[name], err)
	}
	p.ch <- m
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Collect implements prometheus.Collector. When the engine gives no snapshot the page
// fails as a whole: half of the series would look as if the rest had gone.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), snapshotWithin)
	defer cancel()
	began := time.Now()
	h, err := c.eng.Health(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(c.descs["ferry_info"], err)
		return
	}
	asked := time.Now()
	s, err := c.eng.Snapshot(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(c.descs["ferry_info"], err)
		return
	}
	p := &page{c, ch, s, began}
	p.put("ferry_snapshot_seconds", time.Since(asked).Seconds())
	p.engine(h)
	p.nodes()
	p.resources()
	p.rest()
	p.counted()
	c.took.Collect(ch)
}

func (p *page) engine(h engine.Health) {
	estate := ""
	if p.s.Estate != nil {
		estate = p.s.Estate.Name
	}
	p.put("ferry_info", 1, p.s.Engine.Version, estate)
	p.put("ferry_engine_leads", flag(h.Leads))
	p.put("ferry_engine_automation", flag(h.Automation))
	p.put("ferry_engine_store_writable", flag(h.Stores))
	p.put("ferry_engine_notice", flag(h.Notice != ""))
	p.put("ferry_engine_epoch", float64(h.Epoch))
	p.put("ferry_engine_start_time_seconds", float64(p.s.Engine.Since.UnixNano())/1e9)
	p.put("ferry_engine_watchers", float64(h.Clients))
}

func (p *page) age(t time.Time) float64 { return max(0, p.now.Sub(t).Seconds()) }

func (p *page) nodes() {
	beats := p.eng.Tally().Beats
	for i := range p.s.Nodes {
		n := &p.s.Nodes[i]
		p.put("ferry_node_verdict", 1, n.Name, n.Cluster, n.Region, string(n.Verdict))
		if !n.Seen.IsZero() {
			p.put("ferry_node_seen_age_seconds", p.age(n.Seen), n.Name)
		}
		if !n.Copy.IsZero() {
			p.put("ferry_node_copy_age_seconds", p.age(n.Copy), n.Name)
		}
		b, any := beats[n.Name]
		if !any {
			continue
		}
		if b.Answered > 0 {
			p.put("ferry_heartbeat_rtt_seconds", b.Took.Seconds(), n.Name)
		}
		p.put("ferry_heartbeats_total", float64(b.Answered), n.Name, "answered")
		p.put("ferry_heartbeats_total", float64(b.Missed), n.Name, "missed")
	}
}

func (p *page) resources() {
	sums, nowhere, oldest, instances := map[[2]string]int{}, map[string]int{}, map[string]time.Time{}, 0
	child := map[hierarchy.Tag]bool{}
	for i := range p.s.Resources {
		instances += len(p.s.Resources[i].On)
		for _, c := range p.s.Resources[i].Children {
			child[c] = true
		}
	}
	for i := range p.s.Resources {
		r := &p.s.Resources[i]
		if _, any := nowhere[r.Cluster]; !any {
			nowhere[r.Cluster] = 0
		}
		if r.Active == "" && !child[r.Tag] {
			nowhere[r.Cluster]++
		}
		for k := range r.On {
			on := &r.On[k]
			sums[[2]string{r.Cluster, string(on.State)}]++
			if was, any := oldest[on.Server]; on.State.InService() && !on.Checked.IsZero() && (!any || on.Checked.Before(was)) {
				oldest[on.Server] = on.Checked
			}
		}
		if instances <= p.limit {
			p.resource(r)
		}
		if r.Data != nil {
			p.mirror(r)
		}
	}
	for k, n := range sums {
		p.put("ferry_resources", float64(n), k[0], k[1])
	}
	for cluster, n := range nowhere {
		p.put("ferry_hierarchies_nowhere", float64(n), cluster)
	}
	for node, at := range oldest {
		p.put("ferry_check_age_seconds", p.age(at), node)
	}
	if instances <= p.limit {
		instances = 0
	}
	p.put("ferry_resource_series_omitted", float64(instances))
}

func (p *page) resource(r *api.ResourceStatus) {
	tag := string(r.Tag)
	for k := range r.On {
		on := &r.On[k]
		p.put("ferry_resource_state", 1, r.Cluster, tag, r.Kit, on.Server, string(on.State))
		if on.Held != "" {
			p.put("ferry_resource_held", 1, r.Cluster, tag, on.Server)
		}
	}
	if r.Claim != nil && r.Claim.Node != "" {
		p.put("ferry_claim", float64(r.Claim.Number), r.Cluster, tag, r.Claim.Node)
	}
}

// legStates are the words that a label may have; what a kit says beyond them is "other".
var legStates = []string{"source", "in sync", "resyncing", "connecting", "not connected", "out of sync", "paused", "half copied"}

// mirror shows replicated data as its kit tells it (api.DataStatus).
func (p *page) mirror(r *api.ResourceStatus) {
	tag := string(r.Tag)
	p.put("ferry_mirror_doubtful", flag(r.Data.Doubtful), r.Cluster, tag)
	if !r.Data.Heard.IsZero() {
		p.put("ferry_mirror_heard_age_seconds", p.age(r.Data.Heard), r.Cluster, tag)
	}
	for k := range r.On { // nodes of the definition only
		node := r.On[k].Server
		m := r.Data.Nodes[node]
		if m == nil {
			continue
		}
		state, source := legState(m["state"])
		p.put("ferry_mirror_leg_state", 1, r.Cluster, tag, node, state)
		if source {
			continue
		}
		p.put("ferry_mirror_leg_in_sync", flag(state == "in sync"), r.Cluster, tag, node)
		if last, err := time.Parse(time.RFC3339, m["last"]); err == nil && state != "in sync" {
			p.put("ferry_mirror_leg_behind_seconds", p.age(last), r.Cluster, tag, node)
		}
		if n, err := strconv.ParseFloat(first(m["backlog"]), 64); err == nil {
			p.put("ferry_mirror_leg_backlog_writes", n, r.Cluster, tag, node)
		}
		if n, err := strconv.ParseFloat(m["percent"], 64); err == nil {
			p.put("ferry_mirror_leg_resync_ratio", n/100, r.Cluster, tag, node)
		}
	}
}

func first(s string) string {
	word, _, _ := strings.Cut(s, " ")
	return word
}

// legState is a kit's "Target, resyncing 42 %" as one of legStates.
func legState(s string) (state string, source bool) {
	role, rest, _ := strings.Cut(s, ", ")
	if role == "Source" {
		return "source", true
	}
	for _, w := range legStates {
		if rest == w || strings.HasPrefix(rest, w+" ") || strings.HasPrefix(rest, w+",") {
			return w, false
		}
	}
	return "other", false
}

func (p *page) rest() {
	open, left := map[string]int{}, time.Duration(-1)
	for _, n := range p.s.Nodes {
		open[n.Cluster] = 0
	}
	for i := range p.s.Questions {
		q := &p.s.Questions[i]
		if q.State != policy.Pending {
			continue
		}
		cluster, _, _ := strings.Cut(string(q.Tag), "/")
		open[cluster]++
		if d := max(0, q.Until.Sub(p.now)); left < 0 || d < left {
			left = d
		}
	}
	for cluster, n := range open {
		p.put("ferry_confirmations_open", float64(n), cluster)
	}
	if left >= 0 {
		p.put("ferry_confirmation_left_seconds", left.Seconds())
	}
	p.put("ferry_holds", float64(len(p.s.Holds)))
	running := map[string]int{}
	for i := range p.s.Running {
		running[string(p.s.Running[i].Plan.Goal.Kind)]++
	}
	for goal, n := range running {
		p.put("ferry_operations_running", float64(n), goal)
	}
}

// failovers are cluster and outcome of what is counted, those that never happened as well: the first one is then an
// increase, and no alert misses it.
func (p *page) failovers() [][2]string {
	all := map[[2]string]bool{}
	for k := range p.failover {
		all[k] = true
	}
	for i := range p.s.Resources {
		for _, outcome := range []policy.OpOutcome{policy.OpDone, policy.OpRolledBack, policy.OpFailed} {
			all[[2]string{p.s.Resources[i].Cluster, string(outcome)}] = true
		}
	}
	return slices.Collect(maps.Keys(all))
}

func (p *page) counted() {
	for k, n := range p.eng.Tally().Checks {
		p.put("ferry_checks_total", float64(n), k.Kit, k.Outcome)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, n := range p.ended {
		p.put("ferry_operations_total", float64(n), k[0], k[1])
	}
	for _, k := range p.failovers() {
		p.put("ferry_failovers_total", float64(p.failover[k]), k[0], k[1])
	}
	if p.sent == nil {
		return
	}
	for name, n := range p.sent() {
		p.put("ferry_notifications_sent_total", float64(n.Sent), name)
		p.put("ferry_notifications_failed_total", float64(n.Failed), name)
		p.put("ferry_notifications_queued", float64(n.Queued), name)
		for why, k := range n.Dropped {
			p.put("ferry_notifications_dropped_total", float64(k), name, why)
		}
	}
}
