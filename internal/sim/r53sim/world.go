package r53sim

import (
	"slices"

	"github.com/ferry-ha/ferry/internal/sim/awshttp"
)

// DefaultAccount owns whatever the spec gives no owner.
const DefaultAccount = "123456789012"

// World is what the endpoint starts with.
type World struct {
	Keys  []Key
	Zones []Zone
	// HealthChecks are the ids that records may name.
	HealthChecks []string
}

// Key is an access key that the endpoint accepts. Denied actions are refused with AccessDenied.
type Key = awshttp.Key

// Zone is a hosted zone. As a spec it may leave out everything but the name.
type Zone struct {
	// ID starts with Z and has no prefix (default: one is made).
	ID string
	// Name is a domain name; it reads back lower-cased, escaped and with a dot at its end.
	Name string
	// CallerReference is the creator's unique string (default: one is made).
	CallerReference string
	Comment         string
	// VPCs make the zone a private one.
	VPCs []VPC
	// Service is the principal of another AWS service that made the zone ("servicediscovery.amazonaws.com"); nobody else
	// may change it.
	Service string
	// NameServers are the zone's own (default: four, as AWS gives them).
	NameServers []string
	// Owner is an account id (default DefaultAccount).
	Owner string
	Tags  map[string]string
	// Records are the zone's record sets in Route 53's order. SOA and NS of the zone itself are added where missing.
	Records []Record
}

// Private says whether only VPCs see the zone.
func (z Zone) Private() bool { return len(z.VPCs) > 0 }

// VPC is a network that a private zone is associated with.
type VPC struct{ Region, ID string }

// Record is a resource record set.
type Record struct {
	Name, Type string
	// TTL is in seconds; an alias has none.
	TTL    int64
	Values []string
	Alias  *Alias
	// SetID tells apart the sets of one name and type under a routing policy; the fields below say which policy.
	SetID       string
	Weight      *int64
	Region      string
	Failover    string
	Geo         *Geo
	MultiValue  *bool
	HealthCheck string
}

// Alias points to another record instead of holding values.
type Alias struct {
	// Zone is the id of the target's zone, which may be one that nobody here knows (a load balancer's).
	Zone, Name     string
	EvaluateHealth bool
}

// Geo is where the askers of a geolocation record are.
type Geo struct{ Continent, Country, Subdivision string }

func (z Zone) clone() Zone {
	z.VPCs, z.NameServers = slices.Clone(z.VPCs), slices.Clone(z.NameServers)
	z.Records = cloneRecords(z.Records)
	tags := map[string]string{}
	for k, v := range z.Tags {
		tags[k] = v
	}
	z.Tags = tags
	return z
}

func cloneRecords(list []Record) []Record {
	out := slices.Clone(list)
	for i := range out {
		out[i].Values = slices.Clone(out[i].Values)
	}
	return out
}

// Find is the first record set of that name and type; nil when there is none.
func (z Zone) Find(name, kind string) *Record {
	name = canonical(name)
	for i := range z.Records {
		if z.Records[i].Name == name && z.Records[i].Type == kind {
			return &z.Records[i]
		}
	}
	return nil
}
