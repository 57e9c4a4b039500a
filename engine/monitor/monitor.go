package monitor

import (
	"context"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// Path is one way from a node to a peer.
type Path struct {
	Peer string
	Name string // "default" or the declared address
	From string // source address, may be empty
	To   string // address that is probed
}

// Prober reaches nodes. Every method honours its context's deadline.
type Prober interface {
	// Pulse runs the tiny function-level script on the heartbeat channel; when it does
	// not answer, path tells whether the node's kernel still does.
	Pulse(ctx context.Context, node string) (path, function bool)
	// Peers has the node probe its comm paths: by peer, by path name.
	Peers(ctx context.Context, node string, paths []Path) (map[string]map[string]kits.Outcome, error)
	// Batch runs read-only scripts in one round trip and calls each once for every key,
	// as soon as its answer is there, one call at a time; what did not answer has an
	// error. It returns when all have been called.
	Batch(ctx context.Context, node string, scripts map[string]kits.Script, each func(key string, r kits.Result, err error))
	// Host runs scripts one at a time.
	Host(node string) kits.Host
}

// NodeTask is what there is to watch on one node.
type NodeTask struct {
	Node       string
	BeatEvery  time.Duration // LCMHBEATTIME
	CheckEvery time.Duration // LKCHECKINTERVAL
	Paths      []Path
}

// Sink takes observations; it must not block for long.
type Sink interface {
	Observe(in policy.Input)
	// ObserveCheck hands over a check's result with the time at which it began, so
	// that what was looked at before an operation ended is not believed after it.
	ObserveCheck(c policy.Checked, began time.Time)
	// Due lists what is to be checked on the node now; only narrows it when not nil.
	Due(node string, only []hierarchy.Ref) []kits.Instance
}

// Monitor watches nodes. Make one with New, give it work with Define.
type Monitor struct {
	probe Prober
	kits  kits.Registry
	sink  Sink

	mu     sync.Mutex
	stop   context.CancelFunc // ends the current generation
	closed bool
	wg     sync.WaitGroup
	checks map[string]chan []hierarchy.Ref
}

// New makes a monitor that watches nothing yet.
func New(p Prober, reg kits.Registry, s Sink) *Monitor {
	return &Monitor{probe: p, kits: reg, sink: s}
}

// Define replaces what is watched. The loops of the former definition end; their
// late answers are dropped. ctx bounds the new ones.
func (m *Monitor) Define(ctx context.Context, tasks []NodeTask) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	if m.stop != nil {
		m.stop()
	}
	gen, cancel := context.WithCancel(ctx)
	m.stop = cancel
	m.checks = map[string]chan []hierarchy.Ref{}
	a := newAlarm()
	for _, t := range tasks {
		now := make(chan []hierarchy.Ref, 64)
		m.checks[t.Node] = now
		m.wg.Add(2)
		go func() { defer m.wg.Done(); m.beats(gen, t, a) }()
		go func() { defer m.wg.Done(); m.cycles(gen, t, now) }()
	}
}

// CheckNow asks for checks out of turn. What is not watched is ignored; what does
// not fit a node's queue waits for its regular turn.
func (m *Monitor) CheckNow(refs []hierarchy.Ref) {
	byNode := map[string][]hierarchy.Ref{}
	for _, r := range refs {
		byNode[r.Node] = append(byNode[r.Node], r)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for node, rs := range byNode {
		select {
		case m.checks[node] <- rs:
		default:
		}
	}
}

// Close ends all loops and waits for them.
func (m *Monitor) Close() {
	m.mu.Lock()
	m.closed = true
	if m.stop != nil {
		m.stop()
	}
	m.mu.Unlock()
	m.wg.Wait()
}
