package model

import (
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// A planned move to an asynchronous copy costs nothing when the copy's node, asked, says yes: it is made complete after the stop.
// What a no, silence or force may cost is told.
func TestPriceOfAPlannedMove(t *testing.T) {
	now := time.Date(2026, 3, 1, 1, 0, 30, 0, time.UTC)
	res := func(hierarchy.Tag) *api.ResourceStatus {
		return mirror(&api.DataStatus{Nodes: map[string]map[string]string{
			"z": {"state": "Source"},
			"a": {"state": "Target, in sync", "mode": "asynchronous", "last": "2026-03-01T01:00:00Z"},
		}})
	}
	steps := []plan.Step{
		{ID: "s1", Kind: plan.StepEligible, Tag: "c/m", Node: "a"},
		{ID: "s2", Kind: plan.StepStop, Tag: "c/m", Node: "z"},
		{ID: "s3", Kind: plan.StepEligible, Tag: "c/m", Node: "a"},
		{ID: "s4", Kind: plan.StepStart, Tag: "c/m", Node: "a"},
	}
	says := func(id string, o kits.Outcome) api.StepStatus {
		return api.StepStatus{ID: id, Report: kits.Report{Outcome: o}}
	}
	for _, x := range []struct {
		name     string
		force    bool
		verdicts []api.StepStatus
		want     int
	}{
		{"yes, twice", false, []api.StepStatus{says("s1", kits.OK), says("s3", kits.OK)}, 0},
		{"forced", true, []api.StepStatus{says("s1", kits.OK), says("s3", kits.OK)}, 1},
		{"one no", false, []api.StepStatus{says("s1", kits.OK), says("s3", kits.Failed)}, 1},
		{"no answer", false, []api.StepStatus{says("s1", kits.Unknown)}, 1},
		{"not asked", false, nil, 1},
	} {
		pv := &api.Preview{Plan: plan.Plan{Goal: plan.Goal{Force: x.force}, Steps: steps}, Verdicts: x.verdicts}
		if got := Prices(pv, res, now); len(got) != x.want {
			t.Errorf("%s: %d prices, want %d: %+v", x.name, len(got), x.want, got)
		}
	}
}
