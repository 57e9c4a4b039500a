package policy

import (
	"slices"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// Copy is what a node that may take a hierarchy over has of one resource's data, as far as
// the record of that resource tells.
type Copy struct {
	Tag  hierarchy.Tag `json:"tag"`
	Node string        `json:"node"`
	// Price is why the kit does not start from this copy without a person's word: what it lacks
	// is lost for good then. Without a code everything that was reported as written is there.
	Price kits.Reason `json:"price,omitzero"`
	// Last is when the copy had everything; zero = nobody knows, or it is complete. The kit tells
	// it as an age in whole seconds, so it is right within one.
	Last time.Time `json:"last,omitzero"`
	// Settles: the node that is left answers and is stopped in order first; the kit then makes the
	// copy complete and proves it, or nothing moves (kits.Settler). A yes has nothing to accept.
	Settles bool `json:"settles,omitempty"`
}

// Costs tells that data is lost by starting from the copy as things stand.
func (c Copy) Costs() bool { return !c.Complete() && !c.Settles }

// Complete tells that nothing is lost by starting from the copy.
func (c Copy) Complete() bool { return c.Price.Code == "" }

// lastSlack is how far two readings of the same Last may lie apart: ages are rounded.
const lastSlack = 2 * time.Second

// worse tells that a copy costs what was not said when the other one was shown: it lacks
// something for another reason, or it is older than that, or nobody knows any more how old.
func (c Copy) worse(shown Copy) bool {
	switch {
	case !c.Costs():
		return false
	case c.Price.Code != shown.Price.Code:
		return true
	case shown.Last.IsZero():
		return false
	}
	return c.Last.IsZero() || c.Last.Before(shown.Last.Add(-lastSlack))
}

// copies are what a node has of the data of resources that leave another one, in their
// order; those without a record are left out. The kits are asked as before a start.
func (w *World) copies(tags []hierarchy.Tag, from, node string, now time.Time) []Copy {
	var all []Copy
	for _, t := range tags {
		r := w.x.Resource(t)
		if r == nil || w.x.Placement(t, node) == nil {
			continue
		}
		kp, keeps := w.kits[r.Kit].(kits.Keeper)
		if !keeps {
			continue
		}
		in := hierarchy.InstanceOf(w.x, t, node, node)
		in.Record, in.Doubtful = w.Record(t)
		c := Copy{Tag: t, Node: node}
		if _, no := kp.Promote(in, false, now); no != nil {
			c.Price = *no
			if age, err := time.ParseDuration(no.Args["age"]); err == nil && age >= 0 {
				c.Last = now.Add(-age)
			}
			_, can := kp.(kits.Settler)
			c.Settles = can && no.Args["settles"] != "" && w.alive(from)
		}
		all = append(all, c)
	}
	return all
}

// priced are those that cost something.
func priced(all []Copy) []Copy {
	return slices.DeleteFunc(slices.Clone(all), func(c Copy) bool { return !c.Costs() })
}

// samePrices tells that nobody has to be told: the same copies lack the same.
func samePrices(a, b []Copy) bool {
	return slices.EqualFunc(a, b, func(x, y Copy) bool { return x.Tag == y.Tag && x.Price.Code == y.Price.Code && x.Settles == y.Settles })
}

func sameCopies(a, b []Copy) bool {
	return samePrices(a, b) && slices.EqualFunc(a, b, func(x, y Copy) bool { return x.Last.Sub(y.Last).Abs() <= lastSlack })
}

// tellPrices logs what a question's move would cost.
func (s *step) tellPrices(q *Question) {
	for _, c := range priced(q.Copies) {
		s.event(Event{Kind: "question", Severity: "warning", Tag: c.Tag, Node: c.Node, Question: q.ID,
			Reason: because("question-price", c.Price, "tag", string(c.Tag), "node", c.Node)})
	}
}

// reprice takes a standing question's prices anew. Once there is one, silence is no answer
// any more, also when it becomes less later.
func (s *step) reprice(q *Question, now []Copy) {
	was := q.Copies
	q.Copies = now
	if samePrices(was, now) {
		return
	}
	if len(priced(now)) > 0 {
		s.tellPrices(q)
		if s.staysOpen(q.To, now) {
			s.keepOpen(q)
		}
		return
	}
	if len(priced(was)) == 0 {
		return
	}
	s.event(Event{Kind: "question", Tag: q.Tag, Node: q.To, Question: q.ID, Reason: why("question-no-price", "tag", string(q.Tag), "node", q.To)})
}

// staysOpen tells that a question has no end: CONFIRMSODEF=0 would let nobody's silence be a
// yes, and no silence accepts a loss of data. Where it says that nothing moves then
// (CONFIRMSODEF=1), that is what happens.
func (s *step) staysOpen(to string, copies []Copy) bool {
	return len(priced(copies)) > 0 && s.x.Int(to, hierarchy.ConfirmSoDef) == 0
}

// keepOpen takes the end of a question's time away, and says so once.
func (s *step) keepOpen(q *Question) {
	said := q.Default == 1 && q.Until.IsZero()
	q.Default, q.Until = 1, time.Time{}
	if !said {
		s.sayOpen(q)
	}
}

func (s *step) sayOpen(q *Question) {
	s.event(Event{Kind: "question", Severity: "warning", Tag: q.Tag, Node: q.From, Question: q.ID,
		Reason: why("question-stays-open", "tag", string(q.Tag), "from", q.From, "to", q.To)})
}

// unaccepted is why an answer does not cover what its move costs now: nothing was
// accepted, or something that costs less. Without a code it does.
func unaccepted(now, accepted []Copy) kits.Reason {
	code := "answer-price"
	if len(accepted) > 0 {
		code = "answer-price-changed"
	}
	for _, c := range priced(now) {
		i := slices.IndexFunc(accepted, func(a Copy) bool { return a.Tag == c.Tag && a.Node == c.Node })
		if i < 0 || c.worse(accepted[i]) {
			return because(code, c.Price, "tag", string(c.Tag), "node", c.Node)
		}
	}
	return kits.Reason{}
}

// accept puts the losses that a person has accepted into the goal, and into the log.
func (s *step) accept(g *plan.Goal, q *Question, by string) {
	for _, c := range priced(q.Copies) {
		g.AcceptLoss = append(g.AcceptLoss, plan.Loss{Tag: c.Tag, Code: c.Price.Code})
		s.event(Event{Kind: "question", Severity: "warning", Tag: c.Tag, Node: c.Node, Question: q.ID, By: by,
			Reason: because("answered-price", c.Price, "by", by, "tag", string(c.Tag), "node", c.Node)})
	}
}
