package act

import (
	"github.com/ferry-ha/ferry/tui/steps"
	"github.com/ferry-ha/ferry/tui/ui"
)

func (j *goalJob) sections() []section {
	if j.pv == nil {
		return nil
	}
	c, p := j.c, j.pv.Plan
	out := []section{{lines: j.head}}
	if len(p.Steps) == 0 {
		return out
	}
	out = append(out,
		section{title: c.T("act.changes"), lines: func(w int) []string { return steps.Effects(c, p, w) }},
		section{title: c.T("act.untouched"), lines: func(w int) []string { return steps.Untouched(c, p, w) }},
		section{title: c.T("act.expected"), lines: j.expected},
	)
	if len(p.Notes) > 0 {
		out = append(out, section{title: c.T("act.notes"), lines: func(w int) []string { return steps.Notes(c, p, w) }})
	}
	return append(out, section{title: c.T("act.steps"), main: true, lines: func(w int) []string { return steps.Lines(c, p, j.pv.Verdicts, w) }})
}

// head is what must not be overlooked: a refusal, a crossing, an override.
func (j *goalJob) head(w int) []string {
	c := j.c
	var out []string
	say := func(paint func(...string) string, text string) {
		for _, l := range ui.Wrap(text, w) {
			out = append(out, paint(l))
		}
	}
	if j.stale() {
		say(c.Alarm.Render, " "+c.Attention+" "+c.T("act.off-stale")+" ")
	}
	why, hint := j.refused()
	for _, x := range why {
		for _, l := range hang(c.Marks.Failed+" ", c.T("act.refused", "why", x), w) {
			out = append(out, c.Bad.Render(l))
		}
	}
	if hint != "" {
		say(c.Text.Render, hint)
	}
	if j.overridable() {
		for _, x := range j.prices() {
			say(c.Bad.Render, x)
		}
		say(c.Warn.Render, c.T("act.may-force"))
	}
	if j.goal.Force && len(why) == 0 {
		say(c.Alarm.Render, " "+c.Attention+" "+c.T("act.forced")+" ")
		for _, x := range j.prices() {
			say(c.Alarm.Render, " "+c.Attention+" "+x+" ")
		}
		for _, x := range j.objections() {
			say(c.Bad.Render, x)
		}
	}
	if j.dual() {
		say(c.Alarm.Render, " "+c.Attention+" "+c.T("act.dual", "tag", ui.Clean(string(j.goal.Tag)), "node", ui.Clean(j.goal.Node))+" ")
		say(c.Text.Render, c.T("act.dual-means", "node", ui.Clean(j.goal.Node)))
	} else if len(j.pv.Plan.Steps) == 0 && len(why) == 0 {
		say(c.Good.Render, c.T("act.off-nothing"))
	}
	if j.pv.Crosses != "" && len(why) == 0 {
		from := c.Est.Index.RegionOf(j.pv.Plan.Goal.From)
		say(c.Alarm.Render, " "+c.Attention+" "+c.T("act.crosses", "from", ui.Clean(from), "to", ui.Clean(j.pv.Crosses))+" ")
	}
	return out
}

// expected is what past runs let one expect.
func (j *goalJob) expected(w int) []string {
	c, x, p := j.c, j.expect, j.pv.Plan
	g := p.Goal
	moves := g.From != "" && g.Node != "" && g.From != g.Node
	var text string
	switch {
	case !j.past:
		text = c.T("act.expect-unread")
	case moves && x.Runs > 0:
		text = c.T("act.expect-outage", "span", c.Span(x.Outage), "n", x.Runs)
	case moves:
		text = c.T("act.expect-no-outage")
	case x.Ran > 0:
		text = c.T("act.expect-took", "span", c.Span(x.Took), "n", x.Ran)
	default:
		text = c.T("act.expect-none")
	}
	out := ui.Wrap(text, w)
	for _, e := range steps.Changes(p) {
		if e.Kind == "record" && e.From != e.To {
			return append(out, ui.Wrap(c.T("act.expect-record"), w)...)
		}
	}
	return out
}
