package awscloud_test

import (
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/kits/cloud"
)

func TestInstanceStatesAndChecks(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, c := setup(t, ec2sim.Options{})
		state := func(want string) cloud.Instance {
			t.Helper()
			i, err := c.Instance(t.Context(), ferryKey(), "i-a")
			if err != nil || i.State != want {
				t.Fatalf("got %+v, %v; want %s", i, err, want)
			}
			return i
		}
		if i := state(cloud.StateRunning); i.System != "ok" || i.Checks != "ok" || time.Since(i.At) > time.Second {
			t.Errorf("got %+v", i)
		}
		set(t, s.SetStatusChecks("i-a", "insufficient-data", "impaired"))
		if i := state(cloud.StateRunning); i.System != cloud.StateUnknown || i.Checks != "impaired" {
			t.Errorf("insufficient-data must be unknown: %+v", i)
		}
		set(t, s.SetInstanceState("i-a", ec2sim.Stopped))
		if i := state(cloud.StateStopped); i.System != "not-applicable" {
			t.Errorf("got %+v", i)
		}
		set(t, s.SetInstanceState("i-a", ec2sim.Terminated))
		state(cloud.StateTerminated)
	})
}

// EC2 says running for a minute and more after a power-off.
func TestPowerOffIsSeenLate(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, c := setup(t, ec2sim.Options{StateLag: 90 * time.Second})
		set(t, s.SetInstanceState("i-a", ec2sim.Stopped))
		for _, step := range []struct {
			wait time.Duration
			want string
		}{{0, cloud.StateRunning}, {89 * time.Second, cloud.StateRunning}, {time.Second, cloud.StateStopped}} {
			time.Sleep(step.wait)
			if got, err := c.InstanceState(t.Context(), region, "i-a"); err != nil || got != step.want {
				t.Errorf("after %s: %s, %v; want %s", step.wait, got, err, step.want)
			}
		}
	})
}

func TestNotFoundIsNotTerminated(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, c := setup(t, ec2sim.Options{})
		state, err := c.InstanceState(t.Context(), region, "i-none")
		wantError(t, "unknown instance", err, cloud.NotFound, "InvalidInstanceID.NotFound")
		if state != "" {
			t.Errorf("a state was given: %q", state)
		}
		s.Inject(ec2sim.Fault{Action: "DescribeInstanceStatus", Empty: true})
		state, err = c.InstanceState(t.Context(), region, "i-a")
		wantError(t, "an empty answer", err, cloud.NotFound, "")
		if state != "" {
			t.Errorf("a state was given: %q", state)
		}
	})
}

func set(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
