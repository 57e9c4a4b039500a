package sshexec

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ferry-ha/ferry/sshexec/wire"
	"golang.org/x/crypto/ssh"
)

// realServer starts OpenSSH's sshd on loopback with keys and a configuration of its own.
func realServer(t *testing.T, c credentials) (target Target, pid int, root string) {
	t.Helper()
	const sshd = "/usr/sbin/sshd"
	if _, err := os.Stat(sshd); err != nil {
		if os.Getenv("FERRY_REQUIRE_REAL") == "1" {
			t.Fatal("OpenSSH's sshd is needed and not installed")
		}
		t.Skip("no OpenSSH sshd on this machine")
	}
	dir := t.TempDir()
	root = filepath.Join(dir, "root")
	port := freePort(t)
	_, key, _ := ed25519.GenerateKey(rand.Reader)
	block, _ := ssh.MarshalPrivateKey(key, "host")
	write(t, dir+"/host", string(pem.EncodeToMemory(block)), 0o600)
	write(t, dir+"/authorized", string(ssh.MarshalAuthorizedKey(c.signer.PublicKey())), 0o600)
	write(t, dir+"/config", fmt.Sprintf(`ListenAddress 127.0.0.1:%d
HostKey %[2]s/host
PidFile %[2]s/pid
AuthorizedKeysFile %[2]s/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
SetEnv FERRY_ROOT=%[3]s
`, port, dir, root), 0o600)
	if os.Getuid() == 0 {
		_ = os.MkdirAll("/run/sshd", 0o755) // sshd insists on it when it is root
	}
	var log bytes.Buffer
	cmd := exec.Command(sshd, "-D", "-e", "-f", dir+"/config")
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("sshd said:\n%s", log.String())
		}
	})
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	host, _ := ssh.NewSignerFromKey(key)
	c.trust(t, addr, host.PublicKey())
	until(t, "sshd listens", func() bool {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
	return Target{Name: "LK_P_A", Host: "127.0.0.1", Port: port, User: me.Username, IdentityFiles: []string{c.identity},
		KnownHosts: []string{c.known}, ConfigFile: "none", Sudo: SudoNever}, cmd.Process.Pid, root
}

func freePort(t *testing.T) int {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

func TestOpenSSH(t *testing.T) {
	c := newCredentials(t)
	target, _, root := realServer(t, c)
	p := newPool(t, Options{})
	n := p.Node(target)
	ctx := context.Background()

	frames, err := n.RunAll(ctx, []wire.Job{
		{ID: "echo", Body: `echo "$1"; cat`, Args: []string{"it's"}, Stdin: []byte("in")},
		{ID: "bomb", Body: "head -c 5000000 /dev/zero", MaxOutput: 100},
		{ID: "hung", Body: "sleep 60", Deadline: 200 * time.Millisecond},
		{ID: "changes", Body: "echo changed", Guard: &wire.Guard{Unit: "ferry-a", Lock: "l", Estate: "e", Engine: "me", Epoch: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if f := frames["echo"]; string(f.Stdout) != "it's\nin" || !f.OK() {
		t.Errorf("echo: %+v", f)
	}
	if f := frames["bomb"]; !f.Truncated || len(f.Stdout) != 100 {
		t.Errorf("bomb: %d bytes, truncated %v", len(f.Stdout), f.Truncated)
	}
	if f := frames["hung"]; f.Status != wire.Deadline {
		t.Errorf("hung: %+v", f)
	}
	if f := frames["changes"]; string(f.Stdout) != "changed\n" || !exists(root+"/var/lib/ferry/record") {
		t.Errorf("changes: %+v %s", f, f.Stderr)
	}
	if pulse := n.Beat(ctx, "echo alive"); !pulse.Function || pulse.Output != "alive" {
		t.Errorf("pulse: %+v", pulse)
	}
	want := noise(3*copyPart + 1)
	if err := n.Put(ctx, root+"/file", bytes.NewReader(want), 0o600, 1<<30); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if _, err := n.Get(ctx, root+"/file", &got, 1<<30); err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("copied %d bytes, got %d back, %v", len(want), got.Len(), err)
	}
	if s := p.Stats(); s.Dials != 2 {
		t.Errorf("%d connections, want one for scripts and one for copies", s.Dials)
	}
}

// TestOpenSSHSessionKilled: the server's process for our connection dies in the middle of a unit; the unit goes on.
func TestOpenSSHSessionKilled(t *testing.T) {
	c := newCredentials(t)
	target, pid, root := realServer(t, c)
	n := newPool(t, Options{}).Node(target)
	must(t, n, sh("warm", "true"))
	job := wire.Job{ID: "u", Args: []string{root}, Body: `echo up >"$1/up"; while [ ! -e "$1/go" ]; do sleep 0.05; done; echo done`,
		Guard: &wire.Guard{Unit: "ferry-u", Lock: "l", Estate: "e", Engine: "me", Epoch: 1}}
	failed := make(chan error, 1)
	go func() {
		_, err := n.Run(context.Background(), job)
		failed <- err
	}()
	until(t, "the unit runs", func() bool { return exists(root + "/up") })
	for _, child := range children(t, pid) {
		if p, err := os.FindProcess(child); err == nil {
			p.Kill()
		}
	}
	if err := <-failed; KindOf(err) != Broken {
		t.Fatalf("got %v", err)
	}
	write(t, root+"/go", "", 0o600)
	f, err := n.Await(context.Background(), "ferry-u", 10*time.Second, 0)
	if err != nil || string(f.Stdout) != "done\n" {
		t.Errorf("got %+v, %v", f, err)
	}
}

// children lists the child processes of a process and theirs, as far as they are sshd.
func children(t *testing.T, parent int) (pids []int) {
	t.Helper()
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		var pid, ppid int
		var state string
		open, end := strings.IndexByte(string(b), '('), strings.LastIndexByte(string(b), ')')
		fmt.Sscan(string(b[:open]), &pid)
		fmt.Sscan(string(b[end+1:]), &state, &ppid)
		if ppid == parent && strings.HasPrefix(string(b[open:end]), "(sshd") {
			pids = append(append(pids, pid), children(t, pid)...)
		}
	}
	return pids
}
