package nodesim

import (
	"sync"
	"time"

	"mvdan.cc/sh/v3/syntax"
)

// Change is something that came or went on a node: what an observer with eyes
// everywhere would have noted, in order.
type Change struct {
	At   time.Time
	Node string
	// Kind is "power", "service" or "address"; What names the service or the address
	// ("www.service", "10.1.0.10"), and is empty for power.
	Kind, What string
	Up         bool
}

// tell passes a change on. The node's lock is held, so that changes come in order.
func (n *Node) tell(kind, what string, up bool) {
	if w := n.world.opts.Watch; w != nil {
		w(Change{At: time.Now(), Node: n.name, Kind: kind, What: what, Up: up})
	}
}

// set changes whether the service runs; the node's lock is held.
func (n *Node) set(name string, s *service, active bool) {
	if s.active != active {
		s.active = active
		n.tell("service", name, active)
	}
}

// scripts are scripts parsed before: the same few run all the time. An interpreter
// only reads what was parsed.
type scripts struct {
	mu   sync.Mutex
	done map[string]*syntax.File
}

func (s *scripts) get(text string) *syntax.File {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done[text]
}

// keep remembers a parsed script; a world that has seen too many begins anew.
func (s *scripts) keep(text string, f *syntax.File) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done == nil || len(s.done) >= 500 {
		s.done = map[string]*syntax.File{}
	}
	s.done[text] = f
}
