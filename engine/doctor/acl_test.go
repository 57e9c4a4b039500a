package doctor_test

import (
	"net/netip"
	"testing"

	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/kits/cloud"
)

// TestNetworkACLEntries: the lowest number that fits decides, for every single port; what no entry decides is denied.
func TestNetworkACLEntries(t *testing.T) {
	entry := func(number int, allow bool, proto string, from, to int, block string) cloud.ACLEntry {
		return cloud.ACLEntry{Number: number, Allow: allow, Protocol: proto, From: from, To: to, Block: netip.MustParsePrefix(block)}
	}
	const all = "0.0.0.0/0"
	last := entry(32767, false, "-1", 0, 0, all)
	for name, test := range map[string]struct {
		entries  []cloud.ACLEntry
		proto    string
		from, to int
		want     int // 0 = it gets through
	}{
		"all":                          {[]cloud.ACLEntry{last, entry(100, true, "-1", 0, 0, all)}, "tcp", 22, 22, 0},
		"nothing":                      {[]cloud.ACLEntry{last}, "tcp", 22, 22, 32767},
		"no entry at all":              {nil, "tcp", 22, 22, 32767},
		"denied first, listed last":    {[]cloud.ACLEntry{entry(100, true, "-1", 0, 0, all), entry(90, false, "6", 20, 30, all), last}, "tcp", 22, 22, 90},
		"allowed first, denied behind": {[]cloud.ACLEntry{entry(90, false, "6", 20, 30, all), entry(80, true, "6", 22, 22, all)}, "tcp", 22, 22, 0},
		"another protocol is denied":   {[]cloud.ACLEntry{entry(90, false, "17", 0, 65535, all), entry(100, true, "-1", 0, 0, all)}, "tcp", 22, 22, 0},
		"ESP alone":                    {[]cloud.ACLEntry{entry(90, true, "50", 0, 0, all), last}, "udp", 4500, 4500, 32767},
		"another address is denied":    {[]cloud.ACLEntry{entry(90, false, "-1", 0, 0, "10.9.0.0/16"), entry(100, true, "-1", 0, 0, all)}, "tcp", 22, 22, 0},
		"the address is denied":        {[]cloud.ACLEntry{entry(90, false, "-1", 0, 0, "10.0.1.10/32"), entry(100, true, "-1", 0, 0, all)}, "udp", 500, 500, 90},
		"allowed for another address":  {[]cloud.ACLEntry{entry(100, true, "-1", 0, 0, "172.16.0.0/16"), last}, "tcp", 22, 22, 32767},
		"a range in two parts":         {[]cloud.ACLEntry{entry(100, true, "6", 1024, 40000, all), entry(110, true, "6", 40001, 65535, all), last}, "tcp", 32768, 60999, 0},
		"a range with a gap":           {[]cloud.ACLEntry{entry(100, true, "6", 1024, 40000, all), entry(110, true, "6", 40002, 65535, all), last}, "tcp", 32768, 60999, 32767},
		"one port of a range denied":   {[]cloud.ACLEntry{entry(90, false, "6", 50000, 50000, all), entry(100, true, "6", 1024, 65535, all), last}, "tcp", 32768, 60999, 90},
		"every ICMP":                   {[]cloud.ACLEntry{entry(100, true, "1", -1, -1, all), last}, "icmp", 0, 0, 0},
		"echo, but no reply":           {[]cloud.ACLEntry{entry(100, true, "1", 8, -1, all), last}, "icmp", 0, 0, 32767},
		"echo":                         {[]cloud.ACLEntry{entry(100, true, "1", 8, 0, all), last}, "icmp", 8, 8, 0},
		"unreachable is another type":  {[]cloud.ACLEntry{entry(90, false, "1", 3, 4, all), entry(100, true, "-1", 0, 0, all)}, "icmp", 8, 8, 0},
	} {
		number, denied := doctor.Denial(test.entries, test.proto, test.from, test.to, netip.MustParseAddr("10.0.1.10"))
		if number != test.want || denied != (test.want != 0) {
			t.Errorf("%s: entry %d, denied %v; want %d", name, number, denied, test.want)
		}
	}
}
