package hierarchy

import (
	"cmp"
	"slices"
)

// Normalize gives an equal definition in the one form that config reads and writes,
// so that two definitions can be compared as data: resources and comm paths grouped
// by cluster, placements by priority, flags in the servers' order, the switchback
// type written out, empty lists and maps nil. The argument is not changed.
func Normalize(e *Estate) *Estate {
	n := *e
	clusters, servers := map[string]int{}, map[string]int{}
	for i, c := range e.Cluster {
		putFirst(clusters, c.Name, i)
	}
	for i, s := range e.Servers {
		putFirst(servers, s.Name, i)
	}
	n.Regions, n.Servers, n.Cluster = noEmpty(e.Regions), noEmpty(e.Servers), noEmpty(e.Cluster)
	for i := range n.Regions {
		n.Regions[i].CIDRs, n.Regions[i].RouteTables = noEmpty(n.Regions[i].CIDRs), noEmpty(n.Regions[i].RouteTables)
	}
	for i := range n.Servers {
		n.Servers[i].Tuning = noEmptyMap(n.Servers[i].Tuning)
	}
	for i := range n.Cluster {
		n.Cluster[i].Servers, n.Cluster[i].QuorumHosts = noEmpty(n.Cluster[i].Servers), noEmpty(n.Cluster[i].QuorumHosts)
	}
	n.Tuning = noEmptyMap(e.Tuning)
	n.Paths = noEmpty(e.Paths)
	slices.SortStableFunc(n.Paths, func(a, b CommPath) int { return rankOf(clusters, a.Cluster) - rankOf(clusters, b.Cluster) })
	n.Flags = noEmpty(e.Flags)
	slices.SortStableFunc(n.Flags, func(a, b Flag) int {
		return cmp.Or(rankOf(servers, a.Viewer)-rankOf(servers, b.Viewer), rankOf(servers, a.Peer)-rankOf(servers, b.Peer))
	})
	n.Notify = noEmpty(e.Notify)
	for i := range n.Notify {
		o := &n.Notify[i]
		o.Events, o.Command, o.To = noEmpty(o.Events), noEmpty(o.Command), noEmpty(o.To)
	}
	slices.SortStableFunc(n.Notify, func(a, b Notify) int { return cmp.Compare(a.Name, b.Name) })
	n.Res = noEmpty(e.Res)
	for i := range n.Res {
		n.Res[i] = normalizeResource(n.Res[i])
	}
	slices.SortStableFunc(n.Res, func(a, b Resource) int { return rankOf(clusters, a.Cluster) - rankOf(clusters, b.Cluster) })
	return &n
}

func normalizeResource(r Resource) Resource {
	if r.Switchback == "" {
		r.Switchback = Intelligent
	}
	r.Children, r.Attrs, r.On = noEmpty(r.Children), noEmptyMap(r.Attrs), noEmpty(r.On)
	for i := range r.On {
		r.On[i].Attrs = noEmptyMap(r.On[i].Attrs)
	}
	slices.SortStableFunc(r.On, byPriority)
	return r
}

// rankOf puts what is not defined last.
func rankOf(order map[string]int, name string) int {
	if i, ok := order[name]; ok {
		return i
	}
	return len(order)
}

func noEmpty[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	return slices.Clone(s)
}

func noEmptyMap(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
}
