package nodesim

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// diskNode is a node with a disk that holds a file system.
func diskNode(t *testing.T) *Node {
	t.Helper()
	w := NewWorld(Options{})
	t.Cleanup(w.Close)
	n, err := w.AddNode(NodeConfig{Name: "A", Address: "10.0.0.10"})
	if err == nil {
		err = n.AddDisk("vdb", 1<<30, "ext4")
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func mustSay(t *testing.T, n *Node, script, want string) {
	t.Helper()
	if code, out := n.Exec(t.Context(), script); code != 0 || strings.TrimSpace(out) != want {
		t.Errorf("%s: %d %q, want %q", script, code, out, want)
	}
}

func mustRefuse(t *testing.T, n *Node, script, want string) {
	t.Helper()
	if code, out := n.Exec(t.Context(), script); code == 0 || !strings.Contains(out, want) {
		t.Errorf("%s: %d %q, want it to fail with %q", script, code, out, want)
	}
}

func TestWhatIsOnADiskSurvives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := diskNode(t)
		mustSay(t, n, "mkdir -p /data && echo hidden >/data/below && mount -w -t ext4 -- /dev/vdb /data && echo kept >/data/x && ls /data", "x")
		mustSay(t, n, "mv /data/x /data/y && cat /data/y && [ ! -e /data/x ] && [ -b /dev/vdb ]", "kept")
		mustRefuse(t, n, "rmdir /data", "busy")
		n.PowerOff()
		n.PowerOn()
		time.Sleep(time.Minute)
		mustSay(t, n, "ls /data", "below")
		mustSay(t, n, "mount /dev/vdb /data && cat /data/y && umount /data && ls /data", "kept\nbelow")
		if got, err := n.OnDisk("vdb", "/y"); got != "kept\n" {
			t.Errorf("on the disk: %q %v", got, err)
		}
	})
}

func TestMountsThatAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := diskNode(t)
		mustRefuse(t, n, "mount /dev/vdc /mnt", "mount point does not exist")
		mustRefuse(t, n, "mkdir /mnt && mount /dev/vdc /mnt", "special device /dev/vdc does not exist")
		mustRefuse(t, n, "mount -t xfs /dev/vdb /mnt", "wrong fs type")
		mustRefuse(t, n, "umount /mnt", "not mounted")
		mustSay(t, n, "mount -o noatime,ro /dev/vdb /mnt && grep -c ' /mnt ro,noatime shared:.* - ext4 /dev/vdb ro$' /proc/self/mountinfo", "1")
		mustRefuse(t, n, "touch /mnt/x", "read-only")
		mustSay(t, n, "umount /mnt", "")
		if err := n.ProtectDisk("vdb", true); err != nil {
			t.Fatal(err)
		}
		mustRefuse(t, n, "mount -w /dev/vdb /mnt", "read-only")
		mustSay(t, n, "mount /dev/vdb /mnt", "mount: /mnt: WARNING: source write-protected, mounted read-only.")
	})
}

func TestAFrozenDiskLetsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := diskNode(t)
		mustSay(t, n, "mkdir /mnt && mount /dev/vdb /mnt", "")
		if err := n.FreezeDisk("vdb"); err != nil {
			t.Fatal(err)
		}
		mustSay(t, n, "echo cached >/mnt/x; cat /mnt/x", "cached")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if code, out := n.Exec(ctx, "dd if=/dev/zero of=/mnt/p bs=512 count=1 conv=fsync"); code != terminated || ctx.Err() == nil {
			t.Errorf("dd to a frozen disk: %d %q", code, out)
		}
		done := make(chan int)
		go func() {
			code, _ := n.Exec(t.Context(), "umount /mnt")
			done <- code
		}()
		time.Sleep(time.Hour)
		mustSay(t, n, "[ -d /sys/fs/ext4/vdb ] && ! grep -q /mnt /proc/self/mountinfo", "")
		if err := n.ThawDisk("vdb"); err != nil {
			t.Fatal(err)
		}
		if code := <-done; code != 0 {
			t.Errorf("umount ended with %d", code)
		}
		mustSay(t, n, "[ ! -d /sys/fs/ext4/vdb ]", "")
	})
}

func TestFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := diskNode(t)
		mustSay(t, n, "mkdir /mnt && mount /dev/vdb /mnt && echo x >/mnt/x && stat -f -c '%S %b %f' /mnt", "4096 262144 262143")
		if err := n.FillDisk("vdb", 100); err != nil {
			t.Fatal(err)
		}
		mustRefuse(t, n, "echo y >/mnt/y", "no space")
		mustSay(t, n, "dd if=/mnt/x of=/mnt/x bs=2 count=1 conv=notrunc,fsync", "")
		mustSay(t, n, "df -P /mnt | sed -n 's/.* \\([0-9]*%\\) .*/\\1/p'", "100%")
	})
}

func TestHoldersKeepAMountBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := diskNode(t)
		mustSay(t, n, "mkdir /mnt && mount /dev/vdb /mnt && mkdir /mnt/sub && mount --bind /mnt/sub /opt", "")
		for _, h := range []Holder{{PID: 400, Command: "writer", Path: "/mnt/log"}, {PID: 401, Command: "sh", Path: "/mnt", Cwd: true, IgnoresTerm: true}} {
			if err := n.HoldMount(h); err != nil {
				t.Fatal(err)
			}
		}
		mustRefuse(t, n, "umount /mnt", "target is busy")
		mustSay(t, n, "ls -l /proc/400/fd /proc/401/cwd | grep -c -e '-> /mnt'", "2")
		mustSay(t, n, "kill -TERM 400 401; kill -0 401 && [ ! -d /proc/400 ] && kill -KILL 401 && umount /mnt && ls -d /sys/fs/ext4/vdb", "/sys/fs/ext4/vdb")
		mustSay(t, n, "umount /opt && [ ! -d /sys/fs/ext4/vdb ]", "")
		if n.Alive(400) || n.Alive(401) {
			t.Error("a process that was killed lives")
		}
	})
}

// What a mirror does with the interface: a device that comes and goes, shares what is on
// its leg, and freezes.
func TestDevicesComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := diskNode(t)
		leg := n.disks.find("vdb")
		var frozen atomic.Pointer[chan struct{}]
		md := &blockDev{
			name: "md127", links: []string{"/dev/md/ferry-data"}, size: leg.size, volume: leg.volume, volatile: true,
			frozen: func() <-chan struct{} {
				if c := frozen.Load(); c != nil {
					return *c
				}
				return nil
			},
			sysfs: func() map[string]string { return map[string]string{"md/array_state": "clean\n"} },
		}
		if err := n.disks.claim("vdb", "md127"); err != nil {
			t.Fatal(err)
		}
		if err := n.disks.add(md); err != nil {
			t.Fatal(err)
		}
		mustSay(t, n, "cat /sys/dev/block/9:0/md/array_state && stat -L -c '%t:%T' /dev/md/ferry-data && readlink -f /dev/md/ferry-data", "clean\n9:0\n/dev/md127")
		mustRefuse(t, n, "mkdir /mnt; mount /dev/vdb /mnt", "already mounted or mount point busy")
		mustSay(t, n, "mount /dev/md/ferry-data /mnt && echo x >/mnt/x", "")
		if err := n.disks.remove("md127"); err == nil {
			t.Error("a device that is mounted was taken away")
		}
		ice := make(chan struct{})
		frozen.Store(&ice)
		go func() { time.Sleep(time.Minute); frozen.Store(nil); close(ice) }()
		start := time.Now()
		mustSay(t, n, "umount /mnt", "")
		if took := time.Since(start); took < time.Minute {
			t.Errorf("unmounted after %v while frozen", took)
		}
		n.PowerOff()
		n.PowerOn()
		time.Sleep(time.Minute)
		mustSay(t, n, "[ ! -e /dev/md127 ] && [ ! -e /dev/md/ferry-data ] && mount /dev/vdb /mnt && cat /mnt/x", "x")
	})
}
