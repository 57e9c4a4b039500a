package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/drill"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
)

func newCommandID() string { return rand.Text() }

// settleEvery is how often it is looked whether the service is well again.
const settleEvery = 500 * time.Millisecond

// there is the move that is tested.
func (r *rehearsal) there(ctx context.Context) error {
	if r.d.failure {
		return r.failure(ctx)
	}
	r.app.say("%s goes from %s to %s", r.res.Tag, r.from, r.report.To)
	return r.move(ctx, "there", r.report.To)
}

// back returns the service, once it could go without loss.
func (r *rehearsal) back(ctx context.Context) error {
	at := r.whereNow(ctx)
	if at == r.from {
		return nil // repaired on the spot
	}
	if err := rest(ctx, r.d.stay); err != nil {
		return err
	}
	if err := r.readyFor(ctx, r.from); err != nil {
		return err
	}
	r.app.say("%s goes back from %s to %s", r.res.Tag, at, r.from)
	return r.move(ctx, "back", r.from)
}

// readyFor waits until the service could go to a server, as at the drill's begin.
func (r *rehearsal) readyFor(ctx context.Context, to string) error {
	limit, said := time.Now().Add(r.d.settle), ""
	for {
		s, err := r.c.snapshot(ctx)
		if err != nil {
			return err
		}
		bad := drill.Failing(drill.Ready(s, hierarchy.NewIndex(s.Estate), r.res.Tag, to))
		if len(bad) == 0 {
			return nil
		}
		if bad[0].Text != said {
			said = bad[0].Text
			r.app.say("waiting before going back: %s", said)
		}
		if time.Now().After(limit) {
			return fmt.Errorf("it could not go back within %s: %s", r.d.settle, said)
		}
		if err := rest(ctx, settleEvery); err != nil {
			return err
		}
	}
}

// move switches over and measures.
func (r *rehearsal) move(ctx context.Context, name, to string) error {
	s, err := r.c.snapshot(ctx)
	if err != nil {
		return err
	}
	cmd := r.command(to)
	x := hierarchy.NewIndex(s.Estate)
	if !x.SameRegion(r.from, r.report.To) { // confirmed at the begin, for both ways
		cmd.ConfirmRegion = x.RegionOf(to)
	}
	w, err := r.app.watchOperations(ctx, r.c, s)
	if err != nil {
		return err
	}
	defer w.stop()
	began := time.Now()
	sub, err := r.c.Submit(ctx, cmd)
	if err != nil {
		return err
	}
	if sub.Op == "" {
		return fmt.Errorf("there was nothing to do to take %s to %s", r.res.Tag, to)
	}
	op, err := r.app.follow(ctx, r.c, w, func(o *api.Operation) bool { return o.ID == sub.Op })
	return r.measured(ctx, name, op, began, err)
}

// failure waits for what the engine does about what a person breaks.
func (r *rehearsal) failure(ctx context.Context) error {
	s, err := r.c.snapshot(ctx)
	if err != nil {
		return err
	}
	w, err := r.app.watchOperations(ctx, r.c, s)
	if err != nil {
		return err
	}
	defer w.stop()
	began := time.Now()
	if err := r.breakIt(ctx); err != nil {
		return err
	}
	id, err := r.acted(ctx, s, began)
	if err != nil {
		return err
	}
	op, err := r.app.follow(ctx, r.c, w, func(o *api.Operation) bool { return o.ID == id })
	if err == nil && op.Plan.Goal.Kind == plan.GoalRecover && op.Outcome != policy.OpDone {
		if id, err = r.acted(ctx, s, op.Ended); err == nil { // what could not be repaired moves
			op, err = r.app.follow(ctx, r.c, w, func(o *api.Operation) bool { return o.ID == id })
		}
	}
	return r.measured(ctx, "there", op, began, err)
}

// acted waits for an operation of automation on the hierarchy that began since then.
func (r *rehearsal) acted(ctx context.Context, s *api.Snapshot, since time.Time) (string, error) {
	members := hierarchy.NewIndex(s.Estate).Hierarchy(r.res.Tag)
	limit, asked := time.Now().Add(r.d.wait), ""
	for time.Now().Before(limit) {
		ops, err := r.c.Operations(ctx, 20)
		if err != nil {
			return "", err
		}
		for i := len(ops) - 1; i >= 0; i-- {
			o := &ops[i]
			if k := o.Plan.Goal.Kind; slices.Contains(members, o.Plan.Goal.Tag) && !o.Began.Before(since) && (k == plan.GoalFailover || k == plan.GoalRecover) {
				return o.ID, nil
			}
		}
		if now, err := r.c.snapshot(ctx); err == nil {
			for _, q := range now.Questions {
				if q.State == policy.Pending && q.ID != asked && slices.Contains(members, q.Tag) {
					asked = q.ID
					r.app.say("the engine asks a person: ferry confirm list shows question %s", q.ID)
				}
			}
		}
		if err := rest(ctx, settleEvery); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("the engine began nothing about %s within %s", r.res.Tag, r.d.wait)
}

// measured verifies that the service is well where the operation took it, and notes the
// move with what clients saw from a moment before it began.
func (r *rehearsal) measured(ctx context.Context, name string, op *api.Operation, began time.Time, failed error) error {
	if op == nil {
		return failed
	}
	ended := time.Now()
	var err error
	if failed == nil && op.Outcome == policy.OpDone {
		err = r.settled(ctx, op.Plan.Goal.Node)
	}
	var log []drill.Sample
	if r.probe != nil {
		log = drill.Between(r.probe.samples(), began.Add(-2*r.d.period), time.Now())
	}
	m := drill.Moved(name, op, log)
	if failed == nil && err == nil && op.Outcome == policy.OpDone {
		m.Verified = max(time.Since(ended), time.Millisecond)
	}
	r.report.Moves = append(r.report.Moves, m)
	if failed == nil && err == nil && op.Outcome != policy.OpDone {
		err = fmt.Errorf("operation %s ended as %s: %s", op.ID, op.Outcome, op.Reason.Text)
	}
	return errors.Join(failed, err)
}

// settled waits until everything is in service on the server and the probe is answered.
func (r *rehearsal) settled(ctx context.Context, node string) error {
	limit := time.Now().Add(r.d.settle)
	since := time.Now()
	for {
		s, err := r.c.snapshot(ctx)
		if err != nil {
			return err
		}
		missing := notIn(s, hierarchy.NewIndex(s.Estate).Hierarchy(r.res.Tag), node)
		if missing == "" && r.probe != nil {
			if recent := time.Now().Add(-max(5*r.d.period, time.Second)); recent.Before(since) || !r.probe.answers(recent) {
				missing = "the probe is not answered steadily"
			}
		}
		if missing == "" {
			return nil
		}
		if time.Now().After(limit) {
			return fmt.Errorf("not well on %s within %s: %s", node, r.d.settle, missing)
		}
		if err := rest(ctx, min(settleEvery, r.d.period)); err != nil {
			return err
		}
	}
}

// notIn is what is not yet in service and unimpaired on the server; empty = nothing.
func notIn(s *api.Snapshot, members []hierarchy.Tag, node string) string {
	for i := range s.Resources {
		st := &s.Resources[i]
		if !slices.Contains(members, st.Tag) {
			continue
		}
		if st.Active != node {
			return fmt.Sprintf("%s is not in service there", st.Tag)
		}
	}
	for i := range s.Running {
		if slices.Contains(members, s.Running[i].Plan.Goal.Tag) {
			return "operation " + s.Running[i].ID + " runs"
		}
	}
	return ""
}
