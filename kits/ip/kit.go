package ip

import (
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// The kit's field names.
const (
	FieldAddress   = "address"
	FieldNetmask   = "netmask"
	FieldInterface = "interface"
)

// NoBroadcastPing is the tuning that switches the broadcast ping off ("1").
// Inside a VPC it must be 1: there is no broadcast there.
const NoBroadcastPing = "NOBCASTPING"

// defaultMask makes a host address: no route for a whole network comes with it.
const defaultMask = "255.255.255.255"

// Kit protects a virtual IP address. Its zero value is ready to use.
type Kit struct{}

var (
	_ kits.Kit     = Kit{}
	_ kits.Batcher = Kit{}
)

// Name is "ip".
func (Kit) Name() string { return "ip" }

// Traits: clients reach the service by this address, so taking it up moves them
// where a route does not decide; whatever can veto comes before.
func (Kit) Traits() kits.Traits { return kits.Traits{MovesClients: true} }

// Fields are the wizard's questions.
func (Kit) Fields() []kits.Field {
	return []kits.Field{
		{
			Name: FieldAddress, Label: "IP address", Kind: kits.KindAddress, Required: true, PerNode: true,
			Help: "The virtual IP on this node. It must lie outside every VPC's CIDR; nodes of one region share it, another region has its own.",
		},
		{
			Name: FieldNetmask, Label: "Netmask", Kind: kits.KindNetmask, Default: defaultMask, PerNode: true,
			Help: "255.255.255.255 for an address that is reached by a route of its own.",
		},
		{
			Name: FieldInterface, Label: "Network interface", Kind: kits.KindText, PerNode: true,
			Help: "Where the address goes. Left out: the node's interface, or else the one that carries the node's own address.",
		},
	}
}

// Tunables are the names this kit reads.
func (Kit) Tunables() []kits.Tunable {
	return []kits.Tunable{{
		Name: NoBroadcastPing, Default: "0",
		Help: "1 = no broadcast ping and no ARP question in the check of a virtual IP; required inside a VPC, which has no broadcast",
	}}
}

// Timeout is the longest an action may take. The commands themselves take
// milliseconds; a check with broadcast ping waits up to 3 s for answers; the rest
// is room for a node under load, because a slow answer must not look like a failure.
func (Kit) Timeout(a kits.Action, _ kits.Instance) time.Duration {
	if a == kits.ActStart || a == kits.ActStop || a == kits.ActRecover {
		return 15 * time.Second
	}
	return 10 * time.Second
}

// Effects tells which address comes or goes where.
func (Kit) Effects(a kits.Action, in kits.Instance) []kits.Effect {
	what := cidr(in)
	if dev := deviceOf(in); dev != "" {
		what += " on " + dev
	}
	switch a {
	case kits.ActStart, kits.ActRecover:
		from := in.Active
		if from == in.Node.Name {
			from = ""
		}
		return []kits.Effect{{Kind: "address", What: what, From: from, To: in.Node.Name}}
	case kits.ActStop:
		return []kits.Effect{{Kind: "address", What: what, From: in.Node.Name}}
	}
	return nil
}
