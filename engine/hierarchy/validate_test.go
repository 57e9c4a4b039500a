package hierarchy

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// badDefinitions are the ways in which a definition can be wrong, each as a change
// to a good one. The words that a person reads stand in testdata/problems.golden.
var badDefinitions = []struct {
	what   string
	change func(e *Estate)
}{
	{"a good definition", func(*Estate) {}},
	{"no name", func(e *Estate) { e.Name = "" }},
	{"region: odd name", func(e *Estate) { e.Regions[0].Name = "ap north" }},
	{"region: twice", func(e *Estate) { e.Regions = append(e.Regions, e.Regions[0]) }},
	{"region: no network", func(e *Estate) { e.Regions[0].CIDRs = []string{"10.0.0.1/16"} }},
	{"region: endpoint with a password", func(e *Estate) { e.Regions[0].EndpointEC2 = "https://u:p@h" }},
	{"server: name with a control character", func(e *Estate) { e.Servers[0].Name = "LK\x1b[2J" }},
	{"server: twice", func(e *Estate) { e.Servers = append(e.Servers, e.Servers[1]) }},
	{"server: unknown region", func(e *Estate) { e.Servers[0].Region = "ap-notheast-1" }},
	{"server: no region and no address", func(e *Estate) { e.Servers[4].Region, e.Servers[4].Address = "", "" }},
	{"server: same address twice", func(e *Estate) { e.Servers[1].Address = "10.0.0.10" }},
	{"server: a name for an address", func(e *Estate) { e.Servers[1].Address = "lk-p-b.example" }},
	{"server: an option for a host", func(e *Estate) { e.Servers[0].Connect = "-oProxyCommand=x" }},
	{"server: port", func(e *Estate) { e.Servers[0].SSH.Port = 70000 }},
	{"server: in no cluster", func(e *Estate) { e.Cluster[1].Servers = []string{"VPN_P_A"} }},
	{"cluster: unknown server", func(e *Estate) { e.Cluster[1].Servers[1] = "VPN_P_C" }},
	{"cluster: server of another one", func(e *Estate) { e.Cluster[1].Servers = append(e.Cluster[1].Servers, "LK_P_A") }},
	{"cluster: server twice", func(e *Estate) { e.Cluster[1].Servers = append(e.Cluster[1].Servers, "VPN_P_A") }},
	{"cluster: no servers", func(e *Estate) { e.Cluster = append(e.Cluster, Cluster{Name: "empty"}) }},
	{"cluster: twice", func(e *Estate) { e.Cluster = append(e.Cluster, Cluster{Name: "service"}) }},
	{"cluster: quorum mode", func(e *Estate) { e.Cluster[0].QuorumMode = "majorty" }},
	{"cluster: two quorum hosts", func(e *Estate) { e.Cluster[1].QuorumHosts = []string{"10.9.0.1:22", "10.9.0.2"} }},
	{"cluster: tcp_remote without hosts", func(e *Estate) { e.Cluster[1].QuorumMode = TCPRemote }},
	{"cluster: quorum host counted twice", func(e *Estate) { e.Cluster[1].QuorumHosts = []string{"a:1", "b:1", "a:1"} }},
	{"cluster: fencing", func(e *Estate) { e.Cluster[1].Fencing = "ipmi" }},
	{"cluster: fencing without instance ids", func(e *Estate) { e.Cluster[1].Fencing = "ec2-stop" }},
	{"path: not of this cluster, no address, via nothing", func(e *Estate) {
		e.Paths = []CommPath{{Cluster: "vpn-primary", From: "VPN_P_A", To: "LK_P_A", ToAddr: "somewhere", Via: "service/wwv"}}
	}},
	{"path: twice, back to itself", func(e *Estate) {
		p := CommPath{Cluster: "vpn-primary", From: "VPN_P_A", To: "VPN_P_A", ToAddr: "10.0.0.5", Priority: -1}
		e.Paths = []CommPath{p, p, {Cluster: "none"}}
	}},
	{"resource: same tag twice", func(e *Estate) { e.Res = append(e.Res, e.Res[1]) }},
	{"resource: odd tag", func(e *Estate) { e.Res[0].Tag = "service/www;reboot" }},
	{"resource: tag of another cluster", func(e *Estate) { e.Res[0].Tag = "other/www" }},
	{"resource: cluster named twice", func(e *Estate) { e.Res[0].Tag = "service/service/www" }},
	{"resource: unknown cluster", func(e *Estate) { e.Res[0].Tag, e.Res[0].Cluster = "servcie/www", "servcie" }},
	{"resource: unknown kit", func(e *Estate) { e.Res[1].Kit = "ipp" }},
	{"resource: no kit", func(e *Estate) { e.Res[1].Kit = "" }},
	{"resource: switchback", func(e *Estate) { e.Res[0].Switchback = "auto" }},
	{"resource: automatic switchback over a mirror", func(e *Estate) {
		e.Res[0].Switchback, e.Res[2].Kit = Automatic, "mirror"
	}},
	{"resource: unknown child", func(e *Estate) { e.Res[0].Children = []Tag{"service/ec2-rout53"} }},
	{"resource: child deleted", func(e *Estate) { e.Res = e.Res[:1] }},
	{"resource: child twice", func(e *Estate) { e.Res[0].Children = append(e.Res[0].Children, "service/ec2-route53") }},
	{"resource: child in another cluster", func(e *Estate) {
		e.Res = append(e.Res, Resource{Tag: "vpn-primary/x", Kit: "mirror", Cluster: "vpn-primary",
			On: []Placement{{Server: "VPN_P_A", Priority: 1}}, Children: []Tag{"service/ip-route53"}})
	}},
	{"resource: cycle", func(e *Estate) { e.Res[1].Children = []Tag{"service/www"} }},
	{"resource: needs itself", func(e *Estate) { e.Res[1].Children = []Tag{"service/ip-route53"} }},
	{"resource: on no server", func(e *Estate) { e.Res = []Resource{{Tag: "service/m", Kit: "mirror", Cluster: "service"}} }},
	{"resource: on an unknown server", func(e *Estate) { e.Res[0].On[0].Server = "LK_P_C" }},
	{"resource: on one server twice", func(e *Estate) { e.Res[1].On[1].Server = "LK_P_A" }},
	{"resource: same priority twice", func(e *Estate) { e.Res[0].On[3].Priority = 3 }},
	{"resource: priority 0", func(e *Estate) { e.Res[0].On[0].Priority = 0 }},
	{"resource: parent where the child is not", func(e *Estate) { e.Res[1].On = e.Res[1].On[:3] }},
	{"resource: child where the root is not", func(e *Estate) { e.Res[0].On = e.Res[0].On[:3] }},
	{"resource: one of two roots not extended", func(e *Estate) {
		e.Res = append(e.Res, Resource{Tag: "service/second", Kit: "mirror", Cluster: "service", Children: []Tag{"service/ec2-route53"}, On: e.Res[0].On[:2]})
	}},
	{"field: unknown", func(e *Estate) { e.Res[1].Attrs = map[string]string{"netmsk": "255.255.255.255"} }},
	{"field: required", func(e *Estate) { e.Res[0].Attrs = nil }},
	{"field: required on some servers", func(e *Estate) { e.Res[1].On[2].Attrs = nil }},
	{"field: own value where there is one for all", func(e *Estate) { e.Res[0].On[2].Attrs = map[string]string{"start": "/x"} }},
	{"field: kinds", func(e *Estate) {
		e.Res[0].Attrs = map[string]string{"start": "/a\x00b", "start_timeout": "soon", "quiet": "yes", "allow": "10.0.0.0/8,10.0.0.1/8"}
		e.Res[1].Attrs = map[string]string{"netmask": "255.0.255.0"}
		e.Res[1].On[0].Attrs["address"] = "10.1.0.300"
		e.Res[2].Attrs = map[string]string{"type": "route", "ip": "ip-rout53"}
	}},
	{"field: virtual IP inside the CIDR", func(e *Estate) {
		for i := range 2 {
			e.Res[1].On[i].Attrs["address"] = "10.0.0.99"
		}
	}},
	{"field: virtual IP used twice", func(e *Estate) {
		e.Res = append(e.Res, Resource{Tag: "service/ip2", Kit: "ip", Cluster: "service", Attrs: map[string]string{"address": "10.2.0.10"}, On: e.Res[0].On})
	}},
	{"field: virtual IP is a server's address", func(e *Estate) {
		e.Regions[0].CIDRs = nil
		e.Res[1].On[0].Attrs["address"] = "10.0.0.5"
	}},
	{"flag: unknown server", func(e *Estate) { e.Flags = []Flag{{Viewer: "LK_P_A", Peer: "LK_S_C", Confirm: true}} }},
	{"flag: no common cluster", func(e *Estate) { e.Flags = []Flag{{Viewer: "LK_P_A", Peer: "VPN_P_A", Confirm: true}} }},
	{"flag: twice", func(e *Estate) {
		e.Flags = []Flag{{Viewer: "LK_P_A", Peer: "LK_P_B"}, {Viewer: "LK_P_A", Peer: "LK_P_B", Confirm: true}}
	}},
	{"flag: confirm missing across regions", func(e *Estate) { e.Flags = []Flag{{Viewer: "LK_S_A", Peer: "LK_P_A"}} }},
	{"flag: confirm missing, and that is wanted", func(e *Estate) {
		e.Flags, e.Cluster[0].AllowAutomaticCrossing = []Flag{{Viewer: "LK_S_A", Peer: "LK_P_A"}}, true
	}},
	{"tuning: CONFIRMSODEF left at its default", func(e *Estate) { e.Tuning = nil }},
	{"tuning: CONFIRMSODEF 0 on one server", func(e *Estate) { e.Servers[2].Tuning = map[string]string{"CONFIRMSODEF": "0"} }},
	{"tuning: CONFIRMSODEF 0, and that is wanted", func(e *Estate) { e.Tuning, e.Cluster[0].AllowAutomaticCrossing = nil, true }},
	{"tuning: unknown name, bad values", func(e *Estate) {
		e.Tuning["LKCHECKINTERVALL"] = "120"
		e.Servers[0].Tuning = map[string]string{"LKCHECKINTERVAL": "0", "LCMNUMHBEATS": "three", "NOBCASTPING": "2", "QUORUM_MODE": "all", "CONFIRMSOTO": "1.5s", "QUORUM_HOSTS": "a"}
	}},
}

func TestProblemsInWords(t *testing.T) {
	var b strings.Builder
	for _, c := range badDefinitions {
		e := figure1()
		c.change(e)
		fmt.Fprintf(&b, "== %s\n", c.what)
		for _, p := range Validate(e, toyKits()) {
			fmt.Fprintf(&b, "%s\n  at  %s\n  fix %s\n", p.Text, strings.Join(p.At, " > "), p.Fix)
		}
		b.WriteString("\n")
	}
	golden(t, "problems.golden", b.String())
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *rewrite {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("differs from %s; see what changed with -rewrite and git diff. Got:\n%s", file, got)
	}
}

func TestEveryBadDefinitionIsRefused(t *testing.T) {
	for _, c := range badDefinitions {
		e := figure1()
		c.change(e)
		good := c.what == "a good definition" || strings.HasSuffix(c.what, "and that is wanted")
		if problems := Validate(e, toyKits()); (len(problems) == 0) != good {
			t.Errorf("%s: %d problems: %v", c.what, len(problems), problems)
		}
	}
}

func TestCheckDelete(t *testing.T) {
	x := NewIndex(figure1())
	if p := x.CheckDelete("service/ip-route53"); len(p) != 1 ||
		p[0].Text != "resource service/ip-route53 cannot be deleted: service/ec2-route53 needs it" {
		t.Errorf("a child: %v", p)
	}
	if p := x.CheckDelete("service/www"); p != nil {
		t.Errorf("a root: %v", p)
	}
	if p := x.CheckDelete(x.Hierarchy("service/www")...); p != nil {
		t.Errorf("the whole hierarchy: %v", p)
	}
}

func TestTuningTableMatchesItsOwnRules(t *testing.T) {
	for _, row := range TuningTable() {
		if row.Default == "" {
			continue
		}
		if v, err := row.Fix(row.Default); err != nil || v != row.Default {
			t.Errorf("%s: default %q becomes %q, %v", row.Name, row.Default, v, err)
		}
	}
	row, _ := TuningFor(LKCheckInterval, nil)
	for in, want := range map[string]string{"360": "360", "6m": "360", " 90s ": "90"} {
		if got, err := row.Fix(in); err != nil || got != want {
			t.Errorf("%q: got %q, %v", in, got, err)
		}
	}
}

func TestClosest(t *testing.T) {
	names := []string{"LK_P_A", "LK_P_B", "VPN_P_A", "switchback"}
	for in, want := range map[string]string{"LK_PA": "LK_P_A", "lk_p_b": "LK_P_B", "swichtback": "switchback", "elephant": "", "x": ""} {
		if got := Closest(in, names); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
