package policy

import (
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// A resource that is checked on standby nodes, too (a tunnel), is judged on all its
// nodes together. What fails is recovered on every node where it fails; then (SPEC 4,
// Openswan):
//
//	where it is   elsewhere   what follows
//	recovered     recovered   nothing
//	recovered     failed      nothing: shown as failed there, repaired again with the checks
//	failed        recovered   failover
//	failed        failed      no failure that a move could help: it stays and is repaired
//	                          again with the checks, for as long as it takes
//
// Nobody goes where it was not seen to work since the trouble began: a node that was
// not looked at, or did not say, is as good as one where it fails. The storm brake
// counts the recoveries of the first three rows only.

// lookSlack is how much longer than its check may take a standby node is waited for.
const lookSlack = 15 * time.Second

// failedHere: a resource of this kind fails on the node that holds it.
func (s *step) failedHere(h holding, t hierarchy.Tag, it *Instance) {
	l := s.loss(h, "resource/"+string(t)+"@"+h.node+"/"+stamp(it.Since))
	s.brake(it)
	storm := len(it.Recoveries) >= stormCount-1
	if !storm && l.RepairFailed.IsZero() {
		s.repair(h, l, t, it, nil)
		return
	}
	if s.standbysDue(h, l) {
		s.keep = true
		return
	}
	to, reasons := s.choose(h, l, true)
	cause := why("cause-repair-failed", "tag", string(t), "node", h.node)
	switch {
	case to == "" || it.Held != nil || l.Stuck != nil:
		s.staysAndTries(h, l, t, it, reasons)
		return
	case l.Landed:
		cause = why("cause-landed", "tag", string(t), "node", h.node)
	case l.RepairFailed.IsZero():
		cause = s.stormCause(t, h.node, it)
	}
	s.place(h, l, cause, true)
}

// staysAndTries: it works nowhere, or may not move. With each check it is repaired where
// it is; nodes that were tried in vain may be tried again when it works there.
func (s *step) staysAndTries(h holding, l *Loss, t hierarchy.Tag, it *Instance, reasons []NodeReason) {
	first := l.RepairFailed.IsZero() // the brake stopped the usual repair
	rested := s.now.Sub(l.RepairFailed) >= s.x.Seconds(h.node, hierarchy.LKCheckInterval)/2
	if first || rested && it.Checked.After(l.RepairFailed) {
		l.Tried, l.Retries, l.NotBefore = nil, 0, time.Time{}
		s.dirtLoss(h.comp)
		code := "repair-again"
		if it.Held != nil {
			code = "repair-held"
		}
		s.repairAgain(h, t, h.node, it, code, reasons)
		return
	}
	act, r := DoNothing, why("none-works-nowhere", "tag", string(t), "node", h.node)
	switch {
	case l.Stuck != nil:
		act, r = DoHold, *l.Stuck
	case it.Held != nil:
		act, r = DoHold, *it.Held
	}
	s.decide(h, act, "", append([]NodeReason{reasonOn(h.node, r)}, reasons...)...)
}

// repairAgain starts a recovery that the storm brake does not count.
func (s *step) repairAgain(h holding, t hierarchy.Tag, node string, it *Instance, code string, rest []NodeReason) {
	r := because(code, it.Reason, "tag", string(t), "node", node)
	if s.idle(h.comp, node) {
		s.decide(h, DoNothing, "", reasonOn(node, s.idleReason(h.comp, node, DoRecover, t, node)))
		return
	}
	it.repaired = s.now
	h.node = node
	s.said[h.comp] = "" // every repair is worth a line
	s.decideFor(t, h, DoRecover, node, append([]NodeReason{reasonOn(node, r)}, rest...))
	s.begin(plan.Goal{Kind: plan.GoalRecover, Tag: t, From: node, Node: node}, Op{Cause: r})
}

// judgeStandbys repairs on standby nodes what should be ready there, while all is well
// where the hierarchy is. What is out of service everywhere is left alone.
func (s *step) judgeStandbys(c int) {
	if !s.twins[c] {
		return
	}
	for _, t := range s.comps[c] {
		holder := s.Active(t)
		if holder == "" || !s.checksStandby(t) {
			continue
		}
		for i, p := range s.x.PlacementsByPriority(t) {
			if it := s.on[t][i]; s.busy[c] == "" && p.Server != holder && s.repairDue(it, p.Server) {
				s.repairAgain(s.held(c, holder), t, p.Server, it, "repair-standby", nil)
			}
		}
	}
}

// repairDue tells that it was just seen to fail on a standby node that is there, and that
// the last repair ended so long ago that a usual check has come since.
func (s *step) repairDue(it *Instance, node string) bool {
	n := s.Nodes[node]
	rested := it.repaired.IsZero() || it.Checked.After(it.repaired) && s.now.Sub(it.repaired) >= s.x.Seconds(node, hierarchy.LKCheckInterval)/2
	just := it.fresh && !it.unclear && s.now.Sub(it.Checked) <= lookSlack
	return it.State == hierarchy.OSF && just && rested && s.alive(node) && n.Missed == 0 && !n.Graceful
}

// standbysDue tells that a move has to wait: nodes that could take the hierarchy are being
// looked at, or repaired, since its trouble began.
func (s *step) standbysDue(h holding, l *Loss) bool {
	if !s.twins[h.comp] {
		return false
	}
	due := false
	for _, t := range h.tags {
		if !s.checksStandby(t) {
			continue
		}
		for i, p := range s.x.PlacementsByPriority(t) {
			it, n := s.on[t][i], s.Nodes[p.Server]
			if p.Server == h.node || !s.alive(p.Server) || n.Graceful {
				continue
			}
			switch {
			case s.lookDue(h.comp, l, it, hierarchy.Ref{Tag: t, Node: p.Server}):
				due = true
			case s.busy[h.comp] == "" && s.repairDue(it, p.Server) && !s.idle(h.comp, p.Server):
				s.repairAgain(h, t, p.Server, it, "repair-standby", nil)
				due = due || s.busy[h.comp] != ""
			}
		}
	}
	return due || s.busy[h.comp] != ""
}

// checkStandbys looks at what is judged on all nodes together once an operation has ended.
func (s *step) checkStandbys(c int) {
	if !s.twins[c] {
		return
	}
	for _, t := range s.comps[c] {
		if !s.checksStandby(t) {
			continue
		}
		for _, p := range s.x.PlacementsByPriority(t) {
			s.checkNow([]hierarchy.Tag{t}, s.reachable(p.Server)...)
		}
	}
}

// lookDue has a standby node's resource checked for this trouble, once with each check of
// its holder, and tells that the answer is still to come.
func (s *step) lookDue(c int, l *Loss, it *Instance, ref hierarchy.Ref) bool {
	since := l.Since
	if l.RepairFailed.After(since) {
		since = l.RepairFailed
	}
	old := s.now.Sub(it.lookUntil) >= s.x.Seconds(ref.Node, hierarchy.LKCheckInterval)/2
	if !it.lookFor.Equal(since) || old {
		it.lookFor, it.looked = since, false
		it.lookUntil = s.now.Add(s.checkTime(ref) + lookSlack)
		s.checkNow([]hierarchy.Tag{ref.Tag}, ref.Node)
	}
	if it.looked || !s.now.Before(it.lookUntil) {
		return false
	}
	s.wakeAt(c, it.lookUntil)
	return true
}

// checkTime is the longest that a check may take.
func (s *step) checkTime(ref hierarchy.Ref) time.Duration {
	k := s.kits[s.x.Resource(ref.Tag).Kit]
	if k == nil {
		return 0
	}
	return k.Timeout(kits.ActCheck, hierarchy.InstanceOf(s.x, ref.Tag, ref.Node, s.Active(ref.Tag)))
}

// notReady is why a standby node cannot take over what must work there beforehand;
// without a code it can.
func (s *step) notReady(h holding, node string) kits.Reason {
	if !s.twins[h.comp] {
		return kits.Reason{}
	}
	for _, t := range h.tags {
		if !s.checksStandby(t) {
			continue
		}
		switch it := s.instance(t, node); {
		case it == nil:
		case !it.looked || it.unclear || !it.fresh:
			return why("not-looked", "node", node, "tag", string(t))
		case it.State == hierarchy.OSF:
			return because("not-working", it.Reason, "node", node, "tag", string(t))
		}
	}
	return kits.Reason{}
}
