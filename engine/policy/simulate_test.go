package policy

import (
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

func estateNamed(t testing.TB, name string) *hierarchy.Estate {
	t.Helper()
	text, ok := namedEstate(name)
	if !ok {
		t.Fatalf("no estate %s", name)
	}
	e, err := parseEstate(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestSimulate(t *testing.T) {
	for _, c := range []struct {
		name         string
		estate       string
		active, fail []string
		want         []string // "tag action from to", in order
		steps        string   // a step id that the plan must have
	}{
		{"node", "cross-region", []string{"service=LK_P_A"}, []string{"node=LK_P_A"},
			[]string{"service/www failover LK_P_A LK_P_B"}, "05-start-ip"},
		{"both zone nodes", "cross-region", []string{"service=LK_P_A"}, []string{"node=LK_P_A", "node=LK_P_B"},
			[]string{"service/www confirm LK_P_A LK_S_A"}, "07-start-www"},
		{"resource beyond repair", "cross-region", []string{"service=LK_P_A"}, []string{"resource=www@LK_P_A"},
			[]string{"service/www recover LK_P_A LK_P_A", "service/www failover LK_P_A LK_P_B"}, "04-stop-www"},
		{"resource while the zone peer is down", "cross-region", []string{"service=LK_P_A"}, []string{"node=LK_P_B", "resource=ip@LK_P_A"},
			[]string{"service/ip recover LK_P_A LK_P_A", "service/www confirm LK_P_A LK_S_A"}, "07-claim"},
		{"a standby node", "cross-region", []string{"service=LK_P_A"}, []string{"node=LK_S_A"}, nil, ""},
		{"nobody left", "two-nodes", []string{"www=A"}, []string{"node=A", "node=B"}, []string{"service/www none A "}, ""},
		{"a VPN node", "vpn", []string{"vpn=V"}, []string{"node=V"}, []string{"vpn/tun failover V W"}, "05-start-tun"},
		{"a tunnel", "vpn", []string{"vpn=V"}, []string{"resource=tun@V"}, []string{"vpn/tun recover V V", "vpn/tun failover V W"}, "07-start-tun"},
		{"a standby's tunnel", "vpn", []string{"vpn=V"}, []string{"resource=tun@W"}, []string{"vpn/tun recover W W"}, "01-recover-tun"},
		{"both tunnels", "vpn", []string{"vpn=V"}, []string{"resource=tun@V", "resource=tun@W"},
			[]string{"vpn/tun recover V V", "vpn/tun recover W W", "vpn/tun none V "}, "01-recover-tun"},
		{"a region behind tunnels that work", "regions", []string{"service=A", "vpn-e=V", "vpn-w=X"}, []string{"node=A", "node=B"},
			[]string{"service/www confirm A S"}, "03-start-www"},
		{"a region and its tunnels", "regions", []string{"service=A", "vpn-e=V", "vpn-w=X"}, []string{"node=A", "node=B", "node=V", "node=W"},
			[]string{"service/www none A ", "vpn-e/tun none V "}, ""},
		{"several", "several", []string{"service=LK_P_A"}, []string{"node=LK_P_A"},
			[]string{"service/c failover LK_P_A LK_P_B", "service/a failover LK_P_A LK_P_B", "service/b failover LK_P_A LK_P_B"}, "02-claim"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := estateNamed(t, c.estate)
			im, err := Imagine(hierarchy.NewIndex(e), c.active, c.fail)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Simulate(e, toyKits(), time.Unix(0, 0), im)
			if err != nil {
				t.Fatal(err)
			}
			var said []string
			for _, d := range got.Decisions {
				said = append(said, strings.Join([]string{string(d.Tag), string(d.Action), d.From, d.To}, " "))
				for _, r := range d.Reasons {
					if r.Code == "" || r.Text == "" {
						t.Errorf("a reason says nothing: %+v", r)
					}
				}
			}
			if len(said) > 0 && strings.Contains(c.name, "nobody") {
				said = said[len(said)-1:] // verdicts come one after the other; the last word counts
			}
			if strings.Join(said, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("decided\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(c.want, "\n"))
			}
			ids := ""
			for _, s := range got.Plan.Steps {
				ids += s.ID + "\n"
			}
			if !strings.Contains(ids, c.steps) || c.steps == "" && ids != "" {
				t.Errorf("steps\n%swant %q", ids, c.steps)
			}
		})
	}
}

func TestImagineRefuses(t *testing.T) {
	x := hierarchy.NewIndex(estateNamed(t, "cross-region"))
	for _, c := range []struct{ active, fail, want string }{
		{"service", "", "write CLUSTER=NODE"},
		{"service=LK_P_X", "", `did you mean "LK_P_A"`},
		{"servic=LK_P_A", "", "servic"},
		{"", "node=LK_P_X", "no node"},
		{"", "LK_P_A", "write node=NAME"},
		{"", "resource=www", "write node=NAME, resource=TAG@NODE or quorum=NAME"},
		{"", "resource=nothing@LK_P_A", "no resource"},
	} {
		var active, fail []string
		if c.active != "" {
			active = []string{c.active}
		}
		if c.fail != "" {
			fail = []string{c.fail}
		}
		if _, err := Imagine(x, active, fail); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q %q: error %v, want %q", c.active, c.fail, err, c.want)
		}
	}
	e := estateNamed(t, "cross-region")
	if _, err := Simulate(e, toyKits(), time.Unix(0, 0), Imagined{FailResources: []hierarchy.Ref{{Tag: "service/www", Node: "LK_P_B"}}}); err == nil {
		t.Error("a resource failed where it is not in service")
	}
}
