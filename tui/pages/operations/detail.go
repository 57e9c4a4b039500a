package operations

import (
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui/steps"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/ui"
)

// outputLines is how much of a failing step's output is shown; a report keeps no more
// than a screen of it anyway.
const outputLines = 100

// kept are the lines of an operation, and what they were drawn from.
type kept struct {
	op     *api.Operation
	w      int
	frame  int
	second int64
	lang   text.Lang
	kind   theme.Kind
	ascii  bool
	lines  []string
	pin    int // how many lines at the top say what it is and where it stands
	here   int // the line at which something runs; 0 = nowhere
}

// detail is everything about the one under the cursor. It is drawn anew only when that
// is another one, or it runs.
func (p *Page) detail(w int) []string {
	r := p.at()
	if r == nil {
		return nil
	}
	k := kept{op: r.op, w: w, second: p.c.Now.Unix(), lang: p.c.Printer.Lang, kind: p.c.Kind, ascii: p.c.ASCII}
	if r.running() {
		k.frame = p.c.Frame + 1
	} else {
		k.second = 0
	}
	old := p.kept
	same := old.op == k.op && old.w == k.w && old.frame == k.frame && old.second == k.second && old.lang == k.lang && old.kind == k.kind && old.ascii == k.ascii
	if !same || old.lines == nil {
		k.lines, k.pin, k.here = p.draw(r, w)
		p.kept = k
	}
	return p.kept.lines
}

// whole is the one under the cursor on the whole page.
func (p *Page) whole(w, h int) string {
	all := p.detail(w)
	pin := min(p.kept.pin, h/3)
	lines, room := all[pin:], h-pin
	if here := p.kept.here - pin; here > 0 && !p.moved && p.at().running() { // what runs stays in sight
		p.look.Top = max(0, min(here-room/2, len(lines)-room))
	}
	body := p.look.View(lines, w, room)
	if pin == 0 {
		return body
	}
	top := slices.Clone(all[:pin])
	if more := p.look.More(); more != "" {
		n := w - ui.Width(more) - 1
		top[0] = ui.Fit(ui.Cut(top[0], n, p.c.Ellipsis), n) + " " + p.c.Dim.Render(more)
	}
	return ui.Lines(top, w, pin) + "\n" + body
}

// brief is what one wants to know of it at first: what, how it ended, and why.
func (p *Page) brief(w int) []string {
	c := p.c
	out := []string{c.Theme.Frame.Render(strings.Repeat(c.H, w))}
	r := p.at()
	if r == nil {
		return out
	}
	out = append(out, p.title(r, w)...)
	why := steps.Why(c, r.op, w)
	for _, l := range ui.Wrap(c.T("operations.by")+": "+p.cause(r), w) {
		out = append(out, c.Dim.Render(l))
	}
	return append(out, why...)
}

// title says what it is and where it stands.
func (p *Page) title(r *row, w int) []string {
	c := p.c
	mark, look, line := steps.Outcome(c, r.op)
	var out []string
	for _, l := range ui.Wrap(r.what, w) {
		out = append(out, c.Strong.Render(l))
	}
	for _, l := range ui.Wrap(mark+" "+line, w) {
		out = append(out, look.Render(l))
	}
	return out
}

// cause is by whom and why it was begun.
func (p *Page) cause(r *row) string {
	why := ui.Clean(p.c.Reason(r.op.Cause))
	if why == "" || r.op.Cause.Code == "cause-command" { // "anna asked for it" says no more
		return r.by
	}
	return r.by + ": " + why
}

func (p *Page) draw(r *row, w int) (lines []string, pin, here int) {
	c, o := p.c, r.op
	out := p.title(r, w)
	pin = len(out)
	out = append(out, steps.Why(c, o, w)...)
	out = append(out, "")
	out = append(out, ui.Pairs(c.Theme, w, p.facts(r)...)...)
	out = append(out, "")
	prog, at := steps.Follow(c, o, w)
	here = len(out) + at
	if at < 0 {
		here = 0
	}
	out = append(out, prog...)
	out = append(out, steps.Output(c, o, w, outputLines)...)
	section := func(title string, lines []string) {
		if len(lines) > 0 {
			out = append(append(out, "", c.Accent.Render(ui.Cut(title, w, c.Ellipsis))), lines...)
		}
	}
	section(c.T("operations.changes"), steps.Effects(c, o.Plan, w))
	section(c.T("operations.notes"), steps.Notes(c, o.Plan, w))
	return out, pin, here
}

// facts are labels and values.
func (p *Page) facts(r *row) []string {
	c, o := p.c, r.op
	out := []string{c.T("operations.began"), c.Clock(c.Now, o.Began)}
	if !o.Ended.IsZero() {
		out = append(out, c.T("operations.ended"), c.Clock(c.Now, o.Ended))
	}
	if r.moved {
		out = append(out, c.T("operations.outage"), c.Span(r.outage))
	}
	out = append(out, c.T("operations.by"), p.cause(r))
	if t := o.Trouble; t != nil && t.Reason.Code != o.Reason.Code {
		out = append(out, c.T("operations.trouble"), ui.Clean(c.Reason(t.Reason)))
	}
	if len(o.Tried) > 0 {
		out = append(out, c.T("operations.tried"), ui.Clean(strings.Join(o.Tried, ", ")))
	}
	var more []string
	for id, yes := range map[string]bool{"back": o.Back, "switchback": o.Switchback, "storm": o.Storm} {
		if yes {
			more = append(more, c.T("operations.is-"+id))
		}
	}
	slices.Sort(more)
	if o.Question != "" {
		more = append(more, c.T("operations.is-answer", "question", ui.Clean(o.Question)))
	}
	if len(more) > 0 {
		out = append(out, c.T("operations.also"), strings.Join(more, "; "))
	}
	return out
}
