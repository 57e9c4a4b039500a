package policy

import (
	"fmt"
	"slices"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// simulateSlowly is Simulate without any thought of time: the whole estate is made and every
// check goes through the machine one by one. It drives the real machine through an imagined situation: nodes are seen,
// resources found in service, then the failures happen and heartbeats are missed
// until there is a verdict. Operations are not carried out, except that a recovery
// on the spot fails when the resource is said to be unrepairable. The error names
// what the situation got wrong.
func simulateSlowly(e *hierarchy.Estate, reg kits.Registry, at time.Time, im Imagined) (*Simulated, error) {
	m := &slowSimulation{w: New(e, reg), now: at, im: im, down: map[string]bool{}, out: &Simulated{Decisions: []Decision{}, Plans: []plan.Plan{}}}
	if err := m.imagine(); err != nil {
		return nil, err
	}
	m.w.Automation = true
	for range 2 {
		m.beats()
	}
	m.looks()
	m.out.Decisions, m.out.Plans = []Decision{}, []plan.Plan{} // the story begins now
	m.failing = im.FailResources
	for _, n := range im.FailNodes {
		m.down[n] = true
	}
	for range m.longest() + 1 {
		m.now = m.now.Add(m.slowest())
		m.beats()
	}
	m.looks()
	for _, p := range m.out.Plans {
		m.out.Plan.Goal = p.Goal
		m.out.Plan.Moves = append(m.out.Plan.Moves, p.Moves...)
		m.out.Plan.Steps = append(m.out.Plan.Steps, p.Steps...)
		m.out.Plan.Notes = append(m.out.Plan.Notes, p.Notes...)
		m.out.Plan.Untouched = append(m.out.Plan.Untouched, p.Untouched...)
	}
	return m.out, nil
}

type slowSimulation struct {
	w    *World
	now  time.Time
	im   Imagined
	down map[string]bool
	out  *Simulated
	// failing are the checks that fail, once the story has begun.
	failing []hierarchy.Ref
}

// quorum is OK for every node that was not said to lack it.
func (m *slowSimulation) quorum(node string) kits.Outcome {
	if slices.Contains(m.im.FailQuorum, node) {
		return kits.Failed
	}
	return kits.OK
}

// imagine puts the situation in force: claims and states, as if long since.
func (m *slowSimulation) imagine() error {
	for _, t := range sorted(m.im.Active) {
		node := m.im.Active[t]
		if m.w.x.Resource(t) == nil {
			return fmt.Errorf("there is no resource %s in this estate", t)
		}
		for _, c := range append(m.w.x.Descendants(t), t) {
			if m.w.x.Placement(c, node) == nil {
				return fmt.Errorf("%s is not extended to %s", c, node)
			}
			if at := m.w.Active(c); at != "" && at != node {
				return fmt.Errorf("%s cannot be in service on %s and on %s", c, at, node)
			}
			m.w.Claims[c] = hierarchy.Claim{Number: 1, Node: node, At: m.now.Add(-longSince)}
			it := m.w.instance(c, node)
			it.State, it.known = hierarchy.ISP, true
		}
	}
	for _, n := range append(slices.Clone(m.im.FailNodes), m.im.FailQuorum...) {
		if m.w.x.Server(n) == nil {
			return fmt.Errorf("there is no node %s in this estate", n)
		}
	}
	for _, r := range m.im.FailResources {
		at := m.w.Active(r.Tag)
		if standby := at != "" && m.w.x.Placement(r.Tag, r.Node) != nil && m.w.checksStandby(r.Tag); at != r.Node && !standby {
			return fmt.Errorf("%s is not in service on %s in this situation, so it cannot fail there", r.Tag, r.Node)
		}
	}
	return nil
}

func (m *slowSimulation) longest() int {
	n := 1
	for i := range m.w.Estate.Servers {
		n = max(n, m.w.beats(m.w.Estate.Servers[i].Name))
	}
	return n
}

func (m *slowSimulation) slowest() time.Duration {
	d := time.Second
	for i := range m.w.Estate.Servers {
		d = max(d, m.w.beatTime(m.w.Estate.Servers[i].Name))
	}
	return d
}

// beats lets every node beat once: those that are up first, so that a loss is
// judged with all that its peers have to say.
func (m *slowSimulation) beats() {
	for _, up := range []bool{true, false} {
		for i := range m.w.Estate.Servers {
			name := m.w.Estate.Servers[i].Name
			if m.down[name] == up {
				continue
			}
			b := Beat{Node: name, Path: up, Function: up}
			if up {
				b.Peers = map[string]map[string]kits.Outcome{}
				for _, p := range m.w.x.Peers(name) {
					o := kits.OK
					if m.down[p] {
						o = kits.Failed
					}
					b.Peers[p] = map[string]kits.Outcome{"default": o}
				}
			}
			m.input(b)
		}
	}
}

// looks lets every check come in.
func (m *slowSimulation) looks() {
	for i := range m.w.Estate.Res {
		r := &m.w.Estate.Res[i]
		for _, p := range r.On {
			if m.down[p.Server] {
				continue
			}
			ref := hierarchy.Ref{Tag: r.Tag, Node: p.Server}
			m.input(Checked{Ref: ref, Report: m.report(ref)})
		}
	}
}

// report is what a check finds.
func (m *slowSimulation) report(ref hierarchy.Ref) kits.Report {
	switch {
	case slices.Contains(m.failing, ref):
		return kits.Report{Outcome: kits.Failed, Presence: kits.Absent, Reason: why("simulated")}
	case m.w.Active(ref.Tag) == ref.Node:
		return kits.Report{Outcome: kits.OK, Presence: kits.Present}
	}
	return kits.Report{Outcome: kits.OK, Presence: kits.Absent}
}

// input lets the machine step and collects what it decides. An unrepairable
// resource fails its recovery at once, and its next check.
func (m *slowSimulation) input(in Input) {
	outs := m.w.Step(m.now, in)
	clear(m.w.dirty) // nobody stores this world
	for _, o := range outs {
		switch o := o.(type) {
		case Event:
			if o.Decision != nil {
				m.out.Decisions = append(m.out.Decisions, *o.Decision)
			}
			if o.Question != "" && m.w.Questions[o.Question].State == Pending {
				m.out.Plans = append(m.out.Plans, m.w.Questions[o.Question].Plan)
			}
		case CheckNow:
			for _, ref := range o.Refs {
				if !m.down[ref.Node] && m.w.checksStandby(ref.Tag) {
					m.input(Checked{Ref: ref, Report: m.report(ref)})
				}
			}
		case AskQuorum:
			m.input(QuorumSaid{Node: o.Node, Outcome: m.quorum(o.Node)})
		case StartOp:
			m.out.Plans = append(m.out.Plans, o.Op.Plan)
			if g := o.Op.Plan.Goal; g.Kind == plan.GoalRecover && m.im.Unrepairable {
				m.failRepair(o.Op, g)
			}
		}
	}
}

func (m *slowSimulation) failRepair(op *Op, g plan.Goal) {
	failed := kits.Report{Outcome: kits.Failed, Presence: kits.Absent, Reason: why("simulated")}
	m.input(StepEnded{Op: op.ID, Step: op.Plan.Steps[0].ID, Report: failed})
	m.input(OpEnded{Op: op.ID, Outcome: OpFailed, Reason: why("simulated")})
	m.input(Checked{Ref: hierarchy.Ref{Tag: g.Tag, Node: g.Node}, Report: failed})
}
