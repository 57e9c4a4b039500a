package sshexec

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/ferry-ha/ferry/sshexec/wire"
)

// BenchmarkFanOut runs /bin/true on n nodes at once, over warm connections to servers in this process with real shells.
// heartbeats cost the node one fork; scripts about a dozen; "wire" leaves the shells out and shows our own share.
func BenchmarkFanOut(b *testing.B) {
	for _, count := range []int{1, 8, 32} {
		for name, one := range map[string]func(*Node) error{
			"script": func(n *Node) error {
				_, err := n.Run(context.Background(), sh("t", "/bin/true"))
				return err
			},
			"beat": func(n *Node) error { return n.Beat(context.Background(), "/bin/true").Err },
			"wire": func(n *Node) error {
				_, err := n.Run(context.Background(), sh("t", "/bin/true"))
				return err
			},
		} {
			b.Run(fmt.Sprintf("%s/nodes=%d", name, count), func(b *testing.B) { fanOut(b, count, name == "wire", one) })
		}
	}
}

func fanOut(b *testing.B, count int, pure bool, one func(*Node) error) {
	c := newCredentials(b)
	p := newPool(b, Options{})
	var nodes []*Node
	for range count {
		s := newServer(b, c)
		if pure {
			s.session = native(func(wire.Job) wire.Frame { return wire.Frame{Status: wire.Done} })
		}
		nodes = append(nodes, p.Node(s.listen(c).target(c)))
	}
	each := func() {
		var wg sync.WaitGroup
		for _, n := range nodes {
			wg.Go(func() {
				if err := one(n); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
	}
	each() // warm
	before := p.Stats()
	for b.Loop() {
		each()
	}
	after := p.Stats()
	b.ReportMetric(float64(after.RoundTrips-before.RoundTrips)/float64(b.N*count), "round-trips/node")
	if after.Dials != before.Dials {
		b.Errorf("%d more connections", after.Dials-before.Dials)
	}
}
