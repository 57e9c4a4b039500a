package sim

import (
	"context"
	"errors"
	"net"
	"sync"
)

// ErrKilled is what everything of a killed engine comes back with.
var ErrKilled = errors.New("the engine was killed")

// Line is an engine's way to the nodes. A killed engine's is torn: what was open
// breaks, nothing new is opened. It may be used from many goroutines.
type Line struct {
	dial func(context.Context, string, string) (net.Conn, error)

	mu    sync.Mutex
	conns map[net.Conn]bool
	torn  bool
}

// NewLine is a line over dial (nodesim.World.DialContext).
func NewLine(dial func(context.Context, string, string) (net.Conn, error)) *Line {
	return &Line{dial: dial, conns: map[net.Conn]bool{}}
}

// DialContext implements fleet.Dialer.
func (l *Line) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := l.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.torn {
		_ = c.Close()
		return nil, ErrKilled
	}
	l.conns[c] = true
	return &held{c, l}, nil
}

// Tear breaks every connection, as kill -9 does.
func (l *Line) Tear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.torn = true
	for c := range l.conns {
		_ = c.Close()
	}
}

// held leaves the line's books when it is closed.
type held struct {
	net.Conn
	l *Line
}

func (h *held) Close() error {
	h.l.mu.Lock()
	delete(h.l.conns, h.Conn)
	h.l.mu.Unlock()
	return h.Conn.Close()
}
