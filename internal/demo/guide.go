package demo

import (
	"slices"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/model"
)

// Step is where a newcomer stands in the story; its words are demo.step-STEP.
type Step string

// The steps of the story, in order.
const (
	Starting Step = "starting" // the service is not in service yet
	Copying  Step = "copying"  // not every server that has power has a whole copy of the data yet
	First    Step = "first"    // break the node that it runs on
	Watch    Step = "watch"    // ferry is moving it
	Second   Step = "second"   // break the next one, too
	NoCopy   Step = "no-copy"  // the next one has no whole copy of the data: nothing moves by itself
	Wait     Step = "wait"     // ferry is judging; a question comes
	Answer   Step = "answer"   // the question stands
	Crossing Step = "crossing" // it was answered, the move runs
	Crossed  Step = "crossed"  // the service runs in the other region
	Refused  Step = "refused"  // nothing moves: the question was answered no, or nobody did
	Free     Step = "free"     // none of these: break what you like
)

// Scene is what the next step is told from.
type Scene struct {
	Step Step
	// Node is the one that the step is about, To the one that comes next; Tag is what is asked about.
	Node, To string
	Left     time.Duration // of a question
}

// guide tells where in the story the estate is. off tells which nodes have no power.
func guide(e *model.Estate, now time.Time, nodes []string, off map[string]bool) Scene {
	top := root(e)
	if top == nil || len(nodes) == 0 {
		return Scene{Step: Starting}
	}
	home, _, _ := e.Place(nodes[0])
	at := top.Active
	if at == "" && top.Claim != nil { // it runs nowhere now: who had it last
		at = top.Claim.Node
	}
	region, _, _ := e.Place(at)
	for _, q := range e.Pending() {
		return Scene{Step: Answer, Node: q.From, To: q.To, Left: q.Until.Sub(now)}
	}
	running := moving(e, top)
	switch here := e.Cell(top.Tag, at); {
	case at == "" || here == nil:
		return Scene{Step: Starting, To: nodes[0]}
	case region != home && running:
		return Scene{Step: Crossing, To: at}
	case region != home && here.State.InService():
		return Scene{Step: Crossed, Node: at}
	case off[at]:
		return lost(e, top, nodes, off, at)
	case running:
		if len(off) == 0 {
			return Scene{Step: Starting, To: at}
		}
		return Scene{Step: Watch, To: at}
	case here.State.InService() && region == home && !Whole(e.Resources, func(n string) bool { return off[n] }):
		return Scene{Step: Copying, Node: at}
	case here.State.InService() && len(off) == 0 && at == nodes[0]:
		return Scene{Step: First, Node: at}
	case here.State.InService() && nextUp(e, nodes, off, at) == "":
		return Scene{Step: Second, Node: at}
	}
	return Scene{Step: Free, Node: at}
}

// moving tells whether something is under way on the service itself: what is done about a
// tunnel is no part of the story.
func moving(e *model.Estate, top *api.ResourceStatus) bool {
	own := e.Index.Hierarchy(top.Tag)
	return slices.ContainsFunc(e.Running, func(o api.Operation) bool { return slices.Contains(own, o.Plan.Goal.Tag) })
}

// lost is the scene after the node in service lost its power.
func lost(e *model.Estate, top *api.ResourceStatus, nodes []string, off map[string]bool, at string) Scene {
	if next := nextUp(e, nodes, off, at); next != "" {
		if p := copies(e, top)[next]["promote"]; p != "" && p != "yes" {
			return Scene{Step: NoCopy, Node: at, To: next}
		}
		return Scene{Step: Watch, Node: at, To: next}
	}
	if n := e.Node(at); n != nil && (n.Verdict == policy.Presumed || n.Verdict == policy.Dead) {
		var last *policy.Question
		for i := range e.Questions {
			if q := &e.Questions[i]; q.From == at && (last == nil || q.Asked.After(last.Asked)) {
				last = q
			}
		}
		switch {
		case last == nil || last.State == policy.Withdrawn:
		case last.State == policy.Answered && last.Answer != "no":
			return Scene{Step: Crossing, Node: at, To: last.To}
		default:
			return Scene{Step: Refused, Node: at}
		}
	}
	return Scene{Step: Wait, Node: at}
}

// copies is what each server's copy of the service's data is worth, as the mirror says it.
func copies(e *model.Estate, top *api.ResourceStatus) map[string]map[string]string {
	own := e.Index.Hierarchy(top.Tag)
	for i := range e.Resources {
		if r := &e.Resources[i]; r.Data != nil && slices.Contains(own, r.Tag) {
			return r.Data.Nodes
		}
	}
	return nil
}

// Whole tells whether every server but those that are off has a whole copy of all data, so that the loss of another one
// loses none of it.
func Whole(all []api.ResourceStatus, off func(node string) bool) bool {
	return !slices.ContainsFunc(all, func(r api.ResourceStatus) bool {
		return r.Data != nil && slices.ContainsFunc(r.On, func(in api.InstanceStatus) bool {
			p := r.Data.Nodes[in.Server]["promote"]
			return !off(in.Server) && p != "yes" && p != "asynchronous"
		})
	})
}

// nextUp is the node of the same region that could take over; empty when there is none.
func nextUp(e *model.Estate, nodes []string, off map[string]bool, at string) string {
	home, _, _ := e.Place(at)
	for _, n := range nodes {
		if region, _, _ := e.Place(n); n != at && region == home && !off[n] {
			return n
		}
	}
	return ""
}

// root is the first resource that nothing stands on.
func root(e *model.Estate) (top *api.ResourceStatus) {
	child := map[hierarchy.Tag]bool{}
	for i := range e.Resources {
		for _, c := range e.Resources[i].Children {
			child[c] = true
		}
	}
	for i := range e.Resources {
		if !child[e.Resources[i].Tag] {
			return &e.Resources[i]
		}
	}
	return nil
}
