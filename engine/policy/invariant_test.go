package policy

import (
	"fmt"
	"slices"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// The invariants of DESIGN 3, as far as a pure machine and a toy world can break them.

func (y *toy) violated(format string, a ...any) {
	y.broke = append(y.broke, y.clock()+" "+fmt.Sprintf(format, a...))
}

// assertOutputs looks at what one step wants done.
func (y *toy) assertOutputs(in Input, outs []Output) {
	for _, o := range outs {
		so, ok := o.(StartOp)
		if !ok {
			continue
		}
		y.assertCrossing(so.Op)
		y.assertGone(so.Op)
		y.assertAlone(so.Op)
		y.assertQuorum(so.Op)
		y.assertHeld(so.Op)
		y.assertSwitchback(so.Op)
		y.assertKnown(in, so.Op)
	}
}

// invariant 2, no unasked crossing.
func (y *toy) assertCrossing(op *Op) {
	g := op.Plan.Goal
	if g.Kind != plan.GoalFailover || g.From == "" {
		return
	}
	asks := y.w.x.Flag(g.Node, g.From).Confirm || !y.w.x.SameRegion(g.From, g.Node) && !y.w.x.ClusterOf(g.Node).AllowAutomaticCrossing
	q := y.w.Questions[op.Question]
	switch {
	case !asks || op.Back:
	case q == nil:
		y.violated("no unasked crossing: %s moves from %s to %s without a question", op.ID, g.From, g.Node)
	case q.State == Answered && q.Answer != "no" && q.By != "":
	case q.State == Expired && q.Default == 0:
	default:
		y.violated("no unasked crossing: question %s is %s, answer %q", q.ID, q.State, q.Answer)
	}
}

// invariant 4, unreachable is not dead.
func (y *toy) assertGone(op *Op) {
	g := op.Plan.Goal
	if !g.FromGone {
		return
	}
	v := y.w.Nodes[g.From].Verdict
	q := y.w.Questions[op.Question]
	person := g.Force || q != nil && (q.Answer == "off" || q.Answer == "fence")
	y.assertFenced(op, v, person)
	if g.Fence {
		return // nothing is claimed before it is seen to be stopped
	}
	if v != Dead && v != Presumed && !person {
		y.violated("unreachable is not dead: %s treats %s as gone, which is %s", op.ID, g.From, v)
	}
	if v != Dead && !person && !g.Unfenced {
		y.violated("unfenced: %s does not say that %s is not proven dead", op.ID, g.From)
	}
}

// where fencing is configured, automation takes nothing from a node that is not
// proven dead without fencing it first; what is proven dead is never fenced.
func (y *toy) assertFenced(op *Op, v Verdict, person bool) {
	g := op.Plan.Goal
	configured := y.w.x.ClusterOf(g.From).Fencing != ""
	switch {
	case g.Fence && !configured:
		y.violated("fencing: %s fences %s, which is not configured", op.ID, g.From)
	case g.Fence && v == Dead:
		y.violated("fencing: %s fences %s, which is proven dead", op.ID, g.From)
	case configured && !g.Fence && v != Dead && !person:
		y.violated("fencing: %s takes from %s (%s) without fencing it", op.ID, g.From, v)
	}
	fence := ""
	for _, st := range op.Plan.Steps {
		switch {
		case st.Kind == plan.StepFence:
			fence = st.ID
		case st.Kind == plan.StepClaim && g.Fence && (fence == "" || !slices.Contains(st.After, fence)):
			y.violated("fencing: the claim of %s does not wait for the fence", op.ID)
		}
	}
}

// every automatic move has the word of the node that takes over, of this trouble and fresh.
func (y *toy) assertQuorum(op *Op) {
	g := op.Plan.Goal
	moves := g.Kind == plan.GoalFailover || op.Switchback
	if _, asked := y.w.witnessed[g.Node]; !moves || !asked || op.By != automatic || op.Back {
		return
	}
	if q := y.w.Quorum[g.Node]; q == nil || q.Outcome != kits.OK || q.Said.IsZero() || y.now.Sub(q.Said) > y.w.quorumTest(g.Node) {
		y.violated("quorum: %s moves to %s by itself without its word: %+v", op.ID, g.Node, q)
	}
}

func (w *World) quorumTest(node string) time.Duration {
	return (&step{World: w}).quorumFresh(node)
}

// a maintenance hold: automation begins nothing of what is covered.
func (y *toy) assertHeld(op *Op) {
	g := op.Plan.Goal
	if op.By != automatic || op.Back {
		return
	}
	from := g.From
	if from == "" {
		from = g.Node
	}
	c := y.w.x.HierarchyID(g.Tag)
	if h := y.w.heldBy(c, from); h != nil {
		y.violated("hold: %s begins under %s's hold on %q", op.ID, h.By, h.Scope)
	}
	if h := y.w.heldNode(g.Node); h != nil {
		y.violated("hold: %s goes to %s, which is held", op.ID, g.Node)
	}
}

// a switchback stays in its region and away from replicated data.
func (y *toy) assertSwitchback(op *Op) {
	if !op.Switchback {
		return
	}
	g := op.Plan.Goal
	if !y.w.x.SameRegion(g.From, g.Node) || y.w.x.Flag(g.Node, g.From).Confirm {
		y.violated("switchback: %s crosses from %s to %s", op.ID, g.From, g.Node)
	}
	for _, t := range op.Plan.Moves {
		if y.w.traits(t).Replicated {
			y.violated("switchback: %s moves %s, which is replicated", op.ID, t)
		}
	}
	if y.now.Sub(y.w.Nodes[g.Node].steady) < switchbackAfter {
		y.violated("switchback: %s goes to %s, which is not stable", op.ID, g.Node)
	}
}

// one operation at a time on a hierarchy.
func (y *toy) assertAlone(op *Op) {
	c := y.w.x.HierarchyID(op.Plan.Goal.Tag)
	for _, id := range sorted(y.w.Ops) {
		o := y.w.Ops[id]
		if o.Outcome == OpRunning && o.ID != op.ID && y.w.x.HierarchyID(o.Plan.Goal.Tag) == c {
			y.violated("alone: %s begins while %s works on the same hierarchy", op.ID, o.ID)
		}
	}
}

// invariant 3, unknown moves nothing.
func (y *toy) assertKnown(in Input, op *Op) {
	switch in := in.(type) {
	case Checked:
		if in.Report.Outcome == kits.Unknown {
			y.violated("unknown moves nothing: %s begins on an unknown check of %s", op.ID, in.Ref.Tag)
		}
	case ClockJump:
		y.violated("unknown moves nothing: %s begins on a clock jump", op.ID)
	}
	g := op.Plan.Goal
	if (g.Kind == plan.GoalFailover || op.Switchback) && !y.w.alive(g.Node) {
		y.violated("target: %s goes to %s, which is %s", op.ID, g.Node, y.w.Nodes[g.Node].Verdict)
	}
}

// invariant 5, order: what a resource needs is known to be in service when it is
// started. (That it dies in the very second
// cannot be known; what is taken back stands on what was left alone.)
func (y *toy) assertOrder(op *Op, ref hierarchy.Ref) {
	if y.tunnel(ref.Tag) && op.Plan.Goal.Kind == plan.GoalRecover {
		return // it runs without its routes
	}
	for _, c := range y.w.x.Children(ref.Tag) {
		it := y.w.instance(c, ref.Node)
		if it == nil || !it.State.InService() || !it.known && !y.resumed[op.ID] && !y.undoing {
			y.violated("order: %s started on %s while %s is not known to be in service there", ref.Tag, ref.Node, c)
		}
	}
}

// invariant 9, no storms: never three automatic recoveries within half an hour.
func (y *toy) countRepair(op *Op, ref hierarchy.Ref) {
	if op.By != automatic || y.tunnel(ref.Tag) {
		return // tunnels are repaired for as long as it takes
	}
	list := append(y.repairs[ref], y.now)
	list = slices.DeleteFunc(list, func(t time.Time) bool { return y.now.Sub(t) >= stormWindow })
	y.repairs[ref] = list
	ops := map[time.Time]bool{}
	for _, t := range list {
		ops[t] = true
	}
	if len(ops) > 2*3 { // an unclear step is tried up to three times within one recovery
		y.violated("no storms: %s on %s is repaired %d times within half an hour", ref.Tag, ref.Node, len(ops))
	}
}

// assertWorld looks at what really runs.
func (y *toy) assertWorld() {
	for _, r := range y.w.Estate.Res {
		if y.leaves(r.Tag) {
			continue
		}
		var on []string
		for _, p := range r.On {
			ref := hierarchy.Ref{Tag: r.Tag, Node: p.Server}
			if y.runs[ref] && !y.excuse[ref] {
				on = append(on, p.Server)
			}
		}
		if len(on) > 1 {
			y.violated("one active: %s runs on %v", r.Tag, on)
		}
	}
}

// assertStored: a world loaded from what was stored says the same as this one.
func (y *toy) assertStored() {
	var all []Entity
	for _, k := range sorted(y.stored) {
		all = append(all, y.stored[k])
	}
	w, err := Load(y.w.Estate, toyKits(), all)
	if err != nil {
		y.violated("loading: %v", err)
		return
	}
	for _, k := range sorted(y.stored) {
		kind := k[:4]
		if kind == "node" { // verdicts are void
			continue
		}
		if kind == "inst" {
			ref := refOf(k[len("instance/"):])
			if a, b := w.Instances[ref], y.w.Instances[ref]; (a == nil) != (b == nil) || a != nil && a.State != b.State {
				y.violated("stored: %s differs", k)
			}
			continue
		}
		if a, b := string(w.entity(k).Value), string(y.w.entity(k).Value); a != b {
			y.violated("stored: %s differs:\n%s\n%s", k, a, b)
		}
	}
}
