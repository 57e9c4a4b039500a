package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/boottime"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// keeper hears the pulses of one resource and has its tasks done. It is made when the
// resource is defined and stopped when that is gone, or when another engine leads.
type keeper struct {
	e    *Engine
	tag  hierarchy.Tag
	kit  kits.Kit // a kits.Keeper, too
	ctx  context.Context
	stop context.CancelFunc
	wake chan struct{} // a round at once

	mu     sync.Mutex
	asking map[string]bool     // nodes whose last pulse is unanswered
	silent map[string]silence  // nodes that did not answer their last pulses
	want   *wanted             // what the last round asked for
	tasks  map[string]*keepJob // by the node that they concern
	wished []wish              // what people ordered, and is not done yet
	waits  bool                // somebody waits for the record to be durable
	live   map[string]map[string]string
	heard  time.Time // when live was true
	bad    string    // the defect last logged
}

const (
	// pulseMost bounds a round of pulses whatever the heartbeat's interval is.
	pulseMost = 5 * time.Second
	// pulseGrace is how long the others are waited for once the node in service has answered.
	pulseGrace = time.Second
	// pulseTries is how often in a row a node may leave its pulses unanswered, while its
	// heartbeats are well, before it is asked less often: what hangs there must not pile up.
	pulseTries = 3
	pulseRare  = 15 * time.Second
	// pulseIdle is the pause while there is nothing to hear: this engine does not lead, or
	// cannot write.
	pulseIdle = time.Second
	// pulseSlack is how late a round may end by the clock that counts the machine's sleep.
	pulseSlack = 5 * time.Second
)

func newKeeper(e *Engine, t hierarchy.Tag, kit kits.Kit) *keeper {
	k := &keeper{e: e, tag: t, kit: kit, wake: make(chan struct{}, 1), asking: map[string]bool{}, silent: map[string]silence{}, tasks: map[string]*keepJob{}}
	k.ctx, k.stop = context.WithCancel(e.act)
	return k
}

func (k *keeper) keeps() kits.Keeper { return k.kit.(kits.Keeper) }

// again asks for a round at once.
func (k *keeper) again() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// run makes a round with every heartbeat until the keeper is stopped.
func (k *keeper) run() {
	for {
		next := time.NewTimer(k.round())
		select {
		case <-k.ctx.Done():
			next.Stop()
			return
		case <-next.C:
		case <-k.wake:
			next.Stop()
		}
	}
}

// base is what a round rests on.
type base struct {
	in      kits.Instance   // for Keep
	on      []kits.Instance // for the pulses, by priority
	keep    keptNow
	every   time.Duration
	reached map[string]bool
	began   time.Time
	stamp   boottime.Stamp
	jumps   int64
}

// round hears the nodes once and does what follows. It returns how long to wait before
// the next one.
func (k *keeper) round() time.Duration {
	b, ok := k.begin()
	if !ok {
		return pulseIdle
	}
	limit := min(b.every, pulseMost)
	heard := k.pulses(b, limit)
	quiet := map[string]bool{}
	for node, p := range heard {
		quiet[node] = p.Err != nil
		b.in.Reached[node] = p.Err == nil || b.reached[node] && k.e.fleet.Trouble(node) == nil
	}
	now := time.Now()
	if k.ctx.Err() != nil || k.void(b, now, limit) {
		return 0
	}
	k.e.quiet.Store(k.tag, quiet)
	// Judged as of the first question: what was heard may be as old as that, and a copy's age is told from it. By the end of
	// the round more may have been written than the copy has.
	kept := k.keeps().Keep(b.in, heard, b.began)
	if k.put(b, kept) {
		k.show(kept, now)
		k.ask(b, kept)
	}
	return max(0, b.every-time.Since(b.began))
}

// begin takes what a round rests on from the loop; false when there is to be none.
func (k *keeper) begin() (b base, ok bool) {
	e := k.e
	err := e.look(func() {
		x := e.index.Load()
		placed := x.PlacementsByPriority(k.tag)
		if len(placed) == 0 || e.lost.Load() != nil || e.stranger() != nil || e.broken != nil {
			return
		}
		b = base{keep: e.records.get(k.tag), reached: map[string]bool{}, began: time.Now(), stamp: e.clock.Now(), jumps: e.jumps.Load()}
		for _, p := range placed {
			b.on = append(b.on, e.instance(k.tag, p.Server))
			b.reached[p.Server] = e.world.Reached(p.Server)
			if every := x.Seconds(p.Server, hierarchy.LCMHBeatTime); b.every == 0 || every < b.every {
				b.every = every
			}
		}
		b.in = b.on[0]
		for _, in := range b.on {
			if in.Node.Name == in.Active {
				b.in = in
			}
		}
		b.in.Reached = map[string]bool{}
		ok = true
	})
	return b, ok && err == nil
}

// void tells that the clock or this machine's sleep came in between: what was heard may be
// from before it.
func (k *keeper) void(b base, now time.Time, limit time.Duration) bool {
	wall := now.Round(0).Sub(b.began.Round(0))
	return k.e.jumps.Load() != b.jumps || wall < -jumpLimit || wall > limit+jumpLimit || k.e.clock.Since(b.stamp) > limit+pulseSlack
}

type pulseSaid struct {
	node string
	p    kits.Pulse
}

// pulses asks all nodes at the same time, within the limit, and shorter once the node in
// service has answered. An answer that comes later is for nobody: it would be about a time
// before what follows from this round. A node whose last pulse is unanswered is not
// asked again before that has ended.
func (k *keeper) pulses(b base, limit time.Duration) map[string]kits.Pulse {
	heard := map[string]kits.Pulse{}
	answers := make(chan pulseSaid, len(b.on))
	open := 0
	for _, in := range b.on {
		node := in.Node.Name
		heard[node] = kits.Pulse{Err: fmt.Errorf("%s did not answer its pulse in time", node)}
		if err := k.e.fleet.Trouble(node); err != nil {
			heard[node] = kits.Pulse{Err: err}
			continue
		}
		if !k.free(node) {
			heard[node] = kits.Pulse{Err: fmt.Errorf("earlier pulses on %s are unanswered", node)}
			continue
		}
		open++
		s := k.keeps().Pulse(in)
		if s.Deadline == 0 || s.Deadline > limit {
			s.Deadline = limit
		}
		k.e.spawn(func() {
			ctx, cancel := context.WithTimeout(k.ctx, s.Deadline+pulseGrace)
			defer cancel()
			res, err := k.e.fleet.Glance(ctx, node, s)
			k.answered(node, err == nil)
			answers <- pulseSaid{node, kits.Pulse{Result: res, Err: err}}
		})
	}
	end := time.NewTimer(limit)
	defer end.Stop()
	for open > 0 {
		select {
		case a := <-answers:
			open--
			heard[a.node] = a.p
			if left := limit - time.Since(b.began); a.node == b.in.Active && left > pulseGrace {
				end.Reset(pulseGrace)
			}
		case <-end.C:
			return heard
		case <-k.ctx.Done():
			return heard
		}
	}
	return heard
}

// silence is how a node fails to answer.
type silence struct {
	times int // in a row
	until time.Time
}

// free takes the node's turn; false when its last pulse has not ended, or when it has left
// so many unanswered that it is to be left alone for a while.
func (k *keeper) free(node string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.asking[node] || time.Now().Before(k.silent[node].until) {
		return false
	}
	k.asking[node] = true
	return true
}

func (k *keeper) answered(node string, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.asking, node)
	s := k.silent[node]
	if s.times++; s.times >= pulseTries {
		s.until = time.Now().Add(min(time.Second<<min(s.times-pulseTries, 4), pulseRare))
	}
	if k.silent[node] = s; ok || k.e.fleet.Trouble(node) != nil {
		delete(k.silent, node) // one that is away is not asked, and counts anew
	}
}

// put stores what the judgement changes. It gives false when nothing may rest on the
// judgement: the record is another one by now, or could not be stored.
func (k *keeper) put(b base, kept kits.Kept) bool {
	same, valid := sameRecord(kept.Record, b.keep.Record)
	if !valid {
		k.defect("a record that is not JSON was not taken")
		return false
	}
	doubtless := kept.Proven && b.keep.Doubtful
	if same && !doubtless && kept.Impaired.Code == b.keep.Impaired.Code && kept.Impaired.Text == b.keep.Impaired.Text {
		return k.e.records.get(k.tag).Serial == b.keep.Serial
	}
	in := policy.Kept{Tag: k.tag, Serial: b.keep.Serial, Record: kept.Record, Proven: kept.Proven, Impaired: kept.Impaired, Notes: kept.Notes}
	_, err := k.e.ask(k.ctx, message{in: in, only: func() error {
		if k.e.jumps.Load() != b.jumps {
			return errStale
		}
		return k.e.mayKeep(k.tag, b.keep.Serial)
	}})
	if err != nil && !errors.Is(err, errStale) && k.ctx.Err() == nil {
		k.e.log.Warn("a record was not written", "resource", string(k.tag), "error", err)
	}
	if err != nil {
		return false
	}
	is, _ := sameRecord(kept.Record, k.e.records.get(k.tag).Record)
	return is
}

// defect logs what a kit may not do, once.
func (k *keeper) defect(text string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.bad != text {
		k.bad = text
		k.e.log.Error("a defect of the kit", "resource", string(k.tag), "error", text)
	}
}

// show keeps what a panel is to say; watchers look again when that changes.
func (k *keeper) show(kept kits.Kept, now time.Time) {
	k.mu.Lock()
	changed := !maps.EqualFunc(k.live, kept.Live, func(a, b map[string]string) bool { return maps.Equal(a, b) })
	k.live, k.heard = kept.Live, now
	k.mu.Unlock()
	if changed {
		k.e.feed.publish(0, nil)
	}
}

// status is what the snapshot says of the resource's data. Loop only.
func (k *keeper) status() *api.DataStatus {
	keep := k.e.records.get(k.tag)
	s := &api.DataStatus{Recorded: keep.At, Doubtful: keep.Doubtful, Impaired: keep.Impaired}
	k.mu.Lock()
	defer k.mu.Unlock()
	s.Heard = k.heard
	for node, live := range k.live { // the kit may go on using its own map
		if s.Nodes == nil {
			s.Nodes = map[string]map[string]string{}
		}
		s.Nodes[node] = maps.Clone(live)
	}
	s.Tasks = k.taskStatus()
	return s
}
