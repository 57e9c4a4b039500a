package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestAnotherSessionLeads(t *testing.T) {
	d := NewDisk()
	a, b := d.Open(), d.Open()
	first, err := a.Lead(t.Context(), "ann@bastion (12)")
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.Lead(t.Context(), "bob@laptop (34)")
	var led *LedError
	if !errors.As(err, &led) || !errors.Is(err, ErrNotLeader) || led.Who != "ann@bastion (12)" || time.Since(led.Since) > time.Minute {
		t.Fatalf("the second session got %v", err)
	}
	if !strings.Contains(err.Error(), "ann@bastion (12) has led since") {
		t.Errorf("message %q", err)
	}
	put(t, b, "free", "of terms") // a write without a term needs no leadership
	_ = a.Close()
	second, err := b.Lead(t.Context(), "bob@laptop (34)")
	if err != nil || second <= first {
		t.Fatalf("after the leader's end: term %d after %d: %v", second, first, err)
	}
}

func TestDeposed(t *testing.T) {
	d := NewDisk()
	a, b := d.Open(), d.Open()
	old, _ := a.Lead(t.Context(), "a")
	d.Depose()
	for _, term := range []Term{old, old + 1} { // nobody leads: no number is right
		if _, err := a.Commit(t.Context(), Txn{Term: term, Puts: []KV{{Key: "k"}}}); !errors.Is(err, ErrNotLeader) {
			t.Errorf("term %d of nobody wrote: %v", term, err)
		}
	}
	now, err := b.Lead(t.Context(), "b")
	if err != nil || now <= old {
		t.Fatalf("term %d after %d: %v", now, old, err)
	}
	if _, err := a.Commit(t.Context(), Txn{Term: old, Puts: []KV{{Key: "k"}}}); !errors.Is(err, ErrNotLeader) {
		t.Errorf("an old leader woke up and wrote: %v", err)
	}
	if _, err := a.Lead(t.Context(), "a"); !errors.Is(err, ErrNotLeader) {
		t.Errorf("an old leader took the lead back: %v", err)
	}
}

func TestAFullDiskInMemory(t *testing.T) {
	m := Memory()
	put(t, m, "a", "1")
	m.Disk().Fill(true)
	if _, err := m.Commit(t.Context(), Txn{Puts: []KV{{Key: "a"}}}); !errors.Is(err, ErrFull) || m.Notice() == "" {
		t.Fatalf("full: %v, notice %q", err, m.Notice())
	}
	m.Disk().Fill(false)
	put(t, m, "a", "2")
}

// A watcher that begins before what is remembered is closed, and one that reads along
// is not disturbed by the forgetting.
func TestForgottenHistory(t *testing.T) {
	m := Memory()
	along, _ := m.Watch(t.Context(), "", 0)
	for i := range 2*keptChanges + 1 {
		put(t, m, "k", "v")
		if got, want := seen(t, along, 1), fmt.Sprintf("k=v@%d", i+2); got != want {
			t.Fatalf("read %q, not %q", got, want)
		}
	}
	late, err := m.Watch(t.Context(), "", 5)
	if err != nil {
		t.Fatal(err)
	}
	if got := seen(t, late, 1); got != "closed" {
		t.Fatalf("a watcher from revision 5 read %q", got)
	}
	rev := int64(2*keptChanges + 1)
	recent, _ := m.Watch(t.Context(), "", rev)
	if got, want := seen(t, recent, 1), fmt.Sprintf("k=v@%d", rev+1); got != want {
		t.Fatalf("a recent watcher read %q, not %q", got, want)
	}
}

func TestEtcdForgetsHistory(t *testing.T) {
	e := mustOpen(t, Options{Dir: t.TempDir()})
	for range 20 {
		put(t, e, "k", "v")
	}
	if _, err := e.client.Compact(t.Context(), 15); err != nil {
		t.Fatal(err)
	}
	late, err := e.Watch(t.Context(), "", 5)
	if err != nil {
		t.Fatal(err)
	}
	if got := seen(t, late, 1); got != "closed" {
		t.Fatalf("a watcher from revision 5 read %q", got)
	}
}

// Both implementations answer any sequence of transactions alike.
func TestBothAnswerAlike(t *testing.T) {
	e := mustOpen(t, Options{Dir: t.TempDir(), NoSync: true})
	m := Memory()
	rapid.Check(t, func(rt *rapid.T) {
		key := rapid.SampledFrom([]string{"a", "a/b", "b", "日本"})
		for range rapid.IntRange(1, 8).Draw(rt, "steps") {
			x := Txn{}
			for _, k := range rapid.SliceOfN(key, 0, 2).Draw(rt, "if") {
				kv, _ := m.Get(t.Context(), k)
				x.If = append(x.If, Cond{k, kv.Rev + rapid.SampledFrom([]int64{0, 0, 0, 1}).Draw(rt, "off")})
			}
			for _, k := range rapid.SliceOfN(key, 0, 3).Draw(rt, "puts") {
				x.Puts = append(x.Puts, KV{Key: k, Value: []byte(rapid.String().Draw(rt, "value"))})
			}
			x.Deletes = rapid.SliceOfN(key, 0, 2).Draw(rt, "deletes")
			revE, errE := e.Commit(t.Context(), x)
			revM, errM := m.Commit(t.Context(), x)
			if revE != revM || fmt.Sprint(errE) != fmt.Sprint(errM) {
				rt.Fatalf("%+v: etcd %d, %v; memory %d, %v", x, revE, errE, revM, errM)
			}
		}
		if inE, inM := content(t, e, ""), content(t, m, ""); inE != inM {
			rt.Fatalf("etcd holds %q, memory %q", inE, inM)
		}
	})
}
