package simulate

import (
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/decision"
	"github.com/ferry-ha/ferry/tui/steps"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/ui"
)

const (
	// both is the width from which the list and the result stand side by side.
	both = 100
	// plansShown and decisionsShown bound what is drawn of a disaster in a large estate.
	plansShown, decisionsShown = 30, 300
)

// View implements ui.Page.
func (p *Page) View(w, h int) string {
	p.derive()
	c := p.c
	banner := c.Warn.Render(ui.Cut(" "+c.Attention+" "+c.T("simulate.banner", "at", c.Clock(c.Now, c.Est.At)), w, c.Ellipsis))
	if len(p.c.Est.Nodes) == 0 {
		return ui.Block(banner+"\n\n  "+c.T("simulate.no-estate"), w, h)
	}
	p.narrow = w < both
	if p.narrow {
		p.wide = w
		if p.reading {
			return ui.Block(banner+"\n"+p.resultBox(w, h-1), w, h)
		}
		short := p.short(w - 4)
		p.top, p.tall = 2, max(0, h-1-len(short)-2)
		return ui.Block(banner+"\n"+p.listBox(w, h-1-len(short))+"\n"+strings.Join(short, "\n"), w, h)
	}
	p.wide = max(min(max(w*36/100, 44), 64), min(p.need+4, w*45/100)) // no tag and no node is cut while there is room
	p.top, p.tall = 2, max(0, h-3)
	return ui.Block(banner+"\n"+ui.Beside("", p.listBox(p.wide, h-1), p.resultBox(w-p.wide, h-1)), w, h)
}

func (p *Page) listBox(w, h int) string {
	title := p.c.T("simulate.what-fails")
	body := p.list.View(w-4, h-2, func(i int, at bool) string { return p.line(&p.rows[i], at, w-4) })
	if more := p.list.More(); more != "" {
		title += "  " + more
	}
	if len(p.rows) == 0 {
		body = p.c.Dim.Render(p.c.T("simulate.none-match"))
	}
	return ui.Box(p.c.Theme, title, body, w, h, !p.reading)
}

// line draws a row: its box, its name, what stands behind it.
func (p *Page) line(r *row, at bool, w int) string {
	c := p.c
	if r.kind == rowHead {
		return c.Accent.Render(ui.Cut(ui.Clean(r.name), w, c.Ellipsis))
	}
	s := ui.Fit(ui.Cut(p.text(r), w, c.Ellipsis), w)
	switch {
	case at && !p.reading:
		return c.Cursor.Render(s)
	case p.box(r) != c.Off:
		return c.Warn.Render(s)
	}
	return s
}

// text is a row without colours and as long as it is.
func (p *Page) text(r *row) string {
	indent := map[rowKind]string{rowZone: "  ", rowNode: "    "}[r.kind]
	return indent + "[" + p.box(r) + "] " + ui.Clean(r.name) + "  " + p.note(r)
}

// box is the mark between the brackets: on, off, or some of its servers.
func (p *Page) box(r *row) string {
	on := false
	switch r.kind {
	case rowWorks:
		on = p.works
	case rowResource:
		on = p.res[r.tag]
	default:
		if on = p.allDown(r.servers); !on {
			for _, s := range r.servers {
				if p.down(s) {
					return p.c.Skipped
				}
			}
		}
	}
	if on {
		return p.c.On
	}
	return p.c.Off
}

// short is the result in two lines, for where the list fills the screen.
func (p *Page) short(w int) []string {
	out := []string{""}
	switch {
	case p.want == "":
		out = append(out, " "+p.c.Dim.Render(ui.Cut(p.c.T("simulate.tick-first"), w, p.c.Ellipsis)))
	case p.running:
		out = append(out, " "+p.c.Spinner()+" "+p.c.T("simulate.running"))
	case p.want != p.asked:
		out = append(out, " "+p.c.Strong.Render(ui.Cut(p.c.T("simulate.press-enter"), w, p.c.Ellipsis)))
	default:
		out = append(out, " "+p.verdict(w))
	}
	return out
}

// verdict is what comes of it, in a sentence.
func (p *Page) verdict(w int) string {
	c := p.c
	if p.out.err != nil {
		return c.Bad.Render(ui.Cut(c.T("simulate.failed", "error", ui.Clean(p.out.err.Error())), w, c.Ellipsis))
	}
	asks, moves, repairs := 0, 0, 0
	for _, d := range last(p.out.out.Decisions) {
		switch d.Action {
		case policy.DoConfirm:
			asks++
		case policy.DoFailover, policy.DoSwitchback:
			moves++
		case policy.DoRecover:
			repairs++
		}
	}
	switch {
	case asks > 0 && moves > 0:
		return c.Alarm.Render(ui.Cut(" "+c.Ask+" "+c.T("simulate.asks-and-moves", "n", asks, "moves", moves)+" ", w, c.Ellipsis))
	case asks > 0:
		return c.Alarm.Render(ui.Cut(" "+c.Ask+" "+c.T("simulate.asks", "n", asks)+" ", w, c.Ellipsis))
	case moves > 0:
		return c.Good.Render(ui.Cut(c.Arrow+" "+c.T("simulate.moves", "n", moves), w, c.Ellipsis))
	case repairs > 0:
		return c.Good.Render(ui.Cut(c.Done+" "+c.T("simulate.repairs", "n", repairs), w, c.Ellipsis))
	}
	return c.Strong.Render(ui.Cut(c.Skipped+" "+c.T("simulate.stays"), w, c.Ellipsis))
}

// last keeps of each hierarchy's decisions the one that stands in the end.
func last(all []policy.Decision) []policy.Decision {
	at := map[hierarchy.Tag]int{}
	var out []policy.Decision
	for _, d := range all {
		if i, ok := at[d.Tag]; ok {
			out[i] = d
			continue
		}
		at[d.Tag] = len(out)
		out = append(out, d)
	}
	return out
}

func (p *Page) resultBox(w, h int) string {
	title := p.c.T("simulate.what-follows")
	body := p.scroll.View(p.lines(w-4), w-4, h-2)
	if more := p.scroll.More(); more != "" {
		title += "  " + more
	}
	return ui.Box(p.c.Theme, title, body, w, h, p.reading)
}

// drawn are the result's lines, kept until something in them can have changed.
type drawn struct {
	of      *result
	w       int
	lang    text.Lang
	kind    theme.Kind
	ascii   bool
	lines   []string
	running bool
}

func (p *Page) lines(w int) []string {
	c := p.c
	switch {
	case p.want == "":
		return ui.Wrap(c.T("simulate.how"), w)
	case p.running:
		return []string{c.Spinner() + " " + c.T("simulate.running")}
	case p.want != p.asked || p.out == nil:
		return ui.Wrap(c.T("simulate.press-enter"), w)
	}
	if d := &p.drawn; d.of == p.out && d.w == w && d.lang == c.Lang && d.kind == c.Kind && d.ascii == c.ASCII {
		return d.lines
	}
	p.drawn = drawn{of: p.out, w: w, lang: c.Lang, kind: c.Kind, ascii: c.ASCII, lines: p.compose(w)}
	return p.drawn.lines
}

// compose is the whole result: what is imagined, what comes of it, why, the plans, the
// command.
func (p *Page) compose(w int) []string {
	c, r := p.c, p.out
	var out []string
	for _, line := range ui.Wrap(p.supposed(), w) {
		out = append(out, c.Strong.Render(line))
	}
	out = append(out, p.verdict(w))
	for _, note := range r.notes(c) {
		for i, line := range ui.Wrap(note, w-2) {
			lead := "  "
			if i == 0 {
				lead = c.Attention + " "
			}
			out = append(out, c.Warn.Render(lead+line))
		}
	}
	if r.err == nil {
		out = append(append(out, ""), p.decisions(w)...)
		out = append(out, p.plans(w)...)
	}
	out = append(out, "", c.Accent.Render(ui.Cut(c.T("simulate.same-as"), w, c.Ellipsis)))
	return append(out, ui.Wrap(r.command(), w)...)
}

// supposed says what fails: "If LK_P_A is lost, and service/www fails on LK_P_B:".
func (p *Page) supposed() string {
	c, im := p.c, p.out.imagined
	var parts []string
	if n := len(im.FailNodes); n > 0 {
		names := make([]string, 0, n)
		for _, s := range im.FailNodes[:min(n, 8)] {
			names = append(names, ui.Clean(s))
		}
		if n > 8 {
			names = append(names, c.Ellipsis)
		}
		parts = append(parts, c.T("simulate.if-lost", "n", n, "names", strings.Join(names, ", ")))
	}
	for i, f := range im.FailResources {
		if i == 4 {
			parts = append(parts, c.T("simulate.if-more", "n", len(im.FailResources)-i))
			break
		}
		id := "simulate.if-fails"
		if !im.Unrepairable {
			id = "simulate.if-fails-once"
		}
		parts = append(parts, c.T(id, "tag", ui.Clean(string(f.Tag)), "node", ui.Clean(f.Node)))
	}
	return c.T("simulate.if", "what", strings.Join(parts, c.T("simulate.and")))
}

// notes say where the estate of now and the one that was imagined differ.
func (r *result) notes(c *ui.Context) []string {
	var out []string
	if !r.automation {
		out = append(out, c.T("simulate.note-automation"))
	}
	if r.holds > 0 {
		out = append(out, c.T("simulate.note-holds", "n", r.holds))
	}
	if n := len(r.assumed); n > 0 {
		names := make([]string, 0, 8)
		for _, s := range r.assumed[:min(n, 8)] {
			names = append(names, ui.Clean(s))
		}
		if n > 8 {
			names = append(names, c.Ellipsis)
		}
		out = append(out, c.T("simulate.note-assumed", "names", strings.Join(names, ", ")))
	}
	if n := len(r.left); n > 0 {
		out = append(out, c.T("simulate.left-out", "n", n, "tag", ui.Clean(string(r.left[0]))))
	}
	return out
}

func (p *Page) decisions(w int) []string {
	c := p.c
	out := []string{c.Accent.Render(ui.Cut(c.T("simulate.decisions"), w, c.Ellipsis))}
	all := p.out.out.Decisions
	if len(all) == 0 {
		return append(out, ui.Wrap(c.T("simulate.nothing-decided"), w)...)
	}
	for i, d := range all {
		if i == decisionsShown {
			return append(out, c.T("simulate.more-decisions", "n", len(all)-i))
		}
		st, mark := decision.Style(c, d.Action)
		for j, line := range ui.Wrap(decision.Headline(c, d), w-2) {
			lead := "  "
			if j == 0 {
				lead = mark + " "
			}
			out = append(out, st.Render(lead+line))
		}
		for _, line := range decision.Reasons(c, d, w-4) {
			out = append(out, "    "+line)
		}
	}
	return out
}

// plans are those that would be carried out, at once or after a yes.
func (p *Page) plans(w int) []string {
	c := p.c
	var out []string
	for i, pl := range p.out.out.Plans {
		if i == plansShown {
			return append(out, "", c.T("simulate.more-plans", "n", len(p.out.out.Plans)-i))
		}
		title := steps.Headline(c, pl.Goal)
		if p.waits(pl.Goal) {
			title += "  " + c.T("simulate.after-yes")
		}
		out = append(out, "")
		for _, line := range ui.Wrap(title, w) {
			out = append(out, c.Accent.Render(line))
		}
		out = append(append(out, steps.Effects(c, pl, w)...), steps.Notes(c, pl, w)...)
		out = append(out, steps.Lines(c, pl, nil, w)...)
	}
	return out
}

// waits tells whether a plan would wait for a person's yes.
func (p *Page) waits(g plan.Goal) bool {
	for _, d := range p.out.out.Decisions {
		if d.Action == policy.DoConfirm && d.Tag == g.Tag && d.To == g.Node {
			return true
		}
	}
	return false
}
