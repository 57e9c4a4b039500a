package engine

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/runner"
	"github.com/ferry-ha/ferry/engine/store"
	"github.com/ferry-ha/ferry/kits"
)

// snapshot copies what people see out of the world. Loop only.
func (e *Engine) snapshot(now time.Time) *api.Snapshot {
	x := e.index.Load()
	s := &api.Snapshot{
		Version: api.Version, At: now, Revision: e.feed.revision(), Estate: x.Estate(),
		Engine: api.EngineInfo{ID: e.id, Who: e.opts.Who, Epoch: e.epoch(), Since: e.since,
			Automation: e.opts.Automation && e.lost.Load() == nil && e.stranger() == nil, Version: e.opts.Version, Notice: e.noticeText()},
	}
	if x.Estate().Name == "" {
		s.Estate = nil // nothing was applied yet
	}
	for i := range x.Estate().Servers {
		s.Nodes = append(s.Nodes, e.nodeStatus(x, &x.Estate().Servers[i]))
	}
	for i := range x.Estate().Res {
		s.Resources = append(s.Resources, e.resourceStatus(x, &x.Estate().Res[i]))
	}
	for _, id := range slices.Sorted(maps.Keys(e.world.Questions)) {
		s.Questions = append(s.Questions, *e.world.Questions[id])
	}
	for _, op := range e.operations(0) {
		if op.Outcome == policy.OpRunning {
			s.Running = append(s.Running, op)
		}
	}
	s.Holds = e.holds()
	return s
}

func (e *Engine) nodeStatus(x *hierarchy.Index, srv *hierarchy.Server) api.NodeStatus {
	st := api.NodeStatus{Name: srv.Name, Region: srv.Region, Zone: srv.Zone, Verdict: policy.Unknown}
	if c := x.ClusterOf(srv.Name); c != nil {
		st.Cluster = c.Name
	}
	n := e.world.Nodes[srv.Name]
	if n == nil {
		return st
	}
	st.Verdict, st.Since, st.Seen = n.Verdict, n.Since, n.Seen
	st.Copy = e.copies.age(srv.Name)
	st.Evidence = slices.Clone(n.Evidence)
	if err := e.fleet.Trouble(srv.Name); err != nil && n.Missed > 0 {
		st.Evidence = append(st.Evidence, kits.Why("evidence-heartbeat", "The last heartbeat: "+err.Error(), "node", srv.Name, "error", err.Error()))
	}
	for peer, sight := range n.Sights {
		if st.Peers == nil {
			st.Peers = map[string]string{}
		}
		st.Peers[peer] = sight.Reach.String()
	}
	return st
}

func (e *Engine) resourceStatus(x *hierarchy.Index, r *hierarchy.Resource) api.ResourceStatus {
	st := api.ResourceStatus{Tag: r.Tag, Kit: r.Kit, Cluster: r.Cluster, Children: r.Children, Active: e.active(r.Tag), Holder: e.world.Active(r.Tag)}
	if c, ok := e.world.Claims[r.Tag]; ok {
		st.Claim = &c
	}
	for _, p := range x.PlacementsByPriority(r.Tag) {
		is := api.InstanceStatus{Server: p.Server, Priority: p.Priority, State: hierarchy.ILLSTATE, Address: p.Attrs["address"]}
		if in := e.world.Instances[refOf(r.Tag, p.Server)]; in != nil {
			is.State, is.Reason, is.Since, is.Checked = in.State, in.Reason, in.Since, in.Checked
			is.Details = maps.Clone(in.Details)
			if in.Held != nil {
				is.Held, is.HeldWhy = in.Held.Text, *in.Held
			}
		}
		st.On = append(st.On, is)
	}
	if k := e.keepers[r.Tag]; k != nil {
		st.Data = k.status()
	}
	return st
}

// operations are the newest operations first; limit 0 = all. Loop only.
func (e *Engine) operations(limit int) []api.Operation {
	ops := slices.Collect(maps.Values(e.world.Ops))
	slices.SortFunc(ops, func(a, b *policy.Op) int {
		if c := b.Began.Compare(a.Began); c != 0 {
			return c
		}
		return strings.Compare(b.ID, a.ID)
	})
	if limit > 0 && len(ops) > limit {
		ops = ops[:limit]
	}
	out := make([]api.Operation, 0, len(ops))
	for _, op := range ops {
		out = append(out, e.operation(op))
	}
	return out
}

// operation joins the policy's view of an operation with the runner's journal. Loop only.
func (e *Engine) operation(op *policy.Op) api.Operation {
	out := api.Operation{Op: *op}
	j := e.journals[op.ID]
	if j == nil {
		j = &runner.Journal{}
	}
	for _, s := range op.Plan.Steps {
		out.Steps = append(out.Steps, stepStatus(s.ID, j.Steps[s.ID]))
	}
	if j.Undo != nil {
		for _, s := range j.Undo.Steps {
			out.Steps = append(out.Steps, stepStatus(s.ID, j.UndoSteps[s.ID]))
		}
	}
	return out
}

func stepStatus(id string, en runner.Entry) api.StepStatus {
	st := api.StepStatus{ID: id, Status: string(en.Status), Began: en.Began, Ended: en.Ended, Report: en.Report}
	if st.Status == "" {
		st.Status = "waiting"
	}
	return st
}

func (e *Engine) setNotice(text string) { e.notice.Store(&text) }

func (e *Engine) noticeText() string {
	if p := e.notice.Load(); p != nil && *p != "" {
		return *p
	}
	if n, ok := e.opts.Store.(store.Notices); ok && n.Notice() != "" {
		return n.Notice()
	}
	return e.leadNotice()
}
