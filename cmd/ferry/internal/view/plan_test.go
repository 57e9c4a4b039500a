package view

import (
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// What a node says to a plan that asks it twice, before a stop and after it, is shown once; what it says with a yes is shown, too.
func TestPreviewSaysEachAnswerOnce(t *testing.T) {
	pl := plan.Plan{Steps: []plan.Step{
		{ID: "s1", Kind: plan.StepEligible, Tag: "c/disk", Node: "b"},
		{ID: "s2", Kind: plan.StepEligible, Tag: "c/route", Node: "b"},
		{ID: "s3", Kind: plan.StepStop, Tag: "c/disk", Node: "a"},
		{ID: "s4", Kind: plan.StepEligible, Tag: "c/disk", Node: "b"},
		{ID: "s5", Kind: plan.StepStart, Tag: "c/disk", Node: "b"},
	}}
	says := func(id string, o kits.Outcome, why kits.Reason) api.StepStatus {
		return api.StepStatus{ID: id, Report: kits.Report{Outcome: o, Reason: why}}
	}
	half := kits.Why("x.half", "the disk of b is half copied")
	pv := &api.Preview{Plan: pl, Verdicts: []api.StepStatus{
		says("s1", kits.Failed, half), says("s2", kits.OK, kits.Why("x.off", "EC2 takes b for stopped")), says("s4", kits.Failed, half),
	}}
	text := Preview(pv, "", term.Style{}, noon)
	for want, times := range map[string]int{
		"ask disk on b says no: the disk of b is half copied": 1, "note: ask route on b says yes: EC2 takes b for stopped": 1, "says yes": 1,
	} {
		if n := strings.Count(text, want); n != times {
			t.Errorf("%q stands there %d times, want %d:\n%s", want, n, times, text)
		}
	}
	pv.Verdicts[2].Report.Outcome = kits.Unknown
	if got := strings.Join(Objections(pv), "\n"); strings.Count(got, "\n") != 1 || !strings.Contains(got, "gives no answer") {
		t.Errorf("two answers that differ: %q", got)
	}
}

// A field's name never runs into its value, however long it is.
func TestLongFieldNamesStandApart(t *testing.T) {
	r := hierarchy.Resource{Tag: "c/disk", Kit: "datakeeper", Attrs: map[string]string{"hierarchy_type": "existing"}}
	e := &hierarchy.Estate{Res: []hierarchy.Resource{r}}
	if text := Resource(hierarchy.NewIndex(e), &e.Res[0], nil, nil, term.Style{}, noon); !strings.Contains(text, "hierarchy_type existing") {
		t.Error(text)
	}
}
