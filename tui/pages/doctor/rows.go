package doctor

import (
	"cmp"
	"slices"

	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
)

// row is a finding in the list, or the heading of a group (f is nil).
type row struct {
	verdict doctor.Verdict
	n       int // of a heading: how many there are
	f       *doctor.Finding
	check   string
	where   string
	said    string
}

// verdicts are the groups, the worst first.
func verdicts() []doctor.Verdict {
	return []doctor.Verdict{doctor.Fail, doctor.Unknown, doctor.Warn, doctor.Pass}
}

// choose makes the rows of what is to be shown, in the reader's language.
func (p *Page) choose() {
	p.lang = p.c.Printer.Lang
	p.rows, p.counts = nil, map[doctor.Verdict]int{}
	slices.SortStableFunc(p.findings, func(a, b doctor.Finding) int {
		return cmp.Or(cmp.Compare(a.Check, b.Check), cmp.Compare(a.Where, b.Where))
	})
	for _, v := range verdicts() {
		head := len(p.rows)
		for i := range p.findings {
			f := &p.findings[i]
			if f.Verdict != v {
				continue
			}
			p.counts[v]++
			if r := p.row(f); (v != doctor.Pass || p.passed) && ui.Matches(p.filter, r.check, r.where, r.said, string(v)) {
				p.rows = append(p.rows, r)
			}
		}
		if n := len(p.rows) - head; n > 0 {
			p.rows = slices.Insert(p.rows, head, row{verdict: v, n: n})
		}
	}
	p.restore()
}

func (p *Page) row(f *doctor.Finding) row {
	return row{verdict: f.Verdict, f: f, check: ui.Clean(f.Check), where: ui.Clean(f.Where), said: p.said(f)}
}

// said is a finding in one line. The engine's sentence says most; where the reader's
// language has none, it is what should be so.
func (p *Page) said(f *doctor.Finding) string {
	if f.Verdict == doctor.Pass {
		return p.about(f.Check)
	}
	said := ui.Clean(p.c.Reason(f.Reason))
	if p.c.Printer.Lang != text.English && said == ui.Clean(f.Reason.Text) || said == "" {
		if about := p.about(f.Check); about != "" {
			return about
		}
	}
	return said
}

// restore puts the cursor where it was, by the finding's id.
func (p *Page) restore() {
	at := slices.IndexFunc(p.rows, func(r row) bool { return r.f != nil && r.f.ID() == p.cur })
	if at >= 0 {
		p.list.At = at
	}
	p.list.SetN(len(p.rows))
	p.settle(1)
}

// settle moves the cursor off a heading, on in the direction in which it went, and
// remembers what it is on.
func (p *Page) settle(by int) {
	if p.list.At < len(p.rows) && p.rows[p.list.At].f == nil {
		if by < 0 && p.list.At > 0 {
			p.list.At--
		} else {
			p.list.At++
		}
	}
	if f := p.finding(); f != nil && f.ID() != p.cur {
		p.cur, p.look.Top = f.ID(), 0
	}
}

// finding is the one under the cursor; nil when there is none.
func (p *Page) finding() *doctor.Finding {
	if p.list.At < len(p.rows) {
		return p.rows[p.list.At].f
	}
	return nil
}
