package metrics

import (
	"maps"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// metric is one family of series.
type metric struct {
	help    string
	counter bool
	labels  []string
}

// families are all metrics of this package's own, by name.
func families() map[string]metric {
	g := func(help string, labels ...string) metric { return metric{help, false, labels} }
	c := func(help string, labels ...string) metric { return metric{help, true, labels} }
	return map[string]metric{
		"ferry_info":                        g("1; says which engine this is.", "version", "estate"),
		"ferry_engine_leads":                g("1 while the engine may act: no other one leads the estate."),
		"ferry_engine_automation":           g("1 while the engine recovers and fails over by itself."),
		"ferry_engine_store_writable":       g("1 while the store takes writes; else nothing is carried out."),
		"ferry_engine_notice":               g("1 while the engine has a notice: something is wrong with itself."),
		"ferry_engine_epoch":                g("The engine's epoch; it rises with every new leadership."),
		"ferry_engine_start_time_seconds":   g("When the engine began, in Unix time."),
		"ferry_engine_watchers":             g("Open watches: consoles, commands, and the engine's own parts."),
		"ferry_resources":                   g("Resources on servers, by cluster and state.", "cluster", "state"),
		"ferry_resource_state":              g("1 for the state in which a resource is on a server.", "cluster", "tag", "kit", "node", "state"),
		"ferry_resource_held":               g("1 where automation leaves a resource as it is until a person acts.", "cluster", "tag", "node"),
		"ferry_resource_series_omitted":     g("Resources on servers that have no series of their own, because there are too many."),
		"ferry_claim":                       g("The number of the claim under which a server holds a resource.", "cluster", "tag", "node"),
		"ferry_hierarchies_nowhere":         g("Root resources that are in service on no server.", "cluster"),
		"ferry_check_age_seconds":           g("The age of the oldest last good check on a server of what is in service there.", "node"),
		"ferry_checks_total":                c("Checks of resources, by kit and outcome (ok, failed, unknown; absent: not there, as on a standby).", "kit", "outcome"),
		"ferry_node_verdict":                g("1 for the verdict on a server.", "node", "cluster", "region", "verdict"),
		"ferry_node_seen_age_seconds":       g("How long ago the engine itself last reached a server; absent when never.", "node"),
		"ferry_node_copy_age_seconds":       g("How old the copy of the estate is that a server holds.", "node"),
		"ferry_heartbeat_rtt_seconds":       g("How long the last heartbeat that was answered took.", "node"),
		"ferry_heartbeats_total":            c("The engine's heartbeats to a server, by result (answered, missed).", "node", "result"),
		"ferry_operations_running":          g("Operations under way.", "goal"),
		"ferry_operations_total":            c("Operations that ended, by goal and outcome (done, rolled-back, failed).", "goal", "outcome"),
		"ferry_failovers_total":             c("Failovers that ended, by cluster and outcome.", "cluster", "outcome"),
		"ferry_confirmations_open":          g("Questions that wait for a person's answer.", "cluster"),
		"ferry_confirmation_left_seconds":   g("How long the most urgent open question still waits; absent when there is none."),
		"ferry_holds":                       g("Maintenance holds in force."),
		"ferry_mirror_leg_in_sync":          g("1 where a copy of replicated data is in sync, 0 where it is not.", "cluster", "tag", "node"),
		"ferry_mirror_leg_state":            g("1 for what a copy of replicated data is.", "cluster", "tag", "node", "state"),
		"ferry_mirror_leg_behind_seconds":   g("How long ago a copy that is not in sync last had everything; absent when that is not known.", "cluster", "tag", "node"),
		"ferry_mirror_leg_backlog_writes":   g("Writes that an asynchronous copy has not confirmed yet.", "cluster", "tag", "node"),
		"ferry_mirror_leg_resync_ratio":     g("How much of a resync is done, 0 to 1.", "cluster", "tag", "node"),
		"ferry_mirror_heard_age_seconds":    g("How long ago the nodes of replicated data were last heard.", "cluster", "tag"),
		"ferry_mirror_doubtful":             g("1 where what is on record of replicated data is in doubt.", "cluster", "tag"),
		"ferry_notifications_sent_total":    c("Notifications that were delivered.", "channel"),
		"ferry_notifications_failed_total":  c("Tries to deliver a notification that did not succeed.", "channel"),
		"ferry_notifications_dropped_total": c("Notifications that were given up (gave-up, queue-full, too-old).", "channel", "reason"),
		"ferry_notifications_queued":        g("Notifications that wait.", "channel"),
		"ferry_snapshot_seconds":            g("How long the engine's loop took to make the snapshot from which these values are."),
		"ferry_operation_duration_seconds":  g("How long operations that ended took.", "goal"), // a histogram
	}
}

// durations is the histogram among the families, with the bounds of its buckets in
// seconds: switchovers take seconds, a large database minutes.
const durations = "ferry_operation_duration_seconds"

var buckets = []float64{1, 2, 5, 10, 20, 30, 60, 120, 300, 600}

// Names lists every metric of this package, sorted. Those of the Go runtime and the
// process (go_…, process_…) come on top.
func Names() []string { return slices.Sorted(maps.Keys(families())) }

// descs are the descriptions that Prometheus' client wants.
func descs() map[string]*prometheus.Desc {
	all := map[string]*prometheus.Desc{}
	for name, m := range families() {
		if name != durations {
			all[name] = prometheus.NewDesc(name, m.help, m.labels, nil)
		}
	}
	return all
}
