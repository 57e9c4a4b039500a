package store

import (
	"context"
	"fmt"
	"strings"
)

// watchBuffer lets a watcher take a burst without a goroutine switch per change.
const watchBuffer = 64

// Watch sends every change with the prefix after the revision.
func (m *MemoryStore) Watch(ctx context.Context, prefix string, after int64) (<-chan Change, error) {
	if err := m.ready(ctx); err != nil {
		return nil, fmt.Errorf("watching %s: %w", prefix, err)
	}
	out := make(chan Change, watchBuffer)
	go m.feed(ctx, prefix, after, out)
	return out, nil
}

// feed follows the disk's log and closes out when ctx or the session ends, or when
// the log does not reach back far enough.
func (m *MemoryStore) feed(ctx context.Context, prefix string, after int64, out chan<- Change) {
	defer close(out)
	next := 0
	for {
		batch, at, more, ok := m.disk.tail(next, after)
		if !ok {
			return
		}
		next = at
		for _, c := range batch {
			if !strings.HasPrefix(c.Key, prefix) {
				continue
			}
			c.KV = c.clone()
			select {
			case out <- c:
			case <-ctx.Done():
				return
			case <-m.closed:
				return
			}
		}
		if len(batch) > 0 {
			continue
		}
		select {
		case <-more:
		case <-ctx.Done():
			return
		case <-m.closed:
			return
		}
	}
}

// tail gives the changes from the absolute log position on that are newer than the
// revision, the position after them, and a channel that is closed at the next
// change. It is not ok when changes that were asked for are forgotten already.
func (d *Disk) tail(next int, after int64) (batch []Change, at int, more <-chan struct{}, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if next < d.dropped {
		// At the first call next is 0: fine when all that was dropped is old enough.
		if next != 0 || d.log[0].Rev > after+1 {
			return nil, 0, nil, false
		}
		next = d.dropped
	}
	for _, c := range d.log[next-d.dropped:] {
		if c.Rev > after {
			batch = append(batch, c)
		}
	}
	return batch, d.dropped + len(d.log), d.changed, true
}
