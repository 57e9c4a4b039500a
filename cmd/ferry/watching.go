package main

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/engine"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/metrics"
	"github.com/ferry-ha/ferry/engine/notify"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/awscloud"
	"github.com/ferry-ha/ferry/tui/text"
)

// metricsPlace is where metrics are shown; empty = nowhere.
func (a *cli) metricsPlace(given string) (string, error) {
	if given == "" {
		given = a.getenv("FERRY_METRICS")
	}
	if given == "" {
		return "", nil
	}
	if _, _, err := net.SplitHostPort(given); err != nil {
		return "", usage("write --metrics=127.0.0.1:9640, or --metrics alone for that", "--metrics %q is no address", given)
	}
	return given, nil
}

// watchedEngine is the acting engine with those who tell the world about it.
type watchedEngine struct {
	*engine.Engine
	notifier *notify.Notifier
	opts     engineOptions
	cancel   context.CancelFunc
	wg       sync.WaitGroup
}

var _ api.NotifyTester = (*watchedEngine)(nil)

// endWithin is how long the last notifications may take when the engine stops; what has
// not got out by then is told at the next start.
const endWithin = 5 * time.Second

// watched begins to tell. The address is taken first: an engine that was to be watched
// and cannot be is not to run unwatched.
func watched(ctx context.Context, e *engine.Engine, o engineOptions) (*watchedEngine, error) {
	w := &watchedEngine{Engine: e, opts: o, notifier: notify.New(e, notifyOptions(kitsOver(nil), o))}
	var l net.Listener
	if o.Metrics != "" {
		var err error
		if l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", o.Metrics); err != nil {
			return nil, fail(api.KindFailed, "choose another address with --metrics=HOST:PORT", "listening for metrics: %s", err)
		}
		o.Log.Info("metrics and health are shown", "listen", l.Addr().String())
		if a, ok := l.Addr().(*net.TCPAddr); ok && !a.IP.IsLoopback() {
			o.Log.Warn("metrics and health can be read by everybody who reaches this address", "listen", l.Addr().String())
		}
	}
	inside, cancel := context.WithCancel(context.WithoutCancel(ctx)) // it ends after the engine's last word
	w.cancel = cancel
	if err := e.Begin(ctx); err != nil {
		o.Log.Error("the engine's start cannot be logged as an event", "error", err)
	}
	w.run("notifications", func() error { return w.notifier.Run(inside) })
	if l != nil {
		s := metrics.New(e, metrics.Options{Counts: w.notifier.Counts, Log: o.Log})
		w.run("metrics", func() error { return s.Run(inside, l) })
	}
	return w, nil
}

func (w *watchedEngine) run(what string, f func() error) {
	w.wg.Go(func() {
		if err := f(); err != nil {
			w.opts.Log.Error("not told any more", "what", what, "error", err)
		}
	})
}

// end logs that the engine stops, lets that get out, and ends.
func (w *watchedEngine) end() {
	ctx, cancel := context.WithTimeout(context.Background(), endWithin)
	defer cancel()
	if err := w.End(ctx); err != nil {
		w.opts.Log.Error("the engine's end cannot be logged as an event", "error", err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for quiet := 0; quiet < 3 && ctx.Err() == nil; { // an event takes a moment to get into a queue
		select {
		case <-ctx.Done():
		case <-tick.C:
			if quiet++; !w.notifier.Idle() {
				quiet = 0
			}
		}
	}
	w.cancel()
	w.wg.Wait()
}

// TestNotify implements api.NotifyTester.
func (w *watchedEngine) TestNotify(ctx context.Context, name string) ([]api.NotifyResult, error) {
	results, known, err := w.notifier.Test(ctx, name)
	if err == nil && !known {
		err = noChannel(name)
	}
	return results, err
}

// notifyOptions are the words, the way to SNS, and which kits keep data.
func notifyOptions(reg kits.Registry, o engineOptions) notify.Options {
	opts := notify.Options{SNS: awscloud.New(awscloud.Options{}), Say: speaker(), Log: o.Log}
	for name, k := range reg {
		if _, keeps := k.(kits.Keeper); keeps {
			opts.Keepers = append(opts.Keepers, name)
		}
	}
	slices.Sort(opts.Keepers)
	return opts
}

// speaker says reasons from the console's catalogs.
func speaker() notify.Speaker {
	ja, err := text.New(text.Japanese)
	return func(lang string, r kits.Reason) string {
		if lang == string(text.Japanese) && err == nil {
			return ja.Reason(r)
		}
		return r.Text
	}
}
