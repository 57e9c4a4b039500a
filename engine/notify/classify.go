package notify

import (
	"strings"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// The goals as they stand in operations' reasons.
const beganPrefix = "op-began-"

// Classify gives an event its kind (hierarchy.NotifyKinds) and severity. False: nobody
// is told of it. keepers are the kits whose reasons are about replicated data.
//
// A failover is at least a warning, also when it went well: somebody has to look at the
// node that was left. Changes of state that are no warning are not told: each resource
// has some in each operation, and the operation itself is told.
func Classify(e api.Event, keepers []string) (kind, severity string, ok bool) {
	kind, severity = kindOf(e, keepers), e.Severity
	if severity == "" {
		severity = "info"
	}
	switch {
	case kind == "":
		return "", "", false
	case kind == hierarchy.KindFailover && severity == "info":
		severity = "warning"
	case (kind == hierarchy.KindFailure || kind == hierarchy.KindData) && e.Kind == "state" && severity == "info":
		return "", "", false
	}
	return kind, severity, true
}

func kindOf(e api.Event, keepers []string) string {
	switch e.Kind {
	case "operation":
		return kindOfOperation(e)
	case "question":
		return hierarchy.KindConfirmation
	case "node":
		return hierarchy.KindNode
	case "engine", "hold", "definition", "notification":
		return e.Kind
	case "state", "decision":
		if strings.HasPrefix(e.Reason.Code, "keep-") || about(e.Reason, keepers) {
			return hierarchy.KindData
		}
		return hierarchy.KindFailure
	}
	return ""
}

// kindOfOperation goes by the goal; adoptions of what runs already are nobody's news.
func kindOfOperation(e api.Event) string {
	goal, began := strings.CutPrefix(e.Reason.Code, beganPrefix)
	if !began {
		goal = e.Reason.Args["goal"]
	}
	switch plan.GoalKind(goal) {
	case plan.GoalFailover:
		return hierarchy.KindFailover
	case plan.GoalInService, plan.GoalOutOfService:
		return hierarchy.KindSwitchover
	case plan.GoalAdopt:
		return ""
	}
	return hierarchy.KindFailure
}

// about tells whether a reason, or one behind it, is one of these kits'.
func about(r kits.Reason, keepers []string) bool {
	for {
		for _, k := range keepers {
			if strings.HasPrefix(r.Code, k+".") {
				return true
			}
		}
		if r.Because == nil {
			return false
		}
		r = *r.Because
	}
}
