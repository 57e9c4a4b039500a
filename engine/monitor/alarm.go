package monitor

import "sync"

// alarm knows which nodes missed their last beat, and wakes whoever waits when
// one more does.
type alarm struct {
	mu      sync.Mutex
	missing map[string]bool
	raised  chan struct{}
}

func newAlarm() *alarm { return &alarm{missing: map[string]bool{}, raised: make(chan struct{})} }

// set notes how a node's last beat went.
func (a *alarm) set(node string, missing bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if missing && !a.missing[node] {
		close(a.raised)
		a.raised = make(chan struct{})
	}
	if missing {
		a.missing[node] = true
	} else {
		delete(a.missing, node)
	}
}

// others tells whether any other node is missing.
func (a *alarm) others(node string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.missing[node] {
		return len(a.missing) > 1
	}
	return len(a.missing) > 0
}

// wait gives the channel that is closed when the next node goes missing.
func (a *alarm) wait() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.raised
}
