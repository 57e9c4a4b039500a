package engine

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// Preview shows the plan that would come of the command, and asks every veto on the nodes. Nothing changes.
func (e *Engine) Preview(ctx context.Context, c api.Command) (*api.Preview, error) {
	tag, err := e.resolve(c.Goal.Tag)
	if err != nil {
		return nil, err
	}
	c.Goal.Tag = tag
	p := &api.Preview{}
	if err := e.look(func() { e.previewPlan(p, c); e.noteOverwrites(&p.Plan) }); err != nil {
		return nil, err
	}
	p.Verdicts = e.askVetoes(ctx, p.Plan)
	e.lookUpEffects(ctx, p.Plan.Steps)
	return p, nil
}

// previewTimeout bounds looking up one start's effects; without an answer the
// general ones stay.
const previewTimeout = 10 * time.Second

// lookUpEffects replaces what a start changes in general by what it would change
// now, for kits that can tell.
func (e *Engine) lookUpEffects(ctx context.Context, steps []plan.Step) {
	ctx, cancel := context.WithTimeout(ctx, previewTimeout)
	defer cancel()
	for i, s := range steps {
		if s.Kind != plan.StepStart {
			continue
		}
		k, in, ok := e.kitFor(s)
		pv, can := k.(kits.Previewer)
		if !ok || !can {
			continue
		}
		if effects, err := pv.Preview(ctx, in); err == nil {
			steps[i].Effects = effects
		}
	}
}

// previewPlan asks the policy. A crossing is previewed as if it had
// been confirmed, and said.
func (e *Engine) previewPlan(p *api.Preview, c api.Command) {
	x := e.index.Load()
	from := e.active(c.Goal.Tag)
	cmd := policy.Command{ID: newID(), By: c.By, Goal: c.Goal}
	if from != "" && c.Goal.Node != "" && !x.SameRegion(from, c.Goal.Node) {
		p.Crosses = x.RegionOf(c.Goal.Node)
		cmd.ConfirmRegion = p.Crosses
	}
	p.Plan, p.Refused = e.world.Preview(cmd)
	if p.Refused == nil {
		return
	}
	if hint := e.hint(p.Refused.Reason); hint != "" {
		p.Refused.Reason.Args["hint"] = hint
	}
}

// noteOverwrites says which disks a plan makes copies of others: those of data that never was in service. Loop only.
func (e *Engine) noteOverwrites(p *plan.Plan) {
	x := e.index.Load()
	for _, s := range p.Steps {
		if s.Kind != plan.StepStart || len(e.records.get(s.Tag).Record) > 0 {
			continue
		}
		k, ok := e.opts.Kits[x.Resource(s.Tag).Kit].(kits.Overwriter)
		if !ok {
			continue
		}
		source, lost := k.Overwrites(e.instance(s.Tag, s.Node))
		var what []string
		for _, at := range x.PlacementsByPriority(s.Tag) {
			if disk, is := lost[at.Server]; is {
				what = append(what, disk+" on "+at.Server)
			}
		}
		if len(what) > 0 {
			p.Notes = append(p.Notes, policy.Say("keep-overwrites", "tag", string(s.Tag), "node", s.Node, "source", source, "disks", strings.Join(what, ", ")))
		}
	}
}

// askVetoes asks every eligibility of the plan side by side.
func (e *Engine) askVetoes(ctx context.Context, p plan.Plan) []api.StepStatus {
	var asked []plan.Step
	for _, s := range p.Steps {
		if s.Kind == plan.StepEligible {
			asked = append(asked, s)
		}
	}
	out := make([]api.StepStatus, len(asked)) // each question writes its own place
	var wg sync.WaitGroup
	for i, s := range asked {
		wg.Add(1)
		go func() {
			defer wg.Done()
			limit, cancel := context.WithTimeout(ctx, max(s.Timeout, time.Second))
			defer cancel()
			began := time.Now()
			rep := (*doer)(e).Do(limit, previewOp, s, 1)
			out[i] = api.StepStatus{ID: s.ID, Began: began, Ended: time.Now(), Report: rep, Status: string(statusOf(rep))}
		}()
	}
	wg.Wait()
	return out
}

func statusOf(r kits.Report) plan.Status {
	switch r.Outcome {
	case kits.OK:
		return plan.Done
	case kits.Failed:
		return plan.Failed
	}
	return plan.Unclear
}
