package view

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Preview is what a command would do: its steps with their effects, where there
// is no way back, what was said against it, what stays as it is.
func Preview(pv *api.Preview, command string, st term.Style, now time.Time) string {
	p := newPage(st, now)
	if pv.Refused != nil && len(pv.Plan.Steps) == 0 {
		p.line("%s", p.st.Paint(term.Bold, "No plan: "+Headline(pv.Plan.Goal, p.st)))
		p.wrapped("  refused: ", term.Plain, Reason(pv.Refused.Reason))
		return p.String()
	}
	p.plan(pv.Plan)
	p.consents(pv)
	p.objections(pv)
	if pv.Crosses != "" {
		p.wrapped(p.st.Paint(term.Alarm, " CROSSES REGIONS ")+" ", term.Bold, "the service moves to region "+name(pv.Crosses))
	}
	if command != "" {
		p.line("Same as: %s", p.st.Paint(term.Name, command))
	}
	return p.String()
}

// Headline says what a goal is in one line.
func Headline(g plan.Goal, st term.Style) string {
	tag, node := name(string(g.Tag)), name(g.Node)
	switch g.Kind {
	case plan.GoalInService:
		if g.From != "" && g.From != g.Node {
			return fmt.Sprintf("switch over %s: %s %s %s", tag, name(g.From), st.Mark(term.Arrow), node)
		}
		return fmt.Sprintf("in service: %s on %s", tag, node)
	case plan.GoalOutOfService:
		if node == "" {
			node = name(g.From)
		}
		if node == "" {
			return "out of service: " + tag
		}
		return fmt.Sprintf("out of service: %s on %s", tag, node)
	case plan.GoalFailover:
		return fmt.Sprintf("fail over %s: %s %s %s", tag, name(g.From), st.Mark(term.Arrow), node)
	case plan.GoalRecover:
		return fmt.Sprintf("recover %s on %s", tag, node)
	case plan.GoalAdopt:
		return fmt.Sprintf("claim %s for %s, where it runs", tag, node)
	case plan.GoalStopStale:
		return fmt.Sprintf("stop what is left of %s on %s", tag, node)
	}
	return fmt.Sprintf("%s %s %s", name(string(g.Kind)), tag, node)
}

func (p *page) plan(pl plan.Plan) {
	p.line("%s", p.st.Paint(term.Bold, "Plan: "+Headline(pl.Goal, p.st)))
	if len(pl.Steps) == 0 {
		p.line("  nothing to do")
	}
	gone := false
	w := stepWidths(pl.Steps)
	for i, s := range pl.Steps {
		if s.NoReturn && !gone {
			gone = true
			if i > 0 { // before the first step there is nothing to go back from
				p.pointOfNoReturn()
			}
		}
		p.step(i, s, w)
	}
	for _, n := range pl.Notes {
		p.wrapped(p.st.Paint(term.Warn, "  note: "), term.Plain, Reason(n))
	}
	for i, u := range pl.Untouched {
		lead := "  left alone: "
		if i > 0 {
			lead = strings.Repeat(" ", len(lead))
		}
		p.wrapped(lead, term.Plain, term.Clean(u))
	}
}

func (p *page) pointOfNoReturn() {
	text := " point of no return: from here it only goes forward "
	side := strings.Repeat(p.st.Mark(term.Rule), max((min(p.st.Columns(), 80)-len(text)-4)/2, 1))
	p.line("  %s", p.st.Paint(term.Warn, side+text+side))
}

type stepCols struct{ no, kind, what, node int }

func stepWidths(steps []plan.Step) stepCols {
	w := stepCols{no: len(fmt.Sprint(len(steps)))}
	for _, s := range steps {
		w.kind = max(w.kind, len(stepWord(s)))
		w.what = max(w.what, term.Width(stepWhat(s)))
		w.node = max(w.node, term.Width(name(s.Node)))
	}
	return w
}

func stepWord(s plan.Step) string {
	if s.Kind == plan.StepEligible {
		return "ask"
	}
	return name(string(s.Kind))
}

func stepWhat(s plan.Step) string {
	switch {
	case s.Tag != "":
		return short(s.Tag)
	case len(s.Tags) == 1:
		return short(s.Tags[0])
	case len(s.Tags) > 1:
		return fmt.Sprintf("%d resources", len(s.Tags))
	}
	return ""
}

// step draws one step; the first effect stands beside it when there is room.
func (p *page) step(i int, s plan.Step, w stepCols) {
	lead := fmt.Sprintf("  %s  %s  %s  %s", term.PadLeft(fmt.Sprint(i+1), w.no), term.Pad(stepWord(s), w.kind),
		term.Pad(stepWhat(s), w.what), term.Pad(name(s.Node), w.node))
	effects := p.effects(s)
	if len(effects) == 0 {
		p.line("%s", lead)
		return
	}
	in := strings.Repeat(" ", w.no+6)
	beside := term.Width(lead) + 2
	if beside+widest(effects) <= p.st.Columns() {
		p.line("%s  %s", lead, effects[0])
		effects, in = effects[1:], strings.Repeat(" ", beside)
	} else {
		p.line("%s", lead)
	}
	for _, e := range effects {
		p.wrapped(in, term.Plain, e)
	}
}

func widest(texts []string) int {
	w := 0
	for _, t := range texts {
		w = max(w, term.Width(t))
	}
	return w
}

func (p *page) effects(s plan.Step) []string {
	var out []string
	if s.Kind == plan.StepEligible {
		out = append(out, "may it run there? (changes nothing)")
	}
	for _, e := range s.Effects {
		out = append(out, p.effect(e))
	}
	if s.MayFail {
		out = append(out, "may fail without harm")
	}
	return out
}

func (p *page) effect(e kits.Effect) string {
	t := term.Clean(e.What)
	if !strings.HasPrefix(t, e.Kind+" ") {
		t = term.Clean(e.Kind + " " + e.What)
	}
	switch {
	case e.From == e.To && e.To != "":
		t += ": " + term.Clean(e.To)
	case e.From != "" && e.To != "":
		t += ": " + term.Clean(e.From) + " " + p.st.Mark(term.Arrow) + " " + term.Clean(e.To)
	case e.To != "":
		t += " " + p.st.Mark(term.Arrow) + " " + term.Clean(e.To)
	case e.From != "":
		t += " (" + term.Clean(e.From) + ") goes away"
	}
	return t
}

func (p *page) objections(pv *api.Preview) {
	for _, o := range Objections(pv) {
		p.wrapped("  "+p.st.Paint(term.Bad, p.st.Mark(term.Fail))+" ", term.Plain, o)
	}
}

// consents are what was said with a yes: that EC2 does not take the instance for running yet, or that a copy is made complete
// after the stop.
func (p *page) consents(pv *api.Preview) {
	var said []string
	for _, v := range pv.Verdicts {
		if v.Report.Outcome != kits.OK || v.Report.Reason.Code == "" {
			continue
		}
		if text := stepTitle(pv.Plan, v.ID) + " says yes: " + Reason(v.Report.Reason); !slices.Contains(said, text) {
			said = append(said, text)
			p.wrapped(p.st.Paint(term.Warn, "  note: "), term.Plain, text)
		}
	}
}

// Objections are the eligibility answers that are not a yes, each once: a plan may ask twice, before a stop and after it.
func Objections(pv *api.Preview) []string {
	var out []string
	for _, v := range pv.Verdicts {
		says := " says no: "
		switch v.Report.Outcome {
		case kits.OK:
			continue
		case kits.Unknown:
			says = " gives no answer: "
		}
		if text := stepTitle(pv.Plan, v.ID) + says + Reason(v.Report.Reason); !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// stepTitle names a step of a plan by its id: "start ip-www on LK_P_B".
func stepTitle(pl plan.Plan, id string) string {
	for _, s := range pl.Steps {
		if s.ID == id {
			return Title(s)
		}
	}
	return name(id)
}

// Title names a step: "start ip-www on LK_P_B".
func Title(s plan.Step) string {
	t := stepWord(s)
	if w := stepWhat(s); w != "" {
		t += " " + w
	}
	if s.Node != "" {
		t += " on " + name(s.Node)
	}
	return t
}

// Quote makes a word safe to be pasted into a shell.
func Quote(s string) string { return ui.ShellWords(s) }
