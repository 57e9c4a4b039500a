package cloud

import "net/netip"

// Survey is what AWS says about a region as far as an estate stands in it: facts for judging whether all is there that a
// failover needs. Whatever could not be read stands in Errors by its action, and its list is empty then; what may not be done stands there, too.
type Survey struct {
	Region     string
	VPCs       []VPC
	Subnets    []Subnet
	Tables     []RouteTable
	Interfaces []Interface
	Groups     []SecurityGroup
	ACLs       []NetworkACL
	Addresses  []Address
	// Instances are those that were asked for, by id.
	Instances map[string]Instance
	// Identities are whom AWS takes the engine for, one for each access that was asked about.
	Identities []Identity
	// Errors are what went wrong, by action ("DescribeVpcs"), those of rehearsals included.
	Errors map[string]error
}

// Identity is whom AWS takes an access for. Credentials are looked up anew for it, as after a restart of the engine: those that are
// still in use may outlive their source by hours.
type Identity struct {
	Access Access
	// ARN is STS's answer: of a user, an assumed role, or the account's root.
	ARN string
	// Lasting: the key is a pair without a session token, which does not end by itself.
	Lasting bool
	// Err: STS did not say; Lasting may be known all the same.
	Err error
}

// VPC is a virtual network with its blocks of addresses.
type VPC struct {
	ID    string
	CIDRs []netip.Prefix
}

// Subnet lies in one VPC and one zone.
type Subnet struct {
	ID, VPC, Zone string
	CIDR          netip.Prefix
}

// SecurityGroup is a set of rules that interfaces name.
type SecurityGroup struct {
	ID, Name, VPC string
	In, Out       []SecurityRule
}

// SecurityRule lets something through.
type SecurityRule struct {
	// Protocol is "tcp", "udp", "icmp", a protocol's number, or "-1" for all.
	Protocol string
	// From and To are ports; both are 0 where there are none. For ICMP From is the type, -1 = every one.
	From, To int
	// Blocks and Groups are the other side; List is a prefix list, which is not looked into.
	Blocks []netip.Prefix
	Groups []string
	Lists  []string
}

// NetworkACL guards subnets: what enters or leaves one of them must be let through. It knows nothing of connections, so
// answers must be let through as well.
type NetworkACL struct {
	ID, Name, VPC string
	// Default: it guards every subnet that no other names.
	Default bool
	Subnets []string
	// In and Out are the entries for IPv4, as AWS gave them.
	In, Out []ACLEntry
}

// ACLEntry lets something through or denies it; of those that fit, the one with the lowest number decides.
type ACLEntry struct {
	Number int
	Allow  bool
	// Protocol is a protocol's number, or "-1" for all.
	Protocol string
	// From and To are ports; both are 0 where there are none. For ICMP they are the type and the code, -1 = every one.
	From, To int
	// Block is the other side.
	Block netip.Prefix
}

// SurveyQuestion says what to look at.
type SurveyQuestion struct {
	VPC       string
	Instances []string
	// As are the accesses whose identity is asked.
	As []Access
}

// Rehearsal is one change that the estate may have to make some day.
type Rehearsal struct {
	// Action is ReplaceRoute, CreateRoute, AssociateAddress or StopInstances.
	Action string
	// What the action needs.
	Table, Interface, Instance, Allocation string
	Destination                            netip.Prefix
}

// ZoneSurvey is what Route 53 says about the zone and the name of a resource.
type ZoneSurvey struct {
	// Zones are those of the account that fit what the definition names.
	Zones []Zone
	// Record is the A record of the name, Other a CNAME in its place; nil = there is none.
	Record, Other *Record
	// Name is the full name.
	Name string
	// Err: the zones could not be listed. RecordErr: the record could not be read. ChangeErr: a change that cannot do
	// anything (the deletion of a record that is not there) was not even judged.
	Err, RecordErr, ChangeErr error
}
