package ec2

import (
	"context"
	"net/netip"

	"github.com/ferry-ha/ferry/kits/cloud"
)

// Cloud is what this kit asks of AWS. Every call has a deadline of its own and tries throttled calls again until then;
// errors are *cloud.Error.
type Cloud interface {
	// RouteTables reads all route tables of a VPC. An empty list is an answer that cannot be true.
	RouteTables(ctx context.Context, a cloud.Access, vpc string) ([]cloud.RouteTable, error)
	// PutRoute replaces a table's route to dest, or creates it. It may be done twice.
	PutRoute(ctx context.Context, a cloud.Access, table string, dest netip.Prefix, eni string) error
	// Interface reads one network interface.
	Interface(ctx context.Context, a cloud.Access, id string) (cloud.Interface, error)
	// Interfaces reads all network interfaces of a VPC.
	Interfaces(ctx context.Context, a cloud.Access, vpc string) ([]cloud.Interface, error)
}

// Addresses is what the Elastic IP scenario asks beside that. A Cloud that does not have it serves route tables only.
type Addresses interface {
	// Address reads an Elastic IP by its allocation id, or by the public address itself.
	Address(ctx context.Context, a cloud.Access, id string) (cloud.Address, error)
	// Addresses reads every Elastic IP of the region.
	Addresses(ctx context.Context, a cloud.Access) ([]cloud.Address, error)
	// PutAddress associates an Elastic IP with a private address of an interface (empty: its primary one), whoever has
	// it. It may be done twice.
	PutAddress(ctx context.Context, a cloud.Access, allocation, eni, private string) error
	// MayPutAddress asks whether PutAddress would be allowed, and does nothing.
	MayPutAddress(ctx context.Context, a cloud.Access, allocation, eni, private string) error
}

// Scout looks ahead, before routes are moved. A Cloud that cannot do so is not asked.
type Scout interface {
	// Instance reads an instance's state, which lags reality.
	Instance(ctx context.Context, a cloud.Access, id string) (cloud.Instance, error)
	// MayPutRoute asks whether a route may be replaced, and does nothing.
	MayPutRoute(ctx context.Context, a cloud.Access, table string, dest netip.Prefix, eni string) error
}
