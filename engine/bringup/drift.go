package bringup

import (
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
)

// Kind of a finding.
type Kind string

// The kinds.
const (
	// Differs: reality is not as the definition has it.
	Differs Kind = "differs"
	// NotKnown: whether it is, is not known.
	NotKnown Kind = "unknown"
	// Note: it is right, and worth knowing.
	Note Kind = "note"
)

// Finding is one difference between the definition and what the engine sees.
type Finding struct {
	Kind Kind `json:"kind"`
	// What is concerned: "node LK_P_B", "service/pg-15 on LK_P_A".
	What   string      `json:"what"`
	Reason kits.Reason `json:"reason"`
	// Next is what a person can do, as the words of a command line.
	Next []string `json:"next,omitempty"`
}

// Drift lists where reality differs from the definition in force, as far as heartbeats and checks know it:
// nodes first, then hierarchies as a whole, then what is wrong with single resources, copies of data, and
// what waits for a person. A hierarchy that is in service on another node than its first is as it should be.
func Drift(x *hierarchy.Index, reg kits.Registry, s *api.Snapshot) []Finding {
	d := &drift{view: look(x, reg, s)}
	for _, srv := range x.Estate().Servers {
		d.node(srv.Name)
	}
	for _, w := range Make(x, reg, s) {
		d.work(w)
	}
	for _, tags := range x.Hierarchies() {
		for _, t := range tags {
			d.resource(t)
		}
	}
	d.people()
	return d.out
}

type drift struct {
	*view
	out []Finding
}

func (d *drift) add(k Kind, what string, r kits.Reason, next ...string) {
	d.out = append(d.out, Finding{Kind: k, What: what, Reason: r, Next: next})
}

func (d *drift) node(name string) {
	n := d.nodes[name]
	switch {
	case n == nil || n.Verdict == policy.Unknown:
		d.add(NotKnown, "node "+name, d.evidence(n, "whether it is there is not known"))
	case n.Verdict != policy.Alive:
		d.add(Differs, "node "+name, d.evidence(n, "it is "+string(n.Verdict)))
	}
}

// evidence is why a node is taken for what it is.
func (d *drift) evidence(n *api.NodeStatus, text string) kits.Reason {
	var args []string
	if n != nil {
		args = []string{"verdict", string(n.Verdict)}
		var said []string
		for _, e := range n.Evidence {
			said = append(said, strings.TrimSuffix(e.Text, "."))
		}
		if len(said) > 0 {
			text += ": " + strings.Join(said, "; ")
		}
	}
	return why("node", text, args...)
}

func (d *drift) work(w Work) {
	what := names(w.Roots)
	switch w.State {
	case Done:
		if first := d.x.PlacementsByPriority(w.Roots[0]); len(first) > 0 && first[0].Server != w.Node {
			d.add(Note, what, why("not-first", "it is in service on "+w.Node+"; the first by priority is "+first[0].Server, "node", w.Node, "first", first[0].Server))
		}
	case Todo:
		d.add(Differs, what, why("not-in-service", "not in service: "+names(w.Missing), "missing", names(w.Missing)), w.Commands[0]...)
	case Busy:
		d.add(Note, what, w.Reason, "ferry", "operations", w.Operation)
	case Unknown:
		d.add(NotKnown, what, w.Reason)
	case Blocked:
		d.add(Differs, what, w.Reason, w.Next...)
	}
}

func names(tags []hierarchy.Tag) string {
	all := make([]string, len(tags))
	for i, t := range tags {
		all[i] = string(t)
	}
	return strings.Join(all, ", ")
}

// resource tells what checks say of it where it is in service, and where it should not be or should be ready.
func (d *drift) resource(t hierarchy.Tag) {
	r := d.res[t]
	if r == nil {
		return
	}
	if r.Data != nil {
		d.data(r)
	}
	for _, i := range r.On {
		what, serves := string(t)+" on "+i.Server, r.Holder == i.Server || r.Active == i.Server
		switch {
		case i.State == hierarchy.ISU && r.Data != nil && i.Reason.Code == r.Data.Impaired.Code: // told with its data
		case i.State == hierarchy.ISU, i.State == hierarchy.OSF:
			d.add(Differs, what, i.Reason)
		case i.State == hierarchy.ILLSTATE && i.Reason.Code == runsUnclaimed:
			d.add(Differs, what, i.Reason)
		case i.State == hierarchy.ILLSTATE:
			d.add(NotKnown, what, unknownState(i))
		case i.State == hierarchy.OSU && serves:
			d.add(Differs, what, why("out-of-service", "it is out of service where it should be in service"))
		}
		if i.Held != "" {
			d.add(Differs, what, why("held", "automation leaves it alone: "+i.Held), inService(t, i.Server)...)
		}
	}
}

func unknownState(i api.InstanceStatus) kits.Reason {
	if i.Reason.Code != "" {
		return i.Reason
	}
	return why("unchecked", "its state is not known")
}

func (d *drift) data(r *api.ResourceStatus) {
	if r.Data.Doubtful {
		d.add(Differs, string(r.Tag), why("doubtful", "the record of its copies is in doubt"), "ferry", "resource", "show", string(r.Tag))
	}
	if r.Data.Impaired.Code != "" && (r.Holder != "" || r.Active != "") {
		d.add(Differs, string(r.Tag), r.Data.Impaired, "ferry", "resource", "show", string(r.Tag))
	}
}

// people lists what somebody decided, or has to decide.
func (d *drift) people() {
	for _, q := range d.s.Questions {
		if q.State == policy.Pending {
			d.add(Differs, string(q.Tag), why("question", "question "+q.ID+" about it waits for an answer", "question", q.ID), "ferry", "confirm", "list")
		}
	}
	for _, h := range d.s.Holds {
		what := h.Scope
		if what == "" {
			what = "the whole estate"
		}
		d.add(Note, what, why("hold", "automation is held by "+h.By, "by", h.By), "ferry", "hold", "list")
	}
}

// Agrees tells that nothing differs and nothing is unknown.
func Agrees(fs []Finding) bool {
	return !slices.ContainsFunc(fs, func(f Finding) bool { return f.Kind != Note })
}
