package ec2_test

import (
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/ec2"
)

func TestEligible(t *testing.T) {
	tests := []struct {
		what  string
		world func(*ec2sim.World)
		attrs map[string]string
		want  kits.Outcome
		code  string
		text  string
	}{
		{what: "all is well", want: kits.OK},
		{
			what: "source/dest check is on", want: kits.Failed, code: "ec2.source-dest-check",
			world: func(w *ec2sim.World) { w.Interface("eni-LK_P_B").SourceDestCheck = true },
			text:  "--region ap-northeast-1 --network-interface-id eni-LK_P_B --no-source-dest-check",
		},
		{what: "no such interface", attrs: map[string]string{"eni": "eni-none"}, want: kits.Failed, code: "ec2.no-eni", text: "correct the field eni of LK_P_B"},
		{what: "interface of another region", attrs: map[string]string{"eni": "eni-LK_S_A"}, want: kits.Failed, code: "ec2.no-eni"},
		{what: "interface of another node", attrs: map[string]string{"eni": "eni-LK_P_A"}, want: kits.Failed, code: "ec2.other-instance", text: "belongs to i-LK_P_A, not to i-LK_P_B"},
		{
			what: "detached", want: kits.Failed, code: "ec2.detached",
			world: func(w *ec2sim.World) { w.Interface("eni-LK_P_B").Instance = "" },
		},
		{
			what: "interface of another VPC", want: kits.Failed, code: "ec2.other-vpc",
			world: func(w *ec2sim.World) {
				r := &w.Regions[0]
				r.VPCs = append(r.VPCs, ec2sim.VPC{ID: "vpc-2", CIDRs: []string{"10.50.0.0/16"}})
				r.Subnets = append(r.Subnets, ec2sim.Subnet{ID: "subnet-2", VPC: "vpc-2", CIDR: "10.50.0.0/24"})
				w.Interface("eni-LK_P_B").Subnet = "subnet-2"
			},
		},
		{
			what: "credentials may not read tables", want: kits.Failed, code: "ec2.unauthorized",
			world: func(w *ec2sim.World) { w.Keys[0].Deny = []string{"DescribeRouteTables"} },
			text:  "allow ec2:DescribeRouteTables",
		},
		{
			what: "credentials are unknown", want: kits.Failed, code: "ec2.unauthorized",
			world: func(w *ec2sim.World) { w.Keys[0].ID = "AKIAOTHER" },
		},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				e := newEstate(t, test.world)
				in := e.service("LK_P_B")
				for k, v := range test.attrs {
					in.Attrs[k] = v
				}
				got := e.eligible(t, in)
				if got.Outcome != test.want || got.Reason.Code != test.code || !strings.Contains(got.Reason.Text, test.text) {
					t.Errorf("got %s, %q: %s", got.Outcome, got.Reason.Code, got.Reason.Text)
				}
			})
		})
	}
}

func eip(in *kits.Instance, text string) {
	in.Attrs["type"], in.Attrs["elastic_ip"] = "elastic-ip", text
}

// What is asked ahead warns, or says no where EC2 itself does; its doubt decides nothing.
func TestEligibleLooksAhead(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		in := e.service("LK_P_B")
		if got := e.eligible(t, in); got.Outcome != kits.OK || got.Reason.Code != "" {
			t.Errorf("all is well: %+v", got)
		}
		if err := e.SetInstanceState("i-LK_P_B", ec2sim.Stopped); err != nil {
			t.Fatal(err)
		}
		got := e.eligible(t, in)
		if got.Outcome != kits.OK || got.Reason.Code != "ec2.not-running" || !strings.Contains(got.Reason.Text, "stays a blackhole until EC2 sees it running") {
			t.Errorf("EC2 says stopped: %+v", got)
		}
		e.Inject(ec2sim.Fault{Action: "DescribeInstanceStatus", Code: "InternalError"})
		remove := e.Inject(ec2sim.Fault{Action: "ReplaceRoute", Code: "InternalError"})
		if got := e.eligible(t, in); got.Outcome != kits.OK || got.Reason.Code != "" {
			t.Errorf("in doubt: %+v", got)
		}
		remove()
		denied := newEstate(t, func(w *ec2sim.World) { w.Keys[0].Deny = []string{"ReplaceRoute"} })
		if got := denied.eligible(t, in); got.Outcome != kits.Failed || got.Reason.Code != "ec2.unauthorized" || !strings.Contains(got.Reason.Text, "allow ec2:ReplaceRoute") {
			t.Errorf("denied: %+v", got)
		}
		if got := e.targets("rtb-primary")[vip]; got != "eni-LK_P_A" {
			t.Errorf("a question changed the route: %s", got)
		}
	})
}

func TestValidate(t *testing.T) {
	e := &estate{}
	tests := []struct {
		what   string
		change func(*kits.Instance)
		want   string // in field or text; empty = no problem
	}{
		{"all is well", func(*kits.Instance) {}, ""},
		{"default route as destination", func(in *kits.Instance) { in.Attrs["destinations"] = "0.0.0.0/0" }, ""},
		{"elastic ip without one", func(in *kits.Instance) { in.Attrs["type"] = "elastic-ip" }, "no Elastic IP is named for LK_P_A"},
		{"elastic ip that is none", func(in *kits.Instance) { eip(in, "eip-1") }, "neither an allocation id nor a public address"},
		{"elastic ip by id", func(in *kits.Instance) { eip(in, "eipalloc-0a1b") }, ""},
		{"elastic ip by address", func(in *kits.Instance) { eip(in, "54.249.2.50"); in.Children = nil }, ""},
		{"elastic ip as offered", func(in *kits.Instance) { eip(in, "54.249.2.50 (eipalloc-0a1b)") }, ""},
		{"elastic ip with destinations", func(in *kits.Instance) { eip(in, "eipalloc-1"); in.Attrs["destinations"] = "10.2.0.0/16" }, "has no routed destinations"},
		{"elastic ip at no address", func(in *kits.Instance) { eip(in, "eipalloc-1"); in.Attrs["private_address"] = "here" }, "is not an IPv4 address"},
		{"no such type", func(in *kits.Instance) { in.Attrs["type"] = "igw" }, `"igw" is not a type`},
		{"no eni", func(in *kits.Instance) { in.Node.ENI = "" }, "the network interface of LK_P_A is not known"},
		{"an instance for an eni", func(in *kits.Instance) { in.Attrs["eni"] = "i-LK_P_A" }, "is not known"},
		{"no vpc", func(in *kits.Instance) { in.Node.VPC = "" }, "the VPC of LK_P_A is not known"},
		{"profile without a name", func(in *kits.Instance) { in.Attrs["credentials"] = "profile" }, "no profile is named"},
		{"nothing to protect", func(in *kits.Instance) { in.Children = nil }, "nothing says which destinations"},
		{"ip resource that is no child", func(in *kits.Instance) { in.Attrs["ip"] = "ip-other" }, "ip-other is not below"},
		{"ip resource by its short tag", func(in *kits.Instance) { in.Attrs["ip"] = "ip-route53" }, ""},
		{"ip resource not extended here", func(in *kits.Instance) { delete(in.Children[0].On, "LK_P_A") }, "has no IPv4 address on LK_P_A"},
		{"no block", func(in *kits.Instance) { in.Attrs["destinations"] = "10.2.0.0/16, 10.3" }, `"10.3" is not an IPv4 CIDR`},
		{"inside the VPC", func(in *kits.Instance) { in.Attrs["destinations"] = "10.0.5.0/24" }, "lies inside 10.0.0.0/16"},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			in := e.service("LK_P_A")
			test.change(&in)
			problems := ec2.Kit{}.Validate(in)
			switch {
			case test.want == "" && len(problems) > 0:
				t.Errorf("unexpected: %+v", problems)
			case test.want != "" && len(problems) != 1:
				t.Errorf("want one problem, got %+v", problems)
			case test.want != "" && (!strings.Contains(problems[0].Text, test.want) || problems[0].Fix == "" || problems[0].Node != "LK_P_A"):
				t.Errorf("got %+v", problems[0])
			}
		})
	}
}

func TestChoicesAreTheNodesOwnInterfaces(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		in := e.service("LK_P_B")
		got, err := e.kit.Choices(t.Context(), nil, in, ec2.FieldENI)
		if err != nil || len(got) != 1 || got[0] != "eni-LK_P_B" {
			t.Errorf("got %v, %v", got, err)
		}
		in.Node.Instance = ""
		if got, err := e.kit.Choices(t.Context(), nil, in, ec2.FieldENI); err != nil || len(got) != 4 {
			t.Errorf("got %v, %v", got, err)
		}
	})
}
