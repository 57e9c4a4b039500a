package policy

import (
	"maps"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// checked takes a check's result. While an operation works on the hierarchy,
// checks say nothing: its steps tell the states.
func (s *step) checked(in Checked) {
	it := s.Instances[in.Ref]
	if it == nil || s.Running(in.Ref.Tag) != nil {
		return
	}
	n := s.Nodes[in.Ref.Node]
	if n == nil || n.Verdict == Presumed || n.Verdict == Dead {
		return // a cloud may still answer for a lost node; the node does not
	}
	it.Asked, it.looked = s.now, true
	if s.checksStandby(in.Ref.Tag) {
		in.Report.Presence = kits.PresenceUnknown // it runs on every node
	}
	if in.Report.Outcome == kits.Unknown {
		s.checkUnclear(in, it)
		return
	}
	it.Checked, it.fresh, it.known, it.unclear = s.now, true, true, false
	it.presence = in.Report.Presence
	if s.Active(in.Ref.Tag) == in.Ref.Node {
		s.checkedHolder(in, it, n)
	} else {
		s.checkedStandby(in, it)
	}
	s.details(in.Ref, it, in.Report.Details)
	s.touch(in.Ref.Tag)
}

// checkUnclear: nothing follows from it. It is said once, and the state grows old.
func (s *step) checkUnclear(in Checked, it *Instance) {
	n := s.Nodes[in.Ref.Node]
	if it.unclear || n.Missed > 0 || !n.judged {
		return // said already, or the node's verdict will say it
	}
	it.unclear = true
	if c := s.x.HierarchyID(in.Ref.Tag); s.twins[c] {
		s.wakeAt(c, s.now) // a move may wait for this word; nothing follows from it at once
	}
	s.event(Event{Kind: "state", Severity: "warning", Tag: in.Ref.Tag, Node: in.Ref.Node,
		Reason: because("check-unknown", in.Report.Reason, "tag", string(in.Ref.Tag), "node", in.Ref.Node)})
}

// checkedHolder: the resource should be in service here.
func (s *step) checkedHolder(in Checked, it *Instance, n *Node) {
	r := in.Report
	switch {
	case r.Outcome == kits.OK && r.Presence != kits.Absent && r.Impaired:
		s.state(in.Ref, it, hierarchy.ISU, r.Reason)
	case r.Outcome == kits.OK && r.Presence != kits.Absent:
		to, reason := s.upAs(in.Ref.Tag, r.Reason)
		s.state(in.Ref, it, to, reason)
	case n.Graceful:
		s.state(in.Ref, it, hierarchy.OSU, why("state-graceful", "node", in.Ref.Node))
	case s.patched(in.Ref, it):
		s.state(in.Ref, it, hierarchy.ISU, r.Reason)
	case r.Outcome == kits.OK:
		s.state(in.Ref, it, hierarchy.OSF, because("state-absent", r.Reason, "tag", string(in.Ref.Tag), "node", in.Ref.Node))
	default:
		s.state(in.Ref, it, hierarchy.OSF, r.Reason)
	}
}

// checkedStandby: the resource should not be in service here. Kits say Failed of
// what is merely not there.
func (s *step) checkedStandby(in Checked, it *Instance) {
	r := in.Report
	switch {
	case r.Presence == kits.Present && !s.traits(in.Ref.Tag).LeavesOnStop && !s.checksStandby(in.Ref.Tag):
		s.state(in.Ref, it, hierarchy.ILLSTATE, why("state-unclaimed", "tag", string(in.Ref.Tag), "node", in.Ref.Node))
	case r.Outcome == kits.Failed && s.checksStandby(in.Ref.Tag):
		s.state(in.Ref, it, hierarchy.OSF, r.Reason)
	default:
		s.state(in.Ref, it, hierarchy.OSU, kits.Reason{})
	}
}

// state puts a state in force and logs the changes that people care for.
func (s *step) state(ref hierarchy.Ref, it *Instance, to hierarchy.State, r kits.Reason) {
	was := it.State
	if was == to {
		if it.Reason.Code != r.Code || it.Reason.Text != r.Text {
			it.Reason = r
			s.dirt(instanceKey(ref))
		}
		return
	}
	it.State, it.Reason, it.Since = to, r, s.now
	s.dirt(instanceKey(ref))
	if to == hierarchy.OSU && !was.InService() {
		return
	}
	sev := "info"
	switch to {
	case hierarchy.OSF:
		sev = "error"
	case hierarchy.ISU, hierarchy.ILLSTATE:
		sev = "warning"
	}
	s.event(Event{Kind: "state", Severity: sev, Tag: ref.Tag, Node: ref.Node,
		Reason: because("state-"+string(to), r, "tag", string(ref.Tag), "node", ref.Node)})
}

func (s *step) details(ref hierarchy.Ref, it *Instance, d map[string]string) {
	if !maps.Equal(it.Details, d) {
		it.Details = d
		s.dirt(instanceKey(ref))
	}
}
