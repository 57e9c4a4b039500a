package doctor

import (
	"strings"

	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/ui"
)

// whole is a finding on the whole page.
func (p *Page) whole(f *doctor.Finding, w, h int) string {
	return p.look.View(p.detail(f, w), w, h)
}

// detail is everything about a finding.
func (p *Page) detail(f *doctor.Finding, w int) []string {
	c := p.c
	if f == nil {
		return nil
	}
	out := append(p.title(f, w), "")
	pairs := []string{c.T("doctor.should"), p.about(f.Check)}
	if said := ui.Clean(c.Reason(f.Reason)); said != "" {
		pairs = append(pairs, c.T("doctor.found"), said)
	}
	if why := sentence(c, f.Check, "why", p.checks[f.Check].Why); why != "" {
		pairs = append(pairs, c.T("doctor.why"), why)
	}
	for i, s := range fixes(c, f, p.checks[f.Check]) {
		label := ""
		if i == 0 {
			label = c.T("doctor.fix")
		}
		pairs = append(pairs, label, s)
	}
	out = append(out, ui.Pairs(c.Theme, w, pairs...)...)
	out = append(out, commandLines(c, f, w)...)
	if f.Verdict == doctor.Pass {
		return out
	}
	said := c.T("doctor.yours")
	switch {
	case mendable(f):
		said = c.T("doctor.safe")
	case f.Fix.Safe && f.Fix.Command != "":
		said = c.T("doctor.off-hidden")
	}
	out = append(out, "")
	for _, l := range ui.Wrap(said, w) {
		out = append(out, c.Dim.Render(l))
	}
	return out
}

// brief is what one wants to know of a finding at first.
func (p *Page) brief(f *doctor.Finding, w int) []string {
	c := p.c
	out := []string{c.Theme.Frame.Render(strings.Repeat(c.H, w))}
	if f == nil {
		return out
	}
	out = append(out, p.title(f, w)...)
	if said := ui.Clean(c.Reason(f.Reason)); said != "" {
		out = append(out, ui.Wrap(said, w)...)
	} else {
		out = append(out, ui.Wrap(p.about(f.Check), w)...)
	}
	if all := fixes(c, f, p.checks[f.Check]); len(all) > 0 && f.Verdict != doctor.Pass {
		for _, l := range ui.Wrap(c.T("doctor.fix")+": "+all[len(all)-1], w) {
			out = append(out, c.Dim.Render(l))
		}
	}
	return out
}

// title names a finding, its verdict and its place.
func (p *Page) title(f *doctor.Finding, w int) []string {
	c := p.c
	mark, look := verdictLook(c, f.Verdict)
	var out []string
	for _, l := range ui.Wrap(mark+" "+verdictWord(c, f.Verdict)+": "+ui.Clean(f.Check)+"  "+ui.Clean(f.Where), w) {
		out = append(out, look.Render(l))
	}
	return out
}

// fixes are the sentences that say how to mend it: the finding's own, which has the names of the
// place. Where the language does not have that one, the check's stands before the engine's.
func fixes(c *ui.Context, f *doctor.Finding, check doctor.Check) []string {
	var out []string
	special := ui.Clean(f.Fix.Text)
	said, own := c.Printer.Fix(f.Fix.Code, f.Reason.Args)
	foreign := c.Printer.Lang != text.English && !own
	if own {
		special = ui.Clean(said)
	}
	if foreign && f.Fix.Text == check.Mend {
		special = "" // the check's own text in that language says it
	}
	if general := sentence(c, f.Check, "mend", check.Mend); general != "" && (special == "" || foreign) {
		out = append(out, general)
	}
	if special != "" && f.Verdict != doctor.Pass {
		out = append(out, special)
	}
	return out
}

// commandLines show the command that mends a finding, whole, and where it runs.
func commandLines(c *ui.Context, f *doctor.Finding, w int) []string {
	if f.Fix.Command == "" {
		return nil
	}
	where := c.T("doctor.runs-anywhere")
	switch {
	case f.Fix.Interface != "":
		where = c.T("doctor.runs-account", "region", ui.Clean(f.Fix.Region))
	case f.Fix.Node != "":
		where = c.T("doctor.runs-node", "node", ui.Clean(f.Fix.Node))
	}
	var out []string
	out = append(out, "")
	for _, l := range ui.Wrap(where, w) {
		out = append(out, c.Accent.Render(l))
	}
	for _, line := range ui.CleanLines(f.Fix.Command, maxCommand) {
		for _, l := range ui.Wrap(line, max(1, w-2)) {
			out = append(out, "  "+c.Strong.Render(l))
		}
	}
	return out
}
