package hierarchy

// Flag is the row in force for {viewer, peer}: what holds on viewer before it takes
// over from peer. A row that is written down wins; without one, two servers of
// one cluster in different regions ask for a confirmation, so that servers added
// later are covered from the start.
func (x *Index) Flag(viewer, peer string) Flag {
	if f, ok := x.flags[pair{viewer, peer}]; ok {
		return f
	}
	return Flag{Viewer: viewer, Peer: peer, Confirm: viewer != peer && !x.SameRegion(viewer, peer)}
}

// FlagMatrix is the full form of a cluster: for each server one row per server,
// itself included, in the cluster's order.
func (x *Index) FlagMatrix(cluster string) []Flag {
	c := x.clusters[cluster]
	if c == nil {
		return nil
	}
	rows := make([]Flag, 0, len(c.Servers)*len(c.Servers))
	for _, viewer := range c.Servers {
		for _, peer := range c.Servers {
			rows = append(rows, x.Flag(viewer, peer))
		}
	}
	return rows
}
