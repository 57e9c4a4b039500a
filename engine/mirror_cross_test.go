package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
)

// A planned crossing to the other region and back needs no force: the copies there are asynchronous, and are complete once the
// source has been stopped in good order. Whatever goes wrong on the way, nothing that was acknowledged is lost.

// crossing asks for the database on a node of the other region, without force.
func (b *dataBench) crossing(node string) string {
	b.t.Helper()
	region, _ := b.where(node)
	b.until("nothing under way", func(s *api.Snapshot) bool { return len(s.Running) == 0 })
	s, err := b.eng.Submit(b.t.Context(), api.Command{Goal: plan.Goal{Kind: plan.GoalInService, Tag: pgTag, Node: node}, By: "anna", ConfirmRegion: region})
	if err != nil {
		b.t.Fatalf("to %s: %v\n%s", node, err, b.story())
	}
	return s.Op
}

// crossed takes the database to the other region, where every row has to be.
func (b *dataBench) crossed(node string) {
	b.t.Helper()
	if op := b.ended(b.crossing(node)); op.Outcome != policy.OpDone {
		b.t.Fatalf("to %s: %s: %s\n%s", node, op.Outcome, op.Reason.Text, b.story())
	}
	b.kept(node)
}

// refused tries a crossing that has to be refused for a reason.
func (b *dataBench) refused(node, why string) {
	b.t.Helper()
	if op := b.ended(b.crossing(node)); op.Outcome == policy.OpDone || !strings.Contains(op.Reason.Text, why) {
		b.t.Errorf("to %s: %s: %s\n%s", node, op.Outcome, op.Reason.Text, b.story())
	}
}

func (b *dataBench) nobodyForced() {
	b.t.Helper()
	for _, e := range b.events("") {
		if strings.Contains(e, "forced") {
			b.t.Error(e)
		}
	}
}

func TestDatabaseCrossesWithoutForce(t *testing.T) {
	mirroredData(t, func(b *dataBench) {
		end := b.traffic()
		defer end()
		time.Sleep(3 * time.Second)
		for _, to := range []string{"LK_S_A", "LK_P_A", "LK_S_B", "LK_P_B"} {
			b.crossed(to)
			b.legsIn(to)
			time.Sleep(3 * time.Second)
		}
		b.told("it has everything that LK_P_A had")
		b.told("it has everything that LK_S_B had")
		b.nobodyForced()
		if len(b.rows) < 20 {
			t.Errorf("only %d rows were acknowledged", len(b.rows))
		}
		b.out(dataTag)
		b.until("out of service", func(s *api.Snapshot) bool { return len(s.Running) == 0 && len(b.sim.MirrorSources(dataTag)) == 0 })
		b.equal("LK_P_B", "LK_P_A", "LK_S_A", "LK_S_B")
	})
}

// Out of service first and started on the other side later is the same.
func TestDatabaseCrossesAfterARest(t *testing.T) {
	mirroredData(t, func(b *dataBench) {
		b.down()
		time.Sleep(10 * time.Minute)
		b.crossed("LK_S_A")
		b.nobodyForced()
	})
}

// down takes everything out of service.
func (b *dataBench) down() {
	b.t.Helper()
	for _, tag := range []hierarchy.Tag{pgTag, fsTag, dataTag} {
		if op := b.ended(b.out(tag)); op.Outcome != policy.OpDone {
			b.t.Fatalf("%s out of service: %s", tag, op.Reason.Text)
		}
	}
}

// A target that was started anew since it served its leg cannot prove that all of it has reached the disk.
func TestRebootedTargetIsNotSettled(t *testing.T) {
	mirroredData(t, func(b *dataBench) {
		b.down()
		b.off("LK_S_A")
		b.becomes("LK_S_A", policy.Dead)
		b.on("LK_S_A")
		b.until("alive", alive)
		b.refused("LK_S_A", "was started anew since its disk is served")
		b.crossed("LK_S_B") // that one was not
		b.nobodyForced()
	})
}

// Without its source an asynchronous copy is what it was: perhaps incomplete.
func TestCrossingNeedsTheSource(t *testing.T) {
	mirroredData(t, func(b *dataBench) {
		b.down()
		b.off("LK_P_A")
		b.becomes("LK_P_A", policy.Dead)
		b.refused("LK_S_A", "asynchronous")
		b.on("LK_P_A")
		b.until("alive", alive)
		b.crossed("LK_S_A") // what it noted when it was stopped outlives a boot
	})
}

// A copy that has been settled may be started without its source, after a boot of its own and by another engine.
func TestSettledCopyNeedsItsSourceNoMore(t *testing.T) {
	mirroredData(t, func(b *dataBench) {
		m := b.mortal()
		b.down()
		b.crossing("LK_S_A")
		b.until("settled", func(*api.Snapshot) bool {
			return slices.ContainsFunc(b.events(""), func(e string) bool { return strings.Contains(e, "it has everything that LK_P_A had") })
		})
		m.die()
		b.line.Tear()
		b.off("LK_P_A", "LK_S_A")
		b.revive()
		b.on("LK_S_A")
		time.Sleep(3 * time.Minute)
		b.until("nothing under way", func(s *api.Snapshot) bool { return len(s.Running) == 0 })
		if b.sim.Mirror(dataTag, "LK_S_A").Source {
			t.Fatalf("it was killed too late\n%s", b.story())
		}
		b.crossed("LK_S_A")
		b.nobodyForced()
	})
}

// misfortunes of a crossing; each happens at some moment of it.
var crossFaults = []struct {
	name string
	do   func(b *dataBench)
}{
	{"the link to the target is cut", func(b *dataBench) { b.sim.Nodes.Cut("LK_P_A", "LK_S_A") }},
	{"the target loses its power", func(b *dataBench) { b.off("LK_S_A") }},
	{"the target is started anew", func(b *dataBench) { b.node("LK_S_A").PowerOff(); b.node("LK_S_A").PowerOn() }},
	{"the source loses its power", func(b *dataBench) { b.off("LK_P_A") }},
	{"the source is started anew", func(b *dataBench) { b.node("LK_P_A").PowerOff(); b.node("LK_P_A").PowerOn() }},
	{"the source is cut off", func(b *dataBench) { b.sim.Nodes.CutNode("LK_P_A") }},
	{"the engine is killed", func(b *dataBench) { b.line.Tear(); b.revive() }},
}

// A part of the moments is played; all of them with -mirror.seeds above 3.
func TestCrossingGoesWrong(t *testing.T) {
	for i, f := range crossFaults {
		for j, after := range []int{0, 60, 100, 130, 145, 150, 155, 165, 250} {
			if *mirrorSeeds <= 3 && (i+j)%4 != 0 {
				continue
			}
			t.Run(fmt.Sprintf("%s after %d ms", f.name, after), func(t *testing.T) {
				mirroredData(t, func(b *dataBench) {
					end := b.traffic()
					defer end()
					time.Sleep(3 * time.Second)
					began := time.Now()
					b.crossing("LK_S_A")
					time.Sleep(time.Duration(after)*time.Millisecond - time.Since(began))
					f.do(b)
					time.Sleep(2 * time.Minute)
					b.sim.Nodes.HealAll()
					for _, n := range b.sim.MirrorLegs(dataTag) {
						b.on(n)
					}
					time.Sleep(2 * time.Minute)
					b.somewhere()
					b.nobodyForced()
				})
			})
		}
	}
}

// The engine is killed at each of its commits during a crossing: it is finished by the next one, or taken back.
func TestEngineKilledDuringACrossing(t *testing.T) {
	step := 5
	if *mirrorSeeds > 3 {
		step = 1
	}
	for at := 1; at < 40; at += step {
		t.Run(fmt.Sprint("commit ", at), func(t *testing.T) {
			mirroredData(t, func(b *dataBench) {
				m := b.mortal()
				end := b.traffic()
				defer end()
				time.Sleep(time.Second)
				m.arm(at, at%2 == 1)
				c := api.Command{Goal: plan.Goal{Kind: plan.GoalInService, Tag: pgTag, Node: "LK_S_A"}, By: "anna", ConfirmRegion: far}
				_, _ = b.eng.Submit(b.t.Context(), c) // it may be killed at that
				b.untilDeadFor(m, 30*time.Second)
				if _, dead := m.count(); dead {
					b.revive()
				}
				time.Sleep(time.Minute)
				b.somewhere()
				b.nobodyForced()
			})
		})
	}
}

// somewhere demands that the database is in service on one node, by itself or by a person without force, with every
// acknowledged row, and that all disks are brought up to date.
func (b *dataBench) somewhere() {
	b.t.Helper()
	b.until("nothing under way", func(s *api.Snapshot) bool { return len(s.Running) == 0 })
	serves := func() string {
		s := b.snapshot()
		at := active(s, pgTag)
		if at == "" || !slices.Equal(b.sim.MirrorSources(dataTag), []string{at}) || !strings.HasPrefix(string(stateOn(s, pgTag, at)), "IS") {
			return ""
		}
		return at
	}
	for range 3 {
		for _, n := range b.sim.MirrorLegs(dataTag) {
			if serves() == "" {
				b.ended(b.crossing(n))
				time.Sleep(30 * time.Second)
			}
		}
	}
	at := serves()
	if at == "" {
		b.t.Fatalf("it is in service nowhere\n%s", b.story())
	}
	for _, n := range b.sim.MirrorLegs(dataTag) {
		b.on(n)
	}
	b.legsIn(at)
	b.write(1)
	b.kept(at)
	b.out(pgTag)
	b.until("nothing is written", func(s *api.Snapshot) bool { return len(s.Running) == 0 && active(s, pgTag) == "" })
	time.Sleep(5 * time.Second) // what is on its way arrives
	b.equal(append([]string{at}, b.sim.MirrorLegs(dataTag)...)...)
}
