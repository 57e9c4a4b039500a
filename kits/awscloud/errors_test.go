package awscloud_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/kits/awscloud"
	"github.com/ferry-ha/ferry/kits/cloud"
)

func wantError(t *testing.T, what string, err error, kind cloud.Kind, code string) {
	t.Helper()
	var e *cloud.Error
	if !errors.As(err, &e) {
		t.Errorf("%s: got %v, want a *cloud.Error", what, err)
		return
	}
	if e.Kind != kind || e.Code != code || e.Op == "" || e.Region == "" {
		t.Errorf("%s: got kind %s, code %q, op %q, region %q (%v); want %s, %q", what, e.Kind, e.Code, e.Op, e.Region, err, kind, code)
	}
}

func TestErrorsHaveTheirKind(t *testing.T) {
	tests := []struct {
		what  string
		fault ec2sim.Fault
		kind  cloud.Kind
		code  string
		calls int
		text  string
	}{
		{"throttled", ec2sim.Throttle("*", 0), cloud.Throttled, "RequestLimitExceeded", 0, "nothing is known until it answers again"},
		{"also throttled", ec2sim.Fault{Code: "Throttling"}, cloud.Throttled, "Throttling", 0, ""},
		{"auth failure", ec2sim.Fault{Code: "AuthFailure"}, cloud.Unauthorized, "AuthFailure", 1, "check the access key AKIAFERRY"},
		{"denied", ec2sim.Fault{Code: "UnauthorizedOperation"}, cloud.Unauthorized, "UnauthorizedOperation", 1, "allow ec2:DescribeRouteTables"},
		{"expired", ec2sim.Fault{Code: "RequestExpired"}, cloud.Unauthorized, "RequestExpired", 1, ""},
		{"not found", ec2sim.Fault{Code: "InvalidVpcID.NotFound"}, cloud.NotFound, "InvalidVpcID.NotFound", 1, "check the id and the region"},
		{"refused", ec2sim.Fault{Code: "InvalidParameterValue", Message: "no such thing"}, cloud.Refused, "InvalidParameterValue", 1, "no such thing"},
		{"server error", ec2sim.Fault{Code: "InternalError"}, cloud.Unreachable, "InternalError", 3, ""},
		{"unavailable", ec2sim.Fault{Code: "Unavailable"}, cloud.Unreachable, "Unavailable", 3, ""},
		{"connection dropped", ec2sim.Fault{Unreachable: true}, cloud.Unreachable, "", 3, "check the engine's way to the AWS API"},
		{"hangs", ec2sim.Fault{Hang: true}, cloud.Timeout, "", 1, ""},
		{"too slow", ec2sim.Fault{Delay: time.Minute}, cloud.Timeout, "", 1, ""},
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				s, c := setup(t, ec2sim.Options{})
				s.Inject(test.fault)
				began := time.Now()
				_, err := c.RouteTables(t.Context(), ferryKey(), "vpc-1")
				wantError(t, test.what, err, test.kind, test.code)
				for _, part := range []string{"DescribeRouteTables in ap-northeast-1 (vpc-1): " + string(test.kind), test.text} {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("%q is not in: %v", part, err)
					}
				}
				if strings.Contains(err.Error(), "ferry-secret") {
					t.Errorf("the secret is in: %v", err)
				}
				if took := time.Since(began); took > 15*time.Second {
					t.Errorf("took %s", took)
				}
				s.ClearFaults()
				synctest.Wait() // a call that was given up is logged when its handler ends
				if n := len(s.Calls()); test.calls > 0 && n != test.calls {
					t.Errorf("%d calls, want %d", n, test.calls)
				}
			})
		})
	}
}

func TestACallersDeadlineCounts(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		s, c := setup(t, ec2sim.Options{})
		s.Inject(ec2sim.Fault{Hang: true})
		began := time.Now()
		_, err := c.InstanceState(within(t, 2*time.Second), region, "i-a")
		wantError(t, "hangs", err, cloud.Timeout, "")
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestACallWithoutARegionIsRefused(t *testing.T) {
	_, err := awscloud.New(awscloud.Options{}).InstanceState(t.Context(), "", "i-a")
	wantError(t, "no region", err, cloud.Refused, "")
}
