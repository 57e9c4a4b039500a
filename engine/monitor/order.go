package monitor

import (
	"sync"

	"github.com/ferry-ha/ferry/kits"
)

// order passes on the reports of one cycle. What is there and well is reported at
// once. Anything else waits for the reports of what it needs from the same cycle:
// after a reboot all of a hierarchy is gone, and a parent whose failure came first
// would be repaired over children that nobody knows yet to be down.
type order struct {
	mu   sync.Mutex // held while reporting, so that the order holds
	left map[string]bool
	held []heldReport
}

type heldReport struct {
	in   kits.Instance
	send func()
}

// newOrder expects a report of every instance.
func newOrder(due []kits.Instance) *order {
	o := &order{left: make(map[string]bool, len(due))}
	for _, in := range due {
		o.left[in.Tag] = true
	}
	return o
}

// done takes one report; send is called now or when its turn comes.
func (o *order) done(in kits.Instance, r kits.Report, send func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !(r.Outcome == kits.OK && r.Presence == kits.Present) && o.waits(in) {
		o.held = append(o.held, heldReport{in, send})
		return
	}
	send()
	delete(o.left, in.Tag)
	for o.next() { // what waited for it, and for that, …
	}
}

// next reports one that waits no more.
func (o *order) next() bool {
	for i, h := range o.held {
		if !o.waits(h.in) {
			o.held = append(o.held[:i], o.held[i+1:]...)
			h.send()
			delete(o.left, h.in.Tag)
			return true
		}
	}
	return false
}

// waits tells that something the instance needs has not been reported yet.
func (o *order) waits(in kits.Instance) bool {
	for _, c := range in.Children {
		if o.left[c.Tag] {
			return true
		}
	}
	return false
}
