package doctor

import (
	"net/netip"
	"time"

	"github.com/ferry-ha/ferry/kits/cloud"
)

// Offset is what is certain about a node's clock.
func Offset(f *Facts) (low, high time.Duration, ok bool) { return f.offset() }

// Denial is the entry of a network ACL that denies some of the traffic.
func Denial(entries []cloud.ACLEntry, proto string, from, to int, other netip.Addr) (number int, denied bool) {
	return denial(entries, traffic{proto, from, to}, other)
}
