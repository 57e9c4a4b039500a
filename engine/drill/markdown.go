package drill

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Span is a duration as reports show it: to the millisecond, to the tenth of a second
// from ten seconds on.
func Span(d time.Duration) string {
	if d >= 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}

// OutageText is a move's outage in words.
func (m *Move) OutageText() string {
	switch {
	case m.Looks == 0:
		return "not measured"
	case len(m.Gaps) == 0:
		return "none seen"
	case m.Open:
		return fmt.Sprintf("at least %s, and not over", Span(m.Outage))
	case len(m.Gaps) > 1:
		return fmt.Sprintf("%s in %d gaps (at most %s)", Span(m.Outage), len(m.Gaps), Span(m.AtMost))
	}
	return fmt.Sprintf("%s (at most %s)", Span(m.Outage), Span(m.AtMost))
}

// Markdown is the report as a document.
func Markdown(r *Report) []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Drill of %s: %s", cell(r.Tag), r.Result)
	line("")
	line("| | |\n| --- | --- |")
	for _, row := range [][2]string{{"estate", r.Estate}, {"test", r.Test}, {"from, to", r.From + ", " + r.To}, {"crosses to", r.Crosses}, {"by", r.By},
		{"began", r.Began.UTC().Format(time.RFC3339)}, {"took", Span(r.Ended.Sub(r.Began))}, {"probe", r.probeText()}, {"in service now on", r.Now}} {
		if row[1] != "" {
			line("| %s | %s |", row[0], cell(row[1]))
		}
	}
	for _, p := range r.Problems {
		line("\n**Problem:** %s", cell(p))
	}
	for i := range r.Moves {
		r.Moves[i].markdown(line)
	}
	line("\n## Checks before\n\n| check | | |\n| --- | --- | --- |")
	for _, c := range r.Checks {
		ok := "ok"
		if !c.OK {
			ok = "not ok"
		}
		line("| %s | %s | %s |", cell(c.Name), ok, cell(c.Text))
	}
	return []byte(b.String())
}

func (r *Report) probeText() string {
	if r.Probe == "" {
		return "none: only operations were measured"
	}
	return fmt.Sprintf("%s, every %s", r.Probe, Span(r.Period))
}

func (m *Move) markdown(line func(string, ...any)) {
	line("\n## %s: %s to %s", m.Name, orNowhere(m.From), orNowhere(m.To))
	line("\nOperation %s (%s) ended as %s after %s. Clients were without an answer for: **%s**.", cell(m.Op), m.Goal, m.Outcome, Span(m.Took), m.OutageText())
	if m.Verified > 0 {
		line("Seen in service, and answering steadily, %s after its end.", Span(m.Verified))
	}
	line("\n| step | on | | took | outage meanwhile |\n| --- | --- | --- | --- | --- |")
	for _, s := range m.Steps {
		line("| %s %s | %s | %s | %s | %s |", s.Kind, cell(s.Tag), cell(s.Node), s.Status, Span(s.Took), Span(s.Outage))
	}
	for _, g := range m.Gaps {
		line("\n- no answer from %s for %s (%d looks): %s", g.From.UTC().Format("15:04:05.000"), Span(g.Length), g.Failed, cell(g.Said))
	}
}

func orNowhere(node string) string {
	if node == "" {
		return "nowhere"
	}
	return cell(node)
}

// cell makes a text one line that means nothing to Markdown.
func cell(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return ' '
		}
		return r
	}, s)
	return strings.NewReplacer("|", "\\|", "`", "'", "<", "&lt;", "[", "\\[").Replace(s)
}
