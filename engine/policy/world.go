package policy

import (
	"cmp"
	"slices"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// memory is the part of a World that is not stored.
type memory struct {
	x     *hierarchy.Index
	kits  kits.Registry
	comps [][]hierarchy.Tag // the hierarchies, each in start order
	// on has the instances of each resource in the order of its placements.
	on map[hierarchy.Tag][]*Instance
	// everywhere are, for each hierarchy, the nodes to which all of it is extended.
	everywhere [][]string
	// twins are the hierarchies with a resource that is judged on all its nodes together.
	twins []bool
	// busy is the running operation of each hierarchy, "" when there is none.
	busy []string
	// asking is the pending question of each hierarchy.
	asking []string
	// said is the last decision logged for each hierarchy, so that it is logged once.
	said []string
	// records are the claim numbers last read from nodes' records.
	records map[hierarchy.Tag]map[string]uint64
	// saidBack is the last thing logged about a switchback of each hierarchy.
	saidBack map[int]string
	// wake is when a hierarchy is to be judged again though nothing happens.
	wake map[int]time.Time
	// witnessed are the nodes on which a quorum is asked for, with the time it may take.
	witnessed map[string]time.Duration
	// via is what carries a path, declared or found, where something does.
	via map[wayKey]way
	// ways are the nodes that are reached over something.
	ways []way
	// unjudged are clusters whose quorum mode cannot be judged and that nobody was told of yet.
	unjudged []string
	toldOf   map[string]bool // clusters that they were told of
	// rest is when stale resources could not be stopped on a node.
	rest map[hierarchy.Ref]time.Time
	// commands finds an operation by the command it fulfils.
	commands map[string]string
	// dirty are the keys of what is to be stored; nil = nobody stores this world.
	dirty map[string]struct{}
	marks int // how often something was marked to be stored
}

// New makes the world of an estate in which nothing has been seen yet. reg may
// lack kits that the estate names: their resources are then planned with default
// deadlines and no traits.
func New(e *hierarchy.Estate, reg kits.Registry) *World {
	w := empty(reg)
	w.define(e)
	return w
}

// empty is a world before anything is defined.
func empty(reg kits.Registry) *World {
	w := &World{
		Instances: map[hierarchy.Ref]*Instance{},
		Claims:    map[hierarchy.Tag]hierarchy.Claim{},
		Nodes:     map[string]*Node{},
		Questions: map[string]*Question{},
		Ops:       map[string]*Op{},
		Released:  map[hierarchy.Tag]bool{},
		Given:     map[hierarchy.Tag]uint64{},
		Losses:    map[hierarchy.Tag]*Loss{},
		Quorum:    map[string]*QuorumWord{},
		Holds:     map[string]Hold{},
		Keeps:     map[hierarchy.Tag]*Keep{},
	}
	w.kits = reg
	w.toldOf, w.records = map[string]bool{}, map[hierarchy.Tag]map[string]uint64{}
	w.commands = map[string]string{}
	w.dirty = map[string]struct{}{}
	w.rest = map[hierarchy.Ref]time.Time{}
	return w
}

// Index answers questions about the definition in force.
func (w *World) Index() *hierarchy.Index { return w.x }

// Active is the node that holds the resource by a claim in force; "" = nobody.
func (w *World) Active(t hierarchy.Tag) string {
	if w.Released[t] {
		return ""
	}
	return w.Claims[t].Node
}

// Works tells that the resource is known to be in service on the node. What was so
// before a restart, a clock jump or the node's absence is not known.
func (w *World) Works(t hierarchy.Tag, node string) bool {
	in := w.instance(t, node)
	return in != nil && in.known && in.State.InService()
}

// WasUp tells that the last that is known of the resource on the node is that it is in
// service, also when that was before a restart.
func (w *World) WasUp(t hierarchy.Tag, node string) bool {
	in := w.instance(t, node)
	return in != nil && in.State.InService()
}

// HighestClaim is the highest claim number ever given out for the resource.
func (w *World) HighestClaim(t hierarchy.Tag) uint64 {
	return max(w.Claims[t].Number, w.Given[t])
}

// Running is the operation that works on the resource's hierarchy; nil when none does.
func (w *World) Running(t hierarchy.Tag) *Op {
	if c := w.x.HierarchyID(t); c >= 0 && w.busy[c] != "" {
		return w.Ops[w.busy[c]]
	}
	return nil
}

func (w *World) instance(t hierarchy.Tag, node string) *Instance {
	return w.Instances[hierarchy.Ref{Tag: t, Node: node}]
}

// define puts a definition in force: what is new is unknown, what is gone is forgotten.
func (w *World) define(e *hierarchy.Estate) { w.defineOn(hierarchy.NewIndexFor(e, w.kits)) }

func (w *World) defineOn(x *hierarchy.Index) {
	e := x.Estate()
	w.Estate, w.x = e, x
	w.comps = w.x.Hierarchies()
	w.busy = make([]string, len(w.comps))
	w.asking = make([]string, len(w.comps))
	w.said = make([]string, len(w.comps))
	w.wake, w.saidBack = map[int]time.Time{}, map[int]string{}
	w.defineQuorum()
	w.defineVia()
	for i := range e.Servers {
		if name := e.Servers[i].Name; w.Nodes[name] == nil {
			w.Nodes[name] = &Node{Verdict: Unknown}
			w.dirt(nodeKey(name))
		}
		n, name := w.Nodes[e.Servers[i].Name], e.Servers[i].Name
		n.limit, n.every = max(1, w.x.Int(name, hierarchy.LCMNumHBeats)), w.x.Seconds(name, hierarchy.LCMHBeatTime)
	}
	w.forget(w.extend())
	w.forgetHolds()
	w.forgetKeeps()
	w.gather()
	w.spread()
	w.remember()
}

// extend makes the instances that are new, and tells how many the definition has.
func (w *World) extend() int {
	n := 0
	for i := range w.Estate.Res {
		n += len(w.Estate.Res[i].On)
	}
	if len(w.Instances) == 0 {
		w.Instances = make(map[hierarchy.Ref]*Instance, n)
	}
	made := make([]Instance, 0, max(0, n-len(w.Instances)))
	notYet := why("not-yet-checked")
	for i := range w.Estate.Res {
		r := &w.Estate.Res[i]
		for _, p := range r.On {
			ref := hierarchy.Ref{Tag: r.Tag, Node: p.Server}
			if w.Instances[ref] != nil {
				continue
			}
			if len(made) == cap(made) {
				made = make([]Instance, 0, 64)
			}
			made = append(made, Instance{State: hierarchy.ILLSTATE, Reason: notYet})
			w.Instances[ref] = &made[len(made)-1]
			w.dirtInstance(ref)
		}
	}
	return n
}

// gather finds the instances of each resource once, so that looking at all of them
// costs one lookup.
func (w *World) gather() {
	w.on = make(map[hierarchy.Tag][]*Instance, len(w.Estate.Res))
	for i := range w.Estate.Res {
		t := w.Estate.Res[i].Tag
		placed := w.x.PlacementsByPriority(t)
		all := make([]*Instance, len(placed))
		for k, p := range placed {
			all[k] = w.instance(t, p.Server)
		}
		w.on[t] = all
	}
}

// spread finds the nodes to which the whole of each hierarchy is extended: mostly
// these are all its nodes, and nobody need look at each resource again.
func (w *World) spread() {
	w.everywhere, w.twins = make([][]string, len(w.comps)), make([]bool, len(w.comps))
	for c, tags := range w.comps {
		w.twins[c] = slices.ContainsFunc(tags, w.checksStandby)
		for _, p := range w.x.PlacementsByPriority(tags[0]) {
			if !slices.ContainsFunc(tags, func(t hierarchy.Tag) bool { return w.x.Placement(t, p.Server) == nil }) {
				w.everywhere[c] = append(w.everywhere[c], p.Server)
			}
		}
	}
}

// forget drops what the definition does not name any more; it has so many instances.
func (w *World) forget(instances int) {
	for name := range w.Nodes {
		if w.x.Server(name) == nil {
			delete(w.Nodes, name)
			w.dirt(nodeKey(name))
		}
	}
	if len(w.Instances) != instances { // else there are those that it has, and no others
		for ref := range w.Instances {
			if w.x.Placement(ref.Tag, ref.Node) == nil {
				delete(w.Instances, ref)
				w.dirtInstance(ref)
			}
		}
	}
	for t := range w.Claims {
		if w.x.Resource(t) == nil {
			delete(w.Claims, t)
			delete(w.Released, t)
			w.dirt(claimKey(t)) // the number given out stays: a resource of that name may come again
		}
	}
	for t, l := range w.Losses {
		c := w.x.HierarchyID(t)
		if c >= 0 && w.comps[c][0] == t {
			continue
		}
		delete(w.Losses, t)
		w.dirt(lossKey(t))
		if c >= 0 && w.Losses[w.comps[c][0]] == nil {
			w.Losses[w.comps[c][0]] = l
			w.dirt(lossKey(w.comps[c][0]))
		}
	}
}

// remember rebuilds what follows from the stored part.
func (w *World) remember() {
	for _, id := range sorted(w.Ops) {
		op := w.Ops[id]
		if op.Command != "" {
			w.commands[op.Command] = id
		}
		if c := w.x.HierarchyID(op.Plan.Goal.Tag); c >= 0 && op.Outcome == OpRunning {
			w.busy[c] = id
		}
	}
	for _, id := range sorted(w.Questions) {
		q := w.Questions[id]
		if c := w.x.HierarchyID(q.Tag); c >= 0 && q.State == Pending {
			w.asking[c] = id
		}
	}
}

// sorted gives a map's keys in order: nothing may depend on a map's own.
func sorted[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// alive tells that the engine and the node's peers have no doubt about the node,
// and that the engine itself reaches it: only such a node takes anything over.
func (w *World) alive(node string) bool {
	n := w.Nodes[node]
	return n != nil && (n.Verdict == Alive || n.Verdict == Degraded) && n.Missed < n.limit
}

// beats is LCMNUMHBEATS in force on a node.
func (w *World) beats(node string) int {
	if n := w.Nodes[node]; n != nil {
		return n.limit
	}
	return max(1, w.x.Int(node, hierarchy.LCMNumHBeats))
}

func (w *World) beatTime(node string) time.Duration {
	if n := w.Nodes[node]; n != nil {
		return n.every
	}
	return w.x.Seconds(node, hierarchy.LCMHBeatTime)
}

func (w *World) traits(t hierarchy.Tag) kits.Traits {
	if r := w.x.Resource(t); r != nil && w.kits[r.Kit] != nil {
		return w.kits[r.Kit].Traits()
	}
	return kits.Traits{}
}

func (w *World) checksStandby(t hierarchy.Tag) bool { return checksStandby(w.kits, w.x.Resource(t)) }

func checksStandby(reg kits.Registry, r *hierarchy.Resource) bool {
	if r == nil {
		return false
	}
	sc, ok := reg[r.Kit].(kits.StandbyChecker)
	return ok && sc.ChecksStandby()
}
