package notify

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/follow"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
)

// The bounds of deliveries.
const (
	// QueueLength is how many messages wait for one channel; what comes then is given up.
	QueueLength = 256
	// MaxTries of one message, GiveUpAfter in all. The pauses between them double from
	// FirstPause: 2, 4, 8, 16 and 32 s, a minute in which a mail server may restart.
	MaxTries    = 6
	FirstPause  = 2 * time.Second
	GiveUpAfter = 5 * time.Minute
	// MaxAge of an event that is still told, when an engine comes back after a while.
	MaxAge = time.Hour
)

// Engine is what a Notifier needs of the engine it runs in.
type Engine interface {
	follow.Source
	Snapshot(ctx context.Context) (*api.Snapshot, error)
	// Marks reads how far every channel has got; SetMark stores it for one, durably.
	Marks(ctx context.Context) (map[string]int64, error)
	SetMark(ctx context.Context, channel string, seq int64) error
	// Announce logs an event.
	Announce(ctx context.Context, e policy.Event) error
}

// Options are what a Notifier is made of.
type Options struct {
	Say     Speaker   // nil = English
	SNS     Publisher // nil = SNS is refused
	Keepers []string  // kits whose reasons are about replicated data
	Log     *slog.Logger
}

// Notifier delivers the events of one engine.
type Notifier struct {
	eng  Engine
	opts Options

	mu       sync.Mutex
	from     origin
	channels map[string]*channel
	counts   map[string]*counts // also of channels that are gone
	muted    bool               // another engine leads
}

// Count is what became of one channel's messages since the engine began.
type Count struct {
	Sent    uint64
	Failed  uint64            // tries
	Dropped map[string]uint64 // by reason: "gave-up", "queue-full", "too-old"
	Queued  int
}

type counts struct {
	sent, failed uint64
	dropped      map[string]uint64
}

// New makes a Notifier; Run makes it work.
func New(eng Engine, o Options) *Notifier {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Say == nil {
		o.Say = inEnglish
	}
	return &Notifier{eng: eng, opts: o, channels: map[string]*channel{}, counts: map[string]*counts{}}
}

// Run delivers until ctx ends; then what is under way is broken off, and what was not
// delivered is for the next start. An error means that it could not begin.
func (n *Notifier) Run(ctx context.Context) error {
	s, err := n.eng.Snapshot(ctx)
	if err != nil {
		return err
	}
	marks, err := n.eng.Marks(ctx)
	if err != nil {
		return err
	}
	last, err := n.lastSeq(ctx)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	n.define(ctx, &wg, s, marks, last)
	begin := last
	for _, c := range n.channels {
		begin = min(begin, c.mark)
	}
	follow.Events(ctx, n.eng, begin, func(e api.Event) { n.dispatch(ctx, &wg, e) })
	return nil
}

// lastSeq is the number of the newest event.
func (n *Notifier) lastSeq(ctx context.Context) (int64, error) {
	events, err := n.eng.Events(ctx, 0, 1)
	if err != nil || len(events) == 0 {
		return 0, err
	}
	return events[len(events)-1].Seq, nil
}

// define takes the channels of a definition: those that are gone or changed end, and
// new ones begin after the number.
// The channels that begin are returned.
func (n *Notifier) define(ctx context.Context, wg *sync.WaitGroup, s *api.Snapshot, marks map[string]int64, last int64) (began []*channel) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.from = origin{engineID: s.Engine.ID, who: s.Engine.Who, say: n.opts.Say}
	wanted := map[string]hierarchy.Notify{}
	if s.Estate != nil {
		n.from.estate = s.Estate.Name
		for _, c := range s.Estate.Notify {
			wanted[c.Name] = c
		}
	}
	for name, c := range n.channels {
		if w, still := wanted[name]; still && same(c.def, w) {
			delete(wanted, name)
			continue
		}
		c.stop()
		delete(n.channels, name)
	}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		mark, known := marks[name]
		c := &channel{owner: n, def: wanted[name], mark: last, queue: make(chan Message, QueueLength), nudge: make(chan struct{}, 1)}
		if known {
			c.mark = min(mark, last)
		} else if err := n.eng.SetMark(ctx, name, last); err != nil {
			n.opts.Log.Error("how far a channel is told cannot be stored", "channel", name, "error", err)
		}
		c.send = senderOf(c.def, n.opts.SNS)
		if n.counts[name] == nil {
			n.counts[name] = &counts{dropped: map[string]uint64{}}
		}
		n.channels[name] = c
		own, stop := context.WithCancel(ctx)
		c.stop = stop
		wg.Add(1)
		go func() { defer wg.Done(); c.work(own) }()
		began = append(began, c)
	}
	return began
}

// same tells whether a channel works on as it is.
func same(a, b hierarchy.Notify) bool {
	ja, _ := api.Marshal(a)
	jb, _ := api.Marshal(b)
	return string(ja) == string(jb)
}

// redefine takes the definition that is in force now.
func (n *Notifier) redefine(ctx context.Context, wg *sync.WaitGroup, last int64) {
	s, err := n.eng.Snapshot(ctx)
	if err != nil {
		return // the engine is closing
	}
	marks, err := n.eng.Marks(ctx)
	if err != nil {
		n.opts.Log.Error("how far channels are told cannot be read", "error", err)
	}
	began := n.define(ctx, wg, s, marks, last)
	for _, c := range began { // a channel that was changed: what waited for it, or was under way
		events, err := n.eng.Events(ctx, c.mark, 0)
		if err != nil {
			n.opts.Log.Error("what a channel has not been told cannot be read", "channel", c.def.Name, "error", err)
		}
		n.mu.Lock()
		for _, e := range events {
			if e.Seq <= last {
				n.offer(c, e)
			}
		}
		n.mu.Unlock()
	}
}

// dispatch puts an event into the queues of those who want it. It waits for nobody.
func (n *Notifier) dispatch(ctx context.Context, wg *sync.WaitGroup, e api.Event) {
	if e.Kind == "definition" {
		n.redefine(ctx, wg, e.Seq-1)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.muted {
		return
	}
	n.muted = e.Reason.Code == leadLost
	for _, c := range n.channels {
		n.offer(c, e)
	}
}

// offer queues an event for a channel that wants it and has not been told. Locked.
func (n *Notifier) offer(c *channel, e api.Event) {
	kind, severity, ok := Classify(e, n.opts.Keepers)
	if !ok || e.Seq <= c.mark || !c.def.Wants(kind, severity) || e.Kind == "notification" && e.Reason.Args["channel"] == c.def.Name {
		return
	}
	if time.Since(e.At) > MaxAge {
		n.drop(c, "too-old", e.Seq)
		return
	}
	select {
	case c.queue <- n.from.compose(c.def.Name, c.def.Language, kind, severity, e):
	default:
		n.drop(c, "queue-full", e.Seq)
	}
}

// leadLost is the reason of an engine that leads no longer: it says so and is quiet from
// then on, since the one that leads tells people.
const leadLost = "lead.lost"

// drop counts a message that is given up. Locked.
func (n *Notifier) drop(c *channel, why string, seq int64) {
	n.counts[c.def.Name].dropped[why]++
	c.lost.Add(1)
	select {
	case c.nudge <- struct{}{}:
	default:
	}
	n.opts.Log.Warn("a notification is given up", "channel", c.def.Name, "event", seq, "why", why)
}

// Counts tells what became of each channel's messages.
func (n *Notifier) Counts() map[string]Count {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := map[string]Count{}
	for name, c := range n.counts {
		one := Count{Sent: c.sent, Failed: c.failed, Dropped: maps.Clone(c.dropped)}
		if ch := n.channels[name]; ch != nil {
			one.Queued = len(ch.queue)
		}
		all[name] = one
	}
	return all
}

// Idle tells that nothing waits and nothing is under way.
func (n *Notifier) Idle() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.channels {
		if len(c.queue) > 0 || c.busy.Load() {
			return false
		}
	}
	return true
}

// Test sends a test message over one channel of a definition, or over all of them (""),
// once and now, past every queue. False: there is no such channel.
func Test(ctx context.Context, s *api.Snapshot, name string, o Options) ([]api.NotifyResult, bool) {
	from := origin{engineID: s.Engine.ID, who: s.Engine.Who, say: inEnglish}
	var defs []hierarchy.Notify
	if s.Estate != nil {
		from.estate = s.Estate.Name
		for _, d := range s.Estate.Notify {
			if name == "" || d.Name == name {
				defs = append(defs, d)
			}
		}
	}
	results := make([]api.NotifyResult, len(defs))
	var wg sync.WaitGroup
	for i, d := range defs {
		wg.Go(func() {
			began := time.Now()
			err := try(ctx, d, senderOf(d, o.SNS), from.test(d.Name, cmp.Or(d.Language, "en"), began))
			results[i] = api.NotifyResult{Name: d.Name, Channel: d.Channel, OK: err == nil, Took: time.Since(began)}
			if err != nil {
				results[i].Error = clean(err.Error(), 600)
			}
		})
	}
	wg.Wait()
	return results, name == "" || len(defs) > 0
}

// Test is Test on the definition in force.
func (n *Notifier) Test(ctx context.Context, name string) ([]api.NotifyResult, bool, error) {
	s, err := n.eng.Snapshot(ctx)
	if err != nil {
		return nil, false, err
	}
	results, known := Test(ctx, s, name, n.opts)
	return results, known, nil
}
