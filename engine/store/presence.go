package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// presence knows the files that make a store, as they were when it was opened. etcd
// keeps them open and goes on writing into them when somebody removes or replaces
// them, and every commit would be gone with the process.
type presence struct {
	mu    sync.RWMutex // held for writing while etcd replaces a file itself
	files map[string]os.FileInfo
}

// look notes what is there now. Nobody else uses presence meanwhile.
func (e *Etcd) look() error {
	e.present.files = map[string]os.FileInfo{}
	for _, name := range []string{lockName, "member/snap/db", "member/wal"} {
		path := filepath.Join(e.opts.Dir, filepath.FromSlash(name))
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		e.present.files[path] = info
	}
	return nil
}

// there refuses when one of them is not there any more, or is another one. From then
// on the store is broken: what was committed last may be nowhere.
func (e *Etcd) there() error {
	e.present.mu.RLock()
	defer e.present.mu.RUnlock()
	for path, was := range e.present.files {
		now, err := os.Stat(path)
		switch {
		case err == nil && os.SameFile(was, now):
			continue
		case err == nil:
			err = fmt.Errorf("%s was replaced while the engine ran", path)
		case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ENOTDIR):
			err = fmt.Errorf("%s was removed while the engine ran", path)
		default:
			return fmt.Errorf("looking for %s: %w", path, err)
		}
		e.health.fail(err)
		return e.broken(err)
	}
	return nil
}

// defragment has etcd rewrite its database, which makes it another file.
func (e *Etcd) defragment() error {
	e.present.mu.Lock()
	defer e.present.mu.Unlock()
	if err := e.server.Backend().Defrag(); err != nil {
		return err
	}
	return e.look()
}
