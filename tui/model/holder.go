package model

import (
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// Holder is the server that a resource belongs on now: the one that holds its claim, also
// while nothing is known of that server. Empty when it was taken out of service, and
// when nobody has claimed it and it runs nowhere.
//
// ResourceStatus.Active is something else: the best server on which it is seen in
// service, which of two may be the wrong one.
func Holder(r *api.ResourceStatus) string {
	if r.Claim == nil || r.Claim.Number == 0 {
		return r.Active
	}
	for i := range r.On {
		if r.On[i].Server == r.Claim.Node && r.On[i].State == hierarchy.OSU {
			return "" // it was taken out of service there: the claim stays, for the next number
		}
	}
	return r.Claim.Node
}
