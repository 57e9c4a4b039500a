package sshexec

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/sshexec/wire"
)

// wireHalf is one direction of an in-memory connection: buffered, with a delay, and able to swallow everything, as a
// network does when a machine is switched off.
type wireHalf struct {
	mu     sync.Mutex
	more   *sync.Cond
	queue  []packet
	buf    []byte
	closed bool
	delay  time.Duration
	silent atomic.Bool
}

func newHalf(delay time.Duration) *wireHalf {
	h := &wireHalf{delay: delay}
	h.more = sync.NewCond(&h.mu)
	return h
}

func (h *wireHalf) put(p []byte, last bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.queue = append(h.queue, packet{due: time.Now().Add(h.delay), data: append([]byte(nil), p...), last: last})
	time.AfterFunc(h.delay, h.more.Broadcast)
}

// arrive takes in what is due; what arrives at a silent end is lost.
func (h *wireHalf) arrive() {
	for len(h.queue) > 0 && !h.queue[0].due.After(time.Now()) {
		if p := h.queue[0]; !h.silent.Load() {
			h.buf, h.closed = append(h.buf, p.data...), h.closed || p.last
		}
		h.queue = h.queue[1:]
	}
}

func (h *wireHalf) Read(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.arrive(); len(h.buf) == 0; h.arrive() {
		if h.closed {
			return 0, io.EOF
		}
		h.more.Wait()
	}
	n := copy(p, h.buf)
	h.buf = h.buf[n:]
	return n, nil
}

type packet struct {
	due  time.Time
	data []byte
	last bool
}

// memConn is an end of an in-memory connection.
type memConn struct {
	in, out *wireHalf
	once    sync.Once
	gone    atomic.Bool
}

func memPipe(delay time.Duration) (a, b *memConn) {
	x, y := newHalf(delay), newHalf(delay)
	return &memConn{in: x, out: y}, &memConn{in: y, out: x}
}

func (c *memConn) Read(p []byte) (int, error) { return c.in.Read(p) }

func (c *memConn) Write(p []byte) (int, error) {
	if c.gone.Load() {
		return 0, net.ErrClosed
	}
	c.out.put(p, false)
	return len(p), nil
}

func (c *memConn) Close() error {
	c.once.Do(func() {
		c.gone.Store(true)
		c.out.put(nil, true)
		c.in.mu.Lock()
		defer c.in.mu.Unlock()
		c.in.closed = true
		c.in.more.Broadcast()
	})
	return nil
}

func (c *memConn) LocalAddr() net.Addr              { return &net.UnixAddr{Name: "memory"} }
func (c *memConn) RemoteAddr() net.Addr             { return &net.UnixAddr{Name: "memory"} }
func (c *memConn) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (c *memConn) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (c *memConn) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }

// virtual is a simulated node in virtual time.
type virtual struct {
	*server
	node  *Node
	pool  *Pool
	off   atomic.Bool // nothing arrives or leaves, and nothing says so
	hung  atomic.Bool // the kernel takes connections, nobody answers
	mu    sync.Mutex
	lines []*memConn
}

const oneWay = 40 * time.Millisecond

// inBubble runs a test in virtual time with a node that answers jobs by run.
func inBubble(t *testing.T, run func(wire.Job) wire.Frame, test func(t *testing.T, v *virtual)) {
	c := newCredentials(t)
	synctest.Test(t, func(t *testing.T) {
		v := &virtual{server: newServer(t, c)}
		v.session = native(run)
		c.trust(t, "node:22", v.host.PublicKey())
		v.pool = NewPool(Options{AgentSocket: "none", DialContext: v.dial})
		v.node = v.pool.Node(Target{Name: "LK_P_A", Host: "node", User: "admin", IdentityFiles: []string{c.identity}, KnownHosts: []string{c.known}, ConfigFile: "none"})
		defer v.down()
		test(t, v)
	})
}

// down ends everything, so that the bubble can end.
func (v *virtual) down() {
	v.pool.Close()
	v.mu.Lock()
	for _, l := range v.lines {
		l.Close()
		l.in.mu.Lock()
		l.in.closed = true
		l.in.more.Broadcast()
		l.in.mu.Unlock()
	}
	v.mu.Unlock()
	time.Sleep(2 * time.Hour) // until the last hanging job has ended
}

func (v *virtual) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	if v.off.Load() {
		<-ctx.Done()
		return nil, errors.New("i/o timeout")
	}
	time.Sleep(2 * oneWay)
	a, b := memPipe(oneWay)
	v.mu.Lock()
	v.lines = append(v.lines, b)
	v.mu.Unlock()
	if !v.hung.Load() {
		go v.serve(b)
	}
	return a, nil
}

// powerOff makes every connection silent.
func (v *virtual) powerOff() {
	v.off.Store(true)
	v.silence()
}

func (v *virtual) silence() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, l := range v.lines {
		l.in.silent.Store(true)
		l.out.silent.Store(true)
	}
}

func echo(j wire.Job) wire.Frame {
	return wire.Frame{Status: wire.Done, Stdout: []byte(j.Body)}
}

func TestWarmRunCostsOneRoundTrip(t *testing.T) {
	inBubble(t, echo, func(t *testing.T, v *virtual) {
		ctx := context.Background()
		if _, err := v.node.Run(ctx, sh("warm", "x")); err != nil {
			t.Fatal(err)
		}
		for _, jobs := range [][]wire.Job{{sh("a", "1")}, {sh("a", "1"), sh("b", "2"), sh("c", "3")}} {
			before, begin := v.pool.Stats(), time.Now()
			frames, err := v.node.RunAll(ctx, jobs)
			if err != nil || len(frames) != len(jobs) {
				t.Fatalf("got %v, %v", frames, err)
			}
			if took := time.Since(begin); took != 2*oneWay {
				t.Errorf("%d jobs took %s, one round trip is %s", len(jobs), took, 2*oneWay)
			}
			if now := v.pool.Stats(); now.RoundTrips != before.RoundTrips+1 || now.Dials != before.Dials {
				t.Errorf("before %+v, after %+v", before, now)
			}
		}
	})
}

func TestManyRequestsInFlight(t *testing.T) {
	slow := func(j wire.Job) wire.Frame {
		d, _ := time.ParseDuration(j.Body)
		time.Sleep(d)
		return echo(j)
	}
	inBubble(t, slow, func(t *testing.T, v *virtual) {
		v.node.Run(context.Background(), sh("warm", "0s"))
		begin := time.Now()
		var took [3]time.Duration
		var wg sync.WaitGroup
		for i, d := range []string{"20s", "1s", "0s"} {
			wg.Go(func() {
				if _, err := v.node.Run(context.Background(), sh("j", d)); err != nil {
					t.Error(err)
				}
				took[i] = time.Since(begin)
			})
		}
		wg.Wait()
		if want := [3]time.Duration{20*time.Second + 2*oneWay, time.Second + 2*oneWay, 2 * oneWay}; took != want {
			t.Errorf("took %v, want %v", took, want)
		}
	})
}

func TestCallerGivesUp(t *testing.T) {
	run := func(j wire.Job) wire.Frame {
		if j.ID == "slow" {
			time.Sleep(10 * time.Second)
		}
		return echo(j)
	}
	inBubble(t, run, func(t *testing.T, v *virtual) {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		frames, err := v.node.RunAll(ctx, []wire.Job{sh("quick", "yes"), sh("slow", "")})
		if KindOf(err) != Deadline || len(frames) != 1 || string(frames["quick"].Stdout) != "yes" {
			t.Fatalf("got %+v, %v", frames, err)
		}
		if want := "LK_P_A: run: context deadline exceeded (it was sent: what it did is unknown)"; err.Error() != want {
			t.Errorf("message %q", err)
		}
		if _, err := v.node.Run(context.Background(), sh("next", "ok")); err != nil {
			t.Error(err)
		}
		if st := v.pool.Stats(); st.Shells != 1 {
			t.Errorf("%d shells; one that a caller did not wait for is still good", st.Shells)
		}
	})
}

func TestKeepaliveNoticesDeadPeer(t *testing.T) {
	hang := func(j wire.Job) wire.Frame {
		if j.Body == "hang" {
			time.Sleep(time.Hour)
		}
		return echo(j)
	}
	inBubble(t, hang, func(t *testing.T, v *virtual) {
		v.node.Run(context.Background(), sh("warm", "x"))
		go func() { time.Sleep(time.Second); v.powerOff() }()
		begin := time.Now()
		_, err := v.node.Run(context.Background(), wire.Job{Body: "hang", Deadline: time.Hour})
		if KindOf(err) != Broken || !err.(*Error).Sent {
			t.Fatalf("got %v, want Broken and sent", err)
		}
		if took := time.Since(begin); took < 5*time.Second || took > 11*time.Second {
			t.Errorf("noticed after %s", took)
		}
		if want := "LK_P_A: run: connection lost: no answer to keepalive within 5s (it was sent: what it did is unknown)"; err.Error() != want {
			t.Errorf("message %q\nwant    %q", err, want)
		}
	})
}

func TestBackoffAndReturn(t *testing.T) {
	inBubble(t, echo, func(t *testing.T, v *virtual) {
		v.off.Store(true)
		ctx := context.Background()
		for range 40 {
			if _, err := v.node.Run(ctx, sh("a", "x")); KindOf(err) != Unreachable {
				t.Fatalf("got %v", err)
			}
			time.Sleep(time.Second)
		}
		if d := v.pool.Stats().Dials; d > 15 || d < 3 {
			t.Errorf("%d dials in 40 calls over minutes", d)
		}
		v.off.Store(false)
		time.Sleep(6 * time.Second)
		if _, err := v.node.Run(ctx, sh("a", "x")); err != nil {
			t.Errorf("the node is back: %v", err)
		}
	})
}

func beat(v *virtual) Pulse {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return v.node.Beat(ctx, "beat")
}

func TestBeatLevels(t *testing.T) {
	var hang atomic.Bool
	run := func(j wire.Job) wire.Frame {
		for hang.Load() {
			time.Sleep(10 * time.Millisecond)
		}
		return echo(j)
	}
	inBubble(t, run, func(t *testing.T, v *virtual) {
		beat(v)
		p := beat(v)
		if !p.Path || !p.Function || p.RTT != 2*oneWay || p.Output != "beat" || p.Err != nil {
			t.Errorf("healthy: %+v", p)
		}
		hang.Store(true)
		for range 5 {
			begin := time.Now()
			if p = beat(v); !p.Path || p.Function || p.Err == nil {
				t.Errorf("hung: %+v", p)
			}
			if took := time.Since(begin); took > time.Second {
				t.Errorf("took %s", took)
			}
		}
		if got := v.pool.Stats().RoundTrips; got != 3 {
			t.Errorf("%d heartbeats were sent to a node that hangs, want 1 after the first two", got-2)
		}
		hang.Store(false)
		if p = beat(v); !p.Function {
			t.Errorf("well again: %+v", p)
		}
		v.powerOff()
		for range 5 {
			if p = beat(v); p.Path || p.Function || p.Err == nil {
				t.Errorf("off: %+v", p)
			}
		}
		time.Sleep(20 * time.Second) // keepalive gives the old connection up
		v.off.Store(false)
		if p = beat(v); !p.Function {
			p = beat(v)
		}
		if !p.Path || !p.Function {
			t.Errorf("rebooted: %+v", p)
		}
	})
}

func TestBeatNotDelayedByBulk(t *testing.T) {
	inBubble(t, echo, func(t *testing.T, v *virtual) {
		beat(v)
		go v.node.Run(context.Background(), wire.Job{Body: "x", Stdin: make([]byte, wire.MaxText)})
		time.Sleep(time.Millisecond)
		if p := beat(v); !p.Function || p.RTT > 3*oneWay {
			t.Errorf("heartbeat beside a megabyte: %+v", p)
		}
	})
}

func TestHungShellIsReplaced(t *testing.T) {
	var hang atomic.Bool
	hang.Store(true)
	run := func(j wire.Job) wire.Frame {
		if hang.Load() {
			time.Sleep(time.Hour)
		}
		return echo(j)
	}
	inBubble(t, run, func(t *testing.T, v *virtual) {
		begin := time.Now()
		_, err := v.node.Run(context.Background(), wire.Job{Body: "x", Deadline: 10 * time.Second})
		if KindOf(err) != Deadline || time.Since(begin) > 16*time.Second {
			t.Fatalf("got %v after %s", err, time.Since(begin))
		}
		hang.Store(false)
		if _, err := v.node.Run(context.Background(), sh("a", "x")); err != nil {
			t.Fatal(err)
		}
		if st := v.pool.Stats(); st.Shells != 2 || st.Dials != 1 {
			t.Errorf("%+v; want a second shell on the same connection", st)
		}
	})
}

func TestLoginHangs(t *testing.T) {
	inBubble(t, echo, func(t *testing.T, v *virtual) {
		v.hung.Store(true)
		begin := time.Now()
		_, err := v.node.Run(context.Background(), sh("a", "x"))
		if KindOf(err) != Unreachable || time.Since(begin) > 11*time.Second {
			t.Fatalf("got %v after %s", err, time.Since(begin))
		}
		if want := "LK_P_A: connect: node:22 took the connection but did not finish the login in time; the node may hang: look at its console"; err.Error() != want {
			t.Errorf("message %q", err)
		}
		if p := beat(v); !p.Path || p.Function {
			t.Errorf("pulse %+v", p)
		}
	})
}

func TestClosedPool(t *testing.T) {
	inBubble(t, echo, func(t *testing.T, v *virtual) {
		v.node.Run(context.Background(), sh("a", "x"))
		v.pool.Close()
		if _, err := v.node.Run(context.Background(), sh("a", "x")); KindOf(err) != Closed {
			t.Errorf("got %v", err)
		}
	})
}
