package doctor

import (
	"context"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// Gather joins what several questioners ask of one node at the same time into as few round trips as possible: it waits until
// all of them wait for an answer or have ended, and then sends what has come together. Kits ask by themselves and know nothing
// of each other; with one script each, a node is asked once.
type Gather struct {
	node string
	// send runs scripts in one round trip and hands over a result or an error for each key.
	send func(ctx context.Context, scripts map[string]kits.Script, each func(key string, r kits.Result, err error))

	mu      sync.Mutex
	busy    int // questioners that neither wait nor have ended
	waiting []waiter
	trips   int
	timer   *time.Timer
}

type waiter struct {
	ctx    context.Context
	script kits.Script
	reply  chan reply
}

type reply struct {
	r   kits.Result
	err error
}

// patience is how long a question waits for others that seem to be coming. It only matters when a questioner waits
// for something else, or asks two things at once.
const patience = 200 * time.Millisecond

// NewGather is for one node.
func NewGather(node string, send func(ctx context.Context, scripts map[string]kits.Script, each func(key string, r kits.Result, err error))) *Gather {
	return &Gather{node: node, send: send}
}

// All runs the questioners side by side and returns when all have ended. Their context ends with ctx.
func (g *Gather) All(ctx context.Context, ask ...func(ctx context.Context, h kits.Host)) {
	var wg sync.WaitGroup
	g.mu.Lock()
	g.busy = len(ask)
	g.mu.Unlock()
	for _, f := range ask {
		wg.Go(func() {
			f(ctx, gatherHost{g})
			g.mu.Lock()
			g.busy--
			g.flush()
			g.mu.Unlock()
		})
	}
	wg.Wait()
}

// Trips counts the round trips so far.
func (g *Gather) Trips() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.trips
}

// gatherHost is a kits.Host for questions only.
type gatherHost struct{ g *Gather }

// Node is the node's name.
func (h gatherHost) Node() string { return h.g.node }

// Run waits until its script has come back with the others.
func (h gatherHost) Run(ctx context.Context, s kits.Script) (kits.Result, error) {
	if s.Mutates {
		return kits.Result{}, errMutates(s.Name)
	}
	w := waiter{ctx, s, make(chan reply, 1)}
	h.g.mu.Lock()
	h.g.waiting = append(h.g.waiting, w)
	h.g.busy--
	h.g.flush()
	h.g.mu.Unlock()
	select {
	case r := <-w.reply:
		return r.r, r.err
	case <-ctx.Done():
		return kits.Result{}, ctx.Err()
	}
}

type errMutates string

func (e errMutates) Error() string {
	return string(e) + " would change the node while it is only looked at; this is a defect of ferry"
}

// flush sends what has come together once nobody else seems to be coming. g.mu is held.
func (g *Gather) flush() {
	switch {
	case len(g.waiting) == 0:
		return
	case g.busy <= 0:
		g.launch()
	case g.timer == nil:
		g.timer = time.AfterFunc(patience, func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			if g.timer != nil && len(g.waiting) > 0 {
				g.launch()
			}
		})
	}
}

// launch sends all that wait. g.mu is held.
func (g *Gather) launch() {
	if g.timer != nil {
		g.timer.Stop()
		g.timer = nil
	}
	batch := g.waiting
	g.waiting = nil
	g.trips++
	go g.round(batch)
}

// round is one round trip. Answers are handed over together, so that those who ask again do so together, too.
func (g *Gather) round(batch []waiter) {
	scripts, replies := map[string]kits.Script{}, map[string]reply{}
	keys := make([]string, len(batch))
	for i, w := range batch {
		keys[i] = string(rune('a'+i/26)) + string(rune('a'+i%26))
		scripts[keys[i]] = w.script
	}
	var mu sync.Mutex
	g.send(longest(batch), scripts, func(key string, r kits.Result, err error) {
		mu.Lock()
		defer mu.Unlock()
		replies[key] = reply{r, err}
	})
	g.mu.Lock()
	g.busy += len(batch)
	g.mu.Unlock()
	mu.Lock()
	defer mu.Unlock()
	for i, w := range batch {
		w.reply <- replies[keys[i]]
	}
}

// longest is the context that ends last: one questioner's impatience must not cut the others' answers off.
func longest(batch []waiter) context.Context {
	best := batch[0].ctx
	for _, w := range batch[1:] {
		have, bound := best.Deadline()
		other, also := w.ctx.Deadline()
		if bound && (!also || other.After(have)) {
			best = w.ctx
		}
	}
	return best
}
