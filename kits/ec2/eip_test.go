package ec2_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/ec2"
)

const (
	allocation = "eipalloc-front"
	public     = "54.249.2.50"
)

// withAddress gives the account an Elastic IP for the frontend nodes, on LK_P_A, and one that is free.
func withAddress(w *ec2sim.World) {
	r := &w.Regions[0]
	r.Addresses = []ec2sim.Address{
		{AllocationID: "eipalloc-free", PublicIP: "54.249.2.51"},
		{AllocationID: allocation, PublicIP: public, Association: "eipassoc-0", Interface: "eni-LK_P_A", PrivateIP: "10.0.0.10"},
	}
	w.Interface("eni-LK_P_B").SecondaryIPs = []string{"10.0.10.77"}
	w.Interface("eni-LK_P_B").SourceDestCheck = true // which an Elastic IP does not mind
}

// front is the resource ec2-front on a node; active is where it is in service.
func (e *estate) front(node, active string) kits.Instance {
	in := e.instance(node, "front/ec2-front", "front")
	in.Attrs = map[string]string{ec2.FieldType: ec2.TypeElasticIP, ec2.FieldElasticIP: allocation}
	in.On = map[string]map[string]string{"LK_P_A": {}, "LK_P_B": {}}
	in.Active = active
	return in
}

// at is where the Elastic IP is: interface and private address.
func (e *estate) at() string {
	a := e.Snapshot().Regions[0].Addresses[1]
	return a.Interface + " " + a.PrivateIP
}

func TestElasticIPMovesToTheENIAndIsSeenThere(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, withAddress)
		for _, form := range []string{allocation, public, public + " (" + allocation + ")"} {
			for _, node := range []string{"LK_P_B", "LK_P_A"} {
				in := e.front(node, node)
				in.Attrs[ec2.FieldElasticIP] = form
				want(t, e.act(t, kits.ActStart, in), kits.OK, "")
				want(t, e.act(t, kits.ActCheck, in), kits.OK, "")
				if want := map[string]string{"LK_P_A": "eni-LK_P_A 10.0.0.10", "LK_P_B": "eni-LK_P_B 10.0.10.10"}[node]; e.at() != want {
					t.Errorf("the address is at %s, want %s", e.at(), want)
				}
			}
		}
		for _, c := range e.Writes() {
			if c.Params["InstanceId"] != "" || c.Params["NetworkInterfaceId"] == "" || c.Params["AllocationId"] != allocation || c.Params["AllowReassociation"] != "true" {
				t.Errorf("%s with %v", c.Action, c.Params)
			}
		}
		want(t, e.act(t, kits.ActStop, e.front("LK_P_A", "LK_P_A")), kits.OK, "ec2.left")
		if e.at() != "eni-LK_P_A 10.0.0.10" {
			t.Errorf("after the stop the address is at %s", e.at())
		}
	})
}

func TestElasticIPAtAGivenPrivateAddress(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, withAddress)
		in := e.front("LK_P_B", "LK_P_B")
		want(t, e.act(t, kits.ActStart, in), kits.OK, "")
		in.Attrs[ec2.FieldPrivate] = "10.0.10.77"
		r := e.act(t, kits.ActCheck, in) // right interface, wrong address
		want(t, r, kits.Failed, "ec2.other-target")
		if !strings.Contains(r.Reason.Text, "is associated with eni-LK_P_B (LK_P_B) at 10.0.10.10 instead of eni-LK_P_B (LK_P_B) at 10.0.10.77") {
			t.Errorf("it says: %s", r.Reason.Text)
		}
		want(t, e.act(t, kits.ActRecover, in), kits.OK, "")
		if e.at() != "eni-LK_P_B 10.0.10.77" {
			t.Errorf("the address is at %s", e.at())
		}
		if got, err := e.kit.Choices(t.Context(), nil, in, ec2.FieldPrivate); err != nil || !slices.Equal(got, []string{"10.0.10.10", "10.0.10.77"}) {
			t.Errorf("choices %v, %v", got, err)
		}
		in.Attrs[ec2.FieldPrivate] = "10.0.10.99"
		want(t, e.act(t, kits.ActStart, in), kits.Failed, "ec2.refused")
	})
}

func TestElasticIPElsewhereIsFailedAndRecoveryTakesItBack(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, withAddress)
		in := e.front("LK_P_B", "LK_P_B")
		r := e.act(t, kits.ActCheck, in)
		want(t, r, kits.Failed, "ec2.other-target")
		if r.Presence != kits.Absent || r.Details["54.249.2.50 (eipalloc-front)"] != "eni-LK_P_A (LK_P_A)" {
			t.Errorf("%+v", r)
		}
		in.Attrs[ec2.FieldElasticIP] = "eipalloc-free"
		want(t, e.act(t, kits.ActCheck, in), kits.Failed, "ec2.no-association")
		if w := e.Writes(); len(w) > 0 {
			t.Errorf("a check wrote %v", w)
		}
		want(t, e.act(t, kits.ActRecover, in), kits.OK, "")
		want(t, e.act(t, kits.ActCheck, in), kits.OK, "")
	})
}

func TestElasticIPReadsMayLag(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, withAddress)
		e.SetReadLag(12 * time.Second)
		began := time.Now()
		want(t, e.act(t, kits.ActStart, e.front("LK_P_B", "LK_P_B")), kits.OK, "")
		if took := time.Since(began); took < 12*time.Second || took > 15*time.Second {
			t.Errorf("the start took %s with a read lag of 12 s", took)
		}
		e.SetReadLag(20 * time.Second) // reads as right already, from before it went to LK_P_B
		want(t, e.act(t, kits.ActStart, e.front("LK_P_A", "LK_P_A")), kits.OK, "")
		if e.at() != "eni-LK_P_A 10.0.0.10" {
			t.Errorf("the address is at %s", e.at())
		}
		e.SetReadLag(5 * time.Minute)
		want(t, e.act(t, kits.ActStart, e.front("LK_P_B", "LK_P_B")), kits.Unknown, "ec2.not-seen")
		e.SetReadLag(0)
		e.Inject(ec2sim.Fault{Action: "DescribeAddresses", Stale: time.Hour, Times: 2})
		want(t, e.act(t, kits.ActCheck, e.front("LK_P_B", "LK_P_B")), kits.OK, "")
	})
}

func TestElasticIPErrorsByWhatTheyMean(t *testing.T) {
	for what, test := range map[string]struct {
		fault ec2sim.Fault
		o     kits.Outcome
		code  string
	}{
		"associated already": {ec2sim.Fault{Action: "AssociateAddress", Code: "Resource.AlreadyAssociated", Message: "held"}, kits.Failed, "ec2.refused"},
		"denied":             {ec2sim.Fault{Action: "AssociateAddress", Code: "UnauthorizedOperation"}, kits.Failed, "ec2.refused"},
		"bad key":            {ec2sim.Fault{Code: "AuthFailure"}, kits.Unknown, "ec2.unauthorized"},
		"released":           {ec2sim.Fault{Action: "AssociateAddress", Code: "InvalidAllocationID.NotFound"}, kits.Failed, "ec2.refused"},
		"throttled":          {ec2sim.Throttle("AssociateAddress", 0), kits.Unknown, "ec2.throttled"},
		"down":               {ec2sim.Fault{Action: "AssociateAddress", Unreachable: true}, kits.Unknown, "ec2.unreachable"},
		"silent":             {ec2sim.Fault{Action: "AssociateAddress", Hang: true}, kits.Unknown, "ec2.timeout"},
		"empty":              {ec2sim.Fault{Action: "DescribeAddresses", Empty: true}, kits.Unknown, "ec2.unreachable"},
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				e := newEstate(t, withAddress)
				e.Inject(test.fault)
				want(t, e.act(t, kits.ActStart, e.front("LK_P_B", "LK_P_B")), test.o, test.code)
				if e.at() != "eni-LK_P_A 10.0.0.10" {
					t.Errorf("the address is at %s", e.at())
				}
			})
		})
	}
	t.Run("answer lost after the change", func(t *testing.T) {
		inBubble(t, func(t *testing.T) {
			e := newEstate(t, withAddress)
			e.Inject(ec2sim.Fault{Action: "AssociateAddress", DropAfter: true})
			want(t, e.act(t, kits.ActStart, e.front("LK_P_B", "LK_P_B")), kits.OK, "")
		})
	})
}

func TestElasticIPEligible(t *testing.T) {
	for what, test := range map[string]struct {
		world func(*ec2sim.World)
		attrs map[string]string
		fault ec2sim.Fault
		o     kits.Outcome
		code  string
	}{
		"all is well":            {o: kits.OK},
		"no such interface":      {attrs: map[string]string{"eni": "eni-none"}, o: kits.Failed, code: "ec2.no-eni"},
		"of another node":        {attrs: map[string]string{"eni": "eni-LK_P_A"}, o: kits.Failed, code: "ec2.other-instance"},
		"no such address":        {attrs: map[string]string{ec2.FieldElasticIP: "eipalloc-none"}, o: kits.Failed, code: "ec2.not-found"},
		"no private address":     {attrs: map[string]string{ec2.FieldPrivate: "10.0.10.99"}, o: kits.Failed, code: "ec2.no-private-address"},
		"may not":                {world: func(w *ec2sim.World) { w.Keys[0].Deny = []string{"AssociateAddress"} }, o: kits.Failed, code: "ec2.unauthorized"},
		"dry run in doubt":       {fault: ec2sim.Fault{Action: "AssociateAddress", Code: "InternalError"}, o: kits.OK},
		"address cannot be read": {fault: ec2sim.Fault{Action: "DescribeAddresses", Hang: true}, o: kits.Unknown, code: "ec2.timeout"},
	} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				e := newEstate(t, func(w *ec2sim.World) {
					withAddress(w)
					if test.world != nil {
						test.world(w)
					}
				})
				if test.fault.Action != "" {
					e.Inject(test.fault)
				}
				in := e.front("LK_P_B", "LK_P_A")
				for k, v := range test.attrs {
					in.Attrs[k] = v
				}
				got := e.eligible(t, in)
				if got.Outcome != test.o || got.Reason.Code != test.code {
					t.Errorf("got %s, %q: %s", got.Outcome, got.Reason.Code, got.Reason.Text)
				}
				if e.at() != "eni-LK_P_A 10.0.0.10" {
					t.Errorf("a question moved the address to %s", e.at())
				}
			})
		})
	}
}

func TestElasticIPPreviewAndChoices(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		e := newEstate(t, withAddress)
		in := e.front("LK_P_B", "LK_P_A")
		if got := e.kit.Effects(kits.ActStart, in); !slices.Equal(got, []kits.Effect{{Kind: "address", What: "Elastic IP eipalloc-front", From: "eni-LK_P_A (LK_P_A)", To: "eni-LK_P_B (LK_P_B)"}}) {
			t.Errorf("effects %+v", got)
		}
		got, err := e.kit.Preview(t.Context(), in)
		if err != nil || !slices.Equal(got, []kits.Effect{{Kind: "address", What: "Elastic IP 54.249.2.50 (eipalloc-front)", From: "eni-LK_P_A (LK_P_A)", To: "eni-LK_P_B (LK_P_B)"}}) {
			t.Errorf("preview %+v, %v", got, err)
		}
		if got, err := e.kit.Preview(t.Context(), e.front("LK_P_A", "LK_P_A")); err != nil || len(got) != 0 {
			t.Errorf("preview of what is right: %+v, %v", got, err)
		}
		choices, err := e.kit.Choices(t.Context(), nil, in, ec2.FieldElasticIP)
		if err != nil || !slices.Equal(choices, []string{"54.249.2.51 (eipalloc-free)", "54.249.2.50 (eipalloc-front)"}) {
			t.Errorf("choices %v, %v", choices, err)
		}
	})
}
