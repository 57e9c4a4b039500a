package runner

import (
	"context"
	"fmt"
	"time"

	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// graph runs the steps of one plan, forward or undo, over its journal entries.
type graph struct {
	r       *Runner
	op      *policy.Op
	j       *Journal
	plan    plan.Plan
	entries map[string]Entry
	undoing bool

	mu    turn // guards entries and j while steps run side by side
	tries map[string]int
}

// turn is a lock that may be held while the journal is written, which takes as long as the
// store does. A mutex would do, but that virtual time stands still while one is waited for.
type turn chan struct{}

func (t turn) Lock()   { t <- struct{}{} }
func (t turn) Unlock() { <-t }

// stepEnd is what came of one attempt.
type stepEnd struct {
	step plan.Step
	err  error
}

// run starts every step that is ready, as steps end, until the plan is complete or
// stops; what runs is waited for. It says which way the plan ended, and why when
// it did not complete.
func (g *graph) run(ctx context.Context, resumed bool) (plan.Way, kits.Reason, error) {
	g.tries, g.mu = map[string]int{}, make(turn, 1)
	if resumed {
		if err := g.settle(ctx); err != nil {
			return "", kits.Reason{}, err
		}
		if !g.beyond() {
			return plan.Back, kits.Why("op.interrupted", "the engine stopped in the middle of this operation, before its point of no return; what had been done was taken back"), nil
		}
	}
	ends := make(chan stepEnd)
	going := map[string]bool{}
	var failure error
	for {
		ready, way := g.next(going)
		if failure == nil && way == plan.Going {
			for _, s := range ready {
				going[s.ID] = true
				go func() { ends <- stepEnd{s, g.attempt(ctx, s)} }()
			}
		}
		if len(going) == 0 {
			return way, g.why(), failure
		}
		e := <-ends
		delete(going, e.step.ID)
		if e.err != nil {
			failure = e.err
		}
	}
}

// next asks the plan; steps that were handed out count as running.
func (g *graph) next(going map[string]bool) ([]plan.Step, plan.Way) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at := make(map[string]plan.Status, len(g.entries))
	for id, e := range g.entries {
		at[id] = e.Status
	}
	for id := range going {
		at[id] = plan.Running
	}
	return plan.Next(g.plan, at, g.tries, g.r.Tries)
}

// beyond tells whether the plan can only go forward.
func (g *graph) beyond() bool {
	if g.undoing {
		return true
	}
	for _, s := range g.plan.Steps {
		if s.NoReturn && g.entries[s.ID].Status != plan.Waiting {
			return true
		}
	}
	return false
}

// settle makes sure that no script of a former engine still runs for this plan,
// and marks what it had begun as unclear. Beyond the point of no return it tries
// until it is sure or ctx ends: a step is never repeated over a running one.
func (g *graph) settle(ctx context.Context) error {
	for _, s := range g.plan.Steps {
		e := g.entries[s.ID]
		if e.Status != plan.Running {
			continue
		}
		for n := 1; ; n++ {
			err := g.r.do.Settle(ctx, g.op.ID, s, e.Attempt)
			if err == nil || !g.beyond() && n >= g.r.Tries {
				break
			}
			if !pause(ctx, g.r.Pause(n)) {
				return errStopped
			}
		}
		e.Status = plan.Unclear
		g.entries[s.ID] = e
	}
	return nil
}

// attempt writes the intent, does the step once, and writes the result. A further
// attempt waits first.
func (g *graph) attempt(ctx context.Context, s plan.Step) error {
	g.mu.Lock()
	g.tries[s.ID]++
	n, again := g.entries[s.ID].Attempt+1, g.tries[s.ID]-1
	g.mu.Unlock()
	if again > 0 && !pause(ctx, g.r.Pause(again)) {
		return errStopped
	}
	if g.lostGround(ctx, s) {
		return nil // what it stands on goes first
	}
	if err := g.record(ctx, s, Entry{Status: plan.Running, Attempt: n, Began: time.Now()}, nil); err != nil {
		return err
	}
	limit := s.Timeout
	if limit == 0 {
		limit = defaultTimeout
	}
	dctx, cancel := context.WithTimeout(ctx, limit)
	rep := g.r.do.Do(dctx, g.op.ID, s, n)
	cancel()
	if ctx.Err() != nil {
		return errStopped // the intent stays in the journal; the next engine settles it
	}
	if rep.Outcome == kits.Unknown && rep.Permanent {
		g.mu.Lock()
		g.tries[s.ID] = g.r.Tries // trying again cannot help
		g.mu.Unlock()
	}
	return g.record(ctx, s, Entry{Status: statusOf(rep), Attempt: n, Ended: time.Now(), Report: rep}, &rep)
}

// defaultTimeout bounds a step whose plan names no deadline.
const defaultTimeout = 2 * time.Minute

// record writes a step's entry with what the policy makes of it: that it began
// (rep nil) or how it ended.
func (g *graph) record(ctx context.Context, s plan.Step, e Entry, rep *kits.Report) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if e.Began.IsZero() {
		e.Began = g.entries[s.ID].Began
	}
	g.entries[s.ID] = e
	var undo *plan.Step
	if g.undoing {
		undo = &s
	}
	var in policy.Input = policy.StepBegan{Op: g.op.ID, Step: s.ID, Undo: undo}
	if rep != nil {
		in = policy.StepEnded{Op: g.op.ID, Step: s.ID, Report: *rep, Undo: undo}
	}
	return g.r.rec.Record(ctx, g.j.Clone(), in)
}

func statusOf(r kits.Report) plan.Status {
	switch r.Outcome {
	case kits.OK:
		return plan.Done
	case kits.Failed:
		return plan.Failed
	}
	return plan.Unclear
}

// why says which step stopped the plan, where, and what it said.
func (g *graph) why() kits.Reason {
	for _, s := range g.plan.Steps {
		e := g.entries[s.ID]
		if s.MayFail || e.Status != plan.Failed && e.Status != plan.Unclear {
			continue
		}
		word := "failed"
		if e.Status == plan.Unclear {
			word = "did not say how it ended"
		}
		subject := string(s.Kind)
		if s.Tag != "" {
			subject += " " + string(s.Tag)
		}
		text := fmt.Sprintf("%s on %s %s", subject, s.Node, word)
		if e.Report.Reason.Text != "" {
			text += ": " + e.Report.Reason.Text
		}
		return kits.Why("op.step-"+string(e.Status), text, "step", s.ID, "node", s.Node, "tag", string(s.Tag), "cause", e.Report.Reason.Code)
	}
	return kits.Reason{}
}

// pause waits; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
