package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// Doer performs steps.
type Doer interface {
	// Do carries the step out. attempt numbers the tries of this step, from 1, and is
	// part of the names under which its scripts run on the node.
	Do(ctx context.Context, op string, s plan.Step, attempt int) kits.Report
	// Settle makes sure that nothing of that attempt runs any more: it awaits the
	// scripts left by an engine that died, or ends them. An error means that this
	// could not be made sure.
	Settle(ctx context.Context, op string, s plan.Step, attempt int) error
}

// Recorder keeps the journal. Each call stores the journal and what follows from
// the input in one transaction and returns when that is durable. Its error stops
// the operation where it is: an engine that cannot write must not act.
type Recorder interface {
	Record(ctx context.Context, j *Journal, in policy.Input) error
}

// Undoer makes the plan that takes the touched steps back; false when there is nothing to do.
type Undoer func(p plan.Plan, touched []string) (plan.Plan, bool)

// Runner carries operations out; one Runner serves many at the same time.
type Runner struct {
	do   Doer
	rec  Recorder
	undo Undoer
	// Pause before the n-th further try of an unknown step, n from 1.
	Pause func(n int) time.Duration
	// Tries of a step beyond the point of no return while its result is unknown.
	Tries int
}

// New makes a runner with the default pauses: 1 s doubling to 15 s, 6 tries.
func New(do Doer, rec Recorder, undo Undoer) *Runner {
	return &Runner{do: do, rec: rec, undo: undo, Tries: 6, Pause: func(n int) time.Duration {
		return min(time.Second<<min(n-1, 4), 15*time.Second)
	}}
}

// Run carries the operation out, or on when the journal is not empty, until it
// has ended and its end is recorded. It returns an error only when the journal
// could not be written or ctx ended: then the operation is still open.
func (r *Runner) Run(ctx context.Context, op *policy.Op, j *Journal) error {
	resumed := j != nil
	if j == nil {
		j = &Journal{Op: op.ID}
	}
	if j.Steps == nil {
		j.Steps = map[string]Entry{}
	}
	if j.Undo != nil {
		return r.backward(ctx, op, j, resumed)
	}
	g := &graph{r: r, op: op, j: j, plan: op.Plan, entries: j.Steps}
	way, why, err := g.run(ctx, resumed)
	switch {
	case err != nil:
		return err
	case way == plan.Complete:
		return r.end(ctx, j, policy.OpDone, kits.Reason{})
	case way == plan.Stuck:
		return r.end(ctx, j, policy.OpFailed, why)
	}
	back, any := r.undo(op.Plan, touched(op.Plan, j.Steps))
	if !any {
		return r.end(ctx, j, policy.OpRolledBack, why)
	}
	for i := range back.Steps {
		back.Steps[i].NoReturn = true // going back only goes forward
	}
	j.Undo, j.UndoWhy = &back, why
	return r.backward(ctx, op, j, false)
}

// backward runs the undo plan, which itself only goes forward: what cannot be
// undone ends the operation as failed, with both reasons.
func (r *Runner) backward(ctx context.Context, op *policy.Op, j *Journal, resumed bool) error {
	if j.UndoSteps == nil {
		j.UndoSteps = map[string]Entry{}
	}
	g := &graph{r: r, op: op, j: j, plan: *j.Undo, entries: j.UndoSteps, undoing: true}
	way, why, err := g.run(ctx, resumed)
	switch {
	case err != nil:
		return err
	case way == plan.Complete:
		return r.end(ctx, j, policy.OpRolledBack, j.UndoWhy)
	}
	why.Text = fmt.Sprintf("%s; and taking it back did not succeed: %s", j.UndoWhy.Text, why.Text)
	return r.end(ctx, j, policy.OpFailed, why)
}

func (r *Runner) end(ctx context.Context, j *Journal, how policy.OpOutcome, why kits.Reason) error {
	return r.rec.Record(ctx, j, policy.OpEnded{Op: j.Op, Outcome: how, Reason: why})
}

// errStopped says that the context ended in the middle.
var errStopped = errors.New("the engine is stopping; the operation goes on with the next one")
