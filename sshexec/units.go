package sshexec

import (
	"context"
	"errors"
	"time"

	"github.com/ferry-ha/ferry/sshexec/wire"
)

// unitDeadline bounds what should take milliseconds; ending a unit may take six seconds.
const unitDeadline = 15 * time.Second

// Units lists the guarded jobs that the node remembers: running, and finished since its last boot. A successor
// finds here what its predecessor left behind.
func (n *Node) Units(ctx context.Context) ([]wire.Unit, error) {
	f, err := n.unitJob(ctx, "list units", wire.Job{Verb: wire.VerbList, MaxOutput: 1 << 20})
	if err != nil {
		return nil, err
	}
	units, err := wire.ParseUnits(f.Stdout)
	if err == nil && f.Truncated {
		err = &Error{Kind: Failed, Node: n.name, Op: "list units", Err: errors.New("more units than can be listed: forget finished ones")}
	}
	return units, err
}

// Await waits, at most for the given time, until a unit has ended, and returns its frame as its own caller would
// have got it. A unit that the node does not know has status error and exit 66.
func (n *Node) Await(ctx context.Context, unit string, within time.Duration, maxOutput int) (wire.Frame, error) {
	return n.Run(ctx, wire.Job{ID: "await", Verb: wire.VerbAwait, Args: []string{unit}, Deadline: within, MaxOutput: maxOutput})
}

// EndUnit ends a running unit with everything in it and returns once it has ended. One that had ended is no error.
func (n *Node) EndUnit(ctx context.Context, unit string) error {
	_, err := n.unitJob(ctx, "end unit", wire.Job{Verb: wire.VerbEnd, Args: []string{unit}})
	return err
}

// ForgetUnit removes what the node remembers of a unit that has ended. Its name could then run again.
func (n *Node) ForgetUnit(ctx context.Context, unit string) error {
	_, err := n.unitJob(ctx, "forget unit", wire.Job{Verb: wire.VerbForget, Args: []string{unit}})
	return err
}

func (n *Node) unitJob(ctx context.Context, op string, j wire.Job) (wire.Frame, error) {
	j.ID, j.Deadline = "unit", unitDeadline
	return n.verb(ctx, op, &n.run, &n.main, j)
}
