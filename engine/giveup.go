package engine

import (
	"context"
	"sync"

	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// goneNodes knows the operations whose target was lost (policy.GiveUp). A step of such
// an operation on that node ends at once, without a result, and is not tried again.
type goneNodes struct {
	mu sync.Mutex
	of map[goneKey]*gone
}

type goneKey struct{ op, node string }

// gone is a context that ends when the node is given up.
type gone struct {
	ctx    context.Context
	cancel context.CancelFunc
}

func (g *goneNodes) get(op, node string) *gone {
	g.mu.Lock()
	defer g.mu.Unlock()
	k := goneKey{op, node}
	if g.of == nil {
		g.of = map[goneKey]*gone{}
	}
	if g.of[k] == nil {
		ctx, cancel := context.WithCancel(context.Background())
		g.of[k] = &gone{ctx, cancel}
	}
	return g.of[k]
}

func (g *goneNodes) giveUp(op, node string) { g.get(op, node).cancel() }

// forget ends what is known of an operation that has ended.
func (g *goneNodes) forget(op string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for k, v := range g.of {
		if k.op == op {
			v.cancel()
			delete(g.of, k)
		}
	}
}

// Do carries one step out, for as long as its node is not given up. A call to the cloud
// that is under way is let end, since it would take effect all the same.
func (d *doer) Do(ctx context.Context, op string, s plan.Step, attempt int) kits.Report {
	e := (*Engine)(d)
	g := e.gone.get(op, s.Node)
	if g.ctx.Err() != nil {
		return givenUpReport(s, kits.Report{})
	}
	if k, _, ok := e.kitFor(s); s.Kind != plan.StepFence && !(ok && changesCloud(k, s)) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(g.ctx, cancel)()
	}
	rep := d.carryOut(ctx, op, s, attempt)
	if g.ctx.Err() != nil && rep.Outcome == kits.Unknown {
		return givenUpReport(s, rep)
	}
	return rep
}

func givenUpReport(s plan.Step, r kits.Report) kits.Report {
	r.Outcome, r.Permanent = kits.Unknown, true
	r.Reason = kits.Why("op.target-lost", s.Node+" was lost meanwhile; nothing more is tried there", "node", s.Node)
	return r
}
