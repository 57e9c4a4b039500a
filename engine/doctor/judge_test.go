package doctor_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/examples"
	"github.com/ferry-ha/ferry/internal/allkits"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/ec2"
	"github.com/ferry-ha/ferry/kits/route53"
)

var reg = allkits.Of(ec2.New(nil), route53.New(nil))

// estate is the example with the quorum hosts that it leaves to its reader.
func estate(t *testing.T) *hierarchy.Estate {
	t.Helper()
	e, err := config.Load(strings.NewReader(examples.CrossRegionOracle), "x.toml", reg)
	if err != nil {
		t.Fatal(err)
	}
	for i := range e.Cluster {
		e.Cluster[i].QuorumHosts = []string{"a:22", "b:22", "c:22"}
	}
	return e
}

func bad(e *hierarchy.Estate, ready ...doctor.Ready) []doctor.Finding {
	c := doctor.Case{Index: hierarchy.NewIndexFor(e, reg), Ready: ready, Nodes: map[string]*doctor.Facts{}}
	for _, r := range ready {
		c.Nodes[r.Node] = &doctor.Facts{}
	}
	return slices.DeleteFunc(doctor.Examine(c), func(f doctor.Finding) bool {
		return f.Verdict == doctor.Pass || len(ready) > 0 && f.Subject != doctor.OfKit
	})
}

// TestDefinitions: what is wrong in the definition itself, one thing at a time.
func TestDefinitions(t *testing.T) {
	if found := bad(estate(t)); len(found) > 0 {
		t.Fatalf("the right definition: %s %s", found[0].ID(), found[0].Reason.Text)
	}
	for name, test := range map[string]struct {
		change func(e *hierarchy.Estate)
		want   string
	}{
		"one zone":           {func(e *hierarchy.Estate) { e.Server("LK_P_B").Zone = "ap-northeast-1a" }, "estate.zones@service"},
		"no zone":            {func(e *hierarchy.Estate) { e.Server("VPN_S_A").Zone = "" }, "estate.zones@vpn-standby"},
		"overlapping blocks": {func(e *hierarchy.Estate) { e.Regions[1].CIDRs = []string{"10.0.128.0/17"} }, "estate.regions@service"},
		"no VPC":             {func(e *hierarchy.Estate) { e.Regions[0].VPC = "" }, "estate.regions@service"},
		"no witnesses":       {func(e *hierarchy.Estate) { e.Cluster[0].QuorumHosts = nil }, "estate.quorum@" + "service"},
		"two witnesses":      {func(e *hierarchy.Estate) { e.Cluster[0].QuorumHosts = []string{"a:22", "b:22"} }, "estate.quorum@service"},
		"crosses by itself": {func(e *hierarchy.Estate) {
			e.Cluster[0].AllowAutomaticCrossing = true
			e.Flags = append([]hierarchy.Flag{{Viewer: "LK_S_A", Peer: "LK_P_A"}}, e.Flags...)
		}, "estate.confirm@service"},
		"VIP inside the VPC":  {func(e *hierarchy.Estate) { placed(e, "ip-route53", "LK_P_A")["address"] = "10.0.3.3" }, "estate.virtual-ip@service/ip-route53"},
		"answered by default": {func(e *hierarchy.Estate) { e.Server("LK_S_B").Tuning["CONFIRMSODEF"] = "0" }, "estate.tuning@LK_S_B"},
		"checked too often":   {func(e *hierarchy.Estate) { e.Server("VPN_S_B").Tuning["LKCHECKINTERVAL"] = "120" }, "estate.tuning@VPN_S_B"},
	} {
		e := estate(t)
		test.change(e)
		found := bad(e)
		if len(found) != 1 || found[0].ID() != test.want || found[0].Fix.Text == "" {
			t.Errorf("%s: found %v, want %s", name, found, test.want)
		}
	}
}

func placed(e *hierarchy.Estate, tag, node string) map[string]string {
	r, err := e.Resource(tag)
	if err != nil {
		panic(err)
	}
	return r.Placement(node).Attrs
}

// TestKitsFixes: only what is known to be harmless may be run, whatever a node says.
func TestKitsFixes(t *testing.T) {
	for name, test := range map[string]struct {
		reason kits.Reason
		safe   bool
	}{
		"arrays":           {kits.Why("datakeeper.auto-assembly", "x"), true},
		"a unit":           {kits.Why("filesystem.unit", "x", "unit", "oradata.mount"), true},
		"an odd unit":      {kits.Why("filesystem.unit", "x", "unit", "a.mount; rm -rf /"), false},
		"an option":        {kits.Why("filesystem.unit", "x", "unit", "--root=/x"), false},
		"two lines":        {kits.Why("filesystem.unit", "x", "unit", "a.mount\nreboot"), false},
		"no unit":          {kits.Why("filesystem.unit", "x"), false},
		"fstab":            {kits.Why("filesystem.fstab", "x"), false},
		"another release":  {kits.Why("oracle.no-home", "x"), false},
		"a missing device": {kits.Why("filesystem.device-missing", "x"), false},
	} {
		kit, _, _ := strings.Cut(test.reason.Code, ".")
		tag := hierarchy.Tag("service/" + map[string]string{"datakeeper": "datakeeper-oradata", "filesystem": "oradata", "oracle": "ORCL"}[kit])
		found := bad(estate(t), doctor.Ready{Tag: tag, Node: "LK_S_B", Said: kits.Eligibility{Outcome: kits.Failed, Reason: test.reason}})
		if len(found) != 1 || found[0].Fix.Safe != test.safe || found[0].Verdict != doctor.Fail || (found[0].Fix.Command != "") != test.safe {
			t.Errorf("%s: %+v", name, found)
		}
	}
	unknown := bad(estate(t), doctor.Ready{Tag: "service/ORCL", Node: "LK_S_B"})
	if len(unknown) != 1 || unknown[0].Verdict != doctor.Unknown {
		t.Errorf("an answer that was not given: %+v", unknown)
	}
	if late := bad(estate(t), doctor.Ready{Tag: "service/datakeeper-oradata", Node: "LK_S_B", Said: kits.Eligibility{Outcome: kits.Failed, Reason: kits.Why("datakeeper.asynchronous", "x")}}); len(late) > 0 {
		t.Errorf("a copy that lags is no defect of the node: %+v", late)
	}
}

// TestPolicyHoldsWhatTheEstateUses, and nothing else.
func TestPolicyHoldsWhatTheEstateUses(t *testing.T) {
	e := estate(t)
	policy := func() string {
		b, err := doctor.IAMPolicy(hierarchy.NewIndexFor(e, reg))
		if err != nil || !json.Valid(b) {
			t.Fatalf("%v %s", err, b)
		}
		return string(b)
	}
	all := policy()
	for _, want := range []string{"ec2:ReplaceRoute", "ec2:CreateRoute", "route53:ChangeResourceRecordSets", "ec2:DescribeRouteTables", "ap-southeast-1", "network-interface/eni-lkpa", "arn:aws:"} {
		if !strings.Contains(all, want) {
			t.Errorf("no %s in %s", want, all)
		}
	}
	for _, not := range []string{"StopInstances", "AssociateAddress", `"ec2:*"`} {
		if strings.Contains(all, not) {
			t.Errorf("%s is in %s", not, all)
		}
	}
	e.Cluster[0].Fencing = "ec2-stop"
	if fenced := policy(); !strings.Contains(fenced, "ec2:StopInstances") || strings.Contains(fenced, "instance/i-vpnpa") || !strings.Contains(fenced, "instance/i-lkpa") {
		t.Error(fenced)
	}
	if s := doctor.Sudoers("ferry"); !strings.Contains(s, "\nferry ALL=(root) NOPASSWD: /bin/sh -s ferry-shell-1\n") {
		t.Error(s)
	}
	if got := doctor.Logins(hierarchy.NewIndex(e)); !slices.Equal(got, []string{"ferry"}) {
		t.Error(got)
	}
}
