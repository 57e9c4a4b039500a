package sshexec

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/sshexec/wire"
)

func guarded(unit, body string) wire.Job {
	return wire.Job{Body: body, Guard: &wire.Guard{Unit: unit, Lock: "estate", Estate: "e1", Engine: "bastion", Epoch: 4}}
}

// until waits for something another process does; the test fails when it never happens.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}

func exists(name string) bool { _, err := os.Stat(name); return err == nil }

func TestConnectionCutMidScript(t *testing.T) {
	s, n := start(t, Options{})
	dir := t.TempDir()
	job := guarded("ferry-op7-start-1", "echo before; : >'"+dir+"/running'; while [ ! -e '"+dir+"/go' ]; do sleep 0.02; done; echo after; exit 3")
	failed := make(chan error, 1)
	go func() {
		_, err := n.Run(context.Background(), job)
		failed <- err
	}()
	until(t, "the script runs", func() bool { return exists(dir + "/running") })
	s.cut()
	err := <-failed
	if KindOf(err) != Broken || !err.(*Error).Sent {
		t.Fatalf("got %v, want Broken with an unknown outcome", err)
	}
	// A successor finds it by name, still running, and awaits it.
	ctx := context.Background()
	units, err := n.Units(ctx)
	if err != nil || len(units) != 1 || units[0].Name != "ferry-op7-start-1" || units[0].State != wire.UnitRunning {
		t.Fatalf("got %+v, %v", units, err)
	}
	write(t, filepath.Join(dir, "go"), "", 0o600)
	f, err := n.Await(ctx, "ferry-op7-start-1", 10*time.Second, 0)
	if err != nil || f.Status != wire.Done || f.Exit != 3 || string(f.Stdout) != "before\nafter\n" {
		t.Fatalf("got %+v, %v", f, err)
	}
	if again := must(t, n, job); again.Exit != 3 || string(again.Stdout) != "before\nafter\n" {
		t.Errorf("run twice? %+v", again)
	}
	if err := n.ForgetUnit(ctx, "ferry-op7-start-1"); err != nil {
		t.Error(err)
	}
	if units, err := n.Units(ctx); err != nil || len(units) != 0 {
		t.Errorf("got %+v, %v", units, err)
	}
}

func TestEndUnit(t *testing.T) {
	_, n := start(t, Options{})
	dir := t.TempDir()
	ctx := context.Background()
	done := make(chan wire.Frame, 1)
	go func() {
		f, _ := n.Run(ctx, guarded("ferry-op8-stop-1", "echo $$ >'"+dir+"/pid'; trap '' TERM; while :; do sleep 1; done"))
		done <- f
	}()
	until(t, "the script runs", func() bool { return exists(dir + "/pid") })
	if err := n.ForgetUnit(ctx, "ferry-op8-stop-1"); err == nil || !strings.Contains(err.Error(), "is running") {
		t.Errorf("a running unit was forgotten: %v", err)
	}
	if err := n.EndUnit(ctx, "ferry-op8-stop-1"); err != nil {
		t.Fatal(err)
	}
	pid, _ := os.ReadFile(dir + "/pid")
	if exists("/proc/" + strings.TrimSpace(string(pid))) {
		t.Error("the script outlived its unit")
	}
	if f := <-done; f.Status != wire.Ended && f.Status != wire.Lost {
		t.Errorf("got %+v", f)
	}
	err := n.EndUnit(ctx, "ferry-nosuch")
	same(t, err.Error(), "LK_P_A: end unit: unit ferry-nosuch is not known on this node")
}
