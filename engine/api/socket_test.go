//go:build unix

package api

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// childSocket in the environment makes this test binary a client of that socket.
const childSocket = "FERRY_API_TEST_CHILD"

func TestMain(m *testing.M) {
	path := os.Getenv(childSocket)
	if path == "" {
		os.Exit(m.Run())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := Dial(ctx, path)
	if err != nil {
		fmt.Println(AsError(err).Kind, err)
		return
	}
	who, err := c.Whoami(ctx)
	fmt.Println(who.Who, who.Role, err)
}

// groupOfTest is the group of this process.
func groupOfTest(*testing.T) int { return os.Getgid() }

func kindOf(t *testing.T, err error, kind ErrorKind, words ...string) {
	t.Helper()
	if err == nil || AsError(err).Kind != kind {
		t.Fatalf("got %v, not an error of kind %s", err, kind)
	}
	for _, w := range words {
		if !strings.Contains(err.Error()+"\n"+AsError(err).Hint, w) {
			t.Errorf("%q (%s) does not say %q", err, AsError(err).Hint, w)
		}
	}
}

func TestASecondEngine(t *testing.T) {
	r := start(t, nil)
	_, err := Listen(t.Context(), r.opts)
	kindOf(t, err, KindBusy, "ann@bastion (12)", "since 2026-03-01", r.opts.Socket, "use that engine")
	if _, err := r.dial(t).Snapshot(t.Context()); err != nil {
		t.Fatalf("the first engine was hurt: %v", err)
	}
	r.stop()
	<-r.ended
	again, err := Listen(t.Context(), r.opts)
	if err != nil {
		t.Fatalf("after its end: %v", err)
	}
	_ = again.Close()
}

func TestWhatADeadEngineLeft(t *testing.T) {
	r := start(t, nil)
	path := filepath.Join(filepath.Dir(r.opts.Socket), "dead.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = l.Close()
	o := r.opts
	o.Socket = path
	s, err := Listen(t.Context(), o)
	if err != nil {
		t.Fatalf("a stale socket: %v", err)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("the socket is %v: %v", info.Mode(), err)
	}
	_ = s.Close()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

func TestPlacesThatAreNoSockets(t *testing.T) {
	r := start(t, nil)
	dir := filepath.Dir(r.opts.Socket)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := r.opts
	o.Socket = file
	_, err := Listen(t.Context(), o)
	kindOf(t, err, KindConfig, "is in the way", "FERRY_SOCKET")
	if b, _ := os.ReadFile(file); string(b) != "precious" {
		t.Fatal("the file was touched")
	}
	o.Socket = "/" + strings.Repeat("x", 200)
	_, err = Listen(t.Context(), o)
	kindOf(t, err, KindConfig, "longer than 103 bytes")
	o.Socket = file + "/below/engine.sock"
	_, err = Listen(t.Context(), o)
	kindOf(t, err, KindFailed, "cannot listen on")

	// Somebody else's socket without our lock: it answers, so it stays.
	foreign := filepath.Join(dir, "foreign")
	l, err := net.Listen("unix", foreign)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			fmt.Fprint(c, "220 mail.example.com\r\n")
			_ = c.Close()
		}
	}()
	o.Socket = foreign
	_, err = Listen(t.Context(), o)
	kindOf(t, err, KindBusy, "already answers on "+foreign)
	_, err = Dial(t.Context(), foreign)
	kindOf(t, err, KindUnavailable, foreign)
}

func TestNoEngine(t *testing.T) {
	_, err := Dial(t.Context(), "/tmp/no-such-ferry.sock")
	kindOf(t, err, KindUnavailable, "no engine runs on /tmp/no-such-ferry.sock", "ferry engine")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a caller cannot tell that nobody is there: %v", err)
	}
	_, err = DialFunc(t.Context(), "/run/ferry/engine.sock", func(context.Context) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", syscall.EACCES)}
	})
	kindOf(t, err, KindDenied, "you may not open the engine's socket /run/ferry/engine.sock", "group ferry")
	if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a caller cannot tell that it is not permitted: %v", err)
	}
}

func TestAnotherHTTPServer(t *testing.T) {
	_, err := DialFunc(t.Context(), "/run/other.sock", func(context.Context) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			_, _ = there.Read(make([]byte, 4096))
			fmt.Fprint(there, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}")
		}()
		return here, nil
	})
	kindOf(t, err, KindUnavailable, "not a ferry engine (404 Not Found)")
}

func TestWhereSocketsAre(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", "/run/user/1000")
	t.Setenv(SocketEnv, "/somewhere/e.sock")
	if got := DefaultSocket(); got != "/somewhere/e.sock" || len(ClientSockets()) != 1 || ClientSockets()[0] != got {
		t.Errorf("overridden: %s, %v", got, ClientSockets())
	}
	t.Setenv(SocketEnv, "")
	want := "/run/user/1000/ferry/engine.sock"
	if os.Getuid() == 0 {
		want = SystemSocket
	}
	if got := DefaultSocket(); got != want || ClientSockets()[0] != SystemSocket {
		t.Errorf("default: %s, %v", got, ClientSockets())
	}
	if got := userSocket(); got != "/run/user/1000/ferry/engine.sock" {
		t.Errorf("a user's: %s", got)
	}
}

func TestFind(t *testing.T) {
	r := start(t, nil)
	t.Setenv(SocketEnv, r.opts.Socket)
	c, err := Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	t.Setenv(SocketEnv, r.opts.Socket+".no")
	_, err = Find(t.Context())
	kindOf(t, err, KindUnavailable, "no engine runs on "+r.opts.Socket+".no")
}

// asUser runs this test binary as another user against the socket.
func asUser(t *testing.T, path string, uid, gid uint32, more ...uint32) string {
	t.Helper()
	// The binary lies where only root can read.
	dir, err := os.MkdirTemp("", "ferry")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	b, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	exe := filepath.Join(dir, "client")
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(exe, b, 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Dir = "/"
	cmd.Env = []string{childSocket + "=" + path}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: gid, Groups: more}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// Real processes of other users, told apart by the kernel.
func TestRealPeers(t *testing.T) {
	if os.Getuid() != 0 || runtime.GOOS != "linux" {
		t.Skip("left out: becoming other users needs root on Linux")
	}
	group, err := user.LookupGroupId("65534")
	if err != nil {
		group, err = user.LookupGroupId("1")
	}
	if err != nil {
		t.Fatal(err)
	}
	var gid uint32
	fmt.Sscan(group.Gid, &gid)
	r := start(t, func(o *Options) { o.Groups = Groups{Guest: "no-such-group", Operator: group.Name} })
	if err := os.Chmod(filepath.Dir(r.opts.Socket), 0o755); err != nil {
		t.Fatal(err)
	}
	if got := asUser(t, r.opts.Socket, 54321, gid); got != "uid 54321 operator <nil>" {
		t.Errorf("a member of the group: %s", got)
	}
	if got := asUser(t, r.opts.Socket, 54321, 54321, 7777, gid); got != "uid 54321 operator <nil>" {
		t.Errorf("a member by a supplementary group: %s", got)
	}
	if got := asUser(t, r.opts.Socket, 54321, 54321); !strings.HasPrefix(got, "not-permitted you may not open") {
		t.Errorf("a stranger at the socket's mode: %s", got)
	}
	if err := os.Chmod(r.opts.Socket, 0o666); err != nil {
		t.Fatal(err)
	}
	if got := asUser(t, r.opts.Socket, 54321, 54321); got != "not-permitted uid 54321 may not use this engine" {
		t.Errorf("a stranger past the socket's mode: %s", got)
	}
	if got := asUser(t, r.opts.Socket, 0, 0); got != "root administrator <nil>" {
		t.Errorf("root: %s", got)
	}
}
