package policy

import (
	"slices"
	"strconv"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// Automatic switchback. The rule: a hierarchy returns by itself when every resource
// of it that nothing stands on says "automatic"; what is below follows its roots. Due
// it is only when a node with a better priority came back from an absence or a
// shutdown after the hierarchy was put where it is: what a person moved away, or what
// failed over there and back, does not bounce. It is a planned switchover, refused
// over replicated data, across regions, and where the pair asks for a person.

// switchbackAfter is how long the better node must have been there without a single
// missed beat: longer than a reboot with its updates and second reboot usually takes.
// Flapping begins it anew.
const switchbackAfter = 10 * time.Minute

// switchback returns a hierarchy that is well to the best node that is back.
func (s *step) switchback(h holding) {
	if len(h.tags) == 0 || !s.returns(h) {
		return
	}
	to := s.better(h)
	if to == "" {
		delete(s.saidBack, h.comp)
		return
	}
	reasons := []NodeReason{reasonOn(to, why("cause-switchback", "node", to, "priority", strconv.Itoa(s.x.Placement(h.root(), to).Priority),
		"back", clock(s.Nodes[to].Back), "tag", string(h.root())))}
	if r := s.notBack(h, to); r.Code != "" {
		s.sayBack(h, to, r.Code, DoNothing, append(reasons, reasonOn(to, r)))
		return
	}
	s.sayBack(h, to, "goes", DoSwitchback, reasons)
	r := kits.Reason{Code: reasons[0].Code, Args: reasons[0].Args, Text: reasons[0].Text}
	s.begin(plan.Goal{Kind: plan.GoalInService, Tag: h.root(), Tags: h.tags, From: h.node, Node: to}, Op{Cause: r, Switchback: true})
}

// sayBack logs a decision about a switchback once while it is the same.
func (s *step) sayBack(h holding, to, code string, a ActionKind, reasons []NodeReason) {
	key := to + "|" + stamp(s.Nodes[to].Back) + "|" + code
	if s.saidBack[h.comp] == key {
		return
	}
	s.saidBack[h.comp] = key
	s.said[h.comp] = ""
	s.decide(h, a, to, reasons...)
}

// returns tells that the roots of the holding ask for it, and that nothing of the
// hierarchy is out of service or elsewhere.
func (s *step) returns(h holding) bool {
	if len(h.tags) != len(s.comps[h.comp]) {
		return false
	}
	for _, t := range h.tags {
		if len(s.x.Parents(t)) == 0 && s.x.Resource(t).Switchback != hierarchy.Automatic {
			return false
		}
	}
	return true
}

// better is the node with the best priority that came back since the hierarchy is
// where it is; "" = none.
func (s *step) better(h holding) string {
	var at time.Time
	for _, t := range h.tags {
		if c := s.Claims[t].At; c.After(at) {
			at = c
		}
	}
	for _, p := range s.x.PlacementsByPriority(h.root()) {
		if p.Server == h.node {
			return ""
		}
		if n := s.Nodes[p.Server]; n != nil && n.judged && n.Back.After(at) && !n.Graceful {
			return p.Server
		}
	}
	return ""
}

// notBack is why it does not return (yet); without a code it may.
func (s *step) notBack(h holding, to string) kits.Reason {
	if r := s.neverBack(h, to); r.Code != "" {
		return r
	}
	n := s.Nodes[to]
	stable := n.steady.Add(switchbackAfter)
	switch {
	case !s.alive(to) || n.Verdict != Alive:
		return why("not-"+string(s.shownVerdict(to)), "node", to)
	case n.Missed > 0 || s.now.Before(stable):
		s.wakeAt(h.comp, stable)
		return why("back-stable", "node", to, "minutes", strconv.Itoa(int(switchbackAfter.Minutes())), "at", clock(stable))
	case s.idle(h.comp, h.node):
		return s.idleReason(h.comp, h.node, DoSwitchback, h.root(), to)
	case s.heldNode(to) != nil:
		return s.heldNode(to).reason("not-held", "node", to)
	}
	if last, tried := s.rest[hierarchy.Ref{Tag: s.comps[h.comp][0], Node: to}]; tried && s.now.Before(last.Add(switchbackAfter)) {
		s.wakeAt(h.comp, last.Add(switchbackAfter))
		return why("back-failed", "at", clock(last.Add(switchbackAfter)))
	}
	if r := s.unready(h, to); r.Code != "" {
		return r
	}
	return s.quorumBack(h, to)
}

// neverBack is what only a person can lift.
func (s *step) neverBack(h holding, to string) kits.Reason {
	for _, t := range h.tags {
		if s.traits(t).Replicated {
			return why("back-replicated", "tag", string(t))
		}
		if s.instance(t, h.node).Held != nil {
			return why("back-held", "node", h.node)
		}
	}
	switch {
	case !s.x.SameRegion(h.node, to):
		return why("back-region", "node", to)
	case s.x.Flag(to, h.node).Confirm:
		return why("back-flag", "node", to, "peer", h.node)
	}
	return kits.Reason{}
}

// unready looks at the resources on both nodes: well on the one, quiet on the other.
func (s *step) unready(h holding, to string) kits.Reason {
	for _, t := range h.tags {
		here, there := s.instance(t, h.node), s.instance(t, to)
		switch {
		case !here.fresh || !s.Works(t, h.node):
			return why("back-not-well", "tag", string(t), "node", h.node)
		case there == nil:
			return why("not-extended", "node", to, "tag", string(t))
		case s.traits(t).LeavesOnStop || s.checksStandby(t):
		case !there.fresh || there.State != hierarchy.OSU:
			return why("back-not-ready", "tag", string(t), "node", to)
		}
	}
	if !slices.Contains([]Verdict{Alive, Degraded}, s.Nodes[h.node].Verdict) {
		return why("not-"+string(s.shownVerdict(h.node)), "node", h.node)
	}
	return kits.Reason{}
}

// quorumBack: a switchback is an automatic move like any other.
func (s *step) quorumBack(h holding, to string) kits.Reason {
	since := s.Nodes[to].Back
	o, known := s.quorum(to, since)
	s.askQuorum(to, since)
	switch w := s.Quorum[to]; {
	case known && o == kits.OK:
		return kits.Reason{}
	case known:
		s.wakeAt(h.comp, w.again)
		return because("not-quorum-"+o.String(), w.Reason, "node", to)
	}
	s.wakeAt(h.comp, s.now.Add(s.witnessed[to]+quorumGrace))
	return why("hold-quorum", "node", to)
}
