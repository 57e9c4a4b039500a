package plan

import "slices"

// Undo makes the plan that takes back what the touched steps did: every resource
// whose stop was begun and that was in service is started again where it was, children first;
// among them the children whose own stop was not begun yet: where they still run that changes
// nothing, but their node may have gone down and come back meanwhile. touched
// lists the ids of steps that may have had an effect, however they ended. It
// gives false when there is nothing to take back, and when a step from which
// there is no return is among them. A claim as the last touched step does not
// count: Next turns back over it only when it was certainly not written.
//
// Ids are the original ones with "undo-" before them.
func Undo(p Plan, touched []string) (Plan, bool) {
	began := make(map[string]bool, len(touched))
	for _, id := range touched {
		began[id] = true
	}
	below := stopsBelow(p, began)
	back := Plan{Goal: p.Goal, Moves: p.Moves}
	place := map[string]int{}
	for i := len(p.Steps) - 1; i >= 0; i-- {
		s := p.Steps[i]
		switch {
		case !began[s.ID] && !below[s.ID]:
			continue
		case s.Kind == StepClaim && !touchedBehind(p, s.ID, began):
			continue
		case s.NoReturn, s.Kind == StepStart:
			return Plan{}, false
		case s.Kind != StepStop, !s.Restore:
			continue
		}
		place[s.ID] = len(back.Steps)
		back.Steps = append(back.Steps, Step{ID: "undo-" + s.ID, Kind: StepStart, Tag: s.Tag, Node: s.Node, Timeout: s.UndoTimeout})
	}
	for _, s := range p.Steps {
		if _, ok := place[s.ID]; !ok {
			continue
		}
		for _, parent := range s.After {
			if at, ok := place[parent]; ok {
				back.Steps[at].After = append(back.Steps[at].After, "undo-"+s.ID)
			}
		}
	}
	return back, len(back.Steps) > 0
}

// stopsBelow are the stops that were not begun and wait, by way of others, for one that
// was on the same node: those of what the stopped one stands on.
func stopsBelow(p Plan, began map[string]bool) map[string]bool {
	out := map[string]bool{}
	at := map[string]string{}   // the nodes of stops that were begun or are below one
	for _, s := range p.Steps { // steps come after what they wait for
		if s.Kind != StepStop {
			continue
		}
		if began[s.ID] {
			at[s.ID] = s.Node
			continue
		}
		if slices.ContainsFunc(s.After, func(id string) bool { return at[id] == s.Node }) {
			at[s.ID], out[s.ID] = s.Node, true
		}
	}
	return out
}

// touchedBehind tells that something which waits for the step has begun.
func touchedBehind(p Plan, id string, began map[string]bool) bool {
	for _, s := range p.Steps {
		if began[s.ID] && slices.Contains(s.After, id) {
			return true
		}
	}
	return false
}
