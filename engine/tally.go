package engine

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/engine/monitor"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// tally counts what happens too often to be an event each time.
type tally struct {
	mu     sync.Mutex
	checks map[CheckKind]uint64
	beats  map[string]Beats
}

// CheckKind is what checks are counted by.
type CheckKind struct {
	Kit string
	// Outcome is ok, failed, unknown or absent: what failed because it is not there, as is
	// right on a standby.
	Outcome string
}

// Beats are the engine's own heartbeats to one node.
type Beats struct {
	Answered, Missed uint64
	// Took is how long the last one that was answered was under way: the round trip and
	// the tiny script on the node.
	Took time.Duration
}

// Tally is what an engine has counted since it began.
type Tally struct {
	Checks map[CheckKind]uint64
	Beats  map[string]Beats // by node
}

// Tally copies the counts.
func (e *Engine) Tally() Tally {
	e.tally.mu.Lock()
	defer e.tally.mu.Unlock()
	return Tally{Checks: maps.Clone(e.tally.checks), Beats: maps.Clone(e.tally.beats)}
}

// checked counts a check's result.
func (e *Engine) checked(c policy.Checked) {
	kit := ""
	if r := e.index.Load().Resource(c.Ref.Tag); r != nil {
		kit = r.Kit
	}
	outcome := c.Report.Outcome.String()
	if c.Report.Outcome == kits.Failed && c.Report.Presence == kits.Absent {
		outcome = "absent"
	}
	e.tally.mu.Lock()
	defer e.tally.mu.Unlock()
	if e.tally.checks == nil {
		e.tally.checks = map[CheckKind]uint64{}
	}
	e.tally.checks[CheckKind{kit, outcome}]++
}

// timed is the way to the nodes with a watch beside the heartbeats.
type timed struct {
	monitor.Prober
	t *tally
}

// Pulse notes how long an answer took.
func (p timed) Pulse(ctx context.Context, node string) (path, function bool) {
	began := time.Now()
	path, function = p.Prober.Pulse(ctx, node)
	took := time.Since(began)
	p.t.mu.Lock()
	defer p.t.mu.Unlock()
	if p.t.beats == nil {
		p.t.beats = map[string]Beats{}
	}
	b := p.t.beats[node]
	if function {
		b.Answered, b.Took = b.Answered+1, took
	} else if ctx.Err() != context.Canceled {
		b.Missed++
	}
	p.t.beats[node] = b
	return path, function
}
