// Package confirmations is the page of the questions that the engine asked people: those
// that wait for an answer first, then the past ones with what was answered, by whom and
// why. What is known of the one under the cursor stands beside or below; enter opens its
// prompt (package confirm), in which alone an answer is given.
package confirmations

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/confirm"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Page is the page.
type Page struct {
	c      *ui.Context
	filter string

	est  *model.Estate // what rows were made from
	made string        // … and with which filter
	rows []*policy.Question
	cols columns
	list ui.List
	id   string // the question under the cursor
	top  int    // line of the first row in the last view
	tall int    // … and how many lines of rows there were
}

type columns struct{ id, tag, move int }

// New makes it; arg is the question to begin with, "" = the one that waits longest.
func New(c *ui.Context, arg string) *Page { return &Page{c: c, id: arg} }

// Title implements ui.Page.
func (p *Page) Title() string { return p.c.T("root.page-confirmations") }

// Filter implements ui.Filterer.
func (p *Page) Filter(words string) { p.filter = words }

// Filtered implements ui.Filterer.
func (p *Page) Filtered() string { return p.filter }

// Actions implements ui.Page.
func (p *Page) Actions() []ui.Action {
	off, help := "", p.c.T("confirmations.do-open")
	switch q := p.current(); {
	case q == nil:
		off = p.c.T("common.nothing")
	case q.State == policy.Pending:
		help = p.c.T("confirmations.do-answer")
	}
	return []ui.Action{
		{ID: "open", Key: "enter", Help: help, Off: off},
		{ID: "copy", Key: "y", Help: p.c.T("confirmations.do-copy"), Off: off},
	}
}

// Do implements ui.Page.
func (p *Page) Do(id string) tea.Cmd {
	q := p.current()
	if q == nil {
		return nil
	}
	switch id {
	case "open":
		return ui.Show(confirm.New(p.c, q.ID))
	case "copy":
		s := ui.Clean(q.ID)
		if q.State == policy.Pending {
			s = confirm.Command(*q, "no")
			if q.Proven {
				s = confirm.Command(*q, "yes")
			}
		}
		return ui.Copy(s, s)
	}
	return nil
}

// Update implements ui.Page.
func (p *Page) Update(msg tea.Msg) tea.Cmd {
	p.derive()
	switch msg := msg.(type) {
	case ui.Click:
		was := p.list.At
		if msg.Y < p.top || msg.Y >= p.top+p.tall {
			return nil
		}
		if at, ok := p.list.Hit(msg.Y - p.top); ok && at == was {
			return p.Do("open")
		}
	default:
		p.list.Update(msg)
	}
	if p.list.At < len(p.rows) {
		p.id = p.rows[p.list.At].ID
	}
	return nil
}

func (p *Page) current() *policy.Question {
	p.derive()
	if p.list.At < len(p.rows) {
		return p.rows[p.list.At]
	}
	return nil
}

// derive makes the rows anew when the estate or the filter is another one; the cursor
// stays on its question.
func (p *Page) derive() {
	if p.est == p.c.Est && p.made == p.filter {
		return
	}
	p.est, p.made, p.rows, p.cols = p.c.Est, p.filter, p.rows[:0], columns{}
	for i := range p.est.Questions {
		q := &p.est.Questions[i]
		if ui.Matches(p.filter, q.ID, string(q.Tag), q.From, q.To, q.ToRegion, q.By, q.Answer, string(q.State)) {
			p.rows = append(p.rows, q)
		}
	}
	slices.SortStableFunc(p.rows, order)
	for _, q := range p.rows {
		p.cols.id = max(p.cols.id, ui.Width(ui.Clean(q.ID)))
		p.cols.tag = max(p.cols.tag, ui.Width(ui.Clean(string(q.Tag))))
		p.cols.move = max(p.cols.move, ui.Width(p.move(q)))
	}
	p.list.SetN(len(p.rows))
	if at := slices.IndexFunc(p.rows, func(q *policy.Question) bool { return q.ID == p.id }); at >= 0 {
		p.list.At = at
	}
}

// order puts what waits first, the oldest on top; then what is over, the newest on top.
func order(a, b *policy.Question) int {
	pa, pb := a.State == policy.Pending, b.State == policy.Pending
	switch {
	case pa && !pb:
		return -1
	case pb && !pa:
		return 1
	case pa:
		return a.Asked.Compare(b.Asked)
	}
	if n := b.Ended.Compare(a.Ended); n != 0 {
		return n
	}
	return strings.Compare(b.ID, a.ID)
}

func (p *Page) move(q *policy.Question) string {
	return ui.Clean(q.From) + " " + p.c.Arrow + " " + ui.Clean(q.To)
}
