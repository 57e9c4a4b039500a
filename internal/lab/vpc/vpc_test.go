package vpc_test

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/lab"
	"github.com/ferry-ha/ferry/internal/lab/vpc"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
)

var estate = lab.NewShared(lab.Options{})

func TestMain(m *testing.M) { os.Exit(estate.Main(m)) }

const (
	vip      = "10.1.0.10"
	stateLag = 1500 * time.Millisecond
)

// world is the lab's topology as EC2 describes it, with ids of its own. The primary region has a second route table, for the
// second zone's subnet.
func world(top lab.Topology) ec2sim.World {
	var w ec2sim.World
	for _, r := range top.Regions {
		vpcID, short := "vpc-"+r.Name, strings.Split(r.Name, "-")[1]
		er := ec2sim.Region{Name: r.Name, VPCs: []ec2sim.VPC{{ID: vpcID, CIDRs: []string{r.CIDR.String()}}}}
		for _, s := range r.Subnets {
			er.Subnets = append(er.Subnets, ec2sim.Subnet{ID: "subnet-" + s.Zone, VPC: vpcID, Zone: s.Zone, CIDR: s.CIDR.String()})
		}
		er.RouteTables = []ec2sim.RouteTable{{ID: "rtb-" + short, VPC: vpcID, Main: true}}
		if r.Name == lab.PrimaryRegion {
			er.RouteTables = append(er.RouteTables, ec2sim.RouteTable{ID: "rtb-second", VPC: vpcID, Subnets: []string{er.Subnets[1].ID}})
		}
		for _, g := range top.Guests {
			if g.Region != r.Name {
				continue
			}
			subnet := er.Subnets[0].ID
			if !r.Subnets[0].CIDR.Contains(g.Addr) {
				subnet = er.Subnets[1].ID
			}
			er.Instances = append(er.Instances, ec2sim.Instance{ID: "i-" + g.Name, Name: g.Name})
			er.Interfaces = append(er.Interfaces, ec2sim.Interface{ID: "eni-of-" + g.Name, Subnet: subnet, PrivateIP: g.Addr.String(), Instance: "i-" + g.Name})
		}
		w.Regions = append(w.Regions, er)
	}
	return w
}

type rig struct {
	*testing.T
	ctx  context.Context
	lab  *lab.Lab
	ec2  *ec2sim.Server
	link *vpc.Link
}

func newRig(t *testing.T) *rig {
	l := estate.Lab(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	ec2, err := ec2sim.New(world(l.Topology()), ec2sim.Options{StateLag: stateLag})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ec2.Close)
	r := &rig{T: t, ctx: ctx, lab: l, ec2: ec2}
	r.link, err = vpc.Follow(ctx, l, ec2, slog.Default())
	r.must(err)
	t.Cleanup(func() { r.must(r.link.Close()) })
	return r
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// serve makes a guest ready to answer for the virtual IP.
func (r *rig) serve(name string) {
	r.Helper()
	_, err := r.lab.Guest(name).Sh(r.ctx, "ip addr replace "+vip+"/32 dev "+lab.Interface+"\n"+lab.WWW().Start())
	r.must(err)
}

// route is what ReplaceRoute or CreateRoute does.
func (r *rig) route(table, guest string) {
	r.Helper()
	r.must(r.ec2.SetRoute(table, ec2sim.Route{Destination: vip + "/32", Interface: "eni-of-" + guest}))
}

// client asks from the first zone's subnet, which the main table serves; "" is no answer.
func (r *rig) client() string {
	r.Helper()
	got, _ := r.lab.Client().Ask(r.ctx, vip+":8080")
	return got
}

// second asks from the second zone's subnet, on the guest LK_P_B.
func (r *rig) second() string {
	r.Helper()
	out, err := r.lab.Guest("LK_P_B").Sh(r.ctx, "nc -w 1 "+vip+" 8080 </dev/null; true")
	r.must(err)
	return strings.TrimSpace(out)
}

func TestRoutersFollowEachTable(t *testing.T) {
	r := newRig(t)
	r.serve("LK_P_A")
	if got := r.client() + r.second(); got != "" {
		t.Fatalf("without a route %q answers", got)
	}
	r.route("rtb-northeast", "LK_P_A")
	if got := r.client(); got != "LK_P_A" {
		t.Errorf("the first zone's subnet gets %q by the main table", got)
	}
	if got := r.second(); got != "" {
		t.Errorf("the second zone's subnet gets %q, though its own table has no such route", got)
	}
	r.route("rtb-second", "LK_P_A")
	if got := r.second(); got != "LK_P_A" {
		t.Errorf("the second zone's subnet gets %q by its own table", got)
	}
	r.must(r.ec2.RemoveRoute("rtb-northeast", vip+"/32"))
	if c, s := r.client(), r.second(); c != "" || s != "LK_P_A" {
		t.Errorf("after the route left the main table: %q and %q", c, s)
	}
}

func TestStoppedInstanceLosesPower(t *testing.T) {
	r := newRig(t)
	r.serve("LK_P_A")
	r.route("rtb-northeast", "LK_P_A")
	r.must(r.ec2.SetInstanceState("i-LK_P_A", ec2sim.Stopped))
	if r.lab.Guest("LK_P_A").Running() {
		t.Error("the guest of a stopped instance has power")
	}
	r.must(r.ec2.SetInstanceState("i-LK_P_A", ec2sim.Running))
	r.must(r.lab.Guest("LK_P_A").WaitSSH(r.ctx))
	r.serve("LK_P_A")
	if got := r.client(); got != "LK_P_A" {
		t.Errorf("after the start %q answers", got)
	}
}

func TestEC2LearnsOfALostGuestLate(t *testing.T) {
	r := newRig(t)
	start := time.Now()
	r.must(r.link.PowerOff(r.ctx, "LK_P_B"))
	if r.lab.Guest("LK_P_B").Running() {
		t.Error("the guest has power")
	}
	saysState := func() ec2sim.State { w := r.ec2.Snapshot(); return w.Instance("i-LK_P_B").State }
	if got := saysState(); got != ec2sim.Running && time.Since(start) < stateLag {
		t.Errorf("EC2 knows %q before its lag is over", got)
	}
	for saysState() != ec2sim.Stopped {
		if r.ctx.Err() != nil {
			t.Fatal("EC2 never learned that the instance stopped")
		}
		time.Sleep(20 * time.Millisecond)
	}
	if took := time.Since(start); took < stateLag {
		t.Errorf("EC2 knew after %v, before its lag of %v", took, stateLag)
	}
	r.must(r.link.PowerOn(r.ctx, "LK_P_B"))
	r.must(r.lab.Guest("LK_P_B").WaitSSH(r.ctx))
}

func TestSourceDestCheckFollows(t *testing.T) {
	r := newRig(t)
	r.serve("LK_P_A")
	r.route("rtb-northeast", "LK_P_A")
	for _, on := range []bool{true, false} {
		r.must(r.ec2.SetSourceDestCheck("eni-of-LK_P_A", on))
		if got := r.client(); (got == "") != on {
			t.Errorf("source/dest check %t: %q answers", on, got)
		}
	}
}
