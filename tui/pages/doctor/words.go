package doctor

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/tui/ui"
)

// sentence is a part of a check (about, why, mend) in the reader's language: the
// catalog's where it has one, else what the check says of itself.
func sentence(c *ui.Context, check, part, english string) string {
	if id := "checks." + check + "." + part; c.Has(id) {
		return c.T(id)
	}
	r, n := utf8.DecodeRuneInString(english)
	if n == 0 {
		return ""
	}
	return string(unicode.ToUpper(r)) + english[n:]
}

func (p *Page) about(check string) string {
	return sentence(p.c, check, "about", p.checks[check].About)
}

// plain tells whether a command can be shown exactly as it is.
func plain(command string) bool {
	return command != "" && len(command) <= maxCommand && ui.Printable(strings.ReplaceAll(command, "\n", "")) == strings.ReplaceAll(command, "\n", "")
}

// mendable tells whether ferry may mend a finding and the fix can be shown.
func mendable(f *doctor.Finding) bool {
	return f.Verdict != doctor.Pass && f.Fix.Safe && plain(f.Fix.Command)
}

// maxCommand is more than any fix has; a longer one is no line that a person reads.
const maxCommand = 2000

// verdictWord is a verdict in the reader's language.
func verdictWord(c *ui.Context, v doctor.Verdict) string { return c.T("doctor.verdict-" + string(v)) }
