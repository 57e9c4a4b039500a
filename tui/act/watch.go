package act

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/ui"
)

const (
	// searchAfter is how long an operation may be missing among those that run before
	// the past ones are searched for it, and the pause between two searches.
	searchAfter = time.Second
	// searched is how many past operations are looked at.
	searched = 50
)

// watch is the operation that was started, as last heard of.
type watch struct {
	id       string
	op       *api.Operation
	began    time.Time // when the window was opened
	searchAt time.Time // when it was last searched for
	busy     bool      // a search is under way
}

// seen is what a search found.
type seen struct {
	w   *Window
	ops []api.Operation
	err error
}

// watched takes news of operations.
func (w *Window) watched(msg tea.Msg) tea.Cmd {
	if w.phase != watching && (!w.tried || w.phase == over) {
		if w.phase == sending {
			return w.early(msg)
		}
		return nil
	}
	switch msg := msg.(type) {
	case ui.Progress:
		return w.hear(&msg.Operation)
	case seen:
		if msg.w != w {
			return nil
		}
		w.run.busy = false
		return w.hearAny(msg.ops)
	case ui.Fresh:
		if cmd := w.hearAny(w.c.Est.Running); cmd != nil || w.phase == over {
			return cmd
		}
	}
	return w.missing()
}

// early keeps news of our operation that come before the answer to the order.
func (w *Window) early(msg tea.Msg) tea.Cmd {
	if p, ok := msg.(ui.Progress); ok && w.mine(&p.Operation) {
		w.run.op = &p.Operation
	}
	return nil
}

// mine tells whether an operation is the one that this window's command started.
func (w *Window) mine(o *api.Operation) bool {
	if w.run.id != "" {
		return o.ID == w.run.id
	}
	j, ok := w.job.(*goalJob)
	return ok && o.Command == j.id
}

func (w *Window) hearAny(all []api.Operation) tea.Cmd {
	for i := range all {
		if w.mine(&all[i]) {
			return w.hear(&all[i])
		}
	}
	return nil
}

// hear takes the operation as it is now. What comes late does not bring back to life
// what has ended.
func (w *Window) hear(o *api.Operation) tea.Cmd {
	if !w.mine(o) || w.run.op != nil && !w.run.op.Ended.IsZero() && o.Ended.IsZero() {
		return nil
	}
	w.run.op, w.run.id = o, o.ID
	if w.phase == loading || w.phase == asking { // it was taken after all
		w.seq++ // what is still asked is void
		w.input = nil
	}
	w.bad, w.tried = nil, false
	w.to(watching)
	if o.Outcome == policy.OpRunning || o.Outcome == "" {
		return nil
	}
	w.to(over)
	if o.Outcome == policy.OpDone {
		return w.then()
	}
	return nil
}

// missing searches the past when the operation is not among those that run: it may have
// ended before anybody looked.
func (w *Window) missing() tea.Cmd {
	for i := range w.c.Est.Running {
		if w.mine(&w.c.Est.Running[i]) {
			return nil
		}
	}
	if w.c.Now.Sub(w.run.searchAt) < searchAfter && !w.run.searchAt.IsZero() {
		return nil
	}
	return w.search()
}

func (w *Window) search() tea.Cmd {
	if _, moves := w.job.(*goalJob); !moves || w.run.busy {
		return nil
	}
	w.run.busy, w.run.searchAt = true, w.c.Now
	return w.c.Call(func(ctx context.Context, s api.Service) tea.Msg {
		ops, err := s.Operations(ctx, searched)
		return seen{w, ops, err}
	})
}
