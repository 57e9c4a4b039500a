package nodesim

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// link is one connection: two directions, each delivered by what the world says.
type link struct {
	world      *World
	from, to   string // names of the parties
	boot       int    // which boot of the node "to" it was made with
	fore, back *stream
	ends       atomic.Int32 // how many have closed
}

// stream is one direction. Writing never blocks; reading waits until the data is
// due and the way is free.
type stream struct {
	mu     sync.Mutex // never held while waiting
	queue  []chunk
	closed error // what the reader gets after the data: io.EOF or a reset
	poke   chan struct{}
	delay  func() time.Duration
	stuck  func() bool // the way is not free now
}

type chunk struct {
	due  time.Time
	data []byte
}

func newStream(delay func() time.Duration, stuck func() bool) *stream {
	return &stream{poke: make(chan struct{}, 1), delay: delay, stuck: stuck}
}

// wake makes a waiting reader look again.
func (s *stream) wake() {
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

func (s *stream) write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed != nil {
		return 0, syscall.EPIPE
	}
	s.queue = append(s.queue, chunk{time.Now().Add(s.delay()), append([]byte(nil), p...)})
	s.wake()
	return len(p), nil
}

// take returns what is due now; wait is how long until the next is (negative = until woken).
func (s *stream) take(p []byte) (n int, wait time.Duration, err error) {
	blocked := s.stuck()
	s.mu.Lock()
	defer s.mu.Unlock()
	reset := s.closed != nil && s.closed != io.EOF
	switch {
	case reset:
		return 0, 0, s.closed
	case blocked:
		return 0, -1, nil
	case len(s.queue) == 0:
		return 0, -1, s.closed
	}
	if wait := time.Until(s.queue[0].due); wait > 0 {
		return 0, wait, nil
	}
	n = copy(p, s.queue[0].data)
	if s.queue[0].data = s.queue[0].data[n:]; len(s.queue[0].data) == 0 {
		s.queue = s.queue[1:]
	}
	return n, 0, nil
}

func (s *stream) close(why error) {
	s.mu.Lock()
	if s.closed == nil || why != io.EOF {
		s.closed = why
	}
	s.mu.Unlock()
	s.wake()
}

// conn is one end of a link.
type conn struct {
	l             *link
	in, out       *stream
	local, remote net.Addr
	mu            sync.Mutex
	until         time.Time     // read deadline
	moved         chan struct{} // closed and renewed when the deadline changes
	done          chan struct{}
	once          sync.Once
}

func newConn(l *link, in, out *stream, local, remote net.Addr) *conn {
	return &conn{l: l, in: in, out: out, local: local, remote: remote, moved: make(chan struct{}), done: make(chan struct{})}
}

// Read waits for data, the end, or the deadline.
func (c *conn) Read(p []byte) (int, error) {
	for {
		select {
		case <-c.done:
			return 0, net.ErrClosed
		default:
		}
		n, wait, err := c.in.take(p)
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
		if err := c.pause(wait); err != nil {
			return 0, err
		}
	}
}

// pause waits for news; a negative wait has no end of its own.
func (c *conn) pause(wait time.Duration) error {
	c.mu.Lock()
	until, moved := c.until, c.moved
	c.mu.Unlock()
	timed := false
	if !until.IsZero() {
		left := time.Until(until)
		if left <= 0 {
			return os.ErrDeadlineExceeded
		}
		if wait < 0 || left < wait {
			wait, timed = left, true
		}
	}
	var timer <-chan time.Time
	if wait >= 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-c.in.poke:
	case <-moved:
	case <-c.done:
	case <-timer:
		if timed {
			return os.ErrDeadlineExceeded
		}
	}
	return nil
}

// Write never blocks.
func (c *conn) Write(p []byte) (int, error) {
	select {
	case <-c.done:
		return 0, net.ErrClosed
	default:
		return c.out.write(p)
	}
}

// Close ends both directions.
func (c *conn) Close() error {
	c.once.Do(func() {
		close(c.done)
		c.out.close(io.EOF)
		c.in.close(io.EOF)
		// Kept until both have closed: news that a cut holds back must arrive later.
		if c.l.ends.Add(1) == 2 {
			c.l.world.forget(c.l)
		}
	})
	return nil
}

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets the read deadline; writes never wait.
func (c *conn) SetDeadline(t time.Time) error { return c.SetReadDeadline(t) }

// SetWriteDeadline does nothing: writes never wait.
func (c *conn) SetWriteDeadline(time.Time) error { return nil }

// SetReadDeadline bounds the reads under way and to come.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	c.until = t
	close(c.moved)
	c.moved = make(chan struct{})
	c.mu.Unlock()
	return nil
}
