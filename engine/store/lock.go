package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/fileutil"
)

// lockName is the file whose lock stands for the directory. It is never removed:
// removing it would let two processes lock two files of the same name.
const lockName = "ferry.lock"

// holder is what the lock file says.
type holder struct {
	PID   int       `json:"pid"`
	Who   string    `json:"who,omitempty"`
	Since time.Time `json:"since"`
}

// takeLock locks the directory for this process. The system gives the lock free when
// the process ends, however it ends.
func takeLock(dir, who string) (*fileutil.LockedFile, error) {
	path := filepath.Join(dir, lockName)
	lock, err := fileutil.TryLockFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fileutil.ErrLocked) {
		return nil, fmt.Errorf("%w: %s is held by %s; use that engine, or stop it first", ErrLocked, dir, lockedBy(path))
	}
	if err != nil {
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	// What is written only serves the message; without it the lock holds all the same.
	if b, err := json.Marshal(holder{PID: os.Getpid(), Who: who, Since: time.Now().Truncate(time.Second)}); err == nil {
		_ = lock.Truncate(0)
		_, _ = lock.WriteAt(append(b, '\n'), 0)
	}
	return lock, nil
}

// lockedBy reads who holds the lock, as far as the file tells.
func lockedBy(path string) string {
	var h holder
	b, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(b, &h) != nil || h.PID == 0 {
		return "another process"
	}
	parts := []string{fmt.Sprintf("process %d", h.PID)}
	if h.Who != "" {
		parts = append(parts, h.Who)
	}
	return strings.Join(append(parts, "since "+h.Since.Format(time.DateTime)), ", ")
}
