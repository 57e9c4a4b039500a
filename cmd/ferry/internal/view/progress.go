package view

import (
	"fmt"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
)

func finished(status string) bool {
	switch status {
	case "done", "failed", "unknown", "skipped", "undone":
		return true
	}
	return false
}

// Progress is the list of an operation's steps. With a height it is the live
// picture: a line per step, at most so many around the step that runs; with 0 it
// is the whole list, reasons in full.
func Progress(o *api.Operation, st term.Style, now time.Time, height int) string {
	p := newPage(st, now)
	status := statuses(o)
	from, to := window(o, status, height)
	for i := from; i < to; i++ {
		s := o.Plan.Steps[i]
		ss := status[s.ID]
		mark, tone := stepMark(ss.Status)
		lead := fmt.Sprintf("%s %s ", p.st.Paint(tone, p.st.Mark(mark)), term.PadLeft(fmt.Sprint(i+1), len(fmt.Sprint(len(o.Plan.Steps)))))
		text := stepText(s, ss, now)
		if height > 0 {
			p.line("%s", p.st.Cut(lead+text, p.st.Columns()-1))
		} else {
			p.wrapped(lead, term.Plain, text)
		}
	}
	return p.String()
}

func stepText(s plan.Step, ss api.StepStatus, now time.Time) string {
	l := Title(s)
	if t := stepTime(ss, now); t != "" {
		l += " (" + t + ")"
	}
	if why := Reason(ss.Report.Reason); why != "" && (ss.Status == "failed" || ss.Status == "unknown" || ss.Report.Impaired) {
		l += ": " + why
	}
	return l
}

func statuses(o *api.Operation) map[string]api.StepStatus {
	m := make(map[string]api.StepStatus, len(o.Steps))
	for _, s := range o.Steps {
		m[s.ID] = s
	}
	return m
}

// window picks the steps to show: those around the first that is not finished.
func window(o *api.Operation, status map[string]api.StepStatus, height int) (from, to int) {
	n := len(o.Plan.Steps)
	if height <= 0 || n <= height {
		return 0, n
	}
	at := 0
	for at < n && finished(status[o.Plan.Steps[at].ID].Status) {
		at++
	}
	from = min(max(at-height/2, 0), n-height)
	return from, from + height
}

func stepMark(status string) (term.Glyph, term.Tone) {
	switch status {
	case "running":
		return term.Running, term.Warn
	case "done":
		return term.OK, term.Good
	case "failed":
		return term.Fail, term.Bad
	case "unknown":
		return term.Ask, term.Bad
	}
	return term.Waiting, term.Dim
}

func stepTime(s api.StepStatus, now time.Time) string {
	switch {
	case s.Status == "running":
		return Age(now, s.Began)
	case s.Status == "skipped" || s.Status == "undone":
		return s.Status
	case s.Began.IsZero() || s.Ended.IsZero():
		return ""
	}
	return Span(s.Ended.Sub(s.Began))
}

// StepLine is the plain line for a step that changed its status: for pipes and logs.
func StepLine(o *api.Operation, i int, s api.StepStatus, now time.Time) string {
	at := s.Began
	if finished(s.Status) && !s.Ended.IsZero() {
		at = s.Ended
	}
	if at.IsZero() {
		at = now
	}
	l := fmt.Sprintf("%s [%d/%d] %s: %s", at.In(now.Location()).Format(time.TimeOnly), i+1, len(o.Plan.Steps), Title(o.Plan.Steps[i]), name(s.Status))
	if finished(s.Status) && !s.Began.IsZero() && !s.Ended.IsZero() {
		l += " in " + Span(s.Ended.Sub(s.Began))
	}
	if why := Reason(s.Report.Reason); why != "" && (s.Status == "failed" || s.Status == "unknown" || s.Report.Impaired) {
		l += ": " + why
	}
	return l + "\n"
}

// Outcome is an operation's last line: what came out of it and how long it took.
func Outcome(o *api.Operation, st term.Style) string {
	took := ""
	if !o.Ended.IsZero() {
		took = " in " + Span(o.Ended.Sub(o.Began))
	}
	head := Headline(o.Plan.Goal, st)
	switch o.Outcome {
	case policy.OpDone:
		return st.Paint(term.Good, st.Mark(term.OK)) + " " + head + ": done" + took + " (operation " + name(o.ID) + ")\n"
	case policy.OpRolledBack:
		return st.Paint(term.Bad, st.Mark(term.Fail)) + " " + head + ": rolled back" + took + ", all is as before (operation " + name(o.ID) + ")\n"
	case policy.OpFailed:
		return st.Paint(term.Bad, st.Mark(term.Fail)) + " " + head + ": failed" + took + " (operation " + name(o.ID) + ")\n"
	}
	return st.Paint(term.Warn, st.Mark(term.Running)) + " " + head + ": still running (operation " + name(o.ID) + ")\n"
}
