package policy

import (
	"fmt"
	"slices"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// suppose finds which node every resource is in service on in an imagined situation: what
// a resource needs is where that is. The error tells what the situation got wrong.
func suppose(x *hierarchy.Index, reg kits.Registry, im Imagined) (map[hierarchy.Tag]string, error) {
	active := make(map[hierarchy.Tag]string, len(im.Active))
	for _, t := range sorted(im.Active) {
		node := im.Active[t]
		if x.Resource(t) == nil {
			return nil, fmt.Errorf("there is no resource %s in this estate", t)
		}
		for _, c := range append(x.Descendants(t), t) {
			if x.Placement(c, node) == nil {
				return nil, fmt.Errorf("%s is not extended to %s", c, node)
			}
			if at := active[c]; at != "" && at != node {
				return nil, fmt.Errorf("%s cannot be in service on %s and on %s", c, at, node)
			}
			active[c] = node
		}
	}
	named := slices.Concat(im.FailNodes, im.FailQuorum, im.Beyond)
	for _, c := range im.Cut {
		named = append(named, c[0], c[1])
	}
	for _, n := range named {
		if x.Server(n) == nil {
			return nil, fmt.Errorf("there is no node %s in this estate", n)
		}
	}
	for _, r := range im.FailResources {
		if active[r.Tag] != r.Node && !(active[r.Tag] != "" && x.Placement(r.Tag, r.Node) != nil && checksStandby(reg, x.Resource(r.Tag))) {
			return nil, fmt.Errorf("%s is not in service on %s in this situation, so it cannot fail there", r.Tag, r.Node)
		}
	}
	return active, nil
}

// concerned is the estate with nothing but the hierarchies that the failures concern:
// those that a lost node holds something of, those of which something fails, and those
// that carry a path, because verdicts rest on them. With the others all is well before
// and after; they would decide nothing, and nothing that is decided looks at them.
func concerned(x *hierarchy.Index, reg kits.Registry, active map[hierarchy.Tag]string, im Imagined) *hierarchy.Index {
	e := x.Estate()
	in := map[int]bool{}
	for t, node := range active {
		apart := slices.ContainsFunc(im.Cut, func(c [2]string) bool { return c[0] == node || c[1] == node })
		if im.CloudSilent || apart || slices.Contains(im.FailNodes, node) || slices.Contains(im.Beyond, node) {
			in[x.HierarchyID(t)] = true
		}
	}
	for _, r := range im.FailResources {
		in[x.HierarchyID(r.Tag)] = true
	}
	for _, p := range e.Paths {
		for _, via := range p.Via.Tags() {
			in[x.HierarchyID(via)] = true
		}
	}
	for i := range e.Res {
		if _, carries := reg[e.Res[i].Kit].(kits.Carrier); carries {
			in[x.HierarchyID(e.Res[i].Tag)] = true
		}
	}
	part := *e
	part.Res = make([]hierarchy.Resource, 0, len(in))
	for i := range e.Res {
		if in[x.HierarchyID(e.Res[i].Tag)] {
			part.Res = append(part.Res, e.Res[i])
		}
	}
	if len(part.Res) == len(e.Res) {
		return x
	}
	return hierarchy.NewIndexFor(&part, reg)
}

// longSince is how long everything has been where it is when an imagined story begins: what
// carries paths must have been steady.
const longSince = time.Hour

// settle puts the situation in force, as if long since: every node was heard twice,
// before there was anything on it, the claims stand, and every resource was looked at and
// found as it should be. Nothing is judged: where all is well, nothing would come of it.
func (m *simulation) settle(x, part *hierarchy.Index, active map[hierarchy.Tag]string) {
	bare := *x.Estate()
	bare.Res = nil
	m.w.define(&bare)
	for range 2 {
		m.beats()
	}
	m.w.defineOn(part)
	for i := range part.Estate().Res {
		if t := part.Estate().Res[i].Tag; active[t] != "" {
			m.w.Claims[t] = hierarchy.Claim{Number: 1, Node: active[t], At: m.now.Add(-longSince)}
		}
	}
	for i := range part.Estate().Res {
		m.found(part.Estate().Res[i].Tag)
	}
}

// found lets a resource have been looked at on all its nodes, and been in service on the
// one that holds it only.
func (m *simulation) found(t hierarchy.Tag) {
	machine := m.w.checksStandby(t) // what such a check means is not told here twice
	for k, p := range m.w.x.PlacementsByPriority(t) {
		it := m.w.on[t][k]
		held := m.w.Claims[t].Node == p.Server
		rep := kits.Report{Outcome: kits.OK, Presence: kits.Absent}
		state, since := hierarchy.OSU, m.now
		if held {
			rep.Presence, state, since = kits.Present, hierarchy.ISP, time.Time{}
		}
		if machine {
			(&step{World: m.w, now: m.now, touched: map[int]struct{}{}}).apply(Checked{Ref: hierarchy.Ref{Tag: t, Node: p.Server}, Report: rep})
		}
		it.Asked, it.Checked, it.fresh, it.known = m.now, m.now, true, true
		it.State, it.Since, it.Reason = state, since, kits.Reason{}
		if !machine {
			it.presence = rep.Presence
		}
	}
}
