// Package boottime measures time that does not stand still while the machine sleeps.
//
// Go's monotonic clock, and with it every timer and every deadline of a context, stops
// on Linux while a laptop is suspended: a step that was given two minutes still has
// them an hour later, and would go on to change AWS on the strength of what was true
// before the lid was closed. What must end with the wall's time is measured here.
package boottime

import (
	"context"
	"time"
)

// Clock tells how long the machine has been up, its sleep included.
type Clock func() time.Duration

// Stamp is a moment on both clocks.
type Stamp struct {
	up time.Duration
	at time.Time
}

// Now is this moment.
func (c Clock) Now() Stamp { return Stamp{c(), time.Now()} }

// Since is how long ago a moment was: by whichever clock more time has passed, so
// that a clock that stands still, as in a simulation, hides nothing.
func (c Clock) Since(s Stamp) time.Duration { return max(c()-s.up, time.Since(s.at)) }

// look is how often a deadline is compared with the clock: after waking up that late
// at most it takes effect.
const look = 250 * time.Millisecond

// WithTimeout is context.WithTimeout that does not stand still while the machine sleeps.
func (c Clock) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, d)
	began := c.Now()
	go func() {
		tick := time.NewTicker(look)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if c.Since(began) > d+look { // else the timer itself is in time
				cancel()
				return
			}
		}
	}()
	return ctx, cancel
}
