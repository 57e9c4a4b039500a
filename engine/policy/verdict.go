package policy

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// judgeNode gives the verdict on a node from what is observed (SPEC 6).
func (s *step) judgeNode(name string) {
	n := s.Nodes[name]
	if !n.heard {
		return
	}
	limit := s.beats(name)
	switch {
	case n.Missed == 0:
		s.judgeReached(name, n)
	case n.Missed < limit: // fewer than LCMNUMHBEATS change nothing
	case n.PathOnly >= limit: // not sooner: a node that boots answers on its path first
		n.away = true
		s.verdict(name, n, Hung, why("evidence-hung", "node", name, "n", strconv.Itoa(limit)))
	case n.PathOnly > 0, n.MissedPath < limit: // the path answered a moment ago: the next beats tell
	default:
		n.away = true
		s.judgeMissing(name, n)
	}
}

// judgeReached: the engine reaches it; some of its paths may be missing.
func (s *step) judgeReached(name string, n *Node) {
	if n.away && n.Verdict == Degraded { // peers reached it all the time, the engine did not
		s.cameBack(name, n)
		s.touchNode(name)
	}
	var gaps []kits.Reason
	for _, p := range s.x.Peers(name) {
		v, ok := n.Sights[p]
		if !ok || !s.fresh(v, p) || s.Nodes[p].Missed > 0 {
			continue
		}
		switch {
		case v.Reach == kits.Failed && v.Missed >= s.beats(p):
			gaps = append(gaps, why("evidence-path-missing", "node", name, "peer", p))
		case v.Part >= s.beats(p):
			gaps = append(gaps, why("evidence-path-partly", "node", name, "peer", p, "paths", failing(v.Paths)))
		}
	}
	if len(gaps) > 0 {
		s.verdict(name, n, Degraded, gaps...)
		return
	}
	s.verdict(name, n, Alive)
}

func failing(paths map[string]kits.Outcome) string {
	var bad []string
	for _, p := range sorted(paths) {
		if paths[p] == kits.Failed {
			bad = append(bad, p)
		}
	}
	return strings.Join(bad, ", ")
}

// judgeMissing: the engine has not reached it for LCMNUMHBEATS beats on any level.
func (s *step) judgeMissing(name string, n *Node) {
	t := s.testimony(name, n)
	cloud := s.cloudEvidence(name, n)
	missed := why("evidence-missed", "node", name, "n", strconv.Itoa(s.beats(name)))
	stopped := n.Cloud.stopped() && !s.oldWord(n)
	switch {
	case len(t.reach) > 0:
		s.verdict(name, n, Degraded, missed, why("evidence-peer-reaches", "node", name, "peers", strings.Join(t.reach, ", ")))
	case stopped:
		s.verdict(name, n, Dead, s.with(missed, t, cloud)...)
	case n.Verdict == Presumed || n.Verdict == Dead: // what was known stays known until it is seen
		if len(t.miss) > 0 && n.Verdict == Presumed {
			s.verdict(name, n, Presumed, s.with(missed, t, cloud)...)
		}
	case t.open: // a peer's next report decides
	case s.hopInDoubt(name):
		s.verdict(name, n, Unknown, missed, why("evidence-shared-hop", "node", name, "hop", s.hop(name)), cloud)
	case len(t.miss) == 0 && len(t.via) > 0:
		s.verdict(name, n, Unknown, missed, why("evidence-via", "node", name, "via", strings.Join(t.via, ", ")), cloud)
	case len(t.miss) == 0:
		s.verdict(name, n, Unknown, missed, why("evidence-no-peer", "node", name), cloud)
	default:
		s.verdict(name, n, Presumed, s.with(missed, t, cloud)...)
	}
}

// with lists the evidence of a loss.
func (s *step) with(missed kits.Reason, t testimony, cloud kits.Reason) []kits.Reason {
	ev := []kits.Reason{missed}
	if len(t.miss) > 0 {
		ev = append(ev, why("evidence-peers-miss", "peers", strings.Join(t.miss, ", ")))
	}
	return append(ev, cloud)
}

// testimony is what peers that can be asked now say of a missing node.
type testimony struct {
	reach []string // reach it
	miss  []string // do not, for as long as the engine
	via   []string // what carries the paths of those that cannot tell for that reason
	open  bool     // one of them has not missed it long enough to say
}

// testimony asks the peers. Only what they said within the last beats counts.
//
// Peers miss the same beats as the engine, but their reports take a beat longer:
// while our own count has just reached the limit, theirs may be one lower. When
// ours is older, it is our own way that failed first, and they get no such credit.
func (s *step) testimony(name string, n *Node) testimony {
	var t testimony
	need := s.beats(name)
	if need >= 3 && n.Missed <= need {
		need--
	}
	for _, peer := range s.x.Peers(name) {
		v, ok := n.Sights[peer]
		p := s.Nodes[peer]
		switch {
		case p == nil || !ok || !s.fresh(v, peer) || p.Missed >= s.beats(peer): // cannot be asked
		case v.Reach == kits.OK:
			t.reach = append(t.reach, peer)
		case s.sightInDoubt(name, peer, v) != "":
			if via := string(s.sightInDoubt(name, peer, v)); !slices.Contains(t.via, via) {
				t.via = append(t.via, via)
			}
		case p.Missed > 0:
			t.open = t.open || len(t.miss) == 0 // it may only have lost one beat
		case v.Reach == kits.Failed && v.Missed >= need:
			t.miss = append(t.miss, peer)
		case v.Reach == kits.Failed:
			t.open = true
		}
	}
	return t
}

// fresh: the sight is no older than two of the peer's beats and the time its
// answer may take when somebody is missing.
func (s *step) fresh(v Sight, peer string) bool {
	return s.now.Sub(v.At) <= 2*s.beatTime(peer)+2*time.Second
}

// oldWordFor is how long after a node's return EC2's "stopped" may still be about the stop
// that it returned from: EC2 lags by a minute or more.
const oldWordFor = 10 * time.Minute

func (c CloudSight) stopped() bool {
	return c.Err == "" && (c.State == "stopped" || c.State == "terminated")
}

func (s *step) oldWord(n *Node) bool {
	return !n.Returned.IsZero() && s.now.Sub(n.Returned) < oldWordFor
}

// cloudEvidence puts EC2's word in a sentence; what was said before the node was missed is no word.
func (s *step) cloudEvidence(name string, n *Node) kits.Reason {
	switch {
	case n.Cloud.Err != "":
		return why("evidence-cloud-error", "node", name, "error", n.Cloud.Err)
	case n.Cloud.State == "":
		return why("evidence-cloud-silent", "node", name)
	case n.Cloud.stopped() && s.oldWord(n):
		return why("evidence-cloud-old", "node", name, "state", n.Cloud.State, "at", clock(n.Returned))
	case n.Cloud.stopped():
		return why("evidence-cloud-stopped", "node", name, "state", n.Cloud.State)
	}
	return why("evidence-cloud-says", "node", name, "state", n.Cloud.State)
}

// hop is the host through which the engine reaches the node; "" = directly.
func (s *step) hop(name string) string {
	if srv := s.x.Server(name); srv != nil && srv.SSH.Jump != "" {
		return srv.SSH.Jump
	}
	return s.Estate.SSH.Jump
}

// hopInDoubt: the engine reaches the node through a hop, and nothing else that
// lies behind it answers. Then the hop may be what is missing.
func (s *step) hopInDoubt(name string) bool {
	h := s.hop(name)
	if h == "" {
		return false
	}
	if n := s.Nodes[h]; n != nil && n.heard && n.Missed == 0 {
		return false
	}
	for i := range s.Estate.Servers {
		other := s.Estate.Servers[i].Name
		if n := s.Nodes[other]; other != name && s.hop(other) == h && n.heard && n.Missed == 0 {
			return false
		}
	}
	return true
}

// verdict puts a verdict in force and tells what follows from a change.
func (s *step) verdict(name string, n *Node, v Verdict, evidence ...kits.Reason) {
	was := n.Verdict
	n.judged = true
	if was == v {
		if !sameCodes(n.Evidence, evidence) {
			n.Evidence = evidence
			s.dirt(nodeKey(name))
			s.touchNode(name)
		}
		return
	}
	n.Verdict, n.Evidence, n.Since = v, evidence, s.now
	s.dirt(nodeKey(name))
	s.event(Event{Kind: "node", Node: name, Severity: severityOf(v), Reason: s.verdictReason(name, v, evidence)})
	if v != Alive && v != Degraded {
		delete(s.Quorum, name) // what it said, it said before
	}
	switch v {
	case Alive, Degraded:
		if !n.Lost.IsZero() {
			n.Back = s.now
		}
		n.Lost = time.Time{}
		n.FenceFailed, n.FenceNext, n.FenceTries = nil, time.Time{}, 0
		if n.Missed == 0 && (n.away || was == Unknown) {
			s.cameBack(name, n)
		}
	case Presumed, Dead, Hung:
		if n.Lost.IsZero() {
			n.Lost = s.now
		}
		if v != Hung {
			s.loseStates(name)
			s.giveUp(name, v)
		}
	}
	s.touchNode(name)
}

// giveUp ends what operations do on a node that is lost: the next node, or the question, must not wait until they have tried
// there in vain.
func (s *step) giveUp(node string, v Verdict) {
	for c, id := range s.busy {
		if op := s.Ops[id]; id != "" && op != nil && s.inVain(c, op.Plan, node, v) {
			s.out(GiveUp{Op: id, Node: node})
		}
	}
}

// inVain tells whether what a plan has left to do on a lost node is not worth trying. Where the plan goes to, nothing serves
// yet. Where it comes from, what was stopped is started again should the node come back: that is given up when the node is
// proven down, or when the hierarchy fails over from it by itself.
func (s *step) inVain(c int, p plan.Plan, node string, v Verdict) bool {
	switch {
	case p.Goal.Node == node:
		return true
	case !slices.ContainsFunc(p.Steps, func(t plan.Step) bool { return t.Node == node }):
		return false
	}
	return v == Dead || p.Goal.Node != "" && s.x.SameRegion(node, p.Goal.Node) && !s.idle(c, node)
}

func severityOf(v Verdict) string {
	switch v {
	case Alive:
		return "info"
	case Degraded, Unknown:
		return "warning"
	}
	return "error"
}

func (s *step) verdictReason(name string, v Verdict, evidence []kits.Reason) kits.Reason {
	texts := make([]string, 0, len(evidence))
	for _, e := range evidence {
		texts = append(texts, e.Text)
	}
	r := why("node-"+string(v), "node", name)
	if len(texts) > 0 {
		r.Text += " " + strings.Join(texts, " ")
	}
	return r
}

func sameCodes(a, b []kits.Reason) bool {
	return slices.EqualFunc(a, b, func(x, y kits.Reason) bool { return x.Code == y.Code && x.Text == y.Text })
}

// cameBack: the node answers after it did not, or for the first time.
func (s *step) cameBack(name string, n *Node) {
	if n.away {
		n.Graceful, n.GracefulAt = false, time.Time{}
		s.unknow(name)
	}
	n.away = false
	s.out(ReadRecord{Node: name})
	s.checkNow(s.x.On(name), name)
}

// loseStates: nothing is known any more of what runs on a lost node.
func (s *step) loseStates(name string) {
	lost := why("state-node-lost", "node", name)
	for _, t := range s.x.On(name) {
		ref := hierarchy.Ref{Tag: t, Node: name}
		in := s.Instances[ref]
		in.fresh, in.known, in.presence = false, false, kits.PresenceUnknown
		if in.State != hierarchy.ILLSTATE {
			in.State, in.Reason, in.Since = hierarchy.ILLSTATE, lost, s.now
			s.dirtInstance(ref)
		}
	}
}
