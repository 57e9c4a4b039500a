//go:build linux

package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// smallDisk mounts a file system of so many megabytes.
func smallDisk(t *testing.T, megabytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("ferry", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", megabytes)); err != nil {
		if os.Getuid() == 0 && os.Getenv("CI") != "" {
			t.Fatalf("a small disk is needed: %v", err)
		}
		t.Skipf("left out, mounting a small disk needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill leaves so many bytes free.
func fill(t *testing.T, disk string, leave uint64) (clear func()) {
	t.Helper()
	free, err := freeBytes(disk)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(disk, "filler")
	if err := os.WriteFile(path, make([]byte, free-leave), 0o600); err != nil {
		t.Fatal(err)
	}
	return func() { _ = os.Remove(path) }
}

func TestNearlyFullDisk(t *testing.T) {
	disk := smallDisk(t, 64)
	e := mustOpen(t, Options{Dir: disk + "/store"})
	put(t, e, "a", "1")
	clear := fill(t, disk, 4<<20)
	_, err := e.Commit(t.Context(), Txn{Puts: []KV{{Key: "a", Value: []byte("2")}}})
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), disk) || !strings.Contains(err.Error(), "make space") {
		t.Fatalf("a nearly full disk gave %v", err)
	}
	if n := e.Notice(); !strings.Contains(n, "full") {
		t.Fatalf("the notice says %q", n)
	}
	if got := content(t, e, ""); got != "a=1@2" {
		t.Fatalf("holds %q", got)
	}
	clear()
	put(t, e, "a", "3")
	if n := e.Notice(); n != "" {
		t.Fatalf("with space again the notice says %q", n)
	}
}

// Without a reserve etcd meets the full disk itself: it breaks down, everybody is
// told, the process lives, and what was acknowledged is there once there is space.
func TestFullDisk(t *testing.T) {
	disk := smallDisk(t, 48)
	o := Options{Dir: disk + "/store", Reserve: -1}
	e := mustOpen(t, o)
	clear := fill(t, disk, 256<<10)
	value := strings.Repeat("x", 20_000)
	acked, err := 0, error(nil)
	for ; err == nil && acked < 5000; acked++ {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		_, err = e.Commit(ctx, Txn{Puts: []KV{{Key: fmt.Sprint("k/", acked), Value: []byte(value)}}})
		cancel()
	}
	acked--
	if !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "no space left") {
		t.Fatalf("after %d commits a full disk gave %v", acked, err)
	}
	t.Logf("%d commits, then: %v", acked, err)
	if _, _, err := e.List(t.Context(), ""); !errors.Is(err, ErrFull) {
		t.Errorf("a broken store listed: %v", err)
	}
	if n := e.Notice(); !strings.Contains(n, "started again") {
		t.Errorf("the notice says %q", n)
	}
	_ = e.Close()
	reopenAfterFull(t, o, clear, acked)
}

// reopenAfterFull opens the directory again as the next process would; this one may
// still hold files of the broken member, so it looks at a copy.
func reopenAfterFull(t *testing.T, o Options, clear func(), acked int) {
	t.Helper()
	clear()
	o.Dir = copyDir(t, o.Dir)
	e := mustOpen(t, o)
	if got := len(keys(t, e, "k/")); got < acked {
		t.Fatalf("%d of %d acknowledged keys are left", got, acked)
	}
	put(t, e, "again", "1")
}

func TestOpeningOnAFullDisk(t *testing.T) {
	for _, reserve := range []int64{0, -1} {
		disk := smallDisk(t, 16)
		fill(t, disk, 64<<10)
		_, err := OpenEtcd(t.Context(), Options{Dir: disk + "/store", Reserve: reserve})
		if !errors.Is(err, ErrFull) {
			t.Errorf("reserve %d: %v", reserve, err)
		}
	}
}

// The quota is used up by history first: the store forgets it and goes on. Used up by
// what is really there, it says so, still deletes, and recovers after a deletion.
func TestQuota(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		e := mustOpen(t, Options{Dir: dir, Quota: 16 << 20, NoSync: true})
		defer e.Close()
		value := strings.Repeat("x", 512<<10)
		for i := range 80 {
			time.Sleep(10 * time.Second)
			put(t, e, "same", fmt.Sprint(i, value))
		}
		n, err := 0, error(nil)
		for ; err == nil && n < 100; n++ {
			_, err = e.Commit(t.Context(), Txn{Puts: []KV{{Key: fmt.Sprint("k/", n), Value: []byte(value)}}})
			time.Sleep(2 * time.Minute)
		}
		if !errors.Is(err, ErrFull) || n < 10 || e.Notice() == "" {
			t.Fatalf("after %d keys: %v, notice %q", n, err, e.Notice())
		}
		for i := range n - 1 {
			if _, err := e.Commit(t.Context(), Txn{Deletes: []string{fmt.Sprint("k/", i)}}); err != nil {
				t.Fatal(err)
			}
		}
		put(t, e, "again", "1")
		if n := e.Notice(); n != "" {
			t.Fatalf("with space again the notice says %q", n)
		}
	})
}
