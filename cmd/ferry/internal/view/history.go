package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// Event is one event on one line, wrapped under its subject when it is long.
func Event(e api.Event, st term.Style, now time.Time) string {
	p := newPage(st, now)
	mark, tone := " ", term.Plain
	switch e.Severity {
	case "warning":
		mark, tone = "!", term.Warn
	case "error":
		mark, tone = st.Mark(term.Fail), term.Bad
	}
	lead := fmt.Sprintf("%s %s %s ", Clock(now, e.At), p.st.Paint(tone, mark), term.Pad(name(e.Kind), 10))
	p.wrapped(lead, term.Plain, eventText(e, st))
	if e.Decision != nil {
		for _, r := range e.Decision.Reasons {
			p.wrapped(strings.Repeat(" ", term.Width(lead))+"- ", term.Plain, nodeReason(r))
		}
	}
	return p.String()
}

func eventText(e api.Event, st term.Style) string {
	text := Reason(e.Reason)
	var about []string // what the sentence does not name itself
	if tag := name(string(e.Tag)); tag != "" && !strings.Contains(text, tag) {
		about = append(about, tag)
	}
	if node := name(e.Node); node != "" && !strings.Contains(text, node) {
		about = append(about, "on "+node)
	}
	if d := e.Decision; d != nil {
		text = strings.TrimSuffix(decisionText(d, st)+"; "+text, "; ")
	}
	if len(about) > 0 {
		text = strings.Join(about, " ") + ": " + text
	}
	for _, x := range []struct{ word, v string }{{"operation", e.Op}, {"question", e.Question}, {"by", e.By}} {
		if x.v != "" {
			text += " (" + x.word + " " + name(x.v) + ")"
		}
	}
	return text
}

func decisionText(d *policy.Decision, st term.Style) string {
	switch {
	case d.From == d.To && d.To != "":
		return name(string(d.Action)) + " on " + name(d.To)
	case d.From != "" && d.To != "":
		return fmt.Sprintf("%s %s %s %s", name(string(d.Action)), name(d.From), st.Mark(term.Arrow), name(d.To))
	case d.To != "":
		return name(string(d.Action)) + " " + st.Mark(term.Arrow) + " " + name(d.To)
	case d.From != "":
		return name(string(d.Action)) + " on " + name(d.From)
	}
	return name(string(d.Action))
}

func nodeReason(r policy.NodeReason) string {
	t := Reason(kits.Reason{Code: r.Code, Text: r.Text, Args: r.Args})
	if r.Node == "" {
		return t
	}
	return name(r.Node) + ": " + t
}

// Operations lists operations, one a line.
func Operations(ops []api.Operation, st term.Style, now time.Time) string {
	p := newPage(st, now)
	wid, wout := len("ID"), len("OUTCOME")
	for _, o := range ops {
		wid, wout = max(wid, term.Width(name(o.ID))), max(wout, len(outcomeWord(o)))
	}
	const wbegan = len("2006-01-02 15:04:05")
	p.line("%s", p.st.Paint(term.Bold, fmt.Sprintf("%s  %s  %s  %s  %s", term.Pad("ID", wid), term.Pad("BEGAN", wbegan),
		term.Pad("TOOK", 6), term.Pad("OUTCOME", wout), "WHAT")))
	for _, o := range ops {
		lead := fmt.Sprintf("%s  %s  %s  %s  ", term.Pad(name(o.ID), wid), o.Began.In(now.Location()).Format(time.DateTime),
			term.Pad(took(o, now), 6), p.st.Paint(outcomeTone(o), term.Pad(outcomeWord(o), wout)))
		what := Headline(o.Plan.Goal, st)
		if o.By != "" {
			what += " (by " + name(o.By) + ")"
		}
		p.wrapped(lead, term.Plain, what)
	}
	return p.String()
}

func took(o api.Operation, now time.Time) string {
	if o.Ended.IsZero() {
		return Age(now, o.Began)
	}
	return Span(o.Ended.Sub(o.Began))
}

func outcomeWord(o api.Operation) string {
	if o.Outcome == "" {
		return string(policy.OpRunning)
	}
	return name(string(o.Outcome))
}

func outcomeTone(o api.Operation) term.Tone {
	switch o.Outcome {
	case policy.OpDone:
		return term.Good
	case policy.OpFailed, policy.OpRolledBack:
		return term.Bad
	}
	return term.Warn
}

// Operation is one operation in full, with what its failing steps printed.
func Operation(o *api.Operation, st term.Style, now time.Time) string {
	p := newPage(st, now)
	p.line("%s  %s", p.st.Paint(term.Bold, name(o.ID)), Headline(o.Plan.Goal, st))
	p.line("  outcome: %s", p.st.Paint(outcomeTone(*o), outcomeWord(*o)))
	p.line("  began:   %s, took %s", Clock(now, o.Began), took(*o, now))
	if o.By != "" {
		p.line("  by:      %s", name(o.By))
	}
	if t := Reason(o.Cause); t != "" {
		p.wrapped("  cause:   ", term.Plain, t)
	}
	if t := Reason(o.Reason); t != "" {
		p.wrapped("  reason:  ", term.Plain, t)
	}
	p.WriteString(Progress(o, st, now, 0))
	for _, s := range o.Steps {
		if (s.Status == "failed" || s.Status == "unknown") && s.Report.Output != "" {
			p.line("output of %s:", stepTitle(o.Plan, s.ID))
			for _, l := range term.CleanLines(s.Report.Output, 20) {
				p.line("    %s", l)
			}
		}
	}
	return p.String()
}

// Changes lists what apply would change or has changed.
func Changes(cs []api.Change, st term.Style) string {
	p := newPage(st, time.Time{})
	for _, c := range cs {
		mark, tone := "~", term.Warn
		switch c.Op {
		case "add":
			mark, tone = "+", term.Good
		case "remove":
			mark, tone = "-", term.Bad
		}
		text := term.Clean(c.What)
		switch {
		case c.From != "" && c.To != "":
			text += ": " + term.Clean(c.From) + " " + st.Mark(term.Arrow) + " " + term.Clean(c.To)
		case c.To != "" || c.From != "":
			text += ": " + term.Clean(c.From+c.To)
		}
		p.wrapped("  "+p.st.Paint(tone, mark)+" ", term.Plain, text)
		if c.Note != "" {
			p.wrapped("      ", term.Dim, term.Clean(c.Note))
		}
	}
	return p.String()
}
