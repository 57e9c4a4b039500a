package wire

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// shells are the shells that nodes have: dash is Debian's sh, busybox stands for the small ones.
func shells(t testing.TB) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for name, argv := range map[string][]string{"dash": {"dash"}, "busybox": {"busybox", "sh"}, "bash": {"bash", "--posix"}} {
		if _, err := exec.LookPath(argv[0]); err == nil {
			found[name] = argv
		} else if os.Getenv("FERRY_REQUIRE_REAL") == "1" && name != "bash" {
			t.Fatalf("%s is needed and not installed", name)
		}
	}
	if len(found) == 0 {
		t.Skip("no POSIX sh on this machine")
	}
	return found
}

// channel is a long-lived shell, as sshexec keeps one on a node.
type channel struct {
	t    testing.TB
	root string
	in   io.WriteCloser
	out  *bufio.Reader
	cmd  *exec.Cmd
	want map[string]int // nonce -> bound
}

func open(t testing.TB, argv []string, root string) *channel {
	t.Helper()
	bin := t.TempDir()
	// The scripts that it starts must find the same shell as "sh"; busybox and bash behave by that name.
	path, err := exec.LookPath(argv[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, filepath.Join(bin, "sh")); err != nil {
		t.Fatal(err)
	}
	c := &channel{t: t, root: root, want: map[string]int{}, cmd: exec.Command(filepath.Join(bin, "sh"), "-s", "ferry-shell-1")}
	c.cmd.Env = append(os.Environ(), "FERRY_ROOT="+root, "PATH="+bin+":"+os.Getenv("PATH"))
	c.cmd.Stderr = os.Stderr
	c.in, _ = c.cmd.StdinPipe()
	out, _ := c.cmd.StdoutPipe()
	c.out = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.in.Close(); c.cmd.Wait() })
	c.write(Prelude())
	return c
}

func (c *channel) write(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, s); err != nil {
		c.t.Fatal(err)
	}
}

func (c *channel) send(jobs ...Job) string {
	c.t.Helper()
	r := Request{Nonce: NewNonce(), Jobs: jobs}
	if err := r.Validate(); err != nil {
		c.t.Fatal(err)
	}
	c.want[r.Nonce] = jobs[0].Limit()
	c.write(r.Shell())
	return r.Nonce
}

func (c *channel) next() Frame {
	c.t.Helper()
	_, f, err := ReadFrame(c.out, func(nonce, _ string) (int, bool) { n, ok := c.want[nonce]; return n, ok })
	if err != nil {
		c.t.Fatal(err)
	}
	return f
}

func (c *channel) run(j Job) Frame {
	c.t.Helper()
	if j.ID == "" {
		j.ID = "job"
	}
	c.send(j)
	return c.next()
}

// each runs a test with every shell, each with a node root of its own.
func each(t *testing.T, f func(t *testing.T, c *channel, another func() *channel)) {
	for name, argv := range shells(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			f(t, open(t, argv, root), func() *channel { return open(t, argv, root) })
		})
	}
}

func TestScript(t *testing.T) {
	each(t, func(t *testing.T, c *channel, _ func() *channel) {
		f := c.run(Job{
			Body: "printf '%s|' \"$@\"; cat; echo oops >&2; umask; exit 3",
			Args: []string{"a b", "it's", "$(id)", "", "line\nbreak"}, Stdin: []byte("in\x00put"),
		})
		if got, want := string(f.Stdout), "a b|it's|$(id)||line\nbreak|in\x00put"; !strings.HasPrefix(got, want) {
			t.Errorf("stdout %q, want it to start with %q", got, want)
		}
		if string(f.Stderr) != "oops\n" || f.Exit != 3 || f.Status != Done || f.Truncated {
			t.Errorf("got %+v", f)
		}
		if !strings.Contains(string(f.Stdout), fmt.Sprintf("%04o", 0o22)) {
			t.Errorf("the node's umask must be the script's: %q", f.Stdout)
		}
	})
}

func TestDeadlineEndsGrandchildren(t *testing.T) {
	each(t, func(t *testing.T, c *channel, _ func() *channel) {
		start := time.Now()
		f := c.run(Job{
			Body:     `trap '' TERM; (trap '' TERM; sleep 61 & echo $!; wait) & echo $$; wait; sleep 61`,
			Deadline: 200 * time.Millisecond,
		})
		if f.Status != Deadline {
			t.Errorf("status %s, want deadline", f.Status)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %s", took)
		}
		for _, pid := range strings.Fields(string(f.Stdout)) {
			if alive(pid) {
				t.Errorf("process %s outlived the deadline", pid)
			}
		}
	})
}

// alive reports whether a process runs; a zombie does not, and one that was just killed gets a moment to go.
func alive(pid string) bool {
	for range 100 {
		b, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil || strings.Contains(string(b), ") Z ") {
			return false
		}
		time.Sleep(10 * time.Millisecond)
	}
	return true
}

func TestBeat(t *testing.T) {
	each(t, func(t *testing.T, c *channel, _ func() *channel) {
		f := c.run(Job{Beat: true, Body: `printf '%s|' hello "$@"; echo oops >&2; exit 4`, Args: []string{"it's", "$(id)", ""}})
		if string(f.Stdout) != "hello|it's|$(id)||oops" || f.Exit != 4 || len(f.Stderr) != 0 {
			t.Errorf("got %+v", f)
		}
		// What it waits for may run side by side, and does not see the channel's shell.
		f = c.run(Job{Beat: true, Body: `for i in "$@"; do { sleep 0.05; echo "$i"; } & done; wait; cd /; set -e; exit 0`, Args: []string{"a", "b"}})
		if n := len(strings.Fields(string(f.Stdout))); n != 2 || !f.OK() {
			t.Errorf("got %+v", f)
		}
	})
}

func TestGuard(t *testing.T) {
	each(t, func(t *testing.T, c *channel, another func() *channel) {
		g := &Guard{Unit: "ferry-op1-1-1", Lock: "ip", Estate: "e", Engine: "me", Epoch: 3}
		f := c.run(Job{Body: `echo "started $1"; cat; exit 5`, Args: []string{"x"}, Stdin: []byte("secret"), Guard: g})
		if f.Status != Done || f.Exit != 5 || string(f.Stdout) != "started x\nsecret" {
			t.Fatalf("got %+v %s", f, f.Stderr)
		}
		if again := another().run(Job{Body: "echo twice", Guard: g}); again.Exit != 5 || string(again.Stdout) != string(f.Stdout) {
			t.Errorf("a unit ran twice: %+v", again)
		}
	})
}

// TestUnitKilledFromOutside: when only the unit's own script is killed, the lock stays held until what it left running
// has been ended at its deadline.
func TestUnitKilledFromOutside(t *testing.T) {
	each(t, func(t *testing.T, c *channel, another func() *channel) {
		g := &Guard{Unit: "ferry-op1-1-1", Lock: "ip", Estate: "e", Engine: "me", Epoch: 3}
		pidFile, groupFile := filepath.Join(c.root, "run/ferry/unit/ferry-op1-1-1,pid"), filepath.Join(c.root, "group")
		c.send(Job{ID: "a", Body: `trap '' TERM; echo $$ >"$1"; while :; do sleep 0.1; done`, Args: []string{groupFile}, Guard: g, Deadline: time.Second})
		await(t, groupFile)
		await(t, pidFile)
		pids, _ := os.ReadFile(pidFile)
		kill(t, strings.Fields(string(pids))[0])
		other := *g
		other.Unit = "ferry-op2-1-1"
		if f := another().run(Job{Body: "echo beside it", Guard: &other}); f.Status != Locked || f.Exit != 75 {
			t.Errorf("the lock was free while the script ran: %+v", f)
		}
		if f := c.next(); f.Status != Lost || !strings.Contains(string(f.Stderr), "what it did is unknown") {
			t.Errorf("got %+v %s", f, f.Stderr)
		}
		group, _ := os.ReadFile(groupFile)
		if alive(strings.TrimSpace(string(group))) {
			t.Error("the script outlived its deadline")
		}
		if again := another().run(Job{Body: "echo twice", Guard: g}); again.Status != Lost {
			t.Errorf("a lost unit ran again: %+v", again)
		}
	})
}

func kill(t *testing.T, pid string) {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(pid))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(n, syscall.SIGKILL); err != nil {
		t.Errorf("kill %d: %v", n, err)
	}
}

// program writes an executable. Another process does it: while this one starts others at the same time, they may hold
// the file open for writing for a moment, and then it cannot be executed.
func program(t *testing.T, name, text string) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", `cat >"$1.new" && chmod 755 "$1.new" && mv "$1.new" "$1"`, "sh", name)
	cmd.Stdin = strings.NewReader(text)
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
}

// await waits for a file that a script writes.
func await(t *testing.T, name string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if b, err := os.ReadFile(name); err == nil && len(b) > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s was never written", name)
		}
	}
}
