package main

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
)

// heard collects what a run says and reports each word that was waited for.
type heard struct {
	mu    sync.Mutex
	text  bytes.Buffer
	until map[string]func()
}

func (h *heard) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.text.Write(b)
	for word, f := range h.until {
		if strings.Contains(h.text.String(), word) {
			delete(h.until, word)
			f()
		}
	}
	return len(b), nil
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

func env(pairs map[string]string) func(string) string {
	return func(k string) string { return pairs[k] }
}

// run carries a command line out in this process.
func run(ctx context.Context, d deps, getenv func(string) string, err *heard, args ...string) int {
	a := &cli{deps: d, in: strings.NewReader(""), out: &bytes.Buffer{}, err: err, getenv: getenv, now: time.Now}
	return a.run(ctx, args)
}

// TestInterruptingALocalOperationTakesTwo: leaving in the middle of what this very
// process carries out must not be a reflex.
func TestInterruptingALocalOperationTakesTwo(t *testing.T) {
	getenv := env(map[string]string{"FERRY_FAKE": "calm", "FERRY_FAKE_OP": "hang", "FERRY_FAKE_DIAL": "nobody",
		"FERRY_SOCKET": "/nowhere", "FERRY_STATE": t.TempDir()})
	ctx, interrupt := context.WithCancel(t.Context())
	err := &heard{until: map[string]func(){
		"[3/8] stop ip-www on LK_P_A: running": interrupt,
		"interrupt once more":                  func() { _ = syscall.Kill(syscall.Getpid(), syscall.SIGINT) },
	}}
	if code := run(ctx, fakeDeps(getenv), getenv, err, "in-service", "app-www", "--yes"); code != 1 {
		t.Errorf("exit code %d, want 1", code)
	}
	for _, want := range []string{
		"this process carries operation op-9 out; interrupt once more to leave it half done\n",
		"error: interrupted: operation op-9 was left half done\nhint: it is journalled",
	} {
		if !strings.Contains(err.String(), want) {
			t.Errorf("%q is not in\n%s", want, err)
		}
	}
}

// leaving is an engine that goes away in the middle of an operation.
type leaving struct{ *fake }

func (l leaving) Operations(context.Context, int) ([]api.Operation, error) {
	return nil, &api.Error{Kind: api.KindUnavailable, Message: "gone"}
}

func (l leaving) Watch(ctx context.Context, after int64) (<-chan api.Update, error) {
	ch := make(chan api.Update)
	close(ch)
	return ch, nil
}

// TestFollowingAcrossAnEngineThatRestarts: the operation was accepted, so the next
// engine finishes it, and the command tells how it ended.
func TestFollowingAcrossAnEngineThatRestarts(t *testing.T) {
	for name, c := range map[string]struct {
		back time.Duration // 0 = never
		code int
		says string
	}{
		"back after 20s": {20 * time.Second, 0, "the engine is back\n"},
		"never back":     {0, 69, "error: the engine went away and did not come back within 1m0s\nhint: the operation is journalled"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				getenv := env(map[string]string{"FERRY_FAKE": "calm", "FERRY_FAKE_OP": "hang", "FERRY_SOCKET": "/x"})
				began, dials := time.Now(), 0
				d := fakeDeps(getenv)
				d.dial = func(context.Context, string) (api.Service, error) {
					dials++
					switch up := c.back > 0 && time.Since(began) >= c.back; {
					case dials == 1:
						return leaving{newFake(getenv)}, nil
					case up:
						return finished(getenv), nil
					}
					return nil, syscall.ECONNREFUSED
				}
				err := &heard{}
				if code := run(t.Context(), d, getenv, err, "in-service", "app-www", "--yes"); code != c.code {
					t.Errorf("exit code %d, want %d", code, c.code)
				}
				if !strings.Contains(err.String(), "the engine went away; waiting for it to come back\n") || !strings.Contains(err.String(), c.says) {
					t.Errorf("%q is not in\n%s", c.says, err)
				}
			})
		})
	}
}

// finished is the next engine, which has brought the operation to its end.
func finished(getenv func(string) string) api.Service {
	f := newFake(getenv)
	f.publish(api.Operation{Op: policy.Op{ID: "op-9", Began: clock, Ended: clock, Outcome: policy.OpDone}})
	return f
}
