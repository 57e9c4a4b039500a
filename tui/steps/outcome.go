package steps

import (
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Outcome says in one line where an operation stands, with its mark and style.
func Outcome(c *ui.Context, o *api.Operation) (mark string, st lipgloss.Style, line string) {
	took := c.Now.Sub(o.Began)
	if !o.Ended.IsZero() {
		took = o.Ended.Sub(o.Began)
	}
	id, span := ui.Clean(o.ID), c.Span(max(0, took))
	switch o.Outcome {
	case policy.OpDone:
		if d, ok := Outage(o); ok && o.Plan.Goal.Kind == plan.GoalFailover { // what failed was gone before
			return c.Done, c.Good, c.T("steps.done-outage-least", "op", id, "span", span, "outage", c.Span(d))
		} else if ok {
			return c.Done, c.Good, c.T("steps.done-outage", "op", id, "span", span, "outage", c.Span(d))
		}
		return c.Done, c.Good, c.T("steps.done", "op", id, "span", span)
	case policy.OpRolledBack:
		return c.Left, c.Bad, c.T("steps.rolled-back", "op", id, "span", span)
	case policy.OpFailed:
		return c.Marks.Failed, c.Bad, c.T("steps.failed", "op", id, "span", span)
	}
	return c.Spinner(), c.Strong, c.T("steps.running", "op", id, "span", span)
}

// Why says why an operation did not end well; nothing while it runs and when it did.
func Why(c *ui.Context, o *api.Operation, width int) []string {
	why := ui.Clean(c.Reason(o.Reason))
	if why == "" || o.Outcome == policy.OpDone || o.Outcome == policy.OpRunning {
		return nil
	}
	return hang("  ", 2, why, width, c.Bad.Render)
}

// Output is what an operation's failing steps printed, at most so many lines of each.
func Output(c *ui.Context, o *api.Operation, width, most int) []string {
	var out []string
	for _, s := range o.Steps {
		if s.Status != "failed" && s.Status != "unknown" || strings.TrimSpace(s.Report.Output) == "" {
			continue
		}
		step := Find(o.Plan, s.ID)
		if step == nil {
			continue
		}
		out = append(out, "", c.Strong.Render(ui.Cut(c.T("steps.output", "step", Title(c, *step)), width, c.Ellipsis)))
		for _, l := range ui.CleanLines(s.Report.Output, most) {
			out = append(out, hang(c.Dim.Render(c.V)+" ", 2, l, width, nil)...)
		}
	}
	return out
}
