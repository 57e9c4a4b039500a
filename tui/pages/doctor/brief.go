package doctor

import (
	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Brief is a finding in a few lines for other screens: what, where, what was found, how it
// is mended, and the command.
func Brief(c *ui.Context, f doctor.Finding, w int) []string {
	mark, look := verdictLook(c, f.Verdict)
	var out []string
	for _, l := range ui.Wrap(mark+" "+verdictWord(c, f.Verdict)+": "+ui.Clean(f.Check)+"  "+ui.Clean(f.Where), w) {
		out = append(out, look.Render(l))
	}
	say := func(s string) {
		for _, l := range ui.Wrap(s, max(1, w-2)) {
			out = append(out, "  "+l)
		}
	}
	var check doctor.Check
	for _, x := range doctor.Checks() {
		if x.ID == f.Check {
			check = x
		}
	}
	if said := ui.Clean(c.Reason(f.Reason)); said != "" {
		say(said)
	}
	for _, s := range fixes(c, &f, check) {
		say(c.T("doctor.fix") + ": " + s)
	}
	if f.Fix.Command != "" {
		where := c.T("doctor.runs-anywhere")
		if f.Fix.Node != "" {
			where = c.T("doctor.runs-node", "node", ui.Clean(f.Fix.Node))
		}
		say(where + " " + ui.Clean(f.Fix.Command))
	}
	return out
}
