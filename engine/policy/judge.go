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

// The storm brake (SPEC 7, DESIGN 3.9): the third recovery on the spot within half
// an hour is not made; the hierarchy moves at once and is held where it lands.
const (
	stormCount  = 3
	stormWindow = 30 * time.Minute
)

// judgeHierarchy looks at the facts of one hierarchy and starts at most one
// operation on it. A pending question that no judge asked for again is withdrawn.
func (s *step) judgeHierarchy(c int) {
	if s.busy[c] != "" {
		return
	}
	s.keep, s.gone, s.staleSaid = false, kits.Reason{}, false
	dual := s.dual(c)
	if !dual {
		dual = s.judgeClaims(c)
	}
	switch {
	case s.busy[c] != "":
	case dual:
		s.judgeDual(c)
	default:
		s.judgeHolders(c)
	}
	if q := s.Questions[s.asking[c]]; q != nil && !s.keep {
		if s.gone.Code == "" {
			s.gone = why("question-well-again")
		}
		s.endQuestion(q, Withdrawn, s.gone)
	}
}

// judgeHolders judges the nodes that hold parts of the hierarchy, one after the other.
func (s *step) judgeHolders(c int) {
	var nodes []string
	for _, t := range s.comps[c] {
		if at := s.Active(t); at != "" && !slices.Contains(nodes, at) {
			nodes = append(nodes, at)
		}
	}
	well := true
	for _, node := range nodes {
		if s.busy[c] == "" {
			well = s.judgeHolder(c, node) && well
		}
	}
	if well && s.busy[c] == "" {
		s.clearLoss(c)
		if len(nodes) == 1 {
			s.switchback(s.held(c, nodes[0]))
		}
	}
	if well && s.busy[c] == "" {
		s.judgeStandbys(c)
	}
}

// holding is what a node holds of a hierarchy.
type holding struct {
	comp int
	node string
	tags []hierarchy.Tag // in start order
}

func (s *step) held(c int, node string) holding {
	h := holding{comp: c, node: node, tags: make([]hierarchy.Tag, 0, len(s.comps[c]))}
	for _, t := range s.comps[c] {
		if s.Active(t) == node {
			h.tags = append(h.tags, t)
		}
	}
	return h
}

// root is the resource whose priorities count: the one that stands on top.
func (h holding) root() hierarchy.Tag { return h.tags[len(h.tags)-1] }

// judgeHolder tells whether all is well with what the node holds, and acts when not.
func (s *step) judgeHolder(c int, node string) bool {
	n, h := s.Nodes[node], s.held(c, node)
	switch {
	case n == nil || !n.judged: // after a restart: what was asked stays asked until we can see
		s.keep = true
		return false
	case n.Graceful:
		s.graceful(h, n)
		return false
	case n.Verdict == Presumed, n.Verdict == Dead, n.Verdict == Hung:
		s.lostNode(h, n)
		return false
	case n.Verdict == Unknown:
		s.gone = why("question-node-unknown", "node", node)
		s.decide(h, DoNothing, "", append([]NodeReason{reasonOn(node, why("none-node-unknown", "node", node))}, whyUnknown(node, n)...)...)
		return false
	case n.Missed >= s.beats(node): // alive, say its peers; we cannot look
		s.gone = why("question-peers-reach", "node", node)
		s.decide(h, DoNothing, "", reasonOn(node, why("none-unreached", "node", node)))
		return false
	case n.Missed > 0: // going, perhaps: its verdict comes first
		s.keep = true
		return false
	}
	return s.judgeResources(h)
}

// whyUnknown is what stands in the way of a verdict.
func whyUnknown(node string, n *Node) (out []NodeReason) {
	for _, e := range n.Evidence {
		switch e.Code {
		case "evidence-via", "evidence-shared-hop", "evidence-no-peer":
			out = append(out, reasonOn(node, e))
		}
	}
	return out
}

// graceful: shut down in good order, the strategy decides.
func (s *step) graceful(h holding, n *Node) {
	srv := s.x.Server(h.node)
	if srv == nil || !srv.SwitchOnShutdown {
		s.gone = why("question-graceful", "node", h.node)
		if n.Verdict == Presumed || n.Verdict == Dead {
			for _, t := range h.tags {
				ref := hierarchy.Ref{Tag: t, Node: h.node}
				s.state(ref, s.Instances[ref], hierarchy.OSU, why("state-graceful", "node", h.node))
			}
		}
		s.decide(h, DoNothing, "", reasonOn(h.node, why("none-graceful", "node", h.node)))
		return
	}
	if n.Verdict == Presumed || n.Verdict == Dead {
		s.lostNode(h, n) // it was off before it could be stopped in order
		return
	}
	l := s.loss(h, "graceful/"+h.node+"/"+stamp(n.GracefulAt))
	if l.Stuck != nil {
		s.decide(h, DoHold, "", reasonOn(h.node, *l.Stuck))
		return
	}
	s.place(h, l, why("cause-graceful", "node", h.node), false)
}

// lostNode: the node is dead, presumed dead, or hangs.
func (s *step) lostNode(h holding, n *Node) {
	l := s.loss(h, "node/"+h.node+"/"+stamp(n.Lost))
	code := "cause-" + string(n.Verdict)
	if n.Verdict == Hung && s.mustFence(h.node) {
		code = "cause-hung-fence"
	}
	s.place(h, l, why(code, "node", h.node), false)
}

// judgeResources looks for a failed resource on a node that is there. Children are
// looked at first: what failed for want of its child heals with it.
func (s *step) judgeResources(h holding) bool {
	unknown := false
	for _, t := range h.tags {
		it := s.instance(t, h.node)
		if it == nil || it.State != hierarchy.OSF {
			unknown = unknown || it != nil && it.State == hierarchy.ILLSTATE
			continue
		}
		if !it.fresh { // seen before an operation, a restart or a jump: look again first
			s.keep = true
			return false
		}
		if c := s.unknownChild(t, h.node); c != "" && !s.checksStandby(t) { // those run anyway
			s.keep = true
			s.decide(h, DoNothing, "", reasonOn(h.node, why("none-child-unknown", "tag", string(t), "child", string(c), "node", h.node)))
			return false
		}
		s.failed(s.standingTogether(h, t), t, it)
		return false
	}
	if unknown && s.Losses[s.comps[h.comp][0]] != nil {
		s.keep = true // neither well nor failing: the trouble under way goes on
		return false
	}
	return true
}

// unknownChild is something the resource needs whose state on the node is not
// known. Repairing the parent over it could run it without its child.
func (s *step) unknownChild(t hierarchy.Tag, node string) hierarchy.Tag {
	for _, c := range s.x.Children(t) {
		if in := s.instance(c, node); s.Active(c) == node && (!s.Works(c, node) || in.unclear) {
			return c
		}
	}
	return ""
}

// standingTogether narrows a holding to what is connected with a resource by what
// is active: only that moves when the resource fails.
func (s *step) standingTogether(h holding, t hierarchy.Tag) holding {
	active := make(map[hierarchy.Tag]bool, len(h.tags))
	for _, m := range h.tags {
		active[m] = true
	}
	seen := map[hierarchy.Tag]bool{t: true}
	for todo := []hierarchy.Tag{t}; len(todo) > 0; {
		t, todo = todo[0], todo[1:]
		for _, m := range append(s.x.Children(t), s.x.Parents(t)...) {
			if active[m] && !seen[m] {
				seen[m] = true
				todo = append(todo, m)
			}
		}
	}
	out := holding{comp: h.comp, node: h.node}
	for _, m := range h.tags {
		if seen[m] {
			out.tags = append(out.tags, m)
		}
	}
	return out
}

// failed: a resource that should be in service fails. Repair it on the spot, or
// move the hierarchy when that failed or came too often.
func (s *step) failed(h holding, t hierarchy.Tag, it *Instance) {
	if s.checksStandby(t) {
		s.failedHere(h, t, it)
		return
	}
	l := s.loss(h, "resource/"+string(t)+"@"+h.node+"/"+stamp(it.Since))
	s.brake(it)
	storm := len(it.Recoveries) >= stormCount-1
	switch {
	case l.Stuck != nil:
		s.decide(h, DoHold, "", reasonOn(h.node, *l.Stuck))
	case it.Held != nil && (storm || !l.RepairFailed.IsZero()):
		s.decide(h, DoHold, "", reasonOn(h.node, *it.Held))
	case storm && !l.Landed:
		s.place(h, l, s.stormCause(t, h.node, it), true)
	case !l.RepairFailed.IsZero():
		s.notRepaired(h, l, t, it, storm)
	default:
		s.repair(h, l, t, it, nil)
	}
}

func (s *step) stormCause(t hierarchy.Tag, node string, it *Instance) kits.Reason {
	again := it.Recoveries[0].Add(stormWindow).UTC().Format("15:04:05")
	return why("cause-storm", "tag", string(t), "node", node, "n", strconv.Itoa(stormCount), "again", again)
}

// notRepaired: recovery on the spot failed, or the failover ended here badly. It
// moves on; with nowhere to go the spot is all there is, checked at its usual pace
// and repaired as often as the brake lets us.
func (s *step) notRepaired(h holding, l *Loss, t hierarchy.Tag, it *Instance, storm bool) {
	to, reasons := s.choose(h, l, true)
	rested := s.now.Sub(l.RepairFailed) >= s.x.Seconds(h.node, hierarchy.LKCheckInterval)/2
	stands := to == "" || l.Landed && s.mustAsk(h, to) // nobody says yes yet: meanwhile the spot is all there is
	if stands && !storm && rested && it.Checked.After(l.RepairFailed) {
		s.keep = to != ""
		s.repair(h, l, t, it, reasons)
		return
	}
	code := "cause-repair-failed"
	if l.Landed {
		code = "cause-landed"
	}
	s.place(h, l, why(code, "tag", string(t), "node", h.node), true)
}

// brake forgets recoveries that are older than the window.
func (s *step) brake(it *Instance) {
	for len(it.Recoveries) > 0 && s.now.Sub(it.Recoveries[0]) > stormWindow {
		it.Recoveries = it.Recoveries[1:]
	}
}

// repair starts a recovery on the spot; rest says why it is not moved instead.
func (s *step) repair(h holding, l *Loss, t hierarchy.Tag, it *Instance, rest []NodeReason) {
	ref := hierarchy.Ref{Tag: t, Node: h.node}
	r := because("repair", it.Reason, "tag", string(t), "node", h.node, "n", strconv.Itoa(len(it.Recoveries)+1))
	if s.idle(h.comp, h.node) {
		s.decide(h, DoNothing, "", reasonOn(h.node, s.idleReason(h.comp, h.node, DoRecover, t, h.node)))
		return
	}
	it.Recoveries = append(it.Recoveries, s.now)
	s.dirt(instanceKey(ref))
	s.said[h.comp] = "" // every repair is worth a line
	s.decideFor(t, h, DoRecover, h.node, append([]NodeReason{reasonOn(h.node, r)}, rest...))
	s.begin(plan.Goal{Kind: plan.GoalRecover, Tag: t, From: h.node, Node: h.node}, Op{Cause: r, Tried: l.Tried})
	for _, p := range s.x.PlacementsByPriority(h.root()) {
		if p.Server != h.node {
			s.askQuorum(p.Server, l.Since) // should the repair fail, their word is there
		}
	}
}

// loss finds the hierarchy's trouble on this node, or begins it. What is known of
// an attempt that failed on this very node belongs to it, whatever fails now.
func (s *step) loss(h holding, id string) *Loss {
	key := s.comps[h.comp][0]
	l := s.Losses[key]
	if l != nil && l.At == h.node && (l.ID == id || sameResource(l.ID, id) || l.Landed && s.alive(h.node)) {
		return l
	}
	l = &Loss{ID: id, At: h.node, Since: s.now}
	s.Losses[key] = l
	s.said[h.comp] = ""
	s.dirt(lossKey(key))
	return l
}

// sameResource: both are about one resource failing on one node. It has not been well in
// between, or the first would be gone: it only was not known for a while.
func sameResource(a, b string) bool {
	i, k := strings.LastIndexByte(a, '/'), strings.LastIndexByte(b, '/')
	return strings.HasPrefix(a, "resource/") && i > 0 && k > 0 && a[:i] == b[:k]
}

// clearLoss: the hierarchy is well.
func (s *step) clearLoss(c int) {
	if key := s.comps[c][0]; s.Losses[key] != nil {
		delete(s.Losses, key)
		s.dirt(lossKey(key))
	}
	if !s.staleSaid {
		s.said[c] = ""
	}
}

func (s *step) dirtLoss(c int) { s.dirt(lossKey(s.comps[c][0])) }

// stamp makes a moment part of an id; the same moment gives the same text after a restart.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
