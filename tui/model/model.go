// Package model is an estate as the console looks at it: a snapshot with what is asked
// of it again and again found once (who is where, the tree, what waits, what is wrong).
//
// It is pure, and an Estate is never changed after New (what others derive from it can be
// kept with it). Pages compare the pointer to
// know whether what they derived is still right. It decides nothing and draws nothing.
package model

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// Estate is a snapshot with its indexes.
type Estate struct {
	*api.Snapshot
	Index *hierarchy.Index // of the definition; of an empty one before anything was applied
	nodes map[string]*api.NodeStatus
	res   map[hierarchy.Tag]*api.ResourceStatus
	rows  []Row
	loads map[string]*Load
	kept  kept
}

// Row is a line of the tree.
type Row struct {
	Cluster string // set alone: the line that heads a cluster
	Res     *api.ResourceStatus
	// Branch says how the line hangs: for each level above it whether more follows there
	// (a line goes through), the last one being its own: whether a brother follows.
	Branch []bool
	// Again: it is shown with what it needs further up, under another parent.
	Again bool
	// Kids: something hangs below it.
	Kids bool
}

// Empty is an estate of which nothing is known yet.
func Empty() *Estate { return New(&api.Snapshot{}, nil) }

// New indexes a snapshot, which must not change any more.
func New(s *api.Snapshot, reg kits.Registry) *Estate {
	def := s.Estate
	if def == nil {
		def = &hierarchy.Estate{}
	}
	e := &Estate{Snapshot: s, Index: hierarchy.NewIndexFor(def, reg), nodes: map[string]*api.NodeStatus{}, res: map[hierarchy.Tag]*api.ResourceStatus{}}
	for i := range s.Nodes {
		e.nodes[s.Nodes[i].Name] = &s.Nodes[i]
	}
	for i := range s.Resources {
		e.res[s.Resources[i].Tag] = &s.Resources[i]
	}
	e.rows = e.tree()
	e.loads = e.findLoads()
	return e
}

// Known tells whether an engine was heard and has an estate.
func (e *Estate) Known() bool { return e.Snapshot.Estate != nil }

// Name is the estate's name; empty while it is not known.
func (e *Estate) Name() string {
	if e.Snapshot.Estate == nil {
		return ""
	}
	return e.Snapshot.Estate.Name
}

// Node is what is known of a server; nil when there is none of that name.
func (e *Estate) Node(name string) *api.NodeStatus { return e.nodes[name] }

// Res is a resource's status; nil when there is none of that tag.
func (e *Estate) Res(t hierarchy.Tag) *api.ResourceStatus { return e.res[t] }

// Cell is a resource on a server; nil when it is not extended there.
func (e *Estate) Cell(t hierarchy.Tag, server string) *api.InstanceStatus {
	if r := e.res[t]; r != nil {
		for i := range r.On {
			if r.On[i].Server == server {
				return &r.On[i]
			}
		}
	}
	return nil
}

// Rows is the whole tree, cluster by cluster, parents above what they need.
func (e *Estate) Rows() []Row { return e.rows }

// Servers are a cluster's servers in the definition's order.
func (e *Estate) Servers(cluster string) []string {
	if c := e.Index.Cluster(cluster); c != nil {
		return c.Servers
	}
	return nil
}

// Place is a server's region, zone and the zone's letter ("ap-northeast-1a" → "a").
func (e *Estate) Place(server string) (region, zone, letter string) {
	n := e.nodes[server]
	if n == nil {
		return "", "", ""
	}
	return n.Region, n.Zone, cmp.Or(strings.TrimPrefix(n.Zone, n.Region), n.Zone)
}

// Pending are the questions that wait for a person, oldest first.
func (e *Estate) Pending() []policy.Question {
	var out []policy.Question
	for _, q := range e.Questions {
		if q.State == policy.Pending {
			out = append(out, q)
		}
	}
	slices.SortFunc(out, func(a, b policy.Question) int { return a.Asked.Compare(b.Asked) })
	return out
}

// Question finds a question, pending or past.
func (e *Estate) Question(id string) *policy.Question {
	for i := range e.Questions {
		if e.Questions[i].ID == id {
			return &e.Questions[i]
		}
	}
	return nil
}

// RunningOn is the operation under way that moves a resource; nil when there is none.
func (e *Estate) RunningOn(t hierarchy.Tag) *api.Operation {
	for i := range e.Running {
		if slices.Contains(e.Running[i].Plan.Moves, t) {
			return &e.Running[i]
		}
	}
	return nil
}

// Stale tells that something of the resource is in service on a server that does not
// hold its claim.
func Stale(r *api.ResourceStatus, i *api.InstanceStatus) bool {
	return i.State.InService() && r.Claim != nil && r.Claim.Number > 0 && r.Claim.Node != i.Server
}

// HeldOn tells when a hold ends that keeps automation from a resource; zero = there is none.
func (e *Estate) HeldOn(t hierarchy.Tag) (until time.Time) {
	r := e.res[t]
	if r == nil {
		return until
	}
	for _, h := range e.Holds {
		in := h.Scope == "" || h.Scope == r.Cluster || h.Scope == string(t) || h.Scope == Holder(r) ||
			slices.Contains(e.Index.Hierarchy(t), hierarchy.Tag(h.Scope))
		if in && h.Until.After(until) {
			until = h.Until
		}
	}
	return until
}
