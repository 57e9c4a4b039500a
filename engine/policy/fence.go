package policy

import (
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// Fencing (SPEC 6): where a cluster has it configured, a node that is not proven dead
// is stopped by EC2, and seen to be stopped, before anything of it is started
// elsewhere. A node that is proven dead is never fenced, and one that could not be
// fenced is left to people.

// mustFence tells that the node is lost, not proven dead, and can be fenced.
func (w *World) mustFence(node string) bool {
	n, c := w.Nodes[node], w.x.ClusterOf(node)
	return n != nil && c != nil && c.Fencing != "" && (n.Verdict == Presumed || n.Verdict == Hung)
}

// fencing is the operation that is about to fence the node; "" = none is.
func (s *step) fencing(node string) string {
	for _, id := range s.busy {
		if op := s.Ops[id]; op != nil && op.Plan.Goal.Fence && op.Plan.Goal.From == node {
			return id
		}
	}
	return ""
}

// fenced takes what came of fencing a node. What did not say how it ended is tried
// again a few times when no person asked for it; after that people are asked.
func (s *step) fenced(op *Op, node string, r kits.Report) {
	n := s.Nodes[node]
	if n == nil {
		return
	}
	if r.Outcome == kits.OK {
		n.Missed = max(n.Missed, s.beats(node))
		n.away = true
		s.verdict(node, n, Dead, why("evidence-fenced", "node", node))
		return
	}
	s.dirt(nodeKey(node))
	if again := r.Outcome == kits.Unknown && op.By == automatic && n.FenceTries < len(retryPauses); again {
		n.FenceNext = s.now.Add(retryPauses[n.FenceTries])
		n.FenceTries++
		return
	}
	n.FenceNext = time.Time{}
	why := because("evidence-fence-"+r.Outcome.String(), r.Reason, "node", node)
	n.FenceFailed = &why
	s.event(Event{Kind: "node", Severity: "error", Node: node, Op: op.ID, Reason: why})
}
