//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// endTogether has a command and everything it starts be killed at its deadline.
func endTogether(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
