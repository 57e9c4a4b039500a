package awscloud_test

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/kits/cloud"
)

func dest(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func TestRouteTablesReadsAllPages(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, c := setup(t, ec2sim.Options{PageSize: 3})
		tables, err := c.RouteTables(t.Context(), ferryKey(), "vpc-1")
		if err != nil {
			t.Fatal(err)
		}
		if len(tables) != 7 || len(s.Calls()) != 3 {
			t.Errorf("%d tables in %d calls", len(tables), len(s.Calls()))
		}
		want := cloud.RouteTable{ID: "rtb-1", Name: "Primary", VPC: "vpc-1", Main: true, Subnets: []string{"subnet-1"}, Routes: []cloud.Route{
			{Destination: dest("10.0.0.0/16"), Other: "local"}, {Destination: dest("0.0.0.0/0"), Other: "igw-1"},
			{Destination: dest("10.1.0.10/32"), Interface: "eni-a", Instance: "i-a"},
		}}
		if !reflect.DeepEqual(tables[0], want) {
			t.Errorf("got  %+v\nwant %+v", tables[0], want)
		}
		if none, err := c.RouteTables(t.Context(), ferryKey(), "vpc-none"); err != nil || len(none) != 0 {
			t.Errorf("an unknown VPC gives %v, %v", none, err)
		}
	})
}

func TestBlackholeIsSeen(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, c := setup(t, ec2sim.Options{})
		if err := s.AttachInterface("eni-a", "", 0); err != nil {
			t.Fatal(err)
		}
		tables, err := c.RouteTables(t.Context(), ferryKey(), "vpc-1")
		if err != nil {
			t.Fatal(err)
		}
		r, _ := tables[0].To(dest("10.1.0.10/32"))
		if !r.Blackhole || r.Interface != "eni-a" || r.Instance != "" {
			t.Errorf("got %+v", r)
		}
	})
}

func TestPutRoute(t *testing.T) {
	lost := ec2sim.Fault{DropAfter: true, Times: 1}
	fault := func(action string) ec2sim.Fault { lost.Action = action; return lost }
	tests := []struct {
		what    string
		dest    string
		faults  []ec2sim.Fault
		actions []string
	}{
		{what: "replaces", dest: "10.1.0.10/32", actions: []string{"ReplaceRoute"}},
		{what: "creates what is missing", dest: "10.9.0.1/32", actions: []string{"ReplaceRoute", "CreateRoute"}},
		{what: "answer to the replace lost", dest: "10.1.0.10/32", faults: []ec2sim.Fault{fault("ReplaceRoute")}, actions: []string{"ReplaceRoute", "ReplaceRoute"}},
		{
			what: "answer to the create lost", dest: "10.9.0.1/32", faults: []ec2sim.Fault{fault("CreateRoute")},
			actions: []string{"ReplaceRoute", "CreateRoute", "CreateRoute", "ReplaceRoute"}, // RouteAlreadyExists: our own
		},
		{
			what: "throttled twice", dest: "10.1.0.10/32", faults: []ec2sim.Fault{ec2sim.Throttle("ReplaceRoute", 2)},
			actions: []string{"ReplaceRoute", "ReplaceRoute", "ReplaceRoute"},
		},
		{
			what: "somebody creates it meanwhile", dest: "10.1.0.10/32",
			faults:  []ec2sim.Fault{{Action: "ReplaceRoute", Times: 1, Code: "InvalidParameterValue", Message: "There is no route defined"}},
			actions: []string{"ReplaceRoute", "CreateRoute", "ReplaceRoute"},
		},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				s, c := setup(t, ec2sim.Options{})
				for _, f := range test.faults {
					s.Inject(f)
				}
				if err := c.PutRoute(t.Context(), ferryKey(), "rtb-1", dest(test.dest), "eni-b"); err != nil {
					t.Fatal(err)
				}
				var actions []string
				for _, call := range s.Calls() {
					actions = append(actions, call.Action)
				}
				w := s.Snapshot()
				if got := w.Table("rtb-1").Targets()[test.dest]; got != "eni-b" || !slices.Equal(actions, test.actions) {
					t.Errorf("the route points to %q after %v", got, actions)
				}
			})
		})
	}
}

func TestPutRouteSaysWhatWasRefused(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		_, c := setup(t, ec2sim.Options{})
		for what, test := range map[string]struct {
			table, dest, eni string
			kind             cloud.Kind
			code             string
		}{
			"unknown table":     {"rtb-none", "10.1.0.10/32", "eni-b", cloud.NotFound, "InvalidRouteTableID.NotFound"},
			"unknown interface": {"rtb-1", "10.1.0.10/32", "eni-none", cloud.NotFound, "InvalidNetworkInterfaceID.NotFound"},
			"inside the VPC":    {"rtb-1", "10.0.7.0/24", "eni-b", cloud.Refused, "InvalidParameterValue"},
		} {
			wantError(t, what, c.PutRoute(t.Context(), ferryKey(), test.table, dest(test.dest), test.eni), test.kind, test.code)
		}
	})
}

func TestInterfaceAndSourceDestCheck(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		_, c := setup(t, ec2sim.Options{})
		got, err := c.Interface(t.Context(), ferryKey(), "eni-a")
		want := cloud.Interface{ID: "eni-a", Name: "a", VPC: "vpc-1", Subnet: "subnet-1", Zone: region + "a", Instance: "i-a", Addresses: []string{"10.0.0.10", "10.0.0.11"}}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v", got, err)
		}
		if err := c.SetSourceDestCheck(t.Context(), ferryKey(), "eni-b", false); err != nil {
			t.Fatal(err)
		}
		all, err := c.Interfaces(t.Context(), ferryKey(), "vpc-1")
		if err != nil || len(all) != 2 || all[1].SourceDestCheck {
			t.Errorf("got %+v, %v", all, err)
		}
		_, err = c.Interface(t.Context(), ferryKey(), "eni-none")
		wantError(t, "unknown interface", err, cloud.NotFound, "InvalidNetworkInterfaceID.NotFound")
	})
}

// A dry run must tell what would be refused, and change nothing.
func TestMayPutRouteChangesNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, c := setup(t, ec2sim.Options{})
		if err := c.MayPutRoute(t.Context(), ferryKey(), "rtb-1", dest("10.1.0.10/32"), "eni-b"); err != nil {
			t.Error(err)
		}
		reader := ferryKey()
		reader.Key = cloud.KeyPair{ID: "AKIAREADER", Secret: "reader-secret"}
		wantError(t, "may not", c.MayPutRoute(t.Context(), reader, "rtb-1", dest("10.1.0.10/32"), "eni-b"), cloud.Unauthorized, "UnauthorizedOperation")
		w := s.Snapshot()
		if got := w.Table("rtb-1").Targets()["10.1.0.10/32"]; got != "eni-a" {
			t.Errorf("the route points to %s", got)
		}
	})
}

func TestThrottledCallsBackOffUntilTheDeadline(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, c := setup(t, ec2sim.Options{})
		s.Inject(ec2sim.Throttle("*", 0))
		began := time.Now()
		_, err := c.RouteTables(within(t, time.Minute), ferryKey(), "vpc-1")
		wantError(t, "throttled", err, cloud.Throttled, "RequestLimitExceeded")
		if took := time.Since(began); took < 10*time.Second || took > 15*time.Second {
			t.Errorf("gave up after %s; the timeout is 15 s", took)
		}
		var pauses []time.Duration
		calls := s.Calls()
		for i := 1; i < len(calls); i++ {
			pauses = append(pauses, calls[i].At.Sub(calls[i-1].At))
		}
		if len(pauses) < 5 || slices.Max(pauses) > 4*time.Second || pauses[0] > 100*time.Millisecond || slices.Min(pauses) < 50*time.Millisecond {
			t.Errorf("the pauses were %v", pauses)
		}
		for i, p := range pauses { // each between a half and the whole of 0.1 s · 2^i, capped at 4 s
			most := min(100*time.Millisecond<<i, 4*time.Second)
			if p > most || p < most/2 {
				t.Errorf("pause %d was %s, not between %s and %s", i, p, most/2, most)
			}
		}
	})
}
