package nodesim

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/filesystem"
	"github.com/ferry-ha/ferry/kits/kittest"
)

func newDataBed(t *testing.T) *testbed {
	b := newTestbed(t)
	for _, n := range b.Nodes() {
		if err := b.World.Node(n).AddDisk("vdb", 1<<30, "ext4"); err != nil {
			t.Fatal(err)
		}
	}
	b.make = func(node string) kits.Instance {
		return kits.Instance{
			Tag: "service/fs-oradata", Cluster: "service", Node: kits.Node{Name: node, Address: addresses[node]},
			Attrs: map[string]string{"mount_point": "/oradata", "device": "/dev/vdb", "options": "noatime"},
		}
	}
	return b
}

func TestKitFilesystemOnSimulatedNodes(t *testing.T) {
	kittest.ConformanceInVirtualTime(t, filesystem.Kit{}, func(t *testing.T) kittest.World { return newDataBed(t) })
}

// one is the resource on the first node.
type one struct {
	*testbed
	node *Node
	in   kits.Instance
}

func mountedOne(t *testing.T) one {
	t.Helper()
	b := newDataBed(t)
	o := one{b, b.World.Node("LK_P_A"), b.Instance("LK_P_A")}
	o.want("start", o.start(), kits.OK, "")
	return o
}

func (o one) context() context.Context {
	ctx, cancel := context.WithTimeout(o.t.Context(), time.Hour)
	o.t.Cleanup(cancel)
	return ctx
}

func (o one) start() kits.Report { return filesystem.Kit{}.Start(o.context(), o.Host("LK_P_A"), o.in) }
func (o one) stop() kits.Report  { return filesystem.Kit{}.Stop(o.context(), o.Host("LK_P_A"), o.in) }
func (o one) check() kits.Report { return filesystem.Kit{}.Check(o.context(), o.Host("LK_P_A"), o.in) }
func (o one) recover() kits.Report {
	return filesystem.Kit{}.Recover(o.context(), o.Host("LK_P_A"), o.in)
}

func (o one) want(what string, r kits.Report, out kits.Outcome, code string) {
	o.t.Helper()
	if r.Outcome != out || r.Reason.Code != code {
		o.t.Errorf("%s: got %v %s %q (%s), want %v %s", what, r.Outcome, r.Reason.Code, r.Reason.Text, r.Output, out, code)
	}
}

func (o one) must(err error) {
	o.t.Helper()
	if err != nil {
		o.t.Fatal(err)
	}
}

func TestFilesystemFaultsOnSimulatedNodes(t *testing.T) {
	for what, f := range map[string]func(o one){
		"frozen is unknown, and heals by itself": func(o one) {
			o.must(o.node.FreezeDisk("vdb"))
			o.want("check", o.check(), kits.Unknown, "filesystem.slow")
			o.must(o.node.ThawDisk("vdb"))
			o.want("check", o.check(), kits.OK, "")
		},
		"a stop of a frozen one is unknown, and done when it thaws": func(o one) {
			o.must(o.node.FreezeDisk("vdb"))
			o.want("stop", o.stop(), kits.Unknown, "filesystem.under-way")
			o.want("check", o.check(), kits.Failed, "filesystem.in-use")
			o.must(o.node.ThawDisk("vdb"))
			time.Sleep(time.Second)
			o.want("stop", o.stop(), kits.OK, "")
		},
		"full is impaired": func(o one) {
			for _, percent := range []int{90, 100} {
				o.must(o.node.FillDisk("vdb", percent))
				r := o.check()
				o.want("check", r, kits.OK, "filesystem.full")
				if !r.Impaired {
					o.t.Error("not impaired")
				}
			}
			o.must(o.node.FillDisk("vdb", 89))
			o.want("check", o.check(), kits.OK, "")
		},
		"read-only after an error is failed and stays so": func(o one) {
			o.must(o.node.RemountReadOnly("/oradata"))
			o.want("check", o.check(), kits.Failed, "filesystem.read-only")
			o.want("recover", o.recover(), kits.Failed, "filesystem.read-only")
			o.want("stop", o.stop(), kits.OK, "")
			r := o.start() // the error on record is mended first
			o.want("start", r, kits.OK, "")
			if !strings.Contains(r.Output, "@fsck 1") {
				o.t.Errorf("not mended: %s", r.Output)
			}
		},
		"a broken disk is failed": func(o one) {
			o.must(o.node.BreakDisk("vdb", true))
			o.want("check", o.check(), kits.Failed, "filesystem.disk-error")
		},
		"a mount that vanished is brought back": func(o one) {
			o.node.Exec(o.t.Context(), "umount /oradata")
			o.want("check", o.check(), kits.Failed, "filesystem.absent")
			o.want("recover", o.recover(), kits.OK, "")
			o.want("check", o.check(), kits.OK, "")
		},
		"holders are ended, deaf ones too, spared ones never": func(o one) {
			o.must(o.node.HoldMount(Holder{PID: 500, Command: "oracle", Path: "/oradata/redo.log"}))
			o.must(o.node.HoldMount(Holder{PID: 501, Command: "sh", Path: "/oradata", Cwd: true, IgnoresTerm: true}))
			o.in.Tuning = map[string]string{"FS_KILL": "0"}
			o.want("stop", o.stop(), kits.Failed, "filesystem.busy-kept")
			o.in.Tuning = nil
			o.want("stop", o.stop(), kits.OK, "")
			if o.node.Alive(500) || o.node.Alive(501) {
				o.t.Error("a holder lives")
			}
			o.want("start", o.start(), kits.OK, "")
			o.must(o.node.HoldMount(Holder{PID: 502, Command: "sshd", Path: "/oradata", Cwd: true}))
			o.must(o.node.HoldMount(Holder{PID: 503, Command: "kworker", Path: "/oradata/x", Kernel: true}))
			r := o.stop()
			o.want("stop", r, kits.Failed, "filesystem.busy")
			if !strings.Contains(r.Reason.Text, "sshd (process 502, working directory, never ended)") {
				o.t.Errorf("the holder is not named: %s", r.Reason.Text)
			}
			if !o.node.Alive(502) || !o.node.Alive(503) {
				o.t.Error("one that is to be spared was ended")
			}
		},
		"a power-off leaves nothing mounted": func(o one) {
			o.must(o.node.WriteFile("/oradata/x", "kept", false))
			o.node.PowerOff()
			o.node.PowerOn()
			time.Sleep(time.Minute)
			r := o.check()
			o.want("check", r, kits.Failed, "filesystem.absent")
			if r.Presence != kits.Absent {
				o.t.Errorf("presence %q", r.Presence)
			}
			o.want("start", o.start(), kits.OK, "")
			if got, err := o.node.ReadFile("/oradata/x"); got != "kept" {
				o.t.Errorf("%q %v", got, err)
			}
		},
		"a mirror that does not take writes is not mounted": func(o one) {
			o.want("stop", o.stop(), kits.OK, "")
			state := "readonly\n"
			leg := o.node.disks.find("vdb")
			o.must(o.node.disks.add(&blockDev{name: "md127", links: []string{"/dev/md/ferry-data"}, size: leg.size, volume: leg.volume,
				sysfs: func() map[string]string { return map[string]string{"md/array_state": state} }}))
			o.in.Attrs["device"] = "/dev/md/ferry-data"
			o.want("start", o.start(), kits.Failed, "filesystem.device-read-only")
			state = "clean\n"
			o.want("start", o.start(), kits.OK, "")
		},
	} {
		t.Run(what, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { f(mountedOne(t)) }) })
	}
}
