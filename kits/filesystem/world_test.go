package filesystem

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/kittest"
)

// machine is a node with a mount namespace of its own on this machine, and a loop device
// that is nobody else's: the real kernel and the real tools.
type machine struct {
	t      *testing.T
	name   string
	dir    string
	shell  []string
	holder int // the process that keeps the namespace
	loop   string
}

// newMachine makes one, or skips the test where that cannot be. The lab runs the same tests.
func newMachine(t *testing.T, name string) *machine {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("left out: mounting needs root")
	}
	m := &machine{t: t, name: name, dir: t.TempDir(), shell: []string{"sh"}}
	image := filepath.Join(m.dir, "image")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, 32<<20); err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("mkfs.ext4"); err != nil {
		if os.Getenv("FERRY_REQUIRE_REAL") == "1" {
			t.Fatal("mkfs.ext4 is missing; install e2fsprogs")
		}
		t.Skip("left out: mkfs.ext4 (e2fsprogs) is not installed")
	}
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", "-E", "nodiscard", image).CombinedOutput(); err != nil {
		t.Fatalf("mkfs.ext4: %v %s", err, out)
	}
	out, err := exec.Command("losetup", "-f", "--show", image).CombinedOutput()
	if err != nil {
		t.Skipf("left out: no loop device to be had here: %v %s", err, out)
	}
	m.loop = strings.TrimSpace(string(out))
	t.Cleanup(func() { _ = exec.Command("losetup", "-d", m.loop).Run() })
	m.enter()
	return m
}

// enter makes the namespace. It ends with its last process, and with it its mounts.
func (m *machine) enter() {
	keep := exec.Command("unshare", "-m", "--propagation", "private", "sh", "-c", "echo there; exec sleep 1000")
	out, err := keep.StdoutPipe()
	if err == nil {
		err = keep.Start()
	}
	if err != nil {
		m.t.Skipf("left out: no mount namespace to be had here: %v", err)
	}
	m.t.Cleanup(func() { _ = keep.Process.Kill(); _ = keep.Wait() })
	if n, _ := out.Read(make([]byte, 16)); n == 0 {
		m.t.Skip("left out: no mount namespace to be had here")
	}
	m.holder = keep.Process.Pid
	m.do("mkdir -p " + m.dir + "/etc && mount --bind " + m.dir + "/etc /etc/systemd/system && mount -t tmpfs tmpfs /mnt")
}

func (m *machine) Node() string { return m.name }

// command runs something in the namespace.
func (m *machine) command(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "nsenter", append([]string{"-t", strconv.Itoa(m.holder), "-m"}, args...)...)
}

func (m *machine) Run(ctx context.Context, s kits.Script) (kits.Result, error) {
	if s.Deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.Deadline)
		defer cancel()
	}
	body := strings.ReplaceAll(s.Body, "run=/run/ferry/fs\n", "run="+m.dir+"/run\n")
	args := append(append([]string{}, m.shell...), "-c", body, "ferry")
	cmd := m.command(ctx, append(args, s.Args...)...)
	cmd.WaitDelay = 3 * time.Second // a loaded machine is no unknown answer
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if ctx.Err() != nil {
		return kits.Result{}, ctx.Err()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return kits.Result{}, err
	}
	if errs.Len() > 0 {
		m.t.Logf("%s on %s complains: %s", s.Name, m.name, errs.String())
	}
	return kits.Result{Exit: cmd.ProcessState.ExitCode(), Stdout: out.String(), Stderr: errs.String()}, nil
}

// do is an administrator's hand.
func (m *machine) do(script string) string {
	m.t.Helper()
	out, err := m.command(context.Background(), "sh", "-c", script).CombinedOutput()
	if err != nil {
		m.t.Fatalf("on %s: %s: %v %s", m.name, script, err, out)
	}
	return string(out)
}

// hold starts a process in the namespace that is ended with the test at the latest. It says
// "ready" when it holds what it is to hold.
func (m *machine) hold(script string) *exec.Cmd {
	m.t.Helper()
	cmd := m.command(context.Background(), "sh", "-c", script)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if n, err := out.Read(make([]byte, 16)); n == 0 {
		m.t.Fatalf("%s: %v", script, err)
	}
	return cmd
}

func (m *machine) instance() kits.Instance {
	return kits.Instance{
		Tag: "service/fs data", Kit: "filesystem", Cluster: "service", Node: kits.Node{Name: m.name},
		Attrs:  map[string]string{FieldMountPoint: "/mnt/data", FieldDevice: m.loop, FieldType: "ext4"},
		Tuning: map[string]string{StopTimeout: "20", StartTimeout: "20"},
	}
}

func (m *machine) start() kits.Report { return Kit{}.Start(m.t.Context(), m, m.instance()) }
func (m *machine) stop() kits.Report  { return Kit{}.Stop(m.t.Context(), m, m.instance()) }
func (m *machine) check() kits.Report { return Kit{}.Check(m.t.Context(), m, m.instance()) }

type world struct{ a, b *machine }

func (w world) Nodes() []string { return []string{w.a.name, w.b.name} }

func (w world) pick(node string) *machine {
	if node == w.a.name {
		return w.a
	}
	return w.b
}
func (w world) Host(node string) kits.Host         { return w.pick(node) }
func (w world) Instance(node string) kits.Instance { return w.pick(node).instance() }

func TestConformanceOnThisKernel(t *testing.T) {
	for _, shell := range [][]string{{"dash"}, {"busybox", "sh"}, {"bash", "--posix"}} {
		t.Run(shell[0], func(t *testing.T) {
			if _, err := exec.LookPath(shell[0]); err != nil {
				t.Skipf("left out: %s is not installed", shell[0])
			}
			t.Parallel()
			w := world{newMachine(t, "A"), newMachine(t, "B")}
			w.a.shell, w.b.shell = shell, shell
			kittest.Conformance(t, Kit{}, w)
		})
	}
}

func TestScriptsAreClean(t *testing.T) {
	for name, body := range map[string]string{"check": checkSh, "start": startSh, "stop": stopSh, "eligible": eligibleSh} {
		kittest.Lint(t, name, libSh+"\n"+body)
	}
	kittest.Lint(t, "choices", choicesSh)
	_, probe, _ := strings.Cut(libSh, "probe_text='")
	probe, _, _ = strings.Cut(probe, "\n'\n")
	kittest.Lint(t, "probe", probe)
}

func want(t *testing.T, what string, r kits.Report, o kits.Outcome, p kits.Presence, code, text string) {
	t.Helper()
	if r.Outcome != o || r.Presence != p || r.Reason.Code != code || !strings.Contains(r.Reason.Text, text) {
		t.Errorf("%s: got %v %q %q %q (output %q), want %v %q %q %q", what, r.Outcome, r.Presence, r.Reason.Code, r.Reason.Text, r.Output, o, p, code, text)
	}
}

func TestStartMakesTheMountPoint(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	r := m.start()
	want(t, "start", r, kits.OK, kits.Present, "", "")
	for _, k := range []string{"device", "type", "size", "used", "free", "used-percent", "inodes-percent"} {
		if r.Details[k] == "" {
			t.Errorf("the details lack %s: %v", k, r.Details)
		}
	}
	if out := m.do("grep ' /mnt/data ' /proc/self/mountinfo"); !strings.Contains(out, "errors=remount-ro") {
		t.Errorf("errors=remount-ro is not set: %s", out)
	}
	want(t, "stop", m.stop(), kits.OK, kits.Absent, "", "")
}

func TestMountPointWithASpace(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	in := m.instance()
	in.Attrs[FieldMountPoint] = "/mnt/my data.x"
	want(t, "start", Kit{}.Start(t.Context(), m, in), kits.OK, kits.Present, "", "")
	want(t, "start again", Kit{}.Start(t.Context(), m, in), kits.OK, kits.Present, "", "")
	want(t, "check", Kit{}.Check(t.Context(), m, in), kits.OK, kits.Present, "", "")
	m.hold("cd '/mnt/my data.x' && echo ready && exec sleep 1000")
	want(t, "stop", Kit{}.Stop(t.Context(), m, in), kits.OK, kits.Absent, "", "")
}

// SPEC 7, nodes: "wrong device mounted on the mount point → fail, do not unmount it".
func TestAnotherDeviceOnThePointIsLeftAlone(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	m.do("mkdir /mnt/data && mount -t tmpfs other /mnt/data && echo precious >/mnt/data/file")
	want(t, "start", m.start(), kits.Failed, kits.PresenceUnknown, "filesystem.other-device", "other (tmpfs)")
	want(t, "check", m.check(), kits.Failed, kits.PresenceUnknown, "filesystem.other-device", "")
	want(t, "stop", m.stop(), kits.Failed, kits.PresenceUnknown, "filesystem.other-device", "")
	if e := (Kit{}).Eligible(t.Context(), m, m.instance()); e.Outcome != kits.Failed || e.Reason.Code != "filesystem.other-device" {
		t.Errorf("eligible: %+v", e)
	}
	if m.do("cat /mnt/data/file") != "precious\n" {
		t.Error("it was touched")
	}
	m.do("umount /mnt/data && mkdir /mnt/x && mount " + m.loop + " /mnt/x")
	want(t, "start", m.start(), kits.Failed, kits.Present, "filesystem.elsewhere", "/mnt/x")
	want(t, "stop", m.stop(), kits.Failed, kits.Present, "filesystem.elsewhere", "/mnt/x")
	m.do("umount /mnt/x")
	want(t, "stop", m.stop(), kits.OK, kits.Absent, "", "")
}

// One that was mounted over ours hides it: what is on top counts.
func TestAnotherDeviceOverOurs(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	want(t, "start", m.start(), kits.OK, kits.Present, "", "")
	m.do("mount -t tmpfs other /mnt/data")
	want(t, "check", m.check(), kits.Failed, kits.Present, "filesystem.other-device", "")
	want(t, "stop", m.stop(), kits.Failed, kits.Present, "filesystem.other-device", "")
	m.do("umount /mnt/data")
	want(t, "stop", m.stop(), kits.OK, kits.Absent, "", "")
}

// SPEC 7, nodes: "bind mount of / never kills", nor is it unmounted.
func TestBindMountsAreLeftAlone(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	m.do("mkdir /mnt/data && mount --bind / /mnt/data")
	victim := m.hold("cd / && echo ready && exec sleep 1000")
	for what, r := range map[string]kits.Report{"start": m.start(), "stop": m.stop()} {
		want(t, what, r, kits.Failed, kits.PresenceUnknown, "filesystem.system", "")
	}
	in := m.instance()
	in.Attrs[FieldMountPoint] = "/"
	if r := (Kit{}).Stop(t.Context(), m, in); r.Outcome != kits.Failed || r.Reason.Code != "filesystem.system" {
		t.Errorf("stop of /: %+v", r)
	}
	if !runs(victim) {
		t.Error("a process of the system was ended")
	}
	m.do("umount /mnt/data && mount " + m.loop + " /mnt/data && mkdir /mnt/data/sub && mkdir /mnt/y && mount --bind /mnt/data/sub /mnt/y && umount /mnt/data && mount --bind /mnt/y /mnt/data && umount /mnt/y")
	want(t, "start", m.start(), kits.Failed, kits.Present, "filesystem.bind", "")
	want(t, "stop", m.stop(), kits.Failed, kits.Present, "filesystem.bind", "")
}

// runs tells that a process is there and no zombie.
func runs(c *exec.Cmd) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.Process.Pid))
	return err == nil && !strings.Contains(string(b), ") Z ")
}

// SPEC 7, nodes: "busy unmount is bounded, and the holders are checked again before each signal".
func TestHoldersAreEnded(t *testing.T) {
	for what, c := range map[string]struct{ script, how string }{
		"working directory": {"cd /mnt/data && echo ready && exec sleep 1000", "cwd"},
		"open file":         {"exec 7>/mnt/data/log && echo ready && exec sleep 1000", "fd/7"},
		"deaf":              {"trap '' TERM; cd /mnt/data && echo ready && while :; do sleep 100; done", "cwd"},
		"program":           {"cp /bin/sleep /mnt/data/ && echo ready && exec /mnt/data/sleep 1000", "exe"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, "A")
			m.do("mkdir /mnt/data && echo old >/mnt/data/hidden")
			// Opened below the mount point, before the mount: it has the same path, and holds nothing.
			innocent := m.hold("cd /mnt/data && exec 7</mnt/data/hidden && echo ready && exec sleep 1000")
			want(t, "start", m.start(), kits.OK, kits.Present, "", "")
			guilty := m.hold(c.script)
			in := m.instance()
			in.Tuning[Kill] = "0"
			want(t, "stop that may end nobody", Kit{}.Stop(t.Context(), m, in), kits.Failed, kits.Present, "filesystem.busy-kept", strconv.Itoa(guilty.Process.Pid))
			if !runs(guilty) {
				t.Fatal("it was ended although FS_KILL=0")
			}
			r := m.stop()
			want(t, "stop", r, kits.OK, kits.Absent, "", "")
			if !strings.Contains(r.Output, fmt.Sprintf("@signal TERM %d %s", guilty.Process.Pid, c.how)) {
				t.Errorf("the output does not tell whom it ended, and why: %s", r.Output)
			}
			if runs(guilty) {
				t.Error("the holder lives")
			}
			if !runs(innocent) {
				t.Error("a process that held nothing was ended")
			}
		})
	}
}

// A service of systemd with PrivateTmp has a mount namespace of its own, to which ours is the master: its
// open files keep our mount busy, although they are on a mount of another id.
func TestHolderInANamespaceOfItsOwn(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	m.do("mount --make-rshared /mnt")
	want(t, "start", m.start(), kits.OK, kits.Present, "", "")
	service := m.hold("exec unshare -m --propagation slave sh -c 'exec 7>/mnt/data/log; echo ready; exec sleep 1000'")
	r := m.stop()
	want(t, "stop", r, kits.OK, kits.Absent, "", "")
	if runs(service) || !strings.Contains(r.Output, "@signal TERM ") {
		t.Errorf("the holder runs: %v (%s)", runs(service), r.Output)
	}
}

// A socket with a name, and a mapped file that is open no more.
func TestHoldersWithoutAnOpenFile(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("left out: python3 is not installed")
	}
	for how, script := range map[string]string{
		"socket": `exec python3 -c 'import socket,time; s=socket.socket(socket.AF_UNIX); s.bind("/mnt/data/.s.5432"); s.listen(); print("ready", flush=True); time.sleep(1000)'`,
		"maps":   `c=$(ldd /bin/sleep | sed -n 's/.*=> \(.*libc[^ ]*\) .*/\1/p'); cp "${c%/*}/libm.so.6" /mnt/data/m.so && echo ready && LD_PRELOAD=/mnt/data/m.so exec sleep 1000`,
	} {
		m := newMachine(t, "A")
		want(t, "start", m.start(), kits.OK, kits.Present, "", "")
		p := m.hold(script)
		for deadline := time.Now().Add(10 * time.Second); how == "maps" && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
			if b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/maps", p.Process.Pid)); strings.Contains(string(b), "/m.so") {
				break
			}
		}
		r := m.stop()
		want(t, how, r, kits.OK, kits.Absent, "", "")
		if runs(p) || !strings.Contains(r.Output, " "+how) {
			t.Errorf("%s: it lives (%v), or was found in another way: %s", how, runs(p), r.Output)
		}
	}
}

func TestNestedMountsGoFirst(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	want(t, "start", m.start(), kits.OK, kits.Present, "", "")
	m.do("mkdir -p /mnt/data/a && mount -t tmpfs a /mnt/data/a && mkdir /mnt/data/a/b && mount -t tmpfs b /mnt/data/a/b && mkdir /mnt/data/root && mount --bind / /mnt/data/root")
	inside := m.hold("cd /mnt/data/a/b && echo ready && exec sleep 1000")
	outside := m.hold("cd /etc && echo ready && exec sleep 1000")
	want(t, "stop", m.stop(), kits.OK, kits.Absent, "", "")
	if runs(inside) || !runs(outside) {
		t.Errorf("inside runs: %v, outside runs: %v", runs(inside), runs(outside))
	}
}

func TestSwapAndElsewhereAreNamed(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	want(t, "start", m.start(), kits.OK, kits.Present, "", "")
	m.do("mkdir /mnt/data/sub /mnt/y && mount --bind /mnt/data/sub /mnt/y")
	want(t, "check", m.check(), kits.OK, kits.Present, "", "")
	want(t, "stop", m.stop(), kits.Failed, kits.Present, "filesystem.also-elsewhere", "/mnt/y")
	want(t, "check", m.check(), kits.OK, kits.Present, "", "")
	m.do("umount /mnt/y")
	loop := strings.TrimSpace(m.do("truncate -s 1M /mnt/data/inner && losetup -f --show /mnt/data/inner"))
	want(t, "stop", m.stop(), kits.Failed, kits.Present, "filesystem.busy", loop)
	m.do("losetup -d " + loop)
	want(t, "stop", m.stop(), kits.OK, kits.Absent, "", "")
}

// Another mount namespace, a container's, keeps the file system in use after it is gone from ours.
func TestStillMountedInAnotherNamespace(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	want(t, "start", m.start(), kits.OK, kits.Present, "", "")
	container := m.hold("exec unshare -m --propagation private sh -c 'echo ready; exec sleep 1000'")
	r := m.stop()
	want(t, "stop", r, kits.Failed, kits.Present, "filesystem.in-use", "sleep")
	want(t, "start", m.start(), kits.Failed, kits.Present, "filesystem.in-use", "")
	_ = container.Process.Kill()
	_ = container.Wait()
	want(t, "stop", m.stop(), kits.OK, kits.Absent, "", "")
}

// A device whose name has gone is still known by the number that it was mounted with.
func TestStopWhenTheDevicesNameIsGone(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	in := m.instance()
	in.Attrs[FieldDevice] = m.dir + "/link"
	m.do("ln -s " + m.loop + " " + m.dir + "/link")
	want(t, "start", Kit{}.Start(t.Context(), m, in), kits.OK, kits.Present, "", "")
	m.do("rm " + m.dir + "/link")
	want(t, "check", Kit{}.Check(t.Context(), m, in), kits.OK, kits.Present, "filesystem.path-gone", "")
	want(t, "stop", Kit{}.Stop(t.Context(), m, in), kits.OK, kits.Absent, "", "")
	// Whatever has the number from now on is somebody else's.
	m.do("mkdir /mnt/z && mount " + m.loop + " /mnt/z")
	want(t, "stop again", Kit{}.Stop(t.Context(), m, in), kits.OK, kits.Absent, "", "")
	m.do("grep -q ' /mnt/z ' /proc/self/mountinfo")
}

func TestReadOnlyIsFailedAndNotRemounted(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	want(t, "start", m.start(), kits.OK, kits.Present, "", "")
	m.do("mount -o remount,ro /mnt/data")
	want(t, "check", m.check(), kits.Failed, kits.Present, "filesystem.read-only", "dmesg")
	want(t, "recover", Kit{}.Recover(t.Context(), m, m.instance()), kits.Failed, kits.Present, "filesystem.read-only", "")
	want(t, "start", m.start(), kits.Failed, kits.Present, "filesystem.read-only", "")
	want(t, "stop", m.stop(), kits.OK, kits.Absent, "", "")
	m.do("blockdev --setro " + m.loop)
	want(t, "start", m.start(), kits.Failed, kits.Absent, "filesystem.device-read-only", "")
	m.do("blockdev --setrw " + m.loop)
	in := m.instance()
	in.Attrs[FieldOptions] = "ro,noatime"
	want(t, "start of one that is to be read-only", Kit{}.Start(t.Context(), m, in), kits.OK, kits.Present, "", "")
	want(t, "stop", Kit{}.Stop(t.Context(), m, in), kits.OK, kits.Absent, "", "")
}

func TestFullIsImpaired(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	want(t, "start", m.start(), kits.OK, kits.Present, "", "")
	m.do("dd if=/dev/zero of=/mnt/data/most bs=1M count=21 2>/dev/null")
	r := m.check()
	want(t, "check at 90 %", r, kits.OK, kits.Present, "filesystem.full", "make room")
	if !r.Impaired || r.Reason.Args["percent"] == "" {
		t.Errorf("not impaired: %+v", r)
	}
	m.do("dd if=/dev/zero of=/mnt/data/rest bs=4k 2>/dev/null; sync; true")
	if r = m.check(); r.Outcome != kits.OK || !r.Impaired || r.Reason.Code != "filesystem.full" {
		t.Errorf("check without any room: %+v", r)
	}
	in := m.instance()
	in.Tuning[FullPercent] = "100"
	m.do("rm /mnt/data/rest")
	if r = (Kit{}).Check(t.Context(), m, in); r.Outcome != kits.OK || r.Impaired {
		t.Errorf("check with FS_FULL_PERCENT=100: %+v", r)
	}
	want(t, "stop", m.stop(), kits.OK, kits.Absent, "", "")
}

func TestDevicesThatCannotBeMounted(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	for what, c := range map[string]struct{ device, kind, before, code string }{
		"none":         {"/dev/nothere", "ext4", "", "filesystem.no-device"},
		"a file":       {"/dev/null", "ext4", "", "filesystem.not-block"},
		"another type": {m.loop, "xfs", "", "filesystem.damaged"},
		"nothing on":   {m.loop, "", "dd if=/dev/zero of=" + m.loop + " bs=1M count=4 conv=fsync 2>/dev/null", "filesystem.type"},
	} {
		if what == "nothing on" {
			defer func() {
				m.do(c.before)
				in := m.instance()
				delete(in.Attrs, FieldType)
				want(t, what, Kit{}.Start(t.Context(), m, in), kits.Failed, kits.Absent, c.code, "")
			}()
			continue
		}
		in := m.instance()
		in.Attrs[FieldDevice], in.Attrs[FieldType] = c.device, c.kind
		want(t, what, Kit{}.Start(t.Context(), m, in), kits.Failed, kits.Absent, c.code, "")
	}
}

func TestTypeIsFound(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	in := m.instance()
	delete(in.Attrs, FieldType)
	want(t, "start", Kit{}.Start(t.Context(), m, in), kits.OK, kits.Present, "", "")
	got, err := Kit{}.Choices(t.Context(), m, in, FieldDevice)
	if err != nil || len(got) != 1 || got[0] != m.loop {
		t.Errorf("choices: %v %v", got, err)
	}
	want(t, "stop", Kit{}.Stop(t.Context(), m, in), kits.OK, kits.Absent, "", "")
}

// A file system with errors on record is put in order before the mount, as far as that is safe.
func TestRecordedErrorsAreMended(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	if _, err := exec.LookPath("debugfs"); err != nil {
		t.Skip("left out: debugfs is not installed")
	}
	m.do("debugfs -w -R 'ssv state 2' " + m.loop + " 2>&1")
	r := m.start()
	want(t, "start", r, kits.OK, kits.Present, "", "")
	if !strings.Contains(r.Output, "@fsck ") {
		t.Errorf("it was not looked at: %s", r.Output)
	}
	want(t, "stop", m.stop(), kits.OK, kits.Absent, "", "")
}

func TestSymbolicLinkAsMountPoint(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	m.do("mkdir /mnt/real && ln -s /mnt/real /mnt/data")
	want(t, "start", m.start(), kits.Failed, kits.Absent, "filesystem.symlink", "/mnt/real")
	if e := (Kit{}).Eligible(t.Context(), m, m.instance()); e.Reason.Code != "filesystem.symlink" {
		t.Errorf("%+v", e)
	}
}

// What a user put in the probe's place is not written to.
func TestProbeFollowsNoLink(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	want(t, "start", m.start(), kits.OK, kits.Present, "", "")
	m.do("echo kept >/mnt/victim && rm /mnt/data/.ferry-check && ln -s /mnt/victim /mnt/data/.ferry-check")
	r := m.check()
	want(t, "check", r, kits.OK, kits.Present, "filesystem.probe-file", "")
	if !r.Impaired || m.do("cat /mnt/victim") != "kept\n" {
		t.Errorf("impaired: %v; the link was followed", r.Impaired)
	}
	want(t, "stop", m.stop(), kits.OK, kits.Absent, "", "")
}

func TestNothingIsWrittenOnStandbyNodes(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	want(t, "start", m.start(), kits.OK, kits.Present, "", "")
	m.do("rm /mnt/data/.ferry-check")
	in := m.instance()
	in.Active = "B"
	want(t, "check", Kit{}.Check(t.Context(), m, in), kits.OK, kits.Present, "", "")
	m.do("test ! -e /mnt/data/.ferry-check")
	want(t, "stop", m.stop(), kits.OK, kits.Absent, "", "")
}

// A disk that lets wait: fsfreeze stands for the frozen mirror. The check is unknown, there
// is one probe at most, and when it thaws all is well by itself.
func TestFrozenIsUnknown(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	in := m.instance()
	in.Attrs[FieldMountPoint], in.Tuning[CheckTimeout] = "/mnt/frozen", "1"
	want(t, "start", Kit{}.Start(t.Context(), m, in), kits.OK, kits.Present, "", "")
	m.do("fsfreeze -f /mnt/frozen")
	thawed := false
	thaw := func() {
		if !thawed {
			thawed = true
			m.do("fsfreeze -u /mnt/frozen")
		}
	}
	defer thaw()
	want(t, "check", Kit{}.Check(t.Context(), m, in), kits.Unknown, kits.Present, "filesystem.slow", "")
	for range 2 {
		want(t, "check again", Kit{}.Check(t.Context(), m, in), kits.Unknown, kits.Present, "filesystem.frozen", "")
	}
	if n := strings.Count(m.do("grep -l 'of=/mnt/frozen/.ferry-chec[k]' /proc/[0-9]*/cmdline 2>/dev/null || true"), "\n"); n != 1 {
		t.Errorf("%d probes wait for the disk, want one", n)
	}
	thaw()
	want(t, "check after the thaw", Kit{}.Check(t.Context(), m, in), kits.OK, kits.Present, "", "")
	want(t, "stop", Kit{}.Stop(t.Context(), m, in), kits.OK, kits.Absent, "", "")
}

func TestEligibleRefusesWhatMountsAtBoot(t *testing.T) {
	t.Parallel()
	m := newMachine(t, "A")
	m.do("mkdir -p /mnt/data && cp /etc/fstab /mnt/fstab 2>/dev/null || : >/mnt/fstab; mount --bind /mnt/fstab /etc/fstab")
	for line, code := range map[string]string{
		"# nothing": "", m.loop + " /mnt/data ext4 defaults 0 2": "filesystem.fstab", "/dev/sdz1 /mnt/data/ ext4 noatime 0 2": "filesystem.fstab",
		m.loop + "\t/mnt/data\text4\tnoauto\t0 2": "", m.loop + " /mnt/q ext4 defaults": "filesystem.fstab",
		"/dev/sdz1 /mnt/data ext4 noauto,x-systemd.automount": "filesystem.fstab", "#" + m.loop + " /mnt/data ext4 defaults": "",
	} {
		m.do("printf '%s\\n' '" + line + "' >/etc/fstab")
		if e := (Kit{}).Eligible(t.Context(), m, m.instance()); e.Reason.Code != code || (e.Outcome == kits.OK) != (code == "") {
			t.Errorf("fstab %q: %+v", line, e)
		}
	}
}
