package steps

import (
	"strconv"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Lines draws a plan's steps with what each changes. st are the statuses of those that
// have one (of a running operation, or a preview's verdicts); nil = none has begun.
func Lines(c *ui.Context, p plan.Plan, st []api.StepStatus, w int) []string {
	return newTable(c, p, st, w).draw(true)
}

// Progress draws an operation's steps as they are: one line each, the reasons of those
// that did not end well, bars of when each ran where there is room, and what was taken
// back.
func Progress(c *ui.Context, o *api.Operation, w int) []string {
	lines, _ := Follow(c, o, w)
	return lines
}

// Follow is Progress with the number of the line where it happens: the first step that
// runs; -1 when none does.
func Follow(c *ui.Context, o *api.Operation, w int) (lines []string, at int) {
	t := newTable(c, o.Plan, o.Steps, w)
	t.spread(o)
	lines = t.draw(false)
	return lines, t.at - 1
}

// barsAtLeast is the narrowest column in which bars tell something.
const barsAtLeast = 12

// timeWidth holds every duration that Span gives: "59m59s".
const timeWidth = 6

// table is a list of steps whose columns are measured.
type table struct {
	c      *ui.Context
	p      plan.Plan
	status map[string]api.StepStatus
	undo   []plan.Step // what takes steps back
	w      int

	no, kind, what, node int
	timed                bool
	loose                bool // the names are too long for columns

	bars       int // width of the bars; 0 = none
	begin, end time.Time
	at         int  // the line after the one at which the first running step begins
	over       bool // it has ended: what waits never runs
}

func newTable(c *ui.Context, p plan.Plan, st []api.StepStatus, w int) *table {
	t := &table{c: c, p: p, w: w, status: make(map[string]api.StepStatus, len(st)), no: len(strconv.Itoa(len(p.Steps)))}
	for _, s := range st {
		t.status[s.ID] = s
		t.timed = t.timed || !s.Began.IsZero()
	}
	t.undo = undo(p, st)
	for _, all := range [][]plan.Step{p.Steps, t.undo} {
		for _, s := range all {
			t.kind = max(t.kind, ui.Width(Word(c, s)))
			t.what = max(t.what, ui.Width(What(c, s)))
			t.node = max(t.node, ui.Width(ui.Clean(s.Node)))
		}
	}
	t.loose = t.lead() > w
	return t
}

// spread says between which moments bars are drawn, and how wide.
func (t *table) spread(o *api.Operation) {
	t.begin, t.end, t.over = o.Began, o.Ended, !o.Ended.IsZero()
	if !t.over {
		t.end = t.c.Now
	}
	if room := t.w - t.lead() - 2; !t.loose && room >= barsAtLeast && t.end.After(t.begin) {
		t.bars = min(room, 60)
	}
}

// lead is the width of the columns.
func (t *table) lead() int {
	n := t.indent() + t.kind + 2 + t.what + 2 + t.node
	if t.timed {
		n += 2 + timeWidth
	}
	return n
}

// indent is where the words begin: mark, number and bracket stand before.
func (t *table) indent() int { return 2 + t.no + 1 + 1 + 1 }

func (t *table) draw(effects bool) []string {
	g := groups(t.p.Steps)
	var out []string
	gone := false
	for i, s := range t.p.Steps {
		if s.NoReturn && !gone {
			gone = true
			if i > 0 { // before the first step there is nothing to go back from
				out = append(out, t.rule(t.c.T("steps.no-return"), t.c.Warn))
			}
		}
		t.mind(s, len(out))
		out = append(out, t.step(s, strconv.Itoa(i+1), part(g, i), effects)...)
	}
	if len(t.undo) > 0 {
		out = append(out, t.rule(t.c.T("steps.taken-back"), t.c.Warn))
		g = groups(t.undo)
		for i, s := range t.undo {
			t.mind(s, len(out))
			out = append(out, t.step(s, "", part(g, i), effects)...)
		}
	}
	return out
}

// mind keeps where the first running step is drawn.
func (t *table) mind(s plan.Step, line int) {
	if t.at == 0 && t.status[s.ID].Status == "running" {
		t.at = line + 1
	}
}

// rule is a line with words in it.
func (t *table) rule(text string, paint lipgloss.Style) string {
	text = " " + ui.Cut(text, t.w-4, t.c.Ellipsis) + " "
	side := max(1, min(t.w, 80)-ui.Width(text)) / 2
	return paint.Render(ui.Cut(strings.Repeat(t.c.H, side)+text+strings.Repeat(t.c.H, side), t.w, ""))
}

func (t *table) step(s plan.Step, no string, where int, effects bool) []string {
	st := t.status[s.ID]
	if t.over && (st.Status == "" || st.Status == "waiting") {
		st.Status = "skipped"
	}
	look := t.look(st.Status)
	head := look.Render(ui.Fit(t.mark(st.Status), 1)+" "+ui.FitLeft(no, t.no)+" ") + t.c.Dim.Render(t.bracket(where)) + " "
	under := strings.Repeat(" ", t.no+3) + t.c.Dim.Render(t.through(where)) + " "
	if t.loose {
		out := hang(head, t.indent(), strings.TrimSpace(Title(t.c, s)+" "+t.took(st)), t.w, look.Render)
		return t.more(out, s, st, under, effects)
	}
	row := ui.Fit(Word(t.c, s), t.kind) + "  " + ui.Fit(What(t.c, s), t.what) + "  " + ui.Fit(ui.Clean(s.Node), t.node)
	if t.timed {
		row += "  " + ui.FitLeft(t.took(st), timeWidth)
	}
	line := head + look.Render(row)
	if t.bars > 0 {
		line += "  " + t.bar(st)
	}
	return t.more([]string{line}, s, st, under, effects)
}

// more adds what a step changes and why it did not go well; the first effect stands
// beside the step when there is room.
func (t *table) more(out []string, s plan.Step, st api.StepStatus, under string, effects bool) []string {
	in := t.indent()
	room := t.w - t.lead() - 2
	for _, text := range t.remarks(s, st, effects) {
		if text.beside && (t.loose || ui.Width(text.s) > room) {
			continue
		}
		if len(out) == 1 && !t.loose && t.bars == 0 && ui.Width(text.s) <= room {
			out[0] += "  " + text.look.Render(text.s)
			room = 0
			continue
		}
		for _, line := range ui.Wrap(text.s, max(8, t.w-in-2)) {
			out = append(out, under+"  "+text.look.Render(line))
		}
	}
	return out
}

// remark is a text that goes with a step.
type remark struct {
	s    string
	look lipgloss.Style
	// beside: it is said only where there is room for it beside the step.
	beside bool
}

func (t *table) remarks(s plan.Step, st api.StepStatus, effects bool) []remark {
	var out []remark
	why := ui.Clean(t.c.Reason(st.Report.Reason))
	switch {
	case s.Kind == plan.StepEligible && (st.Status == "failed" || st.Status == "unknown"):
		id := "steps.says-no"
		if st.Status == "unknown" {
			id = "steps.says-nothing"
		}
		out = append(out, remark{s: t.c.T(id, "why", why), look: t.look(st.Status)})
	case why != "" && (st.Status == "failed" || st.Status == "unknown"):
		out = append(out, remark{s: why, look: t.look(st.Status)})
	case why != "" && st.Report.Impaired:
		out = append(out, remark{s: t.c.T("steps.impaired", "why", why), look: t.c.Warn})
	}
	if !effects {
		return out
	}
	if s.Kind == plan.StepEligible && len(out) == 0 {
		id := "steps.asks"
		if st.Status == "done" {
			id = "steps.says-yes"
		}
		out = append(out, remark{s: t.c.T(id), look: t.c.Dim, beside: true})
	}
	for _, e := range s.Effects {
		out = append(out, remark{s: Effect(t.c, e), look: t.effectLook(e)})
	}
	if s.MayFail {
		out = append(out, remark{s: t.c.T("steps.may-fail"), look: t.c.Dim})
	}
	return out
}

// effectLook lets what clients notice stand out.
func (t *table) effectLook(e kits.Effect) lipgloss.Style {
	switch e.Kind {
	case "address", "route", "record":
		return t.c.Key
	}
	return t.c.Text
}

// took is how long a step ran, or runs.
func (t *table) took(st api.StepStatus) string {
	switch {
	case st.Began.IsZero():
		return ""
	case st.Ended.IsZero() && st.Status == "running":
		return t.c.Span(max(0, t.c.Now.Sub(st.Began)))
	case st.Ended.IsZero():
		return ""
	}
	return t.c.Span(max(0, st.Ended.Sub(st.Began)))
}

func (t *table) mark(status string) string {
	switch status {
	case "done":
		return t.c.Done
	case "running":
		return t.c.Spinner()
	case "failed":
		return t.c.Failed
	case "unknown":
		return t.c.Marks.Unknown
	case "skipped":
		return t.c.Skipped
	case "undone":
		return t.c.Left
	}
	return t.c.Waiting
}

func (t *table) look(status string) lipgloss.Style {
	switch status {
	case "done":
		return t.c.Good
	case "running":
		return t.c.Strong
	case "failed":
		return t.c.Bad
	case "unknown":
		return t.c.Unknown
	case "undone":
		return t.c.Warn
	case "skipped":
		return t.c.Dim
	}
	return t.c.Text
}

func (t *table) bracket(where int) string {
	switch where {
	case first:
		return t.c.TL
	case inner:
		return t.c.V
	case last:
		return t.c.BL
	}
	return " "
}

// through is the bracket beside what is said under a step.
func (t *table) through(where int) string {
	if where == first || where == inner {
		return t.c.V
	}
	return " "
}

// bar shows when a step ran, between the operation's beginning and its end.
func (t *table) bar(st api.StepStatus) string {
	if st.Began.IsZero() {
		return ""
	}
	end := st.Ended
	if end.IsZero() {
		end = t.c.Now
	}
	all := t.end.Sub(t.begin)
	cell := func(x time.Time) int {
		return min(max(int(float64(x.Sub(t.begin))/float64(all)*float64(t.bars)+0.5), 0), t.bars)
	}
	a := min(cell(st.Began), t.bars-1)
	b := max(cell(end), a+1)
	full := t.c.Levels[len(t.c.Levels)-1]
	return strings.Repeat(" ", a) + t.look(st.Status).Render(strings.Repeat(full, b-a))
}
