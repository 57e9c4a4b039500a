package policy

import (
	"slices"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
)

// Imagined is a situation to ask "what if" about.
type Imagined struct {
	// Active: by resource, the node on which it is in service. What a resource needs is
	// in service there too.
	Active map[hierarchy.Tag]string
	// FailNodes have lost their power; EC2 has not noticed.
	FailNodes []string
	// FailResources fail their check, and cannot be repaired on the spot when
	// Unrepairable is set.
	FailResources []hierarchy.Ref
	Unrepairable  bool
	// FailQuorum are nodes that have no quorum; all others are assumed to have it.
	FailQuorum []string
	// Cut are pairs of nodes that do not reach each other, on any path.
	Cut [][2]string
	// Beyond are nodes that live and that the engine itself does not reach. What their
	// checks would say is not heard, and they cannot be asked about their peers.
	Beyond []string
	// CloudSilent: the cloud's API gives no answer, so what is checked through it is unknown.
	CloudSilent bool
}

// Simulated is what the machine makes of it.
type Simulated struct {
	Decisions []Decision `json:"decisions"`
	// Plan has the steps of everything that would be started at once, or after a yes;
	// Plans has them apart, one for each decision that leads to one.
	Plan  plan.Plan   `json:"plan"`
	Plans []plan.Plan `json:"plans"`
	// Verdicts are what the failed, cut and unreached nodes are held for, with the evidence
	// as a sentence.
	Verdicts map[string]Held `json:"-"`
}

// Held is what a node is held for in a simulation.
type Held struct {
	Verdict  Verdict
	Evidence kits.Reason
}

// Simulate drives the real machine through an imagined situation: nodes are seen,
// resources found in service, then the failures happen and heartbeats are missed
// until there is a verdict. Operations are not carried out, except that a recovery
// on the spot fails when the resource is said to be unrepairable. The error names
// what the situation got wrong.
func Simulate(e *hierarchy.Estate, reg kits.Registry, at time.Time, im Imagined) (*Simulated, error) {
	return SimulateOn(hierarchy.NewIndexFor(e, reg), reg, at, im)
}

// SimulateOn is Simulate for who has the estate's index at hand, made with the same kits.
//
// It costs what the hierarchies cost that a failure concerns: no others are made.
func SimulateOn(x *hierarchy.Index, reg kits.Registry, at time.Time, im Imagined) (*Simulated, error) {
	active, err := suppose(x, reg, im)
	if err != nil {
		return nil, err
	}
	m := &simulation{now: at, im: im, down: map[string]bool{}, beyond: map[string]bool{}, cut: map[[2]string]bool{}, out: &Simulated{Decisions: []Decision{}, Plans: []plan.Plan{}}}
	m.w = empty(reg)
	m.w.dirty = nil // nobody stores this world
	m.w.Automation = true
	m.settle(x, concerned(x, reg, active, im), active)
	for _, n := range im.FailNodes {
		m.down[n] = true
	}
	for _, n := range im.Beyond {
		m.beyond[n] = true
	}
	for _, c := range im.Cut {
		m.cut[c], m.cut[[2]string{c[1], c[0]}] = true, true
	}
	m.failing = map[hierarchy.Ref]bool{}
	for _, ref := range im.FailResources {
		m.failing[ref] = true
	}
	for range m.longest() + 1 {
		m.now = m.now.Add(m.slowest())
		m.beats()
	}
	m.looks(im.FailResources)
	m.held()
	for _, p := range m.out.Plans {
		m.out.Plan.Goal = p.Goal
		m.out.Plan.Moves = append(m.out.Plan.Moves, p.Moves...)
		m.out.Plan.Steps = append(m.out.Plan.Steps, p.Steps...)
		m.out.Plan.Notes = append(m.out.Plan.Notes, p.Notes...)
		m.out.Plan.Untouched = append(m.out.Plan.Untouched, p.Untouched...)
	}
	return m.out, nil
}

type simulation struct {
	w    *World
	now  time.Time
	im   Imagined
	down map[string]bool
	out  *Simulated
	// beyond and cut are those of Imagined, once the story has begun; cut both ways round.
	beyond map[string]bool
	cut    map[[2]string]bool
	// failing are the checks that fail, once the story has begun.
	failing map[hierarchy.Ref]bool
	// changes counts what happened that another hierarchy's judge could see.
	changes int
}

// quorum is OK for every node that was not said to lack it.
func (m *simulation) quorum(node string) kits.Outcome {
	if slices.Contains(m.im.FailQuorum, node) {
		return kits.Failed
	}
	return kits.OK
}

func (m *simulation) longest() int {
	n := 1
	for i := range m.w.Estate.Servers {
		n = max(n, m.w.beats(m.w.Estate.Servers[i].Name))
	}
	return n
}

func (m *simulation) slowest() time.Duration {
	d := time.Second
	for i := range m.w.Estate.Servers {
		d = max(d, m.w.beatTime(m.w.Estate.Servers[i].Name))
	}
	return d
}

// beats lets every node beat once: those that are up first, so that a loss is
// judged with all that its peers have to say.
func (m *simulation) beats() {
	for _, up := range []bool{true, false} {
		for i := range m.w.Estate.Servers {
			name := m.w.Estate.Servers[i].Name
			if m.silent(name) == up {
				continue
			}
			b := Beat{Node: name, Path: up, Function: up}
			if up {
				b.Peers = map[string]map[string]kits.Outcome{}
				for _, p := range m.w.x.Peers(name) {
					o := kits.OK
					if m.down[p] || m.cut[[2]string{name, p}] {
						o = kits.Failed
					}
					b.Peers[p] = map[string]kits.Outcome{"default": o}
				}
			}
			m.input(b)
		}
	}
}

// silent: the engine hears nothing of the node.
func (m *simulation) silent(node string) bool { return m.down[node] || m.beyond[node] }

// held notes what became of the nodes' verdicts.
func (m *simulation) held() {
	m.out.Verdicts = map[string]Held{}
	for _, name := range sorted(m.w.Nodes) {
		if n := m.w.Nodes[name]; n.Verdict != Alive {
			m.out.Verdicts[name] = Held{n.Verdict, (&step{World: m.w, now: m.now}).verdictReason(name, n.Verdict, n.Evidence)}
		}
	}
}

// looks lets every check come in; the listed ones fail.
//
// A check that finds what is known already makes a hierarchy be judged again. Where
// judging it changed nothing, and nothing happened since that it could see, judging it
// again changes nothing either: such checks are left out, and those of a hierarchy at
// which an operation works, since they say nothing.
func (m *simulation) looks(failing []hierarchy.Ref) {
	watched := m.watched(failing)
	quiet := make([]int, len(m.w.comps)) // the count of changes, and one, at which it was judged in vain
	for i := range m.w.Estate.Res {
		r := &m.w.Estate.Res[i]
		c := m.w.x.HierarchyID(r.Tag)
		for _, p := range r.On {
			if m.silent(p.Server) || m.w.busy[c] != "" || quiet[c] == m.changes+1 {
				continue
			}
			ref := hierarchy.Ref{Tag: r.Tag, Node: p.Server}
			before, marks := m.changes, m.w.marks
			m.input(Checked{Ref: ref, Report: m.report(ref)})
			switch {
			case watched[c]:
				m.changes++
			case before == m.changes && marks == m.w.marks:
				quiet[c] = m.changes + 1
			}
		}
	}
}

// report is what a check finds.
func (m *simulation) report(ref hierarchy.Ref) kits.Report {
	switch {
	case m.im.CloudSilent && m.w.traits(ref.Tag).ViaCloud:
		return kits.Report{Outcome: kits.Unknown}
	case m.failing[ref]:
		return kits.Report{Outcome: kits.Failed, Presence: kits.Absent, Reason: why("simulated")}
	case m.w.Active(ref.Tag) == ref.Node:
		return kits.Report{Outcome: kits.OK, Presence: kits.Present}
	}
	return kits.Report{Outcome: kits.OK, Presence: kits.Absent}
}

// asked lets the checks come in for which a move waits.
func (m *simulation) asked(refs []hierarchy.Ref) {
	for _, ref := range refs {
		if !m.silent(ref.Node) && m.w.checksStandby(ref.Tag) {
			m.input(Checked{Ref: ref, Report: m.report(ref)})
		}
	}
}

// watched are the hierarchies of which every check counts: something of them fails, or is
// judged on all its nodes together, or they carry a path, which stands only while it is
// seen again and again.
func (m *simulation) watched(failing []hierarchy.Ref) map[int]bool {
	out := map[int]bool{}
	for _, ref := range failing {
		out[m.w.x.HierarchyID(ref.Tag)] = true
	}
	for _, w := range m.w.via {
		for _, t := range w.via {
			out[m.w.x.HierarchyID(t)] = true
		}
	}
	for c, twins := range m.w.twins {
		if twins {
			out[c] = true
		}
	}
	return out
}

// input lets the machine step and collects what it decides. An unrepairable
// resource fails its recovery at once, and its next check.
func (m *simulation) input(in Input) {
	for _, o := range m.w.Step(m.now, in) {
		m.changes++
		switch o := o.(type) {
		case Event:
			if o.Decision != nil {
				m.out.Decisions = append(m.out.Decisions, *o.Decision)
			}
			if o.Question != "" && m.w.Questions[o.Question].State == Pending {
				m.out.Plans = append(m.out.Plans, m.w.Questions[o.Question].Plan)
			}
		case CheckNow:
			m.asked(o.Refs)
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

func (m *simulation) failRepair(op *Op, g plan.Goal) {
	failed := kits.Report{Outcome: kits.Failed, Presence: kits.Absent, Reason: why("simulated")}
	m.input(StepEnded{Op: op.ID, Step: op.Plan.Steps[0].ID, Report: failed})
	m.input(OpEnded{Op: op.ID, Outcome: OpFailed, Reason: why("simulated")})
	m.input(Checked{Ref: hierarchy.Ref{Tag: g.Tag, Node: g.Node}, Report: failed})
}
