package engine_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
)

// What rests on a record begins only when that is durable: in every test the model of
// keep_world_test.go looks, right before a start or a task, whether every node that runs
// has the record, and notes it in data.wrong when one has not.

func (d *data) did() (done []string) {
	d.with(func() { done = slices.Clone(d.done) })
	return done
}

func (d *data) wentOn(engine, task, node string) bool {
	return slices.Contains(d.did(), engine+" "+task+" "+node)
}

func TestALegIsExcludedOnRecordFirst(t *testing.T) {
	mirrored(t, func(b *bench, d *data) {
		before := len(b.ops())
		b.off(mirrorB)
		b.until("frozen", func(*api.Snapshot) bool { return d.frozen() })
		began := time.Now()
		b.until("thawed", func(*api.Snapshot) bool { return !d.frozen() })
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("writes were frozen for %s", took)
		}
		s := b.until("impaired", func(s *api.Snapshot) bool { return mirState(s, mirrorA) == hierarchy.ISU })
		if m := mir(s); m.Data.Impaired.Code != "mir.out" || m.On[0].Reason.Code != "mir.out" || m.Data.Nodes[mirrorB]["state"] != "silent" || m.Data.Nodes[mirrorA]["state"] != "answers" {
			t.Errorf("shown: %+v, data %+v", m.On[0], m.Data)
		}
		b.becomes(mirrorB, policy.Dead)
		time.Sleep(time.Minute)
		if st := mirState(b.snapshot(), mirrorA); st != hierarchy.ISU {
			t.Errorf("after checks it is %s", st)
		}
		b.back(d, mirrorB)
		b.inSync(mirrorA)
		b.toldAll("exclude of LK_P_B begins", "exclude of LK_P_B is done", "The leg on LK_P_B is out.", "join of LK_P_B is done", "The leg on LK_P_B is in-sync.")
		if n := len(b.ops()); n != before {
			t.Errorf("operations: %q", b.ops())
		}
	})
}

// Only the impairment changes with what the kit says; recoveries are not counted for it.
func TestAnImpairedRecordIsNoFailure(t *testing.T) {
	mirrored(t, func(b *bench, d *data) {
		for range 4 {
			b.off(mirrorC)
			b.until("impaired", func(s *api.Snapshot) bool { return mirState(s, mirrorA) == hierarchy.ISU })
			b.back(d, mirrorC)
			b.inSync(mirrorA)
		}
		for _, op := range b.ops() {
			if strings.HasPrefix(op, "recover") || strings.HasPrefix(op, "failover") {
				t.Errorf("operations: %q", b.ops())
			}
		}
	})
}

// A node that answers and cannot take the record holds up the exclusion for a while only
// where another one has it, and the record is tried on it again.
func TestAFullDiskHoldsNobodyUpForEver(t *testing.T) {
	mirrored(t, func(b *bench, d *data) {
		d.with(func() { d.changed = nil })
		b.node(mirrorC).SetDiskFull(true)
		b.off(mirrorB)
		b.until("frozen", func(*api.Snapshot) bool { return d.frozen() })
		began := time.Now()
		b.until("thawed", func(*api.Snapshot) bool { return !d.frozen() })
		if took := time.Since(began); took < 9*time.Second || took > 20*time.Second {
			t.Errorf("it was frozen for %s", took)
		}
		b.node(mirrorC).SetDiskFull(false)
		b.until("the record there, too", func(*api.Snapshot) bool { return b.recordOn(mirrorC).Legs[mirrorB] == "out" })
	})
}

// TestEngineKilledBeforeAnExclusion kills the engine at every write from the moment on that
// a leg is lost. Whatever it had done until then, nothing is done that is not on record, and
// the next engine ends it.
func TestEngineKilledBeforeAnExclusion(t *testing.T) {
	for _, written := range []bool{false, true} {
		for at, done := 1, false; !done; at++ {
			if at > 40 {
				t.Fatal("more than 40 commits")
			}
			t.Run(fmt.Sprintf("commit=%d/written=%v", at, written), func(t *testing.T) {
				mirrored(t, func(b *bench, d *data) {
					m := b.mortal()
					m.arm(at, written)
					b.off(mirrorB)
					for range 3000 {
						if _, dead := m.count(); dead {
							break
						}
						time.Sleep(10 * time.Millisecond)
					}
					if _, dead := m.count(); !dead {
						done = true
						return
					}
					b.revive()
					b.until("thawed", func(*api.Snapshot) bool { return !d.frozen() })
				})
			})
		}
	}
}

// mortal replaces the engine by one that can be killed.
func (b *bench) mortal() *mortal {
	b.t.Helper()
	b.shut()
	m := &mortal{Store: b.disk.Open()}
	b.open(m)
	m.kill = b.line.Tear
	b.until("all nodes alive", alive)
	return m
}

// The same at any moment, also while scripts of a task run on a node.
func TestEngineKilledDuringAnExclusion(t *testing.T) {
	every := 240 * time.Millisecond
	if testing.Short() {
		every *= 3
	}
	for after := 50 * time.Millisecond; after < 2500*time.Millisecond; after += every {
		t.Run(after.String(), func(t *testing.T) {
			mirrored(t, func(b *bench, d *data) {
				m := b.mortal()
				b.off(mirrorB)
				time.Sleep(after)
				m.die()
				b.line.Tear()
				b.revive()
				b.until("thawed", func(*api.Snapshot) bool { return !d.frozen() })
				b.back(d, mirrorB)
				b.inSync(mirrorA)
				for _, e := range b.events("state") {
					if strings.Contains(e, "did not succeed") { // what still ran was awaited first
						t.Error(e)
					}
				}
			})
		})
	}
}

// A switchover that cannot stop the source because its writes are frozen gets its thaw
// meanwhile, and no leg is joined while it runs.
func TestUrgentTasksRunDuringOperations(t *testing.T) {
	mirrored(t, func(b *bench, d *data) {
		d.with(func() { d.onStop = func() { b.off(mirrorC) } })
		b.mirrorTo(mirrorB, false)
		b.settled(mirrorB)
		if !d.wentOn("first", "exclude", mirrorC) {
			t.Errorf("tasks %q", d.did())
		}
		b.back(d, mirrorC)
		b.inSync(mirrorB)
		if r := b.recordOn(mirrorA); r.Gen != 2 || r.Source != mirrorB {
			t.Errorf("on record: %+v", r)
		}
	})
}

// What is not urgent waits for the operation's end.
func TestOtherTasksWaitForOperations(t *testing.T) {
	mirrored(t, func(b *bench, d *data) {
		d.with(func() {
			d.onStop = func() {
				n := len(d.did())
				d.with(func() { d.out[mirrorC] = true })
				b.until("on record", func(*api.Snapshot) bool { return b.recordOn(mirrorB).Legs[mirrorC] == "out" })
				time.Sleep(5 * time.Second)
				if len(d.did()) != n {
					d.bad("done during the operation: %q", d.did()[n:])
				}
			}
		})
		b.mirrorTo(mirrorB, false)
		b.settled(mirrorB)
		b.inSync(mirrorB)
	})
}

func TestFailoverPromotesWhatIsInSync(t *testing.T) {
	mirrored(t, func(b *bench, d *data) {
		b.off(mirrorA)
		b.settled(mirrorB)
		b.told("The data of service/mir is that of LK_P_B from now on.")
		b.back(d, mirrorA)
		b.inSync(mirrorB)
	})
}

// A leg that is not in sync is not promoted, by whatever way; with a person's force it
// is, and the log has who and at what price.
func TestStaleLegsNeedForce(t *testing.T) {
	mirrored(t, func(b *bench, d *data) {
		b.off(mirrorB)
		b.until("excluded", func(*api.Snapshot) bool { return d.wentOn("first", "exclude", mirrorB) })
		d.with(func() { d.stuck["join"] = true })
		b.becomes(mirrorB, policy.Dead)
		b.back(d, mirrorB)
		b.becomes(mirrorB, policy.Alive)
		op := b.ended(b.mirrorTo(mirrorB, false))
		if op.Outcome != policy.OpRolledBack || !strings.Contains(op.Reason.Text, "42 minutes old") {
			t.Errorf("%s: %s", op.Outcome, op.Reason.Text)
		}
		b.settled(mirrorA)
		op = b.ended(b.mirrorTo(mirrorB, true))
		if op.Outcome != policy.OpDone {
			t.Errorf("%s: %s", op.Outcome, op.Reason.Text)
		}
		b.until("a join that fails", func(s *api.Snapshot) bool {
			return len(mir(s).Data.Tasks) > 0 && mir(s).Data.Tasks[0].Failed.Code != ""
		})
		b.told("anna forced service/mir into service on LK_P_B", "42 minutes old")
		b.told("join of LK_P_A for service/mir did not succeed")
		var forced []api.Event
		events, err := b.eng.Events(t.Context(), 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.Reason.Code == "keep-forced" {
				forced = append(forced, e)
			}
		}
		if len(forced) != 1 || forced[0].By != "anna" || forced[0].Severity != "warning" || forced[0].Reason.Because.Code != "mir.stale" || forced[0].Op != op.ID {
			t.Errorf("%+v", forced)
		}
		if d.starts != 2 {
			t.Errorf("%d starts", d.starts)
		}
	})
}

// A task that fails is tried again, with growing pauses, and said when that is new.
func TestFailedTasksAreTriedAgain(t *testing.T) {
	mirrored(t, func(b *bench, d *data) {
		d.with(func() { d.stuck["join"] = true })
		b.off(mirrorB)
		b.becomes(mirrorB, policy.Dead)
		b.back(d, mirrorB)
		s := b.until("tries", func(s *api.Snapshot) bool {
			m := mir(s)
			return len(m.Data.Tasks) == 1 && m.Data.Tasks[0].Tries >= 4
		})
		if task := mir(s).Data.Tasks[0]; task.Name != "join" || task.Node != mirrorB || task.Failed.Code != "mir.stuck" || time.Since(task.Began) > time.Minute {
			t.Errorf("%+v", task)
		}
		failed := 0
		for _, e := range b.events("state") {
			if strings.Contains(e, "did not succeed") {
				failed++
			}
		}
		if failed != 1 {
			t.Errorf("said %d times", failed)
		}
		d.with(func() { delete(d.stuck, "join") })
		b.inSync(mirrorA)
	})
}

// Pulses that hang delay no heartbeat and no other node's pulse, and do not pile up.
func TestPulsesThatHang(t *testing.T) {
	mirrored(t, func(b *bench, d *data) {
		d.with(func() { d.hangs[mirrorB] = true })
		time.Sleep(2 * time.Minute)
		s := b.snapshot()
		for _, n := range s.Nodes {
			if n.Verdict != policy.Alive || time.Since(n.Seen) > 2*time.Second {
				t.Errorf("%s is %s, seen %s ago", n.Name, n.Verdict, time.Since(n.Seen))
			}
		}
		if m := mir(s); m.Data.Nodes[mirrorB]["state"] != "silent" || m.Data.Nodes[mirrorC]["state"] != "answers" || time.Since(m.Data.Heard) > 3*time.Second {
			t.Errorf("%+v", m.Data)
		}
		b.off(mirrorC)
		b.until("thawed", func(*api.Snapshot) bool { return !d.frozen() && d.wentOn("first", "exclude", mirrorC) })
		d.with(func() { d.hangs = map[string]bool{} })
		b.until("heard again", func(s *api.Snapshot) bool { return mir(s).Data.Nodes[mirrorB]["state"] == "answers" })
	})
}

func TestADeletedResourceLeavesNoRecord(t *testing.T) {
	mirrored(t, func(b *bench, d *data) {
		goal := b.out("mir")
		b.ended(goal)
		var kept hierarchy.Resource
		b.redefine(func(e *hierarchy.Estate) { kept = e.Res[0]; e.Res = nil })
		b.until("no record on the nodes", func(*api.Snapshot) bool {
			for _, s := range b.sim.Definition.Servers {
				if b.recordOn(s.Name).Gen != 0 {
					return false
				}
			}
			return true
		})
		st := b.disk
		b.shut()
		s := st.Open()
		kvs, _, err := s.List(t.Context(), "state/keep/")
		if err != nil || len(kvs) != 0 {
			t.Errorf("%v, %v", kvs, err)
		}
		_ = s.Close()
		b.open(st.Open())
		b.until("all nodes alive", alive)
		b.redefine(func(e *hierarchy.Estate) { e.Res = []hierarchy.Resource{kept} })
		b.until("known", alive)
		b.ended(b.mirrorTo(mirrorC, false))
		if r := b.recordOn(mirrorA); r.Gen != 1 || r.Source != mirrorC {
			t.Errorf("%+v", r)
		}
	})
}

// An engine that adopted the estate does not rely on what the copies say until the source
// has proved it; the first engine has its tasks done no more.
func TestAnAdoptedRecordIsInDoubt(t *testing.T) {
	mirrored(t, func(b *bench, d *data) {
		b.sim.Nodes.CutNode(nodesim.Engine)
		time.Sleep(2 * time.Minute)
		d.with(func() { d.mute = map[string]bool{mirrorA: true} })
		second, f, _ := b.adoptFrom(standbyA, standbyB)
		defer second.shut()
		d.with(func() { d.second = second })
		for _, e := range f.State.Entities {
			var k policy.Keep
			if e.Key == "keep/"+string(mirror) && (json.Unmarshal(e.Value, &k) != nil || !k.Doubtful || len(k.Record) == 0) {
				t.Errorf("%s", e.Value)
			}
		}
		second.settled(mirrorA)
		second.told("was read from a copy, and a newer one may be missing")
		if !mir(second.snapshot()).Data.Doubtful {
			t.Error("it is not in doubt")
		}
		op := second.ended(second.mirrorTo(mirrorB, false))
		if op.Outcome != policy.OpRolledBack || !strings.Contains(op.Reason.Text, "in doubt") {
			t.Errorf("%s: %s", op.Outcome, op.Reason.Text)
		}
		second.settled(mirrorA)
		d.with(func() { d.mute = map[string]bool{} })
		second.inSync(mirrorA)
		second.told("it is in doubt no longer")

		// The first one is back, and neither excludes nor joins anything.
		b.sim.Nodes.HealNode(nodesim.Engine)
		b.eng.Slept(time.Hour)
		b.until("it gives way", func(s *api.Snapshot) bool { return strings.Contains(s.Engine.Notice, "no longer leading") })
		n := len(d.did())
		second.off(mirrorC)
		second.until("thawed", func(*api.Snapshot) bool { return !d.frozen() })
		second.back(d, mirrorC)
		second.inSync(mirrorA)
		for _, done := range d.did()[n:] {
			if !strings.HasPrefix(done, "second ") {
				t.Errorf("done: %s", done)
			}
		}
		if op := second.ended(second.mirrorTo(mirrorB, false)); op.Outcome != policy.OpDone {
			t.Errorf("%s: %s", op.Outcome, op.Reason.Text)
		}
	})
}

// A record that was never copied is in doubt just as well: empty does not mean new.
func TestAnAdoptedEmptyRecordIsInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, _ := mirrorBench(t)
		defer b.close()
		b.until("all nodes alive", alive)
		b.copied()
		b.sim.Nodes.CutNode(nodesim.Engine)
		time.Sleep(2 * time.Minute)
		second, _, _ := b.adoptFrom(standbyA)
		defer second.shut()
		second.until("all nodes alive", alive)
		op := second.ended(second.mirrorTo(mirrorA, false))
		if op.Outcome != policy.OpRolledBack || !strings.Contains(op.Reason.Text, "in doubt") {
			t.Errorf("%s: %s", op.Outcome, op.Reason.Text)
		}
		if op := second.ended(second.mirrorTo(mirrorA, true)); op.Outcome != policy.OpDone || mir(second.snapshot()).Data.Doubtful {
			t.Errorf("%s: %s", op.Outcome, op.Reason.Text)
		}
	})
}

// A console that was opened to look changes nothing; once a person has moved the mirror
// with it, it does what belongs to that.
func TestWithoutAutomationPeopleBegin(t *testing.T) {
	mirrored(t, func(b *bench, d *data) {
		b.shut()
		b.look = true
		b.open(b.disk.Open())
		b.until("all nodes alive", alive)
		n := len(d.did())
		b.off(mirrorC)
		b.until("on record", func(*api.Snapshot) bool { return b.recordOn(mirrorA).Legs[mirrorC] == "out" })
		time.Sleep(30 * time.Second)
		if !d.frozen() || len(d.did()) != n {
			t.Errorf("done: %q", d.did()[n:])
		}
		b.mirrorTo(mirrorB, false)
		b.settled(mirrorB)
		b.back(d, mirrorC)
		b.inSync(mirrorB)
	})
}

// toldAll demands an event for each text.
func (b *bench) toldAll(texts ...string) {
	b.t.Helper()
	for _, text := range texts {
		b.told(text)
	}
}

// out takes a resource out of service and gives the operation.
func (b *bench) out(tag hierarchy.Tag) string {
	b.t.Helper()
	s, err := b.eng.Submit(b.t.Context(), api.Command{Goal: outOfService(tag), By: "anna"})
	if err != nil {
		b.t.Fatal(err)
	}
	return s.Op
}

// The gap of a clock voids what was heard before it: no judgement is made of pulses that
// were under way then.
func TestASleepVoidsPulses(t *testing.T) {
	mirrored(t, func(b *bench, d *data) {
		d.with(func() { d.slow = true })
		var voided []time.Time
		for range 10 {
			var began time.Time
			d.with(func() { began = d.pulsed })
			b.until("another round", func(*api.Snapshot) bool {
				var again time.Time
				d.with(func() { again = d.pulsed })
				return again.After(began)
			})
			time.Sleep(50 * time.Millisecond)
			d.with(func() { voided = append(voided, d.pulsed) })
			b.eng.Slept(time.Hour)
			time.Sleep(time.Second)
		}
		d.with(func() { d.slow = false })
		b.until("all nodes alive", alive)
		b.inSync(mirrorA)
		for _, v := range voided {
			if slices.Contains(d.kept, v) {
				t.Errorf("what was heard from %s on was judged", v)
			}
		}
	})
}

// While no node that answers can take the record, the store alone is not enough.
func TestTheStoreAloneIsNotEnough(t *testing.T) {
	mirrored(t, func(b *bench, d *data) {
		for _, s := range b.sim.Definition.Servers {
			b.node(s.Name).SetDiskFull(true)
		}
		b.off(mirrorB)
		b.until("frozen", func(*api.Snapshot) bool { return d.frozen() })
		time.Sleep(2 * time.Minute)
		if !d.frozen() {
			t.Error("the leg was excluded on nobody's record")
		}
		for _, s := range b.sim.Definition.Servers {
			b.node(s.Name).SetDiskFull(false)
		}
		began := time.Now()
		b.until("thawed", func(*api.Snapshot) bool { return !d.frozen() })
		if took := time.Since(began); took > 15*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// Starting again what runs, or by an engine that takes an operation over, promotes nothing.
func TestARepeatedStartPromotesOnce(t *testing.T) {
	for after := time.Duration(0); after < 120*time.Millisecond; after += 17 * time.Millisecond {
		t.Run(after.String(), func(t *testing.T) {
			mirrored(t, func(b *bench, d *data) {
				m := b.mortal()
				b.mirrorTo(mirrorB, false)
				time.Sleep(after)
				m.die()
				b.line.Tear()
				b.revive()
				b.until("an end", func(s *api.Snapshot) bool { return len(s.Running) == 0 && mir(s).Active != "" && mir(s).Data != nil })
				at := mir(b.snapshot()).Active
				b.inSync(at)
				if r := b.recordOn(mirrorA); r.Source != at || at == mirrorB && r.Gen != 2 || at == mirrorA && r.Gen != 1 {
					t.Errorf("on %s, on record: %+v", at, r)
				}
			})
		})
	}
}
