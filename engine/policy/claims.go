package policy

import (
	"slices"
	"strconv"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// judgeClaims compares what runs with who may run it: stale resources are stopped,
// what runs once without anybody's claim is adopted, what runs twice is held: then
// it gives true.
func (s *step) judgeClaims(c int) (dual bool) {
	if node := s.staleNode(c); node != "" {
		pause := s.x.Seconds(node, hierarchy.LKCheckInterval) / 2 // what could not be stopped is tried again with the usual checks
		if last, failed := s.rest[hierarchy.Ref{Tag: s.comps[c][0], Node: node}]; !failed || s.now.Sub(last) >= pause {
			s.stopStale(c, node)
		}
		return false
	}
	return s.adopt(c)
}

// Seen tells that a check found something of the resource on the node since
// anything changed there.
func (w *World) Seen(t hierarchy.Tag, node string) bool {
	it := w.instance(t, node)
	return it != nil && it.seen()
}

func (in *Instance) seen() bool { return in.fresh && in.presence == kits.Present }

// staleNode is a node on which something of the hierarchy runs although another
// node's claim is in force. A resource whose claim was given up is nobody's: what
// runs of it was started by hand, and is shown, not stopped.
func (s *step) staleNode(c int) string {
	for _, t := range s.comps[c] {
		holder := s.Active(t)
		if tr := s.traits(t); holder == "" || tr.LeavesOnStop || s.checksStandby(t) {
			continue
		}
		seen := s.on[t]
		for i, p := range s.x.PlacementsByPriority(t) {
			if seen[i].seen() && p.Server != holder && s.alive(p.Server) && !s.Nodes[p.Server].Graceful {
				return p.Server
			}
		}
	}
	return ""
}

// stopStale stops everything of the hierarchy that the node has no right to, top down.
func (s *step) stopStale(c int, node string) {
	var tags []hierarchy.Tag
	for _, t := range s.comps[c] {
		if s.x.Placement(t, node) != nil && s.Active(t) != node {
			tags = append(tags, t)
		}
	}
	top := tags[len(tags)-1]
	h := holding{comp: c, node: node, tags: tags}
	cause := why("cause-stale", "node", node, "holder", s.Active(s.runsHere(tags, node)), "tag", string(s.runsHere(tags, node)))
	if s.idle(c, node) {
		s.staleSaid = true
		s.decide(h, DoNothing, "", reasonOn(node, cause), reasonOn(node, s.idleReason(c, node, ActionKind(plan.GoalStopStale), top, node)))
		return
	}
	s.begin(plan.Goal{Kind: plan.GoalStopStale, Tag: top, Tags: tags, Node: node}, Op{Cause: cause})
}

// runsHere is the first of the tags that was seen on the node.
func (s *step) runsHere(tags []hierarchy.Tag, node string) hierarchy.Tag {
	for _, t := range tags {
		if s.Seen(t, node) {
			return t
		}
	}
	return tags[0]
}

// adopt gives a claim to what runs on exactly one node and was never claimed. The
// whole hierarchy must have been looked at on every other node: what is not known
// might be a second one, and half of it is not adopted while the rest is still
// being checked.
func (s *step) adopt(c int) (dual bool) {
	var found map[string][]hierarchy.Tag
	all := true
	for _, t := range s.comps[c] {
		if s.Claims[t].Number > 0 {
			continue
		}
		on, known := s.where(t)
		all = all && known
		switch {
		case len(on) > 1 && !s.traits(t).LeavesOnStop:
			s.holdDual(c, why("dual-runs", "tag", string(t), "nodes", on[0]+" and "+on[1]))
			return true
		}
		if node := s.standing(t, on, found); node != "" {
			if found == nil {
				found = map[string][]hierarchy.Tag{}
			}
			found[node] = append(found[node], t)
		}
	}
	if !all || len(found) == 0 {
		return false
	}
	for _, node := range sorted(found) {
		if tags := found[node]; s.busy[c] == "" && s.alive(node) && !s.idle(c, node) && s.solid(tags) {
			top := tags[len(tags)-1]
			s.begin(plan.Goal{Kind: plan.GoalAdopt, Tag: top, Tags: tags, Node: node}, Op{Cause: why("cause-adopt", "tag", string(top), "node", node)})
		}
	}
	return false
}

// standing is the one node of those on which the resource was seen where all that it
// needs is, too. What leaves its traces when it stops (a route, a name that the nodes of
// a region share) is seen on several.
func (s *step) standing(t hierarchy.Tag, on []string, found map[string][]hierarchy.Tag) (node string) {
	for _, n := range on {
		if !s.standsOn(t, n, found[n]) {
			continue
		}
		if node != "" {
			return ""
		}
		node = n
	}
	return node
}

// solid tells that something among the tags really runs on a node: a route that
// still points there is not enough.
func (s *step) solid(tags []hierarchy.Tag) bool {
	return slices.ContainsFunc(tags, func(t hierarchy.Tag) bool { return !s.traits(t).LeavesOnStop })
}

// where tells on which nodes a resource was seen, and whether all others are known not to have it.
func (s *step) where(t hierarchy.Tag) (on []string, known bool) {
	known = true
	seen := s.on[t]
	for i, p := range s.x.PlacementsByPriority(t) {
		switch it := seen[i]; {
		case it.seen():
			on = append(on, p.Server)
		case it.fresh && it.presence == kits.Absent:
		case s.Nodes[p.Server].Verdict == Dead:
		default:
			known = false
		}
	}
	return on, known
}

// standsOn tells that all a resource needs is on the node, held there or about to be adopted.
func (s *step) standsOn(t hierarchy.Tag, node string, adopted []hierarchy.Tag) bool {
	for _, child := range s.x.Children(t) {
		if s.Active(child) != node && !slices.Contains(adopted, child) {
			return false
		}
	}
	return true
}

// dual tells that two claims on the hierarchy could not be ordered.
func (s *step) dual(c int) bool {
	for _, it := range s.on[s.comps[c][0]] {
		if it.Held != nil && it.Held.Code == "held-dual" {
			return true
		}
	}
	return false
}

// judgeDual says that a held hierarchy lost its node, and that nothing is done about it.
func (s *step) judgeDual(c int) {
	top := s.comps[c][len(s.comps[c])-1]
	n := s.Nodes[s.Active(top)]
	if n == nil || n.Verdict != Presumed && n.Verdict != Dead && n.Verdict != Hung {
		return
	}
	h := s.held(c, s.Active(top))
	it := s.instance(top, h.node)
	s.decide(h, DoHold, "", reasonOn(h.node, why("cause-"+string(n.Verdict), "node", h.node)), reasonOn(h.node, *it.Held))
}

// holdDual stops automation for a hierarchy until a person decides.
func (s *step) holdDual(c int, r kits.Reason) {
	h := holding{comp: c, tags: s.comps[c]}
	held := because("held-dual", r)
	for _, t := range s.comps[c] {
		for _, p := range s.x.PlacementsByPriority(t) {
			ref := hierarchy.Ref{Tag: t, Node: p.Server}
			s.Instances[ref].Held = &held
			s.dirt(instanceKey(ref))
		}
	}
	s.decide(h, DoHold, "", reasonOn("", held))
}

// nodeRecord reads what a node wrote down about its claims and its boot.
func (s *step) nodeRecord(in NodeRecord) {
	n := s.Nodes[in.Node]
	if n == nil || in.Err != "" {
		return
	}
	if in.Boot != "" && in.Boot != n.Boot {
		restarted := n.Boot != ""
		n.Boot = in.Boot
		s.dirt(nodeKey(in.Node))
		if restarted {
			s.unknow(in.Node)
			s.backFromGraceful(in.Node, n)
			s.checkNow(s.x.On(in.Node), in.Node)
		}
	}
	for _, t := range sorted(in.Claims) {
		s.recorded(t, in.Node, in.Claims[t])
	}
}

// noteRecord remembers the claim on a node's record and gives another node whose
// record has the same number, when no record has a higher one.
func (s *step) noteRecord(t hierarchy.Tag, node string, number uint64) (twin string) {
	on := s.records[t]
	if on == nil {
		on = map[string]uint64{}
		s.records[t] = on
	}
	on[node] = number
	for _, other := range sorted(on) {
		switch {
		case on[other] > number:
			return ""
		case other != node && on[other] == number && twin == "":
			twin = other
		}
	}
	return twin
}

// catchUp: the holder's own record is ahead of the store, as after an adoption from
// an older copy. It is the same node, so there is nothing to order.
func (s *step) catchUp(t hierarchy.Tag, held hierarchy.Claim, number uint64) {
	was := held.Number
	held.Number = number
	s.Claims[t], s.Given[t] = held, max(s.Given[t], number)
	s.dirt(claimKey(t))
	s.event(Event{Kind: "node", Severity: "warning", Tag: t, Node: held.Node, Reason: why("record-ahead", "tag", string(t), "node", held.Node,
		"number", strconv.FormatUint(number, 10), "held", strconv.FormatUint(was, 10))})
	s.touch(t)
}

// recorded compares a claim on a node's record with the one in force. A lower
// number is old: if nothing runs there, that is the end of it.
func (s *step) recorded(t hierarchy.Tag, node string, number uint64) {
	c := s.x.HierarchyID(t)
	if c < 0 || s.busy[c] != "" || s.dual(c) {
		return
	}
	held, given := s.Claims[t], s.Given[t]
	twin := s.noteRecord(t, node, number)
	switch {
	case held.Number == 0 && twin != "":
		s.holdDual(c, why("dual-records", "tag", string(t), "number", strconv.FormatUint(number, 10), "node", node, "other", twin))
	case held.Number > 0 && node == held.Node && number > held.Number:
		s.catchUp(t, held, number)
	case held.Number > 0 && s.Released[t] && number > max(held.Number, given): // nobody holds it: nothing to order, but the next claim must be higher
		s.Given[t] = number
		s.dirt(claimKey(t))
		s.event(Event{Kind: "node", Severity: "warning", Tag: t, Node: node, Reason: why("record-newer-released", "tag", string(t), "node", node, "number", strconv.FormatUint(number, 10))})
	case held.Number > 0 && s.Released[t]:
	case held.Number == 0 && number > given: // written before this estate was known here: ours must be higher
		s.Given[t] = number
		s.dirt(claimKey(t))
	case held.Number == 0:
	case number == held.Number && node != held.Node:
		s.holdDual(c, why("dual-equal", "tag", string(t), "number", strconv.FormatUint(number, 10), "node", node, "holder", held.Node))
	case number > max(held.Number, given):
		s.Given[t] = number // whatever a person decides, the next claim is higher
		s.dirt(claimKey(t))
		s.holdDual(c, why("dual-newer", "tag", string(t), "number", strconv.FormatUint(number, 10), "node", node, "holder", held.Node, "held", strconv.FormatUint(held.Number, 10)))
	}
}
