package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// askQuorum asks the node that would take over whether it may (SPEC 6), and tells
// the policy. What cannot be asked is Unknown.
func (e *Engine) askQuorum(node string) {
	x := e.index.Load()
	q := x.Quorum(node)
	if q.Timeout <= 0 {
		q.Timeout = 20 * time.Second
	}
	ctx, cancel := context.WithTimeout(e.ctx, q.Timeout+5*time.Second)
	defer cancel()
	said := policy.QuorumSaid{Node: node}
	switch q.Mode {
	case hierarchy.TCPRemote:
		reached, missed, err := e.fleet.Witnesses(ctx, node, q.Hosts, q.Timeout)
		said.Outcome, said.Reason = judgeQuorum(node, "witnesses", len(q.Hosts), reached, missed, err)
	case hierarchy.Majority:
		reached, missed, err := e.members(ctx, x, node)
		said.Outcome, said.Reason = judgeQuorum(node, "nodes of its cluster", len(x.Peers(node))+1, reached, missed, err)
	default:
		said.Outcome, said.Reason = kits.OK, kits.Why("quorum.none", "no quorum is asked for at "+node, "node", node)
	}
	e.tell(said)
}

// members are the nodes of its cluster that a node reaches, itself among them.
func (e *Engine) members(ctx context.Context, x *hierarchy.Index, node string) (reached, missed []string, err error) {
	seen, err := e.fleet.Peers(ctx, node, paths(x, node))
	if err != nil {
		return nil, nil, err
	}
	reached = []string{node}
	for _, peer := range x.Peers(node) {
		best := kits.Unknown
		for _, o := range seen[peer] {
			if o == kits.OK || best == kits.Unknown {
				best = o
			}
		}
		switch best {
		case kits.OK:
			reached = append(reached, peer)
		case kits.Failed:
			missed = append(missed, peer)
		}
	}
	return reached, missed, nil
}

// judgeQuorum: more than half reached is a yes, half or more missed is a no, everything
// between is unknown.
func judgeQuorum(node, of string, n int, reached, missed []string, err error) (kits.Outcome, kits.Reason) {
	slices.Sort(reached) // they answer in any order
	slices.Sort(missed)
	args := []string{"node", node, "reached", strings.Join(reached, ", "), "missed", strings.Join(missed, ", ")}
	switch {
	case n > 0 && 2*len(reached) > n:
		return kits.OK, kits.Why("quorum.yes", fmt.Sprintf("%s reaches %d of %d %s: %s", node, len(reached), n, of, strings.Join(reached, ", ")), args...)
	case n > 0 && 2*len(missed) >= n:
		return kits.Failed, kits.Why("quorum.no", fmt.Sprintf("%s does not reach a majority of %d %s; missing: %s", node, n, of, strings.Join(missed, ", ")), args...)
	}
	why := "not enough of them answered clearly"
	switch {
	case n == 0:
		why = "none is listed"
	case err != nil:
		why = err.Error()
	}
	return kits.Unknown, kits.Why("quorum.unknown", fmt.Sprintf("whether %s reaches a majority of %d %s is not known: %s", node, n, of, why), args...)
}
