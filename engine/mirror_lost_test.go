package engine_test

import (
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
)

// TestSourceIsLostAtAnyMomentOfAMove: the power of the node that the database leaves goes at one moment of the move after the
// other. What was undone for its sake must not have spoiled the copies: the other node of the region takes over by itself,
// without anybody's force, and no acknowledged row is lost.
func TestSourceIsLostAtAnyMomentOfAMove(t *testing.T) {
	mirroredData(t, func(b *dataBench) {
		t := b.t
		for after := time.Duration(0); after < 1200*time.Millisecond && !t.Failed(); after += 50 * time.Millisecond {
			b.write(2)
			b.until("nothing under way", func(s *api.Snapshot) bool { return len(s.Running) == 0 })
			s, err := b.eng.Submit(t.Context(), api.Command{Goal: plan.Goal{Kind: plan.GoalInService, Tag: pgTag, Node: "LK_P_B"}, By: "anna"})
			if err != nil {
				t.Fatalf("after %s: %v\n%s", after, err, b.story())
			}
			time.Sleep(after)
			b.off("LK_P_A")
			lost := time.Now()
			// Nobody waits for what the move would still do on a node that is lost, its undoing included: the failover begins.
			if op := b.ended(s.Op); op.Outcome == policy.OpFailed && op.Ended.Sub(lost) > 30*time.Second {
				t.Errorf("lost %s after the move's begin: the move ended only %s later: %s", after, op.Ended.Sub(lost), op.Reason.Text)
			}
			b.holds(pgTag, "LK_P_B")
			b.kept("LK_P_B")
			b.on("LK_P_A")
			b.legsIn("LK_P_B")
			b.equal("LK_P_B", "LK_P_A", "LK_S_A", "LK_S_B")
			b.put(pgTag, "LK_P_A")
			b.legsIn("LK_P_A")
			if t.Failed() {
				t.Logf("lost %s after the move's begin", after)
			}
		}
	})
}
