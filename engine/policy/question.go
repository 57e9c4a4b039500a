package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// ask keeps the question whether a hierarchy may go to a node: it is asked once
// per loss and target, its evidence kept up to date, and it ends when its time is up.
func (s *step) ask(h holding, l *Loss, to string, cause kits.Reason, reasons []NodeReason) {
	q := s.Questions[s.asking[h.comp]]
	if q != nil && (q.Loss != l.ID || q.To != to) {
		r := why("question-replaced", "node", to)
		if q.To == to {
			r = why("question-changed", "from", h.node)
		}
		s.endQuestion(q, Withdrawn, r)
		q = nil
	}
	s.keep = true
	s.askQuorum(to, s.began(h, l)) // for the evidence, and in case nobody answers
	if q == nil {
		s.decide(h, DoConfirm, to, reasons...)
		q = s.newQuestion(h, l, to, cause)
	} else {
		s.refresh(q, h, to)
	}
	if q != nil && !q.Until.IsZero() && !s.now.Before(q.Until) {
		s.expire(q, h, l, cause)
	}
}

// newQuestion asks. It gives nil when not even a plan can be made.
func (s *step) newQuestion(h holding, l *Loss, to string, cause kits.Reason) *Question {
	goal := s.moveGoal(h, to)
	p, err := plan.Make(s.x, s.kits, s.World, goal)
	if err != nil {
		s.noPlan(goal, err)
		return nil
	}
	q := &Question{ID: s.newID("q"), Tag: h.root(), From: h.node, To: to, ToRegion: s.x.RegionOf(to),
		Asked: s.now, Default: s.defaultAnswer(h, to), Cause: cause, Evidence: s.evidence(h.node, to),
		Plan: p, Proven: s.proven(h.node), State: Pending, Loss: l.ID, Copies: s.copies(p.Moves, h.node, to, s.now)}
	if s.staysOpen(to, q.Copies) {
		q.Default = 1
	} else if limit := s.x.Seconds(to, hierarchy.ConfirmSoTo); limit > 0 || q.Default == 0 {
		q.Until = s.now.Add(limit) // without a time limit, and with "do not" as default, it just stands
	}
	s.Questions[q.ID] = q
	s.asking[h.comp] = q.ID
	s.dirt(questionKey(q.ID))
	s.event(Event{Kind: "question", Severity: "warning", Tag: q.Tag, Node: q.From, Question: q.ID,
		Reason: because("question-asked", cause, "tag", string(q.Tag), "from", q.From, "to", to, "region", q.ToRegion, "until", untilText(q.Until, q.Default))})
	s.tellPrices(q)
	if s.staysOpen(to, q.Copies) {
		s.sayOpen(q)
	}
	return q
}

func untilText(until time.Time, def int) string {
	if until.IsZero() {
		return "It waits until somebody answers"
	}
	word := "nothing moves"
	if def == 0 {
		word = "it goes on"
	}
	return "Without an answer by " + until.UTC().Format("15:04:05") + " " + word
}

// defaultAnswer is CONFIRMSODEF in force on the node that would take over. Where a
// person's word is needed in any case (a hung node, a guarded crossing), nobody's
// silence is one.
func (s *step) defaultAnswer(h holding, to string) int {
	if n := s.Nodes[h.node]; n.Verdict == Hung || n.FenceFailed != nil && s.mustFence(h.node) || s.guarded(h.node, to) {
		return 1
	}
	return s.x.Int(to, hierarchy.ConfirmSoDef)
}

// proven: the node is known to be dead, or it answers and can be stopped in order.
func (s *step) proven(node string) bool {
	return s.Nodes[node].Verdict == Dead || s.alive(node)
}

// evidence is what is known of the node that would be left, and of the quorum of the
// one that would take over.
func (s *step) evidence(node, to string) []kits.Reason {
	n := s.Nodes[node]
	ev := slices.Clone(n.Evidence)
	if len(ev) == 0 {
		ev = append(ev, why("node-"+string(n.Verdict), "node", node))
	}
	if n.FenceFailed != nil {
		ev = append(ev, *n.FenceFailed)
	}
	if r := s.quorumEvidence(to); r.Code != "" {
		ev = append(ev, r)
	}
	return ev
}

// refresh brings a standing question up to what is known now.
func (s *step) refresh(q *Question, h holding, to string) {
	ev, proven, copies := s.evidence(h.node, to), s.proven(h.node), s.copies(q.Plan.Moves, h.node, to, s.now)
	same := proven == q.Proven && sameCodes(ev, q.Evidence)
	if same && sameCopies(copies, q.Copies) {
		return
	}
	s.reprice(q, copies)
	s.dirt(questionKey(q.ID))
	if same {
		return
	}
	if p, err := plan.Make(s.x, s.kits, s.World, s.moveGoal(h, to)); err == nil {
		q.Plan = p
	}
	if proven != q.Proven {
		code := "question-proven"
		if !proven {
			code = "question-not-proven"
		}
		s.event(Event{Kind: "question", Tag: q.Tag, Node: q.From, Question: q.ID, Reason: why(code, "from", q.From)})
	}
	q.Evidence, q.Proven = ev, proven
	if s.defaultAnswer(h, to) == 1 {
		q.Default = 1
	}
}

// expire: nobody answered in time. CONFIRMSODEF says what that means.
func (s *step) expire(q *Question, h holding, l *Loss, cause kits.Reason) {
	if now := s.copies(q.Plan.Moves, q.From, q.To, s.now); s.staysOpen(q.To, now) {
		s.reprice(q, now)
		s.keepOpen(q)
		s.dirt(questionKey(q.ID))
		return
	}
	if q.Default != 0 {
		rule := "CONFIRMSODEF=1"
		if s.x.Int(q.To, hierarchy.ConfirmSoDef) == 0 {
			rule = "this needs a person's word in any case"
		}
		r := why("question-expired-no", "from", q.From, "to", q.To, "tag", string(q.Tag), "rule", rule)
		s.endQuestion(q, Expired, r)
		l.Refused = &r
		s.dirtLoss(h.comp)
		s.place(h, l, cause, strings.HasPrefix(l.ID, "resource/")) // another node may do without a question
		return
	}
	if !s.quorumHere(h, l, q.To) { // nobody's silence counts for more than the node's own word
		r := s.quorumObjection(h, l, q.To)
		if r.Code == "" {
			r = why("hold-quorum", "node", q.To)
		}
		s.decide(h, DoHold, q.To, reasonOn(h.node, cause), reasonOn(q.To, r))
		return
	}
	r := why("question-expired-yes", "from", q.From, "to", q.To, "tag", string(q.Tag))
	s.endQuestion(q, Expired, r)
	goal := s.moveGoal(h, q.To)
	if s.mustFence(h.node) { // nobody said that it is off
		goal.Fence, goal.Unfenced = true, false
	}
	s.begin(goal, Op{Cause: r, Tried: slices.Clone(l.Tried), Question: q.ID, Storm: cause.Code == "cause-storm"})
}

// endQuestion puts an end to a pending question.
func (s *step) endQuestion(q *Question, to QuestionState, r kits.Reason) {
	q.State, q.Ended, q.Why = to, s.now, r
	s.dirt(questionKey(q.ID))
	for c, id := range s.asking {
		if id == q.ID {
			s.asking[c] = ""
			s.said[c] = ""
		}
	}
	sev := "info"
	if to == Expired {
		sev = "error"
	}
	s.event(Event{Kind: "question", Severity: sev, Tag: q.Tag, Node: q.From, Question: q.ID, By: q.By, Reason: r})
}

// answer takes a person's answer. The first one counts.
func (s *step) answer(in AnswerGiven) {
	q := s.Questions[in.Question]
	if q == nil {
		s.refuse(in.Question, RefusedNoSuch, why("no-such-question", "id", in.Question))
		return
	}
	if q.State != Pending {
		s.refuse(q.ID, RefusedNoSuch, because("question-ended-"+string(q.State), q.Why, "id", q.ID, "by", q.By, "answer", q.Answer))
		return
	}
	if in.Kind == "no" {
		s.answerNo(q, in)
		return
	}
	if k, r := s.mayAnswer(q, in); k != "" {
		s.refuse(q.ID, k, r)
		return
	}
	s.answerYes(q, in)
}

// mayAnswer tells why a yes cannot be followed; without a kind it can.
func (s *step) mayAnswer(q *Question, in AnswerGiven) (RefusedKind, kits.Reason) {
	from, c := s.Nodes[q.From], s.x.ClusterOf(q.To)
	switch {
	case in.Kind != "yes" && in.Kind != "off" && in.Kind != "fence":
		return RefusedInvalid, why("answer-unknown", "kind", in.Kind)
	case in.Typed != q.ToRegion:
		return RefusedUnsafe, why("answer-not-typed", "region", q.ToRegion)
	case s.Running(q.Tag) != nil:
		return RefusedBusy, why("busy", "tag", string(q.Tag), "op", s.Running(q.Tag).ID)
	case from == nil || !from.judged:
		return RefusedBusy, why("answer-not-yet", "from", q.From)
	case !s.alive(q.To):
		return RefusedUnsafe, why("target-not-alive", "node", q.To)
	case in.Kind == "fence" && (c == nil || c.Fencing == ""):
		return RefusedUnsafe, why("fence-not-configured", "from", q.From)
	case in.Kind == "off" && s.alive(q.From):
		return RefusedInvalid, why("answer-off-but-answers", "from", q.From)
	case in.Kind == "yes" && !s.proven(q.From):
		return RefusedUnsafe, why("answer-not-proven", "from", q.From)
	}
	if r := unaccepted(s.copies(q.Plan.Moves, q.From, q.To, s.now), in.Accept); r.Code != "" {
		return RefusedUnsafe, r
	}
	return "", kits.Reason{}
}

// answerYes starts the move that was asked for.
func (s *step) answerYes(q *Question, in AnswerGiven) {
	c := s.x.HierarchyID(q.Tag)
	h := s.held(c, q.From)
	if len(h.tags) == 0 {
		s.refuse(q.ID, RefusedNoSuch, why("question-well-again"))
		return
	}
	q.By, q.Answer = in.By, in.Kind
	r := why("answered-"+in.Kind, "by", in.By, "from", q.From, "to", q.To, "tag", string(q.Tag))
	q.Copies = s.copies(q.Plan.Moves, q.From, q.To, s.now) // what holds now is no worse than what was accepted
	s.endQuestion(q, Answered, r)
	goal := s.moveGoal(h, q.To)
	goal.Tag, goal.Tags, goal.By = q.Tag, q.Plan.Moves, in.By
	s.accept(&goal, q, in.By)
	switch in.Kind {
	case "off":
		goal.Unfenced, goal.Fence = false, false // a person's word stands for the proof
	case "fence":
		goal.FromGone, goal.Unfenced = true, false
		goal.Fence = s.Nodes[q.From].Verdict != Dead // nobody fences what is proven dead
	}
	op := Op{Cause: r, By: in.By, Question: q.ID, Storm: q.Cause.Code == "cause-storm"}
	if l := s.Losses[s.comps[c][0]]; l != nil {
		op.Tried = slices.Clone(l.Tried)
	}
	if s.begin(goal, op) {
		s.out(Accepted{ID: q.ID, Op: s.busy[c]})
		return
	}
	s.refuse(q.ID, RefusedUnsafe, why("no-plan-now", "tag", string(q.Tag)))
}

// answerNo: nothing moves across for this loss; only a new one asks anew.
func (s *step) answerNo(q *Question, in AnswerGiven) {
	q.By, q.Answer = in.By, "no"
	r := why("answered-no", "by", in.By, "from", q.From, "to", q.To, "tag", string(q.Tag))
	s.endQuestion(q, Answered, r)
	if c := s.x.HierarchyID(q.Tag); c >= 0 {
		if l := s.Losses[s.comps[c][0]]; l != nil && l.ID == q.Loss {
			l.Refused = &r
			s.dirtLoss(c)
		}
	}
	s.out(Accepted{ID: q.ID})
	s.touch(q.Tag)
}

func (s *step) refuse(id string, k RefusedKind, r kits.Reason) {
	s.out(Refused{ID: id, Kind: k, Reason: r})
}
