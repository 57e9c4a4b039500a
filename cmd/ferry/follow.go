package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
)

// How following an operation paces itself.
const (
	// pollEvery is the net under the watch: a message that was lost shows up then.
	pollEvery = time.Second
	// beginWithin is how long an accepted answer may take to become an operation.
	beginWithin = 15 * time.Second
	// backWithin is how long a lost engine may stay away before the command gives up.
	backWithin = time.Minute
	// lookBack is how many operations are searched for one by its id.
	lookBack = 500
)

// opWatch is a watch begun before something was asked for, so that nothing of it
// is missed.
type opWatch struct {
	ctx     context.Context // ends with stop; a watch is a connection of its own
	updates <-chan api.Update
	stop    func()
}

// watchOperations begins to watch from a snapshot's revision on. It goes on when
// the command is interrupted: what an engine in this process does has to be seen
// to its end.
func (a *cli) watchOperations(ctx context.Context, c *conn, s *api.Snapshot) (*opWatch, error) {
	wctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	updates, err := c.Watch(wctx, s.Revision)
	if err != nil {
		stop()
		return nil, fmt.Errorf("watching the engine: %w", err)
	}
	return &opWatch{wctx, updates, stop}, nil
}

// seeThrough reports on an accepted operation: at once, or at its end.
func (a *cli) seeThrough(ctx context.Context, c *conn, w *opWatch, id string, wait bool) error {
	if id == "" {
		a.say("nothing to do")
		return a.printOperation(&api.Operation{})
	}
	if !wait && !c.local {
		a.say("accepted as operation %s; ferry operations %s shows how it goes", id, id)
		op, err := findOperation(ctx, c, id)
		if err != nil {
			return err
		}
		return a.printOperation(op)
	}
	if !wait {
		a.say("notice: this process carries the operation out and cannot leave before its end")
	}
	op, err := a.follow(ctx, c, w, func(o *api.Operation) bool { return o.ID == id })
	if err != nil {
		return err
	}
	return errors.Join(a.printOperation(op), outcomeError(op))
}

func (a *cli) printOperation(op *api.Operation) error {
	return a.print(OperationDocument{api.Version, "Operation", op}, func() string {
		if op.ID == "" {
			return ""
		}
		return view.Outcome(op, a.outStyle)
	})
}

// outcomeError is the error of an operation that did not end well.
func outcomeError(op *api.Operation) error {
	if op.Outcome != policy.OpFailed && op.Outcome != policy.OpRolledBack {
		return nil
	}
	why := view.Reason(op.Reason)
	for _, s := range op.Steps {
		if why == "" && (s.Status == "failed" || s.Status == "unknown") {
			why = view.Reason(s.Report.Reason)
		}
	}
	if why == "" {
		why = "operation " + op.ID + " ended as " + string(op.Outcome)
	}
	return &api.Error{Kind: api.KindFailed, Message: why, Code: op.Reason.Code,
		Hint: "ferry operations " + op.ID + " shows every step and what it printed"}
}

// findOperation reads one operation by its id.
func findOperation(ctx context.Context, c *conn, id string) (*api.Operation, error) {
	ops, err := c.Operations(ctx, lookBack)
	if err != nil {
		return nil, err
	}
	for i := range ops {
		if ops[i].ID == id {
			return &ops[i], nil
		}
	}
	return nil, fail(api.KindNoSuch, "ferry operations lists the last ones", "no operation %q", id)
}

// follow shows the first operation that matches until it has ended.
func (a *cli) follow(ctx context.Context, c *conn, w *opWatch, match func(*api.Operation) bool) (*api.Operation, error) {
	f := &follower{app: a, c: c, w: w, match: match, began: a.now(), release: func() {}}
	defer func() { f.release() }()
	f.show = newProgress(a)
	defer f.show.end()
	if err := f.poll(w.ctx); err != nil {
		return nil, err
	}
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	return f.loop(ctx, poll.C)
}

type follower struct {
	app   *cli
	c     *conn
	w     *opWatch
	match func(*api.Operation) bool
	began time.Time
	lost  time.Time // when the engine went away
	op    *api.Operation
	show  *progress
	// release ends the listening for a second interrupt.
	release func()
}

func (f *follower) loop(ctx context.Context, tick <-chan time.Time) (*api.Operation, error) {
	for {
		if f.op != nil && f.op.Outcome != policy.OpRunning && f.op.Outcome != "" {
			return f.op, nil
		}
		select {
		case <-ctx.Done():
			next, err := f.interrupted(ctx)
			if err != nil {
				return nil, err
			}
			ctx = next
		case u, open := <-f.w.updates:
			if !open {
				f.away()
			} else if u.Operation != nil {
				f.see(u.Operation)
			}
		case <-tick:
			if err := f.poll(f.w.ctx); err != nil {
				return nil, err
			}
		}
	}
}

func (f *follower) see(o *api.Operation) {
	if !f.match(o) || f.op != nil && f.op.ID != o.ID {
		return
	}
	f.op = o
	f.show.draw(o)
}

// poll looks for the operation among the newest; while the engine is away, for the engine.
func (f *follower) poll(ctx context.Context) error {
	if !f.lost.IsZero() {
		return f.back(ctx)
	}
	ops, err := f.c.Operations(ctx, lookBack)
	if err != nil {
		if f.c.local || kindOf(err) != api.KindUnavailable {
			return err
		}
		f.away()
		return nil
	}
	for i := range ops {
		f.see(&ops[i])
	}
	if f.op == nil && f.app.now().Sub(f.began) > beginWithin {
		return fail(api.KindTimeout, "ferry events tells what the engine made of it", "accepted, but no operation began within %s", beginWithin)
	}
	if f.op != nil {
		f.show.draw(f.op)
	}
	return nil
}

// away notes that the engine is gone. Nothing accepted is lost: the next one
// finishes the operation, so it is worth waiting for.
func (f *follower) away() {
	f.w.updates = nil
	if f.lost.IsZero() && !f.c.local {
		f.lost = f.app.now()
		f.show.note("the engine went away; waiting for it to come back")
	}
}

func (f *follower) back(ctx context.Context) error {
	svc, err := f.app.dial(ctx, f.app.socketPlace().Path)
	if err != nil {
		if f.app.now().Sub(f.lost) < backWithin {
			return nil
		}
		return fail(api.KindUnavailable, "the operation is journalled: the next engine finishes or undoes it\nferry operations shows what became of it",
			"the engine went away and did not come back within %s", backWithin)
	}
	f.c.Service.Close()
	f.c.Service, f.lost = bounded{svc}, time.Time{}
	f.show.note("the engine is back")
	f.w.updates, err = f.c.Watch(ctx, 0)
	return err
}

// interrupted ends the waiting, unless the operation lives in this process: then
// leaving takes a second interrupt, and a --timeout waits for the end.
func (f *follower) interrupted(ctx context.Context) (context.Context, error) {
	id := "the operation"
	if f.op != nil {
		id = "operation " + f.op.ID
	}
	if !f.c.local {
		f.show.note(id + " goes on in the engine")
		return nil, context.Cause(ctx)
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		f.show.note("--timeout ran out, but this process carries " + id + " out: it goes on to its end")
		return context.WithoutCancel(ctx), nil
	}
	if f.app.again(ctx) {
		return nil, fail(api.KindFailed, "it is journalled: the next ferry command here, or the next engine, finishes or undoes it", "interrupted: %s was left half done", id)
	}
	next, release := signal.NotifyContext(withMark(context.WithoutCancel(ctx)), os.Interrupt, syscall.SIGTERM)
	f.release = release
	f.show.note("this process carries " + id + " out; interrupt once more to leave it half done")
	return next, nil
}

type markKey struct{}

func withMark(ctx context.Context) context.Context { return context.WithValue(ctx, markKey{}, true) }

// again tells whether this is the second interrupt.
func (a *cli) again(ctx context.Context) bool { return ctx.Value(markKey{}) != nil }
