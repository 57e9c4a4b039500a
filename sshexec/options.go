package sshexec

import (
	"context"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// Options are a pool's settings; the zero value is what production uses.
type Options struct {
	// DialContext opens connections to nodes and first jump hosts; nil is the network. Tests and the simulated
	// estate give in-memory connections, which must be buffered.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	// Home is where ~ points; empty is the user's home directory.
	Home string
	// AgentSocket is the ssh agent's socket; empty is $SSH_AUTH_SOCK, "none" is no agent.
	AgentSocket string
	// DialTimeout bounds connecting and logging in, per hop. Default 10 s.
	DialTimeout time.Duration
	// BackoffMax caps the pause between attempts to connect. It starts at 250 ms and doubles. Default 5 s: a node that
	// comes back is seen within one heartbeat.
	BackoffMax time.Duration
	// KeepaliveInterval is how long a connection may be silent before the peer is asked. Default 5 s.
	KeepaliveInterval time.Duration
	// KeepaliveTimeout is how long the peer may take to answer that. Default 5 s.
	KeepaliveTimeout time.Duration
	// Slack is added to a job's deadline for the way there and back and for ending it. Default 5 s.
	Slack time.Duration
	// BeatStuck is how long a heartbeat may stay unanswered before its shell is replaced. Default 30 s: a node that
	// hangs must not collect hanging scripts.
	BeatStuck time.Duration
}

func (o Options) withDefaults() Options {
	if o.DialContext == nil {
		o.DialContext = (&net.Dialer{}).DialContext
	}
	if o.Home == "" {
		o.Home, _ = os.UserHomeDir()
	}
	if o.AgentSocket == "" {
		o.AgentSocket = os.Getenv("SSH_AUTH_SOCK")
	}
	set := func(d *time.Duration, to time.Duration) {
		if *d <= 0 {
			*d = to
		}
	}
	set(&o.DialTimeout, 10*time.Second)
	set(&o.BackoffMax, 5*time.Second)
	set(&o.KeepaliveInterval, 5*time.Second)
	set(&o.KeepaliveTimeout, 5*time.Second)
	set(&o.Slack, 5*time.Second)
	set(&o.BeatStuck, 30*time.Second)
	return o
}

// Stats counts what a pool did since it was made.
type Stats struct {
	Dials      int64 // connections tried
	Shells     int64 // long-lived shells opened
	RoundTrips int64 // requests sent over them
	BytesIn    int64 // on the wire, encrypted
	BytesOut   int64
}

// counters are Stats while they change.
type counters struct{ dials, shells, trips, in, out atomic.Int64 }

func (c *counters) stats() Stats {
	return Stats{Dials: c.dials.Load(), Shells: c.shells.Load(), RoundTrips: c.trips.Load(), BytesIn: c.in.Load(), BytesOut: c.out.Load()}
}

// countedConn counts bytes, and knows when the peer was last heard of.
type countedConn struct {
	net.Conn
	c     *counters
	heard atomic.Int64 // nanoseconds since start
	start time.Time
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.c.in.Add(int64(n))
		c.heard.Store(int64(time.Since(c.start)))
	}
	return n, err
}

func (c *countedConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.c.out.Add(int64(n))
	return n, err
}

// silence is how long nothing was heard.
func (c *countedConn) silence() time.Duration {
	return time.Since(c.start) - time.Duration(c.heard.Load())
}
