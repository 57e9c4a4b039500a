package steps

import (
	"strings"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/tui/ui"
)

// Headline says what a goal is in one line: "Switch over service/www: LK_P_A → LK_P_B".
func Headline(c *ui.Context, g plan.Goal) string {
	tag, from, node := ui.Clean(string(g.Tag)), ui.Clean(g.From), ui.Clean(g.Node)
	id := string(g.Kind)
	switch g.Kind {
	case plan.GoalInService:
		switch {
		case from != "" && from != node:
			id = "switch-over"
		case node == "":
			id = "in-service-anywhere"
		}
	case plan.GoalOutOfService:
		if from == "" {
			from = node
		}
		if from == "" {
			id = "out-of-service-anywhere"
		}
	case plan.GoalFailover, plan.GoalRecover, plan.GoalStopStale, plan.GoalAdopt:
	default:
		return strings.TrimSpace(ui.Clean(id) + " " + tag + " " + node)
	}
	return c.T("steps.goal-"+id, "tag", tag, "from", from, "node", node, "arrow", c.Arrow)
}

// Title names a step: "start ip-www on LK_P_B".
func Title(c *ui.Context, s plan.Step) string {
	what, node := What(c, s), ui.Clean(s.Node)
	switch {
	case node == "":
		return strings.TrimSpace(Word(c, s) + " " + what)
	case what == "":
		return c.T("steps.title-node", "word", Word(c, s), "node", node)
	}
	return c.T("steps.title", "word", Word(c, s), "what", what, "node", node)
}

// Word is what a step does, in a word: "start".
func Word(c *ui.Context, s plan.Step) string {
	switch s.Kind {
	case plan.StepEligible, plan.StepFence, plan.StepClaim, plan.StepStop, plan.StepStart, plan.StepRecover, plan.StepCheck:
		return c.T("steps.do-" + string(s.Kind))
	}
	return ui.Clean(string(s.Kind))
}

// What is what a step is about: a resource's short tag, or how many there are.
func What(c *ui.Context, s plan.Step) string {
	switch {
	case s.Tag != "":
		return short(s.Tag)
	case len(s.Tags) == 1:
		return short(s.Tags[0])
	case len(s.Tags) > 1:
		return c.T("steps.resources", "n", len(s.Tags))
	}
	return ""
}

func short(t hierarchy.Tag) string { return ui.Clean(t.Short()) }

// Find is a plan's step by its id, or the step that takes one of them back ("undo-"
// before the id); nil when there is none.
func Find(p plan.Plan, id string) *plan.Step {
	own, undo := strings.CutPrefix(id, "undo-")
	for i := range p.Steps {
		s := p.Steps[i]
		switch {
		case s.ID == id:
			return &s
		case undo && s.ID == own:
			return &plan.Step{ID: id, Kind: plan.StepStart, Tag: s.Tag, Node: s.Node, Timeout: s.UndoTimeout}
		}
	}
	return nil
}

// undo are the steps with a status that take others back, in the order in which they
// have one. They wait for each other the other way round than what they take back.
func undo(p plan.Plan, st []api.StepStatus) []plan.Step {
	var out []plan.Step
	at := map[string]int{}
	for _, s := range st {
		if own, ok := strings.CutPrefix(s.ID, "undo-"); ok {
			if step := Find(p, s.ID); step != nil {
				at[own] = len(out)
				out = append(out, *step)
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	for _, s := range p.Steps {
		if _, ok := at[s.ID]; !ok {
			continue
		}
		for _, parent := range s.After {
			if i, ok := at[parent]; ok {
				out[i].After = append(out[i].After, "undo-"+s.ID)
			}
		}
	}
	return out
}
