package engine

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/store"
)

// What those who tell the world about this engine (packages notify and metrics) need of
// it beside api.Service.

const (
	keyMark = "notify/"     // by channel: the number of the last event that was settled
	keyRuns = "meta/runner" // set while an acting engine runs: since when
)

// Announce logs an event that is none of the policy's: it is stored and seen by every
// watcher. The time is filled in.
func (e *Engine) Announce(ctx context.Context, ev policy.Event) error {
	return e.put(ctx, []policy.Output{ev})
}

// Begin logs that an acting engine starts to work here, and End that it stops in good
// order. When the one before did not, Begin says so.
func (e *Engine) Begin(ctx context.Context) error {
	why, severity := policy.Say("engine-started", "who", e.opts.Who), "info"
	if kv, err := e.opts.Store.Get(ctx, keyRuns); err == nil && len(kv.Value) > 0 {
		why, severity = policy.Say("engine-started-again", "who", e.opts.Who, "since", string(kv.Value)), "warning"
	}
	return e.put(ctx, []policy.Output{policy.Event{Kind: "engine", Severity: severity, By: e.opts.Who, Reason: why}},
		store.KV{Key: keyRuns, Value: []byte(e.since.UTC().Format(time.RFC3339))})
}

// End is told of by Begin.
func (e *Engine) End(ctx context.Context) error {
	return e.put(ctx, []policy.Output{policy.Event{Kind: "engine", By: e.opts.Who, Reason: policy.Say("engine-stopped", "who", e.opts.Who)}},
		store.KV{Key: keyRuns})
}

// put stores events and values in one transaction.
func (e *Engine) put(_ context.Context, outs []policy.Output, kvs ...store.KV) error {
	var failed error
	err := e.look(func() {
		if failed = e.broken; failed != nil {
			return
		}
		for i, o := range outs {
			if ev, ok := o.(policy.Event); ok {
				ev.At = time.Now()
				if ev.Severity == "" {
					ev.Severity = "info"
				}
				outs[i] = ev
			}
		}
		if failed = e.commit(outs, message{extra: kvs}); failed != nil {
			e.fail(failed)
		}
	})
	if err != nil {
		return err
	}
	return failed
}

// Marks reads how far every channel has got.
func (e *Engine) Marks(ctx context.Context) (map[string]int64, error) {
	kvs, _, err := e.opts.Store.List(ctx, keyMark)
	if err != nil {
		return nil, fmt.Errorf("reading how far notifications have got: %w", err)
	}
	marks := map[string]int64{}
	for _, kv := range kvs {
		n, err := strconv.ParseInt(string(kv.Value), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w: %w", kv.Key, store.ErrDamaged, err)
		}
		marks[strings.TrimPrefix(kv.Key, keyMark)] = n
	}
	return marks, nil
}

// SetMark stores that a channel has got so far.
func (e *Engine) SetMark(ctx context.Context, channel string, seq int64) error {
	return e.put(ctx, nil, store.KV{Key: keyMark + channel, Value: []byte(strconv.FormatInt(seq, 10))})
}

// Health is how the engine itself is.
type Health struct {
	// Leads: it may act. Stores: its store takes writes. Automation: it acts by itself.
	Leads, Stores, Automation bool
	Epoch                     uint64
	Clients                   int    // watches that are open
	Notice                    string // what is wrong, in a sentence
}

// Health asks the loop, so an answer also says that it runs. The context bounds the wait.
func (e *Engine) Health(ctx context.Context) (Health, error) {
	got := make(chan Health, 1)
	m := message{look: func() {
		lead := e.lost.Load() == nil && e.stranger() == nil
		got <- Health{Leads: lead, Stores: e.broken == nil, Automation: e.opts.Automation && lead, Epoch: e.epoch(), Clients: e.feed.watchers(), Notice: e.noticeText()}
	}}
	select {
	case e.in <- m:
	case <-e.ctx.Done():
		return Health{}, errClosed
	case <-ctx.Done():
		return Health{}, &api.Error{Kind: api.KindTimeout, Message: "the engine's loop does not take any input"}
	}
	select {
	case h := <-got:
		return h, nil
	case <-e.ctx.Done():
		return Health{}, errClosed
	case <-ctx.Done():
		return Health{}, &api.Error{Kind: api.KindTimeout, Message: "the engine's loop gives no answer"}
	}
}

// watchers counts who watches.
func (f *feed) watchers() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.subs)
}
