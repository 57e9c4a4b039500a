package engine

import (
	"context"
	"maps"
	"slices"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
)

// SetHold keeps automation quiet for a scope until a time, or ends that. Checks go on
// and people's commands work meanwhile.
func (e *Engine) SetHold(ctx context.Context, h api.Hold) error {
	outs, err := e.ask(ctx, message{in: policy.SetHold{Scope: h.Scope, Until: h.Until, By: e.actor(h.By), Why: h.Why}})
	if err != nil {
		return asAPI(err)
	}
	for _, o := range outs {
		if r, ok := o.(policy.Refused); ok {
			return e.refusal(r)
		}
	}
	return nil
}

// holds are those in force, by scope. Loop only.
func (e *Engine) holds() []api.HoldStatus {
	var out []api.HoldStatus
	for _, scope := range slices.Sorted(maps.Keys(e.world.Holds)) {
		h := e.world.Holds[scope]
		out = append(out, api.HoldStatus{Scope: h.Scope, Since: h.Since, Until: h.Until, By: h.By, Why: h.Why})
	}
	return out
}
