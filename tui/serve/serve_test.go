package serve

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gossh "golang.org/x/crypto/ssh"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/uitest"
)

// rig is a server with people who may come.
type rig struct {
	t     *testing.T
	addr  string
	stop  context.CancelFunc
	ended chan error
	host  gossh.PublicKey
	keys  map[string]gossh.Signer

	mu     sync.Mutex
	people map[string]api.Caller
	logged *bytes.Buffer
}

func newSigner(t *testing.T) gossh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := gossh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// start serves; gus is a guest, olga an operator, ada an administrator, eve nobody.
func start(t *testing.T, change func(*Options)) *rig {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, addr: l.Addr().String(), ended: make(chan error, 1), keys: map[string]gossh.Signer{}, people: map[string]api.Caller{}, logged: &bytes.Buffer{}}
	for name, role := range map[string]api.Role{"gus": api.Guest, "olga": api.Operator, "ada": api.Administrator, "eve": api.Nobody} {
		r.keys[name] = newSigner(t)
		if role != api.Nobody {
			r.people[string(r.keys[name].PublicKey().Marshal())] = api.Caller{Who: name, Role: role}
		}
	}
	host := newSigner(t)
	r.host = host.PublicKey()
	o := Options{Listener: l, Keys: []gossh.Signer{host}, Who: r.who, Log: slog.New(slog.NewTextHandler(locked{r}, nil)),
		Open: func(who api.Caller, getenv func(string) string) (tui.Options, error) {
			svc := &uitest.Service{Snap: uitest.Scene(t, uitest.Calm)}
			return tui.Options{Kits: uitest.Kits(), Lang: text.Detect(getenv),
				Desks: []tui.Desk{{Name: "test", Connect: func(context.Context) (api.Service, error) { return api.As(svc, who), nil }}}}, nil
		}}
	if change != nil {
		change(&o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	go func() { r.ended <- Serve(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-r.ended:
			if err != nil {
				t.Errorf("the server ended with %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Error("the server did not end")
		}
	})
	return r
}

type locked struct{ r *rig }

func (l locked) Write(p []byte) (int, error) {
	l.r.mu.Lock()
	defer l.r.mu.Unlock()
	return l.r.logged.Write(p)
}

func (r *rig) who(key gossh.PublicKey) (api.Caller, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.people[string(key.Marshal())]
	return c, ok
}

// dial connects with the keys of these people, tried in order.
func (r *rig) dial(people ...string) (*gossh.Client, error) {
	var signers []gossh.Signer
	for _, p := range people {
		signers = append(signers, r.keys[p])
	}
	return gossh.Dial("tcp", r.addr, &gossh.ClientConfig{User: "whoever", HostKeyCallback: gossh.FixedHostKey(r.host), Timeout: 10 * time.Second,
		Auth: []gossh.AuthMethod{gossh.PublicKeys(signers...)}})
}

func (r *rig) must(people ...string) *gossh.Client {
	r.t.Helper()
	c, err := r.dial(people...)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

// screen is a session's output so far.
type screen struct {
	sess *gossh.Session
	in   io.Writer
	mu   sync.Mutex
	out  bytes.Buffer
	err  bytes.Buffer
	done chan error
}

func (s *screen) write(b *bytes.Buffer) io.Writer {
	return writer(func(p []byte) (int, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return b.Write(p)
	})
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String() + s.err.String()
}

// open begins a console session.
func (r *rig) open(c *gossh.Client, env ...string) *screen {
	r.t.Helper()
	sess, err := c.NewSession()
	if err != nil {
		r.t.Fatal(err)
	}
	s := &screen{sess: sess, done: make(chan error, 1)}
	s.in, _ = sess.StdinPipe()
	sess.Stdout, sess.Stderr = s.write(&s.out), s.write(&s.err)
	for i := 0; i+1 < len(env); i += 2 {
		_ = sess.Setenv(env[i], env[i+1])
	}
	if err := sess.RequestPty("xterm-256color", 24, 80, gossh.TerminalModes{}); err != nil {
		r.t.Fatal(err)
	}
	if err := sess.Shell(); err != nil {
		r.t.Fatal(err)
	}
	go func() { s.done <- sess.Wait() }()
	return s
}

// sees waits for words on the wire.
func (s *screen) sees(t *testing.T, words ...string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		text, missing := s.text(), ""
		for _, w := range words {
			if !strings.Contains(text, w) {
				missing = w
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%q did not come:\n%q", missing, text)
		}
	}
}

func (s *screen) ends(t *testing.T) error {
	t.Helper()
	select {
	case err := <-s.done:
		return err
	case <-time.After(20 * time.Second):
		t.Fatalf("the session did not end:\n%q", s.text())
		return nil
	}
}

const restored = "\x1b[?1049l" // the alternate screen is left

func TestConsoleOverSSH(t *testing.T) {
	r := start(t, nil)
	s := r.open(r.must("ada"))
	s.sees(t, "cross-region", "administrator")
	fmt.Fprint(s.in, "q")
	if err := s.ends(t); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if !strings.Contains(s.text(), restored) {
		t.Error("the terminal was not restored")
	}
	for _, want := range []string{"session began", "session ended", "who=ada", "role=administrator"} {
		if !strings.Contains(r.log(), want) {
			t.Errorf("the log does not say %q:\n%s", want, r.log())
		}
	}
}

func (r *rig) log() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.logged.String()
}

func TestTheLanguageOfTheClient(t *testing.T) {
	r := start(t, nil)
	s := r.open(r.must("gus"), "LANG", "ja_JP.UTF-8")
	s.sees(t, "階層")
}

// The person is the one whose key signed, not one whose key was only offered.
func TestThePersonIsTheKeyThatSigned(t *testing.T) {
	who := make(chan api.Caller, 1)
	r := start(t, func(o *Options) {
		o.Open = func(c api.Caller, _ func(string) string) (tui.Options, error) {
			who <- c
			return tui.Options{}, errors.New("enough")
		}
	})
	offered := onlyOffered{r.keys["ada"].PublicKey()}
	c, err := gossh.Dial("tcp", r.addr, &gossh.ClientConfig{User: "ada", HostKeyCallback: gossh.FixedHostKey(r.host), Timeout: 10 * time.Second,
		Auth: []gossh.AuthMethod{gossh.PublicKeys(r.keys["eve"], r.keys["gus"], offered)}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s := r.open(c)
	if got := <-who; got.Who != "gus" || got.Role != api.Guest {
		t.Errorf("the session is %+v's", got)
	}
	_ = s.ends(t)
}

// onlyOffered cannot sign: somebody else's public key.
type onlyOffered struct{ key gossh.PublicKey }

func (o onlyOffered) PublicKey() gossh.PublicKey { return o.key }
func (o onlyOffered) Sign(io.Reader, []byte) (*gossh.Signature, error) {
	return nil, errors.New("not mine")
}

func TestWhoIsNotLetIn(t *testing.T) {
	r := start(t, nil)
	if _, err := r.dial("eve"); err == nil {
		t.Error("a key that nobody knows was let in")
	}
	for name, auth := range map[string]gossh.AuthMethod{
		"a password": gossh.Password("secret"),
		"questions":  gossh.KeyboardInteractive(func(string, string, []string, []bool) ([]string, error) { return nil, nil }),
		"foreign":    gossh.PublicKeys(onlyOffered{r.keys["ada"].PublicKey()}),
	} {
		if _, err := gossh.Dial("tcp", r.addr, &gossh.ClientConfig{User: "ada", HostKeyCallback: gossh.FixedHostKey(r.host), Auth: []gossh.AuthMethod{auth}, Timeout: 5 * time.Second}); err == nil {
			t.Errorf("%s was let in", name)
		}
	}
	// A person who was taken out while connected gets no further session.
	c := r.must("olga")
	r.mu.Lock()
	delete(r.people, string(r.keys["olga"].PublicKey().Marshal()))
	r.mu.Unlock()
	s := r.open(c)
	if err := s.ends(t); err == nil || !strings.Contains(s.text(), "not known here any more") {
		t.Errorf("%v %q", err, s.text())
	}
}

func TestNothingButTheConsole(t *testing.T) {
	r := start(t, nil)
	c := r.must("ada")
	for _, cmd := range []string{"id", "ferry status", "sh -c 'touch /tmp/x'"} {
		s, err := c.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		s.Stderr = &out
		if err := s.Run(cmd); err == nil || !strings.Contains(out.String(), "runs no commands") {
			t.Errorf("%s: %v %q", cmd, err, out.String())
		}
	}
	s, _ := c.NewSession()
	if err := s.RequestSubsystem("sftp"); err == nil {
		t.Error("sftp was granted")
	}
	s, _ = c.NewSession()
	var out bytes.Buffer
	s.Stderr = &out
	if err := s.Shell(); err == nil {
		_ = s.Wait()
	}
	if !strings.Contains(out.String(), "needs a terminal") {
		t.Errorf("without a terminal: %q", out.String())
	}
	for _, kind := range []string{"direct-tcpip", "direct-streamlocal@openssh.com", "x11", "auth-agent@openssh.com"} {
		if ch, _, err := c.OpenChannel(kind, nil); err == nil {
			_ = ch.Close()
			t.Errorf("a channel %s was opened", kind)
		}
	}
	for _, req := range []string{"tcpip-forward", "streamlocal-forward@openssh.com"} {
		if ok, _, err := c.SendRequest(req, true, nil); ok || err != nil {
			t.Errorf("%s: %v %v", req, ok, err)
		}
	}
}

func TestLimits(t *testing.T) {
	r := start(t, func(o *Options) { o.Sessions, o.Each = 3, 2 })
	a := []*screen{r.open(r.must("ada")), r.open(r.must("ada"))}
	for _, s := range a {
		s.sees(t, "cross-region")
	}
	s := r.open(r.must("ada"))
	if err := s.ends(t); err == nil || !strings.Contains(s.text(), "you have 2 sessions open") {
		t.Errorf("%v %q", err, s.text())
	}
	r.open(r.must("gus")).sees(t, "cross-region")
	s = r.open(r.must("olga"))
	if err := s.ends(t); err == nil || !strings.Contains(s.text(), "3 sessions are open") {
		t.Errorf("%v %q", err, s.text())
	}
	fmt.Fprint(a[0].in, "q")
	_ = a[0].ends(t)
	for end := time.Now().Add(10 * time.Second); ; { // its place is given back a moment later
		s = r.open(r.must("olga"))
		select {
		case <-s.done:
			if time.Now().After(end) {
				t.Fatal("the place was not given back")
			}
		case <-time.After(300 * time.Millisecond):
			s.sees(t, "cross-region")
			return
		}
	}
}

func TestIdleSessionsEnd(t *testing.T) {
	r := start(t, func(o *Options) { o.Idle = 700 * time.Millisecond })
	s := r.open(r.must("gus"))
	s.sees(t, "cross-region")
	if err := s.ends(t); err == nil || !strings.Contains(s.text(), "nothing was typed for too long") || !strings.Contains(s.text(), restored) {
		t.Errorf("%v %q", err, s.text())
	}
}

// Who is taken out, or gets another role, is not let go on; while it cannot be told, and
// for everybody else, nothing changes.
func TestASessionEndsWithItsRole(t *testing.T) {
	var unreadable atomic.Int32 // counts down the times that nothing can be told
	asked := make(chan struct{}, 1000)
	r := start(t, func(o *Options) {
		who := o.Who
		o.Recheck = 20 * time.Millisecond
		o.Still = func(key gossh.PublicKey) (api.Caller, bool, error) {
			select {
			case asked <- struct{}{}:
			default:
			}
			if unreadable.Add(-1) >= 0 {
				return api.Caller{}, false, errors.New("half a file")
			}
			c, ok := who(key)
			return c, ok, nil
		}
	})
	gus, olga, ada := r.open(r.must("gus")), r.open(r.must("olga")), r.open(r.must("ada"))
	for _, s := range []*screen{gus, olga, ada} {
		s.sees(t, "cross-region")
	}
	unreadable.Store(30)
	for unreadable.Load() > 0 {
		<-asked
	}
	gus.sees(t, "READ-ONLY") // all of them are still there
	set := func(who string, role api.Role) {
		r.mu.Lock()
		defer r.mu.Unlock()
		key := string(r.keys[who].PublicKey().Marshal())
		if delete(r.people, key); role != api.Nobody {
			r.people[key] = api.Caller{Who: who, Role: role}
		}
	}
	set("gus", api.Nobody)
	if err := gus.ends(t); err == nil || !strings.Contains(gus.text(), "your key is not known here any more") || !strings.Contains(gus.text(), restored) {
		t.Errorf("taken out: %v %q", err, gus.text())
	}
	set("olga", api.Guest)
	if err := olga.ends(t); err == nil || !strings.Contains(olga.text(), "what you may do here has changed") {
		t.Errorf("another role: %v %q", err, olga.text())
	}
	fmt.Fprint(ada.in, "q")
	if err := ada.ends(t); err != nil {
		t.Errorf("who was not touched: %v", err)
	}
}

func TestTheServerStops(t *testing.T) {
	r := start(t, nil)
	s := r.open(r.must("gus"))
	s.sees(t, "cross-region")
	r.stop()
	_ = s.ends(t)
	if !strings.Contains(s.text(), restored) || !strings.Contains(s.text(), "the server stops") {
		t.Errorf("%q", s.text())
	}
}

func TestSizes(t *testing.T) {
	got := make(chan tui.Options, 1)
	r := start(t, func(o *Options) {
		o.run = func(ctx context.Context, o tui.Options) error { got <- o; <-ctx.Done(); return nil }
	})
	s := r.open(r.must("gus"))
	o := <-got
	if o.Width != 80 || o.Height != 24 || !o.ReadOnly || !o.Served {
		t.Errorf("%+v", o)
	}
	for _, z := range []struct{ w, h, wantW, wantH int }{{120, 40, 120, 40}, {1 << 30, 1 << 30, maxW, maxH}, {0, 0, 1, 1}} {
		if err := s.sess.WindowChange(z.h, z.w); err != nil {
			t.Fatal(err)
		}
		for {
			select {
			case size := <-o.Resized:
				if size != (tui.Size{W: z.wantW, H: z.wantH}) && size != (tui.Size{W: 80, H: 24}) {
					t.Errorf("%v came as %v", z, size)
				}
				if size.W == 80 {
					continue // the first one, which comes with the terminal
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("%v did not come", z)
			}
			break
		}
	}
}

func TestEnvironment(t *testing.T) {
	got := environment([]string{"LANG=ja_JP.UTF-8", "LD_PRELOAD=/x", "FERRY_SOCKET=/y", "COLORTERM=true\x1b]0;x\x07color", "LC_ALL=" + strings.Repeat("a", 500)}, "xterm\n-256color")
	want := []string{"TERM=xterm-256color", "LANG=ja_JP.UTF-8", "COLORTERM=true]0;xcolor", "LC_ALL=" + strings.Repeat("a", 64)}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q", got)
	}
}

func TestInputHasAPace(t *testing.T) {
	in := &typed{r: strings.NewReader(strings.Repeat("x", burst+perSecond/2))}
	began := time.Now()
	n, err := io.Copy(io.Discard, in)
	if err != nil || n != burst+perSecond/2 {
		t.Fatal(n, err)
	}
	if took := time.Since(began); took < 300*time.Millisecond {
		t.Errorf("half a second's input beyond the burst came in %s", took)
	}
}

func TestHostKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	first, made, err := HostKey(path)
	if err != nil || !made {
		t.Fatal(made, err)
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st.Mode(), err)
	}
	again, made, err := HostKey(path)
	if err != nil || made || !bytes.Equal(first.PublicKey().Marshal(), again.PublicKey().Marshal()) {
		t.Errorf("another key: %v %v", made, err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, _, err := HostKey(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a key that others may read: %v", err)
	}
	if err := os.WriteFile(path, []byte("no key"), 0o600); err != nil || os.Chmod(path, 0o600) != nil {
		t.Fatal(err)
	}
	if _, _, err := HostKey(path); err == nil {
		t.Error("a file that is no key")
	}
	left, _ := os.ReadDir(filepath.Dir(path))
	if len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// Nothing of a session is left when it has ended, nor of the server.
func TestNoGoroutineIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	func() {
		r := start(t, nil)
		for range 3 {
			c := r.must("ada")
			s := r.open(c)
			s.sees(t, "cross-region")
			fmt.Fprint(s.in, "q")
			_ = s.ends(t)
			_ = c.Close()
		}
		r.stop()
		r.ended <- <-r.ended
	}()
	for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			buf := make([]byte, 1<<20)
			t.Fatalf("%d goroutines before, %d now:\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
		}
	}
}
