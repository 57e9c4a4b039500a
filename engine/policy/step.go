package policy

import (
	"fmt"
	"slices"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// step is the work that one input makes.
type step struct {
	*World
	now     time.Time
	outs    []Output
	touched map[int]struct{}
	keep    bool        // the judged hierarchy's pending question still makes sense
	gone    kits.Reason // why it does not, when a judge knows
	// staleSaid: the last thing said of the judged hierarchy is that stale resources run.
	staleSaid bool
	reasons   map[commonKey]kits.Reason
	answers   map[pairKey]nodeAnswer
	notes     map[string][]kits.Reason // on the quorum of nodes that take over
}

// Step lets an input take its effect at a time, and gives what is to be carried
// out. The caller stores TakeChanges first. now must not go backwards by much: a
// jump of the clock is an input of its own.
func (w *World) Step(now time.Time, in Input) []Output {
	s := &step{World: w, now: now, touched: map[int]struct{}{}}
	s.warnUnjudged()
	s.apply(in)
	s.reasons, s.answers = nil, nil // from here on the facts about nodes stay as they are
	s.judge()
	if len(s.Ops)+len(s.Questions) > 4*keepPast {
		s.prune()
	}
	return s.outs
}

func (s *step) apply(in Input) {
	switch in := in.(type) {
	case Tick:
		s.tick()
	case Beat:
		s.beat(in)
	case CloudSaid:
		s.cloudSaid(in)
	case Checked:
		s.checked(in)
	case NodeRecord:
		s.nodeRecord(in)
	case GracefulStop:
		s.gracefulStop(in.Node)
	case Command:
		s.command(in)
	case AnswerGiven:
		s.answer(in)
	case StepBegan: // nothing rests on it
	case StepEnded:
		s.stepEnded(in)
	case OpEnded:
		s.opEnded(in)
	case ClockJump:
		s.clockJump(in.Gap)
	case Define:
		s.redefine(in)
	case SetAutomation:
		s.setAutomation(in.On)
	case QuorumSaid:
		s.quorumSaid(in)
	case SetHold:
		s.setHold(in)
	case Kept:
		s.kept(in)
	case Promoted:
		s.promoted(in)
	case KeepTask:
		s.keepTask(in)
	}
}

// touch marks a resource's hierarchy to be judged.
func (s *step) touch(t hierarchy.Tag) {
	if c := s.x.HierarchyID(t); c >= 0 {
		s.touched[c] = struct{}{}
	}
}

// touchNode marks every hierarchy that has to do with a node.
func (s *step) touchNode(node string) {
	for _, t := range s.x.On(node) {
		s.touch(t)
	}
}

func (s *step) touchAll() {
	for c := range s.comps {
		s.touched[c] = struct{}{}
	}
}

// judge judges what was touched: hierarchies with a better priority where they are
// come first, so that a lost node's most important ones are moved first.
func (s *step) judge() {
	if len(s.touched) == 0 {
		return
	}
	type turn struct{ priority, comp int }
	order := make([]turn, 0, len(s.touched))
	for c := range s.touched {
		order = append(order, turn{s.priority(c), c})
	}
	slices.SortFunc(order, func(a, b turn) int {
		if a.priority != b.priority {
			return a.priority - b.priority
		}
		return a.comp - b.comp
	})
	for _, t := range order {
		s.judgeHierarchy(t.comp)
	}
}

// priority is the number that the hierarchy's top resource has on the node that holds it.
func (s *step) priority(c int) int {
	top := s.comps[c][len(s.comps[c])-1]
	if p := s.x.Placement(top, s.Active(top)); p != nil {
		return p.Priority
	}
	return 1 << 30
}

func (s *step) out(o Output) { s.outs = append(s.outs, o) }

// event logs one line.
func (s *step) event(e Event) {
	e.At = s.now
	if e.Severity == "" {
		e.Severity = "info"
	}
	s.out(e)
}

// checkNow asks for checks of the tags on the nodes they are extended to, of those given.
func (s *step) checkNow(tags []hierarchy.Tag, nodes ...string) {
	var refs []hierarchy.Ref
	for i, node := range nodes {
		if node == "" || slices.Contains(nodes[:i], node) {
			continue
		}
		for _, t := range tags {
			if s.x.Placement(t, node) != nil {
				refs = append(refs, hierarchy.Ref{Tag: t, Node: node})
			}
		}
	}
	if len(refs) > 0 {
		s.out(CheckNow{Refs: refs})
	}
}

// newID numbers an operation or a question, so that ids sort by age.
func (s *step) newID(kind string) string {
	s.Seq++
	s.dirt(metaKey)
	return fmt.Sprintf("%s-%06d", kind, s.Seq)
}

// tick lets time pass.
func (s *step) tick() {
	for c, id := range s.asking {
		if id == "" {
			continue
		}
		if q := s.Questions[id]; !q.Until.IsZero() && !s.now.Before(q.Until) {
			s.touched[c] = struct{}{}
		}
	}
	for t, l := range s.Losses {
		if !l.NotBefore.IsZero() && !s.now.Before(l.NotBefore) {
			s.touch(t)
		}
	}
	for c, at := range s.wake {
		if !s.now.Before(at) {
			delete(s.wake, c)
			s.touched[c] = struct{}{}
		}
	}
	s.holdsEnd()
}

// wakeAt has a hierarchy judged again at a time at the latest.
func (s *step) wakeAt(c int, at time.Time) {
	if was, ok := s.wake[c]; !ok || at.Before(was) {
		s.wake[c] = at
	}
}

// clockJump voids everything observed: what was seen before a gap says nothing now.
func (s *step) clockJump(gap time.Duration) {
	for _, name := range sorted(s.Nodes) {
		n := s.Nodes[name]
		n.Verdict, n.Evidence, n.Since = Unknown, []kits.Reason{why("clock-jumped")}, s.now
		n.Missed, n.MissedPath, n.PathOnly, n.Sights, n.Cloud = 0, 0, 0, nil, CloudSight{}
		n.heard, n.judged, n.missedAt, n.steady = false, false, time.Time{}, time.Time{}
		s.dirt(nodeKey(name))
	}
	clear(s.Quorum)
	for _, in := range s.Instances {
		in.fresh, in.known, in.presence = false, false, kits.PresenceUnknown
	}
	for _, id := range s.asking {
		if q := s.Questions[id]; q != nil && !q.Until.IsZero() {
			q.Until = s.now.Add(s.x.Seconds(q.To, hierarchy.ConfirmSoTo)) // nobody could answer during the gap
			s.dirt(questionKey(id))
		}
	}
	s.event(Event{Kind: "node", Severity: "warning", Reason: why("clock-jump", "gap", gap.Round(time.Second).String())})
	for _, id := range s.busy {
		if op := s.Ops[id]; op != nil {
			s.event(Event{Kind: "operation", Severity: "warning", Tag: op.Plan.Goal.Tag, Node: op.Plan.Goal.Node, Op: id, Reason: why("op-interrupted", "op", id)})
		}
	}
}

func (s *step) setAutomation(on bool) {
	if s.Automation == on {
		return
	}
	s.Automation = on
	s.dirt(metaKey)
	code := "automation-on"
	if !on {
		code = "automation-switched-off"
	}
	s.event(Event{Kind: "decision", Reason: why(code)})
	s.touchAll()
}

// redefine puts another definition in force and looks at everything.
func (s *step) redefine(in Define) {
	pending := make([]*Question, 0, 1)
	for _, id := range s.asking {
		if id != "" {
			pending = append(pending, s.Questions[id])
		}
	}
	s.define(in.Estate)
	for _, q := range pending {
		if s.x.Resource(q.Tag) == nil || s.x.Placement(q.Tag, q.To) == nil {
			s.endQuestion(q, Withdrawn, why("question-definition-changed", "by", in.By))
		}
	}
	s.event(Event{Kind: "definition", By: in.By, Reason: why("defined", "by", in.By)})
	for i := range s.Estate.Servers {
		name := s.Estate.Servers[i].Name
		s.checkNow(s.x.On(name), name)
	}
	s.touchAll()
}
