package engine_test

import (
	"testing"
	"time"
)

// The engine is killed at each of its commits while a target is cut off and the source dies: the next one goes on.
func TestEngineKilledWhileTheMirrorChanges(t *testing.T) {
	for at := 12; at < 60; at += 3 {
		mirroredData(t, func(b *dataBench) {
			m := b.mortal()
			end := b.traffic()
			m.arm(at, at%2 == 0)
			b.sim.Nodes.Cut("LK_P_A", "LK_P_B")
			b.untilDeadFor(m, 20*time.Second)
			b.sim.Nodes.HealAll()
			b.untilDeadFor(m, 20*time.Second)
			b.off("LK_P_A")
			b.untilDeadFor(m, 30*time.Second)
			if _, dead := m.count(); dead {
				b.revive()
			}
			time.Sleep(2 * time.Minute)
			end()
			now := active(b.snapshot(), pgTag)
			if len(b.sim.MirrorSources(dataTag)) == 0 { // LK_P_B was not in sync when LK_P_A died: only that one has everything
				b.on("LK_P_A")
				b.until("alive", alive)
				b.into("LK_P_A", false)
				now = "LK_P_A"
			}
			b.on("LK_P_A")
			b.holds(pgTag, now)
			b.legsIn(now)
			b.kept(now)
			for _, n := range b.sim.MirrorLegs(dataTag) {
				b.equal(now, n)
			}
		})
	}
}
