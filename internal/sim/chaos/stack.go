package chaos

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/engine"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/store"
	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/internal/sim/account"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
	"github.com/ferry-ha/ferry/internal/sim/r53sim"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/app"
	"github.com/ferry-ha/ferry/kits/cloud"
	"github.com/ferry-ha/ferry/kits/ec2"
	"github.com/ferry-ha/ferry/kits/ip"
	"github.com/ferry-ha/ferry/kits/openswan"
	"github.com/ferry-ha/ferry/kits/route53"
)

// stack is everything that runs in one scenario.
type stack struct {
	sc   Scenario
	eyes *eyes
	sim  *sim.Sim
	aws  account.Account
	disk *store.Disk

	proc    *process   // the engine that runs; nil while there is none
	old     []*process // deposed ones that do not know it yet
	restart time.Time  // when the next engine is started; zero = not
	start   time.Time
	// nextAfter is how long after an engine's death at a commit the next one starts;
	// oldUntil is when deposed ones end.
	nextAfter time.Duration
	oldUntil  time.Time
	// faults are EC2's, nameFaults Route 53's, to be removed.
	faults, nameFaults []func()
}

// process is one engine's process: its store session, its connections, its death.
type process struct {
	eng   *engine.Engine
	line  *sim.Line
	store *mortal
}

// registry holds the kits; name servers are not asked: nothing here leaves the machine.
func registry(c interface {
	ec2.Cloud
	cloud.DNS
},
) kits.Registry {
	reg, err := kits.NewRegistry(ip.Kit{}, ec2.New(c), route53.New(c).Asking(nil), app.Kit{}, openswan.Kit{})
	if err != nil {
		panic(err) // our own four kits have four names
	}
	return reg
}

// syncLag is how long Route 53 takes to tell its name servers; AWS says within 60 seconds.
const syncLag = 30 * time.Second

// bring builds the estate and its first engine, in dir, and brings every hierarchy
// into service on its first node.
func bring(ctx context.Context, sc Scenario, dir string) (*stack, error) {
	w := &stack{sc: sc, eyes: newEyes(sc.Shape), disk: store.NewDisk()}
	e := sc.Shape.Estate()
	s, err := sim.New(e, sim.Options{
		Dir:   dir,
		Nodes: nodesim.Options{CommandTime: 5 * time.Millisecond, Watch: w.eyes.node},
		EC2:   ec2sim.Options{StateLag: time.Minute}, Route53: r53sim.Options{SyncLag: syncLag},
	})
	if err != nil {
		return nil, err
	}
	w.sim, w.aws, w.start = s, account.New(s), time.Now()
	s.Route53.OnChange(w.eyes.renamed)
	if sc.Shape.Jump {
		for i := range s.Definition.Servers {
			if srv := &s.Definition.Servers[i]; srv.Name != bastion {
				srv.SSH.Jump = "root@" + s.Definition.Server(bastion).Address
			}
		}
	}
	if err := w.boot(ctx); err != nil {
		return w, err
	}
	if _, err := w.proc.eng.Apply(ctx, api.Apply{Estate: s.Definition}); err != nil {
		return w, fmt.Errorf("applying the estate: %w", err)
	}
	return w, w.begin(ctx)
}

// boot starts an engine on the disk.
func (w *stack) boot(ctx context.Context) error {
	p := &process{line: sim.NewLine(w.sim.Nodes.DialContext)}
	p.store = &mortal{Store: w.disk.Open(), seen: w.eyes.commit}
	p.store.kill = p.line.Tear
	eng, err := engine.Open(ctx, engine.Options{
		Store: p.store, Kits: registry(w.aws), Cloud: w.aws, Nodes: p.line.DialContext, Who: "chaos", Automation: true,
	})
	if err != nil {
		p.line.Tear()
		_ = p.store.Close()
		return fmt.Errorf("starting an engine: %w", err)
	}
	p.eng, w.proc = eng, p
	return nil
}

// crash ends an engine as kill -9 does: nothing of it acts from now on.
func (p *process) crash() {
	p.store.die()
	p.line.Tear()
	_ = p.eng.Close() // ends what is left of it in this process
}

// close ends everything, as the bubble demands.
func (w *stack) close() {
	for _, p := range append(w.old, w.proc) {
		if p != nil {
			p.crash()
		}
	}
	w.sim.Close()
}

// mortal is a process's session on the store. It dies with its process, may die at a
// chosen commit, and may stall with the whole machine. What is committed is shown to
// seen, in order.
type mortal struct {
	store.Store
	kill func()
	seen func(store.Txn)

	mu      sync.Mutex // never held while waiting
	dead    bool
	left    int // commits until it dies; 0 = it does not
	written bool
	stalled time.Time
}

// Commit applies the transaction unless the process is dead.
func (m *mortal) Commit(ctx context.Context, t store.Txn) (int64, error) {
	m.mu.Lock()
	wait := time.Until(m.stalled)
	m.mu.Unlock()
	if wait > 0 {
		time.Sleep(wait) // the machine is asleep: no deadline helps
	}
	m.mu.Lock()
	last := false
	if m.left > 0 {
		m.left--
		last = m.left == 0
	}
	dead, written := m.dead, m.written
	m.dead = m.dead || last
	m.mu.Unlock()
	if last && !dead {
		m.kill()
	}
	if dead || last && !written {
		return 0, sim.ErrKilled
	}
	rev, err := m.Store.Commit(ctx, t)
	if err == nil {
		m.seen(t)
	}
	if last {
		return 0, sim.ErrKilled
	}
	return rev, err
}

func (m *mortal) die() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = true
}

func (m *mortal) isDead() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dead
}

// dieAt lets the process die at the n-th commit from now.
func (m *mortal) dieAt(n int, written bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left, m.written = n, written
}

func (m *mortal) stall(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stalled = time.Now().Add(d)
}
