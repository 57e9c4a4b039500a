package sshexec

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ferry-ha/ferry/sshexec/wire"
)

// Pulse is the answer to a heartbeat, on two levels. Path without Function is a node that hangs: its kernel answers, but
// no script runs.
type Pulse struct {
	Path     bool          // it accepts connections, or answered
	Function bool          // the script ran and said 0 in time
	RTT      time.Duration // until the script's answer; 0 without one
	Output   string        // what the script printed, cleaned, at most 4096 characters
	Exit     int           // the script's exit code when it answered
	Err      error         // why Function or Path is missing; nil when all is well
}

const (
	beatOutput  = 4096            // bytes; a heartbeat script says little
	beatDefault = 5 * time.Second // when the context has no deadline
)

// Beat runs a tiny script on the heartbeat's own shell; let it touch the disk. It always ends when ctx ends. When half of
// the time is over without an answer it also tries whether the node accepts a connection.
func (n *Node) Beat(ctx context.Context, script string) Pulse {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, beatDefault)
		defer cancel()
	}
	until, _ := ctx.Deadline()
	function := make(chan Pulse, 1)
	go func() { function <- n.function(ctx, script) }()
	half := time.NewTimer(time.Until(until) / 2)
	defer half.Stop()
	select {
	case p := <-function:
		if p.Path {
			return p
		}
		p.Path, p.Err = n.path(ctx, p.Err)
		return p
	case <-half.C:
	}
	path := make(chan bool, 1)
	go func() { ok, _ := n.path(ctx, nil); path <- ok }()
	p := <-function
	if !p.Path {
		p.Path = <-path
	}
	return p
}

// Watch runs a small read-only script on a shell of its own, as cheaply as a heartbeat (one fork) and beside it: what it
// waits for delays no heartbeat. Scripts of one node run one after the other; one that is still unanswered when the next
// comes makes that wait, until its context ends. Args are what the script sees as $1, $2, ….
func (n *Node) Watch(ctx context.Context, script string, args ...string) (string, error) {
	if err := n.free(ctx, &n.watch); err != nil {
		return "", n.wrap("watch", err, false)
	}
	given := "set --" // a heartbeat job has no arguments of its own
	for _, a := range args {
		given += " " + wire.Quote(a)
	}
	jobs := []wire.Job{{ID: "watch", Body: given + "\n" + script, Beat: true, MaxOutput: beatOutput}}
	frames, err := n.exchange(ctx, "watch", &n.watch, &n.main, jobs, nil)
	f, ok := frames["watch"]
	switch {
	case !ok:
		return "", err
	case !f.OK():
		return "", &Error{Kind: Failed, Node: n.name, Op: "watch", Err: fmt.Errorf("the script ended with %d: %s", f.Exit, Clean(f.Stdout, 200))}
	}
	return string(f.Stdout), nil
}

// function runs the script.
func (n *Node) function(ctx context.Context, script string) Pulse {
	start := time.Now()
	if err := n.free(ctx, &n.beat); err != nil {
		return Pulse{Err: n.wrap("heartbeat", err, false)}
	}
	jobs := []wire.Job{{ID: "beat", Body: script, Beat: true, MaxOutput: beatOutput}}
	frames, err := n.exchange(ctx, "heartbeat", &n.beat, &n.main, jobs, nil)
	f, ok := frames["beat"]
	if !ok {
		return Pulse{Err: err}
	}
	p := Pulse{Path: true, Function: f.OK(), RTT: time.Since(start), Output: Clean(f.Stdout, beatOutput), Exit: f.Exit}
	if !p.Function {
		p.Err = &Error{Kind: Failed, Node: n.name, Op: "heartbeat", Err: fmt.Errorf("the script ended with %d: %s", f.Exit, p.Output)}
	}
	return p
}

// free waits for the answer to an earlier heartbeat: a node that hangs must not collect hanging scripts. After
// Options.BeatStuck the shell is replaced all the same.
func (n *Node) free(ctx context.Context, slot *shared[*shell]) error {
	s, ok := slot.peek()
	if !ok {
		return nil
	}
	p := s.unanswered()
	if p == nil {
		return nil
	}
	if time.Since(p.since) > n.pool.opts.BeatStuck {
		s.retire()
		return nil
	}
	select {
	case <-p.done:
		return nil
	case <-s.dead:
		return nil
	case <-ctx.Done():
		return &Error{Kind: Deadline, Err: errors.New("an earlier heartbeat is still unanswered"), Hint: "the node may hang: look at its load and disks"}
	}
}

// path tries whether the node accepts a connection. When it does, the pause before the next login attempt ends.
func (n *Node) path(ctx context.Context, why error) (bool, error) {
	e, err := resolve(n.target, n.pool.opts.Home)
	if err != nil {
		return false, &Error{Kind: Invalid, Node: n.name, Op: "heartbeat", Err: err}
	}
	c, err := n.reach(ctx, e)
	if err != nil {
		return false, first2(why, n.wrap("heartbeat", err, false))
	}
	_ = c.Close()
	n.main.hurry()
	return true, why
}

func first2(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
