package route53_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ferry-ha/ferry/internal/sim/r53sim"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/awscloud"
	"github.com/ferry-ha/ferry/kits/cloud"
	"github.com/ferry-ha/ferry/kits/route53"
)

// The places of the seed's Figure 1.
const (
	tokyo, singapore = "ap-northeast-1", "ap-southeast-1"
	primary, standby = "10.1.0.10", "10.2.0.10"
	zoneID, wwwName  = "Z1EXAMPLE", "www.example.com"
	zoneText         = "example.com (Z1EXAMPLE)"
)

func world() r53sim.World {
	return r53sim.World{
		Keys: []r53sim.Key{{ID: "AKIAFERRY", Secret: "secret"}},
		Zones: []r53sim.Zone{
			{ID: "Z0OTHER", Name: "example.org"},
			{ID: zoneID, Name: "example.com", Records: []r53sim.Record{
				{Name: wwwName, Type: "A", TTL: 10, Values: []string{primary}},
				{Name: "www2.example.com", Type: "A", TTL: 10, Values: []string{"192.0.2.1"}},
			}},
		},
	}
}

// estate is the simulated Route 53 with the kit on top of it, over the real awscloud and the real SDK.
type estate struct {
	*r53sim.Server
	kit    route53.Kit
	tuning map[string]string
	zone   string
	// mute: the name servers cannot be asked.
	mute bool
}

// newEstate builds the estate; change may alter the world before. Credentials come from the environment, as on a
// laptop; nothing of the machine's own AWS configuration is read.
func newEstate(t *testing.T, change func(*r53sim.World)) *estate {
	t.Helper()
	w := world()
	if change != nil {
		change(&w)
	}
	s, err := r53sim.New(w, r53sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	e := &estate{Server: s, tuning: map[string]string{}, zone: zoneText}
	e.kit = route53.New(awscloud.New(awscloud.Options{Transport: s.Transport()})).Asking(e.ask)
	return e
}

// ask is what the zone's name servers say: what is INSYNC.
func (e *estate) ask(_ context.Context, zone cloud.Zone, name string) ([]route53.Answer, error) {
	if e.mute {
		return nil, errors.New("nobody can be asked")
	}
	var out []route53.Answer
	for _, z := range e.Served(r53sim.View{}) {
		if z.Private() || z.Name != zone.Name {
			continue
		}
		values, _ := z.Resolve(name, "A")
		for _, server := range z.NameServers {
			out = append(out, route53.Answer{Server: server, Addrs: values})
		}
	}
	return out, nil
}

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAFERRY")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	synctest.Test(t, test)
}

// on is the resource route53-www on a node; active is where it is in service.
func (e *estate) on(node, active string) kits.Instance {
	nodes := map[string]kits.Node{
		"LK_P_A": {Name: "LK_P_A", Region: tokyo}, "LK_P_B": {Name: "LK_P_B", Region: tokyo},
		"LK_S_A": {Name: "LK_S_A", Region: singapore}, "LK_S_B": {Name: "LK_S_B", Region: singapore},
	}
	address := func(a string) map[string]string { return map[string]string{"address": a} }
	return kits.Instance{
		Tag: "service/route53-www", Kit: "route53", Cluster: "service", Node: nodes[node], Nodes: nodes, Active: active,
		Attrs: map[string]string{route53.FieldZone: e.zone, route53.FieldHost: "www", route53.FieldCredentials: route53.CredRegion},
		Children: []kits.Relative{
			{Tag: "service/ec2-route53", Kit: "ec2"},
			{Tag: "service/ip-route53", Kit: "ip", On: map[string]map[string]string{
				"LK_P_A": address(primary), "LK_P_B": address(primary), "LK_S_A": address(standby), "LK_S_B": address(standby),
			}},
		},
		Regions: map[string]kits.Region{tokyo: {Name: tokyo}, singapore: {Name: singapore}},
		Tuning:  e.tuning,
	}
}

// start, check and the others run one action as the runner does: with the kit's own deadline.
func (e *estate) start(t *testing.T, node string) kits.Report {
	return e.act(t, kits.ActStart, e.on(node, node))
}

func (e *estate) check(t *testing.T, node, active string) kits.Report {
	return e.act(t, kits.ActCheck, e.on(node, active))
}

func (e *estate) act(t *testing.T, a kits.Action, in kits.Instance) kits.Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), e.kit.Timeout(a, in))
	defer cancel()
	do := map[kits.Action]func(context.Context, kits.Host, kits.Instance) kits.Report{
		kits.ActCheck: e.kit.Check, kits.ActStart: e.kit.Start, kits.ActStop: e.kit.Stop, kits.ActRecover: e.kit.Recover,
	}
	r := do[a](ctx, nil, in)
	if ctx.Err() != nil {
		t.Errorf("%s on %s took longer than its own deadline", a, in.Node.Name)
	}
	return r
}

func (e *estate) eligible(t *testing.T, node string) kits.Eligibility {
	t.Helper()
	in := e.on(node, "LK_P_A")
	ctx, cancel := context.WithTimeout(t.Context(), e.kit.Timeout(kits.ActEligible, in))
	defer cancel()
	return e.kit.Eligible(ctx, nil, in)
}

// holds is the record's value; "-" when there is none.
func (e *estate) holds() string {
	r, ok := e.Record(zoneID, wwwName, "A")
	if !ok {
		return "-"
	}
	return strings.Join(r.Values, ",")
}

// put plays a person with the console.
func (e *estate) put(t *testing.T, value string) {
	t.Helper()
	if err := e.SetRecord(zoneID, r53sim.Record{Name: wwwName, Type: "A", TTL: 10, Values: []string{value}}); err != nil {
		t.Fatal(err)
	}
}

// writes are the batches asked for.
func (e *estate) writes() []string {
	var out []string
	for _, c := range e.Writes() {
		out = append(out, c.Params["changes"])
	}
	return out
}

// want fails the test unless the report has this outcome, is impaired or not, and its reason has this code.
func want(t *testing.T, r kits.Report, o kits.Outcome, impaired bool, code string) {
	t.Helper()
	if r.Outcome != o || r.Impaired != impaired || r.Reason.Code != code {
		t.Fatalf("got %s (impaired %v), %q: %s\nwant %s (impaired %v), %q", r.Outcome, r.Impaired, r.Reason.Code, r.Reason.Text, o, impaired, code)
	}
}

func (e *estate) wantHeld(t *testing.T, value string) {
	t.Helper()
	if got := e.holds(); got != value {
		t.Fatalf("the record holds %s, want %s", got, value)
	}
}
