package model

import (
	"testing"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// A node that comes back with an older claim may have the better priority: the snapshot
// then calls it active, and the one that serves must not be called stale.
func TestStaleGoesByTheClaim(t *testing.T) {
	for _, x := range []struct {
		name           string
		claim          string // who holds it; empty = nobody
		a, b           hierarchy.State
		holder         string
		staleA, staleB bool
	}{
		{"as it should be", "a", hierarchy.ISP, hierarchy.OSU, "a", false, false},
		{"an old node is back", "b", hierarchy.ISP, hierarchy.ISP, "b", true, false},
		{"only the old one runs", "b", hierarchy.ISP, hierarchy.OSF, "b", true, false},
		{"the holder is lost", "b", hierarchy.OSU, hierarchy.ILLSTATE, "b", false, false},
		{"out of service", "a", hierarchy.OSU, hierarchy.OSU, "", false, false},
		{"nobody claimed it", "", hierarchy.ISP, hierarchy.OSU, "a", false, false},
		{"nobody, nowhere", "", hierarchy.OSU, hierarchy.OSU, "", false, false},
	} {
		r := &api.ResourceStatus{On: []api.InstanceStatus{{Server: "a", State: x.a}, {Server: "b", State: x.b}}}
		for _, i := range r.On { // as the engine does
			if r.Active == "" && i.State.InService() {
				r.Active = i.Server
			}
		}
		if x.claim != "" {
			r.Claim = &hierarchy.Claim{Number: 4, Node: x.claim}
		}
		if got := Holder(r); got != x.holder {
			t.Errorf("%s: holder %q, want %q", x.name, got, x.holder)
		}
		if a, b := Stale(r, &r.On[0]), Stale(r, &r.On[1]); a != x.staleA || b != x.staleB {
			t.Errorf("%s: stale %v %v", x.name, a, b)
		}
	}
}
