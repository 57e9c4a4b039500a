package engine

import (
	"context"
	"slices"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
)

// hookTime bounds one change of a node's stop hook; stopPatience is how long a node
// that waits in its shutdown is kept for a move that does not begin. (The hook itself
// waits no longer than two minutes.)
const (
	hookTime     = 45 * time.Second
	stopPatience = 90 * time.Second
)

// hookAll puts the stop hook where a resource is, and takes it from where none is
// left. Loop only.
func (e *Engine) hookAll() {
	for name, n := range e.world.Nodes {
		if n.Boot != "" && n.Missed == 0 {
			e.hook(name)
		}
	}
}

// hook does so on one node that answers. An engine that only looks on changes
// nothing. Loop only.
func (e *Engine) hook(node string) {
	if !e.opts.Automation || e.hooking[node] {
		return
	}
	e.hooking[node] = true
	change := e.fleet.RemoveHook
	if len(e.index.Load().On(node)) > 0 {
		change = e.fleet.InstallHook
	}
	e.spawn(func() {
		defer func() { _ = e.look(func() { delete(e.hooking, node) }) }()
		ctx, cancel := context.WithTimeout(e.ctx, hookTime)
		defer cancel()
		changed, err := change(ctx, node, "ferry-"+e.id+"-hook-"+newID())
		switch {
		case err != nil && e.ctx.Err() == nil:
			e.log.Warn("the stop hook could not be seen to; a shutdown in good order will look like a failure", "node", node, "error", err)
		case changed:
			e.log.Info("the stop hook was changed", "node", node)
		}
	})
}

// leave is a node in a shutdown in good order, whose stop hook waits for our word.
type leave struct {
	told  string    // the last word that it took
	busy  bool      // a word is on its way
	tried time.Time // when the last one was sent
}

// noteAgain is the pause before a word that did not get through is sent again. The
// connection may well break under it: systemd ends the sessions of a node that shuts
// down while the hook still waits.
const noteAgain = time.Second

// nodeStops hears from a heartbeat that a node is being shut down in good order.
func (e *Engine) nodeStops(node string) {
	e.spawn(func() {
		e.tell(policy.GracefulStop{Node: node})
		_ = e.look(func() {
			if e.leaving[node] != nil || e.world.Nodes[node] == nil {
				return
			}
			e.leaving[node] = &leave{}
			e.letNodesStop()
		})
	})
}

// letNodesStop tells nodes that wait in their shutdown what holds for them: that the
// engine knows and is busy, or that nothing is left to wait for. It is called again and
// again, so that a word that was lost is sent once more. Loop only.
func (e *Engine) letNodesStop() {
	for node, l := range e.leaving {
		n := e.world.Nodes[node]
		if n == nil || !n.Graceful || n.Missed > 0 { // gone, or back
			delete(e.leaving, node)
			continue
		}
		word, note := "go", e.fleet.LetStop
		if e.holdsBack(node, n) {
			word, note = "seen", e.fleet.SeenStop
		}
		if l.busy || l.told == "go" || l.told == word || time.Since(l.tried) < noteAgain {
			continue
		}
		l.busy, l.tried = true, time.Now()
		e.spawn(func() {
			ok := e.noteStop(node, note)
			_ = e.look(func() {
				if l.busy = false; ok {
					l.told = word
				}
			})
		})
	}
}

// holdsBack: an operation is at work on the node, or one that takes its hierarchies
// elsewhere is about to begin.
func (e *Engine) holdsBack(node string, n *policy.Node) bool {
	for _, op := range e.world.Ops {
		if op.Outcome != policy.OpRunning {
			continue
		}
		for _, s := range op.Plan.Steps {
			if s.Node == node {
				return true
			}
		}
	}
	x := e.index.Load()
	if s := x.Server(node); s == nil || !s.SwitchOnShutdown || time.Since(n.GracefulAt) > stopPatience {
		return false
	}
	tags := x.On(node)
	return slices.ContainsFunc(tags, func(t hierarchy.Tag) bool { return e.world.Active(t) == node })
}

func (e *Engine) noteStop(node string, note func(ctx context.Context, node, unit string) error) bool {
	ctx, cancel := context.WithTimeout(e.ctx, hookTime)
	defer cancel()
	err := note(ctx, node, "ferry-"+e.id+"-hook-"+newID())
	if err != nil && e.ctx.Err() == nil {
		e.log.Warn("a node that is shutting down could not be told to go on; it is told again while it answers, and goes on by itself within two minutes", "node", node, "error", err)
	}
	return err == nil
}
