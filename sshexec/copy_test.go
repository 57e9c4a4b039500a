package sshexec

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	r.Read(b)
	return b
}

func TestPutGet(t *testing.T) {
	_, n := start(t, Options{})
	dir := t.TempDir()
	ctx := context.Background()
	for _, size := range []int{0, 1, copyPart - 1, copyPart, copyPart + 1, 2*copyPart + 77} {
		want := noise(size)
		name := filepath.Join(dir, "it's a file")
		if err := n.Put(ctx, name, iotest.HalfReader(bytes.NewReader(want)), 0o640, 1<<30); err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if got, _ := os.ReadFile(name); !bytes.Equal(got, want) {
			t.Errorf("%d bytes: the file differs", size)
		}
		if st, _ := os.Stat(name); st.Mode() != 0o640 {
			t.Errorf("mode %v", st.Mode())
		}
		var got bytes.Buffer
		mode, err := n.Get(ctx, name, &got, 1<<30)
		if err != nil || mode != 0o640 || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%d bytes: got %d back, mode %v, %v", size, got.Len(), mode, err)
		}
	}
	if names, _ := os.ReadDir(dir); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
}

func TestCopyConnectionIsItsOwn(t *testing.T) {
	s, n := start(t, Options{})
	must(t, n, sh("a", "true"))
	if err := n.Put(context.Background(), filepath.Join(t.TempDir(), "f"), strings.NewReader("x"), 0o600, 10); err != nil {
		t.Fatal(err)
	}
	if c, _ := s.seen(); c != 2 {
		t.Errorf("%d connections, want one for scripts and one for copies", c)
	}
}

func TestPutFails(t *testing.T) {
	_, n := start(t, Options{})
	ctx := context.Background()
	dir := t.TempDir()
	name := filepath.Join(dir, "f")
	write(t, name, "old", 0o600)
	broken := io.MultiReader(bytes.NewReader(noise(copyPart+5)), iotest.ErrReader(errors.New("disk gone")))
	for what, got := range map[string]error{
		"larger than 100 bytes": n.Put(ctx, name, bytes.NewReader(noise(101)), 0o600, 100),
		"disk gone":             n.Put(ctx, name, broken, 0o600, 1<<30),
		"is a directory":        n.Put(ctx, dir, strings.NewReader("x"), 0o600, 100),
		"is not absolute":       n.Put(ctx, "f", strings.NewReader("x"), 0o600, 100),
		"no is not a directory": n.Put(ctx, dir+"/no/f", strings.NewReader("x"), 0o600, 100),
		"more than 2":           second(n.Get(ctx, name, io.Discard, 2)),
		dir + " is not a file":  second(n.Get(ctx, dir, io.Discard, 2)),
	} {
		if got == nil || !strings.Contains(got.Error(), what) || !strings.HasPrefix(got.Error(), "LK_P_A: ") {
			t.Errorf("want %q, got %v", what, got)
		}
	}
	if b, _ := os.ReadFile(name); string(b) != "old" {
		t.Errorf("the old file is now %d bytes", len(b))
	}
	if names, _ := os.ReadDir(dir); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
}

func second[A any](_ A, err error) error { return err }
