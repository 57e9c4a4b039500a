package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/engine"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/store"
	"github.com/ferry-ha/ferry/examples"
	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/internal/sim/account"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
	"github.com/ferry-ha/ferry/kits"
)

// What takes minutes in production, in seconds.
const (
	beat  = "1" // LCMHBEATTIME
	check = "5" // LKCHECKINTERVAL
	// stateLag is how long EC2 goes on calling a machine without power running: the real
	// one takes a minute or more, which is why an engine must not wait for it.
	stateLag = 90 * time.Second
	// nextEngine is how long after an engine was killed the next one starts, as a
	// supervisor would start it.
	nextEngine = 4 * time.Second
	// settleTime bounds the way to the first service in service; on a machine that is busy it takes minutes.
	settleTime = 5 * time.Minute
)

// Options of a demo.
type Options struct {
	// Kits makes the product's kits on the simulated account.
	Kits func(account.Account) kits.Registry
	// Person is whose commands they are, Who the engine's name; Version is the program's.
	Person, Who, Version string
	// Log is the engine's; nil = nowhere.
	Log *slog.Logger
	// Small takes the estate without data: a program in the database's place.
	Small bool
	// Idle leaves everything out of service.
	Idle bool
	// Bare leaves the definition to whoever applies one: the nodes are prepared, and the engine knows of none.
	Bare bool
	// Change alters the definition before it comes to life; nil = as it is. For tests.
	Change func(*hierarchy.Estate)
}

// Demo is the estate with its engine. Make one with Open.
type Demo struct {
	opts   Options
	sim    *sim.Sim
	aws    account.Account
	kits   kits.Registry
	disk   *store.Disk
	client client
	data   estateData
	items  []*Breakage

	life   context.Context // the demo's own, ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	engine *engine.Engine // nil while none runs
	line   *sim.Line
}

// Open starts the estate and its engine and returns at once; within seconds the service
// is in service on the node of highest priority, and its data copied to the others.
func Open(ctx context.Context, o Options) (*Demo, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	d := &Demo{opts: o, disk: store.NewDisk()}
	d.life, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := d.open(ctx); err != nil {
		d.Close()
		return nil, fmt.Errorf("starting the simulated estate: %w", err)
	}
	d.items = d.menu()
	d.wg.Go(func() { d.client.run(d.life) })
	if o.Idle || o.Bare {
		return d, nil
	}
	d.wg.Go(func() {
		if err := d.begin(d.life); err != nil && d.life.Err() == nil {
			o.Log.Error("the demo's service did not start", "error", err)
		}
	})
	return d, nil
}

func (d *Demo) open(ctx context.Context) error {
	text, name := examples.CrossRegionOracle, "examples/cross-region-oracle.toml"
	if d.opts.Small {
		text, name = examples.CrossRegion, "examples/cross-region.toml"
	}
	e, err := config.Load(strings.NewReader(text), name, d.opts.Kits(account.Account{}))
	if err != nil {
		return err
	}
	for i := range e.Servers {
		e.Servers[i].Tuning["LCMHBEATTIME"], e.Servers[i].Tuning["LKCHECKINTERVAL"] = beat, check
	}
	if d.opts.Change != nil {
		d.opts.Change(e)
	}
	tuneTunnels(e)
	if d.sim, err = sim.New(e, sim.Options{EC2: ec2sim.Options{StateLag: stateLag}, Nodes: nodesim.Options{CommandTime: 5 * time.Millisecond}}); err != nil {
		return err
	}
	d.aws = account.New(d.sim)
	d.kits = d.opts.Kits(d.aws)
	d.data = d.dataOf()
	d.client.of(d.sim, d.data)
	if err := d.start(ctx); err != nil {
		return err
	}
	if d.opts.Bare {
		return nil
	}
	_, err = d.engine.Apply(ctx, api.Apply{Estate: d.sim.Definition, By: d.opts.Person})
	return err
}

// Kits are those of this estate, for tui.Options.
func (d *Demo) Kits() kits.Registry { return d.kits }

// Sim is the estate behind it, for tests.
func (d *Demo) Sim() *sim.Sim { return d.sim }

// start opens an engine.
func (d *Demo) start(ctx context.Context) error {
	way := sim.NewLine(d.sim.Nodes.DialContext)
	e, err := engine.Open(ctx, engine.Options{
		Store: d.disk.Open(), Kits: d.kits, Cloud: d.aws, Nodes: way.DialContext,
		Who: d.opts.Who, Automation: true, Version: d.opts.Version, Log: d.opts.Log,
		// Nothing of the estate is this machine, whatever addresses it has.
		Here: func(string) bool { return false },
	})
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.engine, d.line = e, way
	d.mu.Unlock()
	return nil
}

// Connect gives the engine of the moment, for tui.Desk.
func (d *Demo) Connect(context.Context) (api.Service, error) {
	if e := d.current(); e != nil {
		return api.As(e, api.Caller{Who: d.opts.Person, Role: api.Administrator}), nil
	}
	return nil, errKilled()
}

func errKilled() error {
	return &api.Error{Kind: api.KindUnavailable, Message: "the engine was killed", Hint: "the next one starts within seconds"}
}

func (d *Demo) current() *engine.Engine {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.engine
}

// begin puts the service in service once everything was seen.
func (d *Demo) begin(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	for {
		if e := d.current(); e != nil {
			s, err := e.Snapshot(ctx)
			if err == nil && Looked(s) {
				return d.inService(ctx, e, s)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// inService asks for every hierarchy's root on its first node, as an administrator would.
func (d *Demo) inService(ctx context.Context, e api.Service, s *api.Snapshot) error {
	x := hierarchy.NewIndex(s.Estate)
	var errs []error
	for _, r := range s.Estate.Res {
		if len(x.Parents(r.Tag)) > 0 {
			continue
		}
		goal := plan.Goal{Kind: plan.GoalInService, Tag: r.Tag, Node: x.PlacementsByPriority(r.Tag)[0].Server, By: d.opts.Person}
		_, err := e.Submit(ctx, api.Command{ID: "demo-" + string(r.Tag), Goal: goal, By: d.opts.Person})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Looked tells whether every node is alive, and what runs on it has been looked at.
func Looked(s *api.Snapshot) bool {
	for _, n := range s.Nodes {
		if n.Verdict != policy.Alive {
			return false
		}
	}
	for _, r := range s.Resources {
		for _, in := range r.On {
			if in.State == hierarchy.ILLSTATE {
				return false
			}
		}
	}
	return s.Estate != nil
}

// kill ends the engine as kill -9 would: its connections break, its store takes nothing
// any more, and what it was doing stays as it is. The next one starts a little later.
func (d *Demo) kill() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, way := d.engine, d.line
	if e == nil || d.life.Err() != nil {
		return nil
	}
	d.engine = nil
	d.disk.Depose()
	way.Tear()
	d.wg.Go(func() {
		_ = e.Close() // it says that it was deposed
		select {
		case <-d.life.Done():
			return
		case <-time.After(nextEngine):
		}
		if err := d.start(d.life); err != nil && d.life.Err() == nil {
			d.opts.Log.Error("the next engine did not start", "error", err)
		}
	})
	return nil
}

// Close ends everything and waits for it.
func (d *Demo) Close() {
	d.mu.Lock() // no engine is killed from here on
	d.cancel()
	d.mu.Unlock()
	if d.sim != nil {
		d.sim.EC2.ClearFaults() // a call that hangs must not keep the engine from ending
		d.sim.Route53.ClearFaults()
	}
	d.wg.Wait()
	if e := d.current(); e != nil {
		if err := e.Close(); err != nil {
			d.opts.Log.Warn("ending the demo's engine", "error", err)
		}
	}
	if d.sim != nil {
		d.sim.Close()
	}
}
