package monitor

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// beats runs one node's heartbeat until ctx ends. A beat is started every
// BeatEvery whether or not the last one was answered, so that a lost node is
// noticed at the N-th beat and not N deadlines later.
//
// The comm paths are probed as often, but no oftener than every calmPeers while
// every node answers: a probe costs a process per peer on each node. The first
// missed beat of any node has all the others asked at once, and at every beat from
// then on; so their N-1 looks are there when the engine's own count reaches N.
// A node that does not reach a peer goes on looking at every beat, too: what it
// said would be too old otherwise before it has said it N times.
func (m *Monitor) beats(ctx context.Context, t NodeTask, a *alarm) {
	var wg sync.WaitGroup
	defer wg.Wait()
	asking := make(chan struct{}, 3) // questions about peers under way; a dead peer takes a second
	tick := time.NewTicker(t.BeatEvery)
	defer tick.Stop()
	var asked time.Time
	var gaps atomic.Bool // its last look at its peers found a path that does not answer
	ask := func() {
		select {
		case asking <- struct{}{}:
			asked = time.Now()
			wg.Add(1)
			go func() { defer wg.Done(); m.askPeers(ctx, t, &gaps); <-asking }()
		default: // three unanswered: this node is gone or hung, its own beat tells
		}
	}
	for beat := true; ; {
		if beat {
			wg.Add(1)
			go func() { defer wg.Done(); m.beat(ctx, t, a) }()
		}
		raised := a.wait()
		if a.others(t.Node) || gaps.Load() || time.Since(asked) >= calmPeers {
			ask()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			beat = true
		case <-raised:
			beat = false
		}
	}
}

// calmPeers is how often comm paths are probed at most while every node answers.
const calmPeers = 5 * time.Second

// beat asks one node once.
func (m *Monitor) beat(ctx context.Context, t NodeTask, a *alarm) {
	limit, cancel := context.WithTimeout(ctx, t.BeatEvery)
	defer cancel()
	path, function := m.probe.Pulse(limit, t.Node)
	if ctx.Err() != nil {
		return
	}
	m.sink.Observe(policy.Beat{Node: t.Node, Path: path, Function: function})
	a.set(t.Node, !function)
}

// askPeers has the node probe its comm paths. An answer is a beat in itself: the
// node ran a script. No answer says nothing about the peers.
func (m *Monitor) askPeers(ctx context.Context, t NodeTask, gaps *atomic.Bool) {
	if len(t.Paths) == 0 {
		return
	}
	limit, cancel := context.WithTimeout(ctx, t.BeatEvery+peerGrace)
	defer cancel()
	peers, err := m.probe.Peers(limit, t.Node, t.Paths)
	if err != nil || ctx.Err() != nil {
		return
	}
	gaps.Store(anyMissing(peers))
	m.sink.Observe(policy.Beat{Node: t.Node, Path: true, Function: true, Peers: peers})
}

func anyMissing(peers map[string]map[string]kits.Outcome) bool {
	for _, paths := range peers {
		for _, o := range paths {
			if o == kits.Failed {
				return true
			}
		}
	}
	return false
}

// peerGrace is added to the beat for the question about peers, which waits one
// second for each peer that does not answer (all at the same time).
const peerGrace = 1500 * time.Millisecond
