package store

import (
	"fmt"
	"os"
	"testing"
)

func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		e, err := OpenEtcd(b.Context(), Options{Dir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		_ = e.Close()
		b.StartTimer()
	}
}

func BenchmarkReopen(b *testing.B) {
	o := Options{Dir: b.TempDir()}
	e := mustOpen(b, o)
	for i := range 5000 {
		put(b, e, fmt.Sprint(i%500), "0123456789")
	}
	for b.Loop() {
		b.StopTimer()
		_ = e.Close()
		b.StartTimer()
		e = mustOpen(b, o)
	}
}

func BenchmarkPut(b *testing.B) {
	e := mustOpen(b, Options{Dir: b.TempDir()})
	term, err := e.Lead(b.Context(), "bench")
	if err != nil {
		b.Fatal(err)
	}
	value := make([]byte, 300)
	n := 0
	for b.Loop() {
		n++
		x := Txn{Term: term, Puts: []KV{{Key: fmt.Sprint("state/", n%200), Value: value}}}
		if _, err := e.Commit(b.Context(), x); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	e := mustOpen(b, Options{Dir: b.TempDir()})
	put(b, e, "a", "1")
	for b.Loop() {
		if _, err := e.Get(b.Context(), "a"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkList(b *testing.B) {
	e := mustOpen(b, Options{Dir: b.TempDir()})
	for i := range 200 {
		put(b, e, fmt.Sprintf("state/%03d", i), "0123456789")
	}
	for b.Loop() {
		if all, _, err := e.List(b.Context(), "state/"); err != nil || len(all) != 200 {
			b.Fatal(len(all), err)
		}
	}
}

// BenchmarkFsync is the disk's own speed, to read BenchmarkPut against.
func BenchmarkFsync(b *testing.B) {
	f, err := os.Create(b.TempDir() + "/f")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	line := make([]byte, 400)
	for b.Loop() {
		if _, err := f.WriteAt(line, 0); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}
