package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// childDir in the environment makes this test binary a process that uses the store
// until it is killed.
const childDir = "FERRY_STORE_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		child(dir)
		return
	}
	os.Exit(m.Run())
}

// child writes from four goroutines and says each number after it was committed.
func child(dir string) {
	ctx := context.Background()
	e, err := OpenEtcd(ctx, Options{Dir: dir, Who: "child@test"})
	if err != nil {
		fmt.Println("error", err)
		return
	}
	term, err := e.Lead(ctx, "child")
	if err != nil {
		fmt.Println("error", err)
		return
	}
	fmt.Println("lead", term)
	var mu sync.Mutex // one line at a time
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for n := 0; ; n++ {
				key := fmt.Sprintf("%d/%d/%d", term, w, n)
				_, err := e.Commit(ctx, Txn{Term: term, If: []Cond{{Key: key}}, Puts: []KV{
					{Key: "left/" + key, Value: []byte(key)}, {Key: "right/" + key, Value: []byte(key)}, {Key: "last", Value: []byte(key)}}})
				mu.Lock()
				if err != nil {
					fmt.Println("error", err)
				} else {
					fmt.Println("done", key)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// startChild runs the child and waits until it leads.
func startChild(t *testing.T, dir string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(out)
	line, err := r.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "lead ") {
		_ = cmd.Process.Kill()
		t.Fatalf("the child said %q: %v", line, err)
	}
	return cmd, r
}

// Nothing accepted is lost: whatever the child acknowledged before it was killed is
// there, whole, and the next leader has a higher term.
func TestKilledInTheMiddleOfPuts(t *testing.T) {
	dir, kills := t.TempDir(), 24
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var acked []string
	var last Term
	for kill := range kills {
		cmd, out := startChild(t, dir)
		timer := time.AfterFunc(time.Duration(random.IntN(120))*time.Millisecond, func() { _ = cmd.Process.Signal(syscall.SIGKILL) })
		rest, err := io.ReadAll(out)
		if err != nil {
			t.Fatal(err)
		}
		timer.Stop()
		_ = cmd.Wait()
		for line := range strings.Lines(string(rest)) {
			what, key, _ := strings.Cut(strings.TrimSpace(line), " ")
			if what == "error" {
				t.Fatalf("kill %d: the child met %s", kill, key)
			}
			if what == "done" && strings.HasSuffix(line, "\n") {
				acked = append(acked, key)
			}
		}
		// The lock died with the child; this process gets it at once.
		e := mustOpen(t, Options{Dir: dir})
		term, err := e.Lead(t.Context(), "parent")
		if err != nil || term <= last {
			t.Fatalf("kill %d: term %d after %d: %v", kill, term, last, err)
		}
		last = term
		left, right := keys(t, e, "left/"), keys(t, e, "right/")
		for _, key := range acked {
			if !left[key] || !right[key] {
				t.Fatalf("kill %d: %s was acknowledged and is gone (left %v, right %v)", kill, key, left[key], right[key])
			}
		}
		for key := range left {
			if !right[key] {
				t.Fatalf("kill %d: %s was written by half", kill, key)
			}
		}
		_ = e.Close()
	}
	t.Logf("%d acknowledged commits survived %d kills", len(acked), kills)
	if len(acked) < 100 {
		t.Fatalf("only %d commits were acknowledged: the test shows nothing", len(acked))
	}
}

func keys(t *testing.T, s Store, prefix string) map[string]bool {
	t.Helper()
	all, _, err := s.List(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]bool, len(all))
	for _, kv := range all {
		out[strings.TrimPrefix(kv.Key, prefix)] = true
	}
	return out
}

func TestASecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	cmd, _ := startChild(t, dir)
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = cmd.Process.Kill() }()
	_, err := OpenEtcd(t.Context(), Options{Dir: dir})
	if !errors.Is(err, ErrLocked) {
		t.Fatalf("the second process got %v", err)
	}
	for _, want := range []string{fmt.Sprintf("process %d", cmd.Process.Pid), "child@test", dir, "stop it first"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not tell %q", err, want)
		}
	}
}

func TestTheSameProcessIsRefusedToo(t *testing.T) {
	o := Options{Dir: t.TempDir()}
	e := mustOpen(t, o)
	if _, err := OpenEtcd(t.Context(), o); !errors.Is(err, ErrLocked) {
		t.Fatalf("opened twice: %v", err)
	}
	_ = e.Close()
	mustOpen(t, o)
}
