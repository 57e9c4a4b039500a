package sshexec

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// connectError runs something on a target and returns the error, which must be of the kind and say nothing was sent.
func connectError(t *testing.T, p *Pool, target Target, kind Kind) string {
	t.Helper()
	_, err := p.Node(target).Run(context.Background(), sh("a", "true"))
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Kind != kind || e.Sent || e.Node != target.name() {
		t.Fatalf("got %#v (%v), want kind %q", e, err, kind)
	}
	return err.Error()
}

func same(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("message\n  %s\nwant\n  %s", got, want)
	}
}

func TestHostKeys(t *testing.T) {
	c := newCredentials(t)
	s := newServer(t, c).listen(c)
	target := s.target(c)
	addr := s.ln.Addr().String()
	host, port, _ := net.SplitHostPort(addr)
	print := "ssh-ed25519 " + ssh.FingerprintSHA256(s.host.PublicKey())

	t.Run("unknown", func(t *testing.T) {
		target := target
		target.KnownHosts = []string{filepath.Join(t.TempDir(), "none")}
		same(t, connectError(t, newPool(t, Options{}), target, HostKeyUnknown),
			fmt.Sprintf("LK_P_A: connect: host key %s of %s is not known; check the fingerprint on the node, then: ssh-keyscan -p %s %s >> %s",
				print, addr, port, host, target.KnownHosts[0]))
	})
	t.Run("changed", func(t *testing.T) {
		other, _ := newSigner(t)
		bad := newCredentials(t)
		bad.trust(t, addr, other.PublicKey())
		target := target
		target.KnownHosts = []string{bad.known}
		same(t, connectError(t, newPool(t, Options{}), target, HostKeyChanged),
			fmt.Sprintf("LK_P_A: connect: host key of %s is %s, but %s line 1 has another: the node was reinstalled, or somebody is in between; "+
				"if the node was reinstalled: ssh-keygen -R '[%s]:%s' -f %s && ssh-keyscan -p %s %s >> %s", addr, print, bad.known, host, port, bad.known, port, host, bad.known))
	})
	t.Run("revoked", func(t *testing.T) {
		bad := filepath.Join(t.TempDir(), "known_hosts")
		write(t, bad, "@revoked * "+string(ssh.MarshalAuthorizedKey(s.host.PublicKey())), 0o600)
		target := target
		target.KnownHosts = []string{bad}
		if m := connectError(t, newPool(t, Options{}), target, HostKeyChanged); !strings.Contains(m, "is revoked in "+bad) {
			t.Error(m)
		}
	})
	t.Run("alias", func(t *testing.T) {
		known := filepath.Join(t.TempDir(), "known_hosts")
		write(t, known, "lk-p-a "+string(ssh.MarshalAuthorizedKey(s.host.PublicKey())), 0o600)
		target := target
		target.KnownHosts, target.HostKeyAlias = []string{known}, "lk-p-a"
		if _, err := newPool(t, Options{}).Node(target).Run(context.Background(), sh("a", "true")); err != nil {
			t.Error(err)
		}
	})
}

// TestHostKeyTypes: a server with several keys must show the one we know, whatever it would prefer.
func TestHostKeyTypes(t *testing.T) {
	c := newCredentials(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signer, _ := ssh.NewSignerFromKey(key)
	s := newServer(t, c)
	s.config.AddHostKey(signer)
	s.listen(c)
	known := filepath.Join(t.TempDir(), "known_hosts")
	host, port, _ := net.SplitHostPort(s.ln.Addr().String())
	write(t, known, fmt.Sprintf("[%s]:%s %s", host, port, ssh.MarshalAuthorizedKey(signer.PublicKey())), 0o600)
	target := s.target(c)
	target.KnownHosts = []string{known}
	must(t, newPool(t, Options{}).Node(target), sh("a", "true"))

	plain := newServer(t, c).listen(c) // ed25519 only
	host, port, _ = net.SplitHostPort(plain.ln.Addr().String())
	write(t, known, fmt.Sprintf("[%s]:%s %s", host, port, ssh.MarshalAuthorizedKey(signer.PublicKey())), 0o600)
	target = plain.target(c)
	target.KnownHosts = []string{known}
	if m := connectError(t, newPool(t, Options{}), target, HostKeyChanged); !strings.Contains(m, "has no host key of the known types (rsa-sha2-512, rsa-sha2-256)") {
		t.Error(m)
	}
}

func TestAuthFailed(t *testing.T) {
	c := newCredentials(t)
	s := newServer(t, c).listen(c)
	target := s.target(c)
	addr := s.ln.Addr().String()

	other := newCredentials(t)
	target.IdentityFiles = []string{other.identity}
	same(t, connectError(t, newPool(t, Options{}), target, AuthFailed),
		fmt.Sprintf("LK_P_A: connect: %s does not let root in (offered ssh-ed25519 %s); put the public key into ~root/.ssh/authorized_keys on the node",
			addr, ssh.FingerprintSHA256(other.signer.PublicKey())))

	target.IdentityFiles = []string{filepath.Join(t.TempDir(), "missing")}
	same(t, connectError(t, newPool(t, Options{}), target, AuthFailed),
		fmt.Sprintf("LK_P_A: connect: %s does not let root in (no key was offered); no key was found: name an identity file or start an ssh agent", addr))
}

// encrypted makes an encrypted key file and an agent that holds its key.
func TestEncryptedKeyAndAgent(t *testing.T) {
	c := newCredentials(t)
	signer, key := newSigner(t)
	c.signer = signer
	block, err := ssh.MarshalPrivateKeyWithPassphrase(key, "", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, c.identity, string(pem.EncodeToMemory(block)), 0o600)
	s := newServer(t, c).listen(c)
	m := connectError(t, newPool(t, Options{}), s.target(c), AuthFailed)
	if !strings.Contains(m, fmt.Sprintf("; %s is encrypted and no agent holds it: ssh-add %s", c.identity, c.identity)) {
		t.Error(m)
	}

	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: key}); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "agent")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go agent.ServeAgent(ring, conn)
		}
	}()
	must(t, newPool(t, Options{AgentSocket: socket}).Node(s.target(c)), sh("a", "true"))
}

func TestUnreachable(t *testing.T) {
	c := newCredentials(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{ln: ln}
	target := s.target(c)
	ln.Close()
	m := connectError(t, newPool(t, Options{}), target, Unreachable)
	if !strings.HasPrefix(m, "LK_P_A: connect: "+ln.Addr().String()+" does not answer: ") || !strings.HasSuffix(m, "; check that it runs, and the route and security group from here") {
		t.Error(m)
	}
}

func fakeSudo(t *testing.T, s *server, script string) {
	t.Helper()
	s.path = t.TempDir()
	// Written by another process: what this one has open for writing while it starts others cannot be executed.
	cmd := exec.Command("/bin/sh", "-c", `cat >"$1" && chmod 755 "$1"`, "sh", filepath.Join(s.path, "sudo"))
	cmd.Stdin = strings.NewReader("#!/bin/sh\n" + script)
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
}

func TestSudo(t *testing.T) {
	c := newCredentials(t)
	s := newServer(t, c).listen(c)
	target := s.target(c)
	target.User = "admin"
	fakeSudo(t, s, "echo 'sudo: a password is required' >&2; exit 1\n")
	same(t, connectError(t, newPool(t, Options{}), target, SudoRefused),
		"LK_P_A: run: admin may not become root: sudo: a password is required; "+
			"allow it on the node: echo 'admin ALL=(root) NOPASSWD: /bin/sh -s ferry-shell-1' > /etc/sudoers.d/ferry")

	fakeSudo(t, s, "[ \"$1\" = -n ] || exit 1\nshift\nAS=root exec \"$@\"\n")
	if f := must(t, newPool(t, Options{}).Node(target), sh("a", `echo "as $AS"`)); string(f.Stdout) != "as root\n" {
		t.Errorf("got %+v", f)
	}
	target.Sudo = SudoNever
	if f := must(t, newPool(t, Options{}).Node(target), sh("a", `echo "as $AS"`)); string(f.Stdout) != "as \n" {
		t.Errorf("got %+v", f)
	}
}

func TestNoLogin(t *testing.T) {
	c := newCredentials(t)
	s := newServer(t, c)
	s.session = func(ch ssh.Channel, _ string) {
		fmt.Fprintln(ch.Stderr(), "This account is currently not\x1b[31m available.")
		ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{1}))
		ch.Close()
	}
	s.listen(c)
	m := connectError(t, newPool(t, Options{}), s.target(c), Refused)
	same(t, m, "LK_P_A: run: the login shell ended at once with status 1: This account is currently not\ufffd[31m available.; "+
		"check the user's login shell, free space in /run and /tmp, and restrictions on its key")
}

func TestJumpHosts(t *testing.T) {
	c := newCredentials(t)
	one, two, last := newServer(t, c).listen(c), newServer(t, c).listen(c), newServer(t, c).listen(c)
	target := last.target(c)
	target.ProxyJump = fmt.Sprintf("root@%s,root@%s", one.ln.Addr(), two.ln.Addr())
	p := newPool(t, Options{})
	if f := must(t, p.Node(target), sh("a", "echo through")); string(f.Stdout) != "through\n" {
		t.Fatalf("got %+v", f)
	}
	second := target
	second.Name = "LK_P_B"
	must(t, p.Node(second), sh("a", "true"))
	for i, s := range []*server{one, two} {
		if n, _ := s.seen(); n != 1 {
			t.Errorf("hop %d got %d connections; jump connections are shared", i+1, n)
		}
	}
	if n, _ := last.seen(); n != 2 {
		t.Errorf("%d connections to the node, want one per node of the pool", n)
	}

	// A jump host that is down is not the node: the error names it.
	one.ln.Close()
	one.cut()
	deadline := time.Now().Add(5 * time.Second)
	for {
		_, err := p.Node(target).Run(context.Background(), sh("a", "true"))
		e, _ := errors.AsType[*Error](err)
		if e != nil && e.Kind == Unreachable && e.Node == "LK_P_A" && e.Hop == "root@"+one.ln.Addr().String() {
			if !strings.HasPrefix(e.Error(), "LK_P_A: connect: jump host root@"+one.ln.Addr().String()+": "+one.ln.Addr().String()+" does not answer: ") {
				t.Error(e)
			}
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the error never named the jump host: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestSSHConfig(t *testing.T) {
	c := newCredentials(t)
	jump, s := newServer(t, c).listen(c), newServer(t, c).listen(c)
	home := t.TempDir()
	os.Mkdir(filepath.Join(home, ".ssh"), 0o700)
	jh, jp, _ := net.SplitHostPort(jump.ln.Addr().String())
	h, port, _ := net.SplitHostPort(s.ln.Addr().String())
	id := filepath.Join(home, ".ssh", "key-admin")
	key, _ := os.ReadFile(c.identity)
	write(t, id, string(key), 0o600)
	write(t, filepath.Join(home, ".ssh", "config"), fmt.Sprintf(`
Host bastion
  HostName %s
  Port %s
  User root
Host lk-*
  HostName %s
  Port %s
  User admin
  ProxyJump bastion
Host *
  IdentityFile ~/.ssh/key-%%u
  IdentityFile ~/.ssh/key-admin
  UserKnownHostsFile %s
`, jh, jp, h, port, c.known), 0o600)
	fakeSudo(t, s, "shift\nexec \"$@\"\n")
	p := newPool(t, Options{Home: home})
	must(t, p.Node(Target{Name: "LK_P_A", Host: "lk-p-a"}), sh("a", "true"))
	if n, _ := jump.seen(); n != 1 {
		t.Errorf("the jump host got %d connections", n)
	}
	if _, commands := s.seen(); commands[0] != "exec sudo -n /bin/sh -s ferry-shell-1" {
		t.Errorf("commands %q", commands)
	}
	// What the target says wins.
	must(t, p.Node(Target{Name: "LK_P_B", Host: "lk-p-b", User: "root", ProxyJump: "none"}), sh("a", "true"))
	if _, commands := s.seen(); commands[1] != "exec /bin/sh -s ferry-shell-1" {
		t.Errorf("commands %q", commands)
	}
	write(t, filepath.Join(home, "bad"), "Match host x\n", 0o600)
	_, err := p.Node(Target{Host: "x", ConfigFile: filepath.Join(home, "bad")}).Run(context.Background(), sh("a", "true"))
	if KindOf(err) != Invalid || !strings.Contains(err.Error(), "give ferry a config file of its own") {
		t.Errorf("got %v", err)
	}
}

func TestParseJump(t *testing.T) {
	for spec, want := range map[string]Target{
		"bastion":                {Name: "bastion", Host: "bastion"},
		"me@bastion:2222":        {Name: "me@bastion:2222", Host: "bastion", User: "me", Port: 2222},
		"a,b@[::1]:7":            {Name: "b@[::1]:7", Host: "::1", User: "b", Port: 7, ProxyJump: "a"},
		"ssh://me@host":          {Name: "ssh://me@host", Host: "host", User: "me"},
		"first@x, second@y:1022": {Name: "second@y:1022", Host: "y", User: "second", Port: 1022, ProxyJump: "first@x"},
	} {
		got, err := parseJump(spec, Target{})
		if err != nil || got.key() != want.key() {
			t.Errorf("%q: got %+v, %v", spec, got, err)
		}
	}
	for _, spec := range []string{"a:x", "a:70000", "me@"} {
		if got, err := parseJump(spec, Target{}); err == nil {
			t.Errorf("%q: got %+v", spec, got)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"plain":                  "plain",
		"  two \n\t lines\r\n":   "two lines",
		"\x1b[2Jgone":            "\ufffd[2Jgone",
		"\xff\xfe":               "\ufffd\ufffd",
		"\u202eright to left":    "\ufffdright to left",
		"日本語":                    "日本語",
		"0123456789012345678901": "01234567890123456789",
	} {
		if got := Clean([]byte(in), 20); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
