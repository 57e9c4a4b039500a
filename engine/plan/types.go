package plan

import (
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// GoalKind is what somebody or something wants.
type GoalKind string

// The kinds of goal.
const (
	// GoalInService: Tag and what it needs in service on Node; active elsewhere = switchover.
	GoalInService GoalKind = "in-service"
	// GoalOutOfService: Tag and what stands on it out of service where it is active.
	GoalOutOfService GoalKind = "out-of-service"
	// GoalFailover: the hierarchy from a node that is lost or failing to Node.
	GoalFailover GoalKind = "failover"
	// GoalRecover: Tag repaired on the spot on Node.
	GoalRecover GoalKind = "recover"
	// GoalStopStale: what still runs on Node under an older claim is stopped, top down.
	GoalStopStale GoalKind = "stop-stale"
	// GoalAdopt: Tags, found running on Node without anybody's claim, are claimed there.
	GoalAdopt GoalKind = "adopt"
)

// Goal is the wish a plan fulfils.
type Goal struct {
	Kind GoalKind      `json:"kind"`
	Tag  hierarchy.Tag `json:"tag"`
	// Tags narrow a failover, stop-stale or adopt to exactly these; empty = what Tag implies.
	Tags []hierarchy.Tag `json:"tags,omitempty"`
	From string          `json:"from,omitempty"`
	Node string          `json:"node,omitempty"`
	// FromGone: From cannot be asked to stop anything (dead or presumed dead).
	FromGone bool `json:"fromGone,omitempty"`
	// Fence: From is fenced and verified before anything starts (issue: crossing).
	Fence bool `json:"fence,omitempty"`
	// Unfenced is recorded in the claim when FromGone rests on presumption only.
	Unfenced bool   `json:"unfenced,omitempty"`
	By       string `json:"by,omitempty"`
	// Force overrides a refusal by eligibility (a person's word).
	Force bool `json:"force,omitempty"`
	// AcceptLoss are losses of data that a person has accepted. Each stands over that one
	// refusal of that one resource; unlike Force it stands over nothing else.
	AcceptLoss []Loss `json:"acceptLoss,omitempty"`
}

// Loss names a kits.Keeper's refusal to start a resource from the copy of its data on the
// goal's node, by the reason's code: what that copy lacks is lost when it starts all the same.
type Loss struct {
	Tag  hierarchy.Tag `json:"tag"`
	Code string        `json:"code"`
}

// StepKind is what the runner does in a step.
type StepKind string

// The kinds of step.
const (
	StepEligible StepKind = "eligible" // kit.Eligible on Node; a no or unknown ends the plan before any effect
	StepFence    StepKind = "fence"
	StepClaim    StepKind = "claim" // write Claim for Tags on Node's record, then the store
	StepStop     StepKind = "stop"  // kit.Stop on Node
	StepStart    StepKind = "start" // kit.Start on Node
	StepRecover  StepKind = "recover"
	StepCheck    StepKind = "check" // kit.Check on Node, must be OK and present
)

// Step is one node of a plan's graph.
type Step struct {
	ID    string          `json:"id"` // stable inside a plan: "03-start-ip-route53"
	Kind  StepKind        `json:"kind"`
	Tag   hierarchy.Tag   `json:"tag,omitempty"`
	Tags  []hierarchy.Tag `json:"tags,omitempty"` // claim: all resources that move
	Node  string          `json:"node,omitempty"`
	After []string        `json:"after,omitempty"` // ids that must have ended well
	// NoReturn: from the start of this step on, the plan only goes forward.
	NoReturn bool          `json:"noReturn,omitempty"`
	Effects  []kits.Effect `json:"effects,omitempty"`
	Timeout  time.Duration `json:"timeout,omitempty"`
	// MayFail: an OK is wished, not needed (stop on a node about to be presumed dead).
	MayFail bool `json:"mayFail,omitempty"`
	// Forced: a person's word stands over a kit's no or unknown (eligible steps) or over
	// its refusal to promote (starts of a kits.Keeper). It does not stand over a node that
	// cannot be acted on at all.
	Forced bool `json:"forced,omitempty"`
	// Loss is the code of the one refusal that a person has accepted here (Goal.AcceptLoss):
	// in the same steps as Forced, of a kits.Keeper only.
	Loss  string `json:"loss,omitempty"`
	Claim uint64 `json:"claim,omitempty"`
	// Restore: taking this stop back means starting it again, since it was in service.
	Restore bool `json:"restore,omitempty"`
	// UndoTimeout is the deadline of the start that takes this stop back.
	UndoTimeout time.Duration `json:"undoTimeout,omitempty"`
}

// Plan is an ordered graph of steps that reaches a goal.
type Plan struct {
	Goal  Goal            `json:"goal"`
	Moves []hierarchy.Tag `json:"moves"` // resources it changes, children first
	Steps []Step          `json:"steps"`
	// Notes are said beside the steps: "unfenced", "route will be created".
	Notes []kits.Reason `json:"notes,omitempty"`
	// Untouched names what one might fear for and the plan leaves alone.
	Untouched []string `json:"untouched,omitempty"`
}

// StandsOver tells that a person's word stands over a refusal with this code in the step.
func (s Step) StandsOver(code string) bool { return s.Forced || s.Loss != "" && s.Loss == code }
