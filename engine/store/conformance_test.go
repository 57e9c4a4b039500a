package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// bed is an implementation under test.
type bed struct {
	name string
	// open begins an empty store; reopen ends it and opens what it left.
	open func(t *testing.T) (s Store, reopen func() Store)
}

func beds() []bed {
	return []bed{
		{"memory", func(t *testing.T) (Store, func() Store) {
			m := Memory()
			return m, func() Store { _ = m.Close(); m = m.Disk().Open(); return m }
		}},
		{"etcd", func(t *testing.T) (Store, func() Store) {
			o := Options{Dir: t.TempDir()}
			e := mustOpen(t, o)
			return e, func() Store { _ = e.Close(); e = mustOpen(t, o); return e }
		}},
	}
}

func mustOpen(t testing.TB, o Options) *Etcd {
	t.Helper()
	e, err := OpenEtcd(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// each runs a test on every implementation.
func each(t *testing.T, f func(t *testing.T, s Store, reopen func() Store)) {
	for _, b := range beds() {
		t.Run(b.name, func(t *testing.T) {
			s, reopen := b.open(t)
			t.Cleanup(func() { _ = s.Close() })
			f(t, s, reopen)
		})
	}
}

func put(t testing.TB, s Store, pairs ...string) int64 {
	t.Helper()
	var x Txn
	for i := 0; i < len(pairs); i += 2 {
		x.Puts = append(x.Puts, KV{Key: pairs[i], Value: []byte(pairs[i+1])})
	}
	rev, err := s.Commit(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

func content(t testing.TB, s Store, prefix string) string {
	t.Helper()
	all, _, err := s.List(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, kv := range all {
		fmt.Fprintf(&b, "%s=%s@%d ", kv.Key, kv.Value, kv.Rev)
	}
	return strings.TrimSpace(b.String())
}

func TestReadingWhatWasCommitted(t *testing.T) {
	each(t, func(t *testing.T, s Store, _ func() Store) {
		if _, err := s.Get(t.Context(), "a"); !errors.Is(err, ErrNotFound) {
			t.Fatalf("a missing key gave %v", err)
		}
		if all, rev, err := s.List(t.Context(), ""); err != nil || len(all) != 0 || rev != 1 {
			t.Fatalf("an empty store lists %v at %d: %v", all, rev, err)
		}
		r1 := put(t, s, "state/b", "1", "state/a", "2", "stately", "3")
		r2 := put(t, s, "state/b", "4")
		if r1 != 2 || r2 != 3 {
			t.Fatalf("revisions %d, %d", r1, r2)
		}
		if got := content(t, s, "state/"); got != "state/a=2@2 state/b=4@3" {
			t.Fatalf("listed %q", got)
		}
		kv, err := s.Get(t.Context(), "stately")
		if err != nil || string(kv.Value) != "3" || kv.Rev != 2 || kv.Key != "stately" {
			t.Fatalf("got %v: %v", kv, err)
		}
	})
}

func TestDeleting(t *testing.T) {
	each(t, func(t *testing.T, s Store, _ func() Store) {
		rev := put(t, s, "a", "1", "b", "1")
		again, err := s.Commit(t.Context(), Txn{Deletes: []string{"missing"}})
		if err != nil || again != rev {
			t.Fatalf("deleting nothing made revision %d after %d: %v", again, rev, err)
		}
		if _, err := s.Commit(t.Context(), Txn{Deletes: []string{"a"}, Puts: []KV{{Key: "c"}}}); err != nil {
			t.Fatal(err)
		}
		if got := content(t, s, ""); got != "b=1@2 c=@3" {
			t.Fatalf("left %q", got)
		}
	})
}

func TestConditions(t *testing.T) {
	each(t, func(t *testing.T, s Store, _ func() Store) {
		rev := put(t, s, "a", "1")
		for _, c := range []struct {
			name string
			cond []Cond
			ok   bool
		}{
			{"the revision read", []Cond{{"a", rev}}, true},
			{"an older revision", []Cond{{"a", rev - 1}}, false},
			{"must not exist but does", []Cond{{"a", 0}}, false},
			{"must not exist and does not", []Cond{{"new", 0}}, true},
			{"exists at no such revision", []Cond{{"new", rev}}, false},
			{"one of two fails", []Cond{{"new", 0}, {"a", 0}}, false},
		} {
			before := content(t, s, "x")
			_, err := s.Commit(t.Context(), Txn{If: c.cond, Puts: []KV{{Key: "x", Value: []byte(c.name)}}})
			if c.ok != (err == nil) || (err != nil && !errors.Is(err, ErrConflict)) {
				t.Errorf("%s: %v", c.name, err)
			}
			if after := content(t, s, "x"); (before == after) == c.ok {
				t.Errorf("%s: had %q, has %q", c.name, before, after)
			}
		}
		_, err := s.Commit(t.Context(), Txn{If: []Cond{{"a", 77}}, Puts: []KV{{Key: "x"}}})
		if err == nil || !strings.Contains(err.Error(), "a is at revision 2, not 77") {
			t.Errorf("the message does not name the key: %v", err)
		}
	})
}

func TestLeadership(t *testing.T) {
	each(t, func(t *testing.T, s Store, reopen func() Store) {
		first, err := s.Lead(t.Context(), "ann@bastion (1)")
		if err != nil || first == 0 {
			t.Fatalf("term %d: %v", first, err)
		}
		write := func(s Store, term Term) error {
			_, err := s.Commit(t.Context(), Txn{Term: term, Puts: []KV{{Key: "a", Value: []byte("x")}}})
			return err
		}
		if err := write(s, first); err != nil {
			t.Fatal(err)
		}
		second, err := s.Lead(t.Context(), "ann@bastion (1)")
		if err != nil || second <= first {
			t.Fatalf("term %d after %d: %v", second, first, err)
		}
		if err := write(s, first); !errors.Is(err, ErrNotLeader) {
			t.Fatalf("the old term wrote: %v", err)
		}
		// A lost leadership is told before a conflict: nothing can be made good then.
		_, err = s.Commit(t.Context(), Txn{Term: first, If: []Cond{{"a", 99}}, Puts: []KV{{Key: "a"}}})
		if !errors.Is(err, ErrNotLeader) || errors.Is(err, ErrConflict) {
			t.Fatalf("lost leadership and conflict gave %v", err)
		}
		s = reopen()
		third, err := s.Lead(t.Context(), "bob@bastion (2)")
		if err != nil || third <= second {
			t.Fatalf("after a restart term %d after %d: %v", third, second, err)
		}
		if err := write(s, second); !errors.Is(err, ErrNotLeader) {
			t.Fatalf("the term before the restart wrote: %v", err)
		}
		if err := write(s, third); err != nil {
			t.Fatal(err)
		}
		if got := content(t, s, ""); !strings.HasPrefix(got, "a=x@") || strings.Contains(got, " ") {
			t.Fatalf("leadership shows among the data: %q", got)
		}
	})
}

func TestWhatIsInvalid(t *testing.T) {
	each(t, func(t *testing.T, s Store, _ func() Store) {
		many := make([]KV, MaxOps+1)
		for i := range many {
			many[i].Key = fmt.Sprint(i)
		}
		for name, x := range map[string]Txn{
			"a key twice":       {Puts: []KV{{Key: "a"}, {Key: "a"}}},
			"put and deleted":   {Puts: []KV{{Key: "a"}}, Deletes: []string{"a"}},
			"an empty key":      {Puts: []KV{{Key: ""}}},
			"too many puts":     {Puts: many},
			"too many bytes":    {Puts: []KV{{Key: "a", Value: make([]byte, MaxBytes)}}},
			"an empty deletion": {Deletes: []string{""}},
		} {
			if _, err := s.Commit(t.Context(), x); !errors.Is(err, ErrInvalid) {
				t.Errorf("%s gave %v", name, err)
			}
		}
		if _, err := s.Commit(t.Context(), Txn{Puts: many[:MaxOps]}); err != nil {
			t.Errorf("the most puts: %v", err)
		}
		if _, err := s.Commit(t.Context(), Txn{Puts: []KV{{Key: "big", Value: make([]byte, MaxBytes-3)}}}); err != nil {
			t.Errorf("the most bytes: %v", err)
		}
	})
}

// seen reads n changes as "key=value@rev", a deletion with a minus.
func seen(t *testing.T, ch <-chan Change, n int) string {
	t.Helper()
	var out []string
	for range n {
		select {
		case c, ok := <-ch:
			if !ok {
				return strings.Join(append(out, "closed"), " ")
			}
			sign := ""
			if c.Deleted {
				sign = "-"
			}
			out = append(out, fmt.Sprintf("%s%s=%s@%d", sign, c.Key, c.Value, c.Rev))
		case <-time.After(10 * time.Second):
			t.Fatalf("no more changes after %v", out)
		}
	}
	return strings.Join(out, " ")
}

func TestWatching(t *testing.T) {
	each(t, func(t *testing.T, s Store, _ func() Store) {
		put(t, s, "w/a", "1")
		put(t, s, "other", "1")
		ctx, cancel := context.WithCancel(t.Context())
		all, err := s.Watch(ctx, "w/", 0)
		if err != nil {
			t.Fatal(err)
		}
		later, err := s.Watch(ctx, "w/", 2)
		if err != nil {
			t.Fatal(err)
		}
		put(t, s, "w/b", "2")
		if _, err := s.Commit(ctx, Txn{Deletes: []string{"w/a"}, Puts: []KV{{Key: "w/c", Value: []byte("3")}}}); err != nil {
			t.Fatal(err)
		}
		want := "w/b=2@4 -w/a=@5 w/c=3@5"
		if got := seen(t, later, 3); got != want {
			t.Errorf("after 2: %q", got)
		}
		if got := seen(t, all, 4); got != "w/a=1@2 "+want {
			t.Errorf("from the start: %q", got)
		}
		cancel()
		if got := seen(t, all, 1); got != "closed" {
			t.Errorf("after its context: %q", got)
		}
	})
}

func TestASlowWatcherMissesNothing(t *testing.T) {
	each(t, func(t *testing.T, s Store, _ func() Store) {
		ch, err := s.Watch(t.Context(), "n/", 0)
		if err != nil {
			t.Fatal(err)
		}
		const n = 3000
		for i := range n {
			put(t, s, "n/"+fmt.Sprint(i%7), fmt.Sprint(i))
		}
		for i := range n {
			if got, want := seen(t, ch, 1), fmt.Sprintf("n/%d=%d@%d", i%7, i, i+2); got != want {
				t.Fatalf("change %d is %q, not %q", i, got, want)
			}
		}
	})
}

func TestClosing(t *testing.T) {
	each(t, func(t *testing.T, s Store, _ func() Store) {
		ch, err := s.Watch(t.Context(), "", 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatalf("closing twice: %v", err)
		}
		if got := seen(t, ch, 1); got != "closed" {
			t.Errorf("the watch went on: %q", got)
		}
		_, errGet := s.Get(t.Context(), "a")
		_, _, errList := s.List(t.Context(), "a")
		_, errPut := s.Commit(t.Context(), Txn{Puts: []KV{{Key: "a"}}})
		_, errLead := s.Lead(t.Context(), "me")
		_, errWatch := s.Watch(t.Context(), "", 0)
		for i, err := range []error{errGet, errList, errPut, errLead, errWatch} {
			if !errors.Is(err, ErrClosed) {
				t.Errorf("call %d on a closed store gave %v", i, err)
			}
		}
	})
}

func TestEndedContexts(t *testing.T) {
	each(t, func(t *testing.T, s Store, _ func() Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, errGet := s.Get(ctx, "a")
		_, _, errList := s.List(ctx, "a")
		_, errLead := s.Lead(ctx, "me")
		_, errWatch := s.Watch(ctx, "", 0)
		for i, err := range []error{errGet, errList, errLead, errWatch} {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("call %d with an ended context gave %v", i, err)
			}
		}
	})
}

// Many writers raise one counter by compare and swap: no step may be lost.
func TestManyWriters(t *testing.T) {
	each(t, func(t *testing.T, s Store, _ func() Store) {
		const writers, steps = 8, 25
		var conflicts atomic.Int64
		var wg sync.WaitGroup
		for range writers {
			wg.Go(func() {
				for done := 0; done < steps; {
					kv, err := s.Get(t.Context(), "n")
					if err != nil && !errors.Is(err, ErrNotFound) {
						t.Error(err)
						return
					}
					var n int
					fmt.Sscan(string(kv.Value), &n)
					_, err = s.Commit(t.Context(), Txn{If: []Cond{{"n", kv.Rev}}, Puts: []KV{{Key: "n", Value: fmt.Append(nil, n+1)}}})
					switch {
					case err == nil:
						done++
					case errors.Is(err, ErrConflict):
						conflicts.Add(1)
					default:
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		if kv, err := s.Get(t.Context(), "n"); err != nil || string(kv.Value) != fmt.Sprint(writers*steps) {
			t.Fatalf("counted %s (%d conflicts): %v", kv.Value, conflicts.Load(), err)
		}
	})
}

// What a caller does with its bytes later must not reach the store.
func TestValuesAreCopies(t *testing.T) {
	each(t, func(t *testing.T, s Store, _ func() Store) {
		mine := []byte("good")
		if _, err := s.Commit(t.Context(), Txn{Puts: []KV{{Key: "a", Value: mine}}}); err != nil {
			t.Fatal(err)
		}
		copy(mine, "evil")
		kv, _ := s.Get(t.Context(), "a")
		copy(kv.Value, "evil")
		if got := content(t, s, "a"); got != "a=good@2" {
			t.Fatalf("stored %q", got)
		}
	})
}

func TestReopening(t *testing.T) {
	each(t, func(t *testing.T, s Store, reopen func() Store) {
		for i := range 2500 { // past two snapshots of etcd's log
			put(t, s, fmt.Sprintf("k/%03d", i%100), fmt.Sprint(i))
		}
		before := content(t, s, "")
		s = reopen()
		if after := content(t, s, ""); after != before {
			t.Fatalf("before\n%s\nafter\n%s", before, after)
		}
		if rev := put(t, s, "k/new", "1"); rev != 2502 {
			t.Fatalf("the next revision is %d", rev)
		}
	})
}
