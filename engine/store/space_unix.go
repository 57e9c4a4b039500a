//go:build unix && !openbsd && !netbsd && !solaris && !illumos && !aix

package store

import "golang.org/x/sys/unix"

// freeBytes is what an ordinary user may still write on the directory's file system.
func freeBytes(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil
}
