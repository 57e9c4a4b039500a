package policy

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// benchEstate has hierarchies of four resources (address, route, disk, application)
// over all nodes, every one of them in service on the first node.
func benchEstate(resources, nodes int) *hierarchy.Estate {
	e := &hierarchy.Estate{Name: "bench", Regions: []hierarchy.Region{{Name: "east"}}, Cluster: []hierarchy.Cluster{{Name: "c"}}, Tuning: map[string]string{}}
	for i := range nodes {
		name := fmt.Sprintf("n%02d", i)
		e.Servers = append(e.Servers, hierarchy.Server{Name: name, Region: "east", Zone: "east-a"})
		e.Cluster[0].Servers = append(e.Cluster[0].Servers, name)
	}
	var on []hierarchy.Placement
	for i, s := range e.Cluster[0].Servers {
		on = append(on, hierarchy.Placement{Server: s, Priority: i + 1})
	}
	add := func(tag, kit string, children ...hierarchy.Tag) hierarchy.Tag {
		full := hierarchy.MakeTag("c", tag)
		e.Res = append(e.Res, hierarchy.Resource{Tag: full, Kit: kit, Cluster: "c", Children: children, On: on, Attrs: map[string]string{"a": "b"}})
		return full
	}
	for i := 0; len(e.Res)+4 <= resources; i++ {
		ip := add(fmt.Sprintf("ip-%d", i), "ip")
		rt := add(fmt.Sprintf("ec2-%d", i), "ec2", ip)
		disk := add(fmt.Sprintf("disk-%d", i), "mirror")
		add(fmt.Sprintf("app-%d", i), "app", rt, disk)
	}
	for i := 0; len(e.Res) < resources; i++ {
		add(fmt.Sprintf("rest-%d", i), "app")
	}
	return e
}

// benchWorld has seen every node, and everything runs on the first; its loss is one
// beat away.
func benchWorld(b *testing.B, resources, nodes int) (*World, time.Time) {
	b.Helper()
	e := benchEstate(resources, nodes)
	w := New(e, toyKits())
	w.Automation = true
	for _, r := range e.Res {
		w.Claims[r.Tag] = hierarchy.Claim{Number: 1, Node: "n00"}
		w.instance(r.Tag, "n00").State = hierarchy.ISP
	}
	now := time.Unix(0, 0)
	for i := range 4 {
		now = now.Add(5 * time.Second)
		for _, s := range e.Cluster[0].Servers[1:] {
			peers := map[string]map[string]kits.Outcome{}
			for _, p := range e.Cluster[0].Servers {
				o := kits.OK
				if p == "n00" && i > 0 {
					o = kits.Failed
				}
				peers[p] = map[string]kits.Outcome{"default": o}
			}
			w.Step(now, Beat{Node: s, Path: true, Function: true, Peers: peers})
		}
		if i == 3 {
			break
		}
		for _, o := range w.Step(now, Beat{Node: "n00", Path: i == 0, Function: i == 0}) {
			if ask, ok := o.(AskQuorum); ok { // answered before the verdict falls
				w.Step(now.Add(time.Second), QuorumSaid{Node: ask.Node, Outcome: kits.OK})
			}
		}
	}
	w.TakeChanges()
	for _, r := range e.Res { // checks have been made for long: the index knows what kits are told
		for _, s := range e.Cluster[0].Servers {
			hierarchy.InstanceOf(w.x, r.Tag, s, "n00")
		}
	}
	return w, now
}

// BenchmarkNodeLoss is the third missed beat of a node that holds everything:
// verdict, decision and plan for every hierarchy, and what of it must be stored.
func BenchmarkNodeLoss(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10_000} {
		b.Run(fmt.Sprintf("resources=%d/nodes=16", n), func(b *testing.B) {
			w, now := benchWorld(b, n, 16)
			b.ReportAllocs()
			var cpu time.Duration
			for b.Loop() {
				b.StopTimer()
				c := w.Clone()
				runtime.GC() // the clone's garbage is not the step's
				began := cpuTime(b)
				b.StartTimer()
				outs := c.Step(now, Beat{Node: "n00"})
				cpu += cpuTime(b) - began
				ops := 0
				for _, o := range outs {
					if _, ok := o.(StartOp); ok {
						ops++
					}
				}
				if want := (n-n%4)/4 + n%4; ops != want {
					b.Fatalf("%d operations begun, %d expected", ops, want)
				}
			}
			b.ReportMetric(float64(cpu.Microseconds())/1000/float64(b.N), "cpu-ms/op")
		})
	}
}

// cpuTime is what this process has used of the processors: on a machine with other
// work, the clock measures that as well.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkNodeLossStored adds the encoding of what is stored before anything is carried out.
func BenchmarkNodeLossStored(b *testing.B) {
	w, now := benchWorld(b, 1000, 16)
	for b.Loop() {
		b.StopTimer()
		c := w.Clone()
		b.StartTimer()
		c.Step(now, Beat{Node: "n00"})
		if len(c.TakeChanges()) < 1000 {
			b.Fatal("nothing to store")
		}
	}
}

// BenchmarkBeat is what happens all the time: one node's heartbeat, nothing new.
func BenchmarkBeat(b *testing.B) {
	w, now := benchWorld(b, 1000, 16)
	peers := map[string]map[string]kits.Outcome{}
	for _, p := range w.x.Peers("n01") {
		peers[p] = map[string]kits.Outcome{"default": kits.OK}
	}
	b.ReportAllocs()
	for b.Loop() {
		w.Step(now, Beat{Node: "n01", Path: true, Function: true, Peers: peers})
	}
}
