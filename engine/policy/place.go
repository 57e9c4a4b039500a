package policy

import (
	"slices"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// place decides where a hierarchy in trouble goes: to the node with the best
// priority that may take it, with a person's word where the pair asks for it.
// It gives false when nothing moves and nobody is asked.
func (s *step) place(h holding, l *Loss, cause kits.Reason, resource bool) bool {
	if s.verdictDue(h) {
		s.keep = true
		return true
	}
	if s.standbysDue(h, l) {
		s.keep = true
		return true
	}
	to, reasons := s.choose(h, l, resource)
	reasons = slices.Insert(reasons, 0, reasonOn(h.node, cause))
	switch {
	case to == "":
		s.gone = why("question-no-target")
		if cause.Code == "cause-storm" {
			reasons = append(reasons, reasonOn(h.node, why("brake", "node", h.node, "at", cause.Args["again"])))
		}
		s.decide(h, s.nothing(l), "", reasons...)
		return false
	case s.idle(h.comp, h.node):
		if q := s.Questions[s.asking[h.comp]]; q != nil && q.To == to && q.Loss == l.ID {
			s.refresh(q, h, to)
		}
		s.decide(h, DoNothing, "", append(reasons, reasonOn(to, s.idleReason(h.comp, h.node, DoFailover, h.root(), to)))...)
		return false
	case s.Nodes[to].Missed > 0: // going too, perhaps: its next beats tell
		s.keep = true
		return true
	case s.now.Before(l.NotBefore):
		s.keep = true
		s.decide(h, DoHold, to, append(reasons, reasonOn(to, why("hold-retry", "node", to, "at", l.NotBefore.UTC().Format("15:04:05"))))...)
		return true
	case !s.x.SameRegion(h.node, to) && s.lossInDoubt(h.node) != "":
		s.waitsForWay(h, to, reasons)
		return true
	case s.mustFence(h.node) && s.fencing(h.node) != "": // another hierarchy's operation does it for all
		s.keep = true
		s.decide(h, DoHold, to, append(reasons, reasonOn(h.node, why("hold-fencing", "node", h.node, "op", s.fencing(h.node))))...)
		return true
	case s.mustFence(h.node) && s.now.Before(s.Nodes[h.node].FenceNext):
		s.keep = true
		s.wakeAt(h.comp, s.Nodes[h.node].FenceNext)
		s.decide(h, DoHold, to, append(reasons, reasonOn(h.node, why("hold-fence-retry", "node", h.node, "at", clock(s.Nodes[h.node].FenceNext))))...)
		return true
	case s.mustAsk(h, to):
		s.ask(h, l, to, cause, reasons)
		return true
	case !s.quorumHere(h, l, to):
		s.keep = true
		s.decide(h, DoHold, to, append(reasons, reasonOn(to, why("hold-quorum", "node", to)))...)
		return true
	}
	s.decide(h, DoFailover, to, reasons...)
	op := Op{Cause: cause, Tried: slices.Clone(l.Tried), Storm: cause.Code == "cause-storm" || s.heldThere(h)}
	if !s.begin(s.moveGoal(h, to), op) {
		l.Tried = append(l.Tried, to)
		s.dirtLoss(h.comp)
	}
	return true
}

// verdictDue: after a restart, a node on which the hierarchy could run is being
// missed and not judged yet. Its verdict comes within a beat or two.
func (s *step) verdictDue(h holding) bool {
	for _, p := range s.x.PlacementsByPriority(h.root()) {
		if n := s.Nodes[p.Server]; n.heard && !n.judged && n.Missed > 0 {
			return true
		}
	}
	return false
}

// nothing is the word for "no node can take it": held when nodes were tried or refused.
func (s *step) nothing(l *Loss) ActionKind {
	if len(l.Tried) > 0 || l.Refused != nil {
		return DoHold
	}
	return DoNothing
}

// moveGoal is the failover of a holding to a node. A node that answers is asked to
// stop first; one that does not is gone, and unless proven dead that is said.
func (s *step) moveGoal(h holding, to string) plan.Goal {
	n := s.Nodes[h.node]
	there := s.alive(h.node)
	fence := !s.mustAskAnyway(h.node, to) && s.mustFence(h.node)
	return plan.Goal{Kind: plan.GoalFailover, Tag: h.root(), Tags: h.tags, From: h.node, Node: to,
		FromGone: !there, Fence: fence, Unfenced: !there && !fence && n.Verdict != Dead}
}

// heldThere tells that a storm already moved the hierarchy to where it is.
func (s *step) heldThere(h holding) bool {
	it := s.instance(h.root(), h.node)
	return it != nil && it.Held != nil && it.Held.Code == "held-storm"
}

// mustAsk tells that a person decides: the pair carries the confirm flag, or the node
// hangs and may still work and cannot be made sure to be off, or fencing it did not
// succeed.
func (s *step) mustAsk(h holding, to string) bool {
	return s.mustAskAnyway(h.node, to) || s.mustFence(h.node) && s.Nodes[h.node].FenceFailed != nil
}

// mustAskAnyway is the same without what came of fencing.
func (s *step) mustAskAnyway(from, to string) bool {
	return s.Nodes[from].Verdict == Hung && !s.mustFence(from) || s.x.Flag(to, from).Confirm || s.guarded(from, to)
}

// guarded: a move across regions in a cluster that does not allow automatic
// crossing in so many words. Flags cannot lift that.
func (s *step) guarded(from, to string) bool {
	c := s.x.ClusterOf(to)
	return !s.x.SameRegion(from, to) && (c == nil || !c.AllowAutomaticCrossing)
}

// choose goes through the nodes by priority. The first that may take the
// hierarchy is chosen; every other one gets its reason.
func (s *step) choose(h holding, l *Loss, resource bool) (string, []NodeReason) {
	chosen := ""
	placed := s.x.PlacementsByPriority(h.root())
	reasons := make([]NodeReason, 0, len(placed)+2)
	for _, p := range placed {
		if p.Server == h.node {
			continue
		}
		r := s.objection(h, l, p.Server, resource)
		switch {
		case r.Code != "":
		case chosen == "":
			chosen = p.Server
			r = s.common("chosen", p.Server, "", p.Priority)
		default:
			r = s.common("not-lower-priority", p.Server, chosen, p.Priority)
		}
		reasons = append(reasons, reasonOn(p.Server, r))
	}
	if len(reasons) == 0 {
		reasons = append(reasons, reasonOn(h.node, why("not-extended-anywhere", "tag", string(h.root()), "node", h.node)))
	}
	return chosen, reasons
}

// commonKey names a reason that many hierarchies have in common.
type commonKey struct {
	code, node, chosen string
	priority           int
}

// common makes such a reason once in a step: a lost node with hundreds of
// hierarchies has the same to say about each of them.
func (s *step) common(code, node, chosen string, priority int) kits.Reason {
	key := commonKey{code, node, chosen, priority}
	r, ok := s.reasons[key]
	if !ok {
		pairs := []string{"node", node, "priority", strconv.Itoa(priority)}
		if chosen != "" {
			pairs = append(pairs, "chosen", chosen)
		}
		r = why(code, pairs...)
		if s.reasons == nil {
			s.reasons = map[commonKey]kits.Reason{}
		}
		s.reasons[key] = r
	}
	return r
}

// objection is why a node may not take the hierarchy over; without a code it may.
func (s *step) objection(h holding, l *Loss, node string, resource bool) kits.Reason {
	if t := s.missing(h, node); t != "" {
		return why("not-extended", "node", node, "tag", string(t))
	}
	if slices.Contains(l.Tried, node) {
		return why("not-tried", "node", node)
	}
	o := s.nodeObjection(h, node, resource)
	if o.r.Code == "" {
		o.r = s.notReady(h, node)
	}
	switch {
	case o.r.Code != "":
		return o.r
	case !o.asks:
		return s.quorumObjection(h, l, node)
	case l.Refused != nil:
		return because("not-refused", *l.Refused, "node", node)
	}
	return kits.Reason{}
}

// missing is a resource of the holding that is not extended to the node.
func (s *step) missing(h holding, node string) hierarchy.Tag {
	if slices.Contains(s.everywhere[h.comp], node) {
		return ""
	}
	for _, t := range h.tags {
		if s.x.Placement(t, node) == nil {
			return t
		}
	}
	return ""
}

// pairKey and nodeAnswer remember within a step what the facts about two nodes say:
// with a lost node, hundreds of hierarchies have the same to ask.
type pairKey struct {
	from, to string
	resource bool
}

type nodeAnswer struct {
	r    kits.Reason // why nothing goes there
	asks bool        // a person is asked
}

// nodeObjection is the part of an objection that is the same for every hierarchy.
func (s *step) nodeObjection(h holding, node string, resource bool) nodeAnswer {
	key := pairKey{h.node, node, resource}
	if o, ok := s.answers[key]; ok {
		return o
	}
	o := nodeAnswer{asks: s.mustAsk(h, node)}
	switch n := s.Nodes[node]; {
	case n == nil || !n.judged:
		o.r = why("not-seen-yet", "node", node)
	case n.Graceful:
		o.r = why("not-graceful", "node", node)
	case !s.alive(node):
		o.r = why("not-"+string(s.shownVerdict(node)), "node", node)
	case resource && s.x.Flag(node, h.node).Block:
		o.r = why("not-blocked", "node", node, "peer", h.node)
	case s.heldNode(node) != nil:
		o.r = s.heldNode(node).reason("not-held", "node", node)
	}
	if s.answers == nil {
		s.answers = map[pairKey]nodeAnswer{}
	}
	s.answers[key] = o
	return o
}

// shownVerdict is the verdict, or "unreached" for a node that only its peers reach.
func (s *step) shownVerdict(node string) Verdict {
	if v := s.Nodes[node].Verdict; v != Degraded && v != Alive {
		return v
	}
	return "unreached"
}

// decide logs a decision about a holding, once for as long as it is the same.
func (s *step) decide(h holding, a ActionKind, to string, reasons ...NodeReason) {
	s.decideFor(h.root(), h, a, to, reasons)
}

func (s *step) decideFor(t hierarchy.Tag, h holding, a ActionKind, to string, reasons []NodeReason) {
	var key strings.Builder
	key.Grow(64 + 32*len(reasons))
	for _, part := range []string{string(t), string(a), h.node, to} {
		key.WriteString(part)
		key.WriteByte('|')
	}
	for _, r := range reasons {
		key.WriteString(r.Code)
		key.WriteByte('@')
		key.WriteString(r.Node)
		key.WriteByte('|')
	}
	if s.said[h.comp] == key.String() {
		return
	}
	s.said[h.comp] = key.String()
	d := &Decision{Tag: t, Action: a, From: h.node, To: to, Reasons: reasons}
	sev := "warning"
	waits := len(reasons) > 0 && reasons[len(reasons)-1].Code == "hold-quorum" || len(reasons) > 0 && reasons[len(reasons)-1].Code == "hold-fencing" // for a moment
	if a == DoHold && !waits || a == DoNothing && !s.Automation {
		sev = "error"
	}
	s.event(Event{Kind: "decision", Severity: sev, Tag: t, Node: h.node, Reason: decisionReason(d), Decision: d})
}

// decisionReason puts a decision in one sentence.
func decisionReason(d *Decision) kits.Reason {
	r := why("decision-"+string(d.Action), "tag", string(d.Tag), "from", d.From, "to", d.To)
	if len(d.Reasons) > 0 {
		r.Text += " " + d.Reasons[0].Text
	}
	return r
}

func reasonOn(node string, r kits.Reason) NodeReason {
	return NodeReason{Code: r.Code, Node: node, Args: r.Args, Text: r.Text}
}
