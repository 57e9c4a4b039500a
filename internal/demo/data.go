package demo

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
	"github.com/ferry-ha/ferry/kits/datakeeper"
	"github.com/ferry-ha/ferry/kits/listener"
	"github.com/ferry-ha/ferry/kits/oracle"
)

// estateData is what the estate's database consists of, as its definition names it.
type estateData struct {
	mirror hierarchy.Tag
	disk   string // the mirror's on every node, the kernel's name: "nvme1n1"
	// sid is the instance (empty: there is no database), home its installation, listener the name of what leads to it.
	sid, home, listener string
}

// dataOf reads an estate's first mirror, database and listener.
func (d *Demo) dataOf() estateData {
	var out estateData
	x := hierarchy.NewIndex(d.sim.Definition)
	for _, r := range d.sim.Definition.Res {
		in := hierarchy.InstanceOf(x, r.Tag, x.PlacementsByPriority(r.Tag)[0].Server, "")
		switch {
		case r.Kit == "datakeeper" && out.mirror == "":
			out.mirror, out.disk = r.Tag, strings.TrimPrefix(in.Attrs[datakeeper.FieldDisk], "/dev/")
		case r.Kit == "oracle" && out.sid == "":
			out.sid, out.home = in.Attrs[oracle.FieldSID], in.Attrs[oracle.FieldHome]
		case r.Kit == "listener" && out.listener == "":
			out.listener = cmp.Or(in.Attrs[listener.FieldName], "LISTENER")
		}
	}
	return out
}

// running is the node on which the service runs, database or program; empty when there is none.
func (d *Demo) running() string {
	if d.data.sid == "" {
		node, _ := d.program()
		return node
	}
	i := slices.IndexFunc(d.servers(), func(n string) bool { return d.sim.Nodes.Node(n).OracleStatus(d.data.sid) != "" })
	if i < 0 {
		return ""
	}
	return d.servers()[i]
}

// atRunning does something where the database runs.
func (d *Demo) atRunning(do func(node string, n *nodesim.Node) error) error {
	node := d.running()
	if node == "" {
		return fmt.Errorf("the database runs nowhere at this moment")
	}
	return do(node, d.sim.Nodes.Node(node))
}

// database is what can be broken of the database and its data.
func (d *Demo) database() []*Breakage {
	return []*Breakage{
		d.once("data/kill", "database", func(_ string, n *nodesim.Node) error { return n.KillOracle(d.data.sid) }),
		d.once("data/listener", "listener", func(_ string, n *nodesim.Node) error { return n.KillListener(d.data.listener) }),
		d.startFails(),
		d.full(),
	}
}

// once happens where the database runs. Nothing has to be mended: that is what ferry does.
func (d *Demo) once(id, kind string, do func(string, *nodesim.Node) error) *Breakage {
	return &Breakage{ID: id, Kind: kind, Group: groupData, Passing: true,
		broken: func() bool { return false },
		breaks: func() error { return d.atRunning(do) },
		mends:  func() error { return nil }}
}

// startFails moves the instance's parameter file away and kills it: no start succeeds on that node.
func (d *Demo) startFails() *Breakage {
	var mu sync.Mutex
	at, before := "", ""
	file := path.Join(d.data.home, "dbs", "spfile"+d.data.sid+".ora")
	return &Breakage{ID: "data/start", Kind: "parameters", Group: groupData,
		broken: func() bool { mu.Lock(); defer mu.Unlock(); return at != "" },
		breaks: func() error {
			mu.Lock()
			defer mu.Unlock()
			return d.atRunning(func(node string, n *nodesim.Node) (err error) {
				if before, err = n.ReadFile(file); err != nil {
					return fmt.Errorf("reading %s of %s: %w", file, node, err)
				}
				if err = n.RemoveFile(file); err == nil {
					at, err = node, n.KillOracle(d.data.sid)
				}
				return err
			})
		},
		mends: func() error {
			mu.Lock()
			defer mu.Unlock()
			err := d.sim.Nodes.Node(at).WriteFile(file, before, false)
			if err == nil {
				at = ""
			}
			return err
		}}
}

// fullTo is how full the file system becomes, in percent: past the 90 at which it counts as impaired.
const fullTo = 93

// full fills the data's file system where it is mounted. What is on the disk is mirrored, so it is as full wherever
// the service moves, until it is mended at the source.
func (d *Demo) full() *Breakage {
	t := &toggle{}
	fill := func(node string, percent int) error { return d.sim.Nodes.Node(node).FillDisk(d.data.disk, percent) }
	return &Breakage{ID: "data/full", Kind: "full", Group: groupData, broken: t.is,
		breaks: func() error {
			return d.atRunning(func(node string, _ *nodesim.Node) error {
				if err := fill(node, fullTo); err != nil {
					return err
				}
				return t.turn(true, func() {})()
			})
		},
		mends: func() error {
			at := d.sim.MirrorSources(d.data.mirror)
			if len(at) == 0 {
				return fmt.Errorf("the data is in use nowhere at this moment; mend this when the service is back")
			}
			for _, node := range at {
				if err := fill(node, 0); err != nil {
					return err
				}
			}
			return t.turn(false, func() {})()
		}}
}
