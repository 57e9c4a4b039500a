package operations

import (
	"cmp"
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/steps"
	"github.com/ferry-ha/ferry/tui/ui"
)

const (
	// firstLoad is how many past operations are asked for at first: a screen or two. Over
	// a thin line each is some kilobytes. More are asked for by moreTimes as many.
	firstLoad, moreTimes = 100, 4
	// mostLoad bounds it; what is older is told by the events.
	mostLoad = 6400
	// loadPause is the shortest pause between two loads that nobody asked for.
	loadPause = 2 * time.Second
)

// loads is how the list is kept up to date with the engine's.
type loads struct {
	limit  int
	got    int // how many the last load gave
	busy   bool
	once   bool // something was loaded
	wanted bool
	asked  time.Time
	bad    error
}

// loaded is what the engine had.
type loaded struct {
	p     *Page
	limit int
	ops   []api.Operation
	err   error
}

func (p *Page) load() tea.Cmd {
	if p.busy {
		p.wanted = true
		return nil
	}
	p.busy, p.wanted, p.asked = true, false, p.c.Now
	limit := p.limit
	return p.c.Call(func(ctx context.Context, s api.Service) tea.Msg {
		ops, err := s.Operations(ctx, limit)
		return loaded{p, limit, ops, err}
	})
}

// loadIf loads when something is wanted and the last time is not too near.
func (p *Page) loadIf(now bool) tea.Cmd {
	p.wanted = p.wanted || now
	if !p.wanted || p.busy || p.c.Now.Sub(p.asked) < loadPause || !p.c.Lost.IsZero() {
		return nil
	}
	return p.load()
}

// older tells that there may be older operations than those in the list, and makes the
// next load ask for more.
func (p *Page) older() bool {
	if p.busy || p.filter != "" || p.got < p.limit || p.limit >= mostLoad {
		return false
	}
	p.limit *= moreTimes
	return true
}

func (p *Page) took(m loaded) tea.Cmd {
	p.busy, p.bad = false, m.err
	if m.err == nil {
		p.once, p.got = true, len(m.ops)
		for i := range m.ops {
			p.put(&m.ops[i])
		}
		p.choose()
	}
	if m.err == nil && p.full && p.byID[p.cur] == nil { // it was asked for by its id
		if p.older() {
			return p.load()
		}
		gone := p.cur
		p.full = false
		p.choose()
		return ui.Complain(p.c.T("operations.gone", "op", ui.Clean(gone)))
	}
	return nil
}

// takeRunning puts what runs by the snapshot into the list.
func (p *Page) takeRunning() {
	run := p.c.Est.Running
	for i := range run {
		p.put(&run[i])
	}
	if len(run) > 0 {
		p.choose()
	}
}

// lostTrack tells that something runs in the list but not in the snapshot: it ended and
// nobody told how.
func (p *Page) lostTrack() bool {
	for _, r := range p.rows {
		if r.running() && !slices.ContainsFunc(p.c.Est.Running, func(o api.Operation) bool { return o.ID == r.op.ID }) {
			return true
		}
	}
	return false
}

// row is an operation with its texts.
type row struct {
	op                        *api.Operation
	what, by, outcome, search string
	outage                    time.Duration
	moved                     bool // outage means something
}

func (r *row) running() bool { return r.op.Outcome == policy.OpRunning || r.op.Outcome == "" }

// put adds an operation or replaces what was known of it. What comes late does not bring
// back to life what has ended.
func (p *Page) put(o *api.Operation) {
	old := p.byID[o.ID]
	if old != nil && !old.running() && (o.Outcome == policy.OpRunning || o.Outcome == "") {
		return
	}
	r := p.made(o)
	p.byID[o.ID] = r
	if old != nil {
		p.rows[slices.Index(p.rows, old)] = r
		return
	}
	i, _ := slices.BinarySearchFunc(p.rows, o, func(x *row, o *api.Operation) int {
		return cmp.Or(o.Began.Compare(x.op.Began), cmp.Compare(o.ID, x.op.ID))
	})
	p.rows = slices.Insert(p.rows, i, r)
}

// made makes the texts of a row.
func (p *Page) made(o *api.Operation) *row {
	c := p.c
	r := &row{op: o, what: steps.Headline(c, o.Plan.Goal), by: p.who(o), outcome: outcome(c, o)}
	r.outage, r.moved = steps.Outage(o)
	r.search = r.what + " " + r.by + " " + r.outcome + " " + ui.Clean(o.ID) + " " + ui.Clean(c.Reason(o.Cause)) + " " + ui.Clean(c.Reason(o.Reason))
	return r
}

// automatic is who acted when no person did, in the engine's word.
const automatic = "automatic"

func (p *Page) who(o *api.Operation) string {
	if o.By == automatic || o.By == "" {
		return p.c.T("operations.automatic")
	}
	return ui.Clean(o.By)
}

func outcome(c *ui.Context, o *api.Operation) string {
	switch o.Outcome {
	case policy.OpDone, policy.OpFailed, policy.OpRolledBack, policy.OpRunning:
		return c.T("operations.outcome-" + string(o.Outcome))
	case "":
		return c.T("operations.outcome-running")
	}
	return ui.Clean(string(o.Outcome))
}

// choose finds what the filter lets through and puts the cursor where it was.
func (p *Page) choose() {
	if p.lang != p.c.Printer.Lang {
		p.lang = p.c.Printer.Lang
		for i, r := range p.rows {
			p.rows[i] = p.made(r.op)
			p.byID[r.op.ID] = p.rows[i]
		}
	}
	p.shown = p.shown[:0]
	found := -1
	for _, r := range p.rows {
		if p.filter != "" && !ui.Matches(p.filter, r.search) {
			continue
		}
		if r.op.ID == p.cur {
			found = len(p.shown)
		}
		p.shown = append(p.shown, r)
	}
	p.list.SetN(len(p.shown))
	if found >= 0 {
		p.list.At = found
	} else if r := p.at(); r != nil && !p.full {
		p.cur = r.op.ID
	}
}
