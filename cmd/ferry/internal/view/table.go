package view

import (
	"strings"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
)

// table writes rows in columns as wide as what they hold. The last column takes what
// is left of the line and is wrapped there, whole words in each line; when hardly
// anything is left, it goes under its row.
func (p *page) table(head []string, rows [][]string, tones ...term.Tone) {
	w := make([]int, len(head))
	for _, r := range append([][]string{head}, rows...) {
		for i, c := range r {
			w[i] = max(w[i], term.Width(c))
		}
	}
	p.row(w, head, term.Bold)
	for i, r := range rows {
		tone := term.Plain
		if i < len(tones) {
			tone = tones[i]
		}
		p.row(w, r, tone)
	}
}

// leastLast is how much of a line the last column needs to stand beside the others.
const leastLast = 16

func (p *page) row(w []int, cells []string, tone term.Tone) {
	last := len(cells) - 1
	var lead strings.Builder
	for i, c := range cells[:last] {
		lead.WriteString(term.Pad(c, w[i]) + "  ")
	}
	in := term.Width(lead.String())
	if room := p.st.Columns() - in; term.Width(cells[last]) > room && room < leastLast {
		p.line("%s", p.st.Paint(tone, strings.TrimRight(lead.String(), " ")))
		p.wrapped("    ", tone, cells[last])
		return
	}
	for i, l := range term.Wrap(cells[last], max(p.st.Columns()-in, 8)) {
		if i == 0 {
			p.line("%s", p.st.Paint(tone, strings.TrimRight(lead.String()+l, " ")))
		} else {
			p.line("%s%s", strings.Repeat(" ", in), p.st.Paint(tone, l))
		}
	}
}
