package chaos

import (
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/runner"
	"github.com/ferry-ha/ferry/kits"
)

// The invariants, by the names of DESIGN 3 where it has one.
const (
	// OneActive: two nodes run the same thing at once only when a takeover from a node
	// presumed dead was recorded as unfenced before, and that node is the old one.
	OneActive = "one active"
	// NoUnasked: nothing comes up across a pair of nodes that carries the confirm flag
	// unless a person said so, and the engine took it.
	NoUnasked = "no unasked crossing"
	// UnknownMoves: no automatic operation without something that was really wrong.
	UnknownMoves = "unknown moves nothing"
	// Order: what starts stands on what runs; what stops carries nothing any more.
	Order = "order"
	// GoodOrder: a shutdown in good order moves nothing from a node that is to keep it,
	// and no node is kept from going down for longer than two minutes.
	GoodOrder = "good order"
	// Names: an engine changes a record only to where an operation on record leads.
	Names = "names follow operations"
	// OneEngine: the epoch in a node's record only rises.
	OneEngine = "one engine"
	// NothingLost: what was accepted is on record, and ends.
	NothingLost = "nothing accepted is lost"
	// NoStorms: automatic recoveries and failovers are bounded.
	NoStorms = "no storms"
	// ComesBack: when all is well again, everything that nobody holds back is in service
	// once, nothing is under way, and the engine knows it.
	ComesBack = "comes back"
)

// Rules lists them.
var Rules = []string{OneActive, NoUnasked, UnknownMoves, Order, GoodOrder, Names, OneEngine, NothingLost, NoStorms, ComesBack, Tunnels}

// within is how long ago something may have been to be a reason.
const (
	lookBack    = 5 * time.Minute  // a fault, for an automatic operation
	wordLasts   = 20 * time.Minute // a person's word, until what it allowed has come up
	bootNotice  = 30 * time.Second // from power-on until the engine can know
	stormWindow = 30 * time.Minute // SPEC 7
	maxRecovers = 2                // SPEC 7: the third is a failover
	maxMoves    = 8                // of one hierarchy within the window; every node may be tried and left
)

// ruleOneActive: p comes up. e.mu is held, here and below.
func (e *eyes) ruleOneActive(p place) {
	for _, n := range e.shape.find(p.res).On {
		other := place{p.res, n}
		if n == p.node || !e.up[other] || e.off[n] || e.excused[other] != "" || e.excused[p] != "" {
			continue
		}
		switch {
		case e.stray[other]:
			e.excused[other] = "started by hand"
		case e.anyOp(func(op *policy.Op) bool { return unfenced(op, p.res, n) }) != nil:
			e.excused[other] = "unfenced"
		default:
			e.violated(OneActive, "%s comes up while it runs on %s", p, n)
		}
	}
}

// unfenced: the operation took the resource over from a node that was only presumed
// dead, and its record says so.
func unfenced(op *policy.Op, res, from string) bool {
	g := op.Plan.Goal
	return g.FromGone && g.Unfenced && g.From == from && slices.Contains(op.Plan.Moves, tag(res))
}

func (e *eyes) ruleUnasked(p place) {
	from := e.last[p.res]
	if from == "" || from == p.node || !e.shape.confirm(p.node, from) {
		return
	}
	for n := range e.stray {
		if n.res == p.res && !e.shape.confirm(p.node, n.node) {
			return // adopted there, and moved on from there
		}
	}
	if e.allowed(p) || e.returns(p, from) {
		return
	}
	e.violated(NoUnasked, "%s comes up; it was on %s, and nobody said that it may", p, from)
}

// allowed: a person's word for this move, or for another node of the same region.
func (e *eyes) allowed(p place) bool {
	h := e.shape.hierarchy(p.res)
	for _, y := range e.yes {
		here := y.to == p.node || y.to != "" && e.shape.regionOf(y.to) == e.shape.regionOf(p.node)
		if here && slices.Contains(h, y.res) && time.Since(y.at) < wordLasts {
			return true
		}
	}
	return e.anyOp(func(op *policy.Op) bool { // silence means yes where CONFIRMSODEF says so
		q := e.questions[op.Question]
		return q.State == policy.Expired && q.Default == 0 && moves(op, p.res) && op.Plan.Goal.Node == p.node
	}) != nil
}

// returns: a move that failed goes back to where it came from.
func (e *eyes) returns(p place, from string) bool {
	return e.anyOp(func(op *policy.Op) bool {
		g := op.Plan.Goal
		if !moves(op, p.res) || time.Since(op.Began) > wordLasts {
			return false
		}
		return op.Back && g.Node == p.node || g.From == p.node && g.Node == from && op.Outcome != policy.OpDone
	}) != nil
}

func (e *eyes) ruleStartOrder(p place) {
	for _, c := range e.shape.find(p.res).Needs {
		child := place{c, p.node}
		if outside(e.shape.find(c).Kit) || e.up[child] || time.Since(e.fault[child]) < lookBack {
			continue // routes and names are looked at in the end; what died just now cannot be known
		}
		if time.Since(e.booted[p.node]) < bootNotice && !e.repeated(p) {
			continue // nor can a reboot, at the first try
		}
		e.violated(Order, "%s comes up without %s", p, c)
	}
}

// repeated tells that a start of this is under way which is not the first try: an
// engine that asks again must look first.
func (e *eyes) repeated(p place) bool {
	return e.anyOp(func(op *policy.Op) bool {
		j := e.journals[op.ID]
		return op.Outcome == policy.OpRunning && j != nil && (secondTry(op.Plan, j.Steps, p) || j.Undo != nil && secondTry(*j.Undo, j.UndoSteps, p))
	}) != nil
}

func secondTry(p plan.Plan, entries map[string]runner.Entry, at place) bool {
	return slices.ContainsFunc(p.Steps, func(s plan.Step) bool {
		return s.Kind == plan.StepStart && s.Tag == tag(at.res) && s.Node == at.node && entries[s.ID].Attempt > 1
	})
}

func (e *eyes) ruleStopOrder(p place) {
	if e.anyOp(func(op *policy.Op) bool { return recovering(op, p) }) != nil {
		return // repaired on the spot: down and up again
	}
	for _, r := range e.shape.Resources {
		parent := place{r.Name, p.node}
		if outside(r.Kit) {
			continue // a route or a name stays when its resource is taken out of service
		}
		if slices.Contains(r.Needs, p.res) && e.up[parent] && !e.stray[parent] {
			e.violated(Order, "%s is stopped while %s runs on it", p, r.Name)
		}
	}
}

// ruleProvoked: an automatic recovery or failover has a cause in the world.
func (e *eyes) ruleProvoked(op *policy.Op) {
	g := op.Plan.Goal
	if op.By != "automatic" || g.Kind != plan.GoalRecover && g.Kind != plan.GoalFailover || op.Back {
		return
	}
	back := lookBack
	if op.Question != "" {
		back = wordLasts
	}
	ago := time.Now().Add(-back)
	if e.worse[g.From].After(ago) || e.wrong(g.From) {
		return
	}
	for _, r := range e.shape.Resources {
		if p := (place{r.Name, g.From}); moves(op, r.Name) && e.bad[p].After(ago) {
			return
		}
	}
	e.violated(UnknownMoves, "%s begins: %s %s from %s to %s, and nothing was wrong there: %s", op.ID, g.Kind, g.Tag, g.From, g.Node, op.Cause.Text)
}

// leaves: a node begins to go down in good order.
func (e *eyes) leaves(node string) {
	e.leaving[node] = time.Now()
	if e.shape.switches(node) {
		e.worse[node] = time.Now()
	}
}

// gone: it is down, unless something else came between.
func (e *eyes) gone(node string) {
	began := e.leaving[node]
	delete(e.leaving, node)
	if took := time.Since(began); took > holdUp && !e.slept[node].After(began) {
		e.violated(GoodOrder, "%s was kept from going down for %s", node, took)
	}
}

// ruleGoodOrder: an automatic operation from a node whose shutdown is on record.
func (e *eyes) ruleGoodOrder(op *policy.Op) {
	g := op.Plan.Goal
	if op.By != "automatic" || g.Kind != plan.GoalRecover && g.Kind != plan.GoalFailover || op.Back || op.Question != "" {
		return
	}
	if e.graceful[g.From] && !e.shape.switches(g.From) {
		e.violated(GoodOrder, "%s begins: %s %s from %s to %s, which was shut down in good order and keeps what it has: %s", op.ID, g.Kind, g.Tag, g.From, g.Node, op.Cause.Text)
	}
}

func (e *eyes) ruleStorm(op *policy.Op) {
	if op.By != "automatic" {
		return
	}
	g, since := op.Plan.Goal, time.Now().Add(-stormWindow)
	recovers, failovers, patches := 0, 0, 0
	for _, o := range e.ops {
		h := o.Plan.Goal
		if o.By != op.By || h.Kind != g.Kind || !o.Began.After(since) || !o.Began.After(e.freed[e.root(string(g.Tag))]) {
			continue
		}
		switch {
		case g.Kind == plan.GoalRecover && h.Tag == g.Tag && h.Node == g.Node && e.patch(o):
			patches++
		case g.Kind == plan.GoalRecover && h.Tag == g.Tag && h.Node == g.Node:
			recovers++
		case g.Kind == plan.GoalFailover && h.Tag == g.Tag:
			failovers++
		}
	}
	interval := time.Duration(e.shape.seconds("LKCHECKINTERVAL", 120)) * time.Second
	if recovers > maxRecovers || failovers > maxMoves || patches > int(stormWindow/interval)+maxRecovers {
		e.violated(NoStorms, "%s is repaired %d times on %s and moved %d times within %s", g.Tag, recovers, g.Node, failovers, stormWindow)
	}
}

// patch tells that a repair of a name did what can be done now while Route 53 is in
// trouble: it left the resource in service, impaired. No node could do better, so that
// no storm brake counts it; it comes again with the next usual check at the earliest.
func (e *eyes) patch(op *policy.Op) bool {
	j, r := e.journals[op.ID], e.shape.find(op.Plan.Goal.Tag.Short())
	if j == nil || r == nil || r.Kit != "route53" || op.Outcome == policy.OpRunning {
		return false
	}
	return slices.ContainsFunc(op.Plan.Steps, func(s plan.Step) bool {
		rep := j.Steps[s.ID].Report
		return s.Kind == plan.StepRecover && rep.Outcome == kits.OK && rep.Impaired
	})
}

// ruleEpoch: a node's record, read every second.
func (e *eyes) ruleEpoch(node string, epoch uint64) {
	if epoch < e.epochs[node] {
		e.violated(OneEngine, "the record of %s went from epoch %d back to %d", node, e.epochs[node], epoch)
	}
	e.epochs[node] = epoch
}

// ruleLost: everything accepted is on record. In the end it must have ended, too.
func (e *eyes) ruleLost(end bool) {
	for _, a := range e.acks {
		if a.question != "" {
			if q := e.questions[a.question]; q.State != policy.Answered || q.Answer != a.kind || q.By != a.by {
				e.violated(NothingLost, "the answer %s by %s to %s was accepted; the record says %s, %s by %q", a.kind, a.by, a.question, q.State, q.Answer, q.By)
			}
			continue
		}
		switch op := e.ops[a.op]; {
		case op == nil:
			e.violated(NothingLost, "the accepted operation %s is not on record", a.op)
		case end && op.Outcome == policy.OpRunning:
			e.violated(NothingLost, "the accepted operation %s has not ended", a.op)
		}
	}
}

// waits tells that a hierarchy waits for a person or for the storm brake, and why.
func (e *eyes) waits(root string) string {
	h := e.shape.hierarchy(root)
	for _, q := range e.questions {
		if q.State == policy.Pending && slices.Contains(h, short(string(q.Tag))) {
			return "question " + q.ID
		}
	}
	for name, l := range e.losses {
		if slices.Contains(h, name) && (l.Refused != nil || l.Stuck != nil) {
			return "refused or stuck"
		}
	}
	for p, in := range e.instances {
		if slices.Contains(h, p.res) && in.Held != nil {
			return "held on " + p.node
		}
		if slices.Contains(h, p.res) && len(in.Recoveries) >= maxRecovers && time.Since(in.Recoveries[0]) < stormWindow {
			return "repaired too often on " + p.node
		}
	}
	if d := e.decided[root]; d.Action == policy.DoHold || strings.Contains(strings.ToLower(reasonsOf(d)), "dual") {
		return "decided to hold"
	}
	return ""
}

func reasonsOf(d policy.Decision) string {
	var b strings.Builder
	for _, r := range d.Reasons {
		b.WriteString(r.Code + " ")
	}
	return b.String()
}
