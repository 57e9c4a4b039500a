package route53_test

import (
	"context"
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/internal/sim/r53sim"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/cloud"
	"github.com/ferry-ha/ferry/kits/route53"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		what   string
		change func(*kits.Instance)
		field  string // empty = no problem
		text   string
		fix    string
	}{
		{"all is well", func(*kits.Instance) {}, "", "", ""},
		{"zone by name", func(in *kits.Instance) { in.Attrs["zone"] = "example.com" }, "", "", ""},
		{"private zone", func(in *kits.Instance) { in.Attrs["zone"] = "example.com (Z2, private)" }, "", "", ""},
		{"no zone", func(in *kits.Instance) { in.Attrs["zone"] = "" }, "zone", "no hosted zone is named", `zone = "example.com"`},
		{"zone by sentence", func(in *kits.Instance) { in.Attrs["zone"] = "the one with Z1" }, "zone", "is not a hosted zone", "example.com (Z0123456789ABC)"},
		{"no host", func(in *kits.Instance) { in.Attrs["host"] = "" }, "host", "no host name is given", `host = "www"`},
		{"host is the FQDN", func(in *kits.Instance) { in.Attrs["host"] = "www.example.com" }, "host", "holds the domain name", `write host = "www"`},
		{"host is the FQDN with a dot", func(in *kits.Instance) { in.Attrs["host"] = "WWW.Example.com." }, "host", "holds the domain name", `write host = "WWW"`},
		{"host is the domain", func(in *kits.Instance) { in.Attrs["host"] = "example.com" }, "host", "holds the domain name", `write host = "www"`},
		{"host ends in a dot", func(in *kits.Instance) { in.Attrs["host"] = "www." }, "host", "ends in a dot", `write host = "www"`},
		{"host of two labels", func(in *kits.Instance) { in.Attrs["host"] = "www.tokyo" }, "", "", ""},
		{"host that looks like the domain", func(in *kits.Instance) { in.Attrs["host"] = "myexample.com" }, "", "", ""},
		{"any host", func(in *kits.Instance) { in.Attrs["host"] = "*" }, "", "", ""},
		{"host with a blank", func(in *kits.Instance) { in.Attrs["host"] = "w w" }, "host", "is not a host name", "letters, digits and hyphens"},
		{"host with a dash first", func(in *kits.Instance) { in.Attrs["host"] = "-www" }, "host", "is not a host name", ""},
		{"label too long", func(in *kits.Instance) { in.Attrs["host"] = strings.Repeat("a", 64) }, "host", "is not a host name", ""},
		{"name too long", func(in *kits.Instance) { in.Attrs["host"] = strings.TrimSuffix(strings.Repeat("a23456789.", 25), ".") }, "host", "longer than 253", ""},
		{"no ip resource", func(in *kits.Instance) { in.Children = in.Children[:1] }, "ip", "no IP resource is below", "make the IP resource a child"},
		{"two ip resources", func(in *kits.Instance) {
			in.Children = append(in.Children, kits.Relative{Tag: "service/ip-2", Kit: "ip"})
		}, "ip", "does not say which is meant", ""},
		{"one of two", func(in *kits.Instance) {
			in.Children = append(in.Children, kits.Relative{Tag: "service/ip-2", Kit: "ip"})
			in.Attrs["ip"] = "ip-route53"
		}, "", "", ""},
		{"another's ip resource", func(in *kits.Instance) { in.Attrs["ip"] = "ip-2" }, "ip", "ip-2 is not below", ""},
		{"no address here", func(in *kits.Instance) { delete(in.Children[1].On, "LK_P_A") }, "ip", "has no IPv4 address on LK_P_A", ""},
		{"profile without a name", func(in *kits.Instance) { in.Attrs["credentials"] = "profile" }, "profile", "no profile is named", ""},
		{"no region", func(in *kits.Instance) { in.Node.Region = "" }, "", "the region of LK_P_A is not known", "set the server's region"},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			in := (&estate{zone: zoneText}).on("LK_P_A", "")
			test.change(&in)
			problems := route53.Kit{}.Validate(in)
			switch {
			case test.text == "" && len(problems) > 0:
				t.Errorf("unexpected: %+v", problems)
			case test.text == "":
			case len(problems) != 1:
				t.Errorf("want one problem, got %+v", problems)
			case problems[0].Field != test.field || !strings.Contains(problems[0].Text, test.text) || !strings.Contains(problems[0].Fix, test.fix) || problems[0].Fix == "" || problems[0].Node != "LK_P_A":
				t.Errorf("got %+v", problems[0])
			}
		})
	}
}

func TestEligible(t *testing.T) {
	record := func(r r53sim.Record) func(*r53sim.World) {
		return func(w *r53sim.World) {
			r.Name = wwwName
			w.Zones[1].Records = []r53sim.Record{r}
		}
	}
	tests := []struct {
		what  string
		zone  string
		world func(*r53sim.World)
		fault r53sim.Fault
		node  string
		want  kits.Outcome
		code  string
		text  string
	}{
		{what: "all is well", want: kits.OK},
		{what: "zone by its name", zone: "example.com", want: kits.OK},
		{what: "no record yet", world: func(w *r53sim.World) { w.Zones[1].Records = nil }, want: kits.OK},
		{what: "no such zone", zone: "example.com (ZNONE)", want: kits.Failed, code: "route53.not-found"},
		{what: "no zone of that name", zone: "example.jp", want: kits.Failed, code: "route53.not-found", text: "has no hosted zone example.jp"},
		{
			what: "two zones of that name", zone: "example.com", want: kits.Failed, code: "route53.refused", text: `write zone = "example.com (Z1EXAMPLE)"`,
			world: func(w *r53sim.World) {
				w.Zones = append(w.Zones, r53sim.Zone{ID: "Z2PRIVATE", Name: "example.com", VPCs: []r53sim.VPC{{Region: tokyo, ID: "vpc-1"}}})
			},
		},
		{what: "another zone's id", zone: "example.com (Z0OTHER)", want: kits.Failed, code: "route53.refused"},
		{what: "an alias", world: record(r53sim.Record{Type: "A", Alias: &r53sim.Alias{Zone: zoneID, Name: "www2.example.com"}}), want: kits.Failed, code: "route53.special", text: "an alias for www2.example.com"},
		{what: "a CNAME", world: record(r53sim.Record{Type: "CNAME", TTL: 10, Values: []string{"www2.example.com"}}), want: kits.Failed, code: "route53.cname"},
		{what: "denied, and to be changed", fault: r53sim.Fault{Code: "AccessDenied"}, want: kits.Failed, code: "route53.unauthorized"},
		{what: "denied, and right", fault: r53sim.Fault{Code: "AccessDenied"}, node: "LK_P_B", want: kits.OK, code: "route53.unauthorized"},
		{what: "Route 53 is down", fault: r53sim.Down(), want: kits.OK, code: "route53.unreachable", text: "may take the resource all the same"},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				e := newEstate(t, test.world)
				if test.zone != "" {
					e.zone = test.zone
				}
				if test.fault.Code != "" {
					e.Inject(test.fault)
				}
				node := test.node
				if node == "" {
					node = "LK_S_A"
				}
				got := e.eligible(t, node)
				if test.what == "another zone's id" { // a list in that zone begins nowhere near the name; GetHostedZone tells
					test.code = "route53.other-zone"
				}
				if got.Outcome != test.want || got.Reason.Code != test.code || !strings.Contains(got.Reason.Text, test.text) {
					t.Errorf("got %s, %q: %s", got.Outcome, got.Reason.Code, got.Reason.Text)
				}
				if w := e.Writes(); len(w) > 0 {
					t.Errorf("a question wrote %v", w)
				}
			})
		})
	}
}

func TestChoicesAreTheAccountsZones(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, func(w *r53sim.World) {
			w.Zones = append(w.Zones, r53sim.Zone{ID: "Z2PRIVATE", Name: "example.com", VPCs: []r53sim.VPC{{Region: tokyo, ID: "vpc-1"}}})
		})
		got, err := e.kit.Choices(t.Context(), nil, e.on("LK_P_A", ""), route53.FieldZone)
		want := []string{"example.com (Z1EXAMPLE)", "example.com (Z2PRIVATE, private)", "example.org (Z0OTHER)"}
		if slices.Sort(got); err != nil || !slices.Equal(got, want) {
			t.Errorf("got %v, %v", got, err)
		}
		for _, choice := range got { // what is offered is accepted
			in := e.on("LK_P_A", "")
			in.Attrs[route53.FieldZone] = choice
			if p := e.kit.Validate(in); len(p) > 0 {
				t.Errorf("%s: %+v", choice, p)
			}
		}
		if other, err := e.kit.Choices(t.Context(), nil, e.on("LK_P_A", ""), route53.FieldHost); err != nil || other != nil {
			t.Errorf("choices for the host name: %v, %v", other, err)
		}
	})
}

// An A record that somebody replaced by an alias is theirs: it is shown, and nothing is moved or written for it.
func TestSpecialRecordIsLeftAndShown(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, func(w *r53sim.World) {
			w.Zones[1].Records[0] = r53sim.Record{Name: wwwName, Type: "A", Alias: &r53sim.Alias{Zone: zoneID, Name: "www2.example.com"}}
		})
		want(t, e.check(t, "LK_P_A", "LK_P_A"), kits.OK, true, "route53.special")
		r := e.start(t, "LK_S_A")
		want(t, r, kits.Failed, false, "route53.special")
		if !r.Permanent || len(e.Writes()) > 0 {
			t.Errorf("%+v, written %v", r, e.Writes())
		}
	})
}

func TestPrivateZoneHasNoServersToAsk(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, func(w *r53sim.World) { w.Zones[1].VPCs = []r53sim.VPC{{Region: tokyo, ID: "vpc-1"}} })
		e.kit = e.kit.Asking(func(context.Context, cloud.Zone, string) ([]route53.Answer, error) {
			t.Error("a private zone's servers were asked")
			return nil, nil
		})
		want(t, e.start(t, "LK_S_A"), kits.OK, false, "route53.changed")
		want(t, e.check(t, "LK_S_A", "LK_S_A"), kits.OK, false, "")
	})
}

func TestPreviewTellsOldAndNew(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, nil)
		e.put(t, "192.0.2.5")
		got, err := e.kit.Preview(t.Context(), e.on("LK_S_A", "LK_P_A"))
		if err != nil || !slices.Equal(got, []kits.Effect{{Kind: "record", What: "www.example.com A, TTL 10 s", From: "192.0.2.5", To: standby}}) {
			t.Errorf("got %+v, %v", got, err)
		}
		e.put(t, standby)
		if got, err := e.kit.Preview(t.Context(), e.on("LK_S_A", "LK_P_A")); err != nil || len(got) != 0 {
			t.Errorf("got %+v, %v", got, err)
		}
		e.Inject(r53sim.Down())
		if _, err := e.kit.Preview(t.Context(), e.on("LK_S_A", "LK_P_A")); err == nil {
			t.Error("no error while Route 53 is down")
		}
		fx := e.kit.Effects(kits.ActStart, e.on("LK_S_A", "LK_P_A"))
		if !slices.Equal(fx, []kits.Effect{{Kind: "record", What: "www.example.com A, TTL 10 s", From: primary, To: standby}}) {
			t.Errorf("effects %+v", fx)
		}
	})
}

// The manual step is copied into a shell: a shell must read it as one command with the batch as it was meant.
func TestTheManualStepIsWhatAShellReads(t *testing.T) {
	for _, zone := range []string{zoneText, "example.com", "it's.example.com"} {
		inBubble(t, func(t *testing.T) {
			e := newEstate(t, nil)
			e.zone, e.mute = zone, true
			e.Inject(r53sim.Down())
			in := e.on("LK_S_A", "LK_S_A")
			in.Attrs[route53.FieldHost] = "*"
			command := e.act(t, kits.ActStart, in).Reason.Args["command"]
			words := shellWords(t, command)
			at := slices.Index(words, "--change-batch")
			var batch struct {
				Changes []struct {
					Action            string
					ResourceRecordSet struct {
						Name, Type      string
						TTL             int
						ResourceRecords []struct{ Value string }
					}
				}
			}
			if at < 0 || json.Unmarshal([]byte(words[at+1]), &batch) != nil || len(batch.Changes) != 1 {
				t.Fatalf("%q reads as %q", command, words)
			}
			set := batch.Changes[0].ResourceRecordSet
			if !strings.HasPrefix(set.Name, `\052.`) || set.Type != "A" || set.TTL != 10 || set.ResourceRecords[0].Value != standby {
				t.Errorf("the batch is %+v", batch)
			}
		})
	}
}

// shellWords lets a real shell split the command; the calls of the AWS command line inside are not made.
func shellWords(t *testing.T, command string) []string {
	t.Helper()
	script := `aws() { if [ "$2" = list-hosted-zones-by-name ]; then echo ZLOOKEDUP; else printf '%s\n' "$@"; fi; }` + "\n" + command
	out, err := exec.Command("/bin/sh", "-c", script).Output()
	if err != nil {
		t.Fatalf("%s: %v", command, err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}
