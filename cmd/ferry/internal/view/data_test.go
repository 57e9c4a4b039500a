package view

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/kits"
)

func copies(nodes map[string]map[string]string) *api.ResourceStatus {
	return &api.ResourceStatus{Tag: "c/m", Kit: "datakeeper", Data: &api.DataStatus{Heard: noon, Recorded: noon.Add(-time.Hour), Nodes: nodes}}
}

func shown(r *api.ResourceStatus, cells int) string {
	p := newPage(term.Style{Cells: cells}, noon)
	p.data(r)
	return p.String()
}

func TestDataSaysWhoMayBePromoted(t *testing.T) {
	two := func() *api.ResourceStatus {
		return copies(map[string]map[string]string{"A": {"state": "Source"}, "B": {"state": "Target, in sync", "mode": "synchronous"}})
	}
	for _, x := range []struct {
		name   string
		set    func(*api.DataStatus)
		want   []string
		remark string
	}{
		{"redundant", func(*api.DataStatus) {}, []string{"B has all of the data, and may be promoted without force"}, ""},
		{"doubtful", func(d *api.DataStatus) { d.Doubtful = true }, []string{"IN DOUBT", "the record is in doubt"}, "its record is in doubt: no node is promoted without force"},
		{"asynchronous", func(d *api.DataStatus) { d.Nodes["B"]["mode"] = "asynchronous" }, []string{"no other copy is known to be complete", "a planned stop hands over to it without force; a loss of the source does not: an asynchronous copy lags behind"}, "no copy but that of A is known to be complete"},
		{"by the kit's word", func(d *api.DataStatus) { d.Nodes["B"]["promote"] = "stale" }, []string{"its data is out of date"}, "no copy but that of A is known to be complete"},
		{"old news", func(d *api.DataStatus) { d.Heard = noon.Add(-time.Minute) }, []string{"1m ago: what stands here is as old as that"}, ""},
		{"nothing told", func(d *api.DataStatus) { d.Nodes = nil }, []string{"not told"}, ""},
		{"new", func(d *api.DataStatus) { *d = api.DataStatus{} }, []string{"nothing is on record yet", "not heard yet"}, ""},
	} {
		r := two()
		x.set(r.Data)
		text := strings.Join(strings.Fields(shown(r, 0)), " ")
		for _, w := range x.want {
			if !strings.Contains(text, w) {
				t.Errorf("%s: %q is missing in\n%s", x.name, w, shown(r, 0))
			}
		}
		if got := dataRemark(r); got != x.remark {
			t.Errorf("%s: remark %q, want %q", x.name, got, x.remark)
		}
	}
	if shown(&api.ResourceStatus{}, 0) != "" || dataRemark(&api.ResourceStatus{}) != "" {
		t.Error("something is said of a resource without data")
	}
}

func TestDataFitsAndIsClean(t *testing.T) {
	evil := "\x1b[2J\u202e長い" + strings.Repeat(" wort", 40)
	nodes := map[string]map[string]string{}
	for i := range 3 {
		m := map[string]string{"percent": "50", "new key": evil}
		for _, k := range []string{"state", "mode", "speed", "left", "eta", "backlog", "why", "last", "since", "promote", "generation"} {
			m[k] = evil
		}
		nodes[fmt.Sprintf("N%d", i)] = m
	}
	r := copies(nodes)
	r.Data.Tasks = []api.TaskStatus{{Name: evil, Node: evil, Failed: kits.Why("x", evil)}}
	text := shown(r, 100)
	if strings.ContainsAny(text, "\x1b\u202e") {
		t.Errorf("control characters got through: %q", text)
	}
}
