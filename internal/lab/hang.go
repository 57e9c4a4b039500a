package lab

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// Hang stops the guest as a hypervisor that holds a machine does: it has power, but nothing in it moves and nothing answers,
// until [Guest.Resume]. Its clocks go on.
func (g *Guest) Hang(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.alive() {
		return fmt.Errorf("hanging %s: it has no power", g.Name())
	}
	g.run.hung = true
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for {
		moving := 0
		for _, p := range g.run.hosts() {
			if !stopped(p) {
				syscall.Kill(p, syscall.SIGSTOP)
				moving++
			}
		}
		if moving == 0 {
			return nil
		}
		if err := pause(ctx, time.Millisecond); err != nil {
			return fmt.Errorf("hanging %s: %w", g.Name(), err)
		}
	}
}

// Resume lets a hung guest go on.
func (g *Guest) Resume() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.alive() {
		return fmt.Errorf("resuming %s: it has no power", g.Name())
	}
	g.run.hung = false
	for _, p := range g.run.hosts() {
		syscall.Kill(p, syscall.SIGCONT)
	}
	return nil
}

// hosts are the machine's processes that run on their own: its kernel and the kernel's helpers. The guest's programs are
// left out: the kernel drives them step by step (those named uml-userspace by seccomp, or by tracing them) and would take
// a signal to them for one of theirs.
func (m *machine) hosts() []int {
	var out []int
	for todo := []int{m.kernel}; len(todo) > 0; todo = todo[1:] {
		if statusField(todo[0], "TracerPid") == "0" && statusField(todo[0], "Name") != "uml-userspace" {
			out = append(out, todo[0])
		}
		todo = append(todo, children(todo[0])...)
	}
	return out
}

func stopped(pid int) bool {
	s := statusField(pid, "State")
	return s == "" || strings.HasPrefix(s, "T") || strings.HasPrefix(s, "Z")
}

// statusField is a field of /proc/PID/status, empty when the process is gone.
func statusField(pid int, name string) string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for l := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(l, name+":"); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
