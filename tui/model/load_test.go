package model

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// A Load says what one finds by looking at every resource on the server and sorting.
func TestLoadIsWhatIsThere(t *testing.T) {
	states := []hierarchy.State{hierarchy.ISP, hierarchy.ISU, hierarchy.OSU, hierarchy.OSU, hierarchy.OSF, hierarchy.ILLSTATE}
	rapid.Check(t, func(t *rapid.T) {
		s := &api.Snapshot{Nodes: []api.NodeStatus{{Name: "a"}, {Name: "b"}}}
		for i := range rapid.IntRange(0, 40).Draw(t, "resources") {
			r := api.ResourceStatus{Tag: hierarchy.MakeTag("c", fmt.Sprint("r", i)), Cluster: "c", Active: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "active")}
			if r.Active != "" {
				r.Claim = &hierarchy.Claim{Number: 1, Node: r.Active}
			}
			for _, n := range []string{"a", "b", "gone"} {
				if rapid.Bool().Draw(t, "there") {
					in := api.InstanceStatus{Server: n, Priority: i, State: rapid.SampledFrom(states).Draw(t, "state")}
					if rapid.IntRange(0, 9).Draw(t, "held") == 0 {
						in.Held = "held"
					}
					r.On = append(r.On, in)
				}
			}
			s.Resources = append(s.Resources, r)
		}
		e := New(s, nil)
		for _, n := range []string{"a", "b", "gone"} {
			if got, want := e.Load(n), looked(e, n); !reflect.DeepEqual(got, want) {
				t.Fatalf("%s: %+v\nwant %+v", n, got, want)
			}
		}
	})
}

// looked finds the same the long way.
func looked(e *Estate, server string) (l Load) {
	if e.Node(server) == nil {
		return l
	}
	for _, row := range e.Rows() {
		if row.Res == nil || row.Again {
			continue
		}
		in := e.Cell(row.Res.Tag, server)
		if in == nil {
			continue
		}
		l.Here++
		l.First = append(l.First, row.Res.Tag)
		if len(row.Branch) == 0 {
			l.Waits = append(l.Waits, Turn{row.Res.Tag, in.Priority})
		}
		if in.State.InService() {
			l.In++
		}
		mine := in.State == hierarchy.ILLSTATE && row.Res.Active == server
		if in.State.InService() || in.State == hierarchy.OSF || mine || in.Held != "" {
			l.Items = append(l.Items, Item{row.Res.Tag, in.State, Stale(row.Res, in), in.Held != ""})
		}
	}
	l.Notable = len(l.Items)
	slices.SortStableFunc(l.Items, func(a, b Item) int { return cmp.Compare(a.urgency(), b.urgency()) })
	l.Items, l.Waits = l.Items[:min(len(l.Items), LoadItems)], l.Waits[:min(len(l.Waits), LoadItems)]
	return l
}

// BenchmarkNew is what a snapshot costs beside the screen before it is shown.
func BenchmarkNew(b *testing.B) {
	s := &api.Snapshot{Estate: &hierarchy.Estate{}}
	for i := range 16 {
		s.Nodes = append(s.Nodes, api.NodeStatus{Name: fmt.Sprint("n", i)})
	}
	for i := range 10_000 {
		r := api.ResourceStatus{Tag: hierarchy.MakeTag("c", fmt.Sprint("r", i)), Cluster: "c", Active: "n0", Claim: &hierarchy.Claim{Number: 1, Node: "n0"}}
		d := hierarchy.Resource{Tag: r.Tag, Cluster: "c"}
		for k, n := range s.Nodes {
			state := hierarchy.OSU
			if k == 0 {
				state = hierarchy.ISP
			}
			r.On = append(r.On, api.InstanceStatus{Server: n.Name, Priority: k + 1, State: state})
			d.On = append(d.On, hierarchy.Placement{Server: n.Name, Priority: k + 1})
		}
		s.Resources, s.Estate.Res = append(s.Resources, r), append(s.Estate.Res, d)
	}
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			New(s, nil)
		}
	})
	e := New(s, nil)
	b.Run("loads", func(b *testing.B) {
		for b.Loop() {
			e.findLoads()
		}
	})
}
