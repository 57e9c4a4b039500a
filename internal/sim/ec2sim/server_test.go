package ec2sim_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/kits/awscloud"
	"github.com/ferry-ha/ferry/kits/cloud"
)

const tokyo = "ap-northeast-1"

func ferry() cloud.Access {
	return cloud.Access{Region: tokyo, Source: cloud.FromKey, Key: cloud.KeyPair{ID: "AKIAFERRY", Secret: "ferry-secret"}}
}

// inProcess is the endpoint with a client beside it, without a network.
func inProcess(t *testing.T, o ec2sim.Options) (*ec2sim.Server, *awscloud.Cloud) {
	t.Helper()
	s, err := ec2sim.New(figure1(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, awscloud.New(awscloud.Options{Transport: s.Transport()})
}

func put(t *testing.T, c *awscloud.Cloud, table, eni string) {
	t.Helper()
	if err := c.PutRoute(t.Context(), ferry(), table, netip.MustParsePrefix("10.1.0.10/32"), eni); err != nil {
		t.Fatal(err)
	}
}

// vipIn reads the virtual IP's target as a client sees it.
func vipIn(t *testing.T, c *awscloud.Cloud) string {
	t.Helper()
	tables, err := c.RouteTables(t.Context(), ferry(), "vpc-primary")
	if err != nil || len(tables) == 0 {
		t.Fatalf("%d tables, %v", len(tables), err)
	}
	r, _ := tables[0].To(netip.MustParsePrefix("10.1.0.10/32"))
	return r.Target()
}

func TestReadsMayLagWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := inProcess(t, ec2sim.Options{ReadLag: 5 * time.Second})
		put(t, c, "rtb-main", "eni-lkpb")
		for _, step := range []struct {
			wait time.Duration
			want string
		}{{0, "eni-lkpa"}, {4 * time.Second, "eni-lkpa"}, {time.Second, "eni-lkpb"}} {
			time.Sleep(step.wait)
			if got := vipIn(t, c); got != step.want {
				t.Errorf("after %s a read shows %s, want %s", step.wait, got, step.want)
			}
		}
		w := s.Snapshot()
		if got := w.Table("rtb-main").Targets()["10.1.0.10/32"]; got != "eni-lkpb" {
			t.Errorf("the snapshot lags too: %s", got)
		}
		s.SetReadLag(0)
		s.Inject(ec2sim.Fault{Action: "DescribeRouteTables", Stale: time.Minute, Times: 1})
		if first, second := vipIn(t, c), vipIn(t, c); first != "eni-lkpa" || second != "eni-lkpb" {
			t.Errorf("one stale read, then a fresh one: %s, %s", first, second)
		}
	})
}

func TestHooksHearEveryEffectiveChangeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := inProcess(t, ec2sim.Options{StateLag: time.Minute})
		var heard []string
		s.OnChange(func(e ec2sim.Event) {
			heard = append(heard, fmt.Sprintf("%s %s %s: %s -> %s by %q/%s", e.Kind, e.Subject, e.Destination, e.From, e.To, e.Action, e.Region))
			if e.Kind == ec2sim.RouteChanged && e.To == "eni-lkpb" { // a hook may call back
				if err := s.SetSourceDestCheck("eni-lkpb", false); err != nil {
					t.Error(err)
				}
			}
		})
		put(t, c, "rtb-main", "eni-lkpb")
		if len(heard) != 2 {
			t.Errorf("not told before the call was answered: %v", heard)
		}
		must(t, s.SetInstanceState("i-lkpa", ec2sim.Stopped))
		time.Sleep(61 * time.Second)
		must(t, s.RemoveRoute("rtb-main", "10.1.0.10/32"))
		want := []string{
			`route rtb-main 10.1.0.10/32: eni-lkpa -> eni-lkpb by "ReplaceRoute"/ap-northeast-1`,
			`source-dest-check eni-lkpb : true -> false by ""/ap-northeast-1`,
			`power i-lkpa : running -> stopped by ""/ap-northeast-1`,
			`state i-lkpa : running -> stopped by ""/ap-northeast-1`,
			`route rtb-main 10.1.0.10/32: eni-lkpb ->  by ""/ap-northeast-1`,
		}
		if !slices.Equal(heard, want) {
			t.Errorf("heard\n%s\nwant\n%s", strings.Join(heard, "\n"), strings.Join(want, "\n"))
		}
	})
}

// An instance that comes back before EC2 noticed that it was gone was never gone for EC2.
func TestShortPowerLossIsNeverNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := inProcess(t, ec2sim.Options{StateLag: time.Minute})
		must(t, s.SetInstanceState("i-lkpa", ec2sim.Stopped))
		time.Sleep(30 * time.Second)
		must(t, s.SetInstanceState("i-lkpa", ec2sim.Running))
		for range 10 {
			time.Sleep(15 * time.Second)
			if i, err := c.Instance(t.Context(), ferry(), "i-lkpa"); err != nil || i.State != cloud.StateRunning {
				t.Fatalf("EC2 says %s, %v", i.State, err)
			}
		}
	})
}

func TestFaultsHitWhatTheyName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := inProcess(t, ec2sim.Options{})
		refused := ec2sim.Fault{Action: "ReplaceRoute", Code: "IncorrectState", After: 1, Times: 1}
		remove := s.Inject(refused)
		put(t, c, "rtb-main", "eni-lkpb") // let through
		err := c.PutRoute(t.Context(), ferry(), "rtb-main", netip.MustParsePrefix("10.1.0.10/32"), "eni-lkpa")
		if cloud.KindOf(err) != cloud.Refused {
			t.Errorf("the second call got %v", err)
		}
		put(t, c, "rtb-main", "eni-lkpa") // over
		remove()
		remove() // twice does no harm
		for what, f := range map[string]ec2sim.Fault{
			"another region": {Region: "ap-southeast-1", Code: "IncorrectState"}, "another key": {KeyID: "AKIAREADER", Code: "IncorrectState"},
			"another action": {Action: "Create*", Code: "IncorrectState"}, "another table": {Params: map[string]string{"RouteTableId": "rtb-x"}, Code: "IncorrectState"},
		} {
			s.Inject(f)
			if err := c.PutRoute(t.Context(), ferry(), "rtb-main", netip.MustParsePrefix("10.1.0.10/32"), "eni-lkpb"); err != nil {
				t.Errorf("a fault for %s hit: %v", what, err)
			}
			s.ClearFaults()
		}
		began := time.Now()
		s.Inject(ec2sim.Fault{Delay: 3 * time.Second, Times: 1})
		put(t, c, "rtb-main", "eni-lkpa")
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("a delay of 3 s took %s", took)
		}
	})
}

func TestHangingCallsEndWhenTheFaultIsRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := inProcess(t, ec2sim.Options{})
		remove := s.Inject(ec2sim.Fault{Hang: true})
		time.AfterFunc(2*time.Second, remove)
		began := time.Now()
		put(t, c, "rtb-main", "eni-lkpb")
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestDroppedAfterTheEffectIsDoneAndLogged(t *testing.T) {
	for _, after := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s, c := inProcess(t, ec2sim.Options{})
			s.Inject(ec2sim.Fault{Action: "AssociateAddress", DropAfter: after, Unreachable: !after})
			err := c.PutAddress(t.Context(), ferry(), "eipalloc-1", "eni-vpnpa", "")
			if cloud.KindOf(err) != cloud.Unreachable {
				t.Errorf("the caller heard %v", err)
			}
			if done := s.Snapshot().Regions[0].Addresses[0].Interface == "eni-vpnpa"; done != after {
				t.Errorf("dropped after the effect: %v, effect there: %v", after, done)
			}
			for _, call := range s.Writes() {
				if !call.Dropped {
					t.Errorf("logged as %+v", call)
				}
			}
		})
	}
}

func TestCallsAreLoggedAndWritesToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := inProcess(t, ec2sim.Options{})
		vipIn(t, c)
		if len(s.Calls()) != 1 || len(s.Writes()) != 0 {
			t.Errorf("calls %v", s.Calls())
		}
		put(t, c, "rtb-main", "eni-lkpb")
		w := s.Writes()
		if len(w) != 1 || w[0].Action != "ReplaceRoute" || w[0].Params["RouteTableId"] != "rtb-main" || w[0].KeyID != "AKIAFERRY" ||
			w[0].Region != tokyo || w[0].Code != "" || !w[0].At.Equal(time.Now()) {
			t.Errorf("writes %+v", w)
		}
		s.ResetCalls()
		if len(s.Calls()) != 0 {
			t.Error("the log was not emptied")
		}
	})
}

func TestSnapshotIsACopy(t *testing.T) {
	s, _ := inProcess(t, ec2sim.Options{})
	w := s.Snapshot()
	w.Table("rtb-main").Routes[0].Destination = "1.2.3.0/24"
	w.Instance("i-lkpa").State = ec2sim.Terminated
	again := s.Snapshot()
	if again.Table("rtb-main").Route("1.2.3.0/24") != nil || again.Instance("i-lkpa").State != ec2sim.Running {
		t.Error("changing a snapshot changed the world")
	}
}

func TestSpecErrorsAreAllSaid(t *testing.T) {
	w := figure1()
	r := &w.Regions[0]
	r.Subnets[0].VPC = "vpc-none"
	r.Interfaces[0].Instance = "i-none"
	r.Interfaces[1].PrivateIP = "10.0.0.300"
	r.Instances[1].ID = r.Instances[0].ID
	r.RouteTables[1].Routes[0].Gateway = "igw-1"
	r.VPCs[0].CIDRs[0] = "10.0.0.1/16"
	_, err := ec2sim.New(w, ec2sim.Options{})
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{`unknown VPC "vpc-none"`, `unknown instance "i-none"`, "eni-lkpb has no private address", `"i-lkpa" is empty or used twice`, "exactly one target", `"10.0.0.1/16" is not a CIDR`} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in:\n%v", part, err)
		}
	}
}

func TestMutatorsNameWhatTheyDoNotKnow(t *testing.T) {
	s, _ := inProcess(t, ec2sim.Options{})
	for what, err := range map[string]error{
		"i-none": s.SetInstanceState("i-none", ec2sim.Stopped), "pending": s.SetInstanceState("i-lkpa", ec2sim.Pending),
		"i-none ": s.SetStatusChecks("i-none ", "ok", "ok"), "rtb-none": s.SetRoute("rtb-none", ec2sim.Route{}), "10.99.0.0/16": s.RemoveRoute("rtb-main", "10.99.0.0/16"),
		"eni-none": s.AttachInterface("eni-none", "", 0), "eni-none ": s.SetSourceDestCheck("eni-none ", true),
	} {
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%q: %v", what, err)
		}
	}
}

// TestConcurrentUse is for the race detector: many clients, hooks and mutators at once.
func TestConcurrentUse(t *testing.T) {
	s, url := serve(t, ec2sim.Options{})
	c := awscloud.New(awscloud.Options{})
	a := ferry()
	a.Endpoint = url
	told := 0
	s.OnChange(func(e ec2sim.Event) {
		if e.Kind == ec2sim.RouteChanged {
			told++
		}
	})
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			for range 5 {
				eni := []string{"eni-lkpa", "eni-lkpb"}[n%2]
				if err := c.PutRoute(t.Context(), a, "rtb-main", netip.MustParsePrefix("10.1.0.10/32"), eni); err != nil {
					t.Error(err)
				}
				if _, err := c.RouteTables(t.Context(), a, "vpc-primary"); err != nil {
					t.Error(err)
				}
				s.Snapshot()
			}
		})
	}
	wg.Wait()
	s.Close()
	if told != 40 || len(s.Writes()) != 40 {
		t.Errorf("%d changes told, %d writes logged", told, len(s.Writes()))
	}
}

func TestRubbishIsRefusedNotServed(t *testing.T) {
	_, url := serve(t, ec2sim.Options{})
	for what, body := range map[string]string{"no signature": "Action=DescribeVpcs&Version=2016-11-15", "no query": "%zz", "nothing": ""} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
		must(t, err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		var b bytes.Buffer
		_, _ = b.ReadFrom(resp.Body)
		resp.Body.Close()
		if resp.StatusCode < 400 || !strings.Contains(b.String(), "<Errors><Error><Code>") {
			t.Errorf("%s: %d %s", what, resp.StatusCode, b.String())
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
