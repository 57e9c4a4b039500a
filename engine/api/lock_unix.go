//go:build unix && !solaris && !illumos && !aix

package api

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

var errHeld = errors.New("the lock is held")

// lockPath holds a lock for as long as the process lives or until unlock. The file
// stays: removing it would let two engines lock two files of the same name.
func lockPath(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errHeld
		}
		return nil, err
	}
	return func() { _ = f.Close() }, nil
}
