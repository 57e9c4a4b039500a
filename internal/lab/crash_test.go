package lab_test

import (
	"bufio"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/internal/lab"
)

const victimEnv = "FERRY_LAB_VICTIM"

// TestVictim is not a test of its own: TestSweepAfterKill runs it in a second process, which starts a lab of one guest,
// says so, and waits to be killed.
func TestVictim(t *testing.T) {
	if os.Getenv(victimEnv) == "" {
		return
	}
	top := lab.FourNodes()
	top.Guests = top.Guests[:1]
	l, err := lab.Start(t.Context(), lab.Options{Topology: top})
	must(t, err)
	os.Stdout.WriteString("LAB " + l.Dir() + "\n")
	time.Sleep(time.Minute)
	l.Close()
}

func TestSweepAfterKill(t *testing.T) {
	lab.SkipUnlessEnabled(t)
	must(t, lab.Require())
	ctx := bounded(t)
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestVictim$")
	cmd.Env = append(os.Environ(), victimEnv+"=1")
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	dir := ""
	for s := bufio.NewScanner(out); dir == "" && s.Scan(); {
		dir, _ = strings.CutPrefix(s.Text(), "LAB ")
	}
	if !strings.Contains(dir, "flab") {
		t.Fatalf("the second process said %q instead of its directory", dir)
	}
	if len(guestProcesses(dir)) == 0 || len(leftovers(dir)) < 2 {
		t.Fatalf("nothing to sweep: processes %v, %v", guestProcesses(dir), leftovers(dir))
	}

	must(t, cmd.Process.Kill())
	cmd.Wait()
	for len(guestProcesses(dir)) > 0 {
		if ctx.Err() != nil {
			t.Fatalf("guests outlive their process: %v", guestProcesses(dir))
		}
		time.Sleep(10 * time.Millisecond)
	}
	cache, err := lab.CacheDir()
	must(t, err)
	lab.Sweep(context.Background(), cache, slog.New(slog.DiscardHandler))
	if left := leftovers(dir); len(left) > 0 {
		t.Errorf("the sweep left %v", left)
	}
}

func TestGuestThatDoesNotBoot(t *testing.T) {
	lab.SkipUnlessEnabled(t)
	dir := filepath.Join(t.TempDir(), "lab")
	top := lab.FourNodes()
	top.Guests = top.Guests[:1]
	_, err := lab.Start(bounded(t), lab.Options{Topology: top, Dir: dir, BootTimeout: 700 * time.Millisecond})
	if err == nil {
		t.Fatal("a guest booted in less than a second")
	}
	for _, want := range []string{"LK_P_A does not answer ssh", "console:\n"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
	if left := guestProcesses(dir); len(left) > 0 {
		t.Errorf("the guest still runs: %v", left)
	}
	if left, _ := filepath.Glob("/run/netns/flab" + strconv.Itoa(os.Getpid()) + "-*-client-*"); len(left) > 2 {
		t.Errorf("namespaces are left: %v", left) // the two are those of this binary's shared lab, if it runs
	}
}

// guestProcesses are those whose command line names the lab's directory; a zombie has none.
func guestProcesses(dir string) []string {
	var out []string
	all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, p := range all {
		if b, _ := os.ReadFile(p); strings.Contains(string(b), dir+"/") {
			out = append(out, p)
		}
	}
	return out
}

func leftovers(dir string) []string {
	out, _ := filepath.Glob("/run/netns/" + filepath.Base(dir) + "-*")
	if _, err := os.Stat(dir); err == nil {
		out = append(out, dir)
	}
	return out
}
