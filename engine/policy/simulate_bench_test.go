package policy

import (
	"fmt"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

// BenchmarkSimulate asks what becomes of a failure on 16 nodes: of one resource, of a
// node that holds its share (one of sixteen hierarchies), of a node that holds
// everything, and of all nodes but the last two.
func BenchmarkSimulate(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		e := benchEstate(n, 16)
		share, all := Imagined{Active: map[hierarchy.Tag]string{}}, Imagined{Active: map[hierarchy.Tag]string{}}
		for i := range n / 4 {
			t := hierarchy.MakeTag("c", fmt.Sprintf("app-%d", i))
			share.Active[t], all.Active[t] = fmt.Sprintf("n%02d", i%16), "n00"
		}
		one := share
		one.FailResources, one.Unrepairable = []hierarchy.Ref{{Tag: "c/app-0", Node: "n00"}}, true
		share.FailNodes, all.FailNodes = []string{"n00"}, []string{"n00"}
		for _, c := range []struct {
			name string
			im   Imagined
		}{{"a-resource", one}, {"a-sixteenth", share}, {"everything", all}} {
			b.Run(fmt.Sprintf("%s/resources=%d/nodes=16", c.name, n), func(b *testing.B) {
				for b.Loop() {
					out, err := Simulate(e, toyKits(), time.Unix(0, 0), c.im)
					if err != nil || len(out.Decisions) == 0 {
						b.Fatal("nothing decided", err)
					}
				}
			})
		}
	}
}
