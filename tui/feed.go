package tui

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/pages/hierarchies"
)

const (
	// freshEvery is the shortest pause between two snapshots, ten a second: more nobody
	// can read.
	freshEvery = 100 * time.Millisecond
	// freshAnyway is how old a snapshot gets when nothing moves (times of checks go on).
	freshAnyway = 10 * time.Second
	// againAfter and againAtMost are the pauses between attempts to connect.
	againAfter, againAtMost = 250 * time.Millisecond, 5 * time.Second
	// connectTime bounds one attempt.
	connectTime = 15 * time.Second
)

// feed watches one engine and tells the program what is new.
type feed struct {
	desk    int
	connect func(context.Context) (api.Service, error)
	kits    kits.Registry
	send    func(tea.Msg)
	service atomic.Pointer[api.Service]
	after   int64 // last event that was told
}

// What a feed tells; desk says whose.
type (
	freshMsg struct {
		desk int
		est  *model.Estate
		at   time.Time // when it came
	}
	whoMsg struct {
		desk   int
		caller api.Caller
	}
	updateMsg struct {
		desk int
		api.Update
	}
	lostMsg struct {
		desk int
		err  error
	}
)

// current is the connection of the moment; nil while there is none.
func (f *feed) current() api.Service {
	if s := f.service.Load(); s != nil {
		return *s
	}
	return nil
}

// run connects and watches until ctx ends.
func (f *feed) run(ctx context.Context) {
	pause := againAfter
	for ctx.Err() == nil {
		began := time.Now()
		err := f.once(ctx)
		if ctx.Err() != nil {
			return
		}
		f.send(lostMsg{f.desk, err})
		if time.Since(began) > againAtMost {
			pause = againAfter
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, againAtMost)
	}
}

var errEnded = errors.New("the engine ended the connection")

// once is one connection, from its beginning to its end.
func (f *feed) once(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	dial, done := context.WithTimeout(ctx, connectTime)
	defer done()
	s, err := f.connect(dial)
	if err != nil {
		return err
	}
	defer s.Close()
	caller := api.Caller{Role: api.Administrator} // in one process, nobody asks
	if w, ok := s.(interface {
		Whoami(context.Context) (api.Caller, error)
	}); ok {
		if caller, err = w.Whoami(dial); err != nil {
			return err
		}
	}
	updates, err := s.Watch(ctx, f.after)
	if err != nil {
		return err
	}
	f.service.Store(&s)
	defer f.service.Store(nil)
	f.send(whoMsg{f.desk, caller})
	return f.watch(ctx, s, updates)
}

func (f *feed) watch(ctx context.Context, s api.Service, updates <-chan api.Update) error {
	due := time.NewTimer(0) // the first snapshot at once
	defer due.Stop()
	var armed time.Time
	arm := func(in time.Duration) {
		if at := time.Now().Add(in); armed.IsZero() || at.Before(armed) {
			armed = at
			due.Reset(in)
		}
	}
	gap := freshEvery
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case u, ok := <-updates:
			if !ok {
				return errEnded
			}
			if u.Event != nil {
				f.after = max(f.after, u.Event.Seq)
			}
			if u.Event != nil || u.Operation != nil {
				f.send(updateMsg{f.desk, u})
			}
			arm(gap)
		case <-due.C:
			took, err := f.fetch(ctx, s)
			if err != nil {
				return err
			}
			armed, gap = time.Time{}, max(freshEvery, 4*took) // a large estate over a thin line is fetched less often
			arm(freshAnyway)
		}
	}
}

func (f *feed) fetch(ctx context.Context, s api.Service) (took time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	began := time.Now()
	sn, err := s.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	est := model.New(sn, f.kits)
	hierarchies.Prepare(est) // ten thousand resources take longer than a frame
	f.send(freshMsg{f.desk, est, time.Now()})
	return time.Since(began), nil
}
