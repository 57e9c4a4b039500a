package cloud

import (
	"fmt"
	"net/netip"
	"time"
)

// Access says where a call goes and as whom. It is comparable: two calls with equal Access share a client.
type Access struct {
	// Region is never empty: no call relies on a default region.
	Region string
	// Endpoint overrides the service's URL; empty means what the SDK finds (AWS_ENDPOINT_URL_EC2, then AWS's own).
	Endpoint string
	// Source is where credentials come from.
	Source Source
	// Profile is the profile's name when Source is FromProfile.
	Profile string
	// Key is the key pair when Source is FromKey.
	Key KeyPair
}

// Source is where credentials come from.
type Source string

// The sources. The zero value is the SDK's default chain.
const (
	FromDefault Source = ""
	FromProfile Source = "profile"
	FromRole    Source = "role"
	FromKey     Source = "key"
)

// KeyPair is a static access key, held in memory only. It never prints or marshals its secret.
type KeyPair struct{ ID, Secret, Token string }

// String shows the key's id, which is no secret.
func (k KeyPair) String() string { return k.ID }

// GoString is String: %#v must not show the secret either.
func (k KeyPair) GoString() string { return k.ID }

// MarshalText gives the id only, so that no log, store or JSON ever holds the secret.
func (k KeyPair) MarshalText() ([]byte, error) { return []byte(k.ID), nil }

// String tells place and identity for people: "ap-northeast-1 as profile dr".
func (a Access) String() string {
	switch a.Source {
	case FromProfile:
		return fmt.Sprintf("%s as profile %s", a.Region, a.Profile)
	case FromRole:
		return a.Region + " as the instance role"
	case FromKey:
		return fmt.Sprintf("%s as key %s", a.Region, a.Key.ID)
	}
	return a.Region
}

// RouteTable is one route table of a VPC.
type RouteTable struct {
	ID, Name, VPC string
	// Main: it serves every subnet that no other table names.
	Main bool
	// Subnets are the subnets associated with it by name.
	Subnets []string
	Routes  []Route
}

// Route is one IPv4 route. Destination is in canonical form.
type Route struct {
	Destination netip.Prefix
	// Interface is the target's network interface id; empty when the target is something else.
	Interface string
	// Instance is the instance behind the interface, empty when there is none.
	Instance string
	// Other is a target that is no interface: "local", "igw-…", "tgw-…".
	Other string
	// Blackhole: the target is gone or its instance is stopped.
	Blackhole bool
}

// Target is the interface or whatever else the route points to.
func (r Route) Target() string {
	if r.Interface != "" {
		return r.Interface
	}
	return r.Other
}

// To finds the route with exactly this destination.
func (t RouteTable) To(dest netip.Prefix) (Route, bool) {
	for _, r := range t.Routes {
		if r.Destination == dest {
			return r, true
		}
	}
	return Route{}, false
}

// Interface is an elastic network interface.
type Interface struct {
	ID, Name, VPC, Subnet, Zone string
	// Instance is the instance it is attached to; empty when it is detached.
	Instance string
	// Addresses are its private addresses, the primary one first.
	Addresses       []string
	SourceDestCheck bool
	// Groups are the security groups of the interface.
	Groups []string
}

// The instance states of EC2, and StateUnknown for whatever else it may say.
const (
	StateUnknown      = "unknown"
	StatePending      = "pending"
	StateRunning      = "running"
	StateStopping     = "stopping"
	StateStopped      = "stopped"
	StateShuttingDown = "shutting-down"
	StateTerminated   = "terminated"
)

// Instance is what EC2 says about an instance. EC2 lags reality by a minute or more.
type Instance struct {
	ID    string
	State string
	// System and Checks are the two status checks: ok, impaired, initializing, not-applicable, or unknown (which is what
	// EC2's insufficient-data means).
	System, Checks string
	// At is when EC2 was asked; subtract it from now for the age of the answer.
	At time.Time
}

// Address is an Elastic IP. Interface, Instance and PrivateIP are empty while it is associated with nothing.
type Address struct {
	Allocation, Association, PublicIP, Name string
	Interface, Instance, PrivateIP          string
}
