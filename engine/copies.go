package engine

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/engine/adopt"
	"github.com/ferry-ha/ferry/engine/fleet"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// The pauses of copying. A change that must be on the nodes at once (a definition, a
// claim) waits for none of them but the last.
const (
	copyEvery = 3 * time.Second // between two copies on one node: what changes meanwhile goes together
	copyRetry = 5 * time.Second // after one that did not arrive
	copySulk  = time.Minute     // after one that the node refused
	// copyHold keeps copies from a node on which steps of an operation run: they count
	// in the service's outage. The node itself writes its claim down in that operation.
	copyHold  = 10 * time.Second
	copyFlush = 5 * time.Second // an engine that closes takes so long at most to hand out its last copy
	copyLimit = 30 * time.Second
	// copyPress is the pause before another try while somebody waits (demand).
	copyPress = time.Second
)

// copies keeps every node supplied with the newest copy of the estate. It has one
// goroutine, and one more for each node that is just being written to; nothing of the
// engine ever waits for it.
type copies struct {
	put    func(ctx context.Context, node string, c *adopt.Copy, file []byte, forget string) (unit string, err error)
	tidy   func(ctx context.Context, node, keep string)
	away   func(node string) bool
	log    *slog.Logger
	wake   chan struct{}
	notify func(err error) // what people should know; nil = all is well

	mu     sync.Mutex
	nodes  map[string]*copyOn
	newest *adopt.Copy
	file   []byte // newest, encoded; nil = not yet
	busy   map[string]bool
	since  time.Time     // of newest
	must   int64         // somebody waits for a copy of at least this serial …
	until  time.Time     // … until then
	final  bool          // closing: no pauses any more
	over   bool          // nothing is written any more
	moved  chan struct{} // closed and replaced whenever an attempt has ended
}

// copyOn is one node's supply.
type copyOn struct {
	has       *adopt.Copy // what it is known to hold
	unit      string      // under which that was written; to be forgotten
	at        time.Time   // when
	notBefore time.Time
	failed    bool // the last attempt; cleared by a new copy
	urgent    bool // newest must be there at once
	untidy    bool // results of ended operations lie there
	going     bool
}

func newCopies(log *slog.Logger) *copies {
	return &copies{log: log, wake: make(chan struct{}, 1), nodes: map[string]*copyOn{}, moved: make(chan struct{})}
}

func (c *copies) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// offer makes a copy the newest. It keeps what it is given.
func (c *copies) offer(n *adopt.Copy, urgent bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.newest, c.file, c.since = n, nil, time.Now()
	nodes := map[string]*copyOn{}
	for i := range n.Definition.Servers {
		name := n.Definition.Servers[i].Name
		if nodes[name] = c.nodes[name]; nodes[name] == nil {
			nodes[name] = &copyOn{untidy: true} // of what a former engine left
		}
		nodes[name].urgent = nodes[name].urgent || urgent
		nodes[name].failed = false
	}
	c.nodes = nodes
	c.poke()
}

// occupy says on which nodes steps run; ended are nodes on which an operation has just
// ended: its results are forgotten there.
func (c *copies) occupy(busy map[string]bool, ended []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy = busy
	for _, name := range ended {
		if n := c.nodes[name]; n != nil {
			n.untidy = true
		}
	}
	c.poke()
}

// stop ends all writing: this engine leads no longer.
func (c *copies) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
}

// age is when the copy was made that the node is known to hold; zero = not known.
func (c *copies) age(node string) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.nodes[node]; n != nil && n.has != nil {
		return n.has.At
	}
	return time.Time{}
}

// demand has every node that holds an older copy brought up to this serial without the
// usual pauses, also where steps run, for so long.
func (c *copies) demand(serial int64, limit time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.must, c.until = max(c.must, serial), time.Now().Add(limit)
	for _, n := range c.nodes {
		if n.serial() < serial && n.failed {
			n.notBefore = time.Time{}
		}
	}
	c.poke()
}

// offered is the serial of the newest copy; 0 = there is none yet.
func (c *copies) offered() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.newest == nil {
		return 0
	}
	return c.newest.Serial
}

// held tells which nodes that answer hold a copy of at least this serial and which do
// not, leaving one out. moved is closed when that may have changed; a node that stops
// answering closes nothing.
func (c *copies) held(serial int64, but string) (holds, lack []string, moved <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, n := range c.nodes {
		switch {
		case name == but, c.away(name):
		case n.serial() >= serial:
			holds = append(holds, name)
		default:
			lack = append(lack, name)
		}
	}
	return holds, lack, c.moved
}

// pressed tells that somebody waits for what the node does not hold yet. mu is held.
func (c *copies) pressed(n *copyOn, now time.Time) bool {
	return n.serial() < c.must && now.Before(c.until)
}

// serial is that of the copy it is known to hold; 0 = not known.
func (n *copyOn) serial() int64 {
	if n.has == nil {
		return 0
	}
	return n.has.Serial
}

// run supplies the nodes until ctx ends, and then waits for what it began.
func (c *copies) run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		case <-timer.C:
		}
		next := c.start(ctx, &wg)
		if next > 0 {
			timer.Reset(next)
		}
	}
}

// start begins what is due and tells when to look again; 0 = when woken.
func (c *copies) start(ctx context.Context, wg *sync.WaitGroup) (next time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for name, n := range c.nodes {
		wait, due := c.due(name, n, now)
		switch {
		case !due:
		case wait > 0:
			if next == 0 || wait < next {
				next = wait
			}
		default:
			n.going = true
			wg.Add(1)
			go func() { defer wg.Done(); c.serve(ctx, name) }()
		}
	}
	return next
}

// due tells whether something is to be done for a node, and how long that has to wait. mu is held.
func (c *copies) due(name string, n *copyOn, now time.Time) (wait time.Duration, due bool) {
	lacks := c.newest != nil && !c.over && n.has != c.newest
	if n.going || !lacks && !c.tidies(name, n) {
		return 0, false
	}
	if c.away(name) {
		return copyRetry, true // a heartbeat will find it first
	}
	if c.final {
		return 0, !n.failed && lacks
	}
	wait = n.notBefore.Sub(now)
	if c.pressed(n, now) {
		return max(wait, 0), true
	}
	if !lacks || !n.urgent {
		wait = max(wait, n.at.Add(copyEvery).Sub(now))
	}
	if c.busy[name] {
		wait = max(wait, c.since.Add(copyHold).Sub(now))
	}
	return max(wait, 0), true
}

// tidies tells whether old results are to be forgotten now: not while steps run there.
func (c *copies) tidies(name string, n *copyOn) bool { return n.untidy && !c.busy[name] && !c.final }

// serve writes the newest copy to a node and tidies up there.
func (c *copies) serve(ctx context.Context, name string) {
	c.mu.Lock()
	n, copy := c.nodes[name], c.newest
	if n == nil {
		c.mu.Unlock()
		return
	}
	lacks, untidy, forget := copy != nil && !c.over && n.has != copy, c.tidies(name, n), n.unit
	n.urgent, n.untidy = false, n.untidy && !untidy
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, copyLimit)
	defer cancel()
	var unit string
	var err error
	if lacks {
		unit, err = c.write(ctx, name, copy, forget)
	}
	if untidy && err == nil {
		c.tidy(ctx, name, cmp.Or(unit, forget))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	n.going = false
	if lacks {
		n.ended(copy, unit, err, time.Now())
		if now := time.Now(); err != nil && c.pressed(n, now) {
			n.notBefore = now.Add(copyPress)
		}
	}
	close(c.moved)
	c.moved = make(chan struct{})
	c.poke()
}

// write encodes the copy when nobody has yet, and puts it on the node.
func (c *copies) write(ctx context.Context, name string, n *adopt.Copy, forget string) (unit string, err error) {
	c.mu.Lock()
	file := c.file
	if c.newest != n {
		file = nil
	}
	c.mu.Unlock()
	if file == nil {
		if file, err = n.Encode(); err != nil {
			c.notify(err)
			return "", err
		}
		c.notify(nil)
		c.mu.Lock()
		if c.newest == n {
			c.file = file
		}
		c.mu.Unlock()
	}
	if unit, err = c.put(ctx, name, n, file, forget); err != nil {
		c.log.Debug("copy", "node", name, "error", err)
	}
	return unit, err
}

// ended notes how an attempt went. The copies' mu is held.
func (n *copyOn) ended(copy *adopt.Copy, unit string, err error, now time.Time) {
	switch {
	case err == nil:
		n.has, n.unit, n.at, n.failed, n.notBefore = copy, unit, now, false, time.Time{}
	case errors.Is(err, fleet.ErrRefused), errors.Is(err, fleet.ErrNewerCopy):
		n.notBefore, n.failed = now.Add(copySulk), true
	default:
		n.notBefore, n.failed = now.Add(copyRetry), true
	}
}

// flush hands the newest copy to every node that answers, within copyFlush.
func (c *copies) flush() {
	limit := time.NewTimer(copyFlush)
	defer limit.Stop()
	for {
		c.mu.Lock()
		c.final = true
		open, moved := c.open(), c.moved
		c.mu.Unlock()
		if !open {
			return
		}
		c.poke()
		select {
		case <-moved:
		case <-limit.C:
			return
		}
	}
}

// open tells whether a node that answers still lacks the newest copy. mu is held.
func (c *copies) open() bool {
	for name, n := range c.nodes {
		if n.going || c.newest != nil && !c.over && n.has != c.newest && !n.failed && !c.away(name) {
			return true
		}
	}
	return false
}

// What the engine puts into them.

// keep takes what an entity has become into the next copy; it tells whether that
// changes it, and whether nodes must have it at once. Loop only.
func (e *Engine) keep(c policy.Entity) (changed, urgent bool) {
	if c.Deleted || !adopt.Kept(c.Key, c.Value) {
		_, had := e.kept[c.Key]
		delete(e.kept, c.Key)
		return had, had && adopt.Urgent(c.Key)
	}
	was := e.kept[c.Key]
	same := string(was) == string(c.Value)
	e.kept[c.Key] = c.Value
	// Its counter goes along with other changes: it alone is no reason for a copy.
	return !same && c.Key != "meta", !same && adopt.Urgent(c.Key) && !onlyImpaired(c.Key, was, c.Value)
}

// onlyImpaired tells that of a Keeper's entity only what people are shown has changed.
func onlyImpaired(key string, was, is []byte) bool {
	var a, b policy.Keep
	return strings.HasPrefix(key, "keep/") && json.Unmarshal(was, &a) == nil && json.Unmarshal(is, &b) == nil && a.Serial == b.Serial
}

// copy follows a commit: what nodes have to know goes out to them. Loop only.
func (e *Engine) copy(rev int64, changes []policy.Entity, m message) {
	e.rev = rev
	_, urgent := m.in.(policy.Define)
	changed, ops := urgent, false
	for _, c := range changes {
		ch, u := e.keep(c)
		changed, urgent = changed || ch, urgent || u
		ops = ops || strings.HasPrefix(c.Key, "op/")
	}
	if ops {
		end, _ := m.in.(policy.OpEnded)
		e.occupied(end.Op)
	}
	if changed {
		e.offer(rev, urgent)
	}
}

// offer hands out a copy of what the store holds at a revision. Loop only.
func (e *Engine) offer(rev int64, urgent bool) {
	def := e.world.Estate
	if def.Name == "" || e.lost.Load() != nil {
		return
	}
	e.copies.offer(&adopt.Copy{
		Version: adopt.Version, Estate: e.estateID, Engine: e.id, Epoch: e.epoch(), Serial: rev, At: time.Now().UTC().Truncate(time.Millisecond),
		Who: e.opts.Who, Since: e.since.UTC().Truncate(time.Second), Definition: withoutSecrets(def, e.opts.Kits), Entities: maps.Clone(e.kept),
	}, urgent)
}

// withoutSecrets leaves the fields out that hold secrets, and what is unchanged shared.
func withoutSecrets(def *hierarchy.Estate, reg kits.Registry) *hierarchy.Estate {
	secret := map[string][]string{}
	for name, k := range reg {
		for _, f := range k.Fields() {
			if f.Kind == kits.KindSecret {
				secret[name] = append(secret[name], f.Name)
			}
		}
	}
	if len(secret) == 0 {
		return def
	}
	out := copyEstate(def)
	for i := range out.Res {
		r := &out.Res[i]
		for _, f := range secret[r.Kit] {
			delete(r.Attrs, f)
			for k := range r.On {
				delete(r.On[k].Attrs, f)
			}
		}
	}
	return out
}

// startCopies joins them to the fleet.
func (e *Engine) startCopies() {
	c := newCopies(e.log)
	c.away = func(node string) bool { return e.fleet.Trouble(node) != nil }
	c.put = e.putCopy
	c.tidy = e.forgetUnits
	c.notify = func(err error) {
		text := ""
		if err != nil {
			text = "the nodes get no copy of the estate, so it would be lost with this engine's disk: " + err.Error()
		}
		e.copyNotice.Store(&text)
	}
	e.copies = c
	e.spawn(func() { c.run(e.ctx) })
}

// putCopy writes one copy on one node, under a name that no other attempt has.
func (e *Engine) putCopy(ctx context.Context, node string, c *adopt.Copy, file []byte, forget string) (unit string, err error) {
	unit = fmt.Sprintf("ferry-copy-%s-%s", e.id, newID())
	var old []string
	if forget != "" {
		old = append(old, forget)
	}
	return unit, e.fleet.PutCopy(ctx, node, unit, c.Epoch, c.Serial, file, old...)
}

// forgetUnits makes a node forget what this engine's ended operations left in its
// memory. Their ends are in the store: nobody will ask for these results again.
func (e *Engine) forgetUnits(ctx context.Context, node, keep string) {
	var running []string
	if e.look(func() {
		for id := range e.running {
			running = append(running, unitPrefix(e.id, id))
		}
		for _, k := range e.keepers {
			running = append(running, k.units()...)
		}
		for id, op := range e.world.Ops {
			if op.Outcome == policy.OpRunning {
				running = append(running, unitPrefix(e.id, id))
			}
		}
	}) != nil {
		return
	}
	_, err := e.fleet.Forget(ctx, node, func(unit string) bool {
		if strings.HasPrefix(unit, "ferry-copy-"+e.id) {
			return unit != keep // that one goes with the next copy
		}
		for _, p := range running {
			if strings.HasPrefix(unit, p) {
				return false
			}
		}
		return strings.HasPrefix(unit, "ferry-"+e.id+"-")
	})
	if err != nil {
		e.log.Debug("forgetting results", "node", node, "error", err)
	}
}

// occupied tells the copies where steps run. Loop only.
func (e *Engine) occupied(ended string) {
	busy := map[string]bool{}
	var free []string
	for id, op := range e.world.Ops {
		if op.Outcome != policy.OpRunning && id != ended {
			continue
		}
		for _, s := range op.Plan.Steps {
			if id == ended {
				free = append(free, s.Node)
			} else {
				busy[s.Node] = true
			}
		}
	}
	e.copies.occupy(busy, free)
}
