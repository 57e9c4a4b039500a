package doctor_test

import (
	"slices"
	"testing"

	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/engine/hierarchy"
)

func TestTouched(t *testing.T) {
	old := &hierarchy.Estate{Servers: []hierarchy.Server{{Name: "A"}, {Name: "B"}, {Name: "C"}},
		Res: []hierarchy.Resource{{Tag: "c/ip", Kit: "ip", On: []hierarchy.Placement{{Server: "A"}, {Server: "B"}}}}}
	next := &hierarchy.Estate{Servers: append(slices.Clone(old.Servers), hierarchy.Server{Name: "NEW"}),
		Res: []hierarchy.Resource{
			{Tag: "c/ip", Kit: "ip", On: []hierarchy.Placement{{Server: "A"}, {Server: "B"}, {Server: "C"}, {Server: "NEW"}}},
			{Tag: "c/www", Kit: "app", On: []hierarchy.Placement{{Server: "A"}}}}}
	servers, kits := doctor.Touched(old, next)
	if !slices.Equal(servers, []string{"A", "C"}) || !slices.Equal(kits, []string{"app", "ip"}) {
		t.Errorf("%v %v", servers, kits)
	}
	if servers, kits := doctor.Touched(old, old); servers != nil || kits != nil {
		t.Errorf("no change touches %v %v", servers, kits)
	}
	if servers, _ := doctor.Touched(nil, next); servers != nil {
		t.Errorf("without a definition in force nobody is known: %v", servers)
	}
}

// What belongs to another kit alone is left out, and nothing else is: a check that nobody
// sorted concerns everything.
func TestObstacles(t *testing.T) {
	var all []doctor.Finding
	for _, c := range []string{"node.space", "kit.app", "kit.ip", "vpn.forwarding", "mirror.disks", "aws.zone-permissions", "aws.zone", "aws.groups-mirror-open", "something.new"} {
		all = append(all, doctor.Finding{Check: c, Verdict: doctor.Fail})
	}
	all = append(all, doctor.Finding{Check: "node.reached", Verdict: doctor.Unknown}, doctor.Finding{Check: "node.clock-held", Verdict: doctor.Warn}, doctor.Finding{Check: "node.tools", Verdict: doctor.Pass})
	for _, x := range []struct {
		kits, want []string
	}{
		{[]string{"app"}, []string{"node.space", "kit.app", "something.new", "node.reached"}},
		{[]string{"ip", "route53"}, []string{"node.space", "kit.ip", "aws.zone-permissions", "aws.zone", "something.new", "node.reached"}},
		{[]string{"openswan"}, []string{"node.space", "vpn.forwarding", "something.new", "node.reached"}},
	} {
		var got []string
		for _, f := range doctor.Obstacles(all, x.kits) {
			got = append(got, f.Check)
		}
		if !slices.Equal(got, x.want) {
			t.Errorf("%v: %v, want %v", x.kits, got, x.want)
		}
	}
}
