package monitor

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// cycles runs one node's checks, at once and then every CheckEvery, and out of
// turn when asked.
func (m *Monitor) cycles(ctx context.Context, t NodeTask, now <-chan []hierarchy.Ref) {
	tick := time.NewTicker(t.CheckEvery)
	defer tick.Stop()
	var only []hierarchy.Ref
	for {
		m.cycle(ctx, t.Node, only)
		select {
		case <-ctx.Done():
			return
		case only = <-now:
		case <-tick.C:
			only = nil
		}
	}
}

// cycle checks what is due on the node: scripted kits together in one round trip (a
// hundred at most),
// the others side by side. Each result is handed over as soon as it is there; see order.
func (m *Monitor) cycle(ctx context.Context, node string, only []hierarchy.Ref) {
	due := slices.DeleteFunc(m.sink.Due(node, only), func(in kits.Instance) bool { return m.kits[in.Kit] == nil })
	o := newOrder(due)
	var wg sync.WaitGroup
	defer wg.Wait()
	var scripted []kits.Instance
	for _, in := range due {
		k := m.kits[in.Kit]
		if _, ok := k.(kits.Batcher); ok {
			scripted = append(scripted, in)
			continue
		}
		wg.Add(1)
		go func() { defer wg.Done(); m.checkOne(ctx, node, k, in, o) }()
	}
	for batch := range slices.Chunk(scripted, batchMost) {
		wg.Add(1)
		go func() { defer wg.Done(); m.checkBatch(ctx, node, batch, o) }()
	}
}

// batchMost is how many checks go in one round trip. More go in several at the same
// time: a request takes wire.MaxJobs (256) jobs at most, and a hundred checks are some
// 450 KB of scripts already.
const batchMost = 100

// checkOne runs the check of a kit that has no script for it.
func (m *Monitor) checkOne(ctx context.Context, node string, k kits.Kit, in kits.Instance, o *order) {
	began := time.Now()
	limit, cancel := context.WithTimeout(ctx, k.Timeout(kits.ActCheck, in))
	defer cancel()
	r := k.Check(limit, m.probe.Host(node), in)
	o.done(in, r, func() { m.report(ctx, node, in, r, began) })
}

// checkBatch runs the scripted checks in one round trip, bounded by the slowest one's
// deadline. Each is reported when its own answer comes: a slow one holds back nobody
// else's.
func (m *Monitor) checkBatch(ctx context.Context, node string, due []kits.Instance, o *order) {
	began := time.Now()
	scripts := make(map[string]kits.Script, len(due))
	byTag := make(map[string]kits.Instance, len(due))
	var longest time.Duration
	for _, in := range due {
		k := m.kits[in.Kit]
		s := k.(kits.Batcher).CheckScript(in)
		if s.Deadline == 0 {
			s.Deadline = k.Timeout(kits.ActCheck, in)
		}
		longest = max(longest, s.Deadline)
		scripts[in.Tag], byTag[in.Tag] = s, in
	}
	limit, cancel := context.WithTimeout(ctx, longest+batchGrace)
	defer cancel()
	m.probe.Batch(limit, node, scripts, func(tag string, r kits.Result, err error) {
		if in, due := byTag[tag]; due {
			rep := m.kits[in.Kit].(kits.Batcher).JudgeCheck(in, r, err)
			o.done(in, rep, func() { m.report(ctx, node, in, rep, began) })
		}
	})
}

// batchGrace is what a batch may take on the way beyond its slowest script.
const batchGrace = 5 * time.Second

func (m *Monitor) report(ctx context.Context, node string, in kits.Instance, r kits.Report, began time.Time) {
	if ctx.Err() != nil {
		return // the definition changed meanwhile; the next generation looks again
	}
	ref := hierarchy.Ref{Tag: hierarchy.Tag(in.Tag), Node: node}
	m.sink.ObserveCheck(policy.Checked{Ref: ref, Report: r}, began)
}
