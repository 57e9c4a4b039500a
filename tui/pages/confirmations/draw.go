package confirmations

import (
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/confirm"
	"github.com/ferry-ha/ferry/tui/ui"
)

// beside is the width from which the details stand beside the list.
const beside = 150

// ageWidth holds every age: "59m59s".
const ageWidth = 6

// View implements ui.Page.
func (p *Page) View(w, h int) string {
	p.derive()
	if len(p.rows) == 0 {
		return ui.Lines(p.nothing(w), w, h)
	}
	if w >= beside {
		left := w * 55 / 100
		return ui.Beside("", ui.Lines(p.table(left, h), left, h), p.box(w-left, h))
	}
	tall := min(len(p.rows)+2, max(5, h*2/5))
	return ui.Lines(append(p.table(w, tall), strings.Split(p.box(w, h-tall), "\n")...), w, h)
}

func (p *Page) nothing(w int) []string {
	if p.filter != "" {
		return []string{"", "  " + p.c.T("confirmations.none-match")}
	}
	out := []string{""}
	for _, line := range ui.Wrap(p.c.T("confirmations.none"), w-4) {
		out = append(out, "  "+line)
	}
	return out
}

// table is the list under its heading.
func (p *Page) table(w, h int) []string {
	waits := 0
	for _, q := range p.rows {
		if q.State == policy.Pending {
			waits++
		}
	}
	rows := strings.Split(p.list.View(w, h-2, func(i int, at bool) string { return p.row(p.rows[i], at, w) }), "\n")
	title := " " + p.c.T("confirmations.waiting", "n", waits) + p.c.T("confirmations.past", "n", len(p.rows)-waits)
	if more := p.list.More(); more != "" {
		title += "  " + more
	}
	p.top, p.tall = 2, max(0, h-2)
	head := "   " + ui.Fit(p.c.T("confirmations.col-question"), p.wid()) + "  " + ui.Fit(p.c.T("confirmations.col-resource"), p.cols.tag) +
		"  " + ui.Fit(p.c.T("confirmations.col-move"), p.cols.move) + "  " + ui.Fit(p.c.T("confirmations.col-age"), ageWidth) + "  " + p.c.T("confirmations.col-outcome")
	out := []string{p.c.Dim.Render(ui.Cut(title, w, p.c.Ellipsis)), p.c.Accent.Render(ui.Cut(head, w, p.c.Ellipsis))}
	return append(out, rows...)
}

// wid is how wide the column of ids is: its heading has to fit, too.
func (p *Page) wid() int { return max(p.cols.id, ui.Width(p.c.T("confirmations.col-question"))) }

func (p *Page) row(q *policy.Question, at bool, w int) string {
	c := p.c
	m, st := c.Waiting, c.Text
	switch {
	case q.State == policy.Pending:
		m, st = c.Ask, c.Warn
	case q.State == policy.Withdrawn:
		m, st = c.Skipped, c.Dim
	case q.State == policy.Expired:
		m = c.Failed
	case q.State == policy.Answered && q.Answer == "no":
		m = c.Left
	case q.State == policy.Answered:
		m = c.Done
	}
	line := " " + m + " " + ui.Fit(ui.Clean(q.ID), p.wid()) + "  " + ui.Fit(ui.Clean(string(q.Tag)), p.cols.tag) + "  " + ui.Fit(p.move(q), p.cols.move) + "  " + ui.Fit(p.age(q), ageWidth) + "  " + p.outcome(q)
	line = ui.Fit(ui.Cut(line, w, c.Ellipsis), w)
	if at {
		return c.Cursor.Render(line)
	}
	return st.Render(line)
}

// age is how long ago it ended, or was asked.
func (p *Page) age(q *policy.Question) string {
	if q.State == policy.Pending {
		return p.c.Ago(q.Asked)
	}
	return p.c.Ago(q.Ended)
}

// outcome is how it ended, or what is left of its time.
func (p *Page) outcome(q *policy.Question) string {
	c := p.c
	if q.State != policy.Pending {
		return confirm.Outcome(c, *q)
	}
	if q.Until.IsZero() {
		return c.T("confirm.waits")
	}
	left := max(0, q.Until.Sub(c.Now)).Truncate(time.Second)
	if left == 0 {
		return c.T("confirm.time-up")
	}
	return c.T("confirm.waits") + "  " + c.T("confirm.left", "left", c.Span(left))
}

// box is what is known of the question under the cursor.
func (p *Page) box(w, h int) string {
	q := p.current()
	if q == nil || h < 3 {
		return ui.Block("", w, max(0, h))
	}
	return ui.Box(p.c.Theme, ui.Clean(q.ID)+"  "+ui.Clean(string(q.Tag))+"  "+p.move(q), strings.Join(p.details(q, w-4), "\n"), w, h, false)
}

func (p *Page) details(q *policy.Question, w int) []string {
	c := p.c
	var out []string
	if q.State == policy.Pending {
		out = append(out, confirm.Deadline(c, *q, w), c.Dim.Render(ui.Cut(c.T("confirmations.how"), w, c.Ellipsis)), "")
	} else {
		for _, line := range ui.Wrap(confirm.Outcome(c, *q), w) {
			out = append(out, c.Strong.Render(line))
		}
		if why := ui.Clean(c.Reason(q.Why)); why != "" {
			out = append(out, ui.Wrap(why, w)...)
		}
		out = append(out, c.Dim.Render(ui.Cut(c.T("confirmations.when", "asked", c.Clock(c.Now, q.Asked), "ended", c.Clock(c.Now, q.Ended),
			"took", c.Span(q.Ended.Sub(q.Asked).Truncate(time.Second))), w, c.Ellipsis)), "")
	}
	return append(append(append(out, confirm.Facts(c, *q, w)...), ""), confirm.Plan(c, *q, w)...)
}
