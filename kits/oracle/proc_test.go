package oracle

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/kits/oracle/orainst"
)

// realProcess starts a real one that is called like Oracle's and whose program lies below a home; it waits on
// its input until the test ends.
func realProcess(t *testing.T, home string, argv ...string) (pid int, program string) {
	t.Helper()
	program = filepath.Join(home, "bin/oracle")
	if _, err := os.Stat(program); err != nil {
		from, err := os.ReadFile("/bin/cat")
		if err != nil {
			t.Skipf("left out: %v", err)
		}
		if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(program, from, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	in, out := io.Pipe()
	cmd := &exec.Cmd{Path: program, Args: argv, Stdin: in}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close(); _ = cmd.Process.Kill(); _ = cmd.Wait() })
	// Until the kernel shows the new program, it is still the test's own.
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid))
		if strings.HasPrefix(string(b), argv[0]) {
			return cmd.Process.Pid, program
		}
	}
	t.Fatalf("%v does not show itself", argv)
	return 0, ""
}

// The kernel's own /proc: names as a whole, programs by their path, a program that was replaced.
func TestProcessesOnThisKernel(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("left out: there is no /proc")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	home, other := filepath.Join(dir, "19"), filepath.Join(dir, "12")
	sid := fmt.Sprintf("FT%d", os.Getpid()) // nobody else's on this machine
	pmon, program := realProcess(t, home, "ora_pmon_"+sid)
	dbw, _ := realProcess(t, home, "ora_dbw0_"+sid)
	server, _ := realProcess(t, home, "oracle"+sid)
	foreign, _ := realProcess(t, other, "ora_pmon_"+sid)
	realProcess(t, home, "ora_pmon_"+sid+"2")
	realProcess(t, home, "ora_pmon_X_"+sid)
	realProcess(t, home, "oracle"+sid+"2")
	shells(t, func(t *testing.T, shell []string) {
		find := func(pattern string) string {
			body := orainst.Prelude + "\nprocesses \"" + pattern + "\"\nset -- $pids\necho \"$* / ${foreign# } / $unsure\"\n"
			cmd := exec.Command(shell[0], append(append(shell[1:len(shell):len(shell)], "-c", body, "ferry"), sid, home, "oracle", "", "u")...)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v %s", err, out)
			}
			return strings.TrimSpace(string(out))
		}
		if got, want := find("^ora_pmon_$name"), fmt.Sprintf("%d / %d /", pmon, foreign); got != want {
			t.Errorf("PMON: %q, want %q", got, want)
		}
		got := find("^ora_[^_]*_$name|^oracle$name")
		for _, p := range []int{pmon, dbw, server} {
			if !strings.Contains(" "+strings.Split(got, "/")[0], fmt.Sprintf(" %d ", p)) {
				t.Errorf("all: %d is missing in %q", p, got)
			}
		}
		if len(strings.Fields(strings.Split(got, "/")[0])) != 3 {
			t.Errorf("all: %q", got)
		}
		if err := os.Rename(program, program+"O"); err != nil { // as a patch does
			t.Fatal(err)
		}
		if got, want := find("^ora_pmon_$name"), fmt.Sprintf("%d / %d /", pmon, foreign); got != want {
			t.Errorf("a program that was replaced: %q, want %q", got, want)
		}
		if err := os.Rename(program+"O", program); err != nil {
			t.Fatal(err)
		}
	})
}
