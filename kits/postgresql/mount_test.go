package postgresql

import (
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/ferry-ha/ferry/kits"
)

// mountedMachine has its cluster on a small file system of its own, in a mount namespace of its own, which is
// what the resource's child is about.
type mountedMachine struct {
	*machine
	point string
}

func newMountedMachine(t *testing.T) mountedMachine {
	m := mountedMachine{machine: newMachine(t, "A")}
	holder := exec.Command("unshare", "-m", "sleep", "1000")
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = holder.Process.Kill(); _ = holder.Wait() })
	m.shell = []string{"nsenter", "-t", strconv.Itoa(holder.Process.Pid), "-m", "dash"}
	m.point = m.dir + "/mnt"
	eventually(t, "a mount namespace", func() bool {
		out, err := exec.Command("readlink", "/proc/self/ns/mnt", "/proc/"+strconv.Itoa(holder.Process.Pid)+"/ns/mnt").Output()
		both := strings.Fields(string(out))
		return err == nil && len(both) == 2 && both[0] != both[1]
	})
	if out, err := m.try("mkdir " + m.point + " && mount -t tmpfs -o size=100m,mode=755 tmpfs " + m.point); err != nil {
		if strings.Contains(out, "permission denied") {
			t.Skip("left out: this machine lets nobody mount")
		}
		t.Fatal(out)
	}
	m.sh("cp -a '" + m.data + "' " + m.point + "/data")
	m.data = m.point + "/data"
	t.Cleanup(func() { m.sh("mount -o remount,rw " + m.point + " || :"); m.stop() })
	return m
}

func (m mountedMachine) try(script string) (string, error) {
	out, err := exec.Command(m.shell[0], append(m.shell[1:len(m.shell):len(m.shell)], "-c", script)...).CombinedOutput()
	return string(out), err
}

func (m mountedMachine) sh(script string) string {
	m.t.Helper()
	out, err := m.try(script)
	if err != nil {
		m.t.Fatalf("%s: %v\n%s", script, err, out)
	}
	return strings.TrimSpace(out)
}

func (m mountedMachine) instance() kits.Instance {
	in := m.machine.instance()
	in.Children = []kits.Relative{{Tag: "service/fs", Kit: "filesystem", On: map[string]map[string]string{"A": {"mount_point": m.point}}}}
	return in
}

func (m mountedMachine) start() kits.Report { return Kit{}.Start(m.t.Context(), m, m.instance()) }
func (m mountedMachine) stop() kits.Report  { return Kit{}.Stop(m.t.Context(), m, m.instance()) }
func (m mountedMachine) check() kits.Report { return Kit{}.Check(m.t.Context(), m, m.instance()) }

func TestOnItsFileSystem(t *testing.T) {
	m := newMountedMachine(t)
	want(t, "start", m.start(), kits.OK, "", "")
	want(t, "stop", m.stop(), kits.OK, "", "")
	m.sh("mv '" + m.data + "/pg_wal' '" + m.dir + "/wal' && ln -s '" + m.dir + "/wal' '" + m.data + "/pg_wal'")
	r := m.start()
	want(t, "its log elsewhere", r, kits.Failed, "postgresql.elsewhere", "pg_wal")
	if !r.Permanent {
		t.Error("trying again would help?")
	}
	m.sh("rm '" + m.data + "/pg_wal' && mv '" + m.dir + "/wal' '" + m.data + "/pg_wal' && ln -s '" + m.dir + "/s' '" + m.data + "/pg_tblspc/16384'")
	want(t, "a tablespace elsewhere", m.start(), kits.Failed, "postgresql.elsewhere", "pg_tblspc/16384")
	m.sh("rm '" + m.data + "/pg_tblspc/16384'")
	want(t, "start", m.start(), kits.OK, "", "")
}

// Beneath the mount point nothing is started, whatever lies there, and nothing is made.
func TestNotMounted(t *testing.T) {
	m := newMountedMachine(t)
	m.sh("umount " + m.point)
	want(t, "check", m.check(), kits.Failed, "postgresql.no-directory", m.data)
	want(t, "start", m.start(), kits.Failed, "postgresql.not-mounted", "not mounted")
	if left := m.sh("ls -A " + m.point); left != "" {
		t.Errorf("beneath the mount point: %s", left)
	}
	m.sh("cp -a '" + m.dir + "/da ta' " + m.point + "/data")
	want(t, "start of a copy beneath it", m.start(), kits.Failed, "postgresql.not-mounted", "not mounted")
	m.sh("mount -t tmpfs tmpfs " + m.point)
	want(t, "start on an empty file system", m.start(), kits.Failed, "postgresql.no-data", "PG_VERSION is missing")
}

func TestFullAndReadOnly(t *testing.T) {
	m := newMountedMachine(t)
	want(t, "start", m.start(), kits.OK, "", "")
	m.sh("dd if=/dev/zero of=" + m.point + "/fill bs=1M 2>/dev/null; dd if=/dev/zero of=" + m.point + "/fill2 bs=512 2>/dev/null; :")
	want(t, "check of a full one", m.check(), kits.OK, "", "")
	m.stop()
	want(t, "check", m.check(), kits.Failed, "postgresql.gone", "")
	m.sh("dd if=/dev/zero of=" + m.point + "/fill3 bs=512 2>/dev/null; :") // what the stop has freed
	want(t, "start of a full one", m.start(), kits.Failed, "postgresql.died", "No space left on device")
	m.sh("rm " + m.point + "/fill* && mount -o remount,ro " + m.point)
	want(t, "start of a read-only one", m.start(), kits.Failed, "postgresql.died", "Read-only file system")
	m.sh("mount -o remount,rw " + m.point)
	want(t, "start", m.start(), kits.OK, "", "")
}
