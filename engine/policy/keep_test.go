package policy

import (
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

var keepStart = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// keepWorld is one resource, in service on A.
func keepWorld(t *testing.T) *World {
	t.Helper()
	w := New(keepEstate(), nil)
	w.Claims["c/d"] = hierarchy.Claim{Number: 1, Node: "A"}
	w.Instances[hierarchy.Ref{Tag: "c/d", Node: "A"}].State = hierarchy.ISP
	w.TakeChanges()
	return w
}

func keepEstate() *hierarchy.Estate {
	return &hierarchy.Estate{
		Name: "e", Regions: []hierarchy.Region{{Name: "r"}},
		Servers: []hierarchy.Server{{Name: "A", Region: "r"}, {Name: "B", Region: "r"}},
		Cluster: []hierarchy.Cluster{{Name: "c", Servers: []string{"A", "B"}, QuorumMode: hierarchy.NoQuorum}},
		Res: []hierarchy.Resource{{Tag: "c/d", Kit: "d", Cluster: "c",
			On: []hierarchy.Placement{{Server: "A", Priority: 1}, {Server: "B", Priority: 2}}}},
	}
}

func codes(outs []Output) (all []string) {
	for _, o := range outs {
		if e, ok := o.(Event); ok {
			all = append(all, e.Reason.Code)
		}
	}
	return all
}

func (w *World) mustHave(t *testing.T, record string, serial uint64, doubtful bool) {
	t.Helper()
	got, doubt := w.Record("c/d")
	if string(got) != record || doubt != doubtful || w.KeepSerial("c/d") != serial {
		t.Fatalf("record %s, serial %d, doubtful %v; want %s, %d, %v", got, w.KeepSerial("c/d"), doubt, record, serial, doubtful)
	}
}

// Nothing that was computed from an older record replaces a newer one.
func TestOlderRecordsDoNotWin(t *testing.T) {
	w := keepWorld(t)
	w.Step(keepStart, Kept{Tag: "c/d", Record: []byte(`{"gen": 1}`)})
	w.mustHave(t, `{"gen":1}`, 1, false)
	w.Step(keepStart, Promoted{Tag: "c/d", Node: "B", Serial: 1, Record: []byte(`{"gen":2}`)})
	w.mustHave(t, `{"gen":2}`, 2, false)
	for _, in := range []Input{
		Kept{Tag: "c/d", Serial: 1, Record: []byte(`{"gen":1,"x":1}`)},
		Promoted{Tag: "c/d", Serial: 1, Node: "A", Record: []byte(`{"gen":9}`)},
		Kept{Tag: "c/d", Serial: 3, Record: []byte(`{"gen":9}`)},
		Kept{Tag: "c/d", Serial: 2, Record: []byte(`{"gen":`)},
		Kept{Tag: "c/none", Record: []byte(`{}`)},
	} {
		if outs := w.Step(keepStart, in); len(outs) != 0 {
			t.Errorf("%+v gave %q", in, codes(outs))
		}
		w.mustHave(t, `{"gen":2}`, 2, false)
	}
	w.TakeChanges()
	w.Step(keepStart, Kept{Tag: "c/d", Serial: 2, Record: []byte(` {"gen":2} `)})
	if ch := w.TakeChanges(); len(ch) != 0 {
		t.Errorf("the same record changed %v", ch)
	}
}

// What is read back is what was stored, and goes with its resource.
func TestRecordsAreStored(t *testing.T) {
	w := keepWorld(t)
	w.Step(keepStart, Kept{Tag: "c/d", Record: []byte(`{"a":"<&>"}`), Impaired: kits.Why("d.slow", "It lags.")})
	stored := w.TakeChanges()
	again, err := Load(keepEstate(), nil, stored)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := w.Record("c/d")
	again.mustHave(t, string(a), 1, false)
	if k := again.Keeps["c/d"]; k.Impaired.Code != "d.slow" || !k.At.Equal(keepStart) {
		t.Errorf("%+v", k)
	}
	none := keepEstate()
	none.Res = nil
	again.Step(keepStart, Define{Estate: none})
	deleted := false
	for _, c := range again.TakeChanges() {
		deleted = deleted || c.Key == "keep/c/d" && c.Deleted
	}
	if !deleted || again.KeepSerial("c/d") != 0 {
		t.Error("the record outlives its resource")
	}
	again.Step(keepStart, Define{Estate: keepEstate()})
	again.mustHave(t, "", 0, false)
}

func TestDoubtEndsWithProofOrForce(t *testing.T) {
	doubtful := func() *World {
		w := keepWorld(t)
		w.Keeps["c/d"] = &Keep{Record: []byte(`{"gen":1}`), Serial: 5, Doubtful: true}
		return w
	}
	w := doubtful()
	w.Step(keepStart, Kept{Tag: "c/d", Serial: 5, Record: []byte(`{"gen":1}`)})
	w.mustHave(t, `{"gen":1}`, 5, true)
	w.Step(keepStart, Kept{Tag: "c/d", Serial: 5, Record: []byte(`{"gen":1,"b":2}`)})
	w.mustHave(t, `{"gen":1,"b":2}`, 6, true)
	outs := w.Step(keepStart, Kept{Tag: "c/d", Serial: 6, Record: []byte(`{"gen":1,"b":2}`), Proven: true})
	w.mustHave(t, `{"gen":1,"b":2}`, 7, false)
	if c := codes(outs); len(c) != 1 || c[0] != "keep-proven" {
		t.Errorf("%q", c)
	}

	w = doubtful()
	w.Step(keepStart, Promoted{Tag: "c/d", Node: "A", Serial: 5, Record: []byte(`{"gen":2}`)})
	w.mustHave(t, `{"gen":2}`, 6, true)
	price := kits.Why("d.old", "Its data is old.")
	outs = w.Step(keepStart, Promoted{Tag: "c/d", Node: "B", Serial: 6, Record: []byte(`{"gen":2}`), Price: &price})
	w.mustHave(t, `{"gen":2}`, 7, false)
	if c := codes(outs); len(c) != 1 || c[0] != "keep-forced" {
		t.Errorf("%q", c)
	}
}

// What is wrong as a whole shows where the resource is in service, before and after checks,
// and starts nothing.
func TestImpairedRecordsShow(t *testing.T) {
	w := keepWorld(t)
	w.Automation = true
	ref := hierarchy.Ref{Tag: "c/d", Node: "A"}
	slow := kits.Why("d.slow", "It lags.")
	ok := Checked{Ref: ref, Report: kits.Report{Outcome: kits.OK, Presence: kits.Present}}
	want := func(state hierarchy.State, code string) {
		t.Helper()
		if it := w.Instances[ref]; it.State != state || it.Reason.Code != code || len(it.Recoveries) != 0 {
			t.Fatalf("%s %q, recoveries %v; want %s %q", it.State, it.Reason.Code, it.Recoveries, state, code)
		}
	}
	w.Step(keepStart, Kept{Tag: "c/d", Impaired: slow})
	want(hierarchy.ISU, "d.slow")
	w.Step(keepStart, ok)
	want(hierarchy.ISU, "d.slow")
	w.Step(keepStart, Kept{Tag: "c/d", Impaired: kits.Why("d.slower", "It lags more.")})
	want(hierarchy.ISU, "d.slower")
	w.Step(keepStart, Kept{Tag: "c/d"})
	want(hierarchy.ISP, "")
	w.Step(keepStart, Checked{Ref: ref, Report: kits.Report{Outcome: kits.OK, Presence: kits.Present, Impaired: true, Reason: kits.Why("d.check", "Hm.")}})
	w.Step(keepStart, Kept{Tag: "c/d", Impaired: slow})
	w.Step(keepStart, Kept{Tag: "c/d"})
	want(hierarchy.ISU, "d.check") // the check's own word is not taken back
	w.Step(keepStart, ok)
	want(hierarchy.ISP, "")
	for _, op := range w.Ops {
		if op.Plan.Goal.Kind != plan.GoalAdopt {
			t.Errorf("it began %s", op.Plan.Goal.Kind)
		}
	}
}
