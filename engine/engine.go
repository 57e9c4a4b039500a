package engine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/boottime"
	"github.com/ferry-ha/ferry/engine/fleet"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/monitor"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/runner"
	"github.com/ferry-ha/ferry/engine/store"
	"github.com/ferry-ha/ferry/kits"
)

// Cloud is what the engine itself asks of the cloud; kits have ports of their own.
type Cloud interface {
	// InstanceState gives EC2's word ("running", "stopped", …). An error means that
	// EC2 could not be asked; it is never a statement about the instance.
	InstanceState(ctx context.Context, region, instance string) (string, error)
	// Stop pulls an instance's plug and waits until EC2 says that it is stopped: then
	// nil. An error means that it is not known to be. It may be done twice.
	Stop(ctx context.Context, region, instance string) error
}

// Options say what an engine is made of.
type Options struct {
	Store store.Store // taken over: Close closes it
	Kits  kits.Registry
	Nodes fleet.Dialer // how nodes are reached; nil = real SSH
	Cloud Cloud        // nil = EC2 is never asked
	Who   string       // the leader's name as people read it: user@host
	// Automation: start recoveries and failovers. Without it the engine observes and
	// does what people ask.
	Automation bool
	Version    string
	Log        *slog.Logger
	// Clock counts the machine's sleep; nil is the machine's own.
	Clock boottime.Clock
	// Here tells whether an address is this machine's, which is never fenced; nil looks
	// at the network interfaces.
	Here func(address string) bool
}

// Engine watches one estate. Make one with Open.
type Engine struct {
	opts  Options
	log   *slog.Logger
	id    string // this engine's id, kept in the store
	term  store.Term
	since time.Time

	in     chan message
	ctx    context.Context // the engine's own lifetime, not a caller's
	cancel context.CancelFunc
	wg     sync.WaitGroup

	fleet   *fleet.Fleet
	monitor *monitor.Monitor
	runner  *runner.Runner
	feed    *feed
	index   atomic.Pointer[hierarchy.Index]
	notice  atomic.Pointer[string]

	copies     *copies
	tally      tally
	clock      boottime.Clock
	base       uint64                    // the highest epoch seen when the estate was adopted
	lost       atomic.Pointer[api.Error] // another engine leads: nothing is done any more
	copyNotice atomic.Pointer[string]
	quiet      sync.Map        // by tag: the nodes that did not answer their last pulse
	records    keptRecords     // what Keepers have on record
	jumps      atomic.Int64    // gaps of the clock so far
	claimed    sync.Map        // "op@node" → boottime.Stamp: when the node let a claim of it through
	act        context.Context // operations run under it; ends when another engine leads
	stopActing context.CancelFunc

	// Owned by the loop goroutine.
	world    *policy.World
	journals map[string]*runner.Journal
	running  map[string]bool
	gone     goneNodes
	keepers  map[hierarchy.Tag]*keeper
	acted    map[hierarchy.Tag]bool // what a person had this engine move
	opEnd    map[hierarchy.Ref]time.Time
	hooking  map[string]bool   // nodes whose stop hook is being seen to
	resumed  time.Time         // when open operations were last looked for
	leaving  map[string]*leave // nodes in a shutdown in good order
	lastTick time.Time
	seq      int64
	broken   error // the store refused; read back before going on
	estateID string
	rev      int64                      // of the last commit
	kept     map[string]json.RawMessage // what copies hold of the policy's entities
	// strangers are nodes that belong to another estate, friends those that obey us.
	strangers map[string]fleet.Leader
	friends   map[string]bool
	lastStamp boottime.Stamp
}

var _ api.Service = (*Engine)(nil)

// Open takes the store's leadership, loads what it holds and starts watching.
// store.ErrNotLeader (as *store.LedError) when another engine leads.
func Open(ctx context.Context, o Options) (*Engine, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Here == nil {
		o.Here = ownAddress
	}
	if o.Clock == nil {
		o.Clock = boottime.System
	}
	e := &Engine{opts: o, log: o.Log, in: make(chan message, 256), feed: newFeed(),
		running: map[string]bool{}, opEnd: map[hierarchy.Ref]time.Time{}, leaving: map[string]*leave{}, hooking: map[string]bool{}, since: time.Now(),
		keepers: map[hierarchy.Tag]*keeper{}, acted: map[hierarchy.Tag]bool{},
		clock: o.Clock, strangers: map[string]fleet.Leader{}, friends: map[string]bool{}}
	term, err := o.Store.Lead(ctx, o.Who)
	if err != nil {
		return nil, fmt.Errorf("taking the lead: %w", err)
	}
	e.term = term
	if err := e.load(ctx); err != nil {
		return nil, err
	}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	e.fleet = fleet.New(o.Nodes, e.nodeStops, o.Log)
	e.fleet.OnRestart(func(node string) { e.spawn(func() { e.readRecord(node) }) })
	e.monitor = monitor.New(timed{e.fleet, &e.tally}, o.Kits, (*sink)(e))
	e.runner = runner.New((*doer)(e), (*recorder)(e), e.undo)
	e.takeLead()
	e.redefine()
	e.wg.Add(1)
	go func() { defer e.wg.Done(); e.loop() }()
	e.look(e.automate)
	e.look(e.resumeOps)
	return e, nil
}

// Close ends watching and acting. Operations under way stay open in the store:
// the next engine resumes them. The store is closed too.
func (e *Engine) Close() error {
	e.copies.flush()
	e.cancel()
	e.monitor.Close()
	e.wg.Wait()
	e.feed.close()
	e.fleet.Close()
	return e.opts.Store.Close()
}

// newID makes an id of 16 hexadecimal digits.
func newID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails, says crypto/rand
	return hex.EncodeToString(b[:])
}
