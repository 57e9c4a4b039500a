package ec2

import (
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// The kit's field names.
const (
	FieldType         = "type"
	FieldIP           = "ip"
	FieldDestinations = "destinations"
	FieldENI          = "eni"
	FieldElasticIP    = "elastic_ip"
	FieldPrivate      = "private_address"
	FieldEndpoint     = "endpoint"
	FieldCredentials  = "credentials"
	FieldProfile      = "profile"
)

// The resource types: for a backend and for a frontend cluster.
const (
	TypeRouteTable = "route-table"
	TypeElasticIP  = "elastic-ip"
)

// The choices of the field credentials.
const (
	CredRegion  = "region"  // the region's profile when it names one, else the SDK's default chain
	CredDefault = "default" // the SDK's default chain
	CredProfile = "profile" // the field profile
	CredRole    = "role"    // the instance role of the machine the engine runs on
)

// Kit protects what leads clients to the active node: routes to destinations outside the VPC, or an Elastic IP. Make one
// with New.
type Kit struct {
	cloud     Cloud
	addresses Addresses // nil: no Elastic IPs
	scout     Scout     // nil: nothing is asked ahead
	now       func() time.Time
}

var (
	_ kits.Kit       = Kit{}
	_ kits.Chooser   = Kit{}
	_ kits.Previewer = Kit{}
)

// New makes the kit. What c can do beside Cloud (Addresses, Scout) is used where it is there. A Kit without a cloud can
// only be asked what is pure (fields, validation, effects).
func New(c Cloud) Kit {
	k := Kit{cloud: c, now: time.Now}
	k.addresses, _ = c.(Addresses)
	k.scout, _ = c.(Scout)
	return k
}

// Name is "ec2".
func (Kit) Name() string { return "ec2" }

// Traits: the start moves clients; the stop leaves the routes, so a dead node need not be asked; no node is needed.
func (Kit) Traits() kits.Traits {
	return kits.Traits{MovesClients: true, LeavesOnStop: true, ViaCloud: true}
}

// Fields are the wizard's questions.
func (Kit) Fields() []kits.Field {
	return []kits.Field{
		{
			Name: FieldType, Label: "EC2 Resource type", Kind: kits.KindChoice, Default: TypeRouteTable, Choices: []string{TypeRouteTable, TypeElasticIP},
			Help: "Route table for a backend cluster, Elastic IP for a frontend cluster.",
		},
		{
			Name: FieldIP, Label: "IP resource", Kind: kits.KindResource,
			Help: "The IP resource whose virtual IP is routed to the active node. Left out: every IP resource below this one.",
		},
		{
			Name: FieldDestinations, Label: "Destinations", Kind: kits.KindCIDRs, PerNode: true,
			Help: "CIDR blocks to route to the active node instead of the virtual IP, such as the peer region's subnets.",
		},
		{
			Name: FieldElasticIP, Label: "Elastic IP", Kind: kits.KindText, PerNode: true,
			Help: "The Elastic IP that leads clients to the active node: its allocation id, or the public address. Each region has its own. For type elastic-ip.",
		},
		{
			Name: FieldPrivate, Label: "Private address", Kind: kits.KindAddress, PerNode: true,
			Help: "The private address of the ENI that the Elastic IP is associated with. Left out: the primary one. For type elastic-ip.",
		},
		{
			Name: FieldENI, Label: "ENI", Kind: kits.KindText, PerNode: true,
			Help: "The network interface on this node that takes the traffic. Left out: the server's own.",
		},
		{
			Name: FieldEndpoint, Label: "EC2 URL", Kind: kits.KindText, PerNode: true,
			Help: "Endpoint of the EC2 API. Left out: the region's in the definition, or AWS's own.",
		},
		{
			Name: FieldCredentials, Label: "Credentials", Kind: kits.KindChoice, Default: CredRegion, PerNode: true,
			Choices: []string{CredRegion, CredDefault, CredProfile, CredRole},
			Help:    "How the engine signs its calls: as the region says, by the SDK's default chain, a named profile, or the instance role.",
		},
		{
			Name: FieldProfile, Label: "Profile", Kind: kits.KindText, PerNode: true,
			Help: "The profile's name when credentials is profile; it must exist on the machine the engine runs on.",
		},
	}
}

// Tunables: the kit reads none.
func (Kit) Tunables() []kits.Tunable { return nil }

// The deadlines. Reads are tried again while AWS throttles; a start writes, and then waits until reads show it.
const (
	readTimeout  = 20 * time.Second
	writeTimeout = time.Minute
)

// Timeout is the longest an action may take.
func (Kit) Timeout(a kits.Action, _ kits.Instance) time.Duration {
	if a == kits.ActStart || a == kits.ActRecover {
		return writeTimeout
	}
	return readTimeout
}
