package lab

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

const (
	startTimeout = imageTimeout + 5*time.Minute
	resetTimeout = 3 * time.Minute
	// turnTimeout is how long a test binary waits for another one's lab to end. Two labs at once work, but slowly.
	turnTimeout = 4 * time.Minute
)

// Shared is one lab for all tests of a test binary, booted when the first test asks for it:
//
//	var estate = lab.NewShared(lab.Options{})
//
//	func TestMain(m *testing.M) { os.Exit(estate.Main(m)) }
//
//	func TestFailover(t *testing.T) {
//		l := estate.Lab(t)
//		...
//	}
type Shared struct {
	options Options
	turn    *turn

	mu  sync.Mutex
	lab *Lab
	err error
}

// turn is what the labs of one test binary have in common: one of them runs at a time.
type turn struct {
	mu    sync.Mutex
	holds *Shared // whose lab runs
	leave func()  // gives up this binary's turn
}

// NewShared prepares a lab and boots nothing.
func NewShared(o Options) *Shared { return &Shared{options: o, turn: &turn{}} }

// Another prepares a second lab for the same test binary, with another topology for instance. When a test asks for it the
// first one is closed, and the other way round: order the tests so that it happens once.
func (s *Shared) Another(o Options) *Shared { return &Shared{options: o, turn: s.turn} }

// Main runs the tests and closes the lab that they used, if any. Its result is for os.Exit.
func (s *Shared) Main(m *testing.M) int {
	code := m.Run()
	s.turn.mu.Lock()
	defer s.turn.mu.Unlock()
	if s.turn.holds != nil {
		if err := s.turn.holds.close(); err != nil {
			fmt.Fprintln(os.Stderr, "closing the lab:", err)
			code = max(code, 1)
		}
	}
	if s.turn.leave != nil {
		s.turn.leave()
	}
	return code
}

func (s *Shared) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lab
	s.lab, s.err = nil, nil
	if l == nil {
		return nil
	}
	return l.Close()
}

// Lab returns the lab in its first state, for one test at a time. It skips the test where labs are not asked for
// (FERRY_LAB is not 1) or not possible (no Linux, no root), saying which; where they are asked for and something else is
// missing, the test fails. When a test fails the guests' consoles are added to its log.
func (s *Shared) Lab(t testing.TB) *Lab {
	t.Helper()
	SkipUnlessEnabled(t)
	if err := s.takeOver(); err != nil {
		t.Fatalf("closing the lab of earlier tests: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prepare(t)
	if s.err != nil {
		t.Fatalf("no lab: %v", s.err)
	}
	l := s.lab
	t.Cleanup(func() {
		if t.Failed() {
			for _, g := range l.Guests() {
				t.Logf("console of %s (running: %t):\n%s", g.Name(), g.Running(), g.Console(15))
			}
		}
	})
	return l
}

// takeOver ends the lab of the same binary that ran before this one, if it is another.
func (s *Shared) takeOver() error {
	s.turn.mu.Lock()
	defer s.turn.mu.Unlock()
	before := s.turn.holds
	s.turn.holds = s
	if before == nil || before == s {
		return nil
	}
	return before.close()
}

// prepare boots the lab the first time and resets it later.
func (s *Shared) prepare(t testing.TB) {
	if s.lab == nil && s.err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		s.takeTurn(ctx, t)
		if s.options.Log == nil {
			s.options.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
		}
		s.lab, s.err = Start(ctx, s.options)
		return
	}
	if s.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), resetTimeout)
	defer cancel()
	if _, err := s.lab.Reset(ctx); err != nil {
		t.Fatalf("resetting the lab: %v", err)
	}
}

// takeTurn waits until no other test binary on this machine has a lab, within reason.
func (s *Shared) takeTurn(ctx context.Context, t testing.TB) {
	s.turn.mu.Lock()
	defer s.turn.mu.Unlock()
	if s.turn.leave != nil {
		return
	}
	cache, err := CacheDir()
	if err != nil || os.MkdirAll(cache, 0o755) != nil {
		return // Start will say what is wrong
	}
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	leave, err := lockFile(ctx, filepath.Join(cache, "turn.lock"))
	if err != nil {
		t.Logf("another lab is still running after %v; going ahead beside it", turnTimeout)
		return
	}
	s.turn.leave = leave
}

// SkipUnlessEnabled skips a test where the lab is not asked for or cannot be.
func SkipUnlessEnabled(t testing.TB) {
	t.Helper()
	switch err := supported(); {
	case os.Getenv("FERRY_LAB") != "1":
		t.Skip("lab tests boot Linux guests; set FERRY_LAB=1 to run them (make test does, on Debian as root)")
	case err != nil:
		t.Skip(err)
	case os.Geteuid() != 0:
		t.Skip("lab tests need root: they make network namespaces and tap devices")
	}
}
