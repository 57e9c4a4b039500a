package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// keeper is an engine as commands see it that change the definition: the one in force
// is the file FERRY_FAKE_ESTATE, read and written for real. Resources are in service
// on their best server, but for those in FERRY_FAKE_OFF; FERRY_FAKE_RIVAL is how often
// somebody else changes the definition right before us.
type keeper struct {
	*fake
	file string
	reg  kits.Registry
	held []api.HoldStatus
}

func keep(f *fake, file string, reg kits.Registry) *keeper {
	return &keeper{fake: f, file: file, reg: reg}
}

func (k *keeper) Export(context.Context) (*hierarchy.Estate, error) {
	return config.LoadFile(k.file, k.reg)
}

func (k *keeper) write(e *hierarchy.Estate) error {
	return os.WriteFile(k.file, config.Export(e, k.reg), 0o600)
}

func (k *keeper) Snapshot(ctx context.Context) (*api.Snapshot, error) {
	if err := k.broken(ctx, "Snapshot"); err != nil {
		return nil, err
	}
	e, err := k.Export(ctx)
	if err != nil {
		return nil, err
	}
	s := &api.Snapshot{Version: api.Version, At: clock, Revision: 41, Estate: e, Holds: k.held,
		Engine: calm().Engine}
	for _, n := range e.Servers {
		st := api.NodeStatus{Name: n.Name, Region: n.Region, Zone: n.Zone, Verdict: policy.Alive, Since: ago(3 * 3600e9), Seen: ago(2e9)}
		if c := e.ClusterOf(n.Name); c != nil {
			st.Cluster = c.Name
		}
		s.Nodes = append(s.Nodes, st)
	}
	x := hierarchy.NewIndex(e)
	for _, r := range e.Res {
		s.Resources = append(s.Resources, k.status(x, &r))
	}
	return s, nil
}

func (k *keeper) off(t hierarchy.Tag) bool {
	return strings.Contains(","+k.getenv("FERRY_FAKE_OFF")+",", ","+t.Short()+",")
}

func (k *keeper) status(x *hierarchy.Index, r *hierarchy.Resource) api.ResourceStatus {
	st := api.ResourceStatus{Tag: r.Tag, Kit: r.Kit, Cluster: r.Cluster, Children: r.Children}
	for i, p := range x.PlacementsByPriority(r.Tag) {
		in := api.InstanceStatus{Server: p.Server, Priority: p.Priority, State: hierarchy.OSU, Since: ago(3 * 3600e9), Checked: ago(42e9)}
		if i == 0 && !k.off(r.Tag) {
			in.State, st.Active = hierarchy.ISP, p.Server
		}
		st.On = append(st.On, in)
	}
	return st
}

// Apply is what engine.Apply does, without an engine's running state but for what is
// in service.
func (k *keeper) Apply(ctx context.Context, a api.Apply) (*api.Applied, error) {
	k.log("apply dry=%v abandon=%v", a.DryRun, a.Abandon)
	if err := k.broken(ctx, "Apply"); err != nil {
		return nil, err
	}
	if !a.DryRun {
		if err := k.rival(ctx); err != nil {
			return nil, err
		}
	}
	now, err := k.Export(ctx)
	if err != nil {
		return nil, err
	}
	if a.Base != hierarchy.Digest(now) {
		return nil, &api.Error{Kind: api.KindBusy, Code: api.DefinitionChanged, Message: "somebody else changed the definition meanwhile; nothing was changed"}
	}
	if ps := hierarchy.Validate(a.Estate, k.reg); len(ps) > 0 {
		return nil, &api.Error{Kind: api.KindConfig, Message: fmt.Sprint(ps)}
	}
	next := hierarchy.NewIndex(a.Estate)
	s, _ := k.Snapshot(ctx)
	for _, r := range s.Resources {
		if gone := next.Resource(r.Tag) == nil; r.Active != "" && next.Placement(r.Tag, r.Active) == nil && !(gone && a.Abandon) {
			return nil, &api.Error{Kind: api.KindUnsafe, Message: fmt.Sprintf("%s is in service on %s; it cannot be removed there", r.Tag, r.Active),
				Hint: "take it out of service first: `ferry out-of-service " + r.Tag.Short() + "`"}
		}
	}
	out := &api.Applied{}
	for _, c := range hierarchy.Diff(now, a.Estate) {
		out.Changes = append(out.Changes, api.Change{Op: c.Op, What: c.What, From: c.From, To: c.To, Note: c.Note})
	}
	if a.DryRun {
		return out, nil
	}
	return out, k.write(a.Estate)
}

// rival changes the definition, as often as FERRY_FAKE_RIVAL says; the count is kept
// beside the definition.
func (k *keeper) rival(ctx context.Context) error {
	done, _ := os.ReadFile(k.file + ".rival")
	if limit := k.getenv("FERRY_FAKE_RIVAL"); limit == "" || fmt.Sprint(bytes.Count(done, []byte("x"))) >= limit {
		return nil
	}
	e, err := k.Export(ctx)
	if err != nil {
		return err
	}
	if e.Tuning == nil {
		e.Tuning = map[string]string{}
	}
	e.Tuning["LCMNUMHBEATS"] = fmt.Sprint(10 + len(done))
	if err := os.WriteFile(k.file+".rival", append(done, 'x'), 0o600); err != nil {
		return err
	}
	return k.write(e)
}

func (k *keeper) SetHold(ctx context.Context, h api.Hold) error {
	k.log("hold %q until=%s why=%q", h.Scope, h.Until.Format("15:04:05"), h.Why)
	k.held = nil
	if !h.Until.IsZero() {
		k.held = []api.HoldStatus{{Scope: h.Scope, Since: clock, Until: h.Until, By: "ann", Why: h.Why}}
	}
	return k.broken(ctx, "SetHold")
}

func (k *keeper) Choices(ctx context.Context, kit, field, node string, _ map[string]string) ([]string, error) {
	k.log("choices %s %s %s", kit, field, node)
	switch field {
	case "interface":
	case "connection":
		return []string{"vpn1", "office"}, k.broken(ctx, "Choices")
	default:
		return nil, k.broken(ctx, "Choices")
	}
	return []string{"eth0", "eth1", "日本\x1b[31m"}, k.broken(ctx, "Choices")
}

// Children answers for every server with a route to the Standby Region, and for those in
// FERRY_FAKE_FEWER with one network less; those in FERRY_FAKE_DOWN may not take it.
func (k *keeper) Children(ctx context.Context, p api.Prospect) ([]api.Found, error) {
	k.log("children %s %s %v", p.Kit, p.Tag, p.On)
	named := func(env, server string) bool { return strings.Contains(","+k.getenv(env)+",", ","+server+",") }
	var out []api.Found
	for _, server := range slices.Sorted(maps.Keys(p.On)) {
		f := api.Found{Server: server, Eligible: kits.Eligibility{Outcome: kits.OK}}
		to := "172.16.0.0/16,10.2.0.0/16"
		if named("FERRY_FAKE_FEWER", server) {
			to = "172.16.0.0/16"
		}
		if named("FERRY_FAKE_DOWN", server) {
			f.Eligible = kits.Eligibility{Outcome: kits.Failed, Reason: kits.Why("openswan.tunnel-down", "the daemon on "+server+" says that the tunnel is not up", "node", server)}
		}
		f.Children = []api.Child{{Kit: "ec2", Tag: "ec2-" + strings.TrimPrefix(p.Tag.Short(), "openswan-"), Attrs: map[string]string{"type": "route-table", "destinations": to}}}
		out = append(out, f)
	}
	return out, k.broken(ctx, "Children")
}
