package view

import (
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/policy"
)

// Simulation is what would be decided, with the reasons, and the plans.
func Simulation(s *policy.Simulated, st term.Style, now time.Time) string {
	p := newPage(st, now)
	ds := s.Decisions
	if len(ds) == 0 {
		p.line("nothing to decide: everything stays as it is")
	}
	for i := range ds {
		d := &ds[i]
		p.wrapped(p.st.Paint(actionTone(d.Action), name(string(d.Tag)))+": ", term.Bold, decisionText(d, st)+meaning(d.Action))
		for _, r := range d.Reasons {
			p.wrapped("  - ", term.Plain, nodeReason(r))
		}
	}
	for _, pl := range s.Plans {
		p.line("")
		p.plan(pl)
	}
	return p.String()
}

func actionTone(a policy.ActionKind) term.Tone {
	switch a {
	case policy.DoNothing:
		return term.Dim
	case policy.DoRecover, policy.DoFailover, policy.DoSwitchback:
		return term.Good
	case policy.DoConfirm:
		return term.Alarm
	}
	return term.Warn
}

func meaning(a policy.ActionKind) string {
	switch a {
	case policy.DoNothing:
		return " (nothing moves)"
	case policy.DoRecover:
		return " (a repair on the spot)"
	case policy.DoFailover:
		return " (by itself)"
	case policy.DoSwitchback:
		return " (back to the better node, by itself)"
	case policy.DoConfirm:
		return " (a person is asked first)"
	case policy.DoHold:
		return " (automation leaves it alone)"
	}
	return ""
}
