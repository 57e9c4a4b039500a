package kittest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/internal/lab"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/filesystem"
	"github.com/ferry-ha/ferry/kits/kittest"
	"github.com/ferry-ha/ferry/kits/kittest/onlab"
)

// dataDisk is the guests' second disk.
const dataDisk = "/dev/ubdb"

// mounts is the lab with a file system on each data disk.
type mounts struct {
	*labWorld
	t *testing.T
}

func newMounts(t *testing.T, fsType string) mounts {
	w := mounts{newLabWorld(t, func(*lab.Guest) kits.Instance {
		return kits.Instance{
			Tag:    "service/fs-oradata",
			Attrs:  map[string]string{filesystem.FieldMountPoint: "/oradata", filesystem.FieldDevice: dataDisk, filesystem.FieldType: fsType, filesystem.FieldOptions: "noatime"},
			Tuning: map[string]string{filesystem.StopTimeout: "40"},
		}
	}), t}
	make := map[string]string{"ext4": "mkfs.ext4 -q -F -E nodiscard ", "xfs": "mkfs.xfs -q -f -K "}[fsType]
	for _, n := range w.Nodes() {
		w.sh(n, "modprobe xfs 2>/dev/null; "+make+dataDisk)
		w.lab.Guest(n).Spoil()
	}
	return w
}

// sh is an administrator's hand on a guest.
func (w mounts) sh(node, script string) string {
	w.t.Helper()
	out, err := w.lab.Guest(node).Sh(w.t.Context(), script)
	if err != nil {
		w.t.Fatalf("on %s: %s: %v %s", node, script, err, out)
	}
	return out
}

const mountNode = "LK_P_A"

func (w mounts) start() kits.Report {
	return filesystem.Kit{}.Start(w.t.Context(), w.Host(mountNode), w.Instance(mountNode))
}

func (w mounts) stop() kits.Report {
	return filesystem.Kit{}.Stop(w.t.Context(), w.Host(mountNode), w.Instance(mountNode))
}

func (w mounts) check() kits.Report {
	return filesystem.Kit{}.Check(w.t.Context(), w.Host(mountNode), w.Instance(mountNode))
}

func (w mounts) want(what string, r kits.Report, o kits.Outcome, code string) {
	w.t.Helper()
	if r.Outcome != o || r.Reason.Code != code {
		w.t.Errorf("%s: got %v %s %q (%s), want %v %q", what, r.Outcome, r.Reason.Code, r.Reason.Text, r.Output, o, code)
	}
}

// hold leaves a process behind on the guest; its pid is returned.
func (w mounts) hold(script string) string {
	w.t.Helper()
	return strings.TrimSpace(w.sh(mountNode, "setsid sh -c '"+script+"' </dev/null >/dev/null 2>&1 & echo $!; sleep 1"))
}

func (w mounts) runs(pid string) bool {
	return strings.TrimSpace(w.sh(mountNode, "[ -d /proc/"+pid+" ] && ! grep -q ') Z ' /proc/"+pid+"/stat && echo yes || true")) == "yes"
}

func TestKitFilesystemExt4InTheLab(t *testing.T) {
	kittest.Conformance(t, filesystem.Kit{}, newMounts(t, "ext4"))
}

func TestKitFilesystemXFSInTheLab(t *testing.T) {
	kittest.Conformance(t, filesystem.Kit{}, newMounts(t, "xfs"))
}

// What SPEC 7 names, on real kernels: busy unmounts, wrong devices, bind mounts, a full disk.
func TestFilesystemCasesInTheLab(t *testing.T) {
	for _, fsType := range []string{"ext4", "xfs"} {
		t.Run(fsType, func(t *testing.T) {
			w := newMounts(t, fsType)
			w.want("start", w.start(), kits.OK, "")
			t.Log(w.check().Details)

			w.sh(mountNode, "mkdir -p /oradata/a && mount -t tmpfs a /oradata/a && mkdir /oradata/root && mount --bind / /oradata/root")
			nested := w.hold("cd /oradata/a && exec sleep 1000")
			deaf := w.hold(`trap "" TERM; cd /oradata && while :; do sleep 1000; done`)
			writer := w.hold("exec sleep 1000 >/oradata/log")
			system := w.hold("cd / && exec sleep 1000")
			in := w.Instance(mountNode)
			in.Tuning[filesystem.Kill] = "0"
			w.want("stop that may end nobody", filesystem.Kit{}.Stop(t.Context(), w.Host(mountNode), in), kits.Failed, "filesystem.busy-kept")
			w.want("stop", w.stop(), kits.OK, "")
			for what, pid := range map[string]string{"nested": nested, "deaf": deaf, "writer": writer} {
				if w.runs(pid) {
					t.Errorf("the holder %q lives", what)
				}
			}
			if !w.runs(system) {
				t.Error("a process of the system was ended over a bind mount of /")
			}

			w.sh(mountNode, "mount -t tmpfs other /oradata && echo precious >/oradata/x")
			w.want("start over another device", w.start(), kits.Failed, "filesystem.other-device")
			w.want("stop with another device", w.stop(), kits.Failed, "filesystem.other-device")
			w.sh(mountNode, "grep -q precious /oradata/x && umount /oradata && mount --bind / /oradata")
			w.want("start over a bind mount of /", w.start(), kits.Failed, "filesystem.system")
			w.want("stop with a bind mount of /", w.stop(), kits.Failed, "filesystem.system")
			w.sh(mountNode, "umount /oradata")

			w.want("start", w.start(), kits.OK, "")
			w.sh(mountNode, "n=$(df -Pk /oradata | tail -n 1 | (read -r _ size used _; echo $((size * 93 / 100 - used)))) && fallocate -l ${n}k /oradata/much")
			r := w.check()
			w.want("check at 90 %", r, kits.OK, "filesystem.full")
			if !r.Impaired {
				t.Error("not impaired")
			}
			w.sh(mountNode, "rm /oradata/much && mount -o remount,ro /oradata")
			w.want("check of one that is read-only", w.check(), kits.Failed, "filesystem.read-only")
			w.want("recover of one that is read-only", filesystem.Kit{}.Recover(t.Context(), w.Host(mountNode), w.Instance(mountNode)), kits.Failed, "filesystem.read-only")
			w.want("stop", w.stop(), kits.OK, "")
		})
	}
}

// A power-off leaves a journal, which the next mount replays.
func TestFilesystemAfterAPowerOffInTheLab(t *testing.T) {
	for _, fsType := range []string{"ext4", "xfs"} {
		t.Run(fsType, func(t *testing.T) {
			w := newMounts(t, fsType)
			w.want("start", w.start(), kits.OK, "")
			w.sh(mountNode, "for i in 1 2 3 4 5 6 7 8 9; do mkdir /oradata/d$i && echo $i >/oradata/d$i/f; done; sync; echo x >/oradata/late")
			g := w.lab.Guest(mountNode)
			for _, step := range []func() error{func() error { return g.PowerOff(t.Context()) }, func() error { return g.PowerOn(t.Context()) }, func() error { return g.WaitSSH(t.Context()) }} {
				if err := step(); err != nil {
					t.Fatal(err)
				}
			}
			w.Pool.Close()
			w = mounts{reconnected(t, w.labWorld), t}
			w.want("check after the power-off", w.check(), kits.Failed, "filesystem.absent")
			w.want("start after the power-off", w.start(), kits.OK, "")
			if got := w.sh(mountNode, "cat /oradata/d9/f"); got != "9\n" {
				t.Errorf("what was flushed is not there: %q", got)
			}
			w.want("stop", w.stop(), kits.OK, "")
		})
	}
}

// Nothing mounts it at boot: a unit that is switched on, or a line of fstab, makes the node not eligible.
func TestFilesystemQuietAtBootInTheLab(t *testing.T) {
	w := newMounts(t, "ext4")
	eligible := func(what, code string) {
		t.Helper()
		e := filesystem.Kit{}.Eligible(t.Context(), w.Host(mountNode), w.Instance(mountNode))
		if (e.Outcome == kits.OK) != (code == "") || e.Reason.Code != code {
			t.Errorf("%s: %+v, want %q", what, e, code)
		}
	}
	eligible("nothing", "")
	unit := func(where string) string {
		return fmt.Sprintf("printf '[Mount]\\nWhat=%s\\nWhere=/%s\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/%s.mount && systemctl enable %s.mount", dataDisk, where, where, where)
	}
	w.sh(mountNode, unit("oradata"))
	eligible("a unit for the point", "filesystem.unit")
	w.sh(mountNode, "systemctl disable oradata.mount")
	eligible("a unit that is switched off", "")
	w.sh(mountNode, unit("other"))
	eligible("a unit for the device", "filesystem.unit")
	w.sh(mountNode, "systemctl disable other.mount && rm /etc/systemd/system/o*.mount && systemctl daemon-reload")
	uuid := strings.TrimSpace(w.sh(mountNode, "blkid -o value -s UUID "+dataDisk+"; mkdir -p /dev/disk/by-uuid"))
	w.sh(mountNode, "ln -sf ../../ubdb /dev/disk/by-uuid/"+uuid+"; cp /etc/fstab /etc/fstab.kept; echo 'UUID="+uuid+" /somewhere ext4 defaults 0 2' >>/etc/fstab")
	eligible("a line of fstab for the device's file system", "filesystem.fstab")
	w.sh(mountNode, "mv /etc/fstab.kept /etc/fstab")
	eligible("nothing any more", "")
}

// reconnected is the same world, as it is, with connections of its own.
func reconnected(t *testing.T, w *labWorld) *labWorld {
	return &labWorld{Hosts: onlab.New(t, w.lab), lab: w.lab, make: w.make}
}

// A frozen disk, the device mapper standing for the mirror: checks are unknown and never pile
// up, a stop says that it is under way and starts no second one, and all is well after the thaw.
func TestFrozenFilesystemInTheLab(t *testing.T) {
	for _, fsType := range []string{"ext4", "xfs"} {
		t.Run(fsType, func(t *testing.T) {
			w := newMounts(t, fsType)
			w.sh(mountNode, fmt.Sprintf("modprobe dm-mod 2>/dev/null; dmsetup create frost --table \"0 $(blockdev --getsz %s) linear %s 0\" && dmsetup mknodes frost", dataDisk, dataDisk))
			defer w.sh(mountNode, "dmsetup resume frost; umount /oradata 2>/dev/null; dmsetup remove --retry frost")
			old := w.make
			w.make = func(g *lab.Guest) kits.Instance {
				in := old(g)
				in.Attrs[filesystem.FieldDevice] = "/dev/mapper/frost"
				in.Tuning[filesystem.CheckTimeout], in.Tuning[filesystem.StopTimeout] = "2", "4"
				in.Tuning[filesystem.StartTimeout] = "4"
				return in
			}
			w.want("start", w.start(), kits.OK, "")
			w.sh(mountNode, "dmsetup suspend --nolockfs --noflush frost")
			w.want("check", w.check(), kits.Unknown, "filesystem.slow")
			w.want("check again", w.check(), kits.Unknown, "filesystem.frozen")
			w.want("check again", w.check(), kits.Unknown, "filesystem.frozen")
			count := func(what string) string {
				return strings.TrimSpace(w.sh(mountNode, "n=0; for f in /proc/[0-9]*/comm; do read -r c <$f && [ \"$c\" = "+what+" ] && n=$((n+1)); done 2>/dev/null; echo $n"))
			}
			if n := count("dd"); n != "1" {
				t.Errorf("%s probes wait for the disk, want one", n)
			}
			w.sh(mountNode, "dmsetup resume frost")
			w.want("check after the thaw", w.check(), kits.OK, "")
			w.sh(mountNode, "echo dirty >/oradata/x; dmsetup suspend --nolockfs --noflush frost")
			w.want("stop", w.stop(), kits.Unknown, "filesystem.under-way")
			w.want("stop again", w.stop(), kits.Unknown, "filesystem.under-way")
			if n := count("umount"); n != "1" {
				t.Errorf("%s unmounts wait for the disk, want one", n)
			}
			w.want("start meanwhile", w.start(), kits.Unknown, "filesystem.under-way")
			w.sh(mountNode, "dmsetup resume frost")
			w.want("stop after the thaw", w.stop(), kits.OK, "")
			w.want("start after the thaw", w.start(), kits.OK, "")
			if got := w.sh(mountNode, "cat /oradata/x"); got != "dirty\n" {
				t.Errorf("what was written before the freeze is %q", got)
			}
			w.want("stop", w.stop(), kits.OK, "")
		})
	}
}
