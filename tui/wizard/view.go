package wizard

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/tui/form"
	"github.com/ferry-ha/ferry/tui/ui"
)

// View implements ui.Page: the pages' names, the page, a line of what can be done.
func (w *Window) View(width, h int) string {
	if h < 4 || width < 1 {
		return ui.Block("", width, h)
	}
	body := ""
	switch {
	case w.onSummary():
		body = w.summary.View(w.lines(width), width, h-3)
	case w.pages[w.at].id == dead:
		body = ui.Lines(ui.Wrap(ui.Clean(w.pages[w.at].asks[0].Default), width), width, h-3)
	default:
		body = w.form.View(width, h-3)
	}
	return ui.Block(w.steps(width), width, 1) + "\n" + ui.Block("", width, 1) + "\n" + body + "\n" + ui.Block(w.foot(width), width, 1)
}

// steps names the pages, the present one standing out.
func (w *Window) steps(width int) string {
	t, s := w.c.Theme, ""
	for i, name := range w.names() {
		if i > 0 {
			s += t.Dim.Render("  " + t.Arrow + "  ")
		}
		switch {
		case i == w.at:
			s += t.Accent.Render(name)
		default:
			s += t.Dim.Render(name)
		}
	}
	return ui.Cut(s, width, t.Ellipsis)
}

func (w *Window) names() []string {
	var out []string
	for i, p := range w.pages {
		out = append(out, strconv.Itoa(i+1)+" "+ui.Clean(p.title))
	}
	return append(out, strconv.Itoa(len(w.pages)+1)+" "+w.c.T("wizard.page-summary"))
}

// foot says what is going on, or how one moves.
func (w *Window) foot(width int) string {
	t, c := w.c.Theme, w.c
	right := ""
	if w.judge.busy {
		right = t.Dim.Render(c.Spinner() + " " + c.T("wizard.judging"))
	} else if more := w.summary.More(); w.onSummary() && more != "" {
		right = t.Dim.Render(more)
	}
	left := t.Dim.Render(ui.Cut(w.hint(), width-ui.Width(right)-1, t.Ellipsis))
	if w.onSummary() {
		left = ui.Cut(w.firm(), width-ui.Width(right)-1, t.Ellipsis)
	}
	if w.leaving {
		left = t.Warn.Render(ui.Cut(t.Attention+" "+c.T("wizard.leave"), width-ui.Width(right)-1, t.Ellipsis))
	}
	return ui.Fit(left, width-ui.Width(right)) + right
}

// hint says which keys answer the question under the cursor.
func (w *Window) hint() string {
	x := w.form.At()
	if w.onSummary() || x == nil || w.pages[w.at].id == dead {
		return ""
	}
	c := w.c
	id := "wizard.keys-choice"
	switch {
	case x.Kind == form.Text && len(x.Items) > 0:
		id = "wizard.keys-offers"
	case x.Kind == form.Text:
		return c.T("wizard.keys-text")
	case x.Kind == form.Rank:
		id = "wizard.keys-rank"
	case x.Kind == form.Check:
		return c.T("wizard.keys-check")
	}
	return c.T(id, "left", c.Left, "right", c.Arrow)
}

// click opens the page whose name is clicked, when it lies behind or is the next.
func (w *Window) click(m ui.Click) tea.Cmd {
	w.leaving = false
	if m.Y > 0 {
		if w.onSummary() {
			return nil
		}
		if w.form.Update(ui.Click{X: m.X, Y: m.Y - 2}) {
			return w.renew()
		}
		return nil
	}
	at := 0
	for i, name := range w.names() {
		if i > 0 {
			at += 5
		}
		at += ui.Width(name)
		if m.X < at {
			switch {
			case i < w.at:
				w.to(i)
				return w.renew()
			case i == w.at+1:
				return w.next()
			}
			return nil
		}
	}
	return nil
}

// lines is the summary: what is wrong, the answers, the differences, the command.
func (w *Window) lines(width int) []string {
	t, c := w.c.Theme, w.c
	var out []string
	head := func(id string) {
		if len(out) > 0 {
			out = append(out, "")
		}
		out = append(out, t.Accent.Render(c.T(id)))
	}
	if all := w.problems(); len(all) > 0 {
		head("wizard.head-problems")
		for _, p := range all {
			text := p.text
			if p.id != "" {
				text = w.labelOf(p.page, p.id) + ": " + text
			}
			out = append(out, w.bullets(t.Attention, text, width)...)
		}
	}
	if ground := w.ground(width); len(ground) > 0 {
		head("wizard.head-doctor")
		out = append(out, ground...)
	}
	head("wizard.head-answers")
	out = append(out, ui.Pairs(t, width, w.answers()...)...)
	if asked := w.askedNow(); len(asked) > 0 {
		head("wizard.head-children")
		out = append(out, ui.Wrap(c.Spinner()+" "+ui.Clean(c.T("wizard.asking", "servers", strings.Join(asked, ", "))), width)...)
	} else if along := w.comes(width); len(along) > 0 {
		head("wizard.head-children")
		out = append(out, along...)
	}
	if w.judge.res != nil && len(w.problems()) == 0 {
		head("wizard.head-changes")
		for _, ch := range w.judge.res.Changes {
			out = append(out, w.bullets(opMark(ch.Op), change(ch, t.Arrow), width)...)
		}
		if len(w.judge.res.Changes) == 0 {
			out = append(out, c.T("wizard.no-changes"))
		}
		for _, n := range w.judge.res.Notes {
			out = append(out, w.bullets(t.Attention, n, width)...)
		}
	}
	head("wizard.head-command")
	for _, l := range ui.Wrap(ui.Clean(w.asks.command()), width) {
		out = append(out, t.Strong.Render(l))
	}
	return out
}

func (w *Window) labelOf(page int, id string) string {
	for _, q := range w.pages[page].asks {
		if q.ID == id {
			return ui.Clean(q.Label)
		}
	}
	return ""
}

func (w *Window) bullets(mark, text string, width int) []string {
	var out []string
	for i, l := range ui.Wrap(ui.Clean(text), max(1, width-2)) {
		if i > 0 {
			mark = " "
		}
		style := w.c.Theme.Text
		if mark == w.c.Attention {
			style = w.c.Warn
		}
		out = append(out, style.Render(mark)+" "+l)
	}
	return out
}

func opMark(op string) string {
	switch op {
	case "add":
		return "+"
	case "remove":
		return "-"
	}
	return "~"
}

func change(ch hierarchy.Change, arrow string) string {
	s := ch.What
	switch {
	case ch.From != "" && ch.To != "":
		s += ": " + ch.From + " " + arrow + " " + ch.To
	case ch.To != "":
		s += ": " + ch.To
	case ch.From != "":
		s += ": " + ch.From
	}
	if ch.Note != "" {
		s += " (" + ch.Note + ")"
	}
	return s
}

// answers are labels and values of everything that was asked and has one.
func (w *Window) answers() []string {
	c := w.c
	var out []string
	for _, p := range w.pages {
		for _, q := range p.asks {
			v := w.form.Value(q.Field)
			if v = strings.TrimSpace(v); v == "" || q.Kind == form.Note {
				continue
			}
			label := ui.Clean(q.Label)
			if q.tag != "" && q.Heading != "" {
				label = ui.Clean(hierarchy.Tag(q.Heading).Short()) + "  " + label
			}
			switch {
			case q.Kind == form.Rank:
				v = c.T("wizard.priority", "n", v)
			case q.Kind == form.Check:
				v = c.T(map[bool]string{true: "common.yes", false: "common.no"}[v == "true"])
			default:
				v = q.Name(v)
			}
			if w.answer(q.ID) == "" {
				v += "  " + c.T("wizard.by-default")
			}
			out = append(out, label, ui.Clean(v))
		}
	}
	return out
}
