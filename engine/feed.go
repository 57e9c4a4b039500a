package engine

import (
	"sync"

	"github.com/ferry-ha/ferry/engine/api"
)

// feed tells watchers that something changed. A watcher that does not keep up
// loses its channel and starts again from a snapshot; nobody waits for it.
type feed struct {
	mu   sync.Mutex
	subs map[chan api.Update]struct{}
	rev  int64
	done bool
}

// feedBuffer is how far a watcher may fall behind.
const feedBuffer = 256

func newFeed() *feed { return &feed{subs: map[chan api.Update]struct{}{}} }

// publish sends the new revision with its events, or alone.
func (f *feed) publish(rev int64, events []api.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rev = max(f.rev, rev)
	ups := make([]api.Update, 0, len(events)+1)
	for i := range events {
		ups = append(ups, api.Update{Revision: f.rev, Event: &events[i]})
	}
	if len(ups) == 0 {
		ups = append(ups, api.Update{Revision: f.rev})
	}
	for ch := range f.subs {
		for _, u := range ups {
			select {
			case ch <- u:
				continue
			default:
			}
			f.drop(ch)
			break
		}
	}
}

// progress sends an operation's progress.
func (f *feed) progress(op api.Operation) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for ch := range f.subs {
		select {
		case ch <- api.Update{Revision: f.rev, Operation: &op}:
		default:
			f.drop(ch)
		}
	}
}

func (f *feed) drop(ch chan api.Update) {
	if _, ok := f.subs[ch]; ok {
		delete(f.subs, ch)
		close(ch)
	}
}

func (f *feed) subscribe() chan api.Update {
	f.mu.Lock()
	defer f.mu.Unlock()
	ch := make(chan api.Update, feedBuffer)
	if f.done {
		close(ch)
		return ch
	}
	f.subs[ch] = struct{}{}
	return ch
}

func (f *feed) unsubscribe(ch chan api.Update) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drop(ch)
}

func (f *feed) revision() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rev
}

func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done = true
	for ch := range f.subs {
		f.drop(ch)
	}
}

// nudge sends one update to one watcher.
func (f *feed) nudge(ch chan api.Update, u api.Update) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.subs[ch]; ok {
		select {
		case ch <- u:
		default:
		}
	}
}
