package ec2sim

import (
	"slices"
	"time"

	"github.com/ferry-ha/ferry/internal/sim/awshttp"
)

// DefaultAccount owns whatever the spec gives no owner.
const DefaultAccount = "123456789012"

// World is everything the endpoint knows. As a spec it may leave out what New fills in: owners, the local routes,
// states (running), attachments' device indexes, and the VPCs' default network ACLs.
type World struct {
	Regions []Region
	Keys    []Key
}

// Key is an access key that the endpoint accepts. Denied actions are refused with UnauthorizedOperation.
type Key = awshttp.Key

// Region is one AWS region.
type Region struct {
	Name        string
	VPCs        []VPC
	Subnets     []Subnet
	RouteTables []RouteTable
	Instances   []Instance
	Interfaces  []Interface
	Addresses   []Address
	Groups      []SecurityGroup
	ACLs        []NetworkACL
}

// VPC is a virtual network. CIDRs has at least one block; Owner is an account id.
type VPC struct {
	ID, Name string
	CIDRs    []string
	Owner    string
}

// Subnet lies in one VPC and one availability zone.
type Subnet struct {
	ID, Name, VPC, Zone, CIDR string
}

// RouteTable belongs to a VPC. Main makes it the table of all subnets that no other table names.
type RouteTable struct {
	ID, Name, VPC string
	Main          bool
	Subnets       []string
	Routes        []Route
}

// Route sends Destination to exactly one of Interface (an ENI) and Gateway ("local", "igw-…", "nat-…", …).
type Route struct {
	Destination string
	Interface   string
	Gateway     string
	// Origin is CreateRouteTable (local routes), CreateRoute or EnableVgwRoutePropagation.
	Origin string
}

// State is an instance state in EC2's words.
type State string

// The instance states of EC2.
const (
	Pending      State = "pending"
	Running      State = "running"
	ShuttingDown State = "shutting-down"
	Terminated   State = "terminated"
	Stopping     State = "stopping"
	Stopped      State = "stopped"
)

// Code is the number EC2 sends along with the state; -1 for a word that is no state.
func (s State) Code() int {
	codes := map[State]int{Pending: 0, Running: 16, ShuttingDown: 32, Terminated: 48, Stopping: 64, Stopped: 80}
	if code, ok := codes[s]; ok {
		return code
	}
	return -1
}

// Instance is a virtual machine. Its interfaces name it, not the other way round.
type Instance struct {
	ID, Name, Type string
	// State is what EC2 says.
	State State
	// Actual is what is really so: Running or Stopped (Terminated once it is gone for good).
	Actual State
	// Launched is the time of the last start.
	Launched time.Time
	// SystemStatus and InstanceStatus are the two status checks while EC2 says running: ok (default), impaired,
	// insufficient-data, initializing.
	SystemStatus, InstanceStatus string
}

// Interface is an elastic network interface (ENI). DeviceIndex 0 is an instance's primary one.
type Interface struct {
	ID, Name, Subnet, PrivateIP string
	SecondaryIPs                []string
	// Instance is empty while the interface is detached.
	Instance    string
	DeviceIndex int
	// SourceDestCheck must be off on an interface that carries traffic for addresses which are not its own.
	SourceDestCheck bool
	// Groups are its security groups; empty = the VPC's first one.
	Groups []string
}

// Address is an Elastic IP. Association is empty while it is attached to nothing.
type Address struct {
	AllocationID, Name, PublicIP      string
	Association, Interface, PrivateIP string
	Owner                             string
}

// clone copies the world so that a change of the copy is never seen in the original.
func (w *World) clone() *World {
	next := &World{Regions: slices.Clone(w.Regions), Keys: slices.Clone(w.Keys)}
	for i := range next.Keys {
		next.Keys[i].Deny = slices.Clone(next.Keys[i].Deny)
	}
	for i := range next.Regions {
		next.Regions[i] = next.Regions[i].clone()
	}
	return next
}

func (r Region) clone() Region {
	r.VPCs, r.Subnets = slices.Clone(r.VPCs), slices.Clone(r.Subnets)
	r.RouteTables, r.Instances = slices.Clone(r.RouteTables), slices.Clone(r.Instances)
	r.Interfaces, r.Addresses = slices.Clone(r.Interfaces), slices.Clone(r.Addresses)
	for i := range r.VPCs {
		r.VPCs[i].CIDRs = slices.Clone(r.VPCs[i].CIDRs)
	}
	for i := range r.RouteTables {
		r.RouteTables[i].Subnets = slices.Clone(r.RouteTables[i].Subnets)
		r.RouteTables[i].Routes = slices.Clone(r.RouteTables[i].Routes)
	}
	for i := range r.Interfaces {
		r.Interfaces[i].SecondaryIPs = slices.Clone(r.Interfaces[i].SecondaryIPs)
		r.Interfaces[i].Groups = slices.Clone(r.Interfaces[i].Groups)
	}
	r.Groups = slices.Clone(r.Groups)
	for i := range r.Groups {
		r.Groups[i].In, r.Groups[i].Out = slices.Clone(r.Groups[i].In), slices.Clone(r.Groups[i].Out)
	}
	r.ACLs = slices.Clone(r.ACLs)
	for i := range r.ACLs {
		r.ACLs[i].Subnets = slices.Clone(r.ACLs[i].Subnets)
		r.ACLs[i].In, r.ACLs[i].Out = slices.Clone(r.ACLs[i].In), slices.Clone(r.ACLs[i].Out)
	}
	return r
}

// Region finds a region by name; nil when the world has none of that name.
func (w *World) Region(name string) *Region {
	return find(w.Regions, func(r *Region) bool { return r.Name == name })
}

// Table finds a route table in any region; nil when there is none.
func (w *World) Table(id string) *RouteTable {
	return findIn(w, func(r *Region) *RouteTable {
		return find(r.RouteTables, func(t *RouteTable) bool { return t.ID == id })
	})
}

// Instance finds an instance in any region; nil when there is none.
func (w *World) Instance(id string) *Instance {
	return findIn(w, func(r *Region) *Instance {
		return find(r.Instances, func(i *Instance) bool { return i.ID == id })
	})
}

// Interface finds a network interface in any region; nil when there is none.
func (w *World) Interface(id string) *Interface {
	return findIn(w, func(r *Region) *Interface {
		return find(r.Interfaces, func(i *Interface) bool { return i.ID == id })
	})
}

// Route finds the route of a table to a destination written exactly so; nil when there is none.
func (t *RouteTable) Route(destination string) *Route {
	return find(t.Routes, func(r *Route) bool { return r.Destination == destination })
}

// Targets is the table as destination → target, for comparing in tests.
func (t *RouteTable) Targets() map[string]string {
	out := map[string]string{}
	for _, r := range t.Routes {
		out[r.Destination] = r.Interface + r.Gateway
	}
	return out
}

func find[T any](list []T, match func(*T) bool) *T {
	for i := range list {
		if match(&list[i]) {
			return &list[i]
		}
	}
	return nil
}

func findIn[T any](w *World, look func(*Region) *T) *T {
	for i := range w.Regions {
		if found := look(&w.Regions[i]); found != nil {
			return found
		}
	}
	return nil
}
