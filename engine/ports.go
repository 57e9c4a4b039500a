package engine

import (
	"context"
	"slices"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/monitor"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/runner"
	"github.com/ferry-ha/ferry/kits"
)

// The engine's faces towards its parts: sink for the monitor, recorder for the runner.
type (
	sink     Engine
	recorder Engine
)

func (s *sink) Observe(in policy.Input) { (*Engine)(s).tell(in) }

func (s *sink) ObserveCheck(c policy.Checked, began time.Time) {
	e := (*Engine)(s)
	e.checked(c)
	select {
	case e.in <- message{in: c, began: began}:
	case <-e.ctx.Done():
	}
}

// Due lists what to check on a node: every resource placed there that no running
// operation is changing.
func (s *sink) Due(node string, only []hierarchy.Ref) []kits.Instance {
	e := (*Engine)(s)
	var due []kits.Instance
	_ = e.look(func() {
		x := e.index.Load()
		for _, t := range x.On(node) {
			ref := refOf(t, node)
			if only != nil && !slices.Contains(only, ref) || e.busy(t) || !e.wanted(ref) {
				continue
			}
			due = append(due, e.instance(t, node))
		}
	})
	return due
}

// wanted tells whether a check of this instance says something worth its cost:
// scripted ones always (they travel together), API calls only where the resource
// is in service, not yet known, or the kit looks at standby nodes too.
func (e *Engine) wanted(ref hierarchy.Ref) bool {
	k := e.opts.Kits[e.index.Load().Resource(ref.Tag).Kit]
	if k == nil || !k.Traits().ViaCloud {
		return k != nil
	}
	if sc, ok := k.(kits.StandbyChecker); ok && sc.ChecksStandby() {
		return true
	}
	if e.world.Active(ref.Tag) == ref.Node {
		return true // held here, also after a move that stopped it and went no further
	}
	in := e.world.Instances[ref]
	return in == nil || in.State.InService() || in.State == hierarchy.ILLSTATE || in.State == hierarchy.OSF
}

// busy tells whether a running operation moves the resource. Loop only.
func (e *Engine) busy(t hierarchy.Tag) bool {
	for _, op := range e.world.Ops {
		if op.Outcome == policy.OpRunning && slices.Contains(op.Plan.Moves, t) {
			return true
		}
	}
	return false
}

// instance is everything a kit may know about a resource on a node. Loop only.
func (e *Engine) instance(t hierarchy.Tag, node string) kits.Instance {
	return e.withRecord(hierarchy.InstanceOf(e.index.Load(), t, node, e.world.Active(t)))
}

// active is the node where the resource is in service; empty when it is nowhere. Loop only.
func (e *Engine) active(t hierarchy.Tag) string {
	for _, p := range e.index.Load().PlacementsByPriority(t) {
		if in := e.world.Instances[refOf(t, p.Server)]; in != nil && in.State.InService() {
			return p.Server
		}
	}
	return ""
}

// Record stores the journal with what follows from the input.
func (r *recorder) Record(ctx context.Context, j *runner.Journal, in policy.Input) error {
	_, err := (*Engine)(r).ask(ctx, message{in: in, journal: j})
	return err
}

// undo makes the plan that takes touched steps back. What a resource stands on is
// started first, also where the plan had nothing to do with it: while it runs that
// changes nothing, but its node may have gone down and come back meanwhile.
func (e *Engine) undo(p plan.Plan, touched []string) (plan.Plan, bool) {
	back, any := plan.Undo(p, touched)
	if !any {
		return back, false
	}
	_ = e.look(func() {
		for i := 0; i < len(back.Steps); i++ { // it grows: a child has children
			e.addGround(&back, i)
		}
	})
	return back, true
}

// addGround adds starts for what a step's resource needs and its node holds, unless
// they are there. Loop only.
func (e *Engine) addGround(back *plan.Plan, i int) {
	x := e.index.Load()
	s := back.Steps[i]
	for _, c := range x.Children(s.Tag) {
		k := slices.IndexFunc(back.Steps, func(b plan.Step) bool { return b.Tag == c && b.Node == s.Node })
		if k < 0 && e.world.Active(c) == s.Node {
			child := plan.Step{ID: "undo-start-" + c.Short(), Kind: plan.StepStart, Tag: c, Node: s.Node, Timeout: s.Timeout}
			if kit := e.opts.Kits[x.Resource(c).Kit]; kit != nil {
				child.Timeout = plan.StartTimeout(kit, e.instance(c, s.Node))
			}
			k = len(back.Steps)
			back.Steps = append(back.Steps, child)
		}
		if k >= 0 && !slices.Contains(back.Steps[i].After, back.Steps[k].ID) {
			back.Steps[i].After = append(back.Steps[i].After, back.Steps[k].ID)
		}
	}
}

// redefine hands the definition in force to the fleet and the monitor. Loop only
// (and once before the loop runs).
func (e *Engine) redefine() {
	x := e.world.Index()
	e.index.Store(x)
	e.fleet.Define(x.Estate(), e.identity())
	e.monitor.Define(e.ctx, tasks(x))
	e.defineKeepers(x)
}

// tasks says what is to be watched on each node that is in a cluster.
func tasks(x *hierarchy.Index) []monitor.NodeTask {
	var out []monitor.NodeTask
	for _, s := range x.Estate().Servers {
		if x.ClusterOf(s.Name) == nil {
			continue
		}
		out = append(out, monitor.NodeTask{
			Node:       s.Name,
			BeatEvery:  x.Seconds(s.Name, "LCMHBEATTIME"),
			CheckEvery: x.Seconds(s.Name, "LKCHECKINTERVAL"),
			Paths:      paths(x, s.Name),
		})
	}
	return out
}

// paths are the node's comm paths: the declared ones, and the servers' own
// addresses towards every peer for which none is declared.
func paths(x *hierarchy.Index, node string) []monitor.Path {
	var out []monitor.Path
	for _, peer := range x.Peers(node) {
		n := len(out)
		for _, p := range x.Estate().Paths {
			if p.From == node && p.To == peer {
				out = append(out, monitor.Path{Peer: peer, Name: p.ToAddr, From: p.FromAddr, To: p.ToAddr})
			}
		}
		if s := x.Server(peer); len(out) == n && s != nil {
			out = append(out, monitor.Path{Peer: peer, Name: "default", To: s.Address})
		}
	}
	return out
}
