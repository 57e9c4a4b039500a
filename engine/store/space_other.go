//go:build !unix || openbsd || netbsd || solaris || illumos || aix

package store

import "errors"

// freeBytes is not known here; etcd's own errors have to do.
func freeBytes(string) (uint64, error) { return 0, errors.ErrUnsupported }
