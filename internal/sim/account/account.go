// Package account is the real AWS SDK on a simulated account, for the demo and the tests:
// it signs with that account's key whatever credentials this machine has, and reaches
// no network.
package account

import (
	"context"
	"net/http"
	"net/netip"
	"sync/atomic"

	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/internal/sim/awshttp"
	"github.com/ferry-ha/ferry/kits/awscloud"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// Account makes the calls that the kits and the engine make. Make one with New.
type Account struct {
	aws, dns *awscloud.Cloud
	machine  *machine
}

// machine is where the engine runs: an instance that has the account's role, or none.
type machine struct {
	bare     atomic.Bool
	metadata [2]http.RoundTripper // with the role, and without
}

// beside answers the questions for an instance role, and hands everything else on.
func (m *machine) beside(service http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Hostname() != "169.254.169.254" {
			return service.RoundTrip(r)
		}
		which := 0
		if m.bare.Load() {
			which = 1
		}
		return m.metadata[which].RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// SetInstanceRole attaches the account's role to the machine that the engine runs on, as it is from the start, or detaches it. Credentials
// that were handed out before go on until they end.
func (k Account) SetInstanceRole(on bool) { k.machine.bare.Store(!on) }

// New is the account in which a simulated estate stands. Where the estate's resources name no hosted zone, the account
// gets one (ZoneName), with the service's name in it.
func New(s *sim.Sim) Account {
	giveZone(s)
	key := Account{machine: &machine{}}
	for i, id := range []string{sim.AccessKey, ""} {
		key.machine.metadata[i] = awshttp.Transport(s.EC2.Metadata("i-engine", id))
	}
	access := func(region string) cloud.Access { return key.with(cloud.Access{Region: region}) }
	key.aws = awscloud.New(awscloud.Options{Transport: key.machine.beside(s.EC2.Transport()), Access: access})
	key.dns = awscloud.New(awscloud.Options{Transport: key.machine.beside(s.Route53.Transport()), Access: access})
	return key
}

func (Account) with(a cloud.Access) cloud.Access {
	a.Endpoint = "http://aws.simulated"
	if a.Source != cloud.FromRole { // which the machine has
		a.Source, a.Profile = cloud.FromKey, ""
		a.Key = cloud.KeyPair{ID: sim.AccessKey, Secret: sim.SecretKey, Token: sim.SessionToken}
	}
	return a
}

// RouteTables, PutRoute, Interface and Interfaces are what the ec2 kit asks for.
func (k Account) RouteTables(ctx context.Context, a cloud.Access, vpc string) ([]cloud.RouteTable, error) {
	return k.aws.RouteTables(ctx, k.with(a), vpc)
}

func (k Account) PutRoute(ctx context.Context, a cloud.Access, table string, dest netip.Prefix, eni string) error {
	return k.aws.PutRoute(ctx, k.with(a), table, dest, eni)
}

func (k Account) Interface(ctx context.Context, a cloud.Access, id string) (cloud.Interface, error) {
	return k.aws.Interface(ctx, k.with(a), id)
}

func (k Account) Interfaces(ctx context.Context, a cloud.Access, vpc string) ([]cloud.Interface, error) {
	return k.aws.Interfaces(ctx, k.with(a), vpc)
}

// Address, Addresses, PutAddress and MayPutAddress are for Elastic IPs; Instance and MayPutRoute look ahead.
func (k Account) Address(ctx context.Context, a cloud.Access, id string) (cloud.Address, error) {
	return k.aws.Address(ctx, k.with(a), id)
}

func (k Account) Addresses(ctx context.Context, a cloud.Access) ([]cloud.Address, error) {
	return k.aws.Addresses(ctx, k.with(a))
}

func (k Account) PutAddress(ctx context.Context, a cloud.Access, allocation, eni, private string) error {
	return k.aws.PutAddress(ctx, k.with(a), allocation, eni, private)
}

func (k Account) MayPutAddress(ctx context.Context, a cloud.Access, allocation, eni, private string) error {
	return k.aws.MayPutAddress(ctx, k.with(a), allocation, eni, private)
}

func (k Account) Instance(ctx context.Context, a cloud.Access, id string) (cloud.Instance, error) {
	return k.aws.Instance(ctx, k.with(a), id)
}

func (k Account) MayPutRoute(ctx context.Context, a cloud.Access, table string, dest netip.Prefix, eni string) error {
	return k.aws.MayPutRoute(ctx, k.with(a), table, dest, eni)
}

// Zones, Zone, Record, ChangeRecord and ChangeStatus are what the route53 kit asks for.
func (k Account) Zones(ctx context.Context, a cloud.Access) ([]cloud.Zone, error) {
	return k.dns.Zones(ctx, k.with(a))
}

func (k Account) Zone(ctx context.Context, a cloud.Access, id string) (cloud.Zone, error) {
	return k.dns.Zone(ctx, k.with(a), id)
}

func (k Account) Record(ctx context.Context, a cloud.Access, zone, name, kind string) (cloud.Record, bool, error) {
	return k.dns.Record(ctx, k.with(a), zone, name, kind)
}

func (k Account) ChangeRecord(ctx context.Context, a cloud.Access, zone string, old *cloud.Record, new cloud.Record) (cloud.Change, error) {
	return k.dns.ChangeRecord(ctx, k.with(a), zone, old, new)
}

func (k Account) ChangeStatus(ctx context.Context, a cloud.Access, id string) (cloud.Change, error) {
	return k.dns.ChangeStatus(ctx, k.with(a), id)
}

// Stop is how the engine fences.
func (k Account) Stop(ctx context.Context, region, instance string) error {
	return k.aws.Stop(ctx, region, instance)
}

// InstanceState is what the engine asks for.
func (k Account) InstanceState(ctx context.Context, region, instance string) (string, error) {
	return k.aws.InstanceState(ctx, region, instance)
}

// Survey, Rehearse, SetSourceDestCheck and MayChangeRecords are what the doctor asks for, and mends.
func (k Account) Survey(ctx context.Context, a cloud.Access, q cloud.SurveyQuestion) cloud.Survey {
	asked := q.As
	q.As = make([]cloud.Access, len(asked))
	for i, as := range asked {
		q.As[i] = k.with(as)
	}
	s := k.aws.Survey(ctx, k.with(a), q)
	for i := range s.Identities {
		s.Identities[i].Access = asked[i]
	}
	return s
}

func (k Account) Rehearse(ctx context.Context, a cloud.Access, all []cloud.Rehearsal) map[string]error {
	return k.aws.Rehearse(ctx, k.with(a), all)
}

func (k Account) SetSourceDestCheck(ctx context.Context, a cloud.Access, eni string, on bool) error {
	return k.aws.SetSourceDestCheck(ctx, k.with(a), eni, on)
}

func (k Account) MayChangeRecords(ctx context.Context, a cloud.Access, zone, domain string) error {
	return k.dns.MayChangeRecords(ctx, k.with(a), zone, domain)
}
