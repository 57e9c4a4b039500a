package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Whatever happens to the files, opening them ends in bounded time, never ends the
// process, and either says that they are damaged or gives a store that works.
func TestRandomDamage(t *testing.T) {
	whole := t.TempDir()
	e := mustOpen(t, Options{Dir: whole, NoSync: true})
	for i := range 1300 {
		put(t, e, fmt.Sprintf("k/%04d", i%300), strings.Repeat("v", 300))
	}
	_ = e.Close()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	damaged, rounds := 0, 40
	for round := range rounds {
		dir := copyDir(t, whole)
		what := harm(t, random, dir)
		began := time.Now()
		e, err := OpenEtcd(t.Context(), Options{Dir: dir, NoSync: true, ReadyTimeout: 10 * time.Second})
		switch {
		case errors.Is(err, ErrDamaged):
			damaged++
		case err != nil:
			t.Errorf("round %d, %s: %v", round, what, err)
		default:
			if _, err := e.Commit(t.Context(), Txn{Puts: []KV{{Key: "new", Value: []byte("1")}}}); err != nil && !errors.Is(err, ErrDamaged) {
				t.Errorf("round %d, %s: opened, then %v", round, what, err)
			}
			_ = e.Close()
		}
		if took := time.Since(began); took > 8*time.Second {
			t.Errorf("round %d, %s: took %v", round, what, took)
		}
	}
	t.Logf("%d of %d were called damaged", damaged, rounds)
	if damaged == 0 {
		t.Error("nothing was ever damaged: the test shows nothing")
	}
}

// harm overwrites or cuts a random file where its data is, and says what it did.
func harm(t *testing.T, random *rand.Rand, dir string) string {
	t.Helper()
	logs, _ := filepath.Glob(filepath.Join(dir, "member/wal/*.wal"))
	snaps, _ := filepath.Glob(filepath.Join(dir, "member/snap/*"))
	files := append(logs, snaps...)
	path := files[random.IntN(len(files))]
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	used := len(strings.TrimRight(string(b), "\x00"))
	at := random.IntN(used)
	what := fmt.Sprintf("%s cut at %d", filepath.Base(path), at)
	if random.IntN(3) == 0 {
		b = b[:at]
	} else {
		n := 1 + random.IntN(4096)
		for i := at; i < min(at+n, used); i++ {
			b[i] = byte(random.Uint32())
		}
		what = fmt.Sprintf("%s garbled from %d, %d bytes", filepath.Base(path), at, n)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return what
}
