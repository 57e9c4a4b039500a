package ip

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/kits"
	"pgregory.net/rapid"
)

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		addr, mask, dev string
		text            string // part of the problem; empty = none
	}{
		{vip, "", "", ""},
		{vip, "255.255.255.0", "eth0", ""},
		{"10.2.0.10", "255.255.255.255", "enp0s5.100", ""},
		{"", "", "", "missing"},
		{"10.1.0", "", "", "not an IPv4 address"},
		{"010.1.0.10", "", "", "not an IPv4 address"},
		{"2001:db8::1", "", "", "not an IPv4 address"},
		{"::ffff:10.1.0.10", "", "", "not an IPv4 address"},
		{"10.1.0.10/32", "", "", "not an IPv4 address"},
		{"10.0.7.7", "", "", "inside the VPC CIDR 10.0.0.0/16"},
		{"172.16.0.10", "", "", "inside the VPC CIDR 172.16.0.0/16"},
		{"127.0.0.1", "", "", "cannot be the address of a host"},
		{"0.0.0.0", "", "", "cannot be the address of a host"},
		{"224.0.0.5", "", "", "cannot be the address of a host"},
		{"255.255.255.255", "", "", "cannot be the address of a host"},
		{"169.254.1.1", "", "", "cannot be the address of a host"},
		{vip, "255.0.255.0", "", "not a netmask"},
		{vip, "0.0.0.0", "", "not a netmask"},
		{vip, "32", "", "not a netmask"},
		{vip, "", "eth0 eth1", "network interface"},
		{vip, "", "../etc", "network interface"},
		{vip, "", "-all", "network interface"},
		{vip, "", "averyveryverylongname", "network interface"},
	} {
		in := node()
		in.EstateCIDRs = []string{"10.0.0.0/16", "172.16.0.0/16"}
		in.Attrs = map[string]string{FieldAddress: c.addr, FieldNetmask: c.mask, FieldInterface: c.dev}
		p := Kit{}.Validate(in)
		switch {
		case c.text == "" && len(p) > 0:
			t.Errorf("%+v: %+v", c, p)
		case c.text != "" && (len(p) != 1 || !strings.Contains(p[0].Text, c.text) || p[0].Fix == "" || p[0].Node != "LK_P_A"):
			t.Errorf("%+v: %+v", c, p)
		}
	}
}

func TestPrefixLen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 32).Draw(t, "n")
		m := ^uint32(0) << (32 - n)
		mask := fmt.Sprintf("%d.%d.%d.%d", m>>24, m>>16&255, m>>8&255, m&255)
		if got := prefixLen(mask); got != n {
			t.Fatalf("%s: %d, want %d", mask, got, n)
		}
	})
}

func TestEffects(t *testing.T) {
	in := node()
	in.Active, in.Node.Interface = "LK_P_B", "ens5"
	e := Kit{}.Effects(kits.ActStart, in)
	if len(e) != 1 || e[0] != (kits.Effect{Kind: "address", What: "10.1.0.10/32 on ens5", From: "LK_P_B", To: "LK_P_A"}) {
		t.Error(e)
	}
	if e := (Kit{}).Effects(kits.ActCheck, in); e != nil {
		t.Error(e)
	}
}
