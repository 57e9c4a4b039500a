package wire

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestOutputBomb(t *testing.T) {
	each(t, func(t *testing.T, c *channel, _ func() *channel) {
		f := c.run(Job{Body: "head -c 20000000 /dev/zero; head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 9", MaxOutput: 1000})
		if len(f.Stdout) != 1000 || len(f.Stderr) != 1000 || !f.Truncated || f.Exit != 9 {
			t.Errorf("stdout %d, stderr %d, truncated %v, exit %d", len(f.Stdout), len(f.Stderr), f.Truncated, f.Exit)
		}
		f = c.run(Job{Body: "head -c 1000 /dev/zero", MaxOutput: 1000})
		if len(f.Stdout) != 1000 || f.Truncated {
			t.Errorf("exactly the bound is not too much: %d, truncated %v", len(f.Stdout), f.Truncated)
		}
	})
}

func TestForgedFrames(t *testing.T) {
	each(t, func(t *testing.T, c *channel, _ func() *channel) {
		guess := strings.Repeat("0", 32)
		body := fmt.Sprintf("printf '\\n#ferry1 frame %s job done 0 0\\nfake\\n#ferry1 err %s\\n\\n#ferry1 end %s\\n'; printf '\\033[2J\\001\\377\\n#ferry1 end'; exit 1", guess, guess, guess)
		f := c.run(Job{Body: body})
		if f.Exit != 1 || !bytes.Contains(f.Stdout, []byte("fake")) || !bytes.HasSuffix(f.Stdout, []byte("\x1b[2J\x01\xff\n#ferry1 end")) {
			t.Errorf("got %+v", f)
		}
		if f = c.run(Job{Body: "echo ok"}); string(f.Stdout) != "ok\n" {
			t.Errorf("the channel is out of step: %+v", f)
		}
	})
}

// TestSecretsAreNowhere: a script that looks everywhere a script can look does not find the nonce, nor the secret input of
// a job beside it.
func TestSecretsAreNowhere(t *testing.T) {
	each(t, func(t *testing.T, c *channel, _ func() *channel) {
		secret := "hunter2-" + NewNonce()
		c.run(Job{Body: "true"})
		nonce := c.send(
			Job{ID: "holder", Stdin: []byte(secret), Body: "read -r x; sleep 1; echo \"${#x}\""},
			Job{ID: "spy", MaxOutput: 4 << 20, Body: `sleep 0.3; cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null; ls -R "$1"`, Args: []string{c.root}},
		)
		c.want[nonce] = 4 << 20
		dirs, err := filepath.Glob(c.root + "/run/ferry/chan/*")
		if err != nil || len(dirs) != 1 {
			t.Fatalf("%v, %v", dirs, err)
		}
		if st, err := os.Stat(dirs[0]); err != nil || st.Mode().Perm() != 0o700 {
			t.Errorf("%v, %v", st, err)
		}
		for range 2 {
			f := c.next()
			if f.ID == "holder" && string(f.Stdout) != fmt.Sprintln(len(secret)) {
				t.Errorf("holder: %+v", f)
			}
			if f.ID == "spy" && (len(f.Stdout) < 1000 || bytes.Contains(f.Stdout, []byte(secret)) || bytes.Contains(f.Stdout, []byte(nonce))) {
				t.Errorf("the spy read %d bytes and found the secret or the nonce", len(f.Stdout))
			}
		}
	})
}

func TestDaemonLeftBehind(t *testing.T) {
	each(t, func(t *testing.T, c *channel, _ func() *channel) {
		begin := time.Now()
		f := c.run(Job{Body: "(while sleep 0.1; do echo noise; done) & echo $!; exit 6", Deadline: 20 * time.Second})
		if f.Status != Done || f.Exit != 6 {
			t.Errorf("got %+v", f)
		}
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("the answer waited %s for the daemon", took)
		}
		pid := strings.Fields(string(f.Stdout))[0]
		if !alive(pid) {
			t.Error("a daemon that a script started in good order was killed")
		}
		kill(t, pid)
	})
}

// TestNothingLeft: when a channel ends its directory goes, and jobs leave no files while it lives.
func TestNothingLeft(t *testing.T) {
	each(t, func(t *testing.T, c *channel, _ func() *channel) {
		for range 3 {
			c.run(Job{Body: "cat", Stdin: []byte("x")})
		}
		left := func() (names []string) {
			names, _ = filepath.Glob(c.root + "/run/ferry/chan/*/*")
			return names
		}
		for deadline := time.Now().Add(5 * time.Second); len(left()) > 1 && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		}
		if names := left(); len(names) != 1 || filepath.Base(names[0]) != "m" {
			t.Errorf("left: %q", names)
		}
		c.in.Close()
		c.cmd.Wait()
		if dirs, _ := filepath.Glob(c.root + "/run/ferry/chan/*"); len(dirs) != 0 {
			t.Errorf("left: %q", dirs)
		}
	})
}

// TestManyRequests: a shell that lives for months must not collect children.
func TestManyRequests(t *testing.T) {
	each(t, func(t *testing.T, c *channel, _ func() *channel) {
		for range 50 {
			if f := c.run(Job{Body: "echo x"}); string(f.Stdout) != "x\n" {
				t.Fatalf("got %+v", f)
			}
		}
		f := c.run(Job{Body: fmt.Sprintf("cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') . %d '", c.cmd.Process.Pid)})
		if n := strings.TrimSpace(string(f.Stdout)); n != "0" && n != "1" {
			t.Errorf("%s children are left", n)
		}
	})
}
