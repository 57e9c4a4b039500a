package e2e

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/sim"
)

// desked is the estate with its engine on a socket, in real time, for the built program:
// "ferry" is its console, "ferry resource show" its word.
type desked struct {
	world
	bare   *sim.Sim // of an estate that is not the demo's; nil = it is
	socket string
	held   *held
}

// deskWorld brings it up, with the service in service on LK_P_A.
func deskWorld(t *testing.T, change func(*hierarchy.Estate)) *desked {
	t.Helper()
	w := bring(t, change)
	t.Cleanup(w.Close)
	w.settled("LK_P_A")
	engine, err := w.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	d := serveDesk(t, engine)
	d.world = w
	return d
}

// Sim is the estate behind it.
func (d *desked) Sim() *sim.Sim {
	if d.bare != nil {
		return d.bare
	}
	return d.Demo.Sim()
}

// serveDesk puts an engine behind a socket.
func serveDesk(t *testing.T, engine api.Service) *desked {
	t.Helper()
	dir, err := os.MkdirTemp("", "fs") // short: a socket lies in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	d := &desked{socket: filepath.Join(dir, "e.sock"), held: &held{Service: engine, next: make(chan struct{})}}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- api.Serve(ctx, d.held, api.Options{Socket: d.socket, Log: slog.New(slog.DiscardHandler)})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for end := time.Now().Add(realPatience); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("unix", d.socket); err == nil {
			_ = c.Close()
			return d
		}
		if time.Now().After(end) {
			t.Fatal("the engine does not listen")
		}
	}
}

// console is the built program on that engine, in a terminal.
func (d *desked) console(t *testing.T, w, h int) *pane {
	t.Helper()
	return newPane(t, w, h, ferry(t), "FERRY_SOCKET="+d.socket)
}

// says is what the built program prints for a command.
func (d *desked) says(t *testing.T, args ...string) string {
	t.Helper()
	c := exec.Command(ferry(t), args...)
	c.Env = append(os.Environ(), "FERRY_SOCKET="+d.socket, "LC_ALL=C.UTF-8")
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		t.Fatalf("ferry %s: %v\n%s", strings.Join(args, " "), err, errs.String())
	}
	return out.String()
}

// held is an engine whose choices of one field come when the test says so: a slow answer
// that takes neither longer nor shorter than it is looked at.
type held struct {
	api.Service
	next chan struct{} // lets one answer go

	mu    sync.Mutex
	field string // empty = none is held
}

func (h *held) hold(field string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.field = field
}

// release lets the answer go that is on its way, and holds no more.
func (h *held) release(t *testing.T) {
	t.Helper()
	h.hold("")
	select {
	case h.next <- struct{}{}:
	case <-time.After(realPatience):
		t.Fatal("nobody asks for choices")
	}
}

func (h *held) Choices(ctx context.Context, kit, field, node string, attrs map[string]string) ([]string, error) {
	h.mu.Lock()
	wait := field == h.field
	h.mu.Unlock()
	if wait {
		select {
		case <-h.next:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return h.Service.Choices(ctx, kit, field, node, attrs)
}
