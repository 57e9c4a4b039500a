package events

import (
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui/ui"
)

const (
	// withSubject and withKind are the widths from which these have columns of their own.
	withSubject, withKind = 110, 150
	// subjectMost is the widest column of subjects; a longer one pushes its line.
	subjectMost = 30
	kindWidth   = 12
)

// View implements ui.Page.
func (p *Page) View(w, h int) string {
	if p.lang != p.c.Lang {
		p.refilter(0)
		p.place()
	}
	strip := min(5, h/4)
	p.top, p.tall = 1, max(0, h-1-strip)
	if p.n() == 0 {
		return ui.Lines(append([]string{p.head(w), ""}, p.empty(w)...), w, h)
	}
	dated := !sameDay(p.at(0).At, p.c.Now)
	body := p.list.View(w, p.tall, func(i int, at bool) string { return p.row(p.at(i), at, dated, w) })
	return ui.Lines(append(append([]string{p.head(w)}, strings.Split(body, "\n")...), p.strip(w, strip)...), w, h)
}

func (p *Page) empty(w int) []string {
	var lines []string
	for _, line := range ui.Wrap(p.nothing(), w-4) {
		lines = append(lines, "  "+line)
	}
	return lines
}

func (p *Page) nothing() string {
	switch {
	case p.err != nil:
		return p.c.T("events.failed", "error", ui.Clean(p.err.Error()))
	case p.loading > 0:
		return p.c.T("common.loading")
	case p.filter != "":
		return p.c.T("events.none-match")
	}
	return p.c.T("events.none")
}

// head says how many events there are, and what the list does.
func (p *Page) head(w int) string {
	c := p.c
	s := " " + c.T("events.count", "n", len(p.all))
	if p.filter != "" {
		s = " " + c.T("events.matching", "n", p.n(), "all", len(p.all))
	}
	if more := p.list.More(); more != "" {
		s += "  " + more
	}
	switch {
	case p.loading > 0:
		s += "  " + c.Spinner() + " " + c.T("common.loading")
	case p.err != nil:
		s += "  " + c.T("events.failed", "error", ui.Clean(p.err.Error()))
	case p.follow:
		s += "  " + c.Running + " " + c.T("events.following")
	default:
		s += "  " + c.Held + " " + c.T("events.paused")
	}
	return c.Dim.Render(ui.Cut(s, w, c.Ellipsis))
}

func sameDay(a, b time.Time) bool {
	ay, am, ad := a.Local().Date()
	by, bm, bd := b.Local().Date()
	return ay == by && am == bm && ad == bd
}

func (p *Page) row(e *entry, at, dated bool, w int) string {
	c := p.c
	st, mark := severity(c, e.Event)
	clock := e.At.Local().Format("15:04:05")
	if dated {
		clock = e.At.Local().Format("01-02 15:04:05")
	}
	line := " " + clock + " " + mark + " "
	if w >= withKind {
		line += ui.Fit(kind(c, e.Event), kindWidth) + " "
	}
	if w >= withSubject {
		s := subject(e.Event)
		line += ui.Fit(s, max(min(p.subjects, subjectMost), ui.Width(s))) + "  " + message(c, e.Event)
	} else {
		line += full(c, e.Event)
	}
	line = ui.Cut(line, w, c.Ellipsis)
	if at {
		return c.Cursor.Render(ui.Fit(line, w))
	}
	return st.Render(line)
}

// strip is the event under the cursor in full, below the list.
func (p *Page) strip(w, h int) []string {
	e := p.current()
	if e == nil || h < 2 {
		return nil
	}
	c := p.c
	out := []string{c.Theme.Frame.Render(strings.Repeat(c.H, w))}
	text := ui.Wrap(full(c, e.Event), w-2)
	if len(text) > h-1 {
		text = text[:h-1]
		text[h-2] = ui.Cut(text[h-2], w-4, "") + " " + c.Ellipsis
	}
	for _, line := range text {
		out = append(out, " "+line)
	}
	for len(out) < h {
		out = append(out, "")
	}
	return out
}

// severity is how an event looks, and its mark.
func severity(c *ui.Context, e api.Event) (lipgloss.Style, string) {
	switch e.Severity {
	case "error":
		return c.Bad, c.Failed
	case "warning":
		return c.Warn, c.Attention
	}
	return c.Text, " "
}
