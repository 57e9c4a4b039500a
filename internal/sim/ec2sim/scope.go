package ec2sim

import (
	"net/netip"
	"slices"
)

// scope is what one account sees of one region.
type scope struct {
	account string
	r       *Region
}

func (sc scope) ownsVPC(id string) bool {
	v := find(sc.r.VPCs, func(v *VPC) bool { return v.ID == id })
	return v != nil && v.Owner == sc.account
}

func (sc scope) vpc(id string) *VPC {
	return find(sc.r.VPCs, func(v *VPC) bool { return v.ID == id && v.Owner == sc.account })
}

func (sc scope) subnet(id string) *Subnet {
	return find(sc.r.Subnets, func(s *Subnet) bool { return s.ID == id && sc.ownsVPC(s.VPC) })
}

func (sc scope) table(id string) *RouteTable {
	return find(sc.r.RouteTables, func(t *RouteTable) bool { return t.ID == id && sc.ownsVPC(t.VPC) })
}

func (sc scope) eni(id string) *Interface {
	return find(sc.r.Interfaces, func(i *Interface) bool { return i.ID == id && sc.vpcOf(i) != "" })
}

// vpcOf is the VPC an interface lies in; empty when that is not the caller's.
func (sc scope) vpcOf(i *Interface) string {
	if s := sc.subnet(i.Subnet); s != nil {
		return s.VPC
	}
	return ""
}

func (sc scope) instance(id string) *Instance {
	return find(sc.r.Instances, func(i *Instance) bool { return i.ID == id && sc.ownsInstance(i) })
}

// ownsInstance: an instance belongs to whom its interfaces' VPC belongs.
func (sc scope) ownsInstance(i *Instance) bool {
	enis := sc.enisOf(i.ID)
	return len(enis) > 0 || !slices.ContainsFunc(sc.r.Interfaces, func(e Interface) bool { return e.Instance == i.ID })
}

// enisOf are an instance's interfaces that the account sees, the primary one first.
func (sc scope) enisOf(instance string) []*Interface {
	var out []*Interface
	for i := range sc.r.Interfaces {
		if e := &sc.r.Interfaces[i]; e.Instance == instance && sc.vpcOf(e) != "" {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b *Interface) int { return a.DeviceIndex - b.DeviceIndex })
	return out
}

// address finds an Elastic IP by allocation id or public address.
func (sc scope) address(allocation, public string) *Address {
	return find(sc.r.Addresses, func(a *Address) bool {
		return a.Owner == sc.account && (a.AllocationID == allocation || allocation == "" && a.PublicIP == public)
	})
}

// routeState is active, or blackhole when nobody can answer behind the target.
func (sc scope) routeState(r Route) string {
	if r.Interface == "" {
		return "active"
	}
	eni := sc.eni(r.Interface)
	if eni == nil || eni.Instance == "" {
		return "blackhole"
	}
	i := sc.instance(eni.Instance)
	if i == nil || i.State == Stopped || i.State == Terminated {
		return "blackhole"
	}
	return "active"
}

// cidr parses a block and brings it into canonical form, as CreateRoute does (100.68.0.18/18 becomes 100.68.0.0/18).
func cidr(text string) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(text)
	return p.Masked(), err == nil && p.Addr().Is4()
}
