package store

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// copyDir copies a store's directory without its locks.
func copyDir(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(from, path)
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return to
}

// edit changes the only file that matches.
func edit(t *testing.T, pattern string, change func([]byte) []byte) {
	t.Helper()
	found, _ := filepath.Glob(pattern)
	if len(found) == 0 {
		t.Fatalf("nothing matches %s", pattern)
	}
	path := found[len(found)-1]
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDamage(t *testing.T) {
	whole := t.TempDir()
	e := mustOpen(t, Options{Dir: whole})
	for i := range 1500 {
		put(t, e, fmt.Sprintf("k/%04d", i), strings.Repeat("v", 200))
	}
	_ = e.Close()
	garble := func(from, to int) func([]byte) []byte {
		return func(b []byte) []byte {
			for i := from; i < to && i < len(b); i++ {
				b[i] ^= 0x5a
			}
			return b
		}
	}
	for _, c := range []struct {
		name, file string
		change     func([]byte) []byte
	}{
		{"log garbled at its start", "wal/*.wal", garble(0, 4096)},
		{"log garbled in the middle", "wal/*.wal", garble(100_000, 101_000)},
		{"log emptied", "wal/*.wal", func([]byte) []byte { return nil }},
		{"database cut short", "snap/db", func(b []byte) []byte { return b[:6*4096] }},
		{"database cut to nothing", "snap/db", func(b []byte) []byte { return b[:100] }},
		{"database's first pages garbled", "snap/db", garble(0, 16384)},
		{"database garbled throughout", "snap/db", func(b []byte) []byte { return garble(8192, len(b))(b) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := copyDir(t, whole)
			edit(t, filepath.Join(dir, "member", c.file), c.change)
			e, err := OpenEtcd(t.Context(), Options{Dir: dir, ReadyTimeout: 20 * time.Second})
			if err == nil {
				n := len(keys(t, e, "k/"))
				_ = e.Close()
				t.Fatalf("opened with %d of 1500 keys", n)
			}
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "ferry adopt --from") {
				t.Fatalf("said %v", err)
			}
			t.Log(err)
		})
	}
}

// A record that was being written when the power failed is no damage: it was never
// acknowledged.
func TestATornLogIsRepaired(t *testing.T) {
	whole := t.TempDir()
	e := mustOpen(t, Options{Dir: whole})
	for i := range 200 {
		put(t, e, fmt.Sprint("k/", i), "v")
	}
	_ = e.Close()
	dir := copyDir(t, whole)
	edit(t, filepath.Join(dir, "member/wal/*.wal"), func(b []byte) []byte {
		end := len(bytes.TrimRight(b, "\x00"))
		return append(b[:end], 0xff, 0xff, 0x01) // the beginning of a next record
	})
	e = mustOpen(t, Options{Dir: dir})
	if n := len(keys(t, e, "k/")); n != 200 {
		t.Fatalf("%d of 200 keys", n)
	}
	put(t, e, "k/next", "v")
}

func TestForItsOwnerAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "store")
	e := mustOpen(t, Options{Dir: dir})
	put(t, e, "a", "1")
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %v", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNoDirectory(t *testing.T) {
	if _, err := OpenEtcd(t.Context(), Options{Dir: " "}); err == nil || !strings.Contains(err.Error(), "no directory") {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenEtcd(t.Context(), Options{Dir: file + "/store"}); err == nil {
		t.Fatal("opened below a file")
	}
}

// etcd's warnings go to the log that was given and its chatter nowhere.
func TestLogging(t *testing.T) {
	dir := t.TempDir()
	e := mustOpen(t, Options{Dir: dir})
	for i := range 100 {
		put(t, e, fmt.Sprint(i), "1")
	}
	_ = e.Close()
	edit(t, filepath.Join(dir, "member/wal/*.wal"), func(b []byte) []byte {
		b[5000] ^= 0x5a
		return b
	})
	var b bytes.Buffer
	_, err := OpenEtcd(t.Context(), Options{Dir: dir, Log: slog.New(slog.NewJSONHandler(&b, nil))})
	if err == nil {
		t.Fatal("opened a damaged store")
	}
	if !strings.Contains(b.String(), `"msg":"etcd: `) || strings.Contains(b.String(), `"level":"INFO"`) {
		t.Fatalf("logged %s", b.String())
	}
}
