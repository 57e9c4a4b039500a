package engine

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/runner"
)

// tell hands an input to the loop without waiting for what comes of it.
func (e *Engine) tell(in policy.Input) {
	select {
	case e.in <- message{in: in}:
	case <-e.ctx.Done():
	}
}

// ask hands a message to the loop and waits until it is stored and taken effect.
func (e *Engine) ask(ctx context.Context, m message) ([]policy.Output, error) {
	reply := make(chan answer, 1)
	m.reply = reply
	select {
	case e.in <- m:
	case <-e.ctx.Done():
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case a := <-reply:
		return a.outs, a.err
	case <-e.ctx.Done():
		return nil, errClosed
	}
}

// look runs f in the loop, where it may read the world, and waits for it. After an
// error f has not run and never will: what it would have written may be read.
func (e *Engine) look(f func()) error {
	var taken atomic.Bool // by the loop, or by us who wait no longer
	done := make(chan struct{})
	_, err := e.ask(e.ctx, message{look: func() {
		if taken.CompareAndSwap(false, true) {
			defer close(done)
			f()
		}
	}})
	if err == nil || taken.CompareAndSwap(false, true) {
		return err
	}
	<-done // the engine ends while it runs
	return nil
}

// carry starts what the policy asks for. It runs in the loop and waits for nothing.
func (e *Engine) carry(outs []policy.Output) {
	for _, o := range outs {
		switch o := o.(type) {
		case policy.StartOp:
			e.start(o.Op, nil)
		case policy.GiveUp:
			e.gone.giveUp(o.Op, o.Node)
		case policy.CheckNow:
			e.monitor.CheckNow(o.Refs)
		case policy.AskCloud:
			e.spawn(func() { e.askCloud(o.Node) })
		case policy.AskQuorum:
			e.spawn(func() { e.askQuorum(o.Node) })
		case policy.ReadRecord:
			e.spawn(func() { e.readRecord(o.Node) })
		}
	}
}

// after does what follows from an input once it is in force.
func (e *Engine) after(in policy.Input) {
	switch in := in.(type) {
	case policy.Define:
		e.redefine()
		e.hookAll()
	case policy.NodeRecord:
		if in.Err == "" {
			e.hook(in.Node)
		}
	case policy.StepBegan:
		e.showProgress(in.Op)
	case policy.StepEnded:
		e.showProgress(in.Op)
	case policy.OpEnded:
		e.showProgress(in.Op)
	}
}

func (e *Engine) showProgress(op string) {
	if o := e.world.Ops[op]; o != nil {
		e.feed.progress(e.operation(o))
	}
}

// spawn runs f beside the loop; Close waits for it.
func (e *Engine) spawn(f func()) {
	e.wg.Add(1)
	go func() { defer e.wg.Done(); f() }()
}

// start hands an operation to the runner. It runs in the loop; a copy goes out,
// since the loop goes on writing its own.
func (e *Engine) start(op *policy.Op, j *runner.Journal) {
	if e.running[op.ID] {
		return
	}
	if lost := e.lost.Load(); lost != nil {
		e.spawn(func() { e.tell(givenUp(op.ID, lost)) })
		return
	}
	e.running[op.ID] = true
	if op.By != policy.Automatic {
		for _, t := range op.Plan.Moves {
			e.acted[t] = true
			if k := e.keepers[t]; k != nil {
				k.again() // it may have waited for just that
			}
		}
	}
	own := *op
	if j != nil {
		j = j.Clone()
	}
	e.spawn(func() {
		if err := e.runner.Run(e.act, &own, j); err != nil {
			e.log.Warn("operation left open", "op", own.ID, "error", err)
			if lost := e.lost.Load(); lost != nil {
				e.tell(givenUp(own.ID, lost))
			}
		}
		e.gone.forget(own.ID)
		_ = e.look(func() { delete(e.running, own.ID) })
	})
}

// resumeOps starts the runner for operations that are open in the store and that
// nobody carries out: those of an engine that died, or that could not write.
func (e *Engine) resumeOps() {
	for id, op := range e.world.Ops {
		if op.Outcome == policy.OpRunning {
			e.start(op, e.journals[id])
		}
	}
}

// cloudTimeout bounds one question to EC2; a verdict never waits for it.
const cloudTimeout = 10 * time.Second

func (e *Engine) askCloud(node string) {
	s := e.index.Load().Server(node)
	if e.opts.Cloud == nil || s == nil || s.Instance == "" {
		return
	}
	ctx, cancel := context.WithTimeout(e.ctx, cloudTimeout)
	defer cancel()
	state, err := e.opts.Cloud.InstanceState(ctx, s.Region, s.Instance)
	said := policy.CloudSight{State: state, At: time.Now()}
	if err != nil {
		said = policy.CloudSight{Err: err.Error(), At: time.Now()}
	}
	e.tell(policy.CloudSaid{Node: node, Sight: said})
}

func (e *Engine) readRecord(node string) {
	ctx, cancel := context.WithTimeout(e.ctx, recordTimeout)
	defer cancel()
	e.tell(e.fleet.Record(ctx, node))
}

// recordTimeout bounds reading a node's record.
const recordTimeout = 15 * time.Second
