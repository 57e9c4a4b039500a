package sshexec

import (
	"context"
	"errors"
	"fmt"

	"github.com/ferry-ha/ferry/sshexec/wire"
)

// lightHead makes a light job's surroundings those of an unguarded script. A heartbeat's stderr comes with its stdout:
// there it would be taken for an answer.
const lightHead = "exec 2>/dev/null\nLC_ALL=C\nexport LC_ALL\n"

// Light runs a job that only reads and ends by itself within moments, as cheaply as a heartbeat: one fork, on a shell of
// its own beside those of Beat, Watch and Run. It has no process group, deadline or bound on the node. Light jobs of one
// node run one after the other. A job without an answer when ctx or its deadline ends loses that shell: the next one
// gets another. Exit code and stdout come back, with one final newline; of stderr nothing does.
func (n *Node) Light(ctx context.Context, job wire.Job) (wire.Frame, error) {
	if job.ID == "" {
		job.ID = "light"
	}
	if job.Guard != nil || job.Stdin != nil || job.Verb != wire.VerbScript {
		return wire.Frame{}, &Error{Kind: Invalid, Node: n.name, Op: "light", Err: errors.New("a light job has a script and arguments, nothing else")}
	}
	ctx, cancel := context.WithTimeout(ctx, job.Timeout())
	defer cancel()
	job.Beat, job.Body = true, lightHead+job.Body
	frames, err := n.exchange(ctx, "light", &n.light, &n.main, []wire.Job{job}, nil)
	f, ok := frames[job.ID]
	if !ok {
		n.dropStuck(&n.light)
		if err == nil {
			err = &Error{Kind: Broken, Node: n.name, Op: "light", Sent: true, Err: fmt.Errorf("no answer to %s", job.ID)}
		}
		return wire.Frame{ID: job.ID}, err
	}
	if len(f.Stdout) > 0 {
		f.Stdout = append(f.Stdout, '\n')
	}
	return f, nil
}

// dropStuck retires a shell on which a request is unanswered: whatever hangs there holds up all that come after it.
func (n *Node) dropStuck(slot *shared[*shell]) {
	if s, ok := slot.peek(); ok && s.unanswered() != nil {
		s.retire()
	}
}
