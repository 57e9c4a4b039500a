package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/store"
	"github.com/ferry-ha/ferry/examples"
	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/internal/sim/account"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/datakeeper"
	"github.com/ferry-ha/ferry/kits/filesystem"
	"github.com/ferry-ha/ferry/kits/postgresql"
)

// A database on a mirrored disk, on the four service nodes of the example: synchronous within a region, asynchronous to the
// other. Kits, scripts' answers, disks and rows are checked from outside.

const (
	dataTag = hierarchy.Tag("service/data")
	fsTag   = hierarchy.Tag("service/fs")
	pgTag   = hierarchy.Tag("service/pg")
)

// dataBench is the estate with engine; rows are what was acknowledged.
type dataBench struct {
	*bench
	rows []int
	next int
}

// withData changes the example to one with a database.
func withData(e *hierarchy.Estate) {
	e.Res = slices.DeleteFunc(e.Res, func(r hierarchy.Resource) bool {
		return r.Cluster != "service" || r.Kit == "app" || r.Kit == "route53"
	})
	e.Cluster = slices.DeleteFunc(e.Cluster, func(c hierarchy.Cluster) bool { return c.Name != "service" })
	e.Servers = slices.DeleteFunc(e.Servers, func(s hierarchy.Server) bool { return strings.HasPrefix(s.Name, "VPN") })
	e.Paths = slices.DeleteFunc(e.Paths, func(p hierarchy.CommPath) bool { return strings.Contains(fmt.Sprint(p), "VPN") })
	for i := range e.Servers {
		e.Servers[i].Tuning["LCMHBEATTIME"], e.Servers[i].Tuning["LKCHECKINTERVAL"] = "1", "10"
	}
	var on []hierarchy.Placement
	for i, s := range e.Servers {
		on = append(on, hierarchy.Placement{Server: s.Name, Priority: i + 1})
	}
	add := func(tag hierarchy.Tag, kit string, attrs map[string]string, needs ...hierarchy.Tag) {
		e.Res = append(e.Res, hierarchy.Resource{Tag: tag, Kit: kit, Cluster: "service", Switchback: hierarchy.Intelligent, Attrs: attrs, On: on, Children: needs})
	}
	add(dataTag, "datakeeper", map[string]string{datakeeper.FieldDisk: "/dev/vdb"})
	add(fsTag, "filesystem", map[string]string{"mount_point": "/pgdata", filesystem.FieldDevice: "/dev/md/data"}, dataTag)
	add(pgTag, "postgresql", map[string]string{postgresql.FieldData: "/pgdata/15/main", postgresql.FieldBin: nodesim.PostgresBin}, fsTag, "service/ec2-route53")
}

func newDataBench(t *testing.T) *dataBench {
	t.Helper()
	more := []kits.Kit{datakeeper.Kit{}, filesystem.Kit{}, postgresql.Kit{}}
	e, err := config.Load(strings.NewReader(examples.CrossRegion), "cross-region.toml", registry(nil, more...))
	if err != nil {
		t.Fatal(err)
	}
	withData(e)
	s, err := sim.New(e, sim.Options{Dir: t.TempDir(), Nodes: nodesim.Options{CommandTime: time.Millisecond}, EC2: ec2sim.Options{StateLag: time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	b := &dataBench{bench: &bench{t: t, sim: s, disk: store.NewDisk(), aws: account.New(s), more: more}}
	b.open(b.disk.Open())
	if _, err := b.eng.Apply(t.Context(), api.Apply{Estate: s.Definition}); err != nil {
		t.Fatal(err)
	}
	return b
}

// mirroredData runs f in a bubble with the database in service on LK_P_A and all legs in sync.
func mirroredData(t *testing.T, f func(*dataBench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := newDataBench(t)
		defer b.close()
		b.until("all nodes alive", alive)
		b.put(pgTag, "LK_P_A")
		b.legsIn("LK_P_A")
		b.write(3)
		f(b)
		if t.Failed() {
			t.Log(b.story())
		}
	})
}

// legsIn waits until the source has all its legs in sync, and the record says so.
func (b *dataBench) legsIn(source string) {
	b.t.Helper()
	b.until("all legs in sync with "+source, func(s *api.Snapshot) bool {
		m := b.sim.Mirror(dataTag, source)
		return m.Source && len(m.InSync) == len(b.sim.MirrorLegs(dataTag))-1 && dataOf(s).Data != nil && dataOf(s).Data.Impaired.Code == ""
	})
}

func dataOf(s *api.Snapshot) api.ResourceStatus {
	for _, r := range s.Resources {
		if r.Tag == dataTag {
			return r
		}
	}
	return api.ResourceStatus{}
}

func (b *dataBench) where(node string) (region, addr string) {
	if strings.HasPrefix(node, "LK_S") {
		return far, "10.2.0.10:5432"
	}
	return "ap-northeast-1", "10.1.0.10:5432"
}

// insert tries to write a row; it is noted when it was acknowledged.
func (b *dataBench) insert(node string, patience time.Duration) error {
	region, addr := b.where(node)
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	b.next++
	row := b.next
	err := b.sim.WriteRow(ctx, region, addr, row)
	if err == nil {
		b.rows = append(b.rows, row)
	}
	return err
}

// write writes rows where the database is in service.
func (b *dataBench) write(count int) {
	b.t.Helper()
	for range count {
		if err := b.insert(active(b.snapshot(), pgTag), 30*time.Second); err != nil {
			b.t.Fatalf("row %d: %v\n%s", b.next, err, b.story())
		}
	}
}

// kept checks from outside that the database runs on the node and on no other, and that no acknowledged row is lost.
func (b *dataBench) kept(node string) {
	b.t.Helper()
	region, addr := b.where(node)
	ctx, cancel := context.WithTimeout(b.t.Context(), 30*time.Second)
	defer cancel()
	got, err := b.sim.ReadRows(ctx, region, addr)
	if err != nil {
		b.t.Fatalf("reading at %s: %v\n%s", node, err, b.story())
	}
	for _, row := range b.rows {
		if !slices.Contains(got, row) {
			b.t.Errorf("the acknowledged row %d is lost: %v\n%s", row, got, b.story())
		}
	}
	if at := b.sim.MirrorSources(dataTag); !slices.Equal(at, []string{node}) {
		b.t.Errorf("sources: %v, want %s alone\n%s", at, node, b.story())
	}
}

// equal checks that disks hold the same, block for block.
func (b *dataBench) equal(nodes ...string) {
	b.t.Helper()
	for _, n := range nodes[1:] {
		if diff, err := b.sim.MirrorDiffers(dataTag, nodes[0], n); err != nil || len(diff) > 0 {
			b.t.Errorf("the disks of %s and %s differ: %v %v\n%s", nodes[0], n, diff, err, b.story())
		}
	}
}

func TestDatabaseMovesWithItsMirror(t *testing.T) {
	mirroredData(t, func(b *dataBench) {
		b.equal("LK_P_A", "LK_P_B", "LK_S_A", "LK_S_B")
		b.put(pgTag, "LK_P_B")
		b.kept("LK_P_B")
		b.legsIn("LK_P_B")
		b.write(2)
		b.kept("LK_P_B")
		b.equal("LK_P_B", "LK_P_A", "LK_S_A", "LK_S_B")
		b.put(pgTag, "LK_P_A")
		b.kept("LK_P_A")
	})
}
