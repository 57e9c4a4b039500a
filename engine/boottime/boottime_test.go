package boottime

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestSystemGoesOn(t *testing.T) {
	a := System()
	time.Sleep(20 * time.Millisecond)
	if d := System() - a; d < 15*time.Millisecond || d > 10*time.Second {
		t.Errorf("%s passed during 20 ms", d)
	}
}

// asleep is a clock that can be put forward while Go's stands still.
type asleep struct{ extra atomic.Int64 }

func (a *asleep) clock() Clock {
	began := time.Now()
	return func() time.Duration { return time.Since(began) + time.Duration(a.extra.Load()) }
}

func TestDeadlineOverSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a asleep
		c := a.clock()
		began := c.Now()
		ctx, cancel := c.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		time.Sleep(30 * time.Second)
		if ctx.Err() != nil {
			t.Fatal("ended after 30 s")
		}
		a.extra.Store(int64(time.Hour)) // the lid was closed
		woke := time.Now()
		<-ctx.Done()
		if d := time.Since(woke); d > look {
			t.Errorf("ended %s after waking up", d)
		}
		if s := c.Since(began); s < time.Hour {
			t.Errorf("only %s have passed", s)
		}
	})
}

func TestDeadlineWithoutSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		still := Clock(func() time.Duration { return 0 }) // as in a simulation
		began := still.Now()
		ctx, cancel := still.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		<-ctx.Done()
		if d := still.Since(began); d < 2*time.Minute || d > 2*time.Minute+look || ctx.Err() != context.DeadlineExceeded {
			t.Errorf("ended after %s: %v", d, ctx.Err())
		}
	})
}
