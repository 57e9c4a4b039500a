//go:build unix

package notify

import (
	"os/exec"
	"syscall"
)

// together has a program and everything it starts be ended at the deadline; what it returns kills what is left of them.
func together(cmd *exec.Cmd) (killRest func()) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	return func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
