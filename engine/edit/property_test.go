package edit

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"pgregory.net/rapid"
)

// wish draws any edit, sensible or not.
func wish(t *rapid.T) Edit {
	tag := rapid.SampledFrom([]string{"www", "ec2", "ip", "service/ip", "lone", "new", "vpn/new", "other", "wwv", ""})
	server := rapid.SampledFrom([]string{"LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B", "VPN_P_A", "VPN_P_B", "LK_PA", ""})
	priority := rapid.SampledFrom([]int{0, 1, 2, 3, 4, 7, 999, 1000, -1})
	name := rapid.SampledFrom([]string{"address", "device", "netmask", "ip", "eni", "start", "type", "key", "adress"})
	value := rapid.SampledFrom([]string{"", "10.1.0.10", "10.9.0.1", "10.0.0.5", "ip", "www", "/x", "elastic-ip", "\x1b[2J", "eth0"})
	fields := rapid.MapOfN(name, value, 0, 3)
	places := rapid.Custom(func(t *rapid.T) Place {
		return Place{server.Draw(t, "server"), priority.Draw(t, "priority"), fields.Draw(t, "own")}
	})
	flag := rapid.SampledFrom([]*bool{nil, &yes, &no})
	switch rapid.IntRange(0, 10).Draw(t, "kind") {
	case 0:
		c := Create{Tag: tag.Draw(t, "tag"), Kit: rapid.SampledFrom([]string{"app", "ip", "ec2", "oracle"}).Draw(t, "kit"),
			Fields: fields.Draw(t, "fields"), On: rapid.SliceOfN(places, 0, 3).Draw(t, "on")}
		if rapid.Bool().Draw(t, "says needs") {
			c.Needs = rapid.SliceOfN(tag, 0, 2).Draw(t, "needs")
		}
		return c
	case 1:
		return Extend{Tag: tag.Draw(t, "tag"), Server: server.Draw(t, "server"), AllRoots: rapid.Bool().Draw(t, "all"),
			Priority: priority.Draw(t, "priority"), TemplatePriority: priority.Draw(t, "template"), Template: server.Draw(t, "from"),
			Fields: rapid.MapOfN(tag, fields, 0, 2).Draw(t, "fields")}
	case 2:
		return Unextend{tag.Draw(t, "tag"), server.Draw(t, "server"), rapid.Bool().Draw(t, "all")}
	case 3:
		return Delete{tag.Draw(t, "tag"), rapid.Bool().Draw(t, "below")}
	case 4:
		return AddDependency{tag.Draw(t, "parent"), tag.Draw(t, "child")}
	case 5:
		return RemoveDependency{tag.Draw(t, "parent"), tag.Draw(t, "child")}
	case 6:
		return Set{tag.Draw(t, "tag"), server.Draw(t, "server"), fields.Draw(t, "fields")}
	case 7:
		return SetPriority{tag.Draw(t, "tag"), rapid.MapOfN(server, priority, 0, 3).Draw(t, "priorities")}
	case 8:
		return SetFlag{server.Draw(t, "viewer"), server.Draw(t, "peer"), flag.Draw(t, "confirm"), flag.Draw(t, "block")}
	case 9:
		return SetTuning{server.Draw(t, "server"), rapid.SampledFrom([]string{"LKCHECKINTERVAL", "CONFIRMSODEF", "QUORUM_MODE", "X"}).Draw(t, "name"),
			rapid.SampledFrom([]string{"", "1", "90s", "majority", "x"}).Draw(t, "value")}
	}
	return SetSwitchback{tag.Draw(t, "tag"), rapid.SampledFrom([]hierarchy.Switchback{hierarchy.Automatic, "sometimes"}).Draw(t, "switchback")}
}

// Whatever is wished: the definition that was given stays as it is; what comes back
// is either right and fully listed, or an error with words in it.
func TestAnyEditsGiveAGoodDefinitionOrAReason(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e, before := estate(), estate()
		for range rapid.IntRange(1, 8).Draw(t, "n") {
			ed := wish(t)
			was := clone(e)
			res, err := Make(e, toyKits(), ed)
			if !reflect.DeepEqual(hierarchy.Normalize(e), hierarchy.Normalize(was)) {
				t.Fatalf("%v changed the definition that it was given", ed)
			}
			if err != nil {
				var own *Error
				var bad *InvalidError
				if !errors.As(err, &own) && !errors.As(err, &bad) || err.Error() == "" || ed.String() == "" {
					t.Fatalf("%v: no reason: %#v", ed, err)
				}
				continue
			}
			if ps := hierarchy.Validate(res.Estate, toyKits()); len(ps) > 0 {
				t.Fatalf("%v gave a bad definition: %v", ed, ps)
			}
			if want := hierarchy.Diff(e, res.Estate); !reflect.DeepEqual(res.Changes, want) {
				t.Fatalf("%v lists %v, not %v", ed, res.Changes, want)
			}
			e = res.Estate
		}
		if !reflect.DeepEqual(before, estate()) {
			t.Fatal("the fixture changed")
		}
	})
}

// What was done can be undone: the definition is then the same as before.
func TestUndo(t *testing.T) {
	for _, c := range []struct{ do, undo Edit }{
		{Create{Tag: "service/web", Kit: "app", Needs: []string{"www"}, Fields: map[string]string{"start": "/web"}}, Delete{Tag: "web"}},
		{Extend{Tag: "ec2", Server: "LK_S_B"}, Unextend{Tag: "www", Server: "LK_S_B"}},
		{AddDependency{"www", "ip"}, RemoveDependency{"www", "ip"}},
		{Set{Tag: "ip", Fields: map[string]string{"device": "eth1"}}, Set{Tag: "ip", Fields: map[string]string{"device": ""}}},
		{SetPriority{"ip", map[string]int{"LK_P_A": 9}}, SetPriority{"www", map[string]int{"LK_P_A": 1}}},
		{SetSwitchback{"ip", hierarchy.Automatic}, SetSwitchback{"www", hierarchy.Intelligent}},
		{SetShutdown{"LK_P_A", true}, SetShutdown{"LK_P_A", false}},
		{SetTuning{"LK_P_A", "LCMHBEATTIME", "7"}, SetTuning{"LK_P_A", "LCMHBEATTIME", ""}},
	} {
		done, err := Make(estate(), toyKits(), c.do)
		if err != nil || len(done.Changes) == 0 {
			t.Errorf("%v: %v, %v", c.do, done, err)
			continue
		}
		back, err := Make(done.Estate, toyKits(), c.undo)
		if err != nil {
			t.Errorf("%v: %v", c.undo, err)
		} else if left := hierarchy.Diff(estate(), back.Estate); len(left) > 0 {
			t.Errorf("%v and %v leave %v", c.do, c.undo, left)
		}
	}
}

// A hierarchy that was extended is whole on every server, and no priority is there twice.
func TestHierarchiesStayWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := Extend{Tag: rapid.SampledFrom([]string{"www", "ec2", "ip"}).Draw(t, "tag"), Server: "LK_S_B",
			Priority: rapid.IntRange(0, 12).Draw(t, "priority"), TemplatePriority: rapid.IntRange(0, 12).Draw(t, "template")}
		res, err := Make(estate(), toyKits(), x)
		if err != nil {
			return // a priority that is taken
		}
		idx := hierarchy.NewIndex(res.Estate)
		for _, tag := range idx.Hierarchy("service/www") {
			on := idx.PlacementsByPriority(tag)
			if len(on) != 4 || !slices.IsSortedFunc(on, func(a, b hierarchy.Placement) int { return a.Priority - b.Priority }) {
				t.Fatalf("%s is on %v", tag, on)
			}
			for i, p := range on[1:] {
				if p.Priority == on[i].Priority {
					t.Fatalf("%s has priority %d twice", tag, p.Priority)
				}
			}
		}
	})
}
