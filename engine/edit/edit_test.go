package edit

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

var yes, no = true, false

type edits = []Edit

// TestEdits lists what each edit changes, and what it says when it cannot be made.
func TestEdits(t *testing.T) {
	for _, c := range []struct {
		what  string
		edits edits
		want  string // changes, then notes; or "kind: text | fix"
	}{
		{"create on servers", edits{Create{Tag: "web", Kit: "app", Fields: map[string]string{"start": "/web"}, On: []Place{{Server: "LK_P_A"}, {Server: "LK_P_B", Priority: 20}}}},
			"add resource service/web kit app on LK_P_A, LK_P_B"},
		{"create above what a field names", edits{Create{Tag: "service/dns", Kit: "ec2", Fields: map[string]string{"ip": "service/ip"}}},
			"add resource service/dns kit ec2 on LK_P_A, LK_P_B, LK_S_A"},
		{"tag taken", edits{Create{Tag: "service/ip", Kit: "app"}},
			"refused: there is a resource service/ip already, of kit ip | choose another tag; tags are unique within a cluster"},
		{"no such kit", edits{Create{Tag: "x", Kit: "ap"}}, `no-such: no kit "ap" | did you mean "app"?`},
		{"no such field", edits{Create{Tag: "service/x", Kit: "ip", Fields: map[string]string{"adress": "10.1.0.11"}}},
			`no-such: no field of kit ip "adress" | did you mean "address"?`},
		{"bad field", edits{Create{Tag: "service/x", Kit: "ip", Fields: map[string]string{"address": "10.1.0"}}},
			`wrong: address (IP address) cannot be "10.1.0" | write an IP address like "10.1.0.10"`},
		{"secret", edits{Create{Tag: "service/x", Kit: "ec2", Fields: map[string]string{"key": "s3cret"}}},
			"wrong: key of kit ec2 is a secret | secrets are not kept in the definition"},
		{"field missing", edits{Create{Tag: "x", Kit: "app", On: []Place{{Server: "LK_P_A"}}}},
			"invalid: resource service/x has no start, which kit \"app\" needs — write start = …"},
		{"where", edits{Create{Tag: "x", Kit: "app"}}, "wrong: the cluster of x is not known | write service/x or vpn/x"},
		{"on which", edits{Create{Tag: "vpn/x", Kit: "app", Fields: map[string]string{"start": "/x"}}},
			"wrong: vpn/x is on no server: say on which, by priority | its cluster's servers are VPN_P_A, VPN_P_B"},
		{"foreign server", edits{Create{Tag: "vpn/x", Kit: "app", On: []Place{{Server: "LK_P_A"}}}},
			"refused: LK_P_A is not a server of cluster vpn | its servers are VPN_P_A, VPN_P_B"},
		{"one priority twice", edits{Create{Tag: "vpn/x", Kit: "app", On: []Place{{Server: "VPN_P_A", Priority: 5}, {Server: "VPN_P_B", Priority: 5}}}},
			"refused: vpn/x has priority 5 on VPN_P_A and would have it on VPN_P_B too | every server has its own; 6 is free"},
		{"one node's field that is everybody's", edits{Create{Tag: "vpn/x", Kit: "app", On: []Place{{Server: "VPN_P_A", Fields: map[string]string{"start": "/x"}}}}},
			"wrong: start of kit app is the same on every server: VPN_P_A cannot have its own | set it once, for all servers"},

		{"extend takes the hierarchy", edits{Extend{Tag: "www", Server: "LK_S_B"}},
			"change resource service/www: on.LK_S_B priority 4; change resource service/ec2: on.LK_S_B priority 4; change resource service/ip: on.LK_S_B priority 4; change resource service/ip: on.LK_S_B.address 10.2.0.10"},
		{"extend with a field", edits{Extend{Tag: "ip", Server: "LK_S_B", Priority: 9, TemplatePriority: 4, Template: "LK_P_B", Fields: map[string]map[string]string{"ip": {"address": "10.2.0.11", "device": "eth1"}}}},
			"change resource service/ip: on.LK_P_B priority 2 → priority 4; change resource service/ip: on.LK_S_B priority 9; change resource service/ip: on.LK_S_B.address 10.2.0.11; change resource service/ip: on.LK_S_B.device eth1"},
		{"extended already", edits{Extend{Tag: "www", Server: "LK_P_B"}}, "refused: service/www is extended to LK_P_B already | ferry resource show www tells where it is"},
		{"extend to another cluster", edits{Extend{Tag: "www", Server: "VPN_P_A"}}, "refused: VPN_P_A is not a server of cluster service | its servers are LK_P_A, LK_P_B, LK_S_A, LK_S_B"},
		{"extend to nowhere", edits{Extend{Tag: "www", Server: "LK_S_C"}}, `no-such: no server "LK_S_C" | did you mean "LK_S_A"?`},
		{"priority taken", edits{Extend{Tag: "www", Server: "LK_S_B", Priority: 3}}, "refused: service/ip has priority 3 on LK_S_A and would have it on LK_S_B too | every server has its own; 4 is free"},
		{"field of another hierarchy", edits{Extend{Tag: "www", Server: "LK_S_B", Fields: map[string]map[string]string{"lone": {"start": "/"}}}},
			`no-such: no resource in the hierarchy of service/www "lone" | there are ip, ec2, www`},
		{"one of two roots", edits{second, Extend{Tag: "www", Server: "LK_S_B"}},
			"refused: service/www belongs to a hierarchy with 2 roots: service/www and service/second | they move together: extend all of them, or none"},
		{"both roots", edits{second, Extend{Tag: "www", Server: "LK_S_B", AllRoots: true}}, "add resource service/second kit app on LK_P_A, LK_P_B, LK_S_A, LK_S_B"},

		{"unextend", edits{Unextend{Tag: "ec2", Server: "LK_S_A"}}, "change resource service/www: on.LK_S_A priority 3"},
		{"unextend from where it is not", edits{Unextend{Tag: "ec2", Server: "LK_S_B"}}, "no-such: service/ec2 is not extended to LK_S_B | it is on LK_P_A, LK_P_B, LK_S_A"},
		{"the last server", edits{Unextend{Tag: "lone", Server: "VPN_P_A"}}, "refused: vpn/lone is on no other server than VPN_P_A | ferry resource delete lone deletes it"},

		{"delete a root", edits{Delete{Tag: "www"}}, "remove resource service/www kit app on LK_P_A, LK_P_B, LK_S_A"},
		{"delete all", edits{Delete{Tag: "www", Below: true}}, "remove resource service/ip kit ip on LK_P_A, LK_P_B, LK_S_A; remove resource service/ec2 kit ec2 on LK_P_A, LK_P_B, LK_S_A; remove resource service/www kit app on LK_P_A, LK_P_B, LK_S_A"},
		{"delete what is needed", edits{Delete{Tag: "ip"}}, "refused: service/ip cannot be deleted: service/ec2 needs it | delete service/ec2 first, or remove the dependency"},
		{"delete what two need", edits{second, Delete{Tag: "ec2"}}, "refused: service/ec2 cannot be deleted: service/www and service/second need it | delete service/www and service/second first, or remove the dependency"},
		{"delete all but what another needs", edits{second, Delete{Tag: "www", Below: true}}, "add resource service/second kit app on LK_P_A, LK_P_B, LK_S_A; remove resource service/www kit app on LK_P_A, LK_P_B, LK_S_A"},
		{"delete what a field names", edits{RemoveDependency{"ec2", "ip"}, Delete{Tag: "ip"}}, "refused: service/ip cannot be deleted: service/ec2 names it as its IP resource | change or delete service/ec2 first"},
		{"delete what is not there", edits{Delete{Tag: "wwww"}}, `no-such: no resource "wwww" in this estate; did you mean "www"? | `},

		{"a ring", edits{AddDependency{"ip", "www"}}, "refused: service/ip would need itself: service/ip → service/www → service/ec2 → service/ip | remove one of these dependencies first"},
		{"itself", edits{AddDependency{"ip", "ip"}}, "refused: service/ip cannot need itself | "},
		{"another cluster", edits{AddDependency{"www", "lone"}}, "refused: service/www and vpn/lone are in different clusters | a dependency stays inside one cluster"},
		{"there already", edits{AddDependency{"www", "ec2"}}, ""},
		{"a shortcut", edits{AddDependency{"www", "ip"}}, "change resource service/www: needs ec2 → ec2, ip"},
		{"other servers", edits{Create{Tag: "service/few", Kit: "app", Fields: map[string]string{"start": "/"}, On: []Place{{Server: "LK_P_A"}, {Server: "LK_S_B"}}}, AddDependency{"www", "few"}},
			"refused: service/www is on LK_P_B, LK_S_A, where service/few is not | extend them to the same servers first"},
		{"no such need", edits{RemoveDependency{"www", "ip"}}, "no-such: service/www does not need service/ip | service/www needs service/ec2"},
		{"need removed", edits{RemoveDependency{"www", "ec2"}}, "change resource service/www: needs ec2"},

		{"set a field", edits{Set{Tag: "www", Fields: map[string]string{"start": "/new"}}}, "change resource service/www: start /www → /new"},
		{"set beside own ones", edits{Set{Tag: "ip", Fields: map[string]string{"device": "eth0"}}, Set{Tag: "ip", Server: "LK_P_A", Fields: map[string]string{"device": "eth1"}}, Set{Tag: "ip", Fields: map[string]string{"device": "eth2"}}},
			"change resource service/ip: device eth2; change resource service/ip: on.LK_P_A.device eth1; LK_P_A keeps its own device of service/ip: eth1"},
		{"clear", edits{Set{Tag: "ip", Server: "LK_P_A", Fields: map[string]string{"address": ""}}}, "invalid: resource service/ip has no address on LK_P_A"},
		{"set where it is not", edits{Set{Tag: "ip", Server: "LK_S_B", Fields: map[string]string{"device": "x"}}}, "no-such: service/ip is not extended to LK_S_B | it is on LK_P_A, LK_P_B, LK_S_A"},
		{"switchback", edits{SetSwitchback{"ip", hierarchy.Automatic}}, "change resource service/ip: switchback intelligent → automatic"},
		{"no switchback", edits{SetSwitchback{"ip", "auto"}}, `wrong: "auto" is not a switchback type | write intelligent (stays where it is) or automatic (returns to the best server)`},
		{"swap priorities", edits{SetPriority{"www", map[string]int{"LK_P_A": 2, "LK_P_B": 1}}}, "change resource service/ip: on.LK_P_A priority 1 → priority 2"},
		{"same priority", edits{SetPriority{"www", map[string]int{"LK_P_A": 2}}}, "refused: service/ip has priority 2 on LK_P_A and would have it on LK_P_B too | every server has its own; 3 is free"},
		{"priority out of range", edits{SetPriority{"www", map[string]int{"LK_P_A": 1000}}}, "wrong: 1000 is not a priority | write a number from 1 (highest) to 999"},

		{"a flag that holds", edits{SetFlag{Viewer: "LK_P_A", Peer: "LK_S_A", Confirm: &yes}}, ""},
		{"a flag", edits{SetFlag{Viewer: "LK_P_A", Peer: "LK_P_B", Block: &yes}}, "add flag on LK_P_A for LK_P_B block"},
		{"a flag on itself", edits{SetFlag{Viewer: "LK_P_A", Peer: "LK_P_A", Block: &yes}}, "add flag on LK_P_A for LK_P_A block"},
		{"a flag twice", edits{SetFlag{Viewer: "LK_P_A", Peer: "LK_S_B", Block: &yes}, SetFlag{Viewer: "LK_P_A", Peer: "LK_S_B", Block: &no}}, "add flag on LK_P_A for LK_S_B confirm"},
		{"the guard", edits{SetFlag{Viewer: "LK_P_A", Peer: "LK_S_A", Confirm: &no}}, `invalid: "LK_P_A" could take over from "LK_S_A", which is in another region, without a person's word`},
		{"strangers", edits{SetFlag{Viewer: "LK_P_A", Peer: "VPN_P_A", Confirm: &yes}}, "refused: LK_P_A and VPN_P_A share no cluster | flags hold between servers of one cluster"},
		{"shutdown", edits{SetShutdown{"LK_P_A", true}}, "change server LK_P_A: on_shutdown do not switch over → switch over"},

		{"tuning", edits{SetTuning{"", "LKCHECKINTERVAL", "6m"}}, "add tuning LKCHECKINTERVAL 360"},
		{"tuning of one", edits{SetTuning{"LK_P_A", "LKCHECKINTERVAL", "90"}, SetTuning{"", "LKCHECKINTERVAL", "91"}},
			"add tuning LKCHECKINTERVAL 91; add tuning LKCHECKINTERVAL of server LK_P_A 90; LK_P_A keeps its own LKCHECKINTERVAL: 90"},
		{"tuning out of range", edits{SetTuning{"", "LKCHECKINTERVAL", "999999"}}, "wrong: LKCHECKINTERVAL: 999999s is outside 1 to 86400s | the default is 120: pause between two checks of a resource"},
		{"no such tuning", edits{SetTuning{"", "LKCHECKINTERVALL", "9"}}, `no-such: no tuning name "LKCHECKINTERVALL" | did you mean "LKCHECKINTERVAL"?`},
		{"default again", edits{SetTuning{"", "CONFIRMSODEF", ""}}, "invalid: cluster \"service\" lies in more than one region, but CONFIRMSODEF is 0"},
	} {
		got := outcome(Make(estate(), toyKits(), c.edits...))
		if same := got == c.want; !same && (c.want == "" || !strings.Contains(got, c.want)) {
			t.Errorf("%s:\n got  %s\n want %s", c.what, got, c.want)
		}
	}
}

// second is another root above ec2.
var second = Create{Tag: "second", Kit: "app", Fields: map[string]string{"start": "/second"}, Needs: []string{"ec2"}}

func outcome(res *Result, err error) string {
	var own *Error
	switch {
	case errors.As(err, &own):
		return fmt.Sprintf("%s: %s | %s", own.Kind, own.Text, own.Fix)
	case err != nil:
		return "invalid: " + err.Error()
	}
	var lines []string
	for _, c := range res.Changes {
		line := c.Op + " " + c.What + " " + c.From
		if c.From != "" && c.To != "" {
			line += " → "
		}
		lines = append(lines, strings.TrimSpace(line+c.To))
	}
	return strings.Join(append(lines, res.Notes...), "; ")
}

func TestAsksOfAnExtend(t *testing.T) {
	asks, err := Asks(estate(), toyKits(), Extend{Tag: "www", Server: "LK_S_B"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range asks {
		got = append(got, fmt.Sprintf("%s %s=%s", a.Tag, a.Field.Name, a.Default))
	}
	want := []string{"service/ip address=10.2.0.10", "service/ip device=", "service/ec2 eni="}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// One address for all servers is not taken to another region without a word.
func TestAFieldForAllGoesToAnotherRegionWithAWord(t *testing.T) {
	near := Create{Tag: "service/vip", Kit: "ip", Fields: map[string]string{"address": "10.1.0.99"}, On: []Place{{Server: "LK_P_A"}}}
	res, err := Make(estate(), toyKits(), near, Extend{Tag: "vip", Server: "LK_S_A"})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"address of service/vip on LK_S_A, in another region, is the one that all servers have: 10.1.0.99"}; !reflect.DeepEqual(res.Notes, want) {
		t.Errorf("notes %q, want %q", res.Notes, want)
	}
	if res, err = Make(estate(), toyKits(), near, Extend{Tag: "vip", Server: "LK_P_B"}); err != nil || len(res.Notes) > 0 {
		t.Errorf("inside the region: %v, %v", res, err)
	}
}

func TestWhatIsOneMachinesAloneIsNotCopied(t *testing.T) {
	res, err := Make(estate(), toyKits(), Set{Tag: "ec2", Server: "LK_S_A", Fields: map[string]string{"eni": "eni-a"}}, Extend{Tag: "www", Server: "LK_S_B"})
	if err != nil {
		t.Fatal(err)
	}
	if p := hierarchy.NewIndex(res.Estate).Placement("service/ec2", "LK_S_B"); p.Attrs["eni"] != "" {
		t.Errorf("the new server got %q, the network interface of another", p.Attrs["eni"])
	}
	if want := []string{"LK_S_A has its own eni of service/ec2; LK_S_B has not"}; !reflect.DeepEqual(res.Notes, want) {
		t.Errorf("notes %q, want %q", res.Notes, want)
	}
}

func TestValuesTellWhoSetThem(t *testing.T) {
	res, err := Make(estate(), toyKits(), SetTuning{"LK_P_A", "LKCHECKINTERVAL", "360"}, SetTuning{"", "LCMHBEATTIME", "6"})
	if err != nil {
		t.Fatal(err)
	}
	x := hierarchy.NewIndexFor(res.Estate, toyKits())
	got := map[string]string{}
	for _, server := range []string{"", "LK_P_A", "LK_P_B"} {
		for _, v := range Values(x, hierarchy.Tunings(toyKits()), server) {
			got[server+" "+v.Name] = v.Value + " " + v.From
		}
	}
	for key, want := range map[string]string{
		" LKCHECKINTERVAL": "120 default", "LK_P_A LKCHECKINTERVAL": "360 server LK_P_A", "LK_P_B LKCHECKINTERVAL": "120 default",
		"LK_P_B LCMHBEATTIME": "6 all servers", " CONFIRMSODEF": "1 all servers", "LK_P_B QUORUM_MODE": "tcp_remote cluster's shape",
	} {
		if got[key] != want {
			t.Errorf("%s: got %q, want %q", key, got[key], want)
		}
	}
}
