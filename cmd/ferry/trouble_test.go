package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/engine"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/store"
	"github.com/ferry-ha/ferry/examples"
	"github.com/ferry-ha/ferry/internal/sim"
	"github.com/ferry-ha/ferry/internal/sim/account"
	"github.com/ferry-ha/ferry/internal/sim/ec2sim"
)

// desk is a person at the command line before the example's estate, simulated, with a
// real engine that acts on it. Time is virtual.
type desk struct {
	t    *testing.T
	sim  *sim.Sim
	disk *store.Disk
	eng  *engine.Engine
}

// kept is an engine that commands may close their connection to.
type kept struct{ api.Service }

func (kept) Close() error { return nil }

// atDesk runs f with the service in service on LK_P_A.
func atDesk(t *testing.T, f func(*desk)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		e, err := config.Load(strings.NewReader(examples.CrossRegion), "cross-region.toml", kitsWithin(nil))
		if err != nil {
			t.Fatal(err)
		}
		for i := range e.Servers {
			e.Servers[i].Tuning["LCMHBEATTIME"], e.Servers[i].Tuning["LKCHECKINTERVAL"] = "1", "10"
		}
		d := &desk{t: t, disk: store.NewDisk()}
		if d.sim, err = sim.New(e, sim.Options{Dir: t.TempDir(), EC2: ec2sim.Options{StateLag: time.Minute}}); err != nil {
			t.Fatal(err)
		}
		defer d.sim.Close()
		aws := account.New(d.sim)
		d.eng, err = engine.Open(t.Context(), engine.Options{Store: d.disk.Open(), Kits: kitsWithin(aws), Cloud: aws,
			Nodes: d.sim.Nodes.DialContext, Who: "root@bastion (412)", Automation: true})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = d.eng.Close() }()
		if _, err := d.eng.Apply(t.Context(), api.Apply{Estate: d.sim.Definition, By: "anna"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		d.ferry(0, "in-service www --on LK_P_A --yes")
		f(d)
	})
}

// ferry runs a command line, demands its exit code, and gives what it said on stderr.
func (d *desk) ferry(code int, line string) string {
	d.t.Helper()
	var out, err bytes.Buffer
	a := &cli{in: strings.NewReader(""), out: &out, err: &err, now: time.Now, getenv: func(string) string { return "" }}
	a.deps = wired()
	a.deps.dial = func(context.Context, string) (api.Service, error) { return kept{d.eng}, nil }
	if got := a.run(d.t.Context(), strings.Fields(line)); got != code {
		d.t.Errorf("ferry %s: exit code %d, want %d\n%s", line, got, code, err.String())
	}
	return err.String() + out.String()
}

// says demands the last words of a failed command: one error, one hint.
func (d *desk) says(code int, line string, want ...string) {
	d.t.Helper()
	got := d.ferry(code, line)
	if n := strings.Count(got, "error: "); n != 1 {
		d.t.Errorf("ferry %s: %d errors\n%s", line, n, got)
	}
	for _, w := range want {
		if !strings.Contains(got, w) {
			d.t.Errorf("ferry %s says\n%s\nwant %q", line, got, w)
		}
	}
}

// still demands that the service runs on the node alone.
func (d *desk) still(node string) {
	d.t.Helper()
	for _, s := range d.sim.Definition.Servers {
		if n := d.sim.Nodes.Node(s.Name); n.Powered() && n.Running("www") != (s.Name == node) {
			d.t.Errorf("%s: the service runs %v", s.Name, n.Running("www"))
		}
	}
}

func (d *desk) wait(what string, ok func(*api.Snapshot) bool) *api.Snapshot {
	d.t.Helper()
	for range 300 {
		s, err := d.eng.Snapshot(d.t.Context())
		if err != nil {
			d.t.Fatal(err)
		}
		if ok(s) {
			return s
		}
		time.Sleep(time.Second)
	}
	d.t.Fatalf("waited five minutes for %s", what)
	return nil
}

const switchover = "in-service www --on LK_P_B --yes"

func TestTroubleAtTheCommandLine(t *testing.T) {
	t.Run("wishes that cannot be followed", func(t *testing.T) {
		atDesk(t, func(d *desk) {
			d.says(105, "in-service wwv --yes", `error: no resource "wwv"`, "www")
			d.says(105, "in-service www --on LK_P_C --yes", `error: no server "LK_P_C"`, "did you mean")
			d.says(107, "in-service www --on LK_S_A --yes", "ap-southeast-1", "hint: --confirm-region ap-southeast-1 confirms it; --yes alone does not")
			d.says(107, "in-service www --on LK_S_A --confirm-region ap-northeast-1", `you confirmed region "ap-northeast-1"`, "nothing was done")
			if got := d.ferry(0, "in-service www --on LK_P_A --yes"); !strings.Contains(got, "nothing to do") {
				d.t.Errorf("in service where it is: %s", got)
			}
			d.still("LK_P_A")
		})
	})
	t.Run("target off", func(t *testing.T) {
		atDesk(t, func(d *desk) {
			if err := d.sim.PowerOff("LK_P_B"); err != nil {
				d.t.Fatal(err)
			}
			time.Sleep(10 * time.Second)
			d.says(107, switchover, "error: refused: LK_P_B cannot be reached, so nothing can be put in service there",
				"hint: LK_P_B did not answer in time; check that it runs")
			d.still("LK_P_A")
		})
	})
	t.Run("host key changed", func(t *testing.T) {
		atDesk(t, func(d *desk) {
			if err := d.sim.Nodes.Node("LK_P_B").ReplaceHostKey(); err != nil {
				d.t.Fatal(err)
			}
			d.sim.Nodes.KillConnections("LK_P_B")
			time.Sleep(10 * time.Second)
			d.says(107, switchover, "error: refused: LK_P_B cannot be reached", "hint: LK_P_B: connect: host key of 10.0.10.10:22 is", "ssh-keygen -R '10.0.10.10'")
			if got := d.ferry(190, "status --check"); !strings.Contains(got, "host key of 10.0.10.10:22") {
				d.t.Errorf("the status does not say why LK_P_B is not reached:\n%s", got)
			}
			d.still("LK_P_A")
		})
	})
	t.Run("wrong AWS credentials", func(t *testing.T) {
		atDesk(t, func(d *desk) {
			d.sim.EC2.Edit(func(w *ec2sim.World) { w.Keys[0].ID = "AKIAANOTHER" })
			d.says(107, switchover, "error: refused: ", "LK_P_B says no", "AuthFailure", "check the access key ASIASIMULATEDFERRY00", "hint: put that right and try again; nothing was changed")
			d.still("LK_P_A")
		})
	})
	t.Run("disk of the target full", func(t *testing.T) {
		atDesk(t, func(d *desk) {
			d.sim.Nodes.Node("LK_P_B").SetDiskFull(true)
			d.says(107, switchover, "LK_P_B cannot write to /var/lib/ferry", "make space on its disk")
			d.says(1, switchover+" --force", "LK_P_B cannot write to /var/lib/ferry", "hint: ferry operations op-")
			d.still("LK_P_A")
		})
	})
	t.Run("disk of the engine full", func(t *testing.T) {
		atDesk(t, func(d *desk) {
			d.disk.Fill(true)
			d.says(69, switchover, "the store is full", "hint: free space in the engine's state directory; nothing was started")
			d.still("LK_P_A")
			if got := d.ferry(190, "status --check"); !strings.Contains(got, "the store is full") {
				d.t.Errorf("the status does not say it:\n%s", got)
			}
			d.disk.Fill(false)
			d.wait("the nodes to be seen again", func(s *api.Snapshot) bool { return s.Nodes[0].Verdict == policy.Alive && s.Engine.Notice == "" })
			time.Sleep(5 * time.Second)
			d.ferry(0, switchover)
			d.still("LK_P_B")
		})
	})
	t.Run("answers", func(t *testing.T) {
		atDesk(t, func(d *desk) {
			for _, n := range []string{"LK_P_A", "LK_P_B"} {
				if err := d.sim.PowerOff(n); err != nil {
					d.t.Fatal(err)
				}
			}
			q := d.wait("a question", func(s *api.Snapshot) bool { return len(s.Questions) > 0 }).Questions[0].ID
			d.says(105, "confirm yes q-9 --region ap-southeast-1 --node-is-off LK_P_A", "q-9")
			d.says(107, "confirm yes "+q+" --region ap-southeast-1", "LK_P_A", "not proven dead")
			d.says(107, "confirm yes "+q+" --region tokyo --node-is-off LK_P_A", "tokyo")
			d.ferry(0, "confirm yes "+q+" --region ap-southeast-1 --node-is-off LK_P_A")
			d.still("LK_S_A")
			d.says(105, "confirm no "+q, "question "+q+" is over: answered off by root@bastion (412)")
			d.still("LK_S_A")
		})
	})
}
