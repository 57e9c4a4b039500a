package store

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// An engine's day passes in a bubble: heartbeats, states written, watched, and the
// store closed and opened again. Every goroutine of etcd has to be idle while nothing
// happens, and gone after Close; otherwise the bubble never ends.
func TestEtcdInABubble(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		began, real := time.Now(), 0
		for round := range 2 {
			e, err := OpenEtcd(context.Background(), Options{Dir: dir, NoSync: true})
			if err != nil {
				t.Fatal(err)
			}
			term, err := e.Lead(context.Background(), "bubble")
			if err != nil || int(term) != round+1 {
				t.Fatalf("term %d: %v", term, err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			ch, err := e.Watch(ctx, "s/", 0)
			if err != nil {
				t.Fatal(err)
			}
			for range round * 60 { // what the round before left
				<-ch
			}
			for i := range 60 {
				time.Sleep(time.Minute)
				x := Txn{Term: term, Puts: []KV{{Key: "s/a", Value: fmt.Append(nil, i)}}}
				if _, err := e.Commit(context.Background(), x); err != nil {
					t.Fatal(err)
				}
				if c := <-ch; string(c.Value) != fmt.Sprint(i) {
					t.Fatalf("minute %d brought %s", i, c.Value)
				}
				real++
			}
			cancel()
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if passed := time.Since(began); passed < 2*time.Hour || passed > 2*time.Hour+time.Minute || real != 120 {
			t.Fatalf("%v passed, %d changes", passed, real)
		}
	})
}

func TestMemoryInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := Memory()
		ch, err := m.Watch(context.Background(), "", 0)
		if err != nil {
			t.Fatal(err)
		}
		put(t, m, "a", "1")
		if c := <-ch; c.Key != "a" {
			t.Fatal(c)
		}
		_ = m.Close()
	})
}
