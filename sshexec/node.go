package sshexec

import (
	"context"
	"errors"
	"time"

	"github.com/ferry-ha/ferry/sshexec/wire"
)

// Node is one machine. It is safe for use by many goroutines.
type Node struct {
	pool   *Pool
	target Target
	name   string
	life   context.Context // ends with Close, or with the pool
	end    context.CancelFunc

	main, bulk                                     link // scripts and heartbeats; file copies
	run, beat, watch, light, aside, copies, glance shared[*shell]
	idle                                           idler
}

func newNode(p *Pool, t Target) *Node {
	n := &Node{pool: p, target: t, name: t.name()}
	n.life, n.end = context.WithCancel(p.life)
	n.main.node, n.bulk.node = n, n
	return n
}

// Name returns the name that messages use.
func (n *Node) Name() string { return n.name }

// Close drops the node's connections; the pool makes a new node when it is asked again.
func (n *Node) Close() { n.end() }

// Run carries out one job. An exit code other than 0 is no error; an error says that nothing was run or, with
// Error.Sent, that we do not know.
func (n *Node) Run(ctx context.Context, job wire.Job) (wire.Frame, error) {
	if job.ID == "" {
		job.ID = "job"
	}
	frames, err := n.RunAll(ctx, []wire.Job{job})
	if f, ok := frames[job.ID]; ok {
		return f, nil
	}
	return wire.Frame{ID: job.ID}, err
}

// RunAll carries out the jobs side by side in one round trip. It returns the frames that came, by job id, also
// together with an error: then those that are missing did not answer in time or before the connection was lost.
func (n *Node) RunAll(ctx context.Context, jobs []wire.Job) (map[string]wire.Frame, error) {
	return n.exchange(ctx, "run", &n.run, &n.main, jobs, nil)
}

// RunEach is RunAll that hands each frame over as it comes, one after the other, in the caller's goroutine: a slow job
// holds back nobody else's answer. Frames that were handed over are not taken back by an error.
func (n *Node) RunEach(ctx context.Context, jobs []wire.Job, each func(wire.Frame)) error {
	_, err := n.exchange(ctx, "run", &n.run, &n.main, jobs, each)
	return err
}

// Aside is RunAll on a shell of its own: for work that must not stand in the way of what Run does, however long it
// takes or however much it sends.
func (n *Node) Aside(ctx context.Context, jobs []wire.Job) (map[string]wire.Frame, error) {
	return n.exchange(ctx, "aside", &n.aside, &n.main, jobs, nil)
}

// Glance is Run for a script that only reads, on a shell of its own: it waits for nothing that Run, Light or Aside have
// to do, and delays no heartbeat. Each has a process group and its deadline on the node, and none waits for another.
func (n *Node) Glance(ctx context.Context, job wire.Job) (wire.Frame, error) {
	if job.ID == "" {
		job.ID = "glance"
	}
	if job.Guard != nil {
		return wire.Frame{}, &Error{Kind: Invalid, Node: n.name, Op: "glance", Err: errors.New("a glance changes nothing")}
	}
	frames, err := n.exchange(ctx, "glance", &n.glance, &n.main, []wire.Job{job}, nil)
	if f, ok := frames[job.ID]; ok {
		return f, nil
	}
	return wire.Frame{ID: job.ID}, err
}

// exchange sends the jobs over a shell and collects the frames; each, which may be nil, is told every one at once.
func (n *Node) exchange(ctx context.Context, op string, slot *shared[*shell], over *link, jobs []wire.Job, each func(wire.Frame)) (map[string]wire.Frame, error) {
	req := wire.Request{Nonce: wire.NewNonce(), Jobs: jobs}
	if err := req.Validate(); err != nil {
		return nil, &Error{Kind: Invalid, Node: n.name, Op: op, Err: err}
	}
	s, p, err := n.submit(ctx, slot, over, req)
	if err != nil {
		return nil, n.wrap(op, err, false)
	}
	frames, err := n.collect(ctx, s, p, req, each)
	if err != nil {
		return frames, n.wrap(op, err, true)
	}
	return frames, nil
}

// submit sends the request. A shell may turn out to be dead just before: then nothing was sent and a new one is
// opened, once.
func (n *Node) submit(ctx context.Context, slot *shared[*shell], over *link, req wire.Request) (*shell, *pending, error) {
	var last error
	for range 2 {
		s, err := n.shell(ctx, slot, over)
		if err != nil {
			return nil, nil, err
		}
		p, err := s.send(ctx, req)
		if err == nil {
			n.pool.count.trips.Add(1)
			return s, p, nil
		}
		if last = err; ctx.Err() != nil {
			break
		}
	}
	return nil, nil, last
}

// shell returns the open shell of a slot or opens it.
func (n *Node) shell(ctx context.Context, slot *shared[*shell], over *link) (*shell, error) {
	return slot.get(ctx, n.life, func(life context.Context) (*shell, error) {
		s, err := n.open(life, over)
		if errors.Is(err, errGone) { // an old connection that nobody knew to be dead: one more on a new one
			s, err = n.open(life, over)
		}
		if errors.Is(err, errGone) {
			err = &Error{Kind: Unreachable, Err: err}
		}
		return s, err
	})
}

// open opens a shell on the link's connection. It has no context of its own: a server that does not answer loses the
// connection.
func (n *Node) open(life context.Context, over *link) (*shell, error) {
	c, err := over.conn(life)
	if err != nil {
		return nil, err
	}
	e, err := resolve(n.target, n.pool.opts.Home)
	if err != nil {
		return nil, &Error{Kind: Invalid, Err: err}
	}
	t := time.AfterFunc(n.pool.opts.DialTimeout, func() { c.lose(errors.New("the server opened no shell in time")) })
	defer t.Stop()
	s, err := openShell(c, e.sudo, e.user)
	if errors.Is(err, errGone) {
		c.lose(err)
	}
	if err == nil {
		n.pool.count.shells.Add(1)
	}
	return s, err
}

// collect waits for all frames, at most for the longest deadline and Options.Slack. A shell that has not answered by
// then gets no further requests.
func (n *Node) collect(ctx context.Context, s *shell, p *pending, req wire.Request, each func(wire.Frame)) (map[string]wire.Frame, error) {
	var longest time.Duration
	for _, j := range req.Jobs {
		longest = max(longest, j.Timeout())
	}
	overdue := time.NewTimer(longest + n.pool.opts.Slack)
	defer overdue.Stop()
	frames := map[string]wire.Frame{}
	take := func(f wire.Frame) {
		frames[f.ID] = f
		if each != nil {
			each(f)
		}
	}
	for len(frames) < len(req.Jobs) {
		select {
		case f := <-p.frames:
			take(f)
		case <-s.dead:
			for len(p.frames) > 0 {
				take(<-p.frames)
			}
			if len(frames) < len(req.Jobs) {
				return frames, s.why
			}
		case <-overdue.C:
			s.abandon(p)
			s.retire()
			return frames, &Error{Kind: Deadline, Err: errors.New("no answer within the deadline of its jobs"), Hint: "the node may hang: look at its load and disks"}
		case <-ctx.Done():
			s.abandon(p)
			return frames, ended(ctx)
		}
	}
	return frames, nil
}

// wrap completes an error with the node and the operation, and with whether the request was sent. A shell that
// never worked ran nothing, whatever was sent to it.
func (n *Node) wrap(op string, err error, sent bool) error {
	e := at(n.name, op, err)
	e.Sent = sent && e.Kind != SudoRefused && e.Kind != Refused
	if n.life.Err() != nil {
		e.Kind, e.Err, e.Hint = Closed, errors.New("the connection was closed by us"), ""
	}
	return e
}
