//go:build unix

package api

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/policy"
)

func next(t *testing.T, ch <-chan Update) (Update, bool) {
	t.Helper()
	select {
	case u, ok := <-ch:
		return u, ok
	case <-time.After(10 * time.Second):
		t.Fatal("no update and no end")
		return Update{}, false
	}
}

func TestWatching(t *testing.T) {
	r := start(t, func(o *Options) { o.beat = time.Millisecond }) // beats between the updates
	ch, err := r.dial(t).Watch(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		time.Sleep(time.Millisecond)
		r.updates <- Update{Revision: int64(i), Event: &Event{Seq: int64(i), Event: policy.Event{Node: "LK_P_A\n"}}}
		if u, ok := next(t, ch); !ok || u.Revision != int64(i) || u.Event.Node != "LK_P_A\n" {
			t.Fatalf("update %d: %+v, %v", i, u, ok)
		}
	}
	close(r.updates) // the engine ends the feed
	if _, ok := next(t, ch); ok {
		t.Fatal("the watch went on")
	}
}

func TestAWatchEndsWithItsContext(t *testing.T) {
	r := start(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	ch, err := r.dial(t).Watch(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, ok := next(t, ch); ok {
		t.Fatal("the watch went on")
	}
}

func TestTheEngineStopsDuringAWatch(t *testing.T) {
	r := start(t, nil)
	c := r.dial(t)
	ch, err := c.Watch(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	r.stop()
	if _, ok := next(t, ch); ok {
		t.Fatal("the watch went on")
	}
	if err := <-r.ended; err != nil {
		t.Fatalf("serving ended with %v", err)
	}
	_, err = c.Snapshot(t.Context())
	if AsError(err).Kind != KindUnavailable || AsError(err).Hint == "" {
		t.Fatalf("after the end: %v", err)
	}
}

func TestTooManyWatches(t *testing.T) {
	r := start(t, nil)
	c := r.dial(t)
	ctx, cancel := context.WithCancel(t.Context())
	for i := range maxWatches {
		if _, err := c.Watch(ctx, 0); err != nil {
			t.Fatalf("watch %d: %v", i, err)
		}
	}
	if _, err := c.Watch(ctx, 0); AsError(err).Kind != KindBusy {
		t.Fatalf("one more: %v", err)
	}
	cancel()
	for { // the places come back
		_, err := c.Watch(t.Context(), 0)
		if err == nil {
			return
		}
		if t.Context().Err() != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
}

// pipes is a listener for connections in memory, for tests in virtual time.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), done: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}
func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }
func (p *pipes) dial(ctx context.Context) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.conns <- there:
		return here, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// inBubble runs f with a server and a client in virtual time.
func inBubble(t *testing.T, f func(t *testing.T, e *fake, c *Client)) {
	synctest.Test(t, func(t *testing.T) {
		p := newPipes()
		e := &fake{updates: make(chan Update)}
		s := &Server{opts: Options{credential: as(Administrator)}.defaults(), socket: &socket{listener: p, unlock: func() {}},
			leaving: make(chan struct{}), watches: make(chan struct{}, maxWatches)}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error)
		go func() { ended <- s.Serve(ctx, e) }()
		c, err := DialFunc(context.Background(), "pipe", p.dial)
		if err != nil {
			t.Fatal(err)
		}
		f(t, e, c)
		_ = c.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	})
}

func TestDeadlines(t *testing.T) {
	inBubble(t, func(t *testing.T, e *fake, c *Client) {
		e.block = true
		for _, u := range uses() {
			if u.name == "whoami" || u.name == "watch" {
				continue
			}
			began := time.Now()
			_, err := u.do(context.Background(), c)
			took := time.Since(began)
			want := quick
			if u.name == "preview" || u.name == "compare" || u.name == "apply" || u.name == "choices" || u.name == "children" {
				want = slow
			}
			if AsError(err).Kind != KindTimeout || took < want || took > want+time.Second {
				t.Errorf("%s ended after %v with %v", u.name, took, err)
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		began := time.Now()
		_, err := c.Preview(ctx, Command{})
		if AsError(err).Kind != KindTimeout || time.Since(began) != time.Second {
			t.Errorf("the caller's own deadline: after %v %v", time.Since(began), err)
		}
		ctx, stop := context.WithCancel(context.Background())
		time.AfterFunc(time.Second, stop)
		if _, err := c.Preview(ctx, Command{}); !errors.Is(err, context.Canceled) {
			t.Errorf("the caller went away: %v", err)
		}
	})
}

// A quiet hour is no dead engine, since the server beats.
func TestAQuietWatchLives(t *testing.T) {
	inBubble(t, func(t *testing.T, e *fake, c *Client) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		ch, err := c.Watch(ctx, 0)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		go func() { e.updates <- Update{Revision: 9} }()
		if u, ok := <-ch; !ok || u.Revision != 9 {
			t.Fatalf("after an hour: %v %v", u, ok)
		}
	})
}

// A frozen engine is noticed: its kernel keeps the connection, nothing comes.
func TestAFrozenEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Client{where: "pipe", silence: 3 * watchBeat, http: httpOver(func(context.Context) (net.Conn, error) {
			here, there := net.Pipe()
			go func() {
				buf := make([]byte, 4096)
				_, _ = there.Read(buf)
				fmt.Fprintf(there, "HTTP/1.1 200 OK\r\n%s: %s\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n\n\r\n", versionHeader, Version)
				_, _ = there.Read(buf) // until the client hangs up
			}()
			return here, nil
		})}
		began := time.Now()
		ch, err := c.Watch(context.Background(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := <-ch; ok {
			t.Fatal("an update from nowhere")
		}
		if took := time.Since(began); took != 3*watchBeat {
			t.Fatalf("noticed after %v", took)
		}
	})
}
