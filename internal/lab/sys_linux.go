package lab

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// inNetNS runs f on a thread that is in the network namespace at path. What f starts there (sockets, child processes) stays
// there; goroutines it starts do not. When the thread cannot go back, it is given up with the goroutine and never reused.
func inNetNS(path string, f func() error) error {
	errc := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		err, home := onThread(path, f)
		if home {
			runtime.UnlockOSThread()
		}
		errc <- err
	}()
	return <-errc
}

func onThread(path string, f func() error) (err error, home bool) {
	own, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return fmt.Errorf("opening the own network namespace: %w", err), true
	}
	defer own.Close()
	ns, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening network namespace: %w", err), true
	}
	defer ns.Close()
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("entering network namespace %s: %w", path, err), true
	}
	err = f()
	if back := unix.Setns(int(own.Fd()), unix.CLONE_NEWNET); back != nil {
		return errors.Join(err, fmt.Errorf("leaving network namespace %s: %w", path, back)), false
	}
	return err, true
}

// dieWithParent makes a child end when the thread that started it does. Threads of a Go program live as long as the program,
// except one that inNetNS had to give up.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
}

// supported says whether this system can run guests at all.
func supported() error { return nil }

// memoryDir is where n guests keep their memory: in memory when there is room and programs may run from it, else on disk.
func memoryDir(dir string, n int) string {
	var st unix.Statfs_t
	if unix.Statfs("/dev/shm", &st) != nil || st.Flags&unix.ST_NOEXEC != 0 {
		return dir
	}
	if free := uint64(st.Bavail) * uint64(st.Bsize); free < uint64(n)*256<<20 {
		return dir
	}
	return "/dev/shm"
}
