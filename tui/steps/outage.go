package steps

import (
	"slices"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
)

// Outage is how long a move kept something out of service: from the beginning of its
// first stop to the end of its last start. It is not ok when nothing was stopped and
// started, or when that has not ended well yet.
func Outage(o *api.Operation) (d time.Duration, ok bool) {
	status := make(map[string]api.StepStatus, len(o.Steps))
	for _, s := range o.Steps {
		status[s.ID] = s
	}
	var from, to time.Time
	for _, s := range o.Plan.Steps {
		st := status[s.ID]
		switch {
		case s.Kind == plan.StepStop && !st.Began.IsZero() && (from.IsZero() || st.Began.Before(from)):
			from = st.Began
		case s.Kind == plan.StepStart && st.Status != "done":
			return 0, false // it is not over
		case s.Kind == plan.StepStart && st.Ended.After(to):
			to = st.Ended
		}
	}
	if from.IsZero() || !to.After(from) {
		return 0, false
	}
	return to.Sub(from), true
}

// Expected is what past operations let one expect of a plan.
type Expected struct {
	// Outage is the median of Outage over Runs past moves; Runs 0 = there was none yet.
	Outage time.Duration
	Runs   int
	// Took is the median of the whole time of Ran past operations of this kind.
	Took time.Duration
	Ran  int
}

// Expect looks among past operations for those of the same kind on the same hierarchy
// that ended well: inside a region is not the same kind as across.
func Expect(x *hierarchy.Index, past []api.Operation, p plan.Plan) Expected {
	var outages, all []time.Duration
	for i := range past {
		o := &past[i]
		if o.Outcome != policy.OpDone || o.Ended.IsZero() || !alike(x, o.Plan.Goal, p.Goal) {
			continue
		}
		all = append(all, o.Ended.Sub(o.Began))
		if d, ok := Outage(o); ok {
			outages = append(outages, d)
		}
	}
	return Expected{Outage: median(outages), Runs: len(outages), Took: median(all), Ran: len(all)}
}

func alike(x *hierarchy.Index, a, b plan.Goal) bool {
	if a.Kind != b.Kind || x.Resource(a.Tag) == nil || x.Resource(b.Tag) == nil || x.HierarchyID(a.Tag) != x.HierarchyID(b.Tag) {
		return false
	}
	return moves(a) == moves(b) && (!moves(a) || x.SameRegion(a.From, a.Node) == x.SameRegion(b.From, b.Node))
}

// moves tells that a goal takes something from one node to another.
func moves(g plan.Goal) bool { return g.From != "" && g.Node != "" && g.From != g.Node }

func median(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	n := len(all)
	return (all[(n-1)/2] + all[n/2]) / 2
}
