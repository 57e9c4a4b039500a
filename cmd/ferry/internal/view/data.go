package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/model"
)

// data is what is told of a resource's replicated data: the whole first, then each copy.
func (p *page) data(r *api.ResourceStatus) {
	if r == nil || r.Data == nil {
		return
	}
	d, legs := r.Data, model.Legs(r)
	p.line("")
	p.line("%s", p.st.Paint(term.Bold, "replication"))
	if d.Doubtful {
		p.wrapped("  "+p.st.Paint(term.Alarm, "IN DOUBT")+" ", term.Plain, "the record was rebuilt from copies, and the newest may be missing: no node is promoted without force until the source has shown that it is right")
	}
	source, takers := model.DataSource(legs)
	switch {
	case source == "" && d.Recorded.IsZero():
		p.pair("source", "nothing is on record yet: it is written with the first start")
	case source == "":
		p.pair("source", "not told")
	default:
		if g := name(legs[0].Generation); g != "" {
			p.pair("source", name(source)+", generation "+g)
		} else {
			p.pair("source", name(source))
		}
		p.pair("if it is lost", takeover(takers))
	}
	p.pair("heard", p.heard(d))
	if !d.Recorded.IsZero() {
		p.pair("record", "changed "+Age(p.now, d.Recorded)+" ago")
	}
	p.legs(legs)
	for _, t := range d.Tasks {
		p.task(t)
	}
}

func takeover(takers []string) string {
	if len(takers) == 0 {
		return "no other copy is known to be complete: the data stays where it is, unless a person forces it"
	}
	all := make([]string, len(takers))
	for i, n := range takers {
		all[i] = name(n)
	}
	return strings.Join(all, ", ") + " has all of the data, and may be promoted without force"
}

func (p *page) heard(d *api.DataStatus) string {
	if d.Heard.IsZero() {
		return "not heard yet"
	}
	s := Age(p.now, d.Heard) + " ago"
	if p.now.Sub(d.Heard) > 30*time.Second {
		s += ": what stands here is as old as that"
	}
	return s
}

// legs is the table of copies.
func (p *page) legs(legs []model.Leg) {
	if len(legs) == 0 {
		return
	}
	p.line("")
	var rows [][]string
	var tones []term.Tone
	for _, l := range legs {
		role, tone := "target", term.Warn
		if l.Source {
			role = "source"
		}
		switch {
		case l.Source && l.State == "", l.Promote == model.Free && l.State == "in sync":
			tone = term.Good
		case l.State == "in sync", l.Source:
			tone = term.Plain
		}
		state := name(l.State)
		if l.Percent >= 0 {
			state += fmt.Sprintf(" %d %%", l.Percent)
		}
		rows = append(rows, []string{name(l.Node), role, orDash(state), orDash(name(l.Mode)), p.legFacts(l)})
		tones = append(tones, tone)
	}
	p.table([]string{"node", "role", "state", "mode", "known of it"}, rows, tones...)
}

// legFacts is what follows from a copy's state, in one paragraph.
func (p *page) legFacts(l model.Leg) string {
	var out []string
	add := func(s string) { out = append(out, s) }
	for _, s := range []string{l.Speed, after(l.Left, " to go"), before("done in ", l.ETA), before("backlog ", l.Backlog), before("why: ", l.Why)} {
		if s != "" {
			add(name(s))
		}
	}
	switch {
	case l.Source:
	case l.Never && l.Promote != model.NeverComplete:
		add("it never was a complete copy")
	case !l.Last.IsZero():
		add("last known in sync " + Clock(p.now, l.Last) + ": its data is up to " + Age(p.now, l.Last) + " old")
	case l.InSync() && !l.Since.IsZero():
		add("in sync since " + Clock(p.now, l.Since) + " (" + Age(p.now, l.Since) + ")")
	}
	if l.Promote == model.Free && !l.Source {
		add("may be promoted without force")
	} else if l.Promote.Settles() {
		add("a planned stop hands over to it without force; a loss of the source does not: " + promoteWords(l.Promote))
	} else if l.Promote != model.Free {
		add("not promoted without force: " + promoteWords(l.Promote))
	}
	for _, k := range slices.Sorted(maps.Keys(l.Rest)) {
		add(name(k) + " " + name(l.Rest[k]))
	}
	return strings.Join(out, "; ")
}

func before(lead, s string) string {
	if s == "" {
		return ""
	}
	return lead + s
}

func after(s, tail string) string {
	if s == "" {
		return ""
	}
	return s + tail
}

// promoteWords say why a node may not become the source without force.
func promoteWords(p model.Promote) string {
	switch p {
	case model.NotKnown:
		return "nothing is known of its copy"
	case model.Doubtful:
		return "the record is in doubt"
	case model.SourceBad:
		return "its disk failed while it was the source"
	case model.HalfCopied:
		return "it is a mixture of old and new until it has been copied to the end"
	case model.OutOfDate:
		return "its data is out of date"
	case model.Differs:
		return "a comparison found blocks that differ from the source's"
	case model.NeverComplete:
		return "it never was a complete copy"
	case model.Asynchronous:
		return "an asynchronous copy lags behind and may be inconsistent"
	case model.GoesOnAlone:
		return "the source goes on alone when the link is lost, so what is missing here is not known"
	}
	return name(string(p))
}

// task is something that is done for the data beside operations.
func (p *page) task(t api.TaskStatus) {
	tone, text := term.Plain, fmt.Sprintf("%s of %s runs for %s", name(t.Name), name(t.Node), Age(p.now, t.Began))
	why := Reason(t.Why)
	if !t.Running {
		tone, text = term.Warn, fmt.Sprintf("%s of %s did not succeed, tried %d times; it is tried again", name(t.Name), name(t.Node), max(t.Tries, 1))
		why = Reason(t.Failed)
	}
	if why != "" {
		text += ": " + why
	}
	p.wrapped("  "+p.st.Paint(tone, "task")+" ", term.Plain, text)
}

// dataRemark is a line under the matrix for data that is in doubt, or that nobody could
// take over; empty when there is none. What the kit calls wrong stands with the state.
func dataRemark(r *api.ResourceStatus) string {
	if r.Data == nil {
		return ""
	}
	source, takers := model.DataSource(model.Legs(r))
	switch {
	case r.Data.Doubtful:
		return "its record is in doubt: no node is promoted without force"
	case source != "" && len(takers) == 0:
		return "no copy but that of " + name(source) + " is known to be complete"
	}
	return ""
}

// Prices say what a forced plan costs in data; none when it costs nothing.
func Prices(pv *api.Preview, s *api.Snapshot, now time.Time) []string {
	res := func(t hierarchy.Tag) *api.ResourceStatus {
		for i := range s.Resources {
			if s.Resources[i].Tag == t {
				return &s.Resources[i]
			}
		}
		return nil
	}
	var out []string
	for _, p := range model.Prices(pv, res, now) {
		out = append(out, priceWords(p))
	}
	return out
}

// Costs say what a yes to a question costs in data; none when it costs nothing.
func Costs(q policy.Question, now time.Time) []string {
	var out []string
	for _, p := range model.Costs(q, now) {
		out = append(out, priceWords(p))
	}
	return out
}

func priceWords(p model.Price) string {
	tag, node, why := name(string(p.Tag)), name(p.Node), ""
	if p.Why != "" {
		why = " (" + promoteWords(p.Why) + ")"
	}
	if p.Known {
		return fmt.Sprintf("the copy of %s on %s may be up to %s old%s; what was written since then is lost for good when %s becomes the source", tag, node, Span(p.Age.Truncate(time.Second)), why, node)
	}
	return fmt.Sprintf("nobody knows how old the copy of %s on %s is, or whether it is whole%s; what is missing there is lost for good when %s becomes the source", tag, node, why, node)
}

// PriceLines are the same as they stand under a plan.
func PriceLines(prices []string, st term.Style) string {
	p := newPage(st, time.Time{})
	for _, x := range prices {
		p.wrapped(p.st.Paint(term.Alarm, " DATA LOSS ")+" ", term.Bold, x)
	}
	return p.String()
}
