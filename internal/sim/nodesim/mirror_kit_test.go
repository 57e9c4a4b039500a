package nodesim

import (
	"context"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/datakeeper"
	"github.com/ferry-ha/ferry/kits/kittest"
)

// mirrorBed is a mirror on the first two nodes. The first one's disk has a file system.
type mirrorBed struct {
	*testbed
	record []byte
}

func newMirrorBed(t *testing.T) *mirrorBed {
	b := &mirrorBed{testbed: newTestbed(t)}
	for i, n := range b.Nodes() {
		if err := b.World.Node(n).AddDisk("vdb", 1<<30, []string{"ext4", ""}[i]); err != nil {
			t.Fatal(err)
		}
	}
	b.make = func(node string) kits.Instance {
		in := kits.Instance{
			Tag: "service/data", Kit: "datakeeper", Cluster: "service", On: map[string]map[string]string{}, Nodes: map[string]kits.Node{},
			Record: b.record, Tuning: map[string]string{datakeeper.TuneFreezeLimit: "1"}, Reached: map[string]bool{},
		}
		for _, n := range b.Nodes() {
			in.On[n] = map[string]string{datakeeper.FieldDisk: "/dev/vdb"}
			in.Nodes[n] = kits.Node{Name: n, Region: "r", Address: addresses[n]}
			in.Reached[n] = true
		}
		in.Attrs, in.Node = in.On[node], in.Nodes[node]
		return in
	}
	return b
}

// promoting is the kit with what the engine does before a start: the record is made durable.
type promoting struct {
	datakeeper.Kit
	bed *mirrorBed
}

func (p *promoting) Start(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	if !p.bed.runs(in.Node.Name) {
		rec, no := p.Promote(in, false, time.Now())
		if no != nil {
			rec, no = p.Promote(in, true, time.Now())
		}
		if no != nil {
			return kits.Report{Outcome: kits.Failed, Reason: *no}
		}
		p.bed.record, in.Record = rec, rec
	}
	return p.Kit.Start(ctx, h, in)
}

func (p *promoting) Recover(ctx context.Context, h kits.Host, in kits.Instance) kits.Report {
	if in.Record == nil {
		return p.Start(ctx, h, in)
	}
	return p.Kit.Recover(ctx, h, in)
}

func (b *mirrorBed) runs(node string) bool { return b.World.Node(node).Mirror("service-data").Source }

func TestKitDatakeeperOnSimulatedNodes(t *testing.T) {
	kit := &promoting{}
	kittest.ConformanceInVirtualTime(t, kit, func(t *testing.T) kittest.World {
		kit.bed = newMirrorBed(t)
		return kit.bed
	})
}
