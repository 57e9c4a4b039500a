package confirm

import (
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/ferry-ha/ferry/tui/ui"
)

const (
	// twoColumns is the width from which the plan stands beside the facts.
	twoColumns = 140
	// footRoom are the lines kept for what is typed, so that the answers stay where they are.
	footRoom = 3
)

// Size implements ui.Sized: as high as what there is to say.
func (w *Window) Size(width, height int) (int, int) {
	width = min(width, 156)
	head, foot := w.head(width), w.foot(width)
	return width, min(height, len(head)+len(w.lines(width))+len(foot))
}

// View implements ui.Page: the answers and the countdown stay, what is between them and
// the headline scrolls.
func (w *Window) View(width, height int) string {
	head, foot := w.head(width), w.foot(width)
	foot = foot[:min(len(foot), height)]
	head = head[:min(len(head), height-len(foot))]
	room := height - len(head) - len(foot)
	lines := append([]string(nil), head...)
	if room > 0 {
		lines = append(lines, strings.Split(w.scroll.View(w.lines(width), width, room), "\n")...)
	}
	w.answers = len(lines) + 2
	if len(foot) > 0 && w.scroll.More() != "" {
		foot[0] = w.rule(width, w.c.T("confirm.more", "where", w.scroll.More(), "up", w.c.Up, "down", w.c.Down))
	}
	return ui.Lines(append(lines, foot...), width, height)
}

// body is what scrolls, kept until something in it can have changed.
type body struct {
	est   *model.Estate
	w     int
	lang  text.Lang
	kind  theme.Kind
	ascii bool
	at    int64
	over  bool
	lines []string
}

func (w *Window) lines(width int) []string {
	c, key := w.c, &w.body
	if w.q == nil {
		return nil
	}
	if key.lines != nil && key.est == c.Est && key.w == width && key.lang == c.Lang && key.kind == c.Kind && key.ascii == c.ASCII && key.at == c.Now.Unix() && key.over == w.over {
		return key.lines
	}
	w.body = body{c.Est, width, c.Lang, c.Kind, c.ASCII, c.Now.Unix(), w.over, nil}
	if width < twoColumns {
		w.body.lines = append(append(Facts(c, *w.q, width), ""), Plan(c, *w.q, width)...)
		return w.body.lines
	}
	left, gap := (width-3)/2, " "+c.Theme.Frame.Render(c.V)+" "
	a, b := Facts(c, *w.q, left), Plan(c, *w.q, width-3-left)
	h := max(len(a), len(b))
	w.body.lines = strings.Split(ui.Beside(gap, ui.Lines(a, left, h), ui.Lines(b, width-3-left, h)), "\n")
	return w.body.lines
}

// head says what it is about, and how it stands.
func (w *Window) head(width int) []string {
	c, q := w.c, w.q
	if q == nil {
		return ui.Wrap(c.T("confirm.unknown", "id", ui.Clean(w.id)), width)
	}
	var out []string
	if w.over {
		out = w.outcome(width)
	} else {
		out = append(out, c.Alarm.Render(ui.Fit(ui.Cut(" "+c.Ask+" "+w.ask(), width, c.Ellipsis), width)))
	}
	out = append(out, c.Strong.Render(ui.Cut(w.move(), width, c.Ellipsis)))
	if !w.over {
		out = append(out, w.proof(width)...)
		out = append(out, w.loss(width)...)
	}
	if !c.Lost.IsZero() {
		for _, line := range ui.Wrap(c.T("confirm.lost", "age", c.Ago(c.Lost), "at", c.Clock(c.Now, c.Est.At)), width) {
			out = append(out, c.Alarm.Render(ui.Fit(line, width)))
		}
	}
	return append(out, "")
}

// ask is the question itself.
func (w *Window) ask() string {
	q := w.q
	id := "confirm.may-cross"
	if q.ToRegion == "" || w.c.Est.Index.RegionOf(q.From) == q.ToRegion {
		id = "confirm.may-move"
	}
	return w.c.T(id, "tag", ui.Clean(string(q.Tag)), "region", ui.Clean(q.ToRegion), "to", ui.Clean(q.To))
}

func (w *Window) move() string {
	q := w.q
	return ui.Clean(q.From) + w.place(q.From) + " " + w.c.Arrow + " " + ui.Clean(q.To) + w.place(q.To) + "  " + w.c.T("confirm.asked", "age", w.c.Ago(q.Asked))
}

func (w *Window) place(server string) string {
	region, zone, _ := w.c.Est.Place(server)
	if zone == "" {
		zone = region
	}
	if zone == "" {
		return ""
	}
	return " (" + ui.Clean(zone) + ")"
}

// proof says whether the node that is left is known to be off.
func (w *Window) proof(width int) []string {
	id, st := "confirm.not-proven", w.c.Bad
	if w.q.Proven {
		id, st = "confirm.in-order", w.c.Good
		if n := w.c.Est.Node(w.q.From); n != nil && n.Verdict == policy.Dead {
			id = "confirm.proven"
		}
	}
	var out []string
	for _, line := range ui.Wrap(w.c.T(id, "from", ui.Clean(w.q.From)), width) {
		out = append(out, st.Render(line))
	}
	return out
}

// Outcome is how a question ended, in a few words: "answered: no, by bob".
func Outcome(c *ui.Context, q policy.Question) string {
	switch q.State {
	case policy.Answered:
		return c.T("confirm.ended-answered", "answer", Answer(c, q.Answer), "by", ui.Clean(q.By))
	case policy.Expired:
		if q.Default == 0 {
			return c.T("confirm.ended-expired-yes")
		}
		return c.T("confirm.ended-expired-no")
	case policy.Withdrawn:
		return c.T("confirm.ended-withdrawn")
	}
	return c.T("confirm.waits")
}

// Answer is a kind of answer in words.
func Answer(c *ui.Context, kind string) string {
	switch kind {
	case "yes", "no", "off", "fence":
		return c.T("confirm.answer-" + kind)
	}
	return ui.Clean(kind)
}

// outcome says that it is over, how and why, and what became of what was being typed.
func (w *Window) outcome(width int) []string {
	c, q := w.c, w.q
	var out []string
	if q.State == policy.Pending {
		out = ui.Wrap(c.T("confirm.gone"), width)
	} else {
		out = append(out, c.Alarm.Render(ui.Fit(ui.Cut(" "+Outcome(c, *q)+"  "+c.T("confirm.ago", "age", age(c, q.Ended)), width, c.Ellipsis), width)))
	}
	for _, line := range ui.Wrap(ui.Clean(c.Reason(q.Why)), width) {
		if line != "" {
			out = append(out, line)
		}
	}
	if w.swallow {
		for _, line := range ui.Wrap(c.T("confirm.not-sent"), width) {
			out = append(out, c.Warn.Render(line))
		}
	}
	return out
}

func (w *Window) rule(width int, what string) string {
	if what == "" {
		return w.c.Theme.Frame.Render(strings.Repeat(w.c.H, width))
	}
	what = " " + ui.Cut(what, width-4, w.c.Ellipsis) + " "
	return w.c.Theme.Frame.Render(strings.Repeat(w.c.H, 2)) + w.c.Dim.Render(what) + w.c.Theme.Frame.Render(strings.Repeat(w.c.H, max(0, width-2-ui.Width(what))))
}

// foot is what stays at the bottom: what happens without an answer, the answers, what is typed.
func (w *Window) foot(width int) []string {
	if w.q == nil || w.over && w.said == "" {
		return nil
	}
	out := []string{w.rule(width, "")}
	if w.over {
		return append(out, w.spoken(width)...)
	}
	out = append(out, Deadline(w.c, *w.q, width))
	for _, o := range w.offers() {
		out = append(out, w.answer(o, width))
	}
	out = append(out, w.prompt(width)...)
	for len(out) < 2+len(w.offers())+footRoom {
		out = append(out, "")
	}
	return out
}

// Deadline is the line of what happens when nobody answers, with what is left of the time.
func Deadline(c *ui.Context, q policy.Question, width int) string {
	if q.Until.IsZero() {
		return c.Warn.Render(ui.Cut(c.T("confirm.stands"), width, c.Ellipsis))
	}
	left := q.Until.Sub(c.Now)
	if left <= 0 {
		return c.Alarm.Render(ui.Cut(c.T("confirm.time-up"), width, c.Ellipsis))
	}
	id, st := "confirm.else-nothing", c.Warn
	if q.Default == 0 {
		id, st = "confirm.else-moves", c.Alarm
	}
	s := c.T(id, "at", c.Clock(c.Now, q.Until)) + "  " + c.T("confirm.left", "left", c.Span(left.Truncate(time.Second)))
	line := st.Render(ui.Cut(s, width, c.Ellipsis))
	if room := min(width-ui.Width(s)-4, 24); room >= 6 {
		part := float64(left) / float64(max(q.Until.Sub(q.Asked), time.Second))
		line += "  " + c.Theme.Frame.Render("[") + st.Render(ui.Gauge(c.Theme, part, room)) + c.Theme.Frame.Render("]")
	}
	return line
}

// answer is the line of one answer.
func (w *Window) answer(o offer, width int) string {
	c, q := w.c, w.q
	id := "confirm.say-" + o.kind
	s := c.T(id, "from", ui.Clean(q.From), "to", ui.Clean(q.To), "region", ui.Clean(q.ToRegion))
	if o.off != "" && o.off != c.MayAct(needed) {
		s = c.T("confirm.do-"+o.kind) + ": " + o.off
	}
	lead := "  "
	if o.kind == w.kind {
		lead = c.Closed + " "
	}
	switch rest := ui.Cut(s, width-6, c.Ellipsis); {
	case o.off != "":
		return lead + c.Dim.Render(" "+o.key+"  "+rest)
	case o.kind == w.kind:
		return c.Cursor.Render(ui.Fit(lead+" "+o.key+"  "+rest, width))
	default:
		return lead + " " + c.Key.Render(o.key) + "  " + rest
	}
}

// prompt is what to do next, and the field.
func (w *Window) prompt(width int) []string {
	c := w.c
	switch {
	case w.sending:
		return []string{c.Spinner() + " " + c.T("confirm.sending")}
	case w.sent != "":
		return ui.Wrap(c.T("confirm.sent", "answer", Answer(c, w.sent)), width)
	case w.field == nil && w.said != "":
		return w.spoken(width)
	case w.field == nil:
		s, st := c.T("confirm.choose"), c.Dim
		if off := c.MayAct(needed); off != "" {
			s, st = off, c.Warn
		}
		return painted(st, ui.Wrap(s, width))
	}
	out := append(w.atStake(width), painted(c.Strong, ui.Wrap(w.wanted(), width))...)
	out = append(out, c.Key.Render("> ")+w.field.View(min(width-2, 60)))
	return append(out, w.spoken(width)...)
}

// wanted says which word is to be typed now.
func (w *Window) wanted() string {
	word := ui.Clean(w.words()[len(w.typed)])
	from := ui.Clean(w.q.From)
	switch {
	case w.kind == "no":
		return w.c.T("confirm.type-no")
	case w.kind == "off" && len(w.typed) == 0:
		return w.c.T("confirm.type-node", "from", from, "who", ui.Clean(w.c.Who))
	case len(w.costs) > 0:
		return w.c.T("confirm.type-accept", "word", word, "who", ui.Clean(w.c.Who))
	case w.q.ToRegion == "":
		return w.c.T("confirm.type-target", "word", word)
	}
	return w.c.T("confirm.type-region", "word", word)
}

func (w *Window) spoken(width int) []string {
	if w.said == "" {
		return nil
	}
	st := w.c.Warn
	if w.bad {
		st = w.c.Bad
	}
	return painted(st, ui.Wrap(w.said, width))
}

func painted(st lipgloss.Style, lines []string) []string {
	for i := range lines {
		lines[i] = st.Render(lines[i])
	}
	return lines
}

// age is at least a second: what has just happened is no "0ms".
func age(c *ui.Context, t time.Time) string {
	return c.Span(max(time.Second, c.Now.Sub(t)).Truncate(time.Second))
}
