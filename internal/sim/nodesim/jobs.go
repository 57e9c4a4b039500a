package nodesim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ferry-ha/ferry/sshexec/wire"
)

// job carries out one job of a request, as the wrapper does on a real node.
func (n *Node) job(j wire.Job) wire.Frame {
	f := wire.Frame{ID: j.ID}
	switch {
	case j.Verb != wire.VerbScript:
		f = n.verb(j)
	case j.Guard != nil:
		f = n.guardedJob(j)
	default:
		f = n.runScript(n.life(), j)
	}
	f.ID = j.ID
	return f
}

// errEnded is the cause when a unit is ended on request.
var errEnded = errors.New("ended on request")

// runScript runs a job's script within its deadline and its bounds.
func (n *Node) runScript(ctx context.Context, j wire.Job) wire.Frame {
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, j.Timeout())
	defer cancel()
	out, errs := &capture{limit: j.Limit()}, &capture{limit: j.Limit()}
	p := process{stdin: j.Stdin, stdout: out, stderr: errs, args: j.Args}
	code, ok := n.mirrorScript(ctx, p, j.Name)
	if !ok {
		code, ok = n.answer(ctx, p, j.Body)
	}
	if !ok {
		code = n.shell(ctx, p, j.Body)
	}
	f := wire.Frame{
		Status: wire.Done, Exit: code, Stdout: out.bytes(), Stderr: errs.bytes(),
		Truncated: out.truncated() || errs.truncated(), Duration: time.Since(start).Round(10 * time.Millisecond),
	}
	switch {
	case errors.Is(context.Cause(ctx), errEnded):
		f.Status = wire.Ended
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		f.Status = wire.Deadline
	case ctx.Err() != nil:
		f.Status, f.Exit = wire.Lost, 70
	}
	return f
}

func refusal(status wire.Status, exit int, format string, args ...any) wire.Frame {
	return wire.Frame{Status: status, Exit: exit, Stderr: fmt.Appendf(nil, format+"\n", args...)}
}
