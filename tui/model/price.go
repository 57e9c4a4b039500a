package model

import (
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// Price is what a start costs in data, when a person forces it or accepts that.
type Price struct {
	Tag  hierarchy.Tag
	Node string
	// Age is how old the copy may be; Known tells whether anybody knows. Last is when it was
	// complete, where the question says so.
	Age   time.Duration
	Known bool
	Last  time.Time
	// Why it is no complete copy; empty when the node said so itself, among its objections.
	Why Promote
}

// Prices are those of a plan: one for each resource that would start on a copy which is not
// known to be complete. Both are asked, the node's own answer and what was heard with the
// last heartbeat, since a node may have objected to something else first.
func Prices(pv *api.Preview, res func(hierarchy.Tag) *api.ResourceStatus, now time.Time) []Price {
	if pv == nil {
		return nil
	}
	var out []Price
	for i := range pv.Plan.Steps {
		s := &pv.Plan.Steps[i]
		if s.Kind != plan.StepStart {
			continue
		}
		p := Price{Tag: s.Tag, Node: s.Node}
		if !pv.Plan.Goal.Force && p.agreed(pv) {
			continue // an asynchronous copy whose source is stopped in good order is made complete, or nothing starts from it
		}
		if !p.said(pv) && !p.heard(Legs(res(s.Tag)), now) {
			continue
		}
		out = append(out, p)
	}
	return out
}

// Costs are what a yes to a question costs: one for each copy that is not complete, and is
// not made complete first.
func Costs(q policy.Question, now time.Time) []Price {
	var out []Price
	for _, c := range q.Copies {
		if !c.Costs() {
			continue
		}
		p := Price{Tag: c.Tag, Node: c.Node, Last: c.Last, Known: !c.Last.IsZero()}
		if p.Known {
			p.Age = max(now.Sub(c.Last), 0)
		}
		p.Why = Promote(c.Price.Code[strings.LastIndexByte(c.Price.Code, '.')+1:])
		out = append(out, p)
	}
	return out
}

// Lacking are those of a question's copies that a yes has to accept, as they are shown.
func Lacking(q policy.Question) []policy.Copy {
	var out []policy.Copy
	for _, c := range q.Copies {
		if c.Costs() {
			out = append(out, c)
		}
	}
	return out
}

// said takes the age from a node's no, which is about its data when it names one.
func (p *Price) said(pv *api.Preview) bool {
	for _, v := range pv.Verdicts {
		age, there := v.Report.Reason.Args["age"]
		if !there || v.Report.Outcome == kits.OK || !p.asks(pv.Plan, v.ID) {
			continue
		}
		d, err := time.ParseDuration(age)
		p.Age, p.Known = d, err == nil
		return true
	}
	return false
}

// agreed tells that the node was asked about this start, and that every answer was a yes.
func (p *Price) agreed(pv *api.Preview) bool {
	asked := false
	for _, v := range pv.Verdicts {
		if !p.asks(pv.Plan, v.ID) {
			continue
		}
		if asked = true; v.Report.Outcome != kits.OK {
			return false
		}
	}
	return asked
}

// asks tells whether the step of this id is about the same start.
func (p *Price) asks(pl plan.Plan, id string) bool {
	for i := range pl.Steps {
		if s := &pl.Steps[i]; s.ID == id {
			return s.Tag == p.Tag && s.Node == p.Node
		}
	}
	return false
}

// heard takes it from the copy as it was told last.
func (p *Price) heard(legs []Leg, now time.Time) bool {
	for _, l := range legs {
		if l.Node != p.Node || l.Promote == Free {
			continue
		}
		p.Why = l.Promote
		if !l.Last.IsZero() {
			p.Age, p.Known = max(now.Sub(l.Last), 0), true
		}
		return true
	}
	return false
}
