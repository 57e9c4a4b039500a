package view

import (
	"fmt"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/model"
	"time"
)

// Question is one question in full: what moves where, why, what is known of the
// node it leaves, what happens when nobody answers, and the commands that answer.
func Question(q policy.Question, s *api.Snapshot, st term.Style, now time.Time) string {
	p := newPage(st, now)
	p.question(q, s)
	if len(q.Plan.Steps) > 0 {
		p.line("")
		p.plan(q.Plan)
	}
	return p.String()
}

// Questions lists questions, pending ones in full, past ones on a line.
func Questions(qs []policy.Question, s *api.Snapshot, st term.Style, now time.Time) string {
	p := newPage(st, now)
	for i, q := range qs {
		if q.State == policy.Pending {
			if i > 0 {
				p.line("")
			}
			p.question(q, s)
		}
	}
	for _, q := range qs {
		if q.State != policy.Pending {
			p.line("%s  %s  %s  %s %s", name(q.ID), p.move(q), name(string(q.State)), name(q.Answer), by(q))
		}
	}
	return p.String()
}

func by(q policy.Question) string {
	if q.By == "" {
		return ""
	}
	return "by " + name(q.By)
}

func (p *page) move(q policy.Question) string {
	return fmt.Sprintf("%s: %s %s %s", name(string(q.Tag)), name(q.From), p.st.Mark(term.Arrow), name(q.To))
}

func (p *page) question(q policy.Question, s *api.Snapshot) {
	p.line("%s %s", p.st.Paint(term.Alarm, " QUESTION "+name(q.ID)+" WAITS FOR AN ANSWER "), p.st.Paint(term.Bold, p.move(q)))
	if q.ToRegion != "" {
		p.wrapped("  ", term.Bold, Crossing(q, s))
	}
	p.wrapped("  because: ", term.Plain, Reason(q.Cause))
	for _, e := range q.Evidence {
		if t := Reason(e); t != "" {
			p.wrapped("    - ", term.Plain, t)
		}
	}
	if !q.Proven {
		p.wrapped("  ", term.Bad, name(q.From)+" IS NOT PROVEN DEAD: if it still runs, both nodes may serve at once.")
	}
	p.copies(q)
	p.wrapped("  ", term.Plain, p.deadline(q))
	for _, c := range Answers(q, fences(q, s)) {
		p.line("    %s", c)
	}
}

// copies say what the node that would take over has of the data, and since when.
func (p *page) copies(q policy.Question) {
	for _, c := range q.Copies {
		if c.Complete() {
			p.wrapped("  data: ", term.Good, "the copy of "+name(string(c.Tag))+" on "+name(c.Node)+" is complete, nothing is lost")
		}
		if c.Settles {
			p.wrapped("  data: ", term.Plain, "the copy of "+name(string(c.Tag))+" on "+name(c.Node)+" lags behind. "+name(q.From)+" answers and is stopped in order first; then the copy is made complete, or nothing moves")
		}
	}
	for _, x := range model.Costs(q, p.now) {
		text := priceWords(x)
		if x.Known {
			text += "; last known in sync " + Clock(p.now, x.Last)
		}
		p.wrapped("  "+p.st.Paint(term.Alarm, " DATA LOSS ")+" ", term.Bold, text)
	}
}

// Crossing says into which region a question's move goes, and from which when
// that is another.
func Crossing(q policy.Question, s *api.Snapshot) string {
	from := ""
	if s != nil {
		for _, n := range s.Nodes {
			if n.Name == q.From {
				from = n.Region
			}
		}
	}
	switch from {
	case q.ToRegion:
		return "stays in region " + name(q.ToRegion)
	case "":
		return "goes to region " + name(q.ToRegion)
	}
	return "crosses regions: from " + name(from) + " to " + name(q.ToRegion)
}

func (p *page) deadline(q policy.Question) string {
	then := "nothing moves"
	if q.Default == 0 {
		then = "it MOVES"
	}
	asked := "asked " + Age(p.now, q.Asked) + " ago"
	if q.Until.IsZero() {
		return asked + "; it waits until somebody answers"
	}
	if left := q.Until.Sub(p.now); left > 0 {
		return fmt.Sprintf("%s; without an answer by %s (in %s) %s", asked, Clock(p.now, q.Until), Span(left), then)
	}
	return asked + "; its time is up"
}

// fences tells whether the cluster of the question's node has fencing configured.
func fences(q policy.Question, s *api.Snapshot) bool {
	if s == nil || s.Estate == nil {
		return false
	}
	c := s.Estate.ClusterOf(q.From)
	return c != nil && c.Fencing != ""
}

// Answers are the commands that answer a question, ready to be typed. Fencing is
// offered where it is configured.
func Answers(q policy.Question, fencing bool) []string {
	yes := "ferry confirm yes " + Quote(q.ID)
	no := "ferry confirm no " + Quote(q.ID)
	if q.ToRegion != "" {
		yes += " --region " + Quote(q.ToRegion)
	}
	if len(model.Lacking(q)) > 0 {
		yes += " --accept-data-loss"
	}
	switch off := yes + " --node-is-off " + Quote(q.From); {
	case q.Proven:
		return []string{yes, no}
	case fencing:
		return []string{yes + " --fence", off, no}
	default:
		return []string{off, no}
	}
}
