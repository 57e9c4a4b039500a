package runner

import (
	"context"
	"time"

	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// lookTimeout bounds one look at what was started before.
const lookTimeout = 30 * time.Second

// groundLasts is how long a start is believed without another look: about what a small
// machine needs to restart. Starts that wait for something else, a name server, a
// resync, a dead engine's successor, take longer.
const groundLasts = 10 * time.Second

// lostGround looks again at what this plan has started on a step's node, before a
// start stands on it that did not say how it ended, or that comes a while after: the
// node may have gone down and come back meanwhile, and then nothing of it is there any
// more. If so, all of it is to be started again before the step; starting what runs
// does nothing. What cannot be looked at stays as it is believed: a node that is away
// answers no start either.
func (g *graph) lostGround(ctx context.Context, s plan.Step) bool {
	ground, doubtful := g.ground(s)
	lost := false
	for _, below := range doubtful {
		look := plan.Step{ID: below.ID + "-again", Kind: plan.StepCheck, Tag: below.Tag, Node: below.Node}
		limit, cancel := context.WithTimeout(ctx, lookTimeout)
		lost = g.r.do.Do(limit, g.op.ID, look, 1).Outcome == kits.Failed
		cancel()
		if lost || ctx.Err() != nil {
			break
		}
	}
	if lost {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.tries[s.ID]-- // the tries of what lies below bound this
		for _, below := range ground {
			e := g.entries[below.ID]
			e.Status = plan.Unclear
			g.entries[below.ID] = e
		}
	}
	return lost
}

// ground are the starts that are done on the node of a start, and those of them that
// must be looked at before it: all when its last attempt is unclear, else the old ones.
func (g *graph) ground(s plan.Step) (all, doubtful []plan.Step) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s.Kind != plan.StepStart {
		return nil, nil
	}
	unclear := g.entries[s.ID].Status == plan.Unclear
	for _, b := range g.plan.Steps {
		e := g.entries[b.ID]
		if b.Kind != plan.StepStart || b.Node != s.Node || b.ID == s.ID || e.Status != plan.Done {
			continue
		}
		all = append(all, b)
		if unclear || time.Since(e.Ended) > groundLasts {
			doubtful = append(doubtful, b)
		}
	}
	return all, doubtful
}
