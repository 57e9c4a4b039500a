package doctor

import (
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// Touched are the servers to which a change of the definition takes a resource, and the
// kits of what comes there; of those servers, only ones that the old definition has. Both
// are sorted.
func Touched(old, next *hierarchy.Estate) (servers, kits []string) {
	if old == nil || next == nil {
		return nil, nil
	}
	was := hierarchy.NewIndex(old)
	for i := range next.Res {
		r := &next.Res[i]
		before := was.Resource(r.Tag)
		for _, p := range r.On {
			is := func(q hierarchy.Placement) bool { return q.Server == p.Server }
			if before != nil && slices.ContainsFunc(before.On, is) {
				continue
			}
			kits = append(kits, r.Kit)
			if was.Server(p.Server) != nil {
				servers = append(servers, p.Server)
			}
		}
	}
	slices.Sort(servers)
	slices.Sort(kits)
	return slices.Compact(servers), slices.Compact(kits)
}

// Obstacles are the findings that speak against taking resources of some kits somewhere:
// what failed and what could not be found out, as far as it may concern these kits.
func Obstacles(all []Finding, kits []string) []Finding {
	var out []Finding
	for _, f := range all {
		if (f.Verdict == Fail || f.Verdict == Unknown) && concerns(f.Check, kits) {
			out = append(out, f)
		}
	}
	return out
}

// concerns tells whether a check says something about resources of some kits. A check that
// is not known to be another kit's alone concerns all.
func concerns(check string, kits []string) bool {
	if kit, ok := strings.CutPrefix(check, "kit."); ok {
		return slices.Contains(kits, kit)
	}
	for _, own := range []struct {
		check string // whole, or its beginning up to a dot or a dash
		kits  []string
	}{
		{"vpn", []string{"openswan"}}, {"same.ipsec", []string{"openswan"}}, {"aws.groups-vpn", []string{"openswan"}}, {"aws.acls-vpn", []string{"openswan"}},
		{"mirror", []string{"datakeeper"}}, {"same.mirror", []string{"datakeeper"}}, {"aws.groups-mirror", []string{"datakeeper"}}, {"aws.acls-mirror", []string{"datakeeper"}},
		{"node.modules", []string{"datakeeper", "openswan"}},
		{"app", []string{"app"}}, {"same.scripts", []string{"app"}},
		{"same.postgresql", []string{"postgresql"}}, {"same.libc", []string{"postgresql"}}, {"same.oracle", []string{"oracle", "listener"}},
		{"aws.groups-service", []string{"postgresql", "oracle", "listener"}},
		{"aws.zone", []string{"route53"}}, {"aws.record", []string{"route53"}},
	} {
		if check == own.check || strings.HasPrefix(check, own.check+".") || strings.HasPrefix(check, own.check+"-") {
			return slices.ContainsFunc(own.kits, func(k string) bool { return slices.Contains(kits, k) })
		}
	}
	return true
}
