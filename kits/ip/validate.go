package ip

import (
	"fmt"
	"math/bits"
	"net/netip"
	"regexp"
	"strconv"

	"github.com/ferry-ha/ferry/kits"
)

// Validate judges the fields of one node. That no two resources share an address
// is the definition's business, not the kit's.
func (Kit) Validate(in kits.Instance) []kits.Problem {
	var out []kits.Problem
	add := func(field, text, fix string) {
		out = append(out, kits.Problem{Field: field, Node: in.Node.Name, Text: text, Fix: fix})
	}
	if text, fix := addressProblem(in); text != "" {
		add(FieldAddress, text, fix)
	}
	if mask := in.Attr(FieldNetmask, defaultMask); prefixLen(mask) < 0 {
		add(FieldNetmask, fmt.Sprintf("%q is not a netmask", mask), `write it like "255.255.255.255"`)
	}
	if dev := in.Attrs[FieldInterface]; dev != "" && !deviceName.MatchString(dev) {
		add(FieldInterface, fmt.Sprintf("%q cannot be the name of a network interface", dev),
			`write the name that "ip link" shows, like "ens5", or leave it out`)
	}
	return out
}

// deviceName: up to 15 bytes (IFNAMSIZ), no slash, no space; a leading dash would
// be taken for an option.
var deviceName = regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9_.:@-]{0,14}$`)

func addressProblem(in kits.Instance) (text, fix string) {
	const example = `write an IPv4 address outside every VPC, like "10.1.0.10"`
	s := in.Attrs[FieldAddress]
	if s == "" {
		return "the virtual IP address is missing", example
	}
	a, err := netip.ParseAddr(s)
	if err != nil || !a.Is4() {
		return fmt.Sprintf("%q is not an IPv4 address", s), example
	}
	if !a.IsGlobalUnicast() || a.As4()[0] == 0 || a.As4()[0] >= 240 {
		return fmt.Sprintf("%s cannot be the address of a host", s), example
	}
	for _, c := range in.EstateCIDRs {
		if p, err := netip.ParsePrefix(c); err == nil && p.Contains(a) {
			return fmt.Sprintf("the virtual IP %s lies inside the VPC CIDR %s; a VPC does not route its own addresses elsewhere", s, c), example
		}
	}
	for _, n := range in.Nodes {
		if n.Address == s {
			return fmt.Sprintf("%s is the address of the node %s itself", s, n.Name), example
		}
	}
	if in.Node.Address == s {
		return fmt.Sprintf("%s is the node's own address", s), example
	}
	return "", ""
}

// prefixLen turns a dotted netmask into its length; -1 when it is none.
func prefixLen(mask string) int {
	a, err := netip.ParseAddr(mask)
	if err != nil || !a.Is4() {
		return -1
	}
	b := a.As4()
	m := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	if n := bits.LeadingZeros32(^m); n > 0 && m<<n == 0 {
		return n
	}
	return -1
}

// cidr is the address with its prefix length on this node, "10.1.0.10/32".
func cidr(in kits.Instance) string {
	return in.Attrs[FieldAddress] + "/" + strconv.Itoa(prefixLen(in.Attr(FieldNetmask, defaultMask)))
}

// deviceOf is the interface asked for; empty means that the node finds it.
func deviceOf(in kits.Instance) string { return in.Attr(FieldInterface, in.Node.Interface) }
