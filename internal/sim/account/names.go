package account

import (
	"net/netip"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/internal/sim/r53sim"
)

// The hosted zone that the account owns when its estate names none: the seed's step 4 wants one there before the
// Route53 resource is made, and what is made finds it to choose from.
const (
	ZoneID   = "ZSIMULATED0JP"
	ZoneName = "example.jp."
	// HostName is the service's name in it. Its A record leads to the virtual IP of the node of highest priority.
	HostName = "www." + ZoneName
	// RecordTTL is the record's, in seconds: the seed's ROUTE53_TTL.
	RecordTTL = 10
)

// giveZone gives the account its zone, if it has none.
func giveZone(s *sim.Sim) {
	if len(s.Route53.Zones()) > 0 {
		return
	}
	z := r53sim.Zone{ID: ZoneID, Name: ZoneName, Comment: "for the service's name"}
	if address := serviceAddress(s.Definition); address.Is4() {
		z.Records = []r53sim.Record{{Name: HostName, Type: "A", TTL: RecordTTL, Values: []string{address.String()}}}
	}
	if err := s.Route53.AddZone(z); err != nil {
		panic(err) // the zone above is written wrongly
	}
}

// serviceAddress is the first virtual IP of the estate, on the node of highest priority; the zero Addr when there is none.
func serviceAddress(e *hierarchy.Estate) netip.Addr {
	x := hierarchy.NewIndex(e)
	for _, r := range e.Res {
		if on := x.PlacementsByPriority(r.Tag); r.Kit == "ip" && len(on) > 0 {
			if address, err := netip.ParseAddr(on[0].Attrs["address"]); err == nil {
				return address
			}
		}
	}
	return netip.Addr{}
}
