package sshexec

import (
	"context"
	"sync"
)

// Pool holds the connections to all nodes. It is safe for use by many goroutines.
type Pool struct {
	opts  Options
	count counters

	// life ends with Close. Connections outlive the call that opened them, so it is kept here.
	life context.Context
	end  context.CancelFunc

	mu    sync.Mutex
	nodes map[string]*Node
}

// NewPool returns an empty pool. Nothing is dialled before it is needed.
func NewPool(o Options) *Pool {
	p := &Pool{opts: o.withDefaults(), nodes: map[string]*Node{}}
	p.life, p.end = context.WithCancel(context.Background())
	return p
}

// Node returns the node of a target; the same one for an equal target.
func (p *Pool) Node(t Target) *Node {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := t.key()
	n := p.nodes[key]
	if n == nil || n.life.Err() != nil && p.life.Err() == nil {
		n = newNode(p, t)
		p.nodes[key] = n
	}
	return n
}

// Stats returns what the pool did so far.
func (p *Pool) Stats() Stats { return p.count.stats() }

// Close drops all connections. Calls under way end with an error; units on nodes go on.
func (p *Pool) Close() { p.end() }
