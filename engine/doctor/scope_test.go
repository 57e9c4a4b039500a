package doctor_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// TestScopeNamesWhomToAsk: who is wanted, and who is only compared with them.
func TestScopeNamesWhomToAsk(t *testing.T) {
	x := hierarchy.NewIndexFor(estate(t), reg)
	service, all := "LK_P_A LK_P_B LK_S_A LK_S_B", "LK_P_A LK_P_B LK_S_A LK_S_B VPN_P_A VPN_P_B VPN_S_A VPN_S_B"
	for name, test := range map[string]struct {
		scope          doctor.Scope
		wanted, beside string
		account, names bool
	}{
		"everything":             {doctor.Scope{}, all, "", true, true},
		"a server":               {doctor.Scope{Nodes: []string{"VPN_P_A"}}, "VPN_P_A", "VPN_P_B", true, true},
		"a server of four":       {doctor.Scope{Nodes: []string{"LK_S_A"}}, "LK_S_A", "LK_P_A LK_P_B LK_S_B", true, true},
		"two clusters":           {doctor.Scope{Nodes: []string{"VPN_S_B", "LK_P_A"}}, "LK_P_A VPN_S_B", "LK_P_B LK_S_A LK_S_B VPN_S_A", true, true},
		"AWS":                    {doctor.Scope{Checks: []string{"aws.routes", "aws.zone"}}, "", "", true, true},
		"AWS, and what is sent":  {doctor.Scope{Checks: []string{"aws"}}, service, "", true, true},
		"the way of one mirror":  {doctor.Scope{Checks: []string{"aws.acls-mirror"}, Nodes: []string{"LK_P_A"}}, "LK_P_A", "LK_P_B LK_S_A LK_S_B", true, false},
		"the name":               {doctor.Scope{Checks: []string{"aws.zone"}}, "", "", false, true},
		"the definition":         {doctor.Scope{Checks: []string{"estate.zones"}}, "", "", false, false},
		"virtual IPs":            {doctor.Scope{Checks: []string{"estate.virtual-ip"}}, "", "", true, false},
		"tunnels":                {doctor.Scope{Checks: []string{"vpn"}}, "VPN_P_A VPN_P_B VPN_S_A VPN_S_B", "", false, false},
		"a tunnel's server":      {doctor.Scope{Checks: []string{"vpn"}, Nodes: []string{"VPN_P_A"}}, "VPN_P_A", "", false, false},
		"tunnels compared":       {doctor.Scope{Checks: []string{"same.ipsec"}, Nodes: []string{"VPN_P_A"}}, "VPN_P_A", "VPN_P_B", false, false},
		"tunnels where are none": {doctor.Scope{Checks: []string{"same.ipsec"}, Nodes: []string{"LK_P_A"}}, "", "", false, false},
		"clocks":                 {doctor.Scope{Checks: []string{"same.clock"}, Nodes: []string{"LK_P_A"}}, "LK_P_A", "LK_P_B LK_S_A LK_S_B", false, false},
		"nothing compared":       {doctor.Scope{Except: []string{"same", "estate", "aws", "mirror"}, Nodes: []string{"LK_P_A"}}, "LK_P_A", "", false, false},
		"a kit":                  {doctor.Scope{Checks: []string{"kit.oracle"}}, service, "", false, false},
		"whom it reaches":        {doctor.Scope{Checks: []string{"node.reached"}, Nodes: []string{"LK_P_A", "VPN_P_A"}}, "LK_P_A VPN_P_A", "", false, false},
	} {
		wanted, beside := test.scope.Servers(x)
		if got := strings.Join(slices.Sorted(slices.Values(wanted)), " "); got != test.wanted {
			t.Errorf("%s: %q are asked, want %q", name, got, test.wanted)
		}
		if got := strings.Join(slices.Sorted(slices.Values(beside)), " "); got != test.beside {
			t.Errorf("%s: %q are asked beside, want %q", name, got, test.beside)
		}
		if test.scope.Account() != test.account || test.scope.Names() != test.names {
			t.Errorf("%s: asks AWS %v, Route 53 %v", name, test.scope.Account(), test.scope.Names())
		}
	}
	if bad := (doctor.Scope{Checks: []string{"node", "aws.rout"}}).Unknown(); bad != "aws.rout" {
		t.Errorf("%q is unknown", bad)
	}
}

// TestWhoIsBesideIsAskedLess: only what servers are compared by.
func TestWhoIsBesideIsAskedLess(t *testing.T) {
	x := hierarchy.NewIndexFor(estate(t), reg)
	s := doctor.Scope{Nodes: []string{"LK_P_A"}}
	whole, part := s.Questions(x, "LK_P_B", false), s.Questions(x, "LK_P_B", true)
	for _, q := range part {
		if !slices.Contains(whole, q) || q.Verb == "tool" || q.Verb == "space" {
			t.Errorf("asks %v", q)
		}
	}
	if !slices.Contains(part, doctor.Question{Verb: "first", About: "/etc/machine-id"}) || len(part) >= len(whole) {
		t.Errorf("%d questions of %d", len(part), len(whole))
	}
}
