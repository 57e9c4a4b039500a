package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSetAside(t *testing.T) {
	ctx, dir := context.Background(), filepath.Join(t.TempDir(), "state")
	if to, err := SetAside(dir, time.Now()); to != "" || err != nil {
		t.Errorf("nothing there: %q, %v", to, err)
	}
	s, err := OpenEtcd(ctx, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(ctx, Txn{Puts: []KV{{Key: "a", Value: []byte("1")}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := SetAside(dir, time.Now()); !errors.Is(err, ErrLocked) {
		t.Errorf("a store in use was set aside: %v", err)
	}
	s.Close()
	to, err := SetAside(dir, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s, err = OpenEtcd(ctx, Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(ctx, "a"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the new store is not empty: %v", err)
	}
	s.Close()
	if s, err = OpenEtcd(ctx, Options{Dir: to}); err != nil { // it is all still there
		t.Fatal(err)
	}
	defer s.Close()
	if kv, err := s.Get(ctx, "a"); err != nil || string(kv.Value) != "1" {
		t.Errorf("set aside: %q, %v", kv.Value, err)
	}
}

func TestDirectoryRemovedWhileRunning(t *testing.T) {
	for name, remove := range map[string]func(dir string) error{
		"all of it":    os.RemoveAll,
		"the data":     func(dir string) error { return os.RemoveAll(filepath.Join(dir, "member")) },
		"the log":      func(dir string) error { return os.RemoveAll(filepath.Join(dir, "member", "wal")) },
		"the database": func(dir string) error { return os.Remove(filepath.Join(dir, "member", "snap", "db")) },
		"replaced": func(dir string) error {
			db := filepath.Join(dir, "member", "snap", "db")
			b, err := os.ReadFile(db)
			if err == nil {
				err = os.Remove(db)
			}
			if err == nil {
				err = os.WriteFile(db, b, 0o600)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, dir := context.Background(), filepath.Join(t.TempDir(), "state")
			s, err := OpenEtcd(ctx, Options{Dir: dir})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			put := Txn{Puts: []KV{{Key: "a", Value: []byte("1")}}}
			if _, err := s.Commit(ctx, put); err != nil {
				t.Fatal(err)
			}
			if err := remove(dir); err != nil {
				t.Fatal(err)
			}
			_, err = s.Commit(ctx, put)
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "while the engine ran") || !strings.Contains(err.Error(), "ferry adopt") {
				t.Errorf("a commit into nothing: %v", err)
			}
			if n := s.Notice(); !strings.Contains(n, "while the engine ran") {
				t.Errorf("the notice says %q", n)
			}
		})
	}
}
