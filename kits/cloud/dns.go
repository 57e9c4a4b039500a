package cloud

import (
	"context"
	"slices"
	"strings"
)

// DNS is what is asked of and changed in Route 53. Every call has a deadline of its own, keeps to the account's rate of
// calls, and tries throttled calls and unfinished earlier changes again until the deadline; errors are *Error.
type DNS interface {
	// Zones lists every hosted zone of the account, all pages.
	Zones(ctx context.Context, a Access) ([]Zone, error)
	// Zone reads one hosted zone with its name servers; NotFound when the account has none of that id.
	Zone(ctx context.Context, a Access, id string) (Zone, error)
	// Record reads the record set of exactly this name and type; false when there is none.
	Record(ctx context.Context, a Access, zone, name, kind string) (Record, bool, error)
	// ChangeRecord puts a record set in the place of another, in one atomic batch. old is what must be there, value for
	// value; nil means that nothing may be there. When that is not so nothing is changed and the error is Refused, with
	// the code InvalidChangeBatch. An error that leaves doubt (Unreachable, Timeout) may come after the change was made:
	// it is not sent twice, so read the record before judging.
	ChangeRecord(ctx context.Context, a Access, zone string, old *Record, new Record) (Change, error)
	// ChangeStatus asks how far a change has got.
	ChangeStatus(ctx context.Context, a Access, id string) (Change, error)
}

// Zone is a hosted zone.
type Zone struct {
	// ID is like "Z0123456789ABCDEFGHIJ", without a path before it.
	ID string
	// Name is the domain in the form of DNSName.
	Name string
	// Private zones answer inside VPCs only, and have no name servers that could be asked.
	Private bool
	// Foreign: another AWS service made the zone; it cannot be changed.
	Foreign bool
	// Servers are the names of its name servers, as the delegation set says; only where one zone was read.
	Servers []string
}

// The record types the kits know.
const (
	TypeA     = "A"
	TypeCNAME = "CNAME"
)

// Record is one record set.
type Record struct {
	// Name is in the form of DNSName.
	Name, Type string
	// TTL is in seconds.
	TTL    int64
	Values []string
	// Special says what sets it apart from a plain record set, for people ("an alias for …", "one of several, weighted").
	// Empty for a plain one. A special one is never changed.
	Special string
}

// Is says whether the record set has exactly this one value.
func (r Record) Is(value string) bool {
	return r.Special == "" && len(r.Values) == 1 && r.Values[0] == value
}

// Same says whether two record sets are equal in everything that a change compares; the order of values is not.
func (r Record) Same(o Record) bool {
	return r.Name == o.Name && r.Type == o.Type && r.TTL == o.TTL && r.Special == o.Special &&
		slices.Equal(slices.Sorted(slices.Values(r.Values)), slices.Sorted(slices.Values(o.Values)))
}

// Shows is the value for people: "10.1.0.10", or what sets the record apart.
func (r Record) Shows() string {
	if r.Special != "" {
		return r.Special
	}
	return strings.Join(r.Values, ", ")
}

// Change is a change of records under way.
type Change struct {
	ID string
	// InSync: every name server of Route 53 has it. Until then it is pending.
	InSync bool
}
