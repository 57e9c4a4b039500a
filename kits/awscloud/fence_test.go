package awscloud_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/kits/cloud"
)

func TestStopPullsThePlugAndIsVerified(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, c := setup(t, ec2sim.Options{Timings: ec2sim.TypicalTimings()})
		began := time.Now()
		var off time.Duration
		s.OnChange(func(e ec2sim.Event) {
			if e.Kind == ec2sim.PowerChanged {
				off = time.Since(began)
			}
		})
		if err := c.Stop(within(t, 5*time.Minute), region, "i-a"); err != nil {
			t.Fatal(err)
		}
		if off != 0 {
			t.Errorf("the power went off %s after the call", off)
		}
		if took := time.Since(began); took < 45*time.Second || took > 50*time.Second {
			t.Errorf("verified after %s, EC2 says stopped after 45 s", took)
		}
		if p := s.Writes()[0].Params; p["SkipOsShutdown"] != "true" {
			t.Errorf("stopped with %v", p)
		}
		if err := c.Stop(within(t, time.Minute), region, "i-a"); err != nil {
			t.Errorf("stopping what is stopped: %v", err)
		}
	})
}

func TestStopWhileTheAPIIsDownIsNotStopped(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, c := setup(t, ec2sim.Options{})
		s.Inject(ec2sim.Fault{Unreachable: true})
		wantError(t, "API down", c.Stop(within(t, time.Minute), region, "i-a"), cloud.Unreachable, "")
		s.ClearFaults()

		s.Inject(ec2sim.Fault{Action: "Describe*", Unreachable: true})
		err := c.Stop(within(t, time.Minute), region, "i-a") // the stop is accepted, but nobody can see it
		wantError(t, "accepted, not seen", err, cloud.Timeout, "")
		if !strings.Contains(err.Error(), "not stopped when the time was over") || !strings.Contains(err.Error(), "do not take it for off") {
			t.Errorf("it says: %v", err)
		}
	})
}

func TestStopThatDoesNotEndIsNotStopped(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		_, c := setup(t, ec2sim.Options{Timings: ec2sim.Timings{SkipOS: time.Hour}})
		err := c.Stop(within(t, 3*time.Minute), region, "i-a")
		wantError(t, "stopping for ever", err, cloud.Timeout, "")
		if !strings.Contains(err.Error(), "EC2 says stopping") {
			t.Errorf("it says: %v", err)
		}
	})
}

func TestStopIsVerifiedAcrossThrottling(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, c := setup(t, ec2sim.Options{Timings: ec2sim.Timings{SkipOS: 20 * time.Second}})
		s.Inject(ec2sim.Fault{Action: "Describe*", Code: "RequestLimitExceeded", After: 1, Times: 12})
		if err := c.Stop(within(t, 5*time.Minute), region, "i-a"); err != nil {
			t.Fatal(err)
		}
		wantError(t, "unknown instance", c.Stop(within(t, time.Minute), region, "i-none"), cloud.NotFound, "InvalidInstanceID.NotFound")
	})
}

// A fence must outlive a short outage of the API: the stop is asked for again.
func TestStopIsAskedForAgainAfterAnOutage(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, c := setup(t, ec2sim.Options{Timings: ec2sim.TypicalTimings()})
		remove := s.Inject(ec2sim.Fault{Unreachable: true})
		time.AfterFunc(40*time.Second, remove)
		if err := c.Stop(within(t, 5*time.Minute), region, "i-a"); err != nil {
			t.Fatal(err)
		}
		s.Inject(ec2sim.Fault{Action: "StopInstances", Hang: true})
		wantError(t, "no answer", c.Stop(within(t, time.Minute), region, "i-b"), cloud.Timeout, "")
	})
}

func TestStopFallsBackToForceWhereThePlugCannotBePulled(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, c := setup(t, ec2sim.Options{})
		s.Inject(ec2sim.Fault{Action: "StopInstances", Params: map[string]string{"SkipOsShutdown": "true"}, Code: "UnknownParameter", Message: "The parameter SkipOsShutdown is not recognized"})
		if err := c.Stop(within(t, time.Minute), region, "i-a"); err != nil {
			t.Fatal(err)
		}
		if w := s.Writes(); len(w) != 2 || w[1].Params["Force"] != "true" {
			t.Errorf("asked: %v", w)
		}
		s.Inject(ec2sim.Fault{Action: "StopInstances", Code: "UnauthorizedOperation"})
		wantError(t, "denied", c.Stop(within(t, time.Minute), region, "i-b"), cloud.Unauthorized, "UnauthorizedOperation")
	})
}
