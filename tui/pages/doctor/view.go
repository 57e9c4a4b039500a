package doctor

import (
	"strings"

	"charm.land/lipgloss/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/tui/ui"
)

const (
	// beside is the width from which on the one under the cursor is shown beside the list.
	beside = 110
	// below is how many lines it gets under the list on a narrow screen.
	below = 8
	// least is the room that a finding's sentence needs to be worth a column.
	least = 24
)

// View implements ui.Page.
func (p *Page) View(w, h int) string {
	if p.lang != p.c.Printer.Lang {
		p.choose()
	}
	top := p.top(w)
	p.head, p.side = len(top), 0
	s, room := strings.Join(top, "\n")+"\n", max(0, h-len(top))
	switch f := p.finding(); {
	case p.full && f != nil:
		return ui.Block(s+p.whole(f, w, room), w, h)
	case len(p.rows) == 0:
		return ui.Block(s+strings.Join(p.empty(w), "\n"), w, h)
	case w >= beside:
		right := max(50, w*42/100)
		p.side = w - right - 3
		return ui.Block(s+ui.Beside(" "+p.c.Theme.Frame.Render(p.c.V)+" ", p.table(p.side, room), ui.Lines(p.detail(f, right), right, room)), w, h)
	case room >= below+6:
		return ui.Block(s+p.table(w, room-below)+"\n"+ui.Lines(p.brief(f, w), w, below), w, h)
	}
	return ui.Block(s+p.table(w, room), w, h)
}

// top says what this is, which no tab does, what came of it, how old that is, and what is
// going on.
func (p *Page) top(w int) []string {
	c := p.c
	out := []string{c.Accent.Render(ui.Cut(p.Title(), w, c.Ellipsis))}
	if !p.at.IsZero() {
		age := c.T("doctor.age", "age", c.Ago(p.at), "took", c.Span(p.took))
		if gap := w - ui.Width(out[0]) - ui.Width(age); gap > 1 {
			out[0] += strings.Repeat(" ", gap) + c.Dim.Render(age)
		}
		out = append(out, p.summary(w))
	}
	if !p.running.IsZero() {
		said := c.T("doctor.running", "for", c.Ago(p.running))
		if p.node != "" {
			said = c.T("doctor.running-node", "node", ui.Clean(p.node), "for", c.Ago(p.running))
		}
		for _, l := range ui.Wrap(c.Spinner()+" "+said, w) {
			out = append(out, c.Accent.Render(l))
		}
	}
	if p.bad != nil {
		out = append(out, p.trouble(w)...)
	}
	return append(out, "")
}

// trouble says why it could not be examined.
func (p *Page) trouble(w int) []string {
	c, e := p.c, api.AsError(p.bad)
	id := "doctor.failed"
	if api.NoDoctor(p.bad) {
		id = "doctor.no-doctor"
	}
	var out []string
	for _, l := range ui.Wrap(c.Marks.Attention+" "+c.T(id, "why", ui.Clean(e.Message)), w) {
		out = append(out, c.Bad.Render(l))
	}
	if hint := ui.Clean(e.Hint); hint != "" && !api.NoDoctor(p.bad) {
		out = append(out, ui.Wrap("  "+hint, w)...)
	}
	return out
}

// summary counts the verdicts.
func (p *Page) summary(w int) string {
	c := p.c
	var parts []string
	for _, v := range verdicts() {
		mark, look := verdictLook(c, v)
		if p.counts[v] == 0 {
			look = c.Dim
		}
		parts = append(parts, look.Render(mark+" "+c.T("doctor.count-"+string(v), "n", p.counts[v])))
	}
	return ui.Fit(strings.Join(parts, "  "), w)
}

// verdictLook is a verdict's mark and style.
func verdictLook(c *ui.Context, v doctor.Verdict) (string, lipgloss.Style) {
	switch v {
	case doctor.Fail:
		return c.Marks.Failed, c.Bad
	case doctor.Unknown:
		return c.Marks.Unknown, c.Theme.Unknown
	case doctor.Warn:
		return c.Attention, c.Warn
	}
	return c.Done, c.Good
}

// empty says why no finding is listed.
func (p *Page) empty(w int) []string {
	c := p.c
	switch {
	case p.at.IsZero() && p.running.IsZero() && p.bad == nil:
		if off := p.mayExamine(); off != "" {
			return ui.Wrap(off, w)
		}
		return ui.Wrap(c.T("doctor.not-yet"), w)
	case p.at.IsZero():
		return nil
	case p.filter != "":
		return []string{ui.Cut(c.T("doctor.no-match", "filter", ui.Clean(p.filter)), w, c.Ellipsis)}
	}
	out := []string{}
	for _, l := range ui.Wrap(c.Done+" "+c.T("doctor.all-passed", "n", p.counts[doctor.Pass]), w) {
		out = append(out, c.Good.Render(l))
	}
	return out
}

// columns are the widths of the list.
type columns struct{ check, where, fix, said int }

func (p *Page) measure(w int) columns {
	k := columns{check: ui.Width(p.c.T("doctor.col-check")), where: ui.Width(p.c.T("doctor.col-where")), fix: ui.Width(p.c.T("doctor.col-fix"))}
	from := min(max(0, min(p.list.Top, p.list.At)), len(p.rows))
	for _, r := range p.rows[from:min(len(p.rows), max(p.list.Top, p.list.At)+100)] {
		k.check, k.where = max(k.check, ui.Width(r.check)), max(k.where, ui.Width(r.where))
	}
	k.said = w - 3 - k.check - 2 - k.where - 2 - k.fix - 2
	if k.said < least { // it stands below in full
		k.said = 0
		k.where = max(8, min(k.where, w-3-k.check-2-k.fix-2))
	}
	return k
}

// table is the list with its heading.
func (p *Page) table(w, h int) string {
	c, k := p.c, p.measure(w)
	p.head++
	if at := p.list.At; at > 0 && p.rows[at-1].f == nil { // a group's heading stays with its first finding
		p.list.Top = min(p.list.Top, at-1)
	}
	said := ""
	if k.said > 0 {
		said = "  " + c.T("doctor.col-said")
	}
	body := p.list.View(w, h-1, func(i int, at bool) string { return p.line(&p.rows[i], k, w, at) })
	title := "   " + ui.Fit(c.T("doctor.col-check"), k.check) + "  " + ui.Fit(c.T("doctor.col-where"), k.where) + "  " + ui.Fit(c.T("doctor.col-fix"), k.fix) + said
	if more := p.list.More(); more != "" {
		title = ui.Fit(title, max(0, w-ui.Width(more)-1)) + " " + more
	}
	return c.Dim.Render(ui.Fit(title, w)) + "\n" + body
}

// line is one row.
func (p *Page) line(r *row, k columns, w int, at bool) string {
	c := p.c
	mark, look := verdictLook(c, r.verdict)
	if r.f == nil {
		return look.Render(ui.Cut(verdictWord(c, r.verdict)+": "+c.T("doctor.means-"+string(r.verdict)), w, c.Ellipsis))
	}
	fix := ""
	if mendable(r.f) {
		fix = "x"
	}
	left := " " + ui.Fit(mark, 1) + " "
	rest := ui.Fit(r.check, k.check) + "  " + ui.Fit(ui.Cut(r.where, k.where, c.Ellipsis), k.where) + "  " + ui.Fit(fix, k.fix)
	if k.said > 0 {
		rest += "  " + ui.Cut(r.said, k.said, c.Ellipsis)
	}
	if at {
		return c.Cursor.Render(ui.Fit(left+rest, w))
	}
	return look.Render(left) + rest
}
