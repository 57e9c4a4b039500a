package nodesim

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/kittest"
	"github.com/ferry-ha/ferry/kits/listener"
	"github.com/ferry-ha/ferry/kits/oracle"
)

const (
	oraHome = "/u01/app/oracle/product/19.0.0/dbhome_1"
	oraVIP  = "10.1.0.10"
)

var oraSetup = OracleSetup{
	Home: oraHome, SID: "ORCL", Owner: "oracle", Data: "/oradata/ORCL",
	ListenerOra: "LISTENER =\n  (DESCRIPTION =\n    (ADDRESS = (PROTOCOL = TCP)(HOST = www.example.com)(PORT = 1521)))\n" +
		"LSNR2 = (ADDRESS = (PROTOCOL = TCP)(HOST = " + oraVIP + ")(PORT = 1522))\n",
}

// newOracleBed has a database on a disk of its own on every node, mounted, and the virtual IP everywhere.
func newOracleBed(t *testing.T) *testbed {
	b := newTestbed(t)
	for _, name := range b.Nodes() {
		n := b.World.Node(name)
		for _, err := range []error{n.AddDisk("vdb", 1<<30, "ext4"), n.InstallOracle(oraSetup), n.SetHost("www.example.com", oraVIP)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		if code, out := n.Exec(t.Context(), "mkdir -p /oradata && mount /dev/vdb /oradata && ip addr add "+oraVIP+"/32 dev ens5"); code != 0 {
			t.Fatal(out)
		}
		if err := n.CreateOracle(oraSetup); err != nil {
			t.Fatal(err)
		}
	}
	b.make = func(node string) kits.Instance {
		return kits.Instance{
			Tag: "service/ORCL", Cluster: "service", Node: kits.Node{Name: node, Address: addresses[node]},
			Attrs:    map[string]string{oracle.FieldSID: "ORCL", oracle.FieldHome: oraHome},
			Children: []kits.Relative{{Tag: "service//oradata", Kit: "filesystem", On: map[string]map[string]string{node: {"mount_point": "/oradata"}}}},
		}
	}
	return b
}

func lsnrInstance(node string) kits.Instance {
	db := map[string]map[string]string{node: {oracle.FieldSID: "ORCL", oracle.FieldHome: oraHome}}
	return kits.Instance{
		Tag: "service/LSNR.LISTENER", Cluster: "service", Node: kits.Node{Name: node, Address: addresses[node]},
		Attrs:    map[string]string{listener.FieldHome: oraHome},
		Children: []kits.Relative{{Tag: "service/ORCL", Kit: "oracle", On: db}},
	}
}

func newListenerBed(t *testing.T) *testbed {
	b := newOracleBed(t)
	b.make = lsnrInstance
	return b
}

func TestKitOracleOnSimulatedNodes(t *testing.T) {
	kittest.ConformanceInVirtualTime(t, oracle.Kit{}, func(t *testing.T) kittest.World { return newOracleBed(t) })
}

func TestKitListenerOnSimulatedNodes(t *testing.T) {
	kittest.ConformanceInVirtualTime(t, listener.Kit{}, func(t *testing.T) kittest.World { return newListenerBed(t) })
}

// oraOne is both resources on the first node.
type oraOne struct {
	*testbed
	t    *testing.T
	node *Node
	db   kits.Instance
	lsnr kits.Instance
}

func onOracle(t *testing.T, f func(o oraOne)) {
	synctest.Test(t, func(t *testing.T) {
		b := newOracleBed(t)
		f(oraOne{b, t, b.World.Node("LK_P_A"), b.Instance("LK_P_A"), lsnrInstance("LK_P_A")})
	})
}

func (o oraOne) context() context.Context {
	ctx, cancel := context.WithTimeout(o.t.Context(), time.Hour)
	o.t.Cleanup(cancel)
	return ctx
}

// act carries an action of either kit out on the first node.
func (o oraOne) act(k kits.Kit, a kits.Action) kits.Report {
	in, h := o.db, o.Host("LK_P_A")
	if k.Name() == "listener" {
		in = o.lsnr
	}
	switch a {
	case kits.ActStart:
		return k.Start(o.context(), h, in)
	case kits.ActStop:
		return k.Stop(o.context(), h, in)
	case kits.ActRecover:
		return k.Recover(o.context(), h, in)
	}
	return k.Check(o.context(), h, in)
}

func (o oraOne) want(k kits.Kit, a kits.Action, out kits.Outcome, code string) kits.Report {
	o.t.Helper()
	r := o.act(k, a)
	if r.Outcome != out || r.Reason.Code != code {
		o.t.Errorf("%s of %s: got %v %s %q (%s), want %v %s", a, k.Name(), r.Outcome, r.Reason.Code, r.Reason.Text, r.Output, out, code)
	}
	return r
}

func (o oraOne) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func TestOracleFaults(t *testing.T) {
	db := oracle.Kit{}
	for name, f := range map[string]func(o oraOne){
		"killed, recovered": func(o oraOne) {
			o.must(o.node.KillOracle("ORCL"))
			o.want(db, kits.ActCheck, kits.Failed, "oracle.not-running")
			o.want(db, kits.ActRecover, kits.OK, "")
		},
		"hung": func(o oraOne) {
			o.must(o.node.HangOracle("ORCL"))
			o.want(db, kits.ActCheck, kits.Unknown, "oracle.hung")
			o.must(o.node.ResumeOracle("ORCL"))
			o.want(db, kits.ActCheck, kits.OK, "")
		},
		"hung and stopped": func(o oraOne) {
			o.must(o.node.HangOracle("ORCL"))
			if r := o.want(db, kits.ActStop, kits.OK, ""); !strings.HasPrefix(r.Details["stopped-by"], "kill") {
				o.t.Errorf("stopped by %v", r.Details)
			}
			o.want(db, kits.ActStart, kits.OK, "")
		},
		"archiver stuck": func(o oraOne) {
			o.must(o.node.StickArchiver("ORCL"))
			if r := o.want(db, kits.ActCheck, kits.OK, "oracle.archiver-stuck"); !r.Impaired {
				o.t.Error("not impaired")
			}
			o.must(o.node.FreeArchiver("ORCL"))
			o.want(db, kits.ActCheck, kits.OK, "")
		},
		"restricted": func(o oraOne) {
			o.must(o.node.RestrictOracle("ORCL", true))
			o.want(db, kits.ActCheck, kits.OK, "oracle.restricted")
		},
		"expired": func(o oraOne) {
			o.must(o.node.RefuseOracle("ORCL", "ORA-28001: the password has expired"))
			o.want(db, kits.ActCheck, kits.OK, "oracle.account")
		},
		"crash in backup mode": func(o oraOne) {
			o.must(o.node.BeginBackup("ORCL", 2, 0))
			o.must(o.node.KillOracle("ORCL"))
			o.want(db, kits.ActStart, kits.OK, "")
		},
		"stop in backup mode": func(o oraOne) {
			o.must(o.node.BeginBackup("ORCL", 2, 0))
			if r := o.want(db, kits.ActStop, kits.OK, ""); r.Details["stopped-by"] != "shutdown immediate" {
				o.t.Errorf("stopped by %v", r.Details)
			}
		},
		"restored files": func(o oraOne) {
			o.must(o.node.BeginBackup("ORCL", 2, 1))
			o.must(o.node.KillOracle("ORCL"))
			o.want(db, kits.ActStart, kits.Failed, "oracle.backup-mode")
		},
		"made a standby": func(o oraOne) {
			o.must(o.node.SetOracleRole("ORCL", "PHYSICAL STANDBY", "READ ONLY"))
			o.want(db, kits.ActCheck, kits.OK, "oracle.standby-role")
			o.must(o.node.KillOracle("ORCL"))
			o.want(db, kits.ActStart, kits.Failed, "oracle.standby-role")
		},
		"its disk is not there": func(o oraOne) {
			o.want(db, kits.ActStop, kits.OK, "")
			if code, out := o.node.Exec(o.t.Context(), "umount /oradata"); code != 0 {
				o.t.Fatal(out)
			}
			o.want(db, kits.ActStart, kits.Failed, "oracle.files-missing")
			o.want(db, kits.ActStop, kits.OK, "")
		},
		"it holds its file system": func(o oraOne) {
			if code, _ := o.node.Exec(o.t.Context(), "umount /oradata"); code == 0 {
				o.t.Error("the file system of a database that is open was unmounted")
			}
		},
		"frozen disk": func(o oraOne) {
			o.must(o.node.FreezeDisk("vdb"))
			o.want(db, kits.ActCheck, kits.Unknown, "oracle.hung")
			o.must(o.node.ThawDisk("vdb"))
			o.want(db, kits.ActCheck, kits.OK, "")
		},
		"power": func(o oraOne) {
			o.node.PowerOff()
			if s := o.node.OracleStatus("ORCL"); s != "" {
				o.t.Errorf("status %q without power", s)
			}
			o.node.PowerOn()
			time.Sleep(time.Minute)
			if code, out := o.node.Exec(o.t.Context(), "mount /dev/vdb /oradata"); code != 0 {
				o.t.Fatal(out)
			}
			o.want(db, kits.ActCheck, kits.Failed, "oracle.not-running")
			o.want(db, kits.ActStart, kits.OK, "")
		},
		"files that do not move": func(o oraOne) {
			o.db.Children = nil
			e := db.Eligible(o.context(), o.Host("LK_P_A"), o.db)
			if e.Outcome != kits.Failed || e.Reason.Code != "oracle.files-outside" {
				o.t.Errorf("%+v", e)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			onOracle(t, func(o oraOne) {
				o.want(db, kits.ActStart, kits.OK, "")
				f(o)
			})
		})
	}
}

func TestListenerFaults(t *testing.T) {
	db, lsnr := oracle.Kit{}, listener.Kit{}
	for name, f := range map[string]func(o oraOne){
		"killed, recovered": func(o oraOne) {
			o.must(o.node.KillListener("LISTENER"))
			o.want(lsnr, kits.ActCheck, kits.Failed, "listener.not-running")
			o.want(lsnr, kits.ActRecover, kits.OK, "")
		},
		"hung, recovered": func(o oraOne) {
			o.must(o.node.HangListener("LISTENER", true))
			o.want(lsnr, kits.ActCheck, kits.Failed, "listener.hung")
			o.want(lsnr, kits.ActRecover, kits.OK, "")
		},
		"hung, stopped": func(o oraOne) {
			o.must(o.node.HangListener("LISTENER", true))
			o.want(lsnr, kits.ActStop, kits.OK, "")
			if o.node.ListenerRuns("LISTENER") {
				o.t.Error("it is still there")
			}
		},
		"its database goes": func(o oraOne) {
			o.want(db, kits.ActStop, kits.OK, "")
			o.want(lsnr, kits.ActCheck, kits.OK, "listener.no-service")
		},
		"its address goes": func(o oraOne) {
			if code, out := o.node.Exec(o.t.Context(), "ip addr del "+oraVIP+"/32 dev ens5"); code != 0 {
				o.t.Fatal(out)
			}
			o.want(lsnr, kits.ActCheck, kits.Failed, "listener.address-silent")
		},
		"the name comes late": func(o oraOne) {
			o.want(lsnr, kits.ActStop, kits.OK, "")
			o.must(o.node.SetHost("www.example.com", "10.2.0.10"))
			o.want(lsnr, kits.ActStart, kits.Failed, "listener.not-resolved")
			go func() {
				time.Sleep(20 * time.Second)
				_ = o.node.SetHost("www.example.com", oraVIP)
			}()
			o.want(lsnr, kits.ActStart, kits.OK, "")
		},
		"left behind": func(o oraOne) {
			r := o.act(lsnr, kits.ActCheck) // what the engine asks on a node that lost it
			if r.Presence != kits.Present || !o.node.listens(1521) {
				o.t.Errorf("%+v", r)
			}
			o.want(lsnr, kits.ActStop, kits.OK, "")
			if o.node.listens(1521) {
				o.t.Error("the port is still open")
			}
		},
		"two": func(o oraOne) {
			other := lsnrInstance("LK_P_A")
			other.Tag, other.Attrs[listener.FieldName] = "service/LSNR2", "LSNR2"
			if r := lsnr.Start(o.context(), o.Host("LK_P_A"), other); r.Outcome != kits.OK {
				o.t.Errorf("%+v", r)
			}
			o.want(lsnr, kits.ActStop, kits.OK, "")
			if !o.node.ListenerRuns("LSNR2") {
				o.t.Error("the other one was stopped")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			onOracle(t, func(o oraOne) {
				o.want(db, kits.ActStart, kits.OK, "")
				o.want(lsnr, kits.ActStart, kits.OK, "")
				f(o)
			})
		})
	}
}
