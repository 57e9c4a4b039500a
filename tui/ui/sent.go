package ui

import (
	"errors"
	"io/fs"
	"syscall"
)

// NeverSent tells of a call's error that the engine certainly did not hear the call:
// there was no connection, or nobody listened. Of every other error of kind unavailable
// or timeout it is not known.
func NeverSent(err error) bool {
	return errors.Is(err, errAway) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist)
}
