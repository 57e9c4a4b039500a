package sim

import (
	"fmt"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/sim/r53sim"
)

// DNS is the account's hosted zones as an estate's route53 resources need them: each
// zone that is named, with the record of each host pointing to the virtual IP on the
// best node, as somebody who set it up by hand would have left it. Two accounts of two
// estates do not know each other.
func DNS(e *hierarchy.Estate) r53sim.World {
	x := hierarchy.NewIndex(e)
	w := r53sim.World{Keys: []r53sim.Key{{ID: AccessKey, Secret: SecretKey, Token: SessionToken, ARN: RoleARN}}}
	for _, r := range e.Res {
		if r.Kit != "route53" {
			continue
		}
		name, id := zoneOf(r)
		z := zoneIn(&w, name, id)
		if addr := addressBelow(x, r.Tag); addr != "" {
			z.Records = append(z.Records, r53sim.Record{Name: r.Attrs["host"] + "." + name, Type: "A", TTL: 10, Values: []string{addr}})
		}
	}
	return w
}

// zoneOf reads a resource's zone: "example.com" or "example.com (Z0123)".
func zoneOf(r hierarchy.Resource) (name, id string) {
	name, rest, _ := strings.Cut(r.Attrs["zone"], " ")
	return strings.TrimSuffix(name, "."), strings.Trim(rest, " ()")
}

func zoneIn(w *r53sim.World, name, id string) *r53sim.Zone {
	for i := range w.Zones {
		if w.Zones[i].Name == name && (id == "" || w.Zones[i].ID == id) {
			return &w.Zones[i]
		}
	}
	if id == "" {
		id = fmt.Sprintf("ZSIMULATED%d", len(w.Zones)+1)
	}
	w.Zones = append(w.Zones, r53sim.Zone{ID: id, Name: name})
	return &w.Zones[len(w.Zones)-1]
}

// addressBelow is the virtual IP, on the best node, of the IP resource that a resource stands on.
func addressBelow(x *hierarchy.Index, t hierarchy.Tag) string {
	for _, c := range x.Children(t) {
		if r := x.Resource(c); r.Kit == "ip" {
			best := x.PlacementsByPriority(c)[0].Server
			return hierarchy.InstanceOf(x, c, best, "").Attrs["address"]
		}
		if a := addressBelow(x, c); a != "" {
			return a
		}
	}
	return ""
}
