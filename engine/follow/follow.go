// Package follow reads an engine's events without a gap: what happens and, first, what
// has happened since a number. Whoever tells people about events or counts them uses
// it, so that each of them is seen once and in order, whatever became of the watch.
// It decides nothing and keeps nothing.
package follow

import (
	"context"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
)

// Source is what is read from: an engine, in this process or behind a socket.
type Source interface {
	Watch(ctx context.Context, after int64) (<-chan api.Update, error)
	Events(ctx context.Context, after int64, limit int) ([]api.Event, error)
}

// again is the pause before a watch that broke is begun anew.
const again = time.Second

// Events calls f for every event after the number, oldest first and each once, until
// ctx ends; f must not take long, since a watcher that falls behind is dropped and has
// to read everything again. It returns the last number that f saw. An engine that goes
// away and comes back is followed on; events that it no longer keeps are not seen.
func Events(ctx context.Context, src Source, after int64, f func(api.Event)) int64 {
	r := &reader{src: src, last: after, f: f}
	for ctx.Err() == nil {
		r.watch(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(again):
		}
	}
	return r.last
}

type reader struct {
	src  Source
	last int64
	f    func(api.Event)
}

// watch reads until the watch breaks. It begins before the past is read, so that
// nothing falls between the two.
func (r *reader) watch(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	updates, err := r.src.Watch(ctx, 0)
	if err != nil || r.past(ctx) != nil {
		return
	}
	for u := range updates {
		switch {
		case u.Event == nil || u.Event.Seq <= r.last:
		case u.Event.Seq == r.last+1:
			r.see(*u.Event)
		default: // some were lost, or never stored: what is stored says which
			if r.past(ctx) != nil {
				return
			}
			if u.Event.Seq > r.last {
				r.see(*u.Event)
			}
		}
	}
}

func (r *reader) past(ctx context.Context) error {
	events, err := r.src.Events(ctx, r.last, 0)
	for _, e := range events {
		if e.Seq > r.last {
			r.see(e)
		}
	}
	return err
}

func (r *reader) see(e api.Event) {
	r.last = e.Seq
	r.f(e)
}
