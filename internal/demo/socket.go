package demo

import (
	"context"
	"slices"
	"sync"

	"github.com/ferry-ha/ferry/engine"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// Serve answers plain commands on a socket until ctx or the demo ends: whatever can be typed on a real estate can be typed
// on this one, from another terminal. It outlives the engines that are killed.
func (d *Demo) Serve(ctx context.Context, path string) error {
	srv, err := api.Listen(ctx, api.Options{Socket: path, Log: d.opts.Log})
	if err != nil {
		return err
	}
	d.wg.Go(func() {
		if err := srv.Serve(d.life, &counter{d: d}); err != nil && d.life.Err() == nil {
			d.opts.Log.Error("the demo's socket broke", "socket", path, "error", err)
		}
	})
	return nil
}

// counter serves whoever calls from outside, with the engine of the moment. A definition says how its engine logs in to the
// nodes; the simulated ones want a key of their own, which is put in its place on the way in and taken out on the way out.
type counter struct {
	d   *Demo
	mu  sync.Mutex
	ssh map[string]hierarchy.SSH // by server as last applied; "" = for all
}

func (c *counter) engine() (*engine.Engine, error) {
	if e := c.d.current(); e != nil {
		return e, nil
	}
	return nil, errKilled()
}

// ask calls the engine of the moment.
func ask[T any](c *counter, f func(*engine.Engine) (T, error)) (T, error) {
	e, err := c.engine()
	if err != nil {
		var none T
		return none, err
	}
	return f(e)
}

func (c *counter) tell(f func(*engine.Engine) error) error {
	_, err := ask(c, func(e *engine.Engine) (struct{}, error) { return struct{}{}, f(e) })
	return err
}

// shown is a definition in force as its author wrote it.
func (c *counter) shown(e *hierarchy.Estate) *hierarchy.Estate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e == nil || c.ssh == nil {
		return e
	}
	out := *e
	out.SSH, out.Servers = c.ssh[""], slices.Clone(e.Servers)
	for i := range out.Servers {
		out.Servers[i].SSH = c.ssh[out.Servers[i].Name]
	}
	return &out
}

func (c *counter) remember(e *hierarchy.Estate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ssh = map[string]hierarchy.SSH{"": e.SSH}
	for _, s := range e.Servers {
		c.ssh[s.Name] = s.SSH
	}
}

// Apply implements api.Service.
func (c *counter) Apply(ctx context.Context, a api.Apply) (*api.Applied, error) {
	return ask(c, func(e *engine.Engine) (*api.Applied, error) {
		if a.Estate == nil {
			return e.Apply(ctx, a)
		}
		now, err := e.Export(ctx)
		if err != nil {
			return nil, err
		}
		if a.Base == hierarchy.Digest(c.shown(now)) {
			a.Base = hierarchy.Digest(now)
		}
		given := a.Estate
		a.Estate = c.d.sim.Redirect(given)
		done, err := e.Apply(ctx, a)
		if err == nil && !a.DryRun {
			c.remember(given)
		}
		return done, err
	})
}

// Export implements api.Service.
func (c *counter) Export(ctx context.Context) (*hierarchy.Estate, error) {
	e, err := ask(c, func(e *engine.Engine) (*hierarchy.Estate, error) { return e.Export(ctx) })
	return c.shown(e), err
}

// Snapshot implements api.Service.
func (c *counter) Snapshot(ctx context.Context) (*api.Snapshot, error) {
	s, err := ask(c, func(e *engine.Engine) (*api.Snapshot, error) { return e.Snapshot(ctx) })
	if err != nil {
		return nil, err
	}
	out := *s
	out.Estate = c.shown(s.Estate)
	return &out, nil
}

// Watch implements api.Service.
func (c *counter) Watch(ctx context.Context, after int64) (<-chan api.Update, error) {
	return ask(c, func(e *engine.Engine) (<-chan api.Update, error) { return e.Watch(ctx, after) })
}

// Events implements api.Service.
func (c *counter) Events(ctx context.Context, after int64, limit int) ([]api.Event, error) {
	return ask(c, func(e *engine.Engine) ([]api.Event, error) { return e.Events(ctx, after, limit) })
}

// Operations implements api.Service.
func (c *counter) Operations(ctx context.Context, limit int) ([]api.Operation, error) {
	return ask(c, func(e *engine.Engine) ([]api.Operation, error) { return e.Operations(ctx, limit) })
}

// Preview implements api.Service.
func (c *counter) Preview(ctx context.Context, cmd api.Command) (*api.Preview, error) {
	return ask(c, func(e *engine.Engine) (*api.Preview, error) { return e.Preview(ctx, cmd) })
}

// Submit implements api.Service.
func (c *counter) Submit(ctx context.Context, cmd api.Command) (*api.Submitted, error) {
	return ask(c, func(e *engine.Engine) (*api.Submitted, error) { return e.Submit(ctx, cmd) })
}

// Answer implements api.Service.
func (c *counter) Answer(ctx context.Context, a api.Answer) error {
	return c.tell(func(e *engine.Engine) error { return e.Answer(ctx, a) })
}

// SetTuning implements api.Service.
func (c *counter) SetTuning(ctx context.Context, node, name, value string) error {
	return c.tell(func(e *engine.Engine) error { return e.SetTuning(ctx, node, name, value) })
}

// Choices implements api.Service.
func (c *counter) Choices(ctx context.Context, kit, field, node string, attrs map[string]string) ([]string, error) {
	return ask(c, func(e *engine.Engine) ([]string, error) { return e.Choices(ctx, kit, field, node, attrs) })
}

// Children implements api.Service.
func (c *counter) Children(ctx context.Context, p api.Prospect) ([]api.Found, error) {
	return ask(c, func(e *engine.Engine) ([]api.Found, error) { return e.Children(ctx, p) })
}

// SetHold implements api.Service.
func (c *counter) SetHold(ctx context.Context, h api.Hold) error {
	return c.tell(func(e *engine.Engine) error { return e.SetHold(ctx, h) })
}

// GracefulStop implements api.Service.
func (c *counter) GracefulStop(ctx context.Context, node string) error {
	return c.tell(func(e *engine.Engine) error { return e.GracefulStop(ctx, node) })
}

// Examine implements api.Doctor.
func (c *counter) Examine(ctx context.Context, x api.Examination) (*api.Diagnosis, error) {
	return ask(c, func(e *engine.Engine) (*api.Diagnosis, error) { return e.Examine(ctx, x) })
}

// Mend implements api.Doctor.
func (c *counter) Mend(ctx context.Context, m api.Mending) (*api.Mended, error) {
	return ask(c, func(e *engine.Engine) (*api.Mended, error) { return e.Mend(ctx, m) })
}

// Order implements api.Orderer.
func (c *counter) Order(ctx context.Context, o api.Order) error {
	return c.tell(func(e *engine.Engine) error { return e.Order(ctx, o) })
}

// Close implements api.Service; the demo closes its engine itself.
func (c *counter) Close() error { return nil }

var (
	_ api.Service = (*counter)(nil)
	_ api.Doctor  = (*counter)(nil)
	_ api.Orderer = (*counter)(nil)
)
