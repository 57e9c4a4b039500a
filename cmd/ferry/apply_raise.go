package main

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/bringup"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// How bringing up paces itself.
const (
	// settleWithin is how long a hierarchy is looked at again while something about it is not known: an
	// engine needs three beats for its first judgement of a node that is gone, and checks take their time
	// on many nodes that it has only just met.
	settleWithin = 2 * time.Minute
	// lookEvery is the pause between two looks.
	lookEvery = 500 * time.Millisecond
)

// look is a snapshot of what is defined.
func (r *raising) look(ctx context.Context) (*api.Snapshot, error) {
	return steady(ctx, r, r.c.snapshot)
}

// steady asks the engine; one that goes away is waited for and asked again, since the next one knows all that matters.
func steady[T any](ctx context.Context, r *raising, ask func(context.Context) (T, error)) (T, error) {
	for lost := (time.Time{}); ; {
		v, err := ask(ctx)
		if err == nil || r.c.local || kindOf(err) != api.KindUnavailable {
			return v, err
		}
		if lost.IsZero() {
			lost = time.Now()
			r.say("the engine went away; waiting for it to come back")
		}
		if time.Since(lost) > backWithin {
			return v, fail(api.KindUnavailable, "what was begun is journalled; when an engine runs again, run the same command again",
				"the engine went away and did not come back within %s", backWithin)
		}
		if err := pause(ctx, pollEvery); err != nil {
			return v, err
		}
		if svc, err := r.dial(ctx, r.socketPlace().Path); err == nil {
			_ = r.c.Close()
			r.c.Service = bounded{svc}
			r.say("the engine is back")
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// known is a snapshot in which everything that the definition in force has is known, or was waited for.
func (r *raising) known(ctx context.Context) (*api.Snapshot, error) {
	for began := time.Now(); ; {
		s, err := r.look(ctx)
		if err != nil {
			return nil, err
		}
		unknown := slices.ContainsFunc(bringup.Make(r.x, r.reg, s), func(w bringup.Work) bool { return w.State == bringup.Unknown })
		if time.Since(began) > lookWithin || !unknown && (!r.c.local || looks(s)) {
			return s, nil
		}
		if err := pause(ctx, lookEvery); err != nil {
			return nil, err
		}
	}
}

// raise brings one hierarchy up that was agreed on. The error ends the whole run; what only this
// hierarchy cannot do is noted with it.
func (r *raising) raise(ctx context.Context, i int) error {
	agreed, d := r.agreed[i], &r.did[i]
	if agreed.State == bringup.Done || agreed.State == bringup.Blocked {
		return nil
	}
	r.say("%s on %s", view.Tags(agreed.Roots), agreed.Node)
	began := time.Now()
	t := &try{raising: r, agreed: agreed, until: began.Add(settleWithin)}
	for {
		ended, err := t.once(ctx)
		if err != nil {
			return err
		}
		if ended {
			d.Work = t.now
			if t.now.State == bringup.Done && t.acted {
				d.Did, d.Took = DidBringUp, time.Since(began)
			} else if t.acted {
				d.Did = DidFail
			}
			return nil
		}
		if err := pause(ctx, lookEvery); err != nil {
			return err
		}
	}
}

// try is one hierarchy on its way up.
type try struct {
	*raising
	agreed bringup.Work
	now    bringup.Work
	until  time.Time
	acted  bool
}

// once looks and does the next thing; ended when nothing is left to be done or to be waited for.
func (t *try) once(ctx context.Context) (ended bool, err error) {
	s, err := t.look(ctx)
	if err != nil {
		return false, err
	}
	for _, w := range bringup.Make(t.x, t.reg, s) {
		if w.Resources[0] == t.agreed.Resources[0] {
			t.now = w
		}
	}
	switch t.now.State {
	case bringup.Done, bringup.Blocked:
		return true, nil
	case bringup.Busy:
		defer func() { t.until = time.Now().Add(settleWithin) }()
		t.acted = true
		return false, t.await(ctx, s, t.now.Operation)
	case bringup.Unknown:
		return t.patience(t.now.Reason, "ferry", "status"), nil
	}
	if !t.asAgreed() {
		return true, nil
	}
	return t.take(ctx, s)
}

// asAgreed: nothing is done, and nothing is overwritten, that was not shown before.
func (t *try) asAgreed() bool {
	if t.agreed.Node != "" && t.now.Node != t.agreed.Node {
		t.block(kits.Why("bringup.not-agreed", "it would go to "+t.now.Node+" now ("+t.now.Reason.Text+"), and "+t.agreed.Node+" was agreed on",
			"node", t.now.Node, "agreed", t.agreed.Node), t.now.Commands[0]...)
		return false
	}
	for _, o := range t.now.Overwrites {
		if !slices.Contains(t.agreed.Overwrites, o) {
			t.block(kits.Why("bringup.not-agreed", "it would overwrite "+o.What+" on "+o.Node+", and that was not agreed on", "node", o.Node), t.now.Commands[0]...)
			return false
		}
	}
	return true
}

func (t *try) block(r kits.Reason, next ...string) {
	t.now.State, t.now.Reason, t.now.Next = bringup.Blocked, r, next
}

// patience tells that what is not known has been waited for long enough, and says so.
func (t *try) patience(r kits.Reason, next ...string) (over bool) {
	if time.Now().Before(t.until) {
		return false
	}
	t.block(r, next...)
	return true
}

// take takes the first root into service that needs it.
func (t *try) take(ctx context.Context, s *api.Snapshot) (ended bool, err error) {
	for _, root := range t.now.Roots {
		cmd := api.Command{ID: rand.Text(), Goal: plan.Goal{Kind: plan.GoalInService, Tag: root, Node: t.now.Node}}
		line := []string{"ferry", "in-service", string(root), "--on", t.now.Node}
		pv, err := t.c.Preview(ctx, cmd)
		if err != nil {
			return t.trouble(err, line)
		}
		switch again, why := t.against(pv, s); {
		case again:
			return t.patience(why, line...), nil
		case why.Code != "":
			t.block(why, line...)
			return true, nil
		case len(pv.Plan.Steps) == 0:
			continue
		}
		for _, n := range pv.Plan.Notes {
			t.say("note: %s", view.Reason(n))
		}
		return t.submit(ctx, s, cmd, line)
	}
	return t.patience(kits.Why("bringup.not-seen", "it was brought up, but is not seen in service"), "ferry", "status"), nil
}

// trouble is an error of one call: an engine that went away or is busy is asked again, others are this hierarchy's end.
func (t *try) trouble(err error, next []string) (ended bool, _ error) {
	r := kits.Why("bringup.error", err.Error())
	switch kindOf(err) {
	case api.KindUnavailable, api.KindBusy:
		return t.patience(r, next...), nil
	case api.KindDenied:
		return false, err
	}
	t.block(r, next...)
	return true, nil
}

// against is what speaks against a plan. again: it may be otherwise in a moment.
func (t *try) against(pv *api.Preview, s *api.Snapshot) (again bool, why kits.Reason) {
	switch r := pv.Refused; {
	case r != nil:
		return r.Kind == policy.RefusedBusy || passes(r.Reason.Code), r.Reason
	case pv.Crosses != "" || pv.Plan.Goal.From != "" && pv.Plan.Goal.From != t.now.Node:
		return false, kits.Why("bringup.moves", "it would be moved from "+pv.Plan.Goal.From+", and bringing up moves nothing")
	}
	for _, v := range pv.Verdicts {
		switch v.Report.Outcome {
		case kits.Failed:
			return false, v.Report.Reason
		case kits.Unknown:
			again, why = true, v.Report.Reason
		}
	}
	if prices := view.Prices(pv, s, t.cli.now()); len(prices) > 0 && !again {
		return false, kits.Why("bringup.price", strings.Join(prices, "; "))
	}
	return again, why
}

// passes tells that a refusal is about what is not known yet of nodes that were only just met.
func passes(code string) bool {
	switch code {
	case "target-not-alive", "holder-not-alive", "never-claimed-not-seen", "child-not-in-service":
		return true
	}
	return false
}

func (t *try) submit(ctx context.Context, s *api.Snapshot, cmd api.Command, line []string) (ended bool, err error) {
	w, err := t.watchOperations(ctx, t.c, s)
	if err != nil {
		return t.trouble(err, line)
	}
	defer w.stop()
	sub, err := t.c.Submit(ctx, cmd)
	if err != nil {
		return t.trouble(err, line)
	}
	if sub.Op == "" {
		return false, nil
	}
	t.acted = true
	op, err := t.follow(ctx, t.c, w, func(o *api.Operation) bool { return o.ID == sub.Op })
	t.until = time.Now().Add(settleWithin)
	if err != nil {
		return false, err
	}
	if bad := outcomeError(op); bad != nil {
		t.block(kits.Why("bringup.failed", bad.Error()), "ferry", "operations", op.ID)
		return true, nil
	}
	return false, nil
}
