package notify

import (
	"context"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// channel is one table of the definition at work.
type channel struct {
	owner *Notifier
	def   hierarchy.Notify
	send  sender
	mark  int64 // what was settled when it began
	queue chan Message
	nudge chan struct{} // something was given up without a try
	stop  func()
	busy  atomic.Bool
	lost  atomic.Int64 // given up and not yet said
	down  bool         // the last message was given up; work only
}

// work delivers one message after the other until ctx ends.
func (c *channel) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.nudge:
			c.tell(ctx)
		case m := <-c.queue:
			c.busy.Store(true)
			c.deliver(ctx, m)
			c.tell(ctx)
			c.busy.Store(false)
		}
	}
}

// deliver tries until it succeeds or is given up; both settle the message. When ctx ends
// it is not settled: the next start delivers it.
func (c *channel) deliver(ctx context.Context, m Message) {
	limit, cancel := context.WithTimeout(ctx, GiveUpAfter)
	defer cancel()
	err, pause := error(nil), FirstPause
	for n := 1; n <= MaxTries; n++ {
		if n > 1 {
			if !rest(limit, pause) {
				break
			}
			pause *= 2
		}
		if err = try(limit, c.def, c.send, m); err == nil {
			break
		}
		if ctx.Err() != nil {
			return
		}
		c.count(func(k *counts) { k.failed++ })
		c.owner.opts.Log.Warn("a notification was not delivered", "channel", c.def.Name, "event", m.Seq, "try", n, "error", err)
	}
	if ctx.Err() != nil {
		return
	}
	c.settle(ctx, m, err)
}

// rest pauses; false when the limit comes first.
func rest(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// settle notes what became of a message. That a channel fails is said once, and once
// that it works again.
func (c *channel) settle(ctx context.Context, m Message, err error) {
	if err := c.owner.eng.SetMark(ctx, c.def.Name, m.Seq); err != nil {
		c.owner.opts.Log.Error("how far a channel is told cannot be stored; after a restart this message comes again", "channel", c.def.Name, "event", m.Seq, "error", err)
	}
	if err == nil {
		c.count(func(k *counts) { k.sent++ })
		if c.down {
			c.down = false
			c.announce(ctx, "info", policy.Say("notify-works-again", "channel", c.def.Name))
		}
		return
	}
	c.count(func(k *counts) { k.dropped["gave-up"]++ })
	if !c.down {
		c.down = true
		c.announce(ctx, "warning", policy.Say("notify-failed", "channel", c.def.Name, "error", clean(err.Error(), 300)))
	}
}

// tell says how many messages were given up without a try, once the queue is empty.
func (c *channel) tell(ctx context.Context) {
	if n := c.lost.Load(); n > 0 && len(c.queue) == 0 && ctx.Err() == nil {
		c.lost.Add(-n)
		c.announce(ctx, "warning", policy.Say("notify-dropped", "channel", c.def.Name, "n", strconv.FormatInt(n, 10)))
	}
}

func (c *channel) announce(ctx context.Context, severity string, why kits.Reason) {
	err := c.owner.eng.Announce(ctx, policy.Event{Kind: "notification", Severity: severity, Reason: why})
	if err != nil && ctx.Err() == nil {
		c.owner.opts.Log.Error("an event about notifications cannot be stored", "channel", c.def.Name, "error", err)
	}
}

func (c *channel) count(f func(*counts)) {
	c.owner.mu.Lock()
	defer c.owner.mu.Unlock()
	f(c.owner.counts[c.def.Name])
}
