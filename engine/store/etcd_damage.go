package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
	"go.etcd.io/etcd/server/v3/storage/schema"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// readable walks the whole database before etcd gets it. A page that is cut off or
// garbled makes the database panic in whatever goroutine of etcd meets it, and memory
// mapped past the end of a short file kills the process; here it is an error. It
// costs a few milliseconds per megabyte.
//
// The first walk is ours alone, so that every panic is met by this function. Only what
// passed it is given to the database's own check, which uses a goroutine of its own.
func readable(dir string) (err error) {
	path := filepath.Join(dir, "member", "snap", "db")
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the database %s cannot be read: %v", path, r)
		}
	}()
	if err := visit(path, &bolt.Options{ReadOnly: true, Timeout: time.Second}); err != nil {
		return err
	}
	if err := visit(path, &bolt.Options{ReadOnly: true, Timeout: time.Second, PreLoadFreelist: true}); err != nil {
		return err
	}
	return complete(path, filepath.Join(dir, "member", "wal"))
}

// complete refuses a log that ends before what its database has applied already: etcd
// would pass over every new entry as an old one, and no commit would ever be answered.
func complete(path, logs string) error {
	applied, err := applied(path)
	if err != nil || !wal.Exist(logs) {
		return err
	}
	// Whatever else is wrong with the log, etcd finds and says better.
	log := zap.New(zapcore.NewNopCore(), zap.WithFatalHook(zapcore.WriteThenPanic))
	snaps, err := wal.ValidSnapshotEntries(log, logs)
	if err != nil || len(snaps) == 0 {
		return nil
	}
	from := snaps[len(snaps)-1]
	w, err := wal.OpenForRead(log, logs, from)
	if err != nil {
		return nil
	}
	defer w.Close()
	_, _, entries, err := w.ReadAll()
	if err != nil {
		return nil
	}
	last := from.GetIndex()
	if len(entries) > 0 {
		last = entries[len(entries)-1].GetIndex()
	}
	if last < applied {
		return fmt.Errorf("its log ends at entry %d, its database has %d already", last, applied)
	}
	return nil
}

// applied is the last log entry that went into the database.
func applied(path string) (index uint64, err error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return 0, err
	}
	defer db.Close()
	err = db.View(func(tx *bolt.Tx) error {
		if b := tx.Bucket(schema.Meta.Name()); b != nil {
			if v := b.Get(schema.MetaConsistentIndexKeyName); len(v) == 8 {
				index = binary.BigEndian.Uint64(v)
			}
		}
		return nil
	})
	return index, err
}

// visit opens the database and walks it.
func visit(path string, o *bolt.Options) error {
	db, err := bolt.Open(path, 0o600, o)
	if errors.Is(err, bolterrors.ErrTimeout) {
		// A member of this process that broke down still has it open.
		return fmt.Errorf("the database %s: %w", path, syscall.EBUSY)
	}
	if err != nil {
		return fmt.Errorf("the database %s cannot be opened: %w", path, err)
	}
	defer db.Close()
	if err := db.View(walk); err != nil {
		return fmt.Errorf("the database %s cannot be read: %w", path, err)
	}
	return nil
}

// walk touches every page that holds data, and looks whether the keys are in order:
// the database panics later where they are not.
func walk(tx *bolt.Tx) error {
	return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
		var last []byte
		sum := 0
		return b.ForEach(func(k, v []byte) error {
			if v == nil {
				return fmt.Errorf("bucket %q holds a bucket, which etcd never makes", name)
			}
			if last != nil && bytes.Compare(last, k) >= 0 {
				return fmt.Errorf("bucket %q is out of order", name)
			}
			last = k
			if len(k) > 0 && len(v) > 0 {
				sum += int(k[len(k)-1]) + int(v[len(v)-1]) // the last byte: a long value spans pages
			}
			return nil
		})
	})
}
