package view

import (
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// wideEstate has names in Japanese, of several lengths, and long values.
func wideEstate() *api.Snapshot {
	servers := []string{"東京_主系_一号機", "LK_P_B", "シンガポール_待機系", "LK_S_B"}
	e := &hierarchy.Estate{Name: "日本", Cluster: []hierarchy.Cluster{{Name: "service", Servers: servers}}}
	s := &api.Snapshot{Estate: e}
	for i, n := range servers {
		region := []string{"ap-northeast-1", "ap-southeast-1"}[i/2]
		e.Servers = append(e.Servers, hierarchy.Server{Name: n, Region: region, Zone: region + "a", Address: "10.0.0.1"})
		s.Nodes = append(s.Nodes, api.NodeStatus{Name: n, Cluster: "service", Region: region, Zone: region + "a", Verdict: policy.Alive})
	}
	for _, tag := range []hierarchy.Tag{"service/業務", "service/ip-a-rather-long-tag"} {
		r := hierarchy.Resource{Tag: tag, Kit: "app", Cluster: "service", Switchback: hierarchy.Intelligent,
			Attrs: map[string]string{"start": "/opt/" + strings.Repeat("長い道 ", 20)}}
		st := api.ResourceStatus{Tag: tag, Kit: "app", Cluster: "service", Active: servers[0]}
		for i, n := range servers {
			r.On = append(r.On, hierarchy.Placement{Server: n, Priority: i + 1, Attrs: map[string]string{"address": "10.1.0.10", "interface": "eth0"}})
			st.On = append(st.On, api.InstanceStatus{Server: n, Priority: i + 1, State: hierarchy.OSU})
		}
		e.Res, s.Resources = append(e.Res, r), append(s.Resources, st)
	}
	e.Res[0].Children = []hierarchy.Tag{e.Res[1].Tag}
	s.Holds = []api.HoldStatus{{Scope: "シンガポール_待機系", By: "ann", Why: strings.Repeat("定期保守 ", 12), Until: time.Unix(7200, 0)}}
	return s
}

// Every page about the definition fits 80 columns, counted in cells, and its columns
// stand under each other whatever the script.
func TestPagesAboutTheDefinitionFit(t *testing.T) {
	s := wideEstate()
	x := hierarchy.NewIndex(s.Estate)
	st, now := term.Style{}, time.Unix(0, 0).UTC()
	table := hierarchy.Tunings(nil)
	rows := [][]string{}
	for _, srv := range s.Estate.Servers {
		rows = append(rows, []string{srv.Name, "cluster's shape", strings.Repeat("host.example.com:22,", 6)})
	}
	for page, text := range map[string]string{
		"resources":    Resources(s, st),
		"resource":     Resource(x, &s.Estate.Res[0], &s.Resources[0], []kits.Field{{Name: "start"}}, st, now),
		"dependencies": Dependencies(x, st),
		"servers":      Servers(s, st),
		"server":       Server(s, x, &s.Estate.Servers[0], st, now),
		"tuning":       Tuning(edit.Values(x, table, s.Estate.Servers[0].Name), st),
		"name":         TuningName(table[0], rows, st),
		"holds":        Holds(s.Holds, st, now),
		"status":       Status(s, st, now),
	} {
		for _, l := range strings.Split(text, "\n") {
			if w := term.Width(l); w > 80 {
				t.Errorf("%s: %d cells: %q", page, w, l)
			}
		}
		if !strings.HasSuffix(text, "\n") || strings.HasSuffix(text, "\n\n") {
			t.Errorf("%s: ends with %q", page, text[max(0, len(text)-3):])
		}
	}
	var at []int
	for _, l := range strings.Split(strings.TrimSpace(Servers(s, st)), "\n")[1:] {
		at = append(at, term.Width(l[:strings.Index(l, "service")]))
	}
	for _, w := range at {
		if w != at[0] {
			t.Errorf("the second column begins at %v", at)
			break
		}
	}
}
