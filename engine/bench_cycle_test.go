package engine_test

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/fleet"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/monitor"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
	"github.com/ferry-ha/ferry/kits"
)

// BenchmarkCheckCycle is one check cycle of a node's resources, half addresses and
// half applications, from the question what is due to the last report, over 80 ms of
// latency there and back: the real monitor, kits and SSH client on a simulated node,
// whose scripts are interpreted in this process and take time, too.
//
//	round-trips  requests sent to the node in one cycle
//	B-sent, B-received  what went over the connection, SSH's own framing included
func BenchmarkCheckCycle(b *testing.B) {
	for _, count := range []int{1, 20} {
		b.Run(fmt.Sprintf("resources=%d/rtt=80ms", count), func(b *testing.B) { checkCycle(b, count) })
	}
}

func checkCycle(b *testing.B, count int) {
	e := manyResources(count, "n1")
	s, err := sim.New(e, sim.Options{Dir: b.TempDir(), Nodes: nodesim.Options{
		CommandTime: -1, RTT: func(string, string) time.Duration { return 80 * time.Millisecond },
	}})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	f := fleet.New(s.Nodes.DialContext, func(string) {}, slog.New(slog.DiscardHandler))
	defer f.Close()
	f.Define(s.Definition, fleet.Identity{Estate: "e", Engine: "n", Epoch: 1})
	reg := registry(nil)
	c := &counter{x: hierarchy.NewIndexFor(s.Definition, reg), want: count, all: make(chan struct{}, 1)}
	m := monitor.New(f, reg, c)
	defer m.Close()
	m.Define(b.Context(), []monitor.NodeTask{{Node: "n1", BeatEvery: time.Hour, CheckEvery: time.Hour}})
	<-c.all // the first cycle logs in and opens the shell
	refs := c.refs()
	if _, ok := f.Pulse(b.Context(), "n1"); !ok { // the only heartbeat within the hour is over
		b.Fatal("the node does not answer")
	}
	before := f.Stats()
	for b.Loop() {
		m.CheckNow(refs)
		<-c.all
	}
	after := f.Stats()
	b.ReportMetric(float64(after.RoundTrips-before.RoundTrips)/float64(b.N), "round-trips")
	b.ReportMetric(float64(after.BytesOut-before.BytesOut)/float64(b.N), "B-sent")
	b.ReportMetric(float64(after.BytesIn-before.BytesIn)/float64(b.N), "B-received")
}

// counter is a sink that knows when a cycle is over.
type counter struct {
	x    *hierarchy.Index
	want int
	all  chan struct{}

	mu  sync.Mutex
	got int
}

func (c *counter) refs() []hierarchy.Ref {
	var out []hierarchy.Ref
	for _, r := range c.x.Estate().Res {
		out = append(out, hierarchy.Ref{Tag: r.Tag, Node: "n1"})
	}
	return out
}

func (c *counter) Observe(policy.Input) {}

func (c *counter) ObserveCheck(ch policy.Checked, _ time.Time) {
	if ch.Report.Outcome == kits.Unknown {
		panic("a check gave nothing: " + ch.Report.Reason.Text)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.got++; c.got == c.want {
		c.got = 0
		c.all <- struct{}{}
	}
}

func (c *counter) Due(node string, _ []hierarchy.Ref) []kits.Instance {
	var out []kits.Instance
	for _, r := range c.x.Estate().Res {
		out = append(out, hierarchy.InstanceOf(c.x, r.Tag, node, node))
	}
	return out
}

// manyResources is an estate of resources on the same nodes: every second one an
// address, an application on top of it.
func manyResources(count int, nodes ...string) *hierarchy.Estate {
	e := &hierarchy.Estate{
		Name: "many", Regions: []hierarchy.Region{{Name: "r", VPC: "vpc-r", CIDRs: []string{"10.0.0.0/16"}}},
		Cluster: []hierarchy.Cluster{{Name: "c", Servers: nodes, QuorumMode: hierarchy.NoQuorum}},
		Tuning:  map[string]string{"NOBCASTPING": "1"},
	}
	for i, n := range nodes {
		e.Servers = append(e.Servers, hierarchy.Server{Name: n, Region: "r", Zone: "z-" + n, Address: fmt.Sprintf("10.0.%d.10", i), Interface: "eth0", Instance: "i-" + n, ENI: "eni-" + n})
	}
	for i := range count {
		r := hierarchy.Resource{Tag: hierarchy.MakeTag("c", fmt.Sprintf("r%04d", i)), Cluster: "c", Kit: "ip", Switchback: hierarchy.Intelligent, Attrs: map[string]string{}}
		address := fmt.Sprintf("10.%d.%d.1", 100+i/250, i%250)
		if i%2 == 1 {
			service := r.Tag.Short()
			r.Kit, address, r.Children = "app", "", []hierarchy.Tag{e.Res[i-1].Tag}
			r.Attrs = map[string]string{"start": "systemctl start " + service, "stop": "systemctl stop " + service, "check": "systemctl is-active --quiet " + service}
		}
		for k, n := range nodes {
			p := hierarchy.Placement{Server: n, Priority: k + 1}
			if address != "" {
				p.Attrs = map[string]string{"address": address}
			}
			r.On = append(r.On, p)
		}
		e.Res = append(e.Res, r)
	}
	return e
}

var _ monitor.Sink = (*counter)(nil)
