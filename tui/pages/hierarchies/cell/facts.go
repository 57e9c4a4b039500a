package cell

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Fact is one thing that is known, as a label and whole words.
type Fact struct {
	Label, Text string
	Tone        Tone
}

// Facts tell of a resource on a server, what matters most first.
func Facts(c *ui.Context, a At) []Fact {
	r := c.Est.Res(a.Tag)
	if r == nil {
		return []Fact{{c.T("hierarchies.fact-state"), c.T("hierarchies.gone", "tag", ui.Clean(string(a.Tag))), Warn}}
	}
	i := c.Est.Cell(a.Tag, a.Node)
	var out []Fact
	if i == nil {
		out = append(out, Fact{c.T("hierarchies.fact-state"), c.T("hierarchies.not-extended", "tag", ui.Clean(r.Tag.Short()), "node", ui.Clean(a.Node)), Dim})
	} else {
		out = append(out, stateFacts(c, r, i)...)
	}
	out = append(out, dataFacts(c, r)...)
	out = append(out, questionFacts(c, a.Tag)...)
	out = append(out, opFacts(c, a.Tag)...)
	out = append(out, holdFacts(c, a.Tag)...)
	out = append(out, elsewhere(c, r, a.Node)...)
	out = append(out, claimFact(c, r))
	if i != nil {
		out = append(out, Fact{c.T("hierarchies.fact-checked"), Checked(c, i), Plain})
		if i.Address != "" {
			out = append(out, Fact{c.T("hierarchies.fact-address"), ui.Clean(i.Address), Plain})
		}
	}
	return append(out, Fact{c.T("hierarchies.fact-kit"), ui.Clean(r.Kit), Plain})
}

// ResourceFacts tell what is known of a resource whatever the server: what moves it, what
// keeps automation from it, who holds it.
func ResourceFacts(c *ui.Context, t hierarchy.Tag) []Fact {
	r := c.Est.Res(t)
	if r == nil {
		return nil
	}
	return append(slices.Concat(questionFacts(c, t), opFacts(c, t), holdFacts(c, t)), claimFact(c, r))
}

func stateFacts(c *ui.Context, r *api.ResourceStatus, i *api.InstanceStatus) []Fact {
	f := FaceOf(c, r, i)
	tone := f.Tone
	if tone == Standby {
		tone = Plain
	}
	out := []Fact{{c.T("hierarchies.fact-state"), f.Mark + " " + f.alert() + StateText(c, r, i), tone}}
	if why := ui.Clean(c.Reason(i.Reason)); why != "" {
		out = append(out, Fact{c.T("hierarchies.fact-why"), why, Plain})
	}
	if i.Held != "" {
		label := "hierarchies.alert-held"
		if Dual(i) {
			label = "hierarchies.alert-dual"
		}
		out = append(out, Fact{c.T(label), HeldText(c, i), Warn})
	}
	return out
}

// alert is the word that nobody may overlook, in front of a sentence.
func (f Face) alert() string {
	if f.Alert == "" {
		return ""
	}
	return f.Alert + ": "
}

// StateText is a state in words: "OSF failed for 3m, though it belongs here".
func StateText(c *ui.Context, r *api.ResourceStatus, i *api.InstanceStatus) string {
	word := i.State
	if Word(word) == "ILL" {
		word = hierarchy.ILLSTATE
	}
	s := string(word) + " " + c.T("common.state-"+string(word))
	if !i.Since.IsZero() {
		s = c.T("hierarchies.for", "what", s, "age", Ago(c, i.Since))
	}
	switch {
	case model.Stale(r, i):
		s = c.T("hierarchies.though-stale", "what", s, "node", ui.Clean(r.Claim.Node))
	case i.State.InService() && model.Holder(r) != i.Server:
		s = c.T("hierarchies.though-unclaimed", "what", s)
	}
	return s
}

// HeldText is why automation leaves an instance alone.
func HeldText(c *ui.Context, i *api.InstanceStatus) string {
	text := i.Held // an older engine says no more
	if i.HeldWhy.Code != "" {
		text = c.Reason(i.HeldWhy)
	}
	if Dual(i) {
		text = c.T("hierarchies.dual-what") + " " + text
	}
	return ui.Clean(text)
}

// Checked is when it was looked at last.
func Checked(c *ui.Context, i *api.InstanceStatus) string {
	if i.Checked.IsZero() {
		return c.T("common.never")
	}
	return c.T("hierarchies.ago", "age", Ago(c, i.Checked), "at", c.Clock(c.Now, i.Checked))
}

func claimFact(c *ui.Context, r *api.ResourceStatus) Fact {
	label := c.T("hierarchies.fact-claim")
	if r.Claim == nil || r.Claim.Number == 0 {
		return Fact{label, c.T("hierarchies.claim-none"), Dim}
	}
	by := ui.Clean(r.Claim.By)
	if by == "" {
		by = "?"
	}
	s := c.T("hierarchies.claim", "number", strconv.FormatUint(r.Claim.Number, 10), "node", ui.Clean(r.Claim.Node), "age", Ago(c, r.Claim.At), "by", by)
	if r.Claim.Unfenced {
		return Fact{label, s + " " + c.T("hierarchies.claim-unfenced"), Warn}
	}
	return Fact{label, s, Plain}
}

// elsewhere says what else of the resource a person must know, whatever cell they are on.
func elsewhere(c *ui.Context, r *api.ResourceStatus, node string) []Fact {
	var out []Fact
	for j := range r.On {
		i := &r.On[j]
		f := FaceOf(c, r, i)
		if i.Server == node || f.Tone == Active || f.Tone == Standby || f.Tone == NotKnown || Dual(i) {
			continue
		}
		s := f.Word + " " + f.Alert
		if why := ui.Clean(c.Reason(i.Reason)); why != "" {
			s = strings.TrimSpace(s) + ": " + why
		}
		out = append(out, Fact{ui.Clean(i.Server), f.Mark + " " + s, f.Tone})
	}
	return out
}

func holdFacts(c *ui.Context, t hierarchy.Tag) []Fact {
	var out []Fact
	r := c.Est.Res(t)
	for _, h := range c.Est.Holds {
		if covers(c.Est, h.Scope, r) {
			out = append(out, Fact{c.T("hierarchies.fact-hold"), HoldText(c, h), Warn})
		}
	}
	return out
}

// covers tells whether a hold of this scope keeps automation from a resource.
func covers(e *model.Estate, scope string, r *api.ResourceStatus) bool {
	return scope == "" || scope == r.Cluster || scope == string(r.Tag) || scope == model.Holder(r) ||
		slices.Contains(e.Index.Hierarchy(r.Tag), hierarchy.Tag(scope))
}

// HoldText says a hold in one line.
func HoldText(c *ui.Context, h api.HoldStatus) string {
	s := c.T("hierarchies.hold", "scope", ScopeText(c, h.Scope), "until", c.Clock(c.Now, h.Until), "left", c.Span(max(0, h.Until.Sub(c.Now)).Truncate(time.Second)), "by", ui.Clean(h.By))
	if h.Why != "" {
		s += ": " + ui.Clean(h.Why)
	}
	return s
}

// ScopeText says what a hold is about.
func ScopeText(c *ui.Context, scope string) string {
	if scope == "" {
		return c.T("hierarchies.scope-estate")
	}
	return ui.Clean(scope)
}

// questionFacts say what waits for a person.
func questionFacts(c *ui.Context, t hierarchy.Tag) []Fact {
	var out []Fact
	for _, q := range c.Est.Pending() {
		if slices.Contains(c.Est.Index.Hierarchy(q.Tag), t) {
			text := c.T("hierarchies.question", "node", ui.Clean(q.To), "region", ui.Clean(q.ToRegion), "left", c.Span(max(0, q.Until.Sub(c.Now)).Truncate(time.Second)))
			out = append(out, Fact{c.T("hierarchies.fact-question"), c.Ask + " " + text, Alarm})
		}
	}
	return out
}

func opFacts(c *ui.Context, t hierarchy.Tag) []Fact {
	o := c.Est.RunningOn(t)
	if o == nil {
		return nil
	}
	return []Fact{{c.T("hierarchies.fact-op"), c.Spinner() + " " + OpText(c, o), Accent}}
}

// OpText says an operation and how far it is, in one line.
func OpText(c *ui.Context, o *api.Operation) string {
	done := 0
	var now []string
	for i, s := range o.Steps {
		switch s.Status {
		case string(plan.Waiting), "waiting":
		case string(plan.Running):
			if i < len(o.Plan.Steps) {
				st := o.Plan.Steps[i]
				now = append(now, stepText(c, st))
			}
		default:
			done++
		}
	}
	s := ui.Clean(o.ID) + " " + Goal(c, o.Plan.Goal)
	if o.Outcome == policy.OpRunning {
		s = c.T("hierarchies.op-steps", "what", s, "done", done, "of", len(o.Steps))
	}
	if len(now) > 0 {
		s += ": " + strings.Join(now, ", ")
	}
	return s
}

// stepText says what a step does.
func stepText(c *ui.Context, s plan.Step) string {
	word := c.T("steps.do-" + string(s.Kind))
	if s.Tag == "" {
		return c.T("steps.title-node", "word", word, "node", ui.Clean(s.Node))
	}
	return c.T("steps.title", "word", word, "what", ui.Clean(s.Tag.Short()), "node", ui.Clean(s.Node))
}

// Goal says a goal in the reader's language.
func Goal(c *ui.Context, g plan.Goal) string {
	tag, node := ui.Clean(string(g.Tag)), ui.Clean(g.Node)
	switch g.Kind {
	case plan.GoalInService:
		if g.From != "" && g.From != g.Node {
			return c.T("hierarchies.goal-switch", "tag", tag, "from", ui.Clean(g.From), "node", node)
		}
		return c.T("hierarchies.goal-in", "tag", tag, "node", node)
	case plan.GoalOutOfService:
		return c.T("hierarchies.goal-out", "tag", tag)
	case plan.GoalFailover:
		return c.T("hierarchies.goal-failover", "tag", tag, "from", ui.Clean(g.From), "node", node)
	case plan.GoalRecover:
		return c.T("hierarchies.goal-recover", "tag", tag, "node", node)
	case plan.GoalStopStale:
		return c.T("hierarchies.goal-stale", "tag", tag, "node", node)
	case plan.GoalAdopt:
		return c.T("hierarchies.goal-adopt", "tag", tag, "node", node)
	}
	return strings.TrimSpace(ui.Clean(string(g.Kind)) + " " + tag + " " + node)
}
