package policy

import (
	"errors"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// refusal is why a command cannot be followed.
type refusal struct {
	kind   RefusedKind
	reason kits.Reason
}

func no(k RefusedKind, r kits.Reason) *refusal { return &refusal{k, r} }

// command takes a person's wish. The same id twice is one command.
func (s *step) command(in Command) {
	if op, seen := s.commands[in.ID]; seen && in.ID != "" {
		s.out(Accepted{ID: in.ID, Op: op})
		return
	}
	goal, nothing, ref := s.goalOf(in)
	switch {
	case ref != nil:
		s.refuse(in.ID, ref.kind, ref.reason)
		return
	case nothing && goal.Kind == plan.GoalInService && s.dual(s.x.HierarchyID(goal.Tag)):
		s.decideDual(in, goal)
		return
	case nothing:
		s.out(Accepted{ID: in.ID})
		return
	}
	s.personActs(goal.Tag)
	cause := why("cause-command", "by", in.By, "goal", string(goal.Kind), "tag", string(goal.Tag), "node", goal.Node)
	if s.begin(goal, Op{Cause: cause, By: in.By, Command: in.ID}) {
		s.out(Accepted{ID: in.ID, Op: s.Running(goal.Tag).ID})
		return
	}
	s.refuse(in.ID, RefusedInvalid, why("no-plan-now", "tag", string(goal.Tag)))
}

// decideDual: of two claims that could not be ordered, a person says that the holder's
// is right. It is claimed there anew, with a number above both.
func (s *step) decideDual(in Command, goal plan.Goal) {
	c := s.x.HierarchyID(goal.Tag)
	g := s.dualGoal(in, goal)
	s.personActs(goal.Tag)
	if s.begin(g, Op{Cause: why("cause-dual-decided", "by", in.By, "node", goal.Node), By: in.By, Command: in.ID}) {
		s.out(Accepted{ID: in.ID, Op: s.busy[c]})
		return
	}
	s.refuse(in.ID, RefusedInvalid, why("no-plan-now", "tag", string(goal.Tag)))
}

func (s *step) dualGoal(in Command, goal plan.Goal) plan.Goal {
	h := s.held(s.x.HierarchyID(goal.Tag), goal.Node)
	return plan.Goal{Kind: plan.GoalAdopt, Tag: h.root(), Tags: h.tags, Node: goal.Node, By: in.By}
}

// Preview tells what a command would do, changing nothing: the goal and plan that
// would be followed, or why it would be refused. A plan without steps means that
// nothing has to be done.
func (w *World) Preview(in Command) (plan.Plan, *Refused) {
	s := &step{World: w}
	goal, nothing, ref := s.goalOf(in)
	switch {
	case ref != nil:
		return plan.Plan{Goal: in.Goal}, &Refused{ID: in.ID, Kind: ref.kind, Reason: ref.reason}
	case nothing && goal.Kind == plan.GoalInService && s.dual(s.x.HierarchyID(goal.Tag)):
		goal = s.dualGoal(in, goal)
	case nothing:
		return plan.Plan{Goal: in.Goal}, nil
	}
	p, err := plan.Make(w.x, w.kits, w, goal)
	if err != nil {
		return plan.Plan{Goal: goal}, &Refused{ID: in.ID, Kind: RefusedInvalid, Reason: planReason(err)}
	}
	w.noteQuorum(&p)
	return p, nil
}

// goalOf turns a command into a goal that may be followed.
func (s *step) goalOf(in Command) (g plan.Goal, nothing bool, ref *refusal) {
	g = in.Goal
	g.By, g.Tags, g.FromGone, g.Unfenced, g.Fence, g.From, g.AcceptLoss = in.By, nil, false, false, false, "", nil
	r := s.x.Resource(g.Tag)
	switch {
	case r == nil:
		return g, false, no(RefusedNoSuch, why("no-such-resource", "tag", string(g.Tag)))
	case g.Node != "" && s.x.Server(g.Node) == nil:
		return g, false, no(RefusedNoSuch, why("no-such-node", "node", g.Node))
	case s.Running(g.Tag) != nil:
		return g, false, no(RefusedBusy, why("busy", "tag", string(g.Tag), "op", s.Running(g.Tag).ID))
	}
	switch g.Kind {
	case plan.GoalInService:
		return s.inService(g, in.ConfirmRegion)
	case plan.GoalOutOfService, plan.GoalRecover:
		return s.onHolder(g)
	}
	return g, false, no(RefusedInvalid, why("not-a-wish", "goal", string(g.Kind)))
}

// onHolder: out of service, and recover, happen where the resource is active.
func (s *step) onHolder(g plan.Goal) (plan.Goal, bool, *refusal) {
	at := s.Active(g.Tag)
	switch {
	case at == "" && g.Kind == plan.GoalOutOfService:
		return g, true, nil
	case at == "":
		return g, false, no(RefusedInvalid, why("not-active", "tag", string(g.Tag)))
	case g.Node != "" && g.Node != at:
		return g, false, no(RefusedInvalid, why("active-elsewhere", "tag", string(g.Tag), "node", g.Node, "at", at))
	case !s.Nodes[at].judged:
		return g, false, no(RefusedBusy, why("not-known-yet", "node", at))
	case !s.alive(at):
		return g, false, no(RefusedUnsafe, why("holder-not-alive", "tag", string(g.Tag), "node", at))
	}
	if c := s.unknownChild(g.Tag, at); c != "" && g.Kind == plan.GoalRecover {
		return g, false, no(RefusedUnsafe, why("child-not-in-service", "tag", string(g.Tag), "child", string(c), "node", at))
	}
	g.Node, g.From = at, at
	return g, false, nil
}

// inService: on the node that was named, or where it is, or on the best node that is there.
func (s *step) inService(g plan.Goal, typed string) (plan.Goal, bool, *refusal) {
	if g.Node == "" {
		g.Node = s.bestNode(g.Tag)
	}
	if s.x.Placement(g.Tag, g.Node) == nil {
		return g, false, no(RefusedNoSuch, why("not-extended", "node", g.Node, "tag", string(g.Tag)))
	}
	p, err := plan.Make(s.x, s.kits, s.World, g)
	var pe *plan.Error
	switch {
	case errors.As(err, &pe) && pe.Code == "plan.nothing":
		return g, true, nil
	case errors.As(err, &pe) && pe.Code == "plan.not-extended":
		return g, false, no(RefusedNoSuch, planReason(err))
	case err != nil:
		return g, false, no(RefusedInvalid, planReason(err))
	case !s.Nodes[g.Node].judged:
		return g, false, no(RefusedBusy, why("not-known-yet", "node", g.Node))
	case !s.alive(g.Node):
		return g, false, no(RefusedUnsafe, why("target-not-alive", "node", g.Node))
	}
	from, ref := s.leaves(p.Moves, g)
	if ref != nil {
		return g, false, ref
	}
	g.From = from
	return s.leaving(g, typed)
}

// bestNode is where a resource goes when nobody said where.
func (s *step) bestNode(t hierarchy.Tag) string {
	if at := s.Active(t); at != "" {
		return at
	}
	for _, p := range s.x.PlacementsByPriority(t) {
		if s.alive(p.Server) {
			return p.Server
		}
	}
	if placed := s.x.PlacementsByPriority(t); len(placed) > 0 {
		return placed[0].Server
	}
	return ""
}

// leaves finds the node that the resources are on now, by claim or, without one,
// by what was seen there. Where that is not known, starting could make two.
func (s *step) leaves(moves []hierarchy.Tag, g plan.Goal) (string, *refusal) {
	from := ""
	for _, t := range moves {
		if at := s.Active(t); at != "" && at != g.Node {
			if from != "" && from != at && !(s.alive(from) && s.alive(at)) {
				return "", no(RefusedUnsafe, why("holder-not-alive", "tag", string(t), "node", at))
			}
			from = at
		}
	}
	for _, t := range moves {
		if s.Claims[t].Number > 0 || s.traits(t).LeavesOnStop {
			continue
		}
		for _, p := range s.x.PlacementsByPriority(t) {
			if p.Server == g.Node {
				continue
			}
			seen, ref := s.unclaimedOn(t, p.Server, g.Force)
			if ref != nil {
				return "", ref
			}
			if seen && from != "" && from != p.Server {
				return "", no(RefusedUnsafe, why("runs-twice", "tag", string(t), "node", p.Server, "other", from))
			}
			if seen {
				from = p.Server
			}
		}
	}
	return from, nil
}

// unclaimedOn tells whether a resource that was never claimed runs on a node.
func (s *step) unclaimedOn(t hierarchy.Tag, node string, force bool) (bool, *refusal) {
	it, n := s.instance(t, node), s.Nodes[node]
	switch {
	case n.Verdict == Dead || force:
		return it.presence == kits.Present && it.fresh, nil
	case !s.alive(node):
		return false, no(RefusedUnsafe, why("never-claimed-not-seen", "tag", string(t), "node", node))
	case !it.fresh || it.presence == kits.PresenceUnknown:
		return false, no(RefusedBusy, why("never-claimed-not-checked", "tag", string(t), "node", node))
	}
	return it.presence == kits.Present, nil
}

// leaving judges the node that is left: it is stopped in order, or it is known to be
// gone, or a person takes it upon himself.
func (s *step) leaving(g plan.Goal, typed string) (plan.Goal, bool, *refusal) {
	if g.From == "" {
		return g, false, nil
	}
	if !s.Nodes[g.From].judged {
		return g, false, no(RefusedBusy, why("not-known-yet", "node", g.From))
	}
	crosses := !s.x.SameRegion(g.From, g.Node)
	if region := s.x.RegionOf(g.Node); crosses && typed != region {
		return g, false, no(RefusedUnsafe, why("confirm-region", "from", g.From, "node", g.Node, "region", region))
	}
	if s.alive(g.From) {
		return g, false, nil
	}
	g.FromGone = true
	switch v := s.Nodes[g.From].Verdict; {
	case v == Degraded:
		return g, false, no(RefusedUnsafe, why("from-alive-unreached", "from", g.From))
	case v == Dead:
	case s.mustFence(g.From) && !g.Force && !s.mustAskAnyway(g.From, g.Node):
		g.Fence = true
	case v == Presumed && !s.mustAskAnyway(g.From, g.Node), g.Force:
		g.Unfenced = true
	default:
		return g, false, no(RefusedUnsafe, why("from-not-proven", "from", g.From))
	}
	return g, false, nil
}

// personActs: what automation held or asked about this hierarchy is over.
func (s *step) personActs(t hierarchy.Tag) {
	c := s.x.HierarchyID(t)
	for _, m := range s.comps[c] {
		for _, p := range s.x.PlacementsByPriority(m) {
			ref := hierarchy.Ref{Tag: m, Node: p.Server}
			if it := s.Instances[ref]; it.Held != nil || len(it.Recoveries) > 0 {
				it.Held, it.Recoveries = nil, nil
				s.dirt(instanceKey(ref))
			}
		}
	}
	s.clearLoss(c)
	if q := s.Questions[s.asking[c]]; q != nil {
		s.endQuestion(q, Withdrawn, why("question-person-acts"))
	}
}
