package datakeeper

import (
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/kits"
)

func differ(r *Record, node string) {
	l := r.Legs[node]
	l.Differs = 3
	r.Legs[node] = l
}

// round is one of Keep's, with the other nodes answering and out of service.
func round(t *testing.T, record []byte, lines ...string) (*Record, kits.Kept) {
	t.Helper()
	in := estate("LK_P_A")
	in.Record = record
	kept := Kit{}.Keep(in, map[string]kits.Pulse{"LK_P_A": said(lines...), "LK_P_B": said(idle), "LK_S_A": said(idle)}, noon)
	r, err := decode(kept.Record)
	if err != nil {
		t.Fatal(err)
	}
	return r, kept
}

// What differs is looked for once, and then on record for the member that it was found on.
func TestWhatDiffersIsLocated(t *testing.T) {
	found := strings.Replace(runs, "mismatch_cnt=0", "mismatch_cnt=384", 1)
	_, kept := round(t, keptRecord(nil), found, nearGood, farGood, still)
	if len(kept.Tasks) != 1 || kept.Tasks[0].Name != taskLocate || kept.Tasks[0].Node != "LK_P_A" || kept.Tasks[0].Urgent {
		t.Errorf("tasks %+v", kept.Tasks)
	}
	if _, kept = round(t, keptRecord(nil), strings.Replace(found, "sync_action=idle", "sync_action=check", 1), nearGood, farGood, still); len(kept.Tasks) > 0 {
		t.Errorf("while it compares: %+v", kept.Tasks)
	}
	for _, c := range []struct {
		located   string
		near, far int64
	}{
		{"-", 0, 0},
		{"- LK_P_B=2:3:yes LK_S_A=2:0:yes", 3, 0},
		{"- LK_P_B=1:3:yes LK_S_A=2:4:no", 0, 4}, // an older membership's
		{"- LK_P_B=3:3:yes", 0, 0},
		{"- LK_P_B=2:-3:yes LK_P_B LK_S_A=2:x:yes =2:1:yes LK_X=2:1:yes", 0, 0},
	} {
		r, kept := round(t, keptRecord(nil), found, "@located "+c.located, nearGood, farGood, still)
		if r.Legs["LK_P_B"].Differs != c.near || r.Legs["LK_S_A"].Differs != c.far || len(kept.Tasks) > 0 {
			t.Errorf("%s: %+v, tasks %+v", c.located, r.Legs, kept.Tasks)
		}
		if bad := kept.Impaired.Code == "datakeeper.leg-differs"; bad != (c.near+c.far > 0) {
			t.Errorf("%s: impaired %+v", c.located, kept.Impaired)
		}
		if got, want := kept.Live["LK_P_B"]["promote"], map[bool]string{true: "yes", false: "differs"}[c.near == 0]; got != want {
			t.Errorf("%s: promote %q, want %q", c.located, got, want)
		}
	}
}

// md's bitmap knows nothing of blocks that changed by themselves: a leg that has some comes back by a copy in full, and only
// that ends what is on record of it.
func TestALegThatDiffersIsCopiedInFull(t *testing.T) {
	record := keptRecord(func(r *Record) { differ(r, "LK_P_B") })
	r, _ := round(t, record, runs, "@located - LK_P_B=2:0:yes", nearGood, farGood, still)
	if r.Legs["LK_P_B"].Differs != 3 {
		t.Errorf("found no more: %+v", r.Legs["LK_P_B"])
	}
	gone := strings.Replace(nearGood, "in_sync,write_mostly", "faulty", 1)
	r, _ = round(t, record, runs, gone, farGood, still)
	if l := r.Legs["LK_P_B"]; l.State != Out || l.Partial || l.Differs != 3 {
		t.Errorf("fallen out: %+v", l)
	}
	in := estate("LK_S_A")
	in.Record = keptRecord(func(r *Record) {
		differ(r, "LK_P_B")
		l := r.Legs["LK_S_A"]
		l.Mode = modeFreeze
		r.Legs["LK_S_A"] = l
	})
	b, no := Kit{}.Promote(in, false, noon)
	if no != nil {
		t.Fatal(no.Text)
	}
	if r, err := decode(b); err != nil || r.Legs["LK_P_B"].Partial || r.Legs["LK_P_B"].Differs != 3 || !r.Legs["LK_P_A"].Partial {
		t.Errorf("another one is promoted: %s (%v)", b, err)
	}
	joined := keptRecord(func(r *Record) {
		differ(r, "LK_P_B")
		l := r.Legs["LK_P_B"]
		l.State, l.Partial = Syncing, false
		r.Legs["LK_P_B"] = l
	})
	r, kept := round(t, joined, runs, nearGood, farGood, still)
	if l := r.Legs["LK_P_B"]; l.State != InSync || l.Differs != 0 || kept.Live["LK_P_B"]["promote"] != "yes" {
		t.Errorf("copied: %+v, live %v", l, kept.Live["LK_P_B"])
	}
}

// Only what stays the same on both sides, and differs, counts: what is being written is no difference.
func TestSteadyDifferences(t *testing.T) {
	own, far := []string{"a", "b", "c", "d", "e"}, []string{"a", "x", "y", "z", "w"}
	for _, c := range []struct {
		ownLater, farLater []string
		want               int64
	}{
		{own, far, 4},
		{own, own, 0},
		{[]string{"a", "b", "c", "D", "e"}, far, 3},
		{own, []string{"a", "x", "y", "d", "w"}, 3},
		{own, []string{"a", "x"}, 1},
	} {
		if got := steady(own, c.ownLater, far, c.farLater); got != c.want {
			t.Errorf("%v %v: %d, want %d", c.ownLater, c.farLater, got, c.want)
		}
	}
}
