package e2e

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// confirms sets how many seconds a question waits (CONFIRMSOTO), and what holds when
// nobody answers (CONFIRMSODEF: 0 it moves, 1 nothing does).
func confirms(seconds, otherwise string) func(*hierarchy.Estate) {
	return func(e *hierarchy.Estate) {
		for i := range e.Cluster { // without it, a definition in which a silence crosses is refused
			e.Cluster[i].AllowAutomaticCrossing = otherwise == "0"
		}
		for i := range e.Servers {
			e.Servers[i].Tuning["CONFIRMSOTO"], e.Servers[i].Tuning["CONFIRMSODEF"] = seconds, otherwise
		}
	}
}

// silence is a console in front of a question that nobody will answer.
type silence struct {
	*desked
	pane           *pane
	otherwise      string
	warns, outcome string // what it says before and after
	serves         string // where the service is afterwards; empty = nowhere
	first          string // the countdown as it was seen first
}

// left is the countdown.
var left = regexp.MustCompile(`[\d.]+s left`)

// Nobody answers: the time runs out before everybody's eyes, and what was said that
// would follow does. Both rules at once, each on an estate of its own: it is mostly waiting.
func TestTmuxExpired(t *testing.T) {
	t.Parallel()
	all := []*silence{
		{otherwise: "1", warns: "nothing moves.", outcome: "Nobody answered: nothing moves"},
		{otherwise: "0", warns: "IT MOVES.", outcome: "Nobody answered: it moves", serves: "LK_S_A"},
	}
	for _, s := range all {
		s.desked = deskWorld(t, confirms("12", s.otherwise))
		s.pane = s.console(t, 100, 30)
		s.pane.see("ISP")
		s.toggle("power/LK_P_A")
	}
	for _, s := range all {
		s.settled("LK_P_B")
		s.toggle("power/LK_P_B")
	}
	for _, s := range all {
		s.first = left.FindString(s.pane.see("Question", "NOT PROVEN DEAD", "Without an answer by", s.warns, "s left"))
	}
	for _, s := range all {
		s.counts(t)
	}
	for _, s := range all {
		s.pane.see(s.outcome)
		s.follows(t)
	}
}

// counts waits until the countdown has moved.
func (s *silence) counts(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(realPatience); ; time.Sleep(100 * time.Millisecond) {
		screen := s.pane.screen()
		if now := left.FindString(screen); now != "" && now != s.first || strings.Contains(screen, s.outcome) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the time stands at %s:\n%s", s.first, screen)
		}
	}
}

// follows tells that it came as it was said, and is kept.
func (s *silence) follows(t *testing.T) {
	t.Helper()
	s.pane.press("Escape")
	if s.serves != "" {
		s.settled(s.serves)
	} else if n := s.Probe().Node; n != "" {
		t.Errorf("it moved to %s though nobody answered", n)
	}
	s.pane.press("6")
	s.pane.see(s.outcome)
	if out := s.says(t, "confirm", "list", "--all"); !strings.Contains(out, "expired") {
		t.Errorf("ferry confirm list says\n%s", out)
	}
	s.pane.press("q")
	s.pane.see("ended with 0")
}
