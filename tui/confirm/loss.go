package confirm

import (
	"time"

	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// lossLines is how many resources' losses stand in short where one types; all of them stand
// in full above.
const lossLines = 3

// loss is what a yes costs in data, in short: it stays in sight whatever scrolls.
func (w *Window) loss(width int) []string {
	if w.field != nil && len(w.accepted()) > 0 {
		return nil // it stands where one types
	}
	return w.short(model.Costs(*w.q, w.c.Now), width)
}

func (w *Window) short(all []model.Price, width int) []string {
	c := w.c
	var out []string
	say := func(text string) {
		for _, line := range ui.Wrap(c.Attention+" "+text, width) {
			out = append(out, c.Alarm.Render(ui.Fit(line, width)))
		}
	}
	for i, p := range all {
		if i == lossLines && len(all) > lossLines+1 {
			say(c.T("confirm.loss-more", "n", len(all)-lossLines))
			break
		}
		id, age := "confirm.loss-unknown", ""
		if p.Known {
			id, age = "confirm.loss-age", c.Span(p.Age.Truncate(time.Second))
		}
		say(c.T(id, "tag", ui.Clean(string(p.Tag)), "node", ui.Clean(p.Node), "age", age))
	}
	return out
}

// atStake are the lines of it before the word is typed: one loss in full, several in short.
func (w *Window) atStake(width int) []string {
	all := w.accepted()
	if len(all) == 1 {
		return painted(w.c.Alarm, ui.Wrap(Cost(w.c, all[0]), width))
	}
	return w.short(all, width)
}

// accepted is what the answer that is being typed accepts, as it was shown when it was chosen.
func (w *Window) accepted() []model.Price {
	if w.kind == "off" && len(w.typed) == 0 {
		return nil // the name of the node comes first, and accepts nothing
	}
	q := *w.q
	q.Copies = w.costs
	return model.Costs(q, w.c.Now)
}

// Cost is one price in full: what is lost, and why.
func Cost(c *ui.Context, p model.Price) string {
	id, age := "act.price-unknown", ""
	if p.Known {
		id, age = "act.price-age", c.Span(p.Age.Truncate(time.Second))
	}
	text := c.T(id, "tag", ui.Clean(string(p.Tag)), "node", ui.Clean(p.Node), "age", age)
	if p.Why == "" {
		return text
	}
	why := "replication.promote-" + string(p.Why)
	if !c.Has(why) {
		why = "act.price-no-copy"
	}
	return text + " " + c.T("act.price-why", "why", c.T(why))
}

// data are the lines of what the node that would take over has of the data: as known now
// or, once the question is over, as it was then. None where nothing is replicated.
func data(c *ui.Context, q policy.Question, w int) []string {
	if len(q.Copies) == 0 {
		return nil
	}
	at := c.Now
	if q.State != policy.Pending {
		at = q.Ended
	}
	out := section(c, c.T("confirm.data", "to", ui.Clean(q.To)), w)
	for _, x := range q.Copies {
		if x.Complete() {
			out = append(out, painted(c.Good, bullet(c, c.T("confirm.complete", "tag", ui.Clean(string(x.Tag))), w))...)
		}
		if x.Settles {
			out = append(out, bullet(c, c.T("confirm.settles", "tag", ui.Clean(string(x.Tag)), "from", ui.Clean(q.From)), w)...)
		}
	}
	for _, p := range model.Costs(q, at) {
		text := Cost(c, p)
		if p.Known {
			text += " " + c.T("confirm.last", "at", c.Clock(c.Now, p.Last))
		}
		out = append(out, painted(c.Bad, bullet(c, text, w))...)
	}
	return append(out, "")
}
