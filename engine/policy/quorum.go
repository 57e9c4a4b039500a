package policy

import (
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// Quorum is judged at the node that would take over, for every automatic move (SPEC
// 6). The node is asked as soon as another one is first missed, so that its answer is
// there when the verdict falls: a failover inside a region loses no beat to it. Only
// an OK that was asked for in this very trouble and is a few beats old lets the move
// begin. A person's command or answer is not gated: people are shown the word.

// QuorumWord is what a node said when it was asked for its quorum.
type QuorumWord struct {
	Asked   time.Time // when the question that it answered was put; zero before the first answer
	Said    time.Time
	Outcome kits.Outcome
	Reason  kits.Reason // what was not reached

	open  time.Time // when the question under way was put; zero = none is
	bad   int       // answers in a row that were not OK
	again time.Time // after such an answer: when it is asked next
}

// The pauses before a node that did not say OK is asked again; the last one repeats.
var quorumPauses = [...]time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute}

// quorumGrace is added to QUORUM_TIMEOUT_SECS before an answer counts as lost on its way.
const quorumGrace = 10 * time.Second

// defineQuorum finds the nodes that are asked, and the clusters that cannot be.
func (w *World) defineQuorum() {
	w.witnessed, w.unjudged = map[string]time.Duration{}, nil
	w.Quorum = map[string]*QuorumWord{}
	for i := range w.Estate.Servers {
		name := w.Estate.Servers[i].Name
		q := w.x.Quorum(name)
		if q.Mode != hierarchy.NoQuorum {
			w.witnessed[name] = q.Timeout
		}
		if c := w.x.ClusterOf(name); q.Unjudged && !w.toldOf[c.Name] {
			w.toldOf[c.Name] = true
			w.unjudged = append(w.unjudged, c.Name)
		}
	}
}

// warnUnjudged says once whose quorum cannot be judged.
func (s *step) warnUnjudged() {
	for _, c := range s.unjudged {
		s.event(Event{Kind: "definition", Severity: "warning", Reason: why("quorum-unjudged", "cluster", c)})
	}
	s.unjudged = nil
}

// takers are the nodes that could take over something of what a node holds.
func (s *step) takers(node string) []string {
	var all []string
	seen := map[string]bool{node: true}
	for _, t := range s.x.On(node) {
		if s.Active(t) != node {
			continue
		}
		for _, p := range s.x.PlacementsByPriority(t) {
			if !seen[p.Server] {
				seen[p.Server] = true
				all = append(all, p.Server)
			}
		}
	}
	return all
}

// suspect asks those who would take over while a node is being missed.
func (s *step) suspect(n *Node) {
	for _, to := range n.takers {
		s.askQuorum(to, n.missedAt)
	}
}

// began is when the trouble began that a node's word must belong to.
func (s *step) began(h holding, l *Loss) time.Time {
	if n := s.Nodes[h.node]; n.Missed > 0 && !n.missedAt.IsZero() {
		return n.missedAt
	}
	return l.Since
}

// quorumFresh is how long a word is good: one beat more than a loss takes.
func (s *step) quorumFresh(node string) time.Duration {
	return time.Duration(s.beats(node)+1) * s.beatTime(node)
}

// quorum gives a node's word on a trouble that began at since. Without a word, or
// with one that is too old, known is false. Where no quorum is asked for it is OK.
func (s *step) quorum(node string, since time.Time) (o kits.Outcome, known bool) {
	if _, asked := s.witnessed[node]; !asked {
		return kits.OK, true
	}
	w := s.Quorum[node]
	switch {
	case w == nil || w.Said.IsZero() || w.Asked.Before(since):
		return kits.Unknown, false
	case w.Outcome == kits.OK && s.now.Sub(w.Said) > s.quorumFresh(node):
		return kits.Unknown, false
	}
	return w.Outcome, true
}

// askQuorum asks a node, unless that is not needed (yet): its word is good, an
// answer is on its way, or it is being given a pause.
func (s *step) askQuorum(node string, since time.Time) {
	limit, asked := s.witnessed[node]
	if n := s.Nodes[node]; !asked || !s.alive(node) || n.Missed > 0 {
		return
	}
	w := s.Quorum[node]
	if w == nil {
		w = &QuorumWord{}
		s.Quorum[node] = w
	}
	o, known := s.quorum(node, since)
	switch {
	case !w.open.IsZero() && s.now.Sub(w.open) < limit+quorumGrace && !w.open.Before(since):
		return
	case known && o == kits.OK && s.now.Sub(w.Said) < s.quorumFresh(node)/2:
		return
	case known && o != kits.OK && s.now.Before(w.again):
		return
	}
	w.open = s.now
	s.out(AskQuorum{Node: node})
}

// quorumSaid takes a node's answer. One that nobody waits for any more says nothing:
// it was asked before a restart, a clock jump or the node's own absence.
func (s *step) quorumSaid(in QuorumSaid) {
	w := s.Quorum[in.Node]
	if w == nil || w.open.IsZero() || !s.alive(in.Node) {
		return
	}
	w.Asked, w.open, w.Said = w.open, time.Time{}, s.now
	w.Outcome, w.Reason = in.Outcome, in.Reason
	if in.Outcome == kits.OK {
		w.bad, w.again = 0, time.Time{}
	} else {
		w.again = s.now.Add(quorumPauses[min(w.bad, len(quorumPauses)-1)])
		w.bad++
	}
	s.touchNode(in.Node)
}

// quorumHere tells that the node may take the holding over by itself, and asks it
// when that is not known.
func (s *step) quorumHere(h holding, l *Loss, to string) bool {
	since := s.began(h, l)
	o, known := s.quorum(to, since)
	if !known || o != kits.OK {
		s.askQuorum(to, since)
		s.wakeAt(h.comp, s.now.Add(s.witnessed[to]+quorumGrace))
		return false
	}
	return true
}

// quorumObjection is a word that keeps a node from taking over by itself. It is
// asked again, later and later.
func (s *step) quorumObjection(h holding, l *Loss, node string) kits.Reason {
	since := s.began(h, l)
	o, known := s.quorum(node, since)
	if !known || o == kits.OK || s.Nodes[node].Missed > 0 { // whom we miss now could not answer: its beats tell
		return kits.Reason{}
	}
	w := s.Quorum[node]
	s.askQuorum(node, since)
	s.wakeAt(h.comp, w.again)
	return because("not-quorum-"+o.String(), w.Reason, "node", node)
}

// quorumEvidence is the node's last word, for people; without a code there is none.
func (w *World) quorumEvidence(node string) kits.Reason {
	q := w.Quorum[node]
	if q == nil || q.Said.IsZero() {
		return kits.Reason{}
	}
	return because("evidence-quorum-"+q.Outcome.String(), q.Reason, "node", node, "at", clock(q.Said))
}

// noteQuorum tells in a plan what the node that takes over says of its quorum.
func (w *World) noteQuorum(p *plan.Plan) {
	if g := p.Goal; g.Node == "" || g.Node == g.From || g.Kind != plan.GoalInService && g.Kind != plan.GoalFailover {
		return
	}
	if r := w.quorumEvidence(p.Goal.Node); r.Code != "" {
		p.Notes = append(p.Notes, r)
	}
}

// noteOnce is noteQuorum, which says the same for every hierarchy that goes to a node.
func (s *step) noteOnce(p *plan.Plan) {
	to := p.Goal.Node
	notes, ok := s.notes[to]
	if !ok {
		own := plan.Plan{Goal: p.Goal}
		s.noteQuorum(&own)
		notes = own.Notes
		if s.notes == nil {
			s.notes = map[string][]kits.Reason{}
		}
		if p.Goal.Kind == plan.GoalFailover {
			s.notes[to] = notes
		}
	}
	if p.Goal.Kind == plan.GoalFailover || p.Goal.Kind == plan.GoalInService {
		p.Notes = append(p.Notes, notes...)
	}
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05") }
