package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// applySeeds are those that TestApplyKilledAnywhere plays; FERRY_SEED=N plays that one alone.
func applySeeds(t *testing.T) []uint64 {
	t.Helper()
	if text := os.Getenv("FERRY_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return []uint64{n}
	}
	var all []uint64
	for n := range uint64(10) {
		all = append(all, n+1)
	}
	if testing.Short() {
		return all[:4]
	}
	return all
}

// TestApplyKilledAnywhere: apply is interrupted, and the engine under it killed, at random points up to four times. Run
// again it brings everything up that is left, and then finds nothing to do.
func TestApplyKilledAnywhere(t *testing.T) {
	for _, seed := range applySeeds(t) {
		c := estates[seed%uint64(len(estates))]
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			bareSite(t, c.example, func(s *site) {
				rnd := rand.New(rand.NewPCG(seed, 0))
				for i := range 1 + rnd.IntN(4) {
					t.Logf("%s, %d: %s", c.example, i+1, s.disturbed(rnd))
				}
				s.must(0, "apply FILE --in-service --wait-sync --yes", c.root+" in service on LK_P_A")
				s.serving(c.mirror)
				ops := s.operations()
				s.must(0, "apply FILE --in-service --yes", "nothing to do")
				if s.operations() != ops {
					t.Errorf("there were %d operations, and are %d after an apply that said it did nothing", ops, s.operations())
				}
			})
		})
	}
}

// TestApplyInterrupted: Ctrl-C leaves the engine to go on, and says how to go on oneself.
func TestApplyInterrupted(t *testing.T) {
	bareSite(t, estates[0].example, func(s *site) {
		ctx, cancel := context.WithCancel(s.t.Context())
		time.AfterFunc(600*time.Millisecond, cancel) // in the middle of the first hierarchy
		code, _, errs := s.run(ctx, "apply FILE --in-service --yes")
		for _, want := range []string{"goes on in the engine\n", "the same command goes on where this one stopped: ferry apply ", "error: interrupted\n"} {
			if !strings.Contains(errs, want) {
				t.Errorf("%q is not in\n%s", want, errs)
			}
		}
		if code != 1 {
			t.Errorf("exit code %d, want 1", code)
		}
		s.must(0, "apply FILE --in-service --yes", "service/pg-15 in service on LK_P_A")
		if n := s.operations(); n != 3 {
			t.Errorf("%d operations for 3 hierarchies:\n%s", n, s.story())
		}
	})
}

// disturbed runs apply and ends it, the engine, or both, at a random moment; it tells what was done.
func (s *site) disturbed(rnd *rand.Rand) string {
	s.t.Helper()
	after := time.Duration(rnd.IntN(14000)) * time.Millisecond
	if rnd.IntN(2) == 0 { // most happens within the first seconds
		after = time.Duration(rnd.IntN(3500)) * time.Millisecond
	}
	away := time.Duration(rnd.IntN(90)) * time.Second
	interrupt, kill := rnd.IntN(2) == 0, rnd.IntN(3) > 0
	ctx, cancel := context.WithCancel(s.t.Context())
	defer cancel()
	ended := make(chan string, 1)
	go func() {
		code, out, errs := s.run(ctx, "apply FILE --in-service --yes")
		ended <- fmt.Sprintf("exit %d %s", code, lastLine(errs+out))
	}()
	time.Sleep(after)
	if interrupt {
		cancel()
	}
	if kill {
		s.kill()
		time.Sleep(away)
		s.open()
	}
	return fmt.Sprintf("after %s interrupted %v, engine killed %v and back after %s: %s", after, interrupt, kill, away, <-ended)
}

func lastLine(text string) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return all[len(all)-1]
}
