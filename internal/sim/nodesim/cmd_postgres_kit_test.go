package nodesim

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/kittest"
	"github.com/ferry-ha/ferry/kits/postgresql"
)

const pgData = "/pgdata/15/main"

// newPostgresBed has a cluster on a disk of its own on every node, mounted.
func newPostgresBed(t *testing.T) *testbed {
	b := newTestbed(t)
	for _, name := range b.Nodes() {
		n := b.World.Node(name)
		for _, err := range []error{n.AddDisk("vdb", 1<<30, "ext4"), n.InstallPostgres(PostgresBin, "15.18")} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if code, out := n.Exec(t.Context(), "mkdir -p /pgdata && mount /dev/vdb /pgdata"); code != 0 {
			t.Fatal(out)
		}
		if err := n.InitPostgres(pgData, "15.18", 5432); err != nil {
			t.Fatal(err)
		}
	}
	b.make = func(node string) kits.Instance {
		return kits.Instance{
			Tag: "service/pg", Cluster: "service", Node: kits.Node{Name: node, Address: addresses[node]},
			Attrs:    map[string]string{postgresql.FieldData: pgData, postgresql.FieldBin: PostgresBin},
			Children: []kits.Relative{{Tag: "service/fs", Kit: "filesystem", On: map[string]map[string]string{node: {"mount_point": "/pgdata"}}}},
		}
	}
	return b
}

func TestKitPostgresqlOnSimulatedNodes(t *testing.T) {
	kittest.ConformanceInVirtualTime(t, postgresql.Kit{}, func(t *testing.T) kittest.World { return newPostgresBed(t) })
}

// pgOne is the resource on the first node.
type pgOne struct {
	*testbed
	node *Node
	in   kits.Instance
}

func (o pgOne) context() context.Context {
	ctx, cancel := context.WithTimeout(o.t.Context(), time.Hour)
	o.t.Cleanup(cancel)
	return ctx
}

func (o pgOne) start() kits.Report {
	return postgresql.Kit{}.Start(o.context(), o.Host("LK_P_A"), o.in)
}
func (o pgOne) stop() kits.Report { return postgresql.Kit{}.Stop(o.context(), o.Host("LK_P_A"), o.in) }
func (o pgOne) check() kits.Report {
	return postgresql.Kit{}.Check(o.context(), o.Host("LK_P_A"), o.in)
}
func (o pgOne) recover() kits.Report {
	return postgresql.Kit{}.Recover(o.context(), o.Host("LK_P_A"), o.in)
}

func (o pgOne) want(what string, r kits.Report, out kits.Outcome, code string) {
	o.t.Helper()
	if r.Outcome != out || r.Reason.Code != code {
		o.t.Errorf("%s: got %v %s %q (%s), want %v %s", what, r.Outcome, r.Reason.Code, r.Reason.Text, r.Output, out, code)
	}
}

func (o pgOne) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

// route leads everything to the first node.
func (o pgOne) route(netip.Addr) (string, bool) { return "LK_P_A", true }

func (o pgOne) write(row int) error {
	ctx, cancel := context.WithTimeout(o.t.Context(), 30*time.Second)
	defer cancel()
	return o.World.PostgresWrite(ctx, o.route, addresses["LK_P_A"]+":5432", row)
}

func (o pgOne) rows() []int {
	o.t.Helper()
	ctx, cancel := context.WithTimeout(o.t.Context(), 30*time.Second)
	defer cancel()
	got, err := o.World.PostgresRead(ctx, o.route, addresses["LK_P_A"]+":5432")
	o.must(err)
	return got
}

func TestPostgresFaultsOnSimulatedNodes(t *testing.T) {
	for what, f := range map[string]func(o pgOne){
		"killed is started again, and keeps what it acknowledged": func(o pgOne) {
			o.must(o.write(1))
			o.must(o.write(2))
			o.must(o.node.KillPostgres(pgData))
			o.want("check", o.check(), kits.Failed, "postgresql.gone")
			if err := o.write(3); err == nil {
				o.t.Error("acknowledged by a dead server")
			}
			o.want("recover", o.recover(), kits.OK, "")
			if got := o.rows(); !slices.Equal(got, []int{1, 2}) {
				o.t.Errorf("rows %v", got)
			}
		},
		"hung is unknown, and a stop goes as far as it must": func(o pgOne) {
			o.must(o.node.HangPostgres(pgData))
			o.want("check", o.check(), kits.Unknown, "postgresql.no-answer")
			o.in.Tuning = map[string]string{"PG_KILL": "0"}
			o.want("stop that may not kill", o.stop(), kits.Failed, "postgresql.still-running")
			o.in.Tuning = nil
			o.want("stop", o.stop(), kits.OK, "")
			o.want("start", o.start(), kits.OK, "")
		},
		"hung for a while is well again": func(o pgOne) {
			o.must(o.node.HangPostgres(pgData))
			o.want("check", o.check(), kits.Unknown, "postgresql.no-answer")
			o.must(o.node.ResumePostgres(pgData))
			o.want("check", o.check(), kits.OK, "")
		},
		"turned away is impaired": func(o pgOne) {
			o.node.RefusePostgres("sorry, too many clients already")
			r := o.check()
			o.want("check", r, kits.OK, "postgresql.refused")
			if !r.Impaired {
				o.t.Error("not impaired")
			}
		},
		"a long replay is progress": func(o pgOne) {
			o.node.SetPostgresReplay(20 * time.Minute)
			o.must(o.node.KillPostgres(pgData))
			o.want("start", o.start(), kits.Failed, "postgresql.not-ready")
			o.want("check", o.check(), kits.Unknown, "postgresql.starting")
			time.Sleep(18 * time.Minute)
			o.want("the next start", o.start(), kits.OK, "")
		},
		"a frozen disk lets commits wait, and a stop is bounded": func(o pgOne) {
			o.must(o.node.FreezeDisk("vdb"))
			if err := o.write(1); err == nil {
				o.t.Error("acknowledged on a frozen disk")
			}
			o.want("check", o.check(), kits.OK, "")
			done := make(chan error, 1)
			go func() { done <- o.write(2) }()
			time.Sleep(5 * time.Second)
			o.must(o.node.ThawDisk("vdb"))
			o.must(<-done)
			o.must(o.node.FreezeDisk("vdb"))
			r := o.stop()
			o.want("stop", r, kits.OK, "")
			if r.Details["stop"] != "immediate" {
				o.t.Errorf("%v", r.Details)
			}
			o.must(o.node.ThawDisk("vdb"))
			o.want("start", o.start(), kits.OK, "")
			if got := o.rows(); !slices.Equal(got, []int{2}) {
				o.t.Errorf("rows %v", got)
			}
		},
		"a disk that breaks makes it panic, and the row is not acknowledged": func(o pgOne) {
			o.must(o.node.BreakDisk("vdb", true))
			if err := o.write(1); err == nil {
				o.t.Error("acknowledged on a broken disk")
			}
			o.want("check", o.check(), kits.Failed, "postgresql.gone")
			o.want("recover", o.recover(), kits.Failed, "postgresql.died")
		},
		"a full disk too": func(o pgOne) {
			o.must(o.node.FillDisk("vdb", 100))
			if err := o.write(1); err == nil {
				o.t.Error("acknowledged on a full disk")
			}
			o.want("recover", o.recover(), kits.Failed, "postgresql.died")
			o.must(o.node.FillDisk("vdb", 50))
			o.want("recover", o.recover(), kits.OK, "")
		},
		"it keeps its file system busy, and is not started without": func(o pgOne) {
			if code, out := o.node.Exec(o.t.Context(), "umount /pgdata"); code == 0 {
				o.t.Errorf("unmounted beneath it: %s", out)
			}
			o.want("stop", o.stop(), kits.OK, "")
			if code, out := o.node.Exec(o.t.Context(), "umount /pgdata"); code != 0 {
				o.t.Errorf("still busy: %s", out)
			}
			o.want("check", o.check(), kits.Failed, "postgresql.no-directory")
			o.want("start", o.start(), kits.Failed, "postgresql.not-mounted")
			o.must(o.node.InitPostgres(pgData, "15.18", 5432)) // beneath the mount point
			o.want("start", o.start(), kits.Failed, "postgresql.not-mounted")
		},
		"a power-off leaves the rows and a stale lock": func(o pgOne) {
			o.must(o.write(7))
			o.node.PowerOff()
			o.node.PowerOn()
			time.Sleep(time.Minute)
			if code, out := o.node.Exec(o.t.Context(), "mount /dev/vdb /pgdata"); code != 0 {
				o.t.Fatal(out)
			}
			o.want("check", o.check(), kits.Failed, "postgresql.gone")
			o.must(o.node.HoldMount(Holder{PID: 3007, Command: "sh", Path: "/root"})) // the lock's process id, taken by another
			o.want("start", o.start(), kits.OK, "")
			if got := o.rows(); !slices.Equal(got, []int{7}) {
				o.t.Errorf("rows %v", got)
			}
		},
		"binaries of another version are refused": func(o pgOne) {
			o.want("stop", o.stop(), kits.OK, "")
			o.must(o.node.InstallPostgres(PostgresBin, "14.3"))
			o.want("start", o.start(), kits.Failed, "postgresql.version")
			if e := (postgresql.Kit{}).Eligible(o.context(), o.Host("LK_P_A"), o.in); e.Outcome != kits.Failed || e.Reason.Code != "postgresql.version" {
				o.t.Errorf("%+v", e)
			}
		},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newPostgresBed(t)
				o := pgOne{b, b.World.Node("LK_P_A"), b.Instance("LK_P_A")}
				o.want("start", o.start(), kits.OK, "")
				if !o.node.PostgresRuns(pgData) {
					t.Fatal("it does not run")
				}
				f(o)
			})
		})
	}
}
