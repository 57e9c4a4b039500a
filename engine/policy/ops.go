package policy

import (
	"errors"
	"slices"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// automatic is who acted when no person did.
const automatic = "automatic"

// Automatic is what Op.By says of an operation that no person began.
const Automatic = automatic

// begin plans the goal and starts it as an operation. It gives false, and says
// why, when no plan can be made.
func (s *step) begin(g plan.Goal, op Op) bool {
	p, err := plan.Make(s.x, s.kits, s.World, g)
	if err != nil {
		s.noPlan(g, err)
		return false
	}
	s.noteOnce(&p)
	op.ID, op.Plan, op.Began, op.Outcome = s.newID("op"), p, s.now, OpRunning
	if op.By == "" {
		op.By = automatic
	}
	c := s.x.HierarchyID(g.Tag)
	s.Ops[op.ID] = &op
	s.busy[c] = op.ID
	if op.Command != "" {
		s.commands[op.Command] = op.ID
	}
	s.dirt(opKey(op.ID))
	for _, st := range p.Steps {
		for _, t := range st.Tags {
			s.Given[t] = max(s.Given[t], st.Claim)
			s.dirt(claimKey(t))
		}
	}
	if q := s.Questions[s.asking[c]]; q != nil && g.Kind != plan.GoalRecover {
		s.endQuestion(q, Withdrawn, why("question-overtaken", "op", op.ID))
	}
	s.event(Event{Kind: "operation", Tag: g.Tag, Node: g.Node, Op: op.ID, By: op.By, Question: op.Question,
		Reason: because("op-began-"+string(g.Kind), op.Cause, "tag", string(g.Tag), "node", g.Node, "from", g.From)})
	s.out(StartOp{Op: s.Ops[op.ID]})
	return true
}

// planReason turns plan's error into a reason.
func planReason(err error) kits.Reason {
	var pe *plan.Error
	if errors.As(err, &pe) {
		return kits.Why(pe.Code, pe.Text, "tag", string(pe.Tag), "node", pe.Node)
	}
	return kits.Why("plan.failed", err.Error())
}

func (s *step) noPlan(g plan.Goal, err error) {
	s.event(Event{Kind: "operation", Severity: "error", Tag: g.Tag, Node: g.Node, Reason: planReason(err)})
}

// stepEnded takes the result of an operation's step: states and claims follow from it.
func (s *step) stepEnded(in StepEnded) {
	op := s.Ops[in.Op]
	if op == nil || op.Outcome != OpRunning {
		return
	}
	st := in.Undo
	if st == nil {
		st = stepOf(op.Plan, in.Step)
	}
	if st == nil {
		return
	}
	if in.Report.Outcome != kits.OK && !st.MayFail && in.Undo == nil {
		s.trouble(op, st, in.Report)
	}
	if in.Report.Outcome == kits.OK {
		s.signOfLife(st)
	}
	switch st.Kind {
	case plan.StepClaim:
		s.claimed(op, st, in.Report)
	case plan.StepStart, plan.StepStop, plan.StepRecover, plan.StepCheck:
		s.acted(st, in.Report)
	case plan.StepFence:
		s.fenced(op, st.Node, in.Report)
	}
}

// signOfLife: a step that a node carried out shows that the node is there, whatever its
// heartbeats said until now. It must not be given up for lost when the operation ends.
func (s *step) signOfLife(st *plan.Step) {
	n := s.Nodes[st.Node]
	switch st.Kind {
	case plan.StepClaim, plan.StepStart, plan.StepStop, plan.StepRecover:
	default:
		return
	}
	if n == nil || n.Missed == 0 || s.traits(st.Tag).ViaCloud {
		return
	}
	s.reached(st.Node, n)
	s.judgeNode(st.Node)
}

func stepOf(p plan.Plan, id string) *plan.Step {
	for i := range p.Steps {
		if p.Steps[i].ID == id {
			return &p.Steps[i]
		}
	}
	return nil
}

// trouble keeps the worst that happened to an operation: a failure says more than an unknown.
func (s *step) trouble(op *Op, st *plan.Step, r kits.Report) {
	if op.Trouble != nil && (op.Trouble.Outcome == kits.Failed || r.Outcome != kits.Failed) {
		return
	}
	op.Trouble = &Trouble{Kind: st.Kind, Tag: st.Tag, Node: st.Node, Outcome: r.Outcome, Reason: r.Reason}
	s.dirt(opKey(op.ID))
}

// claimed: the target holds the resources from now on.
func (s *step) claimed(op *Op, st *plan.Step, r kits.Report) {
	if r.Outcome != kits.OK {
		return
	}
	for _, t := range st.Tags {
		s.Claims[t] = hierarchy.Claim{Number: st.Claim, Node: st.Node, At: s.now, By: op.By, Unfenced: op.Plan.Goal.Unfenced}
		delete(s.Released, t)
		s.dirt(claimKey(t))
	}
}

// acted: a kit did something on a node.
func (s *step) acted(st *plan.Step, r kits.Report) {
	ref := hierarchy.Ref{Tag: st.Tag, Node: st.Node}
	it := s.Instances[ref]
	if it == nil {
		return
	}
	to := hierarchy.ILLSTATE
	switch {
	case r.Outcome == kits.Failed:
		to = hierarchy.OSF
	case r.Outcome == kits.Unknown && (st.Kind == plan.StepCheck || st.Kind == plan.StepRecover):
		return // still as it was, as far as we know
	case r.Outcome == kits.OK && st.Kind == plan.StepStop && s.checksStandby(st.Tag) && it.State == hierarchy.OSF:
		return // stopping it has not made it work
	case r.Outcome == kits.Unknown:
	case st.Kind == plan.StepStop:
		to = hierarchy.OSU
	case s.checksStandby(st.Tag) && s.Active(st.Tag) != st.Node && st.Kind != plan.StepStart:
		to = hierarchy.OSU // it works where it is not in service, as it should
	case r.Impaired:
		to = hierarchy.ISU
	default:
		to, r.Reason = s.upAs(st.Tag, r.Reason)
	}
	it.Asked = s.now
	if it.known = r.Outcome != kits.Unknown; it.known {
		it.Checked = s.now
	}
	s.state(ref, it, to, r.Reason)
	s.details(ref, it, r.Details)
	if to == hierarchy.ISU && st.Kind != plan.StepCheck {
		s.patch(ref, it, st.Kind == plan.StepRecover)
	}
}

// patch notes that something in the cloud was started or repaired as well as it can be
// now. No node could do better, so that is no recovery for the storm brake, and until
// the next usual check nothing is done about what is known to be not right yet.
func (s *step) patch(ref hierarchy.Ref, it *Instance, recovered bool) {
	if !s.traits(ref.Tag).ViaCloud {
		return
	}
	it.patched = s.now
	if n := len(it.Recoveries); recovered && n > 0 {
		it.Recoveries = it.Recoveries[:n-1]
		s.dirt(instanceKey(ref))
	}
}

func (s *step) patched(ref hierarchy.Ref, it *Instance) bool {
	interval := s.x.Seconds(ref.Node, hierarchy.LKCheckInterval)
	return it.State == hierarchy.ISU && !it.patched.IsZero() && s.now.Sub(it.patched) < interval*3/4
}

// opEnded: the runner is through. What comes next follows from the facts; only
// what the facts do not show is noted here.
func (s *step) opEnded(in OpEnded) {
	op := s.Ops[in.Op]
	if op == nil || op.Outcome != OpRunning {
		return
	}
	op.Outcome, op.Reason, op.Ended = in.Outcome, in.Reason, s.now
	s.dirt(opKey(op.ID))
	g := op.Plan.Goal
	c := s.x.HierarchyID(g.Tag)
	if c < 0 {
		return
	}
	s.busy[c], s.said[c] = "", ""
	if it := s.instance(g.Tag, g.Node); g.Kind == plan.GoalRecover && it != nil && s.Active(g.Tag) != g.Node {
		it.repaired = s.now
	}
	for _, t := range s.comps[c] {
		for _, p := range s.x.PlacementsByPriority(t) {
			it := s.instance(t, p.Server)
			it.fresh, it.presence, it.lookFor = false, kits.PresenceUnknown, time.Time{}
		}
	}
	s.logEnd(op)
	switch in.Outcome {
	case OpDone:
		s.opDone(op, c)
	case OpRolledBack:
		s.opRolledBack(op, c)
	case OpFailed:
		s.opFailed(op, c)
	}
	switch {
	case s.busy[c] != "":
	case g.Kind == plan.GoalAdopt:
		var all []string
		for _, p := range s.x.PlacementsByPriority(g.Tag) {
			all = append(all, p.Server)
		}
		s.checkNow(s.comps[c], s.reachable(all...)...)
	default:
		s.checkNow(s.comps[c], s.reachable(g.From, g.Node)...)
		s.checkStandbys(c)
	}
	s.touch(g.Tag)
	if g.Fence {
		s.touchNode(g.From) // the others that waited for it
	}
}

// reachable keeps the nodes that can be looked at.
func (s *step) reachable(nodes ...string) []string {
	return slices.DeleteFunc(slices.Clone(nodes), func(n string) bool { return !s.alive(n) })
}

func (s *step) logEnd(op *Op) {
	g := op.Plan.Goal
	sev := "info"
	if op.Outcome != OpDone {
		sev = "error"
	}
	s.event(Event{Kind: "operation", Severity: sev, Tag: g.Tag, Node: g.Node, Op: op.ID, By: op.By,
		Reason: because("op-"+string(op.Outcome), op.Reason, "op", op.ID, "goal", string(g.Kind), "tag", string(g.Tag), "node", g.Node, "took", s.now.Sub(op.Began).Round(time.Millisecond).String())})
}

func (s *step) opDone(op *Op, c int) {
	g := op.Plan.Goal
	switch g.Kind {
	case plan.GoalOutOfService:
		for _, t := range op.Plan.Moves {
			s.Released[t] = true
			s.dirt(claimKey(t))
		}
		s.clearLoss(c)
	case plan.GoalInService, plan.GoalFailover:
		s.clearLoss(c)
		for _, t := range tagsOf(op.Plan, plan.StepStop) {
			if s.Active(t) != g.Node { // stopped and not started again: it was in nobody's hands before
				s.Released[t] = true
				s.dirt(claimKey(t))
			}
		}
		s.release(op.Plan.Moves, g.Node)
		if op.Storm {
			s.hold(op.Plan.Moves, g.Node, why("held-storm", "node", g.Node))
		}
	}
}

// release ends the holds on nodes that the resources have left.
func (s *step) release(tags []hierarchy.Tag, node string) {
	for _, t := range tags {
		for _, p := range s.x.PlacementsByPriority(t) {
			ref := hierarchy.Ref{Tag: t, Node: p.Server}
			if it := s.Instances[ref]; p.Server != node && it.Held != nil {
				it.Held = nil
				s.dirt(instanceKey(ref))
			}
		}
	}
}

// hold leaves resources where they are until a person acts.
func (s *step) hold(tags []hierarchy.Tag, node string, r kits.Reason) {
	for _, t := range tags {
		ref := hierarchy.Ref{Tag: t, Node: node}
		if it := s.Instances[ref]; it != nil {
			it.Held = &r
			s.dirt(instanceKey(ref))
		}
	}
	s.event(Event{Kind: "decision", Severity: "warning", Tag: tags[len(tags)-1], Node: node, Reason: r})
}

// The pauses before a node whose eligibility is unknown is asked again; after the
// last one it counts as tried.
var retryPauses = [...]time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second}

// opRolledBack: nothing has changed. An automatic move tries the next node, or the
// same one again while it does not know; what cannot be stopped goes nowhere.
func (s *step) opRolledBack(op *Op, c int) {
	l := s.Losses[s.comps[c][0]]
	if op.Switchback {
		s.rest[hierarchy.Ref{Tag: s.comps[c][0], Node: op.Plan.Goal.Node}] = s.now
	}
	if op.Plan.Goal.Kind != plan.GoalFailover || l == nil || op.Trouble == nil {
		return
	}
	tr := op.Trouble
	if tr.Kind == plan.StepFence {
		return // it says something of the node that was to be fenced, not of the target
	}
	switch tired := tr.Outcome == kits.Failed || l.Retries >= len(retryPauses); {
	case !tired:
		l.NotBefore = s.now.Add(retryPauses[l.Retries])
		l.Retries++
	case tr.Kind == plan.StepStop:
		r := because("stuck-stop", tr.Reason, "tag", string(tr.Tag), "node", tr.Node)
		l.Stuck = &r
	default:
		l.Tried, l.Retries, l.NotBefore = append(l.Tried, op.Plan.Goal.Node), 0, time.Time{}
	}
	s.dirtLoss(c)
}

// opFailed: beyond the point of no return, or taking back did not succeed.
func (s *step) opFailed(op *Op, c int) {
	g, definite := op.Plan.Goal, op.Trouble != nil && op.Trouble.Outcome == kits.Failed
	landed := g.Node != "" && s.Active(g.Tag) == g.Node
	switch g.Kind {
	case plan.GoalStopStale:
		s.rest[hierarchy.Ref{Tag: s.comps[c][0], Node: g.Node}] = s.now
	case plan.GoalRecover:
		if l := s.Losses[s.comps[c][0]]; l != nil && definite && g.Node == l.At {
			l.RepairFailed = s.now
			s.dirtLoss(c)
		}
	case plan.GoalFailover:
		switch {
		case !landed: // taking back did not succeed: no better than that it never was
			s.opRolledBack(op, c)
		case definite:
			s.landedBadly(op, c)
		}
	case plan.GoalInService:
		if landed {
			s.goBack(op, c)
		}
	}
}

// landedBadly: the target holds the claim and could not start. The same loss goes
// on there, with one node fewer.
func (s *step) landedBadly(op *Op, c int) {
	key, g := s.comps[c][0], op.Plan.Goal
	l := s.Losses[key]
	if l == nil {
		l = &Loss{Since: s.now}
		s.Losses[key] = l
	}
	l.ID = "landed/" + g.Node + "/" + op.ID
	l.At, l.Landed, l.Retries, l.NotBefore, l.RepairFailed = g.Node, true, 0, time.Time{}, s.now
	for _, n := range append(slices.Clone(op.Tried), g.Node) {
		if !slices.Contains(l.Tried, n) {
			l.Tried = append(l.Tried, n)
		}
	}
	if s.alive(g.From) && !slices.Contains(l.Tried, g.From) {
		l.Tried = append(l.Tried, g.From) // it failed there too, or it would not have left
	}
	for _, t := range op.Plan.Moves {
		if it := s.instance(t, g.Node); it.State == hierarchy.OSF {
			it.fresh = true // the start itself is the freshest check
		}
	}
	s.dirtLoss(c)
}

// goBack: a person's move failed beyond the point of no return. It returns to
// where it was, or, when it was nowhere, is taken out of service again.
func (s *step) goBack(op *Op, c int) {
	g := op.Plan.Goal
	back := plan.Goal{Tag: g.Tag, From: g.Node, By: op.By}
	cause := because("cause-going-back", op.Reason, "op", op.ID, "node", g.From)
	switch {
	case op.Back:
		s.hold(op.Plan.Moves, g.Node, why("held-back-failed", "node", g.Node, "op", op.ID))
		return
	case g.From == "":
		back.Kind, cause = plan.GoalOutOfService, because("cause-taking-out", op.Reason, "op", op.ID)
		back.Tags = tagsOf(op.Plan, plan.StepClaim)
	case s.alive(g.From):
		back.Kind, back.Node = plan.GoalInService, g.From
		back.Tags = tagsOf(op.Plan, plan.StepStop)
	default:
		s.hold(op.Plan.Moves, g.Node, why("held-no-way-back", "node", g.Node, "from", g.From))
		return
	}
	s.begin(back, Op{Cause: cause, By: op.By, Back: true})
}

// tagsOf lists the resources of a plan's steps of one kind.
func tagsOf(p plan.Plan, k plan.StepKind) []hierarchy.Tag {
	var tags []hierarchy.Tag
	for _, st := range p.Steps {
		if st.Kind != k {
			continue
		}
		if st.Tag != "" {
			tags = append(tags, st.Tag)
		}
		tags = append(tags, st.Tags...)
	}
	return tags
}
