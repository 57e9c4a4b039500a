package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// Reason is a reason's sentence; where the text is missing, its code and
// arguments, so that no reason is ever silent.
func Reason(r kits.Reason) string {
	if r.Text != "" {
		return term.Clean(r.Text)
	}
	if r.Code == "" {
		return ""
	}
	words := []string{r.Code}
	for _, k := range slices.Sorted(maps.Keys(r.Args)) {
		words = append(words, k+"="+r.Args[k])
	}
	return term.Clean(strings.Join(words, " "))
}

// Age says how long ago, in two units at most; "never" for the zero time.
func Age(now, then time.Time) string {
	if then.IsZero() {
		return "never"
	}
	return Span(max(now.Sub(then), 0))
}

// Span is a duration for people: 400ms, 1.2s, 42s, 4m10s, 3h12m, 2d5h.
func Span(d time.Duration) string {
	switch {
	case d < 0:
		return "-" + Span(-d)
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Milliseconds())
	case d < 10*time.Second:
		return strings.Replace(fmt.Sprintf("%.1fs", d.Truncate(100*time.Millisecond).Seconds()), ".0s", "s", 1)
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return two(int(d.Minutes()), "m", int(d.Seconds())%60, "s")
	case d < 24*time.Hour:
		return two(int(d.Hours()), "h", int(d.Minutes())%60, "m")
	}
	return two(int(d.Hours())/24, "d", int(d.Hours())%24, "h")
}

func two(a int, au string, b int, bu string) string {
	if b == 0 {
		return fmt.Sprintf("%d%s", a, au)
	}
	return fmt.Sprintf("%d%s%d%s", a, au, b, bu)
}

// Clock is the time of day in the reader's zone, with the date when it is not today.
func Clock(now, t time.Time) string {
	t = t.In(now.Location())
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format(time.TimeOnly)
	}
	return t.Format(time.DateTime)
}

// page collects lines.
type page struct {
	strings.Builder
	st  term.Style
	now time.Time
}

func newPage(st term.Style, now time.Time) *page { return &page{st: st, now: now} }

func (p *page) line(format string, args ...any) {
	s := format
	if len(args) > 0 {
		s = fmt.Sprintf(format, args...)
	}
	p.WriteString(strings.TrimRight(s, " "))
	p.WriteByte('\n')
}

// wrapped writes text under a lead; further lines are set in under the text.
func (p *page) wrapped(lead string, tone term.Tone, text string) {
	in := term.Width(lead)
	for i, l := range term.Wrap(text, p.st.Columns()-in) {
		if i > 0 {
			lead = strings.Repeat(" ", in)
		}
		p.line("%s%s", lead, p.st.Paint(tone, l))
	}
}

// short is a tag without its cluster when the reader knows the cluster.
func short(t hierarchy.Tag) string { return term.Clean(t.Short()) }

func name(s string) string { return term.Clean(s) }
