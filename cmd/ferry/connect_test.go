package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/policy"
)

// TestALocalEngineLooksBeforeItShows: a status of nothing but unknowns, given
// because nobody waited for the first check, would be no status.
func TestALocalEngineLooksBeforeItShows(t *testing.T) {
	for name, c := range map[string]struct {
		local, looks bool
		after, want  time.Duration
	}{
		"seen after 2s":     {true, true, 2 * time.Second, 2 * time.Second},
		"never seen":        {true, false, 0, lookWithin},
		"engine of its own": {false, false, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(env(map[string]string{"FERRY_FAKE": "calm"}))
				blind, _ := scene("calm")
				blind.Nodes[1].Seen, blind.Nodes[1].Verdict = time.Time{}, policy.Unknown
				full := f.snap
				f.snap = blind
				if c.looks {
					time.AfterFunc(c.after, func() { f.mu.Lock(); f.snap = full; f.mu.Unlock() })
				}
				began := time.Now()
				s, err := (&conn{Service: f, local: c.local}).looked(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if d := time.Since(began); d < c.want || d > c.want+time.Second {
					t.Errorf("took %s, want %s", d, c.want)
				}
				if seen := s.Nodes[1].Verdict == policy.Alive; seen != c.looks {
					t.Errorf("seen: %v, want %v", seen, c.looks)
				}
			})
		})
	}
}

// TestLooksWaitsForChecksOnReachedNodesOnly: what a dead node runs cannot be seen.
func TestLooksWaitsForChecksOnReachedNodesOnly(t *testing.T) {
	s, _ := scene("question") // LK_P_A dead, LK_P_B presumed dead
	since := s.Engine.Since
	s.Nodes[0].Seen, s.Nodes[1].Seen = since.Add(-time.Hour), since.Add(-time.Hour)
	s.Resources[0].On[0].Checked = time.Time{}
	if !looks(s) {
		t.Error("waits for a check on a dead node")
	}
	s.Resources[0].On[2].Checked = time.Time{}
	if looks(s) {
		t.Error("does not wait for a check on a node that answers")
	}
}
