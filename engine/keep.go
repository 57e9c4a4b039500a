package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// The engine's side of kits.Keeper: a resource whose kit keeps a record of its data.
//
//   - The record is an entity of the world (policy.Keep). It is stored like every state,
//     and goes out to all nodes with an urgent copy.
//   - A pulse is run on each of its nodes with every heartbeat, on a shell of its own
//     (keep_round.go). The kit judges the answers, without any waiting.
//   - What the kit wants done then, and every start (keep_start.go), begins only when the
//     record it rests on is durable: in the store, and on every other node that answers
//     (durable, below). Whoever promotes later, this engine or one that adopts the
//     estate, finds it.
//   - Tasks run beside operations, under locks of their own (keep_task.go).
//
// An engine without automation hears the pulses and writes the record: those are facts. It
// begins tasks only for hierarchies on which it carries out, or has carried out, what a
// person asked for: a console that was opened to look changes nothing on a node, and one
// that moves a mirror must be able to finish that. Until then a source that waits for an
// exclusion waits on; that is safe. Maintenance holds stop no tasks: they move nothing.

// keptNow is a record in force, for those who are not in the loop.
type keptNow struct {
	policy.Keep
	rev int64 // of the store, when Record was last written
}

// keptRecords are the records in force, by resource. What it points to is never changed.
type keptRecords struct {
	p atomic.Pointer[map[hierarchy.Tag]keptNow]
}

func (k *keptRecords) get(t hierarchy.Tag) keptNow {
	if m := k.p.Load(); m != nil {
		return (*m)[t]
	}
	return keptNow{}
}

// load takes all of them from a world that was read at a revision.
func (k *keptRecords) load(w *policy.World, rev int64) {
	m := make(map[hierarchy.Tag]keptNow, len(w.Keeps))
	for t, keep := range w.Keeps {
		m[t] = keptNow{*keep, rev}
	}
	k.p.Store(&m)
}

// showKeeps publishes the records that a commit changed. What runs for a node that is the
// source no longer is cut short. Loop only.
func (e *Engine) showKeeps(rev int64, changes []policy.Entity, in policy.Input) {
	_, promoted := in.(policy.Promoted)
	var m map[hierarchy.Tag]keptNow
	for _, c := range changes {
		name, ok := strings.CutPrefix(c.Key, "keep/")
		if !ok {
			continue
		}
		if m == nil {
			m = maps.Clone(*e.records.p.Load())
		}
		t := hierarchy.Tag(name)
		was, keep := m[t], e.world.Keeps[t]
		switch {
		case keep == nil:
			delete(m, t)
			continue
		case was.Serial == keep.Serial:
			m[t] = keptNow{*keep, was.rev}
			continue
		}
		m[t] = keptNow{*keep, rev}
		if k := e.keepers[t]; k != nil && promoted {
			k.moved(keep.Serial)
		}
	}
	if m != nil {
		e.records.p.Store(&m)
	}
}

// withRecord completes an instance by what is kept of its resource.
func (e *Engine) withRecord(in kits.Instance) kits.Instance {
	now := e.records.get(hierarchy.Tag(in.Tag))
	in.Record, in.Doubtful = now.Record, now.Doubtful
	return in
}

// defineKeepers begins and ends the rounds of resources as a definition has them. Loop
// only (and once before the loop runs).
func (e *Engine) defineKeepers(x *hierarchy.Index) {
	for t, k := range e.keepers {
		if r := x.Resource(t); r == nil || e.opts.Kits[r.Kit] != k.kit {
			k.stop()
			delete(e.keepers, t)
			e.quiet.Delete(t)
		}
	}
	for i := range x.Estate().Res {
		r := &x.Estate().Res[i]
		kit := e.opts.Kits[r.Kit]
		if _, keeps := kit.(kits.Keeper); !keeps || e.keepers[r.Tag] != nil {
			continue
		}
		k := newKeeper(e, r.Tag, kit)
		e.keepers[r.Tag] = k
		e.spawn(k.run)
	}
}

const (
	// durableLimit bounds waiting for the nodes' copies of a record.
	durableLimit = 10 * time.Second
	// durableQuiet is how long those are waited for that did not answer their last pulse: a
	// heartbeat may not have told yet that they are gone.
	durableQuiet = 2 * time.Second
)

// errNotDurable: a record is not yet where whoever promotes would look.
var errNotDurable = errors.New("the record is not on the other nodes yet")

// durable waits until the record in force of a resource, which the store holds, is on
// every node that answers, but for one: whom the record is about, who may be half gone. A
// node that does not answer is not waited for (for durableQuiet, while that is not sure). One that answers and does not take it (a
// full disk) is tried again and again; when it has not within durableLimit, one other node
// that has it is enough: an estate adopted from the old copy is in doubt in any case, and
// the data must not stand still for ever because of a third node's disk.
func (e *Engine) durable(ctx context.Context, t hierarchy.Tag, but string) error {
	rev := e.records.get(t).rev
	if e.copies.offered() < rev {
		if err := e.look(func() { e.offer(e.rev, true) }); err != nil {
			return err
		}
	}
	e.copies.demand(rev, durableLimit)
	began := time.Now()
	limit, cancel := context.WithTimeout(ctx, durableLimit)
	defer cancel()
	poll := time.NewTicker(200 * time.Millisecond) // a node that stops answering wakes nobody
	defer poll.Stop()
	for {
		holds, lack, moved := e.copies.held(rev, but)
		lack = slices.DeleteFunc(lack, func(n string) bool {
			return e.index.Load().ClusterOf(n) == nil || time.Since(began) >= durableQuiet && e.isQuiet(t, n)
		})
		switch {
		case len(lack) == 0:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case limit.Err() != nil && len(holds) > 0:
			slices.Sort(lack)
			e.log.Warn("a record is not on all nodes", "resource", string(t), "lacking", strings.Join(lack, ", "))
			return nil
		case limit.Err() != nil:
			slices.Sort(lack)
			return fmt.Errorf("%w: %s did not take it; is the disk full there?", errNotDurable, strings.Join(lack, ", "))
		}
		select {
		case <-moved:
		case <-poll.C:
		case <-limit.Done():
		}
	}
}

// isQuiet tells that a node did not answer the last pulse of a resource.
func (e *Engine) isQuiet(t hierarchy.Tag, node string) bool {
	q, ok := e.quiet.Load(t)
	return ok && q.(map[string]bool)[node]
}

// errStale: the record has changed since.
var errStale = errors.New("the record has changed meanwhile")

// mayKeep tells whether this engine may write the record that was made from one with this
// serial. Loop only.
func (e *Engine) mayKeep(t hierarchy.Tag, serial uint64) error {
	switch lost := e.lost.Load(); {
	case lost != nil:
		return lost
	case e.stranger() != nil:
		return e.stranger()
	case e.world.KeepSerial(t) != serial:
		return errStale
	}
	return nil
}

// sameRecord compares a kit's record with one in force.
func sameRecord(kits, inForce []byte) (same, valid bool) {
	c, ok := policy.Canonical(kits)
	return ok && bytes.Equal(c, inForce), ok
}
