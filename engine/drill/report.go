package drill

import (
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
)

// Result is what a drill came to.
type Result string

// The results.
const (
	Passed  Result = "passed"
	Failed  Result = "failed"  // something did not go as it should; the report says what
	Aborted Result = "aborted" // a person ended it
)

// Report is what a drill found.
type Report struct {
	ID     string    `json:"id"` // the time of its begin, as it stands in file names
	Estate string    `json:"estate"`
	Tag    string    `json:"tag"`
	Test   string    `json:"test"` // "switchover" or "failure"
	By     string    `json:"by"`
	Began  time.Time `json:"began"`
	Ended  time.Time `json:"ended"`
	From   string    `json:"from"`
	To     string    `json:"to"`
	// Crosses is the target's region when the service went to another one.
	Crosses string        `json:"crosses,omitempty"`
	Probe   string        `json:"probe,omitempty"` // what was looked at; empty = nothing
	Period  time.Duration `json:"period,omitempty"`
	Checks  []Check       `json:"checks"`
	Moves   []Move        `json:"moves"`
	Result  Result        `json:"result"`
	// Problems are sentences about what did not go as it should.
	Problems []string `json:"problems,omitempty"`
	// Now is where the service was in the end; empty = nowhere, or not known.
	Now string `json:"now,omitempty"`
}

// Move is one of a drill's operations, with what clients saw of it.
type Move struct {
	Name    string           `json:"name"` // "there" or "back"
	From    string           `json:"from"`
	To      string           `json:"to"`
	Op      string           `json:"op"`
	Goal    string           `json:"goal"` // of the operation: in-service, failover, recover
	Outcome policy.OpOutcome `json:"outcome"`
	Began   time.Time        `json:"began"`
	Took    time.Duration    `json:"took"`
	Steps   []Step           `json:"steps"`
	Looks   int              `json:"looks"` // of the probe, around the operation
	Gaps    []Gap            `json:"gaps"`
	// Outage and AtMost are the sums of the gaps'. Open: it had not ended when it was given up.
	Outage time.Duration `json:"outage"`
	AtMost time.Duration `json:"atMost"`
	Open   bool          `json:"open,omitempty"`
	// Verified is how long after the operation's end the engine saw everything in service
	// and the client had its answers; zero when that did not happen.
	Verified time.Duration `json:"verified"`
}

// Step is a step of an operation, and how much of the outage was while it ran. Steps
// run side by side, so the sum may be more than the outage.
type Step struct {
	ID     string        `json:"id"`
	Kind   string        `json:"kind"`
	Tag    string        `json:"tag,omitempty"`
	Node   string        `json:"node,omitempty"`
	Status string        `json:"status"`
	Took   time.Duration `json:"took"`
	Outage time.Duration `json:"outage"`
}

// Moved makes a Move from the operation's record and the part of the probe's log that
// belongs to it.
func Moved(name string, op *api.Operation, log []Sample) Move {
	m := Move{Name: name, From: op.Plan.Goal.From, To: op.Plan.Goal.Node, Op: op.ID, Goal: string(op.Plan.Goal.Kind), Outcome: op.Outcome, Began: op.Began, Looks: len(log), Gaps: Gaps(log)}
	if !op.Ended.IsZero() {
		m.Took = op.Ended.Sub(op.Began)
	}
	m.Outage, m.AtMost, m.Open = Outage(m.Gaps)
	status := map[string]api.StepStatus{}
	for _, s := range op.Steps {
		status[s.ID] = s
	}
	for _, s := range op.Plan.Steps {
		st := status[s.ID]
		one := Step{ID: s.ID, Kind: string(s.Kind), Tag: string(s.Tag), Node: s.Node, Status: st.Status}
		if !st.Began.IsZero() && !st.Ended.IsZero() {
			one.Took, one.Outage = st.Ended.Sub(st.Began), overlap(m.Gaps, st.Began, st.Ended)
		}
		m.Steps = append(m.Steps, one)
	}
	return m
}

// Judge sets the result and adds what is wrong with the moves.
func (r *Report) Judge() {
	known := len(r.Problems) > 0 // whoever carried it out said what
	add := func(s string) {
		if !known {
			r.Problems = append(r.Problems, s)
		}
	}
	for _, m := range r.Moves {
		switch {
		case m.Outcome != policy.OpDone:
			add("the move " + m.Name + " (" + m.Op + ") ended as " + string(m.Outcome))
		case m.Verified == 0:
			add("after the move " + m.Name + " the service was not seen in service, and answering, in time")
		case m.Open:
			add("the service did not answer clients any more after the move " + m.Name)
		}
	}
	switch {
	case r.Result == Aborted:
	case len(r.Problems) > 0 || len(r.Moves) == 0:
		r.Result = Failed
	default:
		r.Result = Passed
	}
}

// Recovery is what the history compares: the outage of the move there, or how long its
// operation took where nothing was probed.
func (r *Report) Recovery() (time.Duration, bool) {
	if len(r.Moves) == 0 || r.Moves[0].Outcome != policy.OpDone {
		return 0, false
	}
	if r.Probe != "" {
		return r.Moves[0].Outage, !r.Moves[0].Open
	}
	return r.Moves[0].Took, true
}
