package sshexec

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/ferry-ha/ferry/sshexec/wire"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// server is an SSH server in this process. Sessions run real shells, unless session is set.
type server struct {
	t       testing.TB
	host    ssh.Signer
	config  *ssh.ServerConfig
	ln      net.Listener
	root    string // FERRY_ROOT of its shells
	path    string // directories before PATH of its shells
	session func(ch ssh.Channel, command string)

	mu       sync.Mutex
	accepted int
	commands []string
	conns    []net.Conn
}

// credentials are a user's key and known_hosts file.
type credentials struct {
	signer          ssh.Signer
	identity, known string
}

func newSigner(t testing.TB) (ssh.Signer, ed25519.PrivateKey) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s, key
}

func newCredentials(t testing.TB) credentials {
	t.Helper()
	dir := t.TempDir()
	s, key := newSigner(t)
	block, err := ssh.MarshalPrivateKey(key, "test")
	if err != nil {
		t.Fatal(err)
	}
	c := credentials{signer: s, identity: filepath.Join(dir, "id"), known: filepath.Join(dir, "known_hosts")}
	write(t, c.identity, string(pem.EncodeToMemory(block)), 0o600)
	write(t, c.known, "", 0o600)
	return c
}

func write(t testing.TB, name, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

// trust adds a host key to the known_hosts file.
func (c credentials) trust(t testing.TB, addr string, key ssh.PublicKey) {
	t.Helper()
	f, err := os.OpenFile(c.known, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fmt.Fprintln(f, knownhosts.Line([]string{knownhosts.Normalize(addr)}, key))
}

// newServer makes a server that lets the user in; serve or listen starts it.
func newServer(t testing.TB, c credentials) *server {
	s := &server{t: t, root: t.TempDir()}
	s.host, _ = newSigner(t)
	s.config = &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
		if string(key.Marshal()) != string(c.signer.PublicKey().Marshal()) {
			return nil, fmt.Errorf("unknown key")
		}
		return nil, nil
	}}
	s.config.AddHostKey(s.host)
	return s
}

// listen serves on loopback and trusts the server's key.
func (s *server) listen(c credentials) *server {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.ln = ln
	s.t.Cleanup(func() { ln.Close(); s.cut() })
	c.trust(s.t, ln.Addr().String(), s.host.PublicKey())
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s
}

// target is how to reach a listening server.
func (s *server) target(c credentials) Target {
	host, port, _ := net.SplitHostPort(s.ln.Addr().String())
	n, _ := strconv.Atoi(port)
	return Target{Name: "LK_P_A", Host: host, Port: n, User: "root", IdentityFiles: []string{c.identity}, KnownHosts: []string{c.known}, ConfigFile: "none"}
}

// cut closes all connections under the clients' feet.
func (s *server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.Close()
	}
	s.conns = nil
}

func (s *server) seen() (connections int, commands []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted, append([]string(nil), s.commands...)
}

func (s *server) serve(raw net.Conn) {
	s.mu.Lock()
	s.accepted++
	s.conns = append(s.conns, raw)
	s.mu.Unlock()
	conn, chans, reqs, err := ssh.NewServerConn(raw, s.config)
	if err != nil {
		raw.Close()
		return
	}
	defer conn.Close()
	go ssh.DiscardRequests(reqs)
	for nc := range chans {
		switch nc.ChannelType() {
		case "session":
			ch, reqs, err := nc.Accept()
			if err == nil {
				go s.handle(ch, reqs)
			}
		case "direct-tcpip":
			go s.forward(nc)
		default:
			nc.Reject(ssh.UnknownChannelType, "no")
		}
	}
}

func (s *server) forward(nc ssh.NewChannel) {
	var m struct {
		Host  string
		Port  uint32
		From  string
		FPort uint32
	}
	ssh.Unmarshal(nc.ExtraData(), &m)
	to, err := net.Dial("tcp", net.JoinHostPort(m.Host, strconv.Itoa(int(m.Port))))
	if err != nil {
		nc.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	ch, reqs, err := nc.Accept()
	if err != nil {
		to.Close()
		return
	}
	go ssh.DiscardRequests(reqs)
	go func() { io.Copy(to, ch); to.Close() }()
	io.Copy(ch, to)
	ch.Close()
}

func (s *server) handle(ch ssh.Channel, reqs <-chan *ssh.Request) {
	for r := range reqs {
		if r.Type != "exec" {
			r.Reply(false, nil)
			continue
		}
		var m struct{ Command string }
		ssh.Unmarshal(r.Payload, &m)
		s.mu.Lock()
		s.commands = append(s.commands, m.Command)
		s.mu.Unlock()
		r.Reply(true, nil)
		if s.session != nil {
			go s.session(ch, m.Command)
		} else {
			go s.exec(ch, m.Command)
		}
	}
}

// exec runs the command as sshd does: by the login shell, without a terminal.
func (s *server) exec(ch ssh.Channel, command string) {
	cmd := exec.Command("/bin/sh", "-c", command)
	cmd.Env = append(os.Environ(), "FERRY_ROOT="+s.root, "PATH="+s.path+":"+os.Getenv("PATH"))
	in, _ := cmd.StdinPipe()
	cmd.Stdout, cmd.Stderr = ch, ch.Stderr()
	if err := cmd.Start(); err != nil {
		ch.Close()
		return
	}
	go func() { io.Copy(in, ch); in.Close() }()
	cmd.Wait()
	ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(max(0, cmd.ProcessState.ExitCode()))}))
	ch.Close()
}

// native answers requests in Go, as the simulated estate does.
func native(run func(wire.Job) wire.Frame) func(ch ssh.Channel, command string) {
	return func(ch ssh.Channel, _ string) {
		defer ch.Close()
		r := newReader(ch)
		var mu sync.Mutex
		for {
			req, err := wire.ReadRequest(r)
			if err != nil {
				return
			}
			for _, j := range req.Jobs {
				go func() {
					f := run(j)
					f.ID = j.ID
					mu.Lock()
					defer mu.Unlock()
					wire.WriteFrame(ch, req.Nonce, f)
				}()
			}
		}
	}
}

func newPool(t testing.TB, o Options) *Pool {
	o.AgentSocket = first(o.AgentSocket, "none")
	p := NewPool(o)
	t.Cleanup(p.Close)
	return p
}

// start is the common case: a server with real shells, and a node for it.
func start(t testing.TB, o Options) (*server, *Node) {
	t.Helper()
	c := newCredentials(t)
	s := newServer(t, c).listen(c)
	return s, newPool(t, o).Node(s.target(c))
}

func sh(id, body string, args ...string) wire.Job { return wire.Job{ID: id, Body: body, Args: args} }

func must(t testing.TB, n *Node, j wire.Job) wire.Frame {
	t.Helper()
	f, err := n.Run(context.Background(), j)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func lines(b []byte) []string { return strings.Split(strings.TrimSpace(string(b)), "\n") }
