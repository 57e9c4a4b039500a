//go:build !linux

package lab

import (
	"errors"
	"syscall"
)

var errNotLinux = errors.New("the lab needs Linux")

func inNetNS(string, func() error) error { return errNotLinux }

func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

func supported() error { return errNotLinux }

func memoryDir(dir string, _ int) string { return dir }
