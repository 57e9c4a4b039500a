package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Guest is one Linux machine of the lab. Its methods may be called from several goroutines.
type Guest struct {
	lab     *Lab
	spec    GuestSpec
	index   int // in the topology
	region  int // its region's index
	hostKey keyPair
	shell   shell
	checked bool // source/dest check is on; guarded by the lab's lock

	mu      sync.Mutex
	run     *machine // nil: powered off
	spoiled bool

	volatile *VolatileDisk // if it has one
}

// machine is one life of a guest, from power-on to power-off.
type machine struct {
	cmd    *exec.Cmd     // the parent of the guest's kernel
	kernel int           // the guest kernel's process, the first of its pid namespace
	hung   bool          // stopped by Hang
	done   chan struct{} // closed when the whole guest is gone
}

// Name, as the topology has it; also the guest's host name.
func (g *Guest) Name() string { return g.spec.Name }

// Addr is the guest's address in its subnet.
func (g *Guest) Addr() netip.Addr { return g.spec.Addr }

// Spec is the guest's entry in the topology.
func (g *Guest) Spec() GuestSpec { return g.spec }

func (g *Guest) file(ext string) string { return filepath.Join(g.lab.dir, g.spec.Name+ext) }

// Running says whether the guest has power; a hung one has.
func (g *Guest) Running() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.alive()
}

func (g *Guest) alive() bool {
	if g.run == nil {
		return false
	}
	select {
	case <-g.run.done:
		return false
	default:
		return true
	}
}

// PowerOn boots the guest from the disk it had, and returns once the power is on; see [Guest.WaitSSH]. A guest that runs is
// left alone.
func (g *Guest) PowerOn(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.alive() {
		return nil
	}
	m, err := g.start(ctx)
	if err != nil {
		return fmt.Errorf("powering %s on: %w", g.Name(), err)
	}
	g.run = m
	return nil
}

// start launches the guest's kernel inside its region's router, where its tap is.
func (g *Guest) start(ctx context.Context) (*machine, error) {
	if err := g.makeData(); err != nil {
		return nil, err
	}
	console, err := os.Create(g.file(".console"))
	if err != nil {
		return nil, err
	}
	defer console.Close()
	// kill-child ties the kernel, and by its pid namespace everything in the guest, to this parent, and that one to us.
	cmd := exec.Command("unshare", append([]string{"--pid", "--fork", "--kill-child=KILL", g.lab.kernel.program}, g.kernelArgs()...)...)
	cmd.Dir = g.lab.dir
	cmd.Stdout, cmd.Stderr = console, console
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + g.lab.dir, "TMPDIR=" + g.lab.memDir}
	cmd.SysProcAttr = dieWithParent()
	if err := g.lab.InNetNS(RouterNS(g.spec.Region), cmd.Start); err != nil {
		return nil, err
	}
	m := &machine{cmd: cmd, done: make(chan struct{})}
	go func() {
		cmd.Wait() // its result says only how it was killed
		close(m.done)
	}()
	m.kernel, err = m.findKernel(ctx)
	if err != nil {
		cmd.Process.Kill()
		<-m.done
		return nil, fmt.Errorf("%w; console:\n%s", err, g.Console(20))
	}
	return m, nil
}

// makeData makes the data disk's file where there is none yet. It is sparse.
func (g *Guest) makeData() error {
	if g.spec.DataMB == 0 {
		return nil
	}
	f, err := os.OpenFile(g.file(".data"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Truncate(int64(g.spec.DataMB) << 20)
}

func (g *Guest) kernelArgs() []string {
	mem := g.spec.MemoryMB
	if mem == 0 {
		mem = 256
	}
	nic := func(n int, tap string) string {
		return fmt.Sprintf("vec%d:transport=tap,ifname=%s,depth=64,gro=1,mac=%s", n, tap, guestMAC(n, g.index))
	}
	disks := []string{"ubd0=" + g.file(".cow") + "," + g.lab.image, "ubd2r=" + g.file(".seed")}
	if g.spec.DataMB > 0 {
		disks = append(disks, "ubd1="+g.file(".data"))
	}
	return append(append(disks,
		fmt.Sprintf("mem=%dM", mem),
		"root=/dev/ubda", "rw", "init=/lib/systemd/systemd",
		nic(0, tapName(g.index)), nic(1, mtapName(g.index)),
		"con=null", "con0=null,fd:1", "systemd.show_status=0", "quiet", "selinux=0", "audit=0", "lsm=",
	), g.lab.kernel.args...)
}

// findKernel waits for the child that unshare forks.
func (m *machine) findKernel(ctx context.Context) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		if kids := children(m.cmd.Process.Pid); len(kids) > 0 {
			return kids[0], nil
		}
		select {
		case <-m.done:
			return 0, errors.New("the guest's kernel ended at once")
		default:
		}
		if err := pause(ctx, 2*time.Millisecond); err != nil {
			return 0, fmt.Errorf("waiting for the guest's kernel: %w", err)
		}
	}
}

// PowerOff pulls the plug: nothing in the guest gets a chance to react. It returns when the guest is gone. A guest without
// power stays so.
func (g *Guest) PowerOff(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shell.close()
	if g.run == nil {
		return nil
	}
	// Killing the kernel, not its parent, lets the parent reap it; killing the first process of a pid namespace ends all.
	syscall.Kill(g.run.kernel, syscall.SIGKILL)
	if err := g.run.wait(ctx, 10*time.Second); err != nil {
		return fmt.Errorf("powering %s off: %w", g.Name(), err)
	}
	g.run = nil
	if g.volatile != nil {
		g.volatile.lose()
	}
	return nil
}

func (m *machine) wait(ctx context.Context, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	select {
	case <-m.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for it to end: %w", ctx.Err())
	}
}

// Shutdown stops the guest in good order, units and all, and waits until the power is off (at most 30 s).
func (g *Guest) Shutdown(ctx context.Context) error {
	g.mu.Lock()
	m := g.run
	g.mu.Unlock()
	if m == nil {
		return nil
	}
	// The connection may go down before the answer comes; whether the guest ends is what counts.
	_, err := g.Sh(ctx, "systemctl --no-block poweroff")
	if werr := m.wait(ctx, 30*time.Second); werr != nil {
		return fmt.Errorf("shutting %s down: %w", g.Name(), errors.Join(werr, err))
	}
	return g.PowerOff(ctx)
}

// Reboot pulls the plug and boots again from the same disk; it returns when ssh answers.
func (g *Guest) Reboot(ctx context.Context) error {
	if err := g.PowerOff(ctx); err != nil {
		return err
	}
	if err := g.PowerOn(ctx); err != nil {
		return err
	}
	return g.WaitSSH(ctx)
}

// Spoil says that a test leaves the guest in a state that a reset cannot clean in place (a full disk, changed host keys):
// the next reset gives it a fresh disk.
func (g *Guest) Spoil() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.spoiled = true
}

// Console is the last n lines the guest's kernel and systemd wrote.
func (g *Guest) Console(n int) string {
	b, err := os.ReadFile(g.file(".console"))
	if err != nil {
		return err.Error()
	}
	return tail(b, n)
}

// children are the processes whose parent is pid.
func children(pid int) []int {
	var out []int
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, t := range tasks {
		b, _ := os.ReadFile(t)
		for f := range strings.FieldsSeq(string(b)) {
			var p int
			if _, err := fmt.Sscan(f, &p); err == nil {
				out = append(out, p)
			}
		}
	}
	return out
}
