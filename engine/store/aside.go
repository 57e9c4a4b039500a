package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// SetAside makes room for a new store in dir: what is there goes, as it is, into a
// directory of its own inside dir, and nothing is deleted. It tells where; empty when
// there was nothing. ErrLocked while another process uses it.
func SetAside(dir string, now time.Time) (string, error) {
	data := filepath.Join(dir, "member")
	if _, err := os.Lstat(data); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	lock, err := takeLock(dir, "setting it aside")
	if err != nil {
		return "", fmt.Errorf("setting the store aside: %w", err)
	}
	defer lock.Close()
	to, err := os.MkdirTemp(dir, "aside-"+now.UTC().Format("20060102T150405Z")+"-*")
	if err != nil {
		return "", fmt.Errorf("setting the store aside: %w", err)
	}
	if err := os.Rename(data, filepath.Join(to, "member")); err != nil {
		return "", fmt.Errorf("setting the store aside: %w", err)
	}
	return to, nil
}
