package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
)

// A person has the copies compared: equal ones are called equal, and one in which a block changed by itself is found. Nothing
// else follows from it.
func TestCopiesAreComparedWhenAskedFor(t *testing.T) {
	mirroredData(t, func(b *dataBench) {
		order := func(tag hierarchy.Tag, task string) error {
			ctx := api.WithCaller(context.Background(), api.Caller{Who: "anna", Role: api.Operator})
			return b.eng.Order(ctx, api.Order{Tag: tag, Task: task})
		}
		kind := func(err error) api.ErrorKind {
			var e *api.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			return e.Kind
		}
		told := func(what string) func(*api.Snapshot) bool {
			return func(*api.Snapshot) bool { return strings.Contains(b.story(), what) }
		}
		if err := order(dataTag, "verify"); err != nil {
			t.Fatal(err)
		}
		b.until("the comparison is told", told("were compared: they are equal to the data of LK_P_A"))
		if !strings.Contains(b.story(), "anna asked to have the copies") {
			t.Error("it is not told who asked")
		}
		if err := b.sim.Nodes.Node("LK_S_A").RotDisk("vdb", "/rotten", "a block that nobody wrote"); err != nil {
			t.Fatal(err)
		}
		if err := order(dataTag, "verify"); err != nil {
			t.Fatal(err)
		}
		b.until("the difference is told", told(" sectors differ from the data of LK_P_A"))
		if at := active(b.snapshot(), dataTag); at != "LK_P_A" {
			t.Errorf("it is on %s now", at)
		}
		for tag, task := range map[hierarchy.Tag]string{fsTag: "verify", "service/nothing": "verify"} {
			if k := kind(order(tag, task)); k != api.KindNoSuch {
				t.Errorf("%s of %s: %v", task, tag, k)
			}
		}
		if k := kind(order(dataTag, "exclude")); k != api.KindUnsafe {
			t.Errorf("a task that is not offered: %v", k)
		}
		for _, tag := range []hierarchy.Tag{pgTag, fsTag, dataTag} {
			b.out(tag)
			b.until(string(tag)+" out of service", func(s *api.Snapshot) bool { return active(s, tag) == "" && len(s.Running) == 0 })
		}
		if k := kind(order(dataTag, "verify")); k != api.KindUnsafe {
			t.Errorf("a mirror that is out of service: %v", k)
		}
	})
}

// The first start of a mirror makes all other disks copies of one: the preview names them, on whichever node it is to start.
func TestFirstStartSaysWhatItOverwrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newDataBench(t)
		defer b.close()
		b.until("all nodes alive", alive)
		notes := func(node string) string {
			pv, err := b.eng.Preview(t.Context(), api.Command{Goal: plan.Goal{Kind: plan.GoalInService, Tag: pgTag, Node: node}})
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, n := range pv.Plan.Notes {
				all = append(all, n.Text)
			}
			return strings.Join(all, "\n")
		}
		if s := notes("LK_P_B"); !strings.Contains(s, "copies of /dev/vdb on LK_P_B: /dev/vdb on LK_P_A, /dev/vdb on LK_S_A, /dev/vdb on LK_S_B.") || !strings.Contains(s, "OVERWRITTEN") {
			t.Errorf("notes: %s", s)
		}
		b.put(pgTag, "LK_P_A")
		b.legsIn("LK_P_A")
		if s := notes("LK_P_B"); strings.Contains(s, "OVERWRITTEN") {
			t.Errorf("a move of a mirror that has its record: %s", s)
		}
	})
}
