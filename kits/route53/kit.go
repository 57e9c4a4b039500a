package route53

import (
	"context"
	"fmt"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// The kit's field names.
const (
	FieldCredentials = "credentials"
	FieldProfile     = "profile"
	FieldZone        = "zone"
	FieldHost        = "host"
	FieldIP          = "ip"
	FieldEndpoint    = "endpoint"
)

// The choices of the field credentials.
const (
	CredRegion  = "region"  // the region's profile when it names one, else the SDK's default chain
	CredDefault = "default" // the SDK's default chain
	CredProfile = "profile" // the field profile
	CredRole    = "role"    // the instance role of the machine the engine runs on
)

// Kit protects the A record of a host name. Make one with New.
type Kit struct {
	cloud cloud.DNS
	ask   Resolver
	now   func() time.Time
}

var (
	_ kits.Kit       = Kit{}
	_ kits.Chooser   = Kit{}
	_ kits.Previewer = Kit{}
)

// New makes the kit; it asks name servers over the network. A Kit without a cloud can only be asked what is pure
// (fields, validation, effects).
func New(c cloud.DNS) Kit { return Kit{cloud: c, ask: Servers{}.Ask, now: time.Now} }

// Asking is the kit with another way to ask name servers; nil means that they are never asked.
func (k Kit) Asking(r Resolver) Kit {
	k.ask = r
	return k
}

// Name is "route53".
func (Kit) Name() string { return "route53" }

// Traits: the start moves clients; the stop leaves the record, so a dead node need not be asked; no node is needed.
func (Kit) Traits() kits.Traits {
	return kits.Traits{MovesClients: true, LeavesOnStop: true, ViaCloud: true}
}

// Fields are the wizard's questions.
func (Kit) Fields() []kits.Field {
	return []kits.Field{
		{
			Name: FieldCredentials, Label: "Credentials", Kind: kits.KindChoice, Default: CredRegion, PerNode: true,
			Choices: []string{CredRegion, CredDefault, CredProfile, CredRole},
			Help:    "How the engine signs its calls: as the region says, by the SDK's default chain, a named profile, or the instance role.",
		},
		{
			Name: FieldProfile, Label: "Profile", Kind: kits.KindText, PerNode: true,
			Help: "The profile's name when credentials is profile; it must exist on the machine the engine runs on.",
		},
		{
			Name: FieldZone, Label: "Domain name (Route53 hosted zone)", Kind: kits.KindText, Required: true,
			Help: "The hosted zone that holds the record: its name, with its id where the account has several of that name. \"example.com\", or \"example.com (Z0123456789ABC)\".",
		},
		{
			Name: FieldHost, Label: "Host Name (Not FQDN)", Kind: kits.KindText, Required: true,
			Help: "The name in the zone that clients use, without the domain: \"www\".",
		},
		{
			Name: FieldIP, Label: "IP resource", Kind: kits.KindResource,
			Help: "The IP resource whose virtual IP the record holds. Left out: the one IP resource below this one.",
		},
		{
			Name: FieldEndpoint, Label: "Route53 URL", Kind: kits.KindText, PerNode: true,
			Help: "Endpoint of the Route 53 API. Left out: the region's in the definition, or AWS's own.",
		},
	}
}

// Choices offers the account's hosted zones, each with its id.
func (k Kit) Choices(ctx context.Context, _ kits.Host, in kits.Instance, field string) ([]string, error) {
	if field != FieldZone {
		return nil, nil
	}
	zones, err := k.cloud.Zones(ctx, accessOf(in))
	if err != nil {
		return nil, fmt.Errorf("listing the hosted zones: %w", err)
	}
	var out []string
	for _, z := range zones {
		if !z.Foreign {
			out = append(out, showZone(z))
		}
	}
	return out, nil
}
