package tui

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// watched is a service whose watch the test drives.
type watched struct {
	*uitest.Service
	updates   chan api.Update
	snapshots atomic.Int64
	closed    atomic.Int64
}

func (w *watched) Watch(context.Context, int64) (<-chan api.Update, error) { return w.updates, nil }
func (w *watched) Close() error                                            { w.closed.Add(1); return nil }
func (w *watched) Snapshot(ctx context.Context) (*api.Snapshot, error) {
	w.snapshots.Add(1)
	return w.Service.Snapshot(ctx)
}

func TestFeedAsksForNoMoreThanTenSnapshotsASecond(t *testing.T) {
	snap := uitest.Scene(t, uitest.Calm)
	synctest.Test(t, func(t *testing.T) {
		w := &watched{Service: &uitest.Service{Snap: snap}, updates: make(chan api.Update)}
		var events atomic.Int64
		f := &feed{connect: func(context.Context) (api.Service, error) { return w, nil }, kits: uitest.Kits(), send: func(m tea.Msg) {
			if u, ok := m.(updateMsg); ok && u.Event != nil {
				events.Add(1)
			}
		}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { f.run(ctx); close(done) }()
		for i := range 1000 { // a storm: a thousand updates in a second
			w.updates <- api.Update{Revision: int64(i), Event: &api.Event{Seq: int64(i + 1)}}
			time.Sleep(time.Millisecond)
		}
		if n := w.snapshots.Load(); n < 9 || n > 12 {
			t.Errorf("%d snapshots in a second of a thousand updates, want about 10", n)
		}
		if n := events.Load(); n != 1000 {
			t.Errorf("%d events were told, want all 1000", n)
		}
		before := w.snapshots.Load()
		time.Sleep(time.Minute)
		if n := w.snapshots.Load() - before; n < 5 || n > 8 {
			t.Errorf("%d snapshots in a quiet minute, want one every ten seconds", n)
		}
		cancel()
		<-done
		if w.closed.Load() != 1 {
			t.Errorf("the connection was closed %d times", w.closed.Load())
		}
	})
}

func TestFeedConnectsAgain(t *testing.T) {
	snap := uitest.Scene(t, uitest.Calm)
	synctest.Test(t, func(t *testing.T) {
		var attempts, lost, fresh int
		var w *watched
		f := &feed{kits: uitest.Kits(), connect: func(context.Context) (api.Service, error) {
			attempts++
			if attempts%3 != 0 {
				return nil, errors.New("nobody is there")
			}
			w = &watched{Service: &uitest.Service{Snap: snap}, updates: make(chan api.Update)}
			return w, nil
		}, send: func(m tea.Msg) {
			switch m.(type) {
			case lostMsg:
				lost++
			case freshMsg:
				fresh++
			}
		}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { f.run(ctx); close(done) }()
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if w == nil || fresh == 0 || f.current() == nil {
			t.Fatalf("not connected after %d attempts", attempts)
		}
		close(w.updates)
		time.Sleep(time.Second)
		synctest.Wait()
		if f.current() != nil && attempts < 4 {
			t.Error("a connection that ended is still in use")
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if attempts != 6 || lost != 5 {
			t.Errorf("%d attempts, told lost %d times; want 6 and 5", attempts, lost)
		}
		cancel()
		<-done
	})
}
