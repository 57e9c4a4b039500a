package sshexec

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// conn is one SSH connection. It watches itself: lost is closed as soon as it is known to be dead.
type conn struct {
	client *ssh.Client
	raw    *countedConn
	lost   chan struct{}
	once   sync.Once
	why    error // set before lost is closed
	unhook func() bool
}

func (c *conn) alive() bool {
	select {
	case <-c.lost:
		return false
	default:
		return true
	}
}

// lose gives the connection up. Closing the socket first, since closing in good order would wait for the peer.
func (c *conn) lose(why error) {
	c.once.Do(func() {
		c.why = why
		close(c.lost)
		_ = c.raw.Close()
		_ = c.client.Close()
	})
}

// link is a node's connection for one purpose, dialled when needed, with growing pauses after failures.
type link struct {
	shared[*conn]
	node *Node

	backoff   sync.Mutex
	fails     int
	notBefore time.Time
	last      error
}

func (l *link) conn(ctx context.Context) (*conn, error) {
	return l.get(ctx, l.node.life, l.dial)
}

// dial connects unless the last failure was just now; then it repeats that failure instead of the attempt.
func (l *link) dial(life context.Context) (*conn, error) {
	l.backoff.Lock()
	wait, last := time.Until(l.notBefore), l.last
	l.backoff.Unlock()
	if wait > 0 && last != nil {
		return nil, last
	}
	c, err := l.node.dial(life)
	l.backoff.Lock()
	defer l.backoff.Unlock()
	if err == nil {
		l.fails, l.last, l.notBefore = 0, nil, time.Time{}
		return c, nil
	}
	pause := 250 * time.Millisecond << min(l.fails, 16)
	l.fails++
	l.last, l.notBefore = err, time.Now().Add(min(pause, l.node.pool.opts.BackoffMax))
	return nil, err
}

// hurry ends the pause: something told us that the node is there.
func (l *link) hurry() {
	l.backoff.Lock()
	defer l.backoff.Unlock()
	l.notBefore = time.Time{}
}

// dial connects to the node and logs in.
func (n *Node) dial(life context.Context) (*conn, error) {
	ctx, cancel := context.WithTimeout(life, n.pool.opts.DialTimeout)
	defer cancel()
	e, err := resolve(n.target, n.pool.opts.Home)
	if err != nil {
		return nil, &Error{Kind: Invalid, Node: n.name, Op: "connect", Err: err}
	}
	n.pool.count.dials.Add(1)
	raw, err := n.reach(ctx, e)
	if err != nil {
		return nil, at(n.name, "connect", err)
	}
	c, err := n.login(ctx, raw, e)
	if err != nil {
		_ = raw.Close()
		return nil, at(n.name, "connect", err)
	}
	return c, nil
}

// reach opens the stream to the server: over the network or from the jump host before it.
func (n *Node) reach(ctx context.Context, e endpoint) (net.Conn, error) {
	if e.jump == nil {
		c, err := n.pool.opts.DialContext(ctx, "tcp", e.addr())
		if err != nil {
			return nil, &Error{Kind: Unreachable, Err: fmt.Errorf("%s does not answer: %w", e.addr(), err),
				Hint: "check that it runs, and the route and security group from here"}
		}
		return c, nil
	}
	jump := n.pool.Node(*e.jump)
	jc, err := jump.main.conn(ctx)
	if err != nil {
		return nil, at(jump.name, "connect", err)
	}
	c, err := jc.client.DialContext(ctx, "tcp", e.addr())
	if err != nil {
		if !jc.alive() {
			return nil, &Error{Kind: Unreachable, Node: jump.name, Err: fmt.Errorf("connection lost: %w", jc.why)}
		}
		return nil, &Error{Kind: Unreachable, Err: fmt.Errorf("%s does not answer jump host %s: %w", e.addr(), jump.name, err),
			Hint: "check that it runs, and the route and security group from the jump host"}
	}
	return c, nil
}

// login does the handshake. Not every connection has deadlines (one through a jump host does not): closing it is the
// way to end a handshake that hangs.
func (n *Node) login(ctx context.Context, stream net.Conn, e endpoint) (*conn, error) {
	keys, err := newHostKeys(e)
	if err != nil {
		return nil, &Error{Kind: Invalid, Err: err}
	}
	ring := openKeyring(e, n.pool.opts.AgentSocket)
	defer ring.close()
	raw := &countedConn{Conn: stream, c: &n.pool.count, start: time.Now()}
	stop := context.AfterFunc(ctx, func() { _ = stream.Close() })
	sc, chans, reqs, err := ssh.NewClientConn(raw, e.addr(), &ssh.ClientConfig{
		User: e.user, Auth: []ssh.AuthMethod{ssh.PublicKeys(ring.signers...)},
		HostKeyCallback: keys.callback, HostKeyAlgorithms: keys.algorithms(),
	})
	if !stop() && err == nil {
		err = ctx.Err() // it was closed in the moment it was ready
	}
	if err != nil {
		return nil, explain(ctx, err, keys, ring, e)
	}
	c := &conn{client: ssh.NewClient(sc, chans, reqs), raw: raw, lost: make(chan struct{})}
	c.unhook = context.AfterFunc(n.life, func() { c.lose(net.ErrClosed) })
	go c.watch()
	go c.keepalive(n.pool.opts)
	return c, nil
}

// explain finds out what a failed handshake means; the library tells it only in words.
func explain(ctx context.Context, err error, keys *hostKeys, ring *keyring, e endpoint) error {
	if keys.err != nil {
		return keys.err
	}
	if m := keys.mismatch(err); m != nil {
		return m
	}
	text := err.Error()
	switch {
	case ctx.Err() != nil:
		return &Error{Kind: Unreachable, Err: fmt.Errorf("%s took the connection but did not finish the login in time", e.addr()),
			Hint: "the node may hang: look at its console"}
	case strings.Contains(text, "unable to authenticate"), strings.Contains(strings.ToLower(text), "authentication failures"):
		return ring.failed(e)
	}
	return &Error{Kind: Unreachable, Err: fmt.Errorf("%s broke off the login: %w", e.addr(), err),
		Hint: "check that an SSH server listens there and that it is not overloaded (MaxStartups)"}
}

// watch notices the end that the transport sees.
func (c *conn) watch() {
	err := c.client.Wait()
	if err == nil {
		err = errors.New("the server closed the connection")
	}
	c.lose(err)
	c.unhook()
}

// keepalive asks a silent peer whether it is there. TCP would take many minutes to notice that it is not.
func (c *conn) keepalive(o Options) {
	t := time.NewTimer(o.KeepaliveInterval)
	defer t.Stop()
	for {
		select {
		case <-c.lost:
			return
		case <-t.C:
		}
		if s := c.raw.silence(); s < o.KeepaliveInterval {
			t.Reset(o.KeepaliveInterval - s)
			continue
		}
		if !c.answers(o.KeepaliveTimeout) {
			c.lose(fmt.Errorf("no answer to keepalive within %s", o.KeepaliveTimeout))
			return
		}
		t.Reset(o.KeepaliveInterval)
	}
}

// answers asks the peer once. A refusal is an answer too.
func (c *conn) answers(within time.Duration) bool {
	replied := make(chan bool, 1)
	go func() {
		_, _, err := c.client.SendRequest("keepalive@openssh.com", true, nil)
		replied <- err == nil
	}()
	t := time.NewTimer(within)
	defer t.Stop()
	select {
	case ok := <-replied:
		return ok
	case <-t.C:
		return false
	case <-c.lost:
		return false
	}
}
