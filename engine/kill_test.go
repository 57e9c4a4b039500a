package engine_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/store"
	"github.com/ferry-ha/ferry/internal/sim"
)

// mortal is a store whose process is killed at a chosen commit, right before it is
// written or right after.
type mortal struct {
	store.Store
	kill func()

	mu      sync.Mutex
	armed   bool
	at      int
	written bool
	dead    bool
	commits int
}

func (m *mortal) Commit(ctx context.Context, t store.Txn) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.dead {
		return 0, sim.ErrKilled
	}
	if m.armed {
		m.commits++
	}
	if m.armed && m.commits == m.at {
		m.dead = true
		m.kill()
		if !m.written {
			return 0, sim.ErrKilled
		}
		if _, err := m.Store.Commit(ctx, t); err != nil {
			return 0, err
		}
		return 0, sim.ErrKilled
	}
	return m.Store.Commit(ctx, t)
}

func (m *mortal) arm(at int, written bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.armed, m.at, m.written, m.commits = true, at, written, 0
}

func (m *mortal) die() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = true
}

func (m *mortal) count() (int, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.commits, m.dead
}

// revive ends what is left of the killed engine in this process and starts the next one.
func (b *bench) revive() {
	b.t.Helper()
	_ = b.eng.Close() // its store refuses everything; its connections are torn
	b.open(b.disk.Open())
}

// mortalBench is a serving bench whose engine can be killed.
func mortalBench(t *testing.T) (*bench, *mortal) {
	t.Helper()
	b := serving(t)
	if err := b.eng.Close(); err != nil {
		t.Fatal(err)
	}
	m := &mortal{Store: b.disk.Open()}
	b.open(m)
	line := b.line
	m.kill = line.Tear
	b.until("all nodes alive", alive)
	return b, m
}

// scenes are the operations during which the engine is killed.
var scenes = []struct {
	name  string
	start func(*bench)
	ends  []string // where the service may be in the end
}{
	{"switchover", func(b *bench) {
		goal := plan.Goal{Kind: plan.GoalInService, Tag: "www", Node: "LK_P_B"}
		_, err := b.eng.Submit(b.t.Context(), api.Command{Goal: goal, By: "anna"})
		if err != nil && !strings.Contains(err.Error(), sim.ErrKilled.Error()) {
			b.t.Fatal(err)
		}
	}, []string{"LK_P_A", "LK_P_B"}},
	{"failover", func(b *bench) {
		if err := b.sim.PowerOff("LK_P_A"); err != nil {
			b.t.Fatal(err)
		}
	}, []string{"LK_P_B"}},
}

// TestEngineKilledAtEveryCommit kills the engine at every write of an operation, right
// before and right after it, and demands that the next engine ends consistent: the
// service on one node, all of it, and the operation in a recorded state.
func TestEngineKilledAtEveryCommit(t *testing.T) {
	for _, sc := range scenes {
		for _, written := range []bool{false, true} {
			for at, done := 1, false; !done; at++ {
				if at > 80 {
					t.Fatalf("%s: more than 80 commits", sc.name)
				}
				t.Run(fmt.Sprintf("%s/commit=%d/written=%v", sc.name, at, written), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						b, m := mortalBench(t)
						defer b.close()
						m.arm(at, written)
						sc.start(b)
						done = !b.untilDeadOr(m, sc.ends[len(sc.ends)-1])
						if !done {
							b.revive()
							b.consistent(sc.ends)
						}
					})
				})
			}
		}
	}
}

// TestEngineKilledInTheMiddle kills the engine every few milliseconds of an operation,
// also while scripts run on nodes: they go on there, and the next engine finds them.
func TestEngineKilledInTheMiddle(t *testing.T) {
	every := 7 * time.Millisecond
	if testing.Short() {
		every *= 6
	}
	for _, sc := range scenes {
		for after, done := time.Duration(0), false; !done; after += every {
			if after > 5*time.Second {
				t.Fatalf("%s takes more than five seconds", sc.name)
			}
			t.Run(fmt.Sprintf("%s/after=%s", sc.name, after), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b, m := mortalBench(t)
					defer b.close()
					sc.start(b)
					b.until("an operation", func(s *api.Snapshot) bool { return len(s.Running) > 0 || on("LK_P_B")(s) })
					time.Sleep(after)
					done = on("LK_P_B")(b.snapshot())
					m.die()
					b.line.Tear()
					b.revive()
					b.consistent(sc.ends)
				})
			})
		}
	}
}

// untilDeadOr waits until the engine was killed (true) or has ended its work.
func (b *bench) untilDeadOr(m *mortal, node string) bool {
	b.t.Helper()
	for range 12_000 {
		if _, dead := m.count(); dead {
			return true
		}
		if s, err := b.eng.Snapshot(b.t.Context()); err == nil && on(node)(s) {
			return false
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.t.Fatalf("neither killed nor done\n%s", b.story())
	return false
}

// consistent demands that the service settles on one of the nodes, whole, and that
// no operation is left open.
func (b *bench) consistent(nodes []string) {
	b.t.Helper()
	where := ""
	b.until("one of the ends", func(s *api.Snapshot) bool {
		for _, n := range nodes {
			if on(n)(s) {
				where = n
				return true
			}
		}
		return false
	})
	time.Sleep(15 * time.Second) // a check cycle: what is believed is looked at
	b.settled(where)
	b.check(where)
	ops, err := b.eng.Operations(b.t.Context(), 0)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, op := range ops {
		if op.Outcome == policy.OpRunning {
			b.t.Errorf("operation %s is still open", op.ID)
		}
	}
}
