package chaos

import (
	"slices"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// TestDrawnScenariosSurviveTheirFile: what is drawn is valid, the same for the same
// seed, and the same after it was written to a file and read again.
func TestDrawnScenariosSurviveTheirFile(t *testing.T) {
	for seed := uint64(1); seed <= 300; seed++ {
		sc := Draw(seed, Long())
		if text := Draw(seed, Long()).String(); text != sc.String() {
			t.Fatalf("seed %d gives two scenarios", seed)
		}
		if ps := hierarchy.Validate(sc.Shape.Estate(), registry(nil)); len(ps) > 0 {
			t.Fatalf("seed %d: %v\n%s", seed, ps, sc)
		}
		read, err := Parse(sc.String())
		if err != nil || read.String() != sc.String() {
			t.Fatalf("seed %d: %v\n%s\nread back as\n%s", seed, err, sc, read)
		}
	}
}

// TestEveryMisfortuneIsDrawn: nothing that can happen is left out by the dice.
func TestEveryMisfortuneIsDrawn(t *testing.T) {
	seen := map[string]bool{}
	for seed := uint64(1); seed <= 300; seed++ {
		for _, e := range Draw(seed, Long()).Events {
			seen[e.Do] = true
		}
	}
	for name := range deeds {
		if !seen[name] {
			t.Errorf("nobody ever does %s", name)
		}
	}
}

func TestParseRefusesWhatIsNoScenario(t *testing.T) {
	for text, want := range map[string]string{
		"at 1s fly n1":               "nobody can fly",
		"at soon kill n1 a":          "invalid duration",
		"resource a app":             "not a line",
		"hello":                      "not a line",
		"regions r1\nnode n1 r2\n":   "not valid",
		"regions r1\nseed seventeen": "invalid syntax",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// TestShrinkKeepsWhatMatters: of a long schedule two events matter.
func TestShrinkKeepsWhatMatters(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		sc := Draw(seed, Long())
		a, b := sc.Events[1].String(), sc.Events[len(sc.Events)/2].String()
		has := func(sc Scenario, line string) bool {
			return slices.ContainsFunc(sc.Events, func(e Event) bool { return strings.SplitN(e.String(), " ", 3)[2] == strings.SplitN(line, " ", 3)[2] })
		}
		small := Shrink(sc, 2000, func(sc Scenario) bool { return has(sc, a) && has(sc, b) })
		if len(small.Events) > 2 || len(small.Shape.Resources) > 1 && small.Shape.Resources[1].Needs == nil {
			t.Errorf("seed %d: left with\n%s", seed, small)
		}
		if !has(small, a) || !has(small, b) {
			t.Errorf("seed %d: what mattered is gone:\n%s", seed, small)
		}
	}
}
