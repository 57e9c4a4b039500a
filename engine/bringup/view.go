package bringup

import (
	"slices"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// view is a snapshot, looked up by name, under a definition.
type view struct {
	x     *hierarchy.Index
	reg   kits.Registry
	s     *api.Snapshot
	res   map[hierarchy.Tag]*api.ResourceStatus
	nodes map[string]*api.NodeStatus
	via   map[hierarchy.Tag]bool // carries a declared comm path
}

func look(x *hierarchy.Index, reg kits.Registry, s *api.Snapshot) *view {
	if s == nil {
		s = &api.Snapshot{}
	}
	v := &view{x: x, reg: reg, s: s, res: map[hierarchy.Tag]*api.ResourceStatus{}, nodes: map[string]*api.NodeStatus{}, via: map[hierarchy.Tag]bool{}}
	for i := range s.Resources {
		v.res[s.Resources[i].Tag] = &s.Resources[i]
	}
	for i := range s.Nodes {
		v.nodes[s.Nodes[i].Name] = &s.Nodes[i]
	}
	for _, p := range x.Estate().Paths {
		for _, t := range p.Via.Tags() {
			v.via[t] = true
		}
	}
	return v
}

func (v *view) kit(t hierarchy.Tag) kits.Kit {
	if r := v.x.Resource(t); r != nil {
		return v.reg[r.Kit]
	}
	return nil
}

// on is a resource on a node as the engine sees it; nil when it does not know it.
func (v *view) on(t hierarchy.Tag, node string) *api.InstanceStatus {
	if r := v.res[t]; r != nil {
		for i := range r.On {
			if r.On[i].Server == node {
				return &r.On[i]
			}
		}
	}
	return nil
}

func (v *view) inService(t hierarchy.Tag, node string) bool {
	i := v.on(t, node)
	return i != nil && i.State.InService()
}

// holders are the nodes that hold any of these.
func (v *view) holders(tags []hierarchy.Tag) []string {
	var out []string
	for _, t := range tags {
		r := v.res[t]
		if r == nil {
			continue
		}
		for _, n := range []string{r.Holder, r.Active} {
			if n != "" && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
	}
	return out
}

// unclaimed are the nodes on which something of these runs that they do not hold.
func (v *view) unclaimed(tags []hierarchy.Tag) []string {
	var out []string
	for _, t := range tags {
		r := v.res[t]
		if r == nil || r.Holder != "" {
			continue
		}
		for _, i := range r.On {
			if i.State == hierarchy.ILLSTATE && i.Reason.Code == runsUnclaimed && !slices.Contains(out, i.Server) {
				out = append(out, i.Server)
			}
		}
	}
	return out
}

// runsUnclaimed is the policy's code for a resource that runs where nobody holds it; heldDual its code for
// claims that cannot be ordered.
const (
	runsUnclaimed = "state-unclaimed"
	heldDual      = "held-dual"
)

func (v *view) dual(tags []hierarchy.Tag) *kits.Reason {
	return v.heldFor(tags, func(code string) bool { return code == heldDual })
}

// held is why automation leaves any of these alone.
func (v *view) held(tags []hierarchy.Tag) *kits.Reason {
	return v.heldFor(tags, func(string) bool { return true })
}

func (v *view) heldFor(tags []hierarchy.Tag, is func(code string) bool) *kits.Reason {
	for _, t := range tags {
		if r := v.res[t]; r != nil {
			for i := range r.On {
				if why := r.On[i].HeldWhy; why.Code != "" && is(why.Code) {
					return &why
				}
			}
		}
	}
	return nil
}

// running is the operation that works on any of these.
func (v *view) running(tags []hierarchy.Tag) *api.Operation {
	id := v.x.HierarchyID(tags[0])
	for i := range v.s.Running {
		if v.x.HierarchyID(v.s.Running[i].Plan.Goal.Tag) == id {
			return &v.s.Running[i]
		}
	}
	return nil
}

// asked is the id of a question about any of these.
func (v *view) asked(tags []hierarchy.Tag) string {
	for _, q := range v.s.Questions {
		if q.State == policy.Pending && slices.Contains(tags, q.Tag) {
			return q.ID
		}
	}
	return ""
}

// unclear is the first of these whose state on the node is not known.
func (v *view) unclear(tags []hierarchy.Tag, node string) hierarchy.Tag {
	for _, t := range tags {
		if i := v.on(t, node); i == nil || i.State == hierarchy.ILLSTATE && i.Reason.Code != runsUnclaimed {
			return t
		}
	}
	return ""
}

// verdict on a node; one that the engine has not heard of is unknown.
func (v *view) verdict(node string) policy.Verdict {
	if n := v.nodes[node]; n != nil {
		return n.Verdict
	}
	return policy.Unknown
}

// lost: nothing can be started there. Unknown is not lost.
func (v *view) lost(node string) bool {
	switch v.verdict(node) {
	case policy.Dead, policy.Presumed, policy.Hung:
		return true
	}
	return false
}

// next is the next server by priority that is there, in the same region.
func (v *view) next(t hierarchy.Tag, after string) string {
	for _, p := range v.x.PlacementsByPriority(t) {
		known := v.verdict(p.Server)
		if p.Server != after && v.x.SameRegion(p.Server, after) && (known == policy.Alive || known == policy.Degraded) {
			return p.Server
		}
	}
	return ""
}

// recorded tells that a resource that keeps a record has one: it was in service before.
func (v *view) recorded(t hierarchy.Tag) bool {
	r := v.res[t]
	return r != nil && r.Data != nil && !r.Data.Recorded.IsZero()
}

// sourceless is the first of these whose data has no source yet.
func (v *view) sourceless(tags []hierarchy.Tag) hierarchy.Tag {
	for _, t := range tags {
		if _, overwrites := v.kit(t).(kits.Overwriter); overwrites && !v.recorded(t) {
			return t
		}
	}
	return ""
}

// lastHolder is where replicated data among these was in service last; empty without such.
func (v *view) lastHolder(tags []hierarchy.Tag) string {
	for _, t := range tags {
		k := v.kit(t)
		if k == nil || !k.Traits().Replicated || !v.recorded(t) {
			continue
		}
		if c := v.res[t].Claim; c != nil && v.x.Placement(t, c.Node) != nil {
			return c.Node
		}
	}
	return ""
}
