package resource

import (
	"context"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/ui"
)

// What is asked for, and kept.
const (
	eventsAsked = 2000
	opsAsked    = 100
	pastKept    = 200
)

// past is what has happened to a resource.
type past struct {
	events []api.Event // newest last
	ops    []api.Operation
	asked  bool
	known  bool
	err    error
}

// loaded is the answer to load.
type loaded struct {
	tag    hierarchy.Tag
	events []api.Event
	ops    []api.Operation
	err    error
}

func (p *past) load(c *ui.Context, tag hierarchy.Tag) tea.Cmd {
	p.asked, p.err = true, nil
	return c.Call(func(ctx context.Context, s api.Service) tea.Msg {
		ops, err := s.Operations(ctx, opsAsked)
		if err != nil {
			return loaded{tag: tag, err: err}
		}
		events, err := s.Events(ctx, 0, eventsAsked)
		return loaded{tag, events, ops, err}
	})
}

// take adds what was loaded to what has happened meanwhile.
func (p *past) take(tag hierarchy.Tag, m loaded) {
	if m.tag != tag {
		return
	}
	p.known, p.err = m.err == nil, m.err
	for i := len(m.ops) - 1; i >= 0; i-- {
		if !slices.ContainsFunc(p.ops, func(o api.Operation) bool { return o.ID == m.ops[i].ID }) {
			p.moved(tag, m.ops[i])
		}
	}
	later := p.events
	p.events = nil
	for _, e := range append(m.events, later...) {
		p.happened(tag, e)
	}
}

// happened keeps an event that is about the resource or an operation that moves it.
func (p *past) happened(tag hierarchy.Tag, e api.Event) {
	mine := e.Tag == tag || e.Op != "" && slices.ContainsFunc(p.ops, func(o api.Operation) bool { return o.ID == e.Op })
	if !mine || len(p.events) > 0 && e.Seq <= p.events[len(p.events)-1].Seq {
		return
	}
	p.events = append(p.events, e)
	p.events = p.events[max(0, len(p.events)-pastKept):]
}

// moved keeps an operation that moves the resource, newest first.
func (p *past) moved(tag hierarchy.Tag, o api.Operation) {
	if o.Plan.Goal.Tag != tag && !slices.Contains(o.Plan.Moves, tag) {
		return
	}
	if i := slices.IndexFunc(p.ops, func(x api.Operation) bool { return x.ID == o.ID }); i >= 0 {
		p.ops[i] = o
		return
	}
	p.ops = append(p.ops, o)
	slices.SortStableFunc(p.ops, func(a, b api.Operation) int { return b.Began.Compare(a.Began) })
	p.ops = p.ops[:min(len(p.ops), pastKept)]
}

// all are the operations with those under way, which the snapshot knows best.
func (p *past) all(c *ui.Context, tag hierarchy.Tag) []api.Operation {
	if o := c.Est.RunningOn(tag); o != nil {
		q := past{ops: slices.Clone(p.ops)}
		q.moved(tag, *o)
		return q.ops
	}
	return p.ops
}
