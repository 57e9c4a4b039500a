package act

import (
	"slices"

	"charm.land/lipgloss/v2"

	"github.com/ferry-ha/ferry/tui/steps"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/ui"
)

const (
	// widest is how wide a window gets: longer lines are hard to read.
	widest = 150
	// twoColumns is the width from which on what changes stands beside the steps.
	twoColumns = 110
	// outputLines is how much of a failing step's output is shown.
	outputLines = 8
)

// kept are lines that were drawn, and what they were drawn from.
type kept struct {
	w, rev, frame int
	lang          text.Lang
	kind          theme.Kind
	ascii         bool
	lost          bool
	lines         []string
}

// body is everything but the foot, drawn anew only when something changed.
func (w *Window) body(width int) []string {
	k := kept{w: width, rev: w.rev, lang: w.c.Printer.Lang, kind: w.c.Kind, ascii: w.c.ASCII, lost: !w.c.Lost.IsZero()}
	if w.phase == loading || w.phase == sending || w.phase == watching {
		k.frame = w.c.Frame + 1
	}
	old := w.kept
	old.lines = nil
	if w.kept.lines == nil || !same(old, k) {
		k.lines = w.draw(width)
		w.kept = k
	}
	return w.kept.lines
}

func same(a, b kept) bool {
	return a.w == b.w && a.rev == b.rev && a.frame == b.frame && a.lang == b.lang && a.kind == b.kind && a.ascii == b.ascii && a.lost == b.lost
}

// Size implements ui.Sized: as much as there is to say.
func (w *Window) Size(width, h int) (int, int) {
	width = min(width, widest)
	w.tall = max(w.tall, len(w.body(width))+len(w.foot(width)))
	return width, min(h, max(w.tall, 10))
}

// View implements ui.Page.
func (w *Window) View(width, h int) string {
	foot := w.foot(width)
	room := max(0, h-len(foot))
	lines := w.body(width)
	pin := min(w.pin, room/3) // where it stands is always in sight
	top, lines := lines[:pin], lines[pin:]
	if w.phase == watching && w.follow > pin && !w.moved { // so is what runs
		w.scroll.Top = max(0, min(w.follow-pin-(room-pin)/2, len(lines)-(room-pin)))
	}
	body := w.scroll.View(lines, width, room-pin)
	w.say(foot, w.scroll.More(), width)
	if room == 0 {
		return ui.Lines(foot, width, h)
	}
	if pin > 0 {
		body = ui.Lines(top, width, pin) + "\n" + body
	}
	return body + "\n" + ui.Lines(foot, width, h-room)
}

// say puts where one is in the text on the last line of the foot that has room for it.
func (w *Window) say(foot []string, more string, width int) {
	for i := len(foot) - 1; i >= 0 && more != ""; i-- {
		if room := width - ui.Width(more) - 1; ui.Width(foot[i]) <= room {
			foot[i] = ui.Fit(foot[i], room) + " " + w.c.Dim.Render(more)
			return
		}
	}
}

// foot is what the person is asked, or what can be done next.
func (w *Window) foot(width int) []string {
	c := w.c
	switch {
	case w.input != nil:
		out := []string{}
		for _, l := range ui.Wrap(w.ask, width) {
			out = append(out, c.Strong.Render(l))
		}
		out = append(out, w.input.View(width))
		switch {
		case w.wrong == " ":
			out = append(out, c.Bad.Render(ui.Cut(c.T("act.wrong-empty"), width, c.Ellipsis)))
		case w.wrong != "":
			out = append(out, c.Bad.Render(ui.Cut(c.T("act.wrong-word", "typed", w.wrong), width, c.Ellipsis)))
		default:
			out = append(out, "")
		}
		return out
	case w.phase == asking:
		line := c.T("act.ask")
		if off := w.off(); off != "" {
			if w.c.MayAct(w.job.need()) == "" && w.bad == nil {
				off = c.T("act.cannot") // the reason stands above in full
			}
			return []string{c.Dim.Render(ui.Cut(off, width, c.Ellipsis))}
		} else if w.unsure() {
			line = c.T("act.ask-again")
		} else if _, prompt := w.job.word(); prompt != "" {
			line = c.T("act.ask-word")
		}
		return []string{c.Strong.Render(ui.Cut(line, width, c.Ellipsis))}
	}
	return []string{""}
}

func (w *Window) draw(width int) []string {
	w.pin, w.follow = 0, 0
	switch w.phase {
	case loading:
		return append(w.about(width), w.wait("act.loading"))
	case sending:
		return append(w.about(width), w.wait("act.sending"))
	case watching, over:
		return w.progress(width)
	}
	out := w.about(width)
	if w.bad != nil {
		out = append(out, w.bad.lines(w.c, width)...)
	}
	if w.bad != nil && !w.bad.sending {
		return out
	}
	if width >= twoColumns {
		return append(out, w.columns(width)...)
	}
	for _, s := range w.parts() {
		out = append(out, w.section(s, width)...)
	}
	return out
}

// about is what was said before everything else: why this is a new preview.
func (w *Window) about(width int) []string {
	if w.mind == "" {
		return nil
	}
	var out []string
	for _, l := range ui.Wrap(w.c.Attention+" "+w.mind, width) {
		out = append(out, w.c.Alarm.Render(l))
	}
	return append(out, "")
}

func (w *Window) wait(id string) string {
	c := w.c
	return c.Spinner() + " " + c.T(id) + " " + c.Dim.Render(c.Span(max(0, c.Now.Sub(w.since)).Truncate(1e9)))
}

// parts are the job's sections and the command.
func (w *Window) parts() []section {
	out := w.job.sections()
	if cmd := w.job.command(); cmd != "" {
		out = append(out, section{title: w.c.T("act.command"), lines: func(width int) []string {
			var lines []string
			for _, l := range ui.Wrap(ui.Clean(cmd), width) {
				lines = append(lines, w.c.Key.Render(l))
			}
			return lines
		}})
	}
	return out
}

func (w *Window) section(s section, width int) []string {
	lines := s.lines(width)
	if len(lines) == 0 {
		return nil
	}
	var out []string
	if s.title != "" {
		out = append(out, w.c.Accent.Render(ui.Cut(s.title, width, w.c.Ellipsis)))
	}
	return append(append(out, lines...), "")
}

// columns puts the main section on the left and the others on the right; what has no
// title goes over both.
func (w *Window) columns(width int) []string {
	right := min(max(width*2/5, 44), 60)
	left := width - right - 3
	var top, a, b []string
	for _, s := range w.parts() {
		switch {
		case s.main:
			a = append(a, w.section(s, left)...)
		case s.title == "":
			top = append(top, w.section(s, width)...)
		default:
			b = append(b, w.section(s, right)...)
		}
	}
	gap := " " + w.c.Theme.Frame.Render(w.c.V) + " "
	for i := range max(len(a), len(b)) {
		top = append(top, ui.Fit(at(a, i), left)+gap+ui.Fit(at(b, i), right))
	}
	return top
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

// progress is the operation as it runs, or how it ended.
func (w *Window) progress(width int) []string {
	c, o := w.c, w.run.op
	var out []string
	say := func(st lipgloss.Style, text string) {
		for _, l := range ui.Wrap(text, width) {
			out = append(out, st.Render(l))
		}
	}
	id := ui.Clean(w.run.id)
	if o == nil && w.phase == over {
		return []string{c.T("act.nothing-was-needed")}
	}
	switch {
	case o == nil:
		say(c.Strong, c.Spinner()+" "+c.T("act.accepted", "op", id))
	default:
		mark, st, line := steps.Outcome(c, o)
		say(st, mark+" "+line)
		out = append(out, steps.Why(c, o, width)...)
	}
	if w.phase == watching && !c.Lost.IsZero() {
		say(c.Alarm, c.Attention+" "+c.T("act.lost-watching", "op", id))
	}
	if o == nil {
		return out
	}
	for i := range c.Est.Running {
		if x := &c.Est.Running[i]; x.Back && x.ID != o.ID && slices.Contains(x.Plan.Moves, o.Plan.Goal.Tag) {
			say(c.Warn, c.T("act.goes-back", "op", ui.Clean(x.ID), "node", ui.Clean(x.Plan.Goal.Node)))
		}
	}
	out = append(out, "")
	lines, here := steps.Follow(c, o, width)
	w.pin = len(out)
	if here >= 0 {
		w.follow = len(out) + here
	}
	out = append(out, lines...)
	out = append(out, steps.Output(c, o, width, outputLines)...)
	return out
}
