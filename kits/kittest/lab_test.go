package kittest_test

import (
	"os"
	"testing"

	"github.com/ferry-ha/ferry/internal/lab"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/app"
	"github.com/ferry-ha/ferry/kits/ip"
	"github.com/ferry-ha/ferry/kits/kittest"
	"github.com/ferry-ha/ferry/kits/kittest/onlab"
)

// estate is the two service nodes of the Primary Region, on real kernels with the
// real systemd: what the simulation only plays.
var estate = lab.NewShared(lab.Options{Topology: twoNodes()})

func TestMain(m *testing.M) { os.Exit(estate.Main(m)) }

func twoNodes() lab.Topology {
	t := lab.FourNodes()
	t.Guests = t.Guests[:2]
	for i := range t.Guests {
		t.Guests[i].DataMB = 320 // the smallest that mkfs.xfs takes
	}
	return t
}

// labWorld is the lab as a kittest.World, reached as the engine reaches nodes.
type labWorld struct {
	*onlab.Hosts
	lab  *lab.Lab
	make func(g *lab.Guest) kits.Instance
}

func newLabWorld(t *testing.T, make func(g *lab.Guest) kits.Instance) *labWorld {
	l := estate.Lab(t)
	return &labWorld{Hosts: onlab.New(t, l), lab: l, make: make}
}

func (w *labWorld) Nodes() []string { return []string{"LK_P_A", "LK_P_B"} }

func (w *labWorld) Instance(node string) kits.Instance {
	in := w.make(w.lab.Guest(node))
	in.Node = w.Node(node)
	return in
}

func ipInstance(*lab.Guest) kits.Instance {
	return kits.Instance{
		Tag: "service/ip-www", Attrs: map[string]string{ip.FieldAddress: "10.1.0.10"},
		Tuning: map[string]string{ip.NoBroadcastPing: "1"},
	}
}

func TestKitIPInTheLab(t *testing.T) {
	kittest.Conformance(t, ip.Kit{}, newLabWorld(t, ipInstance))
}

// daemon is an application as carelessly started as can be: a process in the
// background of the start command, which stop forgets.
func daemon(*lab.Guest) kits.Instance {
	return kits.Instance{Tag: "service/daemon", Attrs: map[string]string{
		app.FieldStart: `sleep 100000 & echo $! >/run/daemon.pid`,
		app.FieldCheck: `read -r p </run/daemon.pid && kill -0 "$p"`,
		app.FieldStop:  `true`,
	}}
}

func TestKitAppInTheLab(t *testing.T) {
	kittest.Conformance(t, app.Kit{}, newLabWorld(t, daemon))
}

// The daemon outlives the unit, the shell and the connection it was started from.
func TestDaemonOutlivesItsCaller(t *testing.T) {
	w := newLabWorld(t, daemon)
	in := w.Instance("LK_P_A")
	if r := (app.Kit{}).Start(t.Context(), w.Host("LK_P_A"), in); r.Outcome != kits.OK {
		t.Fatal(r)
	}
	w.Pool.Close()
	again := onlab.New(t, w.lab)
	if r := (app.Kit{}).Check(t.Context(), again.Host("LK_P_A"), in); r.Outcome != kits.OK || r.Presence != kits.Present {
		t.Errorf("after its caller has gone: %+v", r)
	}
	if r := (app.Kit{}).Stop(t.Context(), again.Host("LK_P_A"), in); r.Outcome != kits.OK || r.Presence != kits.Absent {
		t.Errorf("stop: %+v", r)
	}
}

func TestStartThatFailsSaysWhyInTheLab(t *testing.T) {
	w := newLabWorld(t, daemon)
	in := w.Instance("LK_P_B")
	in.Attrs[app.FieldStart] = `echo "cannot bind to port 80" >&2; exit 4`
	r := (app.Kit{}).Start(t.Context(), w.Host("LK_P_B"), in)
	if r.Outcome != kits.Failed || r.Reason.Code != "app.start-failed" {
		t.Errorf("%+v", r)
	}
	t.Logf("%s | %s", r.Reason.Text, r.Output)
	in = w.Instance("LK_P_B")
	if r := (app.Kit{}).Start(t.Context(), w.Host("LK_P_B"), in); r.Outcome != kits.OK {
		t.Errorf("the next start: %+v", r)
	}
	if r := (app.Kit{}).Stop(t.Context(), w.Host("LK_P_B"), in); r.Outcome != kits.OK {
		t.Errorf("stop: %+v", r)
	}
}
