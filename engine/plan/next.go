package plan

// Status is how far a step is, in the journal's words. A step that is not in the
// journal is waiting.
type Status string

// The statuses.
const (
	Waiting Status = ""
	Running Status = "running" // its intent is written: it may have had an effect
	Done    Status = "done"
	Failed  Status = "failed"
	Unclear Status = "unknown" // ended without saying how; it may have had an effect
)

// Way is where a plan stands.
type Way string

// The ways.
const (
	Going    Way = "going"    // steps are ready or running
	Complete Way = "complete" // all is done
	Back     Way = "back"     // take back what was done (Undo): no point of no return was passed
	Stuck    Way = "stuck"    // a step failed beyond the point of no return
)

// Next tells what to do with a plan whose steps have these statuses: which steps
// are ready to begin, and where the plan stands. Before the point of no return a
// step that failed or is unclear turns the plan back; beyond it an unclear step is
// ready again, up to tries attempts, and a failed one leaves the plan stuck. No
// step begins once the plan has turned back or is stuck; what runs is waited for.
//
// A claim that failed at its first attempt was certainly not written (a claim that
// may have been is unclear): the point of no return was not passed.
func Next(p Plan, at map[string]Status, attempts map[string]int, tries int) ([]Step, Way) {
	passed, busy := false, false
	for _, s := range p.Steps {
		passed = passed || s.NoReturn && at[s.ID] != Waiting && !unwritten(s, at[s.ID], attempts[s.ID])
		busy = busy || at[s.ID] == Running
	}
	var ready []Step
	open, bad := false, false
	for _, s := range p.Steps {
		switch st := at[s.ID]; {
		case over(s, st):
		case st == Running:
			open = true
		case st == Failed, st == Unclear && (!passed || attempts[s.ID] >= tries):
			bad = true
		default:
			open = true
			if free(p, s, at) {
				ready = append(ready, s)
			}
		}
	}
	switch {
	case bad && busy:
		return nil, Going
	case bad && passed:
		return nil, Stuck
	case bad:
		return nil, Back
	case !open:
		return nil, Complete
	}
	return ready, Going
}

// unwritten tells that a claim was tried once and nothing was written.
func unwritten(s Step, st Status, attempts int) bool {
	return s.Kind == StepClaim && st == Failed && attempts <= 1
}

// over tells that nothing waits for this step any more.
func over(s Step, st Status) bool {
	return st == Done || s.MayFail && (st == Failed || st == Unclear)
}

// free tells that everything the step comes after is over.
func free(p Plan, s Step, at map[string]Status) bool {
	for _, id := range s.After {
		for i := range p.Steps {
			if p.Steps[i].ID == id && !over(p.Steps[i], at[id]) {
				return false
			}
		}
	}
	return true
}
