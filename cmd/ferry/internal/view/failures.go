package view

import (
	"fmt"
	"slices"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/doctor"
)

// Failures is the matrix of every single failure: what it does to each hierarchy, and why. What goes on without a word
// to say about it is left out.
func Failures(lines []doctor.MatrixLine, st term.Style, now time.Time) string {
	p := newPage(st, now)
	for _, l := range lines {
		p.wrapped("", term.Bold, term.Clean(l.Failure))
		told := slices.DeleteFunc(slices.Clone(l.Consequences), func(c doctor.Consequence) bool {
			return c.Outcome == doctor.GoesOn && len(c.Why) == 0
		})
		switch {
		case len(told) == 0 && l.Apart:
			p.line("  nothing more than the regions' being apart does")
		case len(told) == 0:
			p.line("  everything goes on")
		}
		for _, c := range told {
			p.wrapped("  "+name(string(c.Tag))+" ", failureTone(c.Outcome), consequence(c, st))
			for _, r := range c.Why {
				p.wrapped("    - ", term.Plain, nodeReason(r))
			}
		}
	}
	return p.String()
}

func failureTone(o doctor.Outcome) term.Tone {
	return map[doctor.Outcome]term.Tone{doctor.GoesOn: term.Good, doctor.FailsOver: term.Good, doctor.Asks: term.Alarm, doctor.Stops: term.Bad}[o]
}

func consequence(c doctor.Consequence, st term.Style) string {
	switch c.Outcome {
	case doctor.FailsOver:
		return fmt.Sprintf("fails over %s %s %s", name(c.At), st.Mark(term.Arrow), name(c.To))
	case doctor.Asks:
		return fmt.Sprintf("asks a person before it moves %s %s %s", name(c.At), st.Mark(term.Arrow), name(c.To))
	case doctor.Stops:
		return fmt.Sprintf("stops on %s, and nothing moves by itself", name(c.At))
	}
	return "goes on at " + name(c.At)
}
