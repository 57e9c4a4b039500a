package chaos

import (
	"context"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
)

// settled judges the end: all faults are over for a while.
func (w *stack) settled(ctx context.Context) {
	if w.proc == nil {
		w.mark(func(e *eyes) { e.violated(ComesBack, "no engine runs") })
		return
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	snap, err := w.proc.eng.Snapshot(ctx)
	w.mark(func(e *eyes) {
		if err != nil {
			e.violated(ComesBack, "the engine says nothing: %v", err)
			return
		}
		e.ruleLost(true)
		e.ruleComesBack(snap)
	})
	if err == nil {
		w.ruleTunnels(snap)
	}
}

// ruleComesBack compares the world, the record and the engine's word.
func (e *eyes) ruleComesBack(snap *api.Snapshot) {
	for _, op := range e.ops {
		if op.Outcome == policy.OpRunning {
			e.violated(ComesBack, "operation %s is still open", op.ID)
		}
	}
	for _, n := range snap.Nodes {
		if n.Verdict != policy.Alive {
			e.violated(ComesBack, "%s is %s in the engine's eyes", n.Name, n.Verdict)
		}
	}
	for _, r := range e.shape.Resources {
		waits := e.waits(e.root(r.Name))
		e.settledResource(r, waits)
	}
	for _, r := range snap.Resources {
		for _, in := range r.On {
			p := place{r.Tag.Short(), in.Server}
			if e.shape.find(p.res) == nil {
				continue // a tunnel
			}
			if c := e.claims[p.res]; outside(e.shape.find(p.res).Kit) && (c.Node != in.Server || c.Released) {
				continue // routes and names stay where they were; only the holder's are its own
			}
			if e.claims[p.res].Released && e.stray[p] {
				continue // somebody's own hands started what nobody holds: theirs
			}
			if in.State.InService() != e.up[p] && e.waits(e.root(p.res)) == "" {
				e.violated(ComesBack, "the engine says %s: %s %s; it runs: %v", p, in.State, in.Reason.Text, e.up[p])
			}
		}
	}
}

// settledResource: it runs on its claim's node and nowhere else.
func (e *eyes) settledResource(r Resource, waits string) {
	c := e.claims[r.Name]
	holder := c.Node
	if c.Released {
		holder = ""
	}
	var on []string
	for _, n := range r.On {
		if p := (place{r.Name, n}); e.up[p] && !(holder == "" && e.stray[p]) && (!outside(r.Kit) || n == holder) {
			on = append(on, n)
		}
	}
	switch {
	case outside(r.Kit) && holder == "", holder == "" && len(on) == 0:
	case slices.Equal(on, []string{holder}):
	case waits != "" && len(on) < 2:
	default:
		e.violated(ComesBack, "%s runs on [%s], its claim is held by %q (number %d, released %v), and nobody is asked: %s", r.Name, strings.Join(on, " "), c.Node, c.Number, c.Released, waits)
	}
}
