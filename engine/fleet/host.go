package fleet

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/sshexec"
	"github.com/ferry-ha/ferry/sshexec/wire"
)

// Host gives a kits.Host for reading. A script that mutates is refused: it needs
// the name of an operation's step (Acting).
func (f *Fleet) Host(node string) kits.Host { return &host{fleet: f, node: node} }

// Acting gives a kits.Host whose mutating scripts run as the transient unit
// "unit-N" (N counts them) under the lock, guarded by the node's record.
func (f *Fleet) Acting(node, unit, lock string) kits.Host {
	return &host{fleet: f, node: node, unit: unit, lock: lock}
}

type host struct {
	fleet      *Fleet
	node       string
	unit, lock string
	scripts    atomic.Int64
}

// Node is the node's name.
func (h *host) Node() string { return h.node }

// Run carries one script out. An error means that the outcome is unknown, or that
// nothing was run; its text says which.
func (h *host) Run(ctx context.Context, s kits.Script) (kits.Result, error) {
	n, self, err := h.fleet.node(h.node)
	if err != nil {
		return kits.Result{}, err
	}
	job := jobOf("1", s)
	if s.Mutates {
		if h.unit == "" {
			return kits.Result{}, fmt.Errorf("%s would change %s outside of an operation; this is a defect of ferry", s.Name, h.node)
		}
		job.Guard = self.guard(h.unit+"-"+strconv.FormatInt(h.scripts.Add(1), 10), h.lock)
		job.Guard.Light = s.Light
	}
	run := n.Run
	if s.Light && !s.Mutates && s.Stdin == nil {
		run = n.Light
	}
	fr, err := run(ctx, job)
	if err != nil {
		return kits.Result{}, err
	}
	if fr.Status == wire.Refused {
		h.fleet.led(h.node, nil)
	}
	return resultOf(h.node, s, fr)
}

// jobOf makes a job of a kit's script.
func jobOf(id string, s kits.Script) wire.Job {
	return wire.Job{ID: id, Name: s.Name, Body: s.Body, Args: s.Args, Stdin: s.Stdin, Deadline: s.Deadline}
}

// What a caller of Run may decide on; in both cases nothing was run.
var (
	// ErrRefused: the node's record names another leader.
	ErrRefused = errors.New("refused by the node's record")
	// ErrNotRun: the node could not begin the script, most likely for want of space.
	ErrNotRun = errors.New("the node could not run it")
)

// resultOf makes a kit's result of a frame. A script that did not run to its end
// has no result.
func resultOf(node string, s kits.Script, fr wire.Frame) (kits.Result, error) {
	said := sshexec.Clean(fr.Stderr, 300)
	switch fr.Status {
	case wire.Done:
		return kits.Result{Exit: fr.Exit, Stdout: string(fr.Stdout), Stderr: string(fr.Stderr), Truncated: fr.Truncated, Duration: fr.Duration}, nil
	case wire.Refused:
		return kits.Result{}, fmt.Errorf("%s on %s: %w, nothing was run: %s", s.Name, node, ErrRefused, said)
	case wire.Locked:
		return kits.Result{}, fmt.Errorf("%s on %s: nothing was run, something else of ferry is at work there: %s", s.Name, node, said)
	case wire.Deadline:
		return kits.Result{}, fmt.Errorf("%s on %s was ended after %s without an answer: what it did is unknown", s.Name, node, deadlineOf(s))
	}
	if fr.Status == wire.Error {
		return kits.Result{}, fmt.Errorf("%s on %s: %w: %s", s.Name, node, ErrNotRun, said)
	}
	return kits.Result{}, fmt.Errorf("%s on %s: %s: %s", s.Name, node, fr.Status, said)
}

func deadlineOf(s kits.Script) time.Duration {
	if s.Deadline > 0 {
		return s.Deadline
	}
	return wire.DefaultDeadline
}
