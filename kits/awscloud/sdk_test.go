package awscloud_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"

	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
)

// The tests in this file let the SDK itself, with its own retries, paginators and waiters, talk to the simulated EC2:
// what Cloud does not use yet must be right too, and the simulation must not fit our own client only.

func sdk(s *ec2sim.Server) *ec2.Client {
	return ec2.New(ec2.Options{
		Region: region, HTTPClient: &http.Client{Transport: s.Transport()},
		Credentials: credentials.NewStaticCredentialsProvider("AKIAFERRY", "ferry-secret", ""),
	})
}

func sdkCode(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func TestSDKDryRunAndRouteErrors(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, _ := setup(t, ec2sim.Options{})
		api := sdk(s)
		create := func(dest, eni string, dry bool) error {
			_, err := api.CreateRoute(t.Context(), &ec2.CreateRouteInput{RouteTableId: aws.String("rtb-1"), DestinationCidrBlock: &dest, NetworkInterfaceId: &eni, DryRun: &dry})
			return err
		}
		remove := func(dest string) error {
			_, err := api.DeleteRoute(t.Context(), &ec2.DeleteRouteInput{RouteTableId: aws.String("rtb-1"), DestinationCidrBlock: &dest})
			return err
		}
		for _, test := range []struct {
			err  error
			want string
		}{
			{create("10.9.0.1/32", "eni-a", true), "DryRunOperation"},
			{create("10.9.0.1/32", "eni-a", false), "<nil>"},
			{create("10.9.0.1/32", "eni-a", false), "RouteAlreadyExists"},
			{create("10.9.0.2/32", "eni-none", false), "InvalidNetworkInterfaceID.NotFound"},
			{create("10.0.200.0/24", "eni-a", false), "InvalidParameterValue"},
			{remove("10.9.0.1/32"), "<nil>"},
			{remove("10.9.0.1/32"), "InvalidRoute.NotFound"},
			{remove("10.0.0.0/16"), "InvalidParameterValue"},
		} {
			if got := sdkCode(test.err); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		}
	})
}

func TestSDKPaginatorSeesEachTableOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, _ := setup(t, ec2sim.Options{})
		pages := ec2.NewDescribeRouteTablesPaginator(sdk(s), &ec2.DescribeRouteTablesInput{MaxResults: aws.Int32(5)})
		seen := map[string]int{}
		var sizes []int
		for pages.HasMorePages() {
			out, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, len(out.RouteTables))
			for _, table := range out.RouteTables {
				seen[*table.RouteTableId]++
			}
		}
		if fmt.Sprint(sizes) != "[5 2]" || len(seen) != 7 {
			t.Errorf("pages %v, tables %v", sizes, seen)
		}
	})
}

func TestSDKRetriesByItself(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, _ := setup(t, ec2sim.Options{})
		s.Inject(ec2sim.Throttle("*", 2))
		if _, err := sdk(s).DescribeVpcs(t.Context(), nil); err != nil || len(s.Calls()) != 3 {
			t.Errorf("%d calls, %v", len(s.Calls()), err)
		}
		// A mutation whose answer is lost is sent twice: two addresses are allocated for one question.
		s.ResetCalls()
		before := len(s.Snapshot().Regions[0].Addresses)
		s.Inject(ec2sim.Fault{Action: "AllocateAddress", DropAfter: true, Times: 1})
		if _, err := sdk(s).AllocateAddress(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if made := len(s.Snapshot().Regions[0].Addresses) - before; made != 2 {
			t.Errorf("%d addresses were allocated", made)
		}
	})
}

// TestSDKStopKinds: how long stopping lasts, and when the power really goes off.
func TestSDKStopKinds(t *testing.T) {
	for _, test := range []struct {
		what        string
		force, skip bool
		power, seen time.Duration
	}{
		{"plain", false, false, time.Minute, time.Minute},
		{"force tries a graceful shutdown first", true, false, 3 * time.Minute, 3 * time.Minute},
		{"skip the OS shutdown", false, true, 0, 45 * time.Second},
	} {
		t.Run(test.what, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				s, _ := setup(t, ec2sim.Options{Timings: ec2sim.TypicalTimings()})
				at := watch(s)
				api, began := sdk(s), time.Now()
				_, err := api.StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{"i-a"}, Force: &test.force, SkipOsShutdown: &test.skip})
				if err != nil {
					t.Fatal(err)
				}
				waiter := ec2.NewInstanceStoppedWaiter(api)
				if err := waiter.Wait(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{"i-a"}}, 10*time.Minute); err != nil {
					t.Fatal(err)
				}
				if p, s := at["power stopped"].Sub(began), at["state stopped"].Sub(began); p != test.power || s != test.seen {
					t.Errorf("power off after %s, stopped after %s; want %s, %s", p, s, test.power, test.seen)
				}
			})
		})
	}
}

// watch notes when each change of instance i-a was told.
func watch(s *ec2sim.Server) map[string]time.Time {
	at := map[string]time.Time{}
	s.OnChange(func(e ec2sim.Event) { at[string(e.Kind)+" "+e.To] = time.Now() })
	return at
}

func TestSDKStartGoesThroughPendingAndInitializing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, c := setup(t, ec2sim.Options{})
		set(t, s.SetInstanceState("i-a", ec2sim.Stopped))
		s.SetTimings(ec2sim.TypicalTimings())
		api := sdk(s)
		start := func() error {
			_, err := api.StartInstances(t.Context(), &ec2.StartInstancesInput{InstanceIds: []string{"i-a"}})
			return err
		}
		set(t, start())
		look := func(after time.Duration, want string) {
			t.Helper()
			time.Sleep(after)
			i, err := c.Instance(t.Context(), ferryKey(), "i-a")
			if got := i.State + " " + i.System; err != nil || got != want {
				t.Errorf("got %q, %v; want %q", got, err, want)
			}
		}
		look(time.Second, "pending not-applicable")
		look(30*time.Second, "running initializing")
		look(2*time.Minute, "running ok")
		if _, err := api.StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{"i-a"}}); err != nil {
			t.Fatal(err)
		}
		if got := sdkCode(start()); got != "IncorrectInstanceState" {
			t.Errorf("starting what is stopping: %s", got)
		}
	})
}

func TestSDKStopOfSeveralIsAllOrNothing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, c := setup(t, ec2sim.Options{})
		_, err := sdk(s).StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{"i-a", "i-none"}})
		if got := sdkCode(err); got != "InvalidInstanceID.NotFound" {
			t.Errorf("got %s", got)
		}
		time.Sleep(time.Hour)
		if state, err := c.InstanceState(context.Background(), region, "i-a"); err != nil || state != "running" {
			t.Errorf("i-a is %s, %v", state, err)
		}
	})
}

func TestSDKFilters(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, _ := setup(t, ec2sim.Options{})
		for name, value := range map[string]string{
			"vpc-id": "vpc-1", "association.subnet-id": "subnet-1", "association.main": "true", "route-table-id": "rtb-1",
			"route.destination-cidr-block": "10.1.0.10/32", "route.instance-id": "i-a", "route.state": "active",
		} {
			out, err := sdk(s).DescribeRouteTables(t.Context(), &ec2.DescribeRouteTablesInput{Filters: []types.Filter{
				{Name: aws.String(name), Values: []string{value}}, {Name: aws.String("tag:Name"), Values: []string{"Primary"}},
			}})
			if err != nil || len(out.RouteTables) != 1 || *out.RouteTables[0].RouteTableId != "rtb-1" {
				t.Errorf("%s=%s: %d tables, %v", name, value, len(out.RouteTables), err)
			}
		}
	})
}
