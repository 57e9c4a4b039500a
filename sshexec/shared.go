package sshexec

import (
	"context"
	"sync"
)

// shared holds something that is made when it is first needed, used by many, and made anew after it died. While
// one caller makes it the others wait, each no longer than its own context.
type shared[T interface{ alive() bool }] struct {
	mu     sync.Mutex
	cur    T
	have   bool
	flight *flight[T]
}

type flight[T any] struct {
	done chan struct{}
	val  T
	err  error
}

// get returns the living one or makes it. The making goes on under life when the caller that started it leaves:
// the next caller will want it.
func (s *shared[T]) get(ctx, life context.Context, create func(context.Context) (T, error)) (T, error) {
	s.mu.Lock()
	if s.have && s.cur.alive() {
		defer s.mu.Unlock()
		return s.cur, nil
	}
	f := s.flight
	if f == nil {
		f = &flight[T]{done: make(chan struct{})}
		s.flight = f
		go s.make(life, f, create)
	}
	s.mu.Unlock()
	select {
	case <-f.done:
		return f.val, f.err
	case <-ctx.Done():
		var none T
		return none, ended(ctx)
	}
}

func (s *shared[T]) make(life context.Context, f *flight[T], create func(context.Context) (T, error)) {
	f.val, f.err = create(life)
	s.mu.Lock()
	if f.err == nil {
		s.cur, s.have = f.val, true
	}
	s.flight = nil
	s.mu.Unlock()
	close(f.done)
}

// peek returns the living one, if there is one.
func (s *shared[T]) peek() (T, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cur, s.have && s.cur.alive()
}
