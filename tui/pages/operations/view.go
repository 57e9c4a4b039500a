package operations

import (
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
)

const (
	// beside is the width from which on the one under the cursor is shown beside the list.
	beside = 110
	// below is how many lines it gets under the list on a narrow screen.
	below = 6
	// byWidest keeps a long name from pushing the times out.
	byWidest = 20
)

// View implements ui.Page.
func (p *Page) View(w, h int) string {
	if p.lang != p.c.Printer.Lang {
		p.choose()
	}
	p.side = 0
	switch {
	case len(p.rows) == 0:
		return ui.Lines(p.empty(w), w, h)
	case p.full && p.at() != nil && p.at().op.ID == p.cur:
		return p.whole(w, h)
	case w >= beside:
		right := max(54, w*46/100)
		p.side = w - right - 3
		left := p.table(p.side, h)
		return ui.Beside(" "+p.c.Theme.Frame.Render(p.c.V)+" ", left, ui.Lines(p.detail(right), right, h))
	case h >= below+8:
		return p.table(w, h-below) + "\n" + ui.Lines(p.brief(w), w, below)
	}
	return p.table(w, h)
}

// empty says why there is nothing to see.
func (p *Page) empty(w int) []string {
	c := p.c
	switch {
	case p.bad != nil:
		e := api.AsError(p.bad)
		var out []string
		for _, l := range ui.Wrap(c.T("operations.unread", "why", ui.Clean(e.Message)), w) {
			out = append(out, c.Bad.Render(l))
		}
		return append(out, ui.Wrap(ui.Clean(e.Hint), w)...)
	case !p.once:
		return []string{c.Spinner() + " " + c.T("common.loading")}
	}
	return ui.Wrap(c.T("operations.empty"), w)
}

// columns are the widths of the list; what has no room is left out.
type columns struct {
	when, what, by, outcome, took, outage int
}

func (p *Page) measure(w int) columns {
	k := columns{when: ui.Width(when(p.c, p.c.Now, p.c.Now.AddDate(0, 0, -1)))}
	room := w - 2 - k.when - 2
	for _, r := range p.visible() {
		k.what = max(k.what, ui.Width(r.what))
		k.by, k.outcome = max(k.by, ui.Width(r.by)), max(k.outcome, ui.Width(r.outcome))
	}
	k.what = max(k.what, ui.Width(p.c.T("operations.col-what")))
	k.by, k.outcome = max(k.by, ui.Width(p.c.T("operations.col-by"))), max(k.outcome, ui.Width(p.c.T("operations.col-outcome")))
	k.by = min(k.by, byWidest)
	k.took = max(6, ui.Width(p.c.T("operations.col-took")))
	k.outage = max(6, ui.Width(p.c.T("operations.col-outage")))
	left := room - k.what
	for _, col := range []*int{&k.outcome, &k.took, &k.by, &k.outage} {
		if left < *col+2 {
			*col = 0
			continue
		}
		left -= *col + 2
	}
	k.what = min(room, k.what+max(0, left))
	return k
}

// visible are the rows that may be on the screen.
func (p *Page) visible() []*row {
	from := min(max(0, min(p.list.Top, p.list.At)), len(p.shown))
	return p.shown[from:min(len(p.shown), max(p.list.Top, p.list.At)+100)]
}

// table is the list with its heading.
func (p *Page) table(w, h int) string {
	c, k := p.c, p.measure(w)
	p.head = 1
	title := p.heading(k)
	if more := p.list.More(); more != "" {
		title = ui.Fit(title, max(0, w-ui.Width(more)-1)) + " " + more
	}
	if len(p.shown) == 0 {
		return ui.Lines([]string{c.Dim.Render(ui.Fit(title, w)), ui.Cut(c.T("operations.no-match", "filter", ui.Clean(p.filter)), w, c.Ellipsis)}, w, h)
	}
	body := p.list.View(w, h-1, func(i int, at bool) string { return p.line(p.shown[i], k, w, at) })
	return c.Dim.Render(ui.Fit(title, w)) + "\n" + body
}

func (p *Page) heading(k columns) string {
	t := p.c.T
	s := "  " + ui.Fit(t("operations.col-when"), k.when) + "  " + ui.Fit(t("operations.col-what"), k.what)
	return s + cell(t("operations.col-outcome"), k.outcome, false) + cell(t("operations.col-took"), k.took, true) +
		cell(t("operations.col-by"), k.by, false) + cell(t("operations.col-outage"), k.outage, true)
}

func cell(s string, w int, right bool) string {
	switch {
	case w == 0:
		return ""
	case right:
		return "  " + ui.FitLeft(s, w)
	}
	return "  " + ui.Fit(s, w)
}

// line is one row.
func (p *Page) line(r *row, k columns, w int, at bool) string {
	c := p.c
	mark, look := Mark(c, r.op)
	outage := ""
	if r.moved {
		outage = c.Span(r.outage)
	}
	rest := " " + ui.Fit(when(c, c.Now, r.op.Began), k.when) + "  " + ui.Fit(r.what, k.what)
	tail := cell(c.Span(took(c, r.op)), k.took, true) + cell(r.by, k.by, false) + cell(outage, k.outage, true)
	if at {
		return c.Cursor.Render(ui.Fit(mark+rest+cell(r.outcome, k.outcome, false)+tail, w))
	}
	return look.Render(ui.Fit(mark, 1)) + rest + look.Render(cell(r.outcome, k.outcome, false)) + tail
}

// took is how long it ran, or has been running.
func took(c *ui.Context, o *api.Operation) time.Duration {
	if o.Ended.IsZero() {
		return max(0, c.Now.Sub(o.Began)).Truncate(time.Second)
	}
	return o.Ended.Sub(o.Began)
}

// Mark is an operation's mark and style.
func Mark(c *ui.Context, o *api.Operation) (string, lipgloss.Style) {
	switch o.Outcome {
	case policy.OpDone:
		return c.Done, c.Good
	case policy.OpFailed:
		return c.Marks.Failed, c.Bad
	case policy.OpRolledBack:
		return c.Left, c.Warn
	}
	return c.Spinner(), c.Strong
}

// when is a moment in at most eleven cells: the time of today, the day and time of this
// year, or the date.
func when(c *ui.Context, now, at time.Time) string {
	now, at = now.Local(), at.Local()
	sep := "-"
	if c.Printer.Lang == text.Japanese {
		sep = "/"
	}
	layout := "01-02 15:04"
	switch {
	case now.Year() == at.Year() && now.YearDay() == at.YearDay():
		layout = "15:04:05"
	case now.Year() != at.Year() && now.Sub(at).Abs() > 180*24*time.Hour:
		layout = "2006-01-02"
	}
	return at.Format(strings.ReplaceAll(layout, "-", sep))
}
