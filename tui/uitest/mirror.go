package uitest

import (
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// Mirror is the resource with replicated data in the scenes of Mirrored.
const Mirror hierarchy.Tag = "service/datakeeper-oradata"

// The scenes of Mirrored.
const (
	InSync    = "mirror-in-sync"   // the zone's other node has everything, the far ones follow
	Resyncing = "mirror-resyncing" // no copy but the source's is complete, and one comes back
	Frozen    = "mirror-frozen"    // the source's writes wait for a node that does not answer
	InDoubt   = "mirror-doubt"     // adopted from copies; the source does not answer
	Unheard   = "mirror-unheard"   // made just now
)

// Mirrors are all of them.
func Mirrors() []string { return []string{InSync, Resyncing, Frozen, InDoubt, Unheard} }

// Mirrored is the calm estate with a mirrored disk, told in the mirror kit's own words.
func Mirrored(t testing.TB, name string) *api.Snapshot {
	t.Helper()
	s := Scene(t, Calm)
	nodes := []string{"LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B"}
	def := hierarchy.Resource{Tag: Mirror, Kit: "datakeeper", Cluster: "service", Switchback: hierarchy.Intelligent, Attrs: map[string]string{"disk": "/dev/nvme1n1"}}
	for i, n := range nodes {
		def.On = append(def.On, hierarchy.Placement{Server: n, Priority: i + 1})
	}
	s.Estate.Res = append(s.Estate.Res, def)
	st := Of(s.Estate, "LK_P_A")
	r := &st.Resources[len(st.Resources)-1]
	r.Data = &api.DataStatus{Heard: Ago(2 * time.Second), Recorded: Ago(3 * time.Hour), Nodes: legs(name)}
	switch name {
	case Resyncing:
		r.Data.Impaired = kits.Why("mirror.test-out", "The disk of LK_P_B is being brought up to date with LK_P_A; until then it is no copy.")
		r.Data.Recorded = Ago(4 * time.Minute)
		r.Data.Tasks = []api.TaskStatus{
			{Name: "join", Node: "LK_P_B", Running: true, Began: Ago(40 * time.Second), Tries: 1, Why: kits.Why("mirror.test-joining", "The disk of LK_P_B is brought up to date with LK_P_A.")},
			{Name: "join", Node: "LK_S_B", Began: Ago(3 * time.Minute), Tries: 4, Failed: kits.Why("mirror.test-port", "LK_S_B does not answer on port 10809; does a security group let it through?")},
		}
		r.On[0].State, r.On[0].Reason = hierarchy.ISU, r.Data.Impaired
	case Frozen:
		r.Data.Impaired = kits.Why("mirror.test-waits", "The disk of LK_P_B does not answer LK_P_A; writes wait for it.")
		r.On[0].State, r.On[0].Reason = hierarchy.ISU, r.Data.Impaired
	case InDoubt:
		r.Data.Doubtful, r.Data.Heard, r.Data.Recorded = true, Ago(95*time.Second), Ago(20*time.Minute)
	case Unheard:
		r.Data = &api.DataStatus{}
	}
	return st
}

func legs(name string) map[string]map[string]string {
	at := func(d time.Duration) string { return Ago(d).Format(time.RFC3339) }
	m := map[string]map[string]string{
		"LK_P_A": {"state": "Source", "array": "md127", "generation": "7"},
		"LK_P_B": {"state": "Target, in sync", "mode": "synchronous", "since": at(3 * time.Hour)},
		"LK_S_A": {"state": "Target, in sync", "mode": "asynchronous", "since": at(2 * time.Hour), "last": at(12 * time.Second), "age": "12s", "backlog": "14 writes"},
		"LK_S_B": {"state": "Target, paused", "mode": "asynchronous", "why": "it is paused", "last": at(26 * time.Hour), "age": "26h0m0s"},
	}
	switch name {
	case Resyncing:
		m["LK_P_B"] = map[string]string{"state": "Target, resyncing 42 %", "mode": "synchronous", "percent": "42", "left": "29696 MiB", "speed": "148.2 MiB/s", "eta": "3m21s",
			"why": "it does not answer", "last": at(11 * time.Minute), "age": "11m0s"}
		m["LK_S_A"] = map[string]string{"state": "Target, out of sync", "mode": "asynchronous", "why": "LK_P_A became the source\x1b[31m", "last": "never"}
		m["LK_S_B"] = map[string]string{"state": "Target, not connected", "mode": "asynchronous", "why": "it is not connected", "last": at(26 * time.Hour), "age": "26h0m0s"}
	case Frozen:
		m["LK_P_A"]["state"], m["LK_P_A"]["differences"] = "Source, writes wait", "128 sectors at the last comparison"
		m["LK_P_B"]["state"], m["LK_P_B"]["backlog"] = "Target, in sync, does not answer", "3 writes"
		m["LK_S_A"]["mode"] = "synchronous, writes go on alone"
	case InDoubt:
		m["LK_P_A"] = map[string]string{"state": "Source, no answer"}
		m["LK_S_A"] = map[string]string{"state": "Target, half copied", "mode": "asynchronous", "last": at(3 * time.Hour)}
	}
	return m
}
