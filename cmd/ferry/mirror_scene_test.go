package main

import (
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

const mirrorTag hierarchy.Tag = "service/datakeeper-oradata"

// mirror is a disk of which one copy follows, one is being made and one is out, as the
// kit tells it.
func mirror(s *api.Snapshot) {
	add(s, "datakeeper-oradata", "datakeeper")
	r := &s.Resources[len(s.Resources)-1]
	at := func(d time.Duration) string { return ago(d).Format(time.RFC3339) }
	r.Data = &api.DataStatus{Heard: ago(2 * time.Second), Recorded: ago(4 * time.Minute),
		Impaired: kits.Why("datakeeper.leg-syncing", "the disk of LK_P_B is being brought up to date with LK_P_A; until then it is no copy"),
		Nodes: map[string]map[string]string{
			"LK_P_A": {"state": "Source", "array": "md127"},
			"LK_P_B": {"state": "Target, resyncing 42 %", "mode": "synchronous", "percent": "42", "left": "29696 MiB", "speed": "148.2 MiB/s", "eta": "3m21s", "why": "it does not answer", "last": at(11 * time.Minute), "age": "11m0s"},
			"LK_S_A": {"state": "Target, in sync", "mode": "asynchronous", "since": at(2 * time.Hour), "last": at(12 * time.Second), "age": "12s", "backlog": "14 writes"},
			"LK_S_B": {"state": "Target, out of sync", "mode": "asynchronous", "why": "it is new here", "last": "never"},
		},
		Tasks: []api.TaskStatus{
			{Name: "join", Node: "LK_P_B", Running: true, Began: ago(40 * time.Second), Tries: 1},
			{Name: "join", Node: "LK_S_B", Began: ago(3 * time.Minute), Tries: 4, Failed: kits.Why("datakeeper.failed-connect", "LK_S_B does not answer; does a packet filter or security group let the port through?")},
		}}
	r.On[0].State, r.On[0].Reason = hierarchy.ISU, r.Data.Impaired
}

// mirrorPreview is a move of the mirror to a node that says no.
func mirrorPreview(g plan.Goal) *api.Preview {
	g.From = "LK_P_A"
	pv := &api.Preview{Plan: plan.Plan{Goal: g, Moves: []hierarchy.Tag{mirrorTag},
		Steps: steps("eligible datakeeper-oradata "+g.Node, "stop datakeeper-oradata LK_P_A", "claim datakeeper-oradata "+g.Node, "start datakeeper-oradata "+g.Node)}}
	pv.Verdicts = []api.StepStatus{{ID: pv.Plan.Steps[0].ID, Status: "failed", Report: kits.Report{Outcome: kits.Failed,
		Reason: kits.Why("datakeeper.half", "the disk of "+g.Node+" was being brought up to date with LK_P_A and is a mixture of old and new: no copy at all", "age", "11m0s")}}}
	return pv
}
