package edit

import (
	"slices"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// SetFlag changes one row of the form that each server has: what holds on Viewer
// before it takes over from Peer. Nil leaves a box as it is.
type SetFlag struct {
	Viewer, Peer   string
	Confirm, Block *bool
}

// String says the wish.
func (s SetFlag) String() string { return "set the flags on " + s.Viewer + " for " + s.Peer }

func (s SetFlag) change(d *draft) error {
	for _, name := range []string{s.Viewer, s.Peer} {
		if _, err := d.server(name); err != nil {
			return err
		}
	}
	if a, b := d.e.ClusterOf(s.Viewer), d.e.ClusterOf(s.Peer); a == nil || a != b {
		return refused("flags hold between servers of one cluster", "%s and %s share no cluster", s.Viewer, s.Peer)
	}
	was := d.index().Flag(s.Viewer, s.Peer)
	row := was
	if s.Confirm != nil {
		row.Confirm = *s.Confirm
	}
	if s.Block != nil {
		row.Block = *s.Block
	}
	if row == was {
		return nil // what holds already, written down or not
	}
	d.e.Flags = append(slices.DeleteFunc(d.e.Flags, func(f hierarchy.Flag) bool {
		return f.Viewer == s.Viewer && f.Peer == s.Peer
	}), row)
	return nil
}

// SetShutdown sets a server's shutdown strategy: whether its resources switch over
// when it is shut down in good order.
type SetShutdown struct {
	Server     string
	SwitchOver bool
}

// String says the wish.
func (s SetShutdown) String() string { return "set the shutdown strategy of " + s.Server }

func (s SetShutdown) change(d *draft) error {
	srv, err := d.server(s.Server)
	if err != nil {
		return err
	}
	srv.SwitchOnShutdown = s.SwitchOver
	return nil
}

// SetTuning changes one tuning name, for all servers or for one. An empty value
// takes it away, so that what is below holds again.
type SetTuning struct{ Server, Name, Value string }

// String says the wish.
func (s SetTuning) String() string { return "set " + s.Name }

func (s SetTuning) change(d *draft) error {
	row, ok := hierarchy.TuningFor(s.Name, d.reg)
	if !ok {
		var known []string
		for _, t := range hierarchy.Tunings(d.reg) {
			known = append(known, t.Name)
		}
		return noSuch("tuning name", s.Name, known)
	}
	where := &d.e.Tuning
	if s.Server != "" {
		srv, err := d.server(s.Server)
		if err != nil {
			return err
		}
		where = &srv.Tuning
	}
	if s.Value == "" {
		delete(*where, s.Name)
		return nil
	}
	fixed, err := row.Fix(s.Value)
	if err != nil {
		return wrong("the default is "+row.Default+": "+row.Help, "%s: %v", s.Name, err)
	}
	if *where == nil {
		*where = map[string]string{}
	}
	(*where)[s.Name] = fixed
	if s.Server == "" {
		for i := range d.e.Servers {
			if own, there := d.e.Servers[i].Tuning[s.Name]; there && own != fixed {
				d.note("%s keeps its own %s: %s", d.e.Servers[i].Name, s.Name, own)
			}
		}
	}
	return nil
}

// Value is a tuning name with what is in force, and why.
type Value struct {
	hierarchy.Tuning
	Value string
	// From says who set it: "default", "all servers", "server NAME", "cluster NAME", or
	// "cluster's shape" for a quorum mode that nobody set.
	From string
}

// Values are all tuning values in force on a server, in the table's order; for an
// empty server, what holds for all.
func Values(x *hierarchy.Index, table []hierarchy.Tuning, server string) []Value {
	out := make([]Value, len(table))
	for i, t := range table {
		out[i] = Value{Tuning: t, Value: x.Effective(server, t.Name), From: from(x, server, t.Name)}
	}
	return out
}

// from follows the layers that hierarchy.Index lays over each other, the last first.
func from(x *hierarchy.Index, server, name string) string {
	if s := x.Server(server); s != nil {
		if _, own := s.Tuning[name]; own {
			return "server " + server
		}
		cl := x.ClusterOf(server)
		if cl != nil && (name == hierarchy.QuorumMode && cl.QuorumMode != "" || name == hierarchy.QuorumHosts && len(cl.QuorumHosts) > 0) {
			return "cluster " + cl.Name
		}
	}
	if _, all := x.Estate().Tuning[name]; all {
		return "all servers"
	}
	if name == hierarchy.QuorumMode && server != "" {
		return "cluster's shape"
	}
	return "default"
}
