package hierarchy

// The lookups of this file walk the definition. They are for code that asks once;
// whoever asks often makes an Index.

// Resource finds a resource by a full tag, or by a short one when only one cluster
// uses it. The error is a *NoSuchError.
func (e *Estate) Resource(name string) (*Resource, error) { return NewIndex(e).Find(name) }

// Server finds a server by name; nil when there is none.
func (e *Estate) Server(name string) *Server {
	for i := range e.Servers {
		if e.Servers[i].Name == name {
			return &e.Servers[i]
		}
	}
	return nil
}

// Region finds a region by name; nil when there is none.
func (e *Estate) Region(name string) *Region {
	for i := range e.Regions {
		if e.Regions[i].Name == name {
			return &e.Regions[i]
		}
	}
	return nil
}

// ClusterOf finds the cluster that a server belongs to; nil when it is in none.
func (e *Estate) ClusterOf(server string) *Cluster {
	for i := range e.Cluster {
		for _, s := range e.Cluster[i].Servers {
			if s == server {
				return &e.Cluster[i]
			}
		}
	}
	return nil
}

// Placement is a resource's place on a server; nil when it is not extended there.
func (r *Resource) Placement(server string) *Placement {
	for i := range r.On {
		if r.On[i].Server == server {
			return &r.On[i]
		}
	}
	return nil
}
