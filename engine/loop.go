package engine

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/runner"
	"github.com/ferry-ha/ferry/engine/store"
)

// message is one thing for the loop: an input for the policy, or a function that
// looks at the world.
type message struct {
	in      policy.Input
	began   time.Time       // checks: when it began
	journal *runner.Journal // stored in the same transaction
	extra   []store.KV      // stored in the same transaction
	look    func()
	// only is asked right before the input takes effect; its error is the answer then,
	// and nothing happens.
	only  func() error
	reply chan<- answer
}

// answer is what came of a message.
type answer struct {
	outs []policy.Output
	err  error
}

const (
	tickEvery = 250 * time.Millisecond
	// jumpLimit: a gap between the wall clock and the monotonic one beyond this voids
	// all observations; so does a tick that comes this late (the machine slept).
	jumpLimit = 30 * time.Second
	// resumeEvery is how often operations are looked for that nobody carries out.
	resumeEvery = 5 * time.Second
)

// loop owns the world until the engine's context ends.
func (e *Engine) loop() {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	e.lastTick, e.lastStamp = time.Now(), e.clock.Now()
	for {
		select {
		case <-e.ctx.Done():
			return
		case m := <-e.in:
			e.handle(m)
		case <-tick.C:
			e.watchClock()
			e.handle(message{in: policy.Tick{}})
			e.letNodesStop()
			if e.broken == nil && time.Since(e.resumed) >= resumeEvery {
				e.resumed = time.Now()
				e.resumeOps() // one whose runner could not write is left open until somebody goes on with it
			}
		}
	}
}

// watchClock notices that the wall clock jumped or that the machine slept.
func (e *Engine) watchClock() {
	now := time.Now()
	wall := now.Round(0).Sub(e.lastTick.Round(0))
	if slept := e.clock.Since(e.lastStamp); slept > jumpLimit || wall > jumpLimit || wall < -jumpLimit {
		e.jumps.Add(1)
		e.handle(message{in: policy.ClockJump{Gap: wall}})
		e.lookForLeaders() // somebody may have adopted the estate meanwhile
	}
	e.lastTick, e.lastStamp = now, e.clock.Now()
}

// handle lets one message take its whole effect.
func (e *Engine) handle(m message) {
	if m.look != nil {
		m.look()
		m.answer(nil, nil)
		return
	}
	if e.broken != nil && !e.mend() {
		m.answer(nil, e.broken)
		return
	}
	if c, ok := m.in.(policy.Checked); ok && m.began.Before(e.opEnd[c.Ref]) {
		return // looked at before an operation changed it
	}
	if err := e.refuses(m.in); err != nil {
		m.answer(nil, err)
		return
	}
	if m.only != nil {
		if err := m.only(); err != nil {
			m.answer(nil, err)
			return
		}
	}
	now := time.Now()
	e.before(m.in, now)
	outs := e.world.Step(now, m.in)
	if err := e.commit(outs, m); err != nil {
		e.fail(err)
		m.answer(nil, err)
		return
	}
	m.answer(outs, nil)
	e.carry(outs)
	e.after(m.in)
}

func (m message) answer(outs []policy.Output, err error) {
	if m.reply != nil {
		m.reply <- answer{outs, err}
	}
}

// before notes what later messages are judged by.
func (e *Engine) before(in policy.Input, now time.Time) {
	end, ok := in.(policy.OpEnded)
	if !ok {
		return
	}
	if op := e.world.Ops[end.Op]; op != nil {
		for _, s := range op.Plan.Steps {
			if s.Tag != "" {
				e.opEnd[refOf(s.Tag, s.Node)] = now
			}
		}
	}
}

// commit stores everything that follows from one input, or nothing.
func (e *Engine) commit(outs []policy.Output, m message) error {
	j := m.journal
	t := store.Txn{Term: e.term, Puts: m.extra}
	changes := e.world.TakeChanges()
	for _, c := range changes {
		if c.Deleted {
			t.Deletes = append(t.Deletes, stateKey(c.Key))
		} else {
			t.Puts = append(t.Puts, store.KV{Key: stateKey(c.Key), Value: c.Value})
		}
	}
	if j != nil {
		t.Puts = append(t.Puts, store.KV{Key: journalKey(j.Op), Value: encode(j)})
	}
	events := e.number(outs)
	for _, ev := range events {
		t.Puts = append(t.Puts, store.KV{Key: eventKey(ev.Seq), Value: encode(ev)})
		if old := ev.Seq - keepEvents; old > 0 {
			t.Deletes = append(t.Deletes, eventKey(old))
		}
	}
	if len(t.Puts)+len(t.Deletes) == 0 {
		return nil
	}
	if len(events) > 0 {
		t.Puts = append(t.Puts, store.KV{Key: keySeq, Value: []byte(strconv.FormatInt(e.seq, 10))})
	}
	ctx, cancel := context.WithTimeout(e.ctx, commitTimeout)
	defer cancel()
	rev, err := e.opts.Store.Commit(ctx, t)
	if err != nil {
		return fmt.Errorf("writing to the store: %w", err)
	}
	if j != nil {
		e.journals[j.Op] = j
	}
	e.feed.publish(rev, events)
	e.copy(rev, changes, m)
	e.showKeeps(rev, changes, m.in)
	return nil
}

const (
	commitTimeout = 10 * time.Second
	keepEvents    = 10_000
)

// fail takes the engine out of action until the store can be read and written
// again: what the world now says is not what the store says.
func (e *Engine) fail(err error) {
	if e.ctx.Err() != nil {
		return
	}
	e.broken = err
	e.setNotice(err.Error())
	e.log.Error("the store refused; nothing is carried out", "error", err)
}

// mend reads the world back. Operations that had stopped because they could not
// write go on.
func (e *Engine) mend() bool {
	if errors.Is(e.broken, store.ErrNotLeader) {
		return false // another engine leads: this one is through
	}
	ctx, cancel := context.WithTimeout(e.ctx, commitTimeout)
	defer cancel()
	probe := store.KV{Key: "meta/probe", Value: []byte(time.Now().UTC().Format(time.RFC3339))}
	if _, err := e.opts.Store.Commit(ctx, store.Txn{Term: e.term, Puts: []store.KV{probe}}); err != nil {
		e.setNotice("writing to the store: " + err.Error())
		return false
	}
	if err := e.load(ctx); err != nil {
		e.setNotice(err.Error())
		return false
	}
	e.broken = nil
	e.setNotice("")
	e.automate()
	e.resumeOps()
	return true
}
