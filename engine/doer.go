package engine

import (
	"context"
	"fmt"

	"github.com/ferry-ha/ferry/engine/fleet"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// doer performs plan steps with the kits, on the nodes.
type doer Engine

// unitOf is the name under which a step's scripts run on its node. A successor
// finds them by it.
// The engine's id is part of it: operations of an engine that adopted the estate may
// have the numbers of its predecessor's, and a node runs a name only once.
func (e *Engine) unitOf(op string, s plan.Step, attempt int) string {
	return fmt.Sprintf("%s%s-%d", unitPrefix(e.id, op), s.ID, attempt)
}

func unitPrefix(engine, op string) string { return "ferry-" + engine + "-" + op + "-" }

// carryOut does what a step says.
func (d *doer) carryOut(ctx context.Context, op string, s plan.Step, attempt int) kits.Report {
	e := (*Engine)(d)
	host := e.fleet.Acting(s.Node, e.unitOf(op, s, attempt), lockOf(s))
	switch s.Kind {
	case plan.StepClaim:
		rep := fleet.WriteClaims(ctx, host, s.Tags, s.Claim)
		if rep.Outcome == kits.OK {
			e.confirmed(op, s.Node)
		}
		return rep
	case plan.StepFence:
		return e.overCloud(ctx, op, s, func(ctx context.Context) kits.Report { return e.fence(ctx, s) })
	}
	k, in, ok := e.kitFor(s)
	if !ok {
		return kits.Report{Outcome: kits.Failed, Permanent: true,
			Reason: kits.Why("plan.no-such-resource", fmt.Sprintf("%s is not defined on %s any more", s.Tag, s.Node), "tag", string(s.Tag), "node", s.Node)}
	}
	if kp, keeps := k.(kits.Keeper); keeps && (s.Kind == plan.StepStart || s.Kind == plan.StepRecover && vanished(ctx, k, host, in)) {
		if ended := e.promote(ctx, op, s, kp, &in); ended != nil {
			return *ended
		}
	}
	if changesCloud(k, s) {
		return e.overCloud(ctx, op, s, func(ctx context.Context) kits.Report { return carryOut(ctx, k, host, in, s) })
	}
	switch s.Kind {
	case plan.StepEligible:
		el := e.eligible(ctx, op, s, attempt, k, in)
		return kits.Report{Outcome: el.Outcome, Reason: el.Reason}
	case plan.StepCheck:
		return e.afterImpairedStart(s, k, mustBePresent(k.Check(ctx, host, in), s))
	}
	return carryOut(ctx, k, host, in, s)
}

// vanished tells that nothing of a resource is left on the node that has its claim: the node was rebooted. Bringing it back
// is a start, and what may rest on what was recorded before has to be settled like before any other one.
func vanished(ctx context.Context, k kits.Kit, host kits.Host, in kits.Instance) bool {
	r := k.Check(ctx, host, in)
	return r.Outcome == kits.Failed && r.Presence == kits.Absent
}

// carryOut has the kit change something.
func carryOut(ctx context.Context, k kits.Kit, host kits.Host, in kits.Instance, s plan.Step) kits.Report {
	switch s.Kind {
	case plan.StepStart:
		return k.Start(ctx, host, in)
	case plan.StepStop:
		return k.Stop(ctx, host, in)
	case plan.StepRecover:
		return k.Recover(ctx, host, in)
	}
	return kits.Report{Outcome: kits.Failed, Permanent: true,
		Reason: kits.Why("plan.unknown-step", "this engine does not know steps of kind "+string(s.Kind))}
}

// eligible asks the kit, and beside it, once per node, whether this engine may act
// there at all: what would stop the claim must be known before anything is stopped
// elsewhere. The resources that need nothing ask: they start first.
func (e *Engine) eligible(ctx context.Context, op string, s plan.Step, attempt int, k kits.Kit, in kits.Instance) kits.Eligibility {
	ask := func() kits.Eligibility {
		el := k.Eligible(ctx, e.fleet.Host(s.Node), in) // a question changes nothing
		return forced(s, e.settled(ctx, e.unitOf(op, s, attempt), s, k, in, el, op != previewOp))
	}
	if r := e.index.Load().Resource(s.Tag); r == nil || len(r.Children) > 0 {
		return ask()
	}
	ready := make(chan kits.Eligibility, 1)
	go func() { ready <- e.fleet.Ready(ctx, s.Node) }()
	el := ask()
	r := <-ready
	switch {
	case el.Outcome == kits.Failed, r.Outcome == kits.OK:
		return el
	case r.Outcome == kits.Failed, el.Outcome == kits.OK:
		return r
	}
	return el
}

// forced lets a person's word stand over the kit's answer, which stays on record: force over
// any, an accepted loss of data over the refusal that it is about.
func forced(s plan.Step, el kits.Eligibility) kits.Eligibility {
	switch {
	case el.Outcome == kits.OK:
	case s.Forced:
		el.Outcome, el.Reason.Text = kits.OK, "overridden by force: "+el.Reason.Text
	case el.Outcome == kits.Failed && s.StandsOver(el.Reason.Code):
		el.Outcome, el.Reason.Text = kits.OK, "the loss is accepted: "+el.Reason.Text
	}
	return el
}

// afterImpairedStart lets an operation end well over something in the cloud whose start
// said that it is not right yet (a name that cannot be changed now): the check right
// after can only say the same. It stays impaired, and the next usual check decides.
func (e *Engine) afterImpairedStart(s plan.Step, k kits.Kit, r kits.Report) kits.Report {
	if r.Outcome != kits.Failed || !k.Traits().ViaCloud {
		return r
	}
	impaired := false
	_ = e.look(func() {
		in := e.world.Instances[refOf(s.Tag, s.Node)]
		impaired = in != nil && in.State == hierarchy.ISU
	})
	if impaired {
		r.Outcome, r.Impaired, r.Presence = kits.OK, true, kits.Present
	}
	return r
}

// mustBePresent makes a check that finds the resource gone a failed one.
func mustBePresent(r kits.Report, s plan.Step) kits.Report {
	if r.Outcome == kits.OK && r.Presence == kits.Absent {
		r.Outcome = kits.Failed
		r.Reason = kits.Why("plan.not-there", fmt.Sprintf("%s is not there on %s although it was started", s.Tag, s.Node))
	}
	return r
}

// lockOf is the lock on the node under which a step's scripts run: one per
// resource, so that nothing else of ours touches the same thing meanwhile.
func lockOf(s plan.Step) string {
	if s.Tag == "" {
		return "claims"
	}
	return "resource-" + s.Tag.Cluster() + "-" + s.Tag.Short()
}

// kitFor finds the kit and the instance of a step. The active node of an instance
// that is being started is the step's own.
func (e *Engine) kitFor(s plan.Step) (kits.Kit, kits.Instance, bool) {
	x := e.index.Load()
	r := x.Resource(s.Tag)
	if r == nil || x.Placement(s.Tag, s.Node) == nil {
		return nil, kits.Instance{}, false
	}
	k, ok := e.opts.Kits[r.Kit]
	if !ok {
		return nil, kits.Instance{}, false
	}
	return k, e.withRecord(hierarchy.InstanceOf(x, s.Tag, s.Node, s.Node)), true
}

// Settle awaits or ends what an attempt left running on its node.
func (d *doer) Settle(ctx context.Context, op string, s plan.Step, attempt int) error {
	e := (*Engine)(d)
	switch s.Kind {
	case plan.StepEligible:
		if k, _, ok := e.kitFor(s); !ok || !settles(k) {
			return nil // changes nothing on a node; two may run
		}
	case plan.StepCheck, plan.StepFence:
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.Timeout+recordTimeout)
	defer cancel()
	if err := e.fleet.Settle(ctx, s.Node, e.unitOf(op, s, attempt)); err != nil {
		return fmt.Errorf("settling %s on %s: %w", s.ID, s.Node, err)
	}
	return nil
}
