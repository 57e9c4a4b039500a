package nodesim

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strconv"

	"golang.org/x/crypto/ssh"

	"github.com/ferry-ha/ferry/sshexec/wire"
)

// Serve speaks SSH on every connection of a listener until that is closed: for
// demos over a real socket.
func (n *Node) Serve(l net.Listener) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		if !n.world.spawn(func() { defer c.Close(); n.serveSSH(c) }) {
			_ = c.Close()
			return net.ErrClosed
		}
	}
}

// serveSSH is sshd for one connection. A simulated connection falls silent with
// the node's power, by itself; a real one is closed.
func (n *Node) serveSSH(c net.Conn) {
	if _, simulated := c.(*conn); !simulated {
		defer context.AfterFunc(n.life(), func() { _ = c.Close() })()
	}
	_, channels, requests, err := ssh.NewServerConn(c, n.sshConfig())
	if err != nil {
		return
	}
	n.world.spawn(func() { ssh.DiscardRequests(requests) })
	for ch := range channels {
		switch ch.ChannelType() {
		case "session":
			n.world.spawn(func() { n.session(ch) })
		case "direct-tcpip":
			n.world.spawn(func() { n.forward(ch) })
		default:
			_ = ch.Reject(ssh.UnknownChannelType, "not simulated")
		}
	}
}

func (n *Node) sshConfig() *ssh.ServerConfig {
	config := &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if len(n.world.opts.Authorized) == 0 {
				return nil, nil
			}
			for _, a := range n.world.opts.Authorized {
				if bytes.Equal(a.Marshal(), key.Marshal()) {
					return nil, nil
				}
			}
			return nil, errors.New("this key is not authorized")
		},
	}
	// The cheapest exchange that every client has: a simulation makes thousands.
	config.KeyExchanges = []string{ssh.KeyExchangeCurve25519}
	n.mu.Lock()
	config.AddHostKey(n.hostKey)
	n.mu.Unlock()
	return config
}

// session runs one command: the long-lived shell that sshexec asks for, or any
// script, whose exit status ends the channel.
func (n *Node) session(ch ssh.NewChannel) {
	c, requests, err := ch.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	for r := range requests {
		var exec struct{ Command string }
		if r.Type != "exec" || ssh.Unmarshal(r.Payload, &exec) != nil {
			_ = r.Reply(r.Type == "env", nil)
			continue
		}
		_ = r.Reply(true, nil)
		n.world.spawn(func() { ssh.DiscardRequests(requests) })
		if exec.Command == wire.ShellCommand || exec.Command == wire.SudoCommand {
			n.serveJobs(c)
			return
		}
		out := &capture{limit: 1 << 20}
		code := n.shell(n.life(), process{stdout: out, stderr: c.Stderr()}, exec.Command)
		_, _ = c.Write(out.bytes())
		_, _ = c.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(code)}))
		return
	}
}

// forward is ProxyJump: a connection from this node onwards.
func (n *Node) forward(ch ssh.NewChannel) {
	var to struct {
		Host     string
		Port     uint32
		From     string
		FromPort uint32
	}
	if ssh.Unmarshal(ch.ExtraData(), &to) != nil {
		_ = ch.Reject(ssh.ConnectionFailed, "cannot read the request")
		return
	}
	onward, err := n.world.dial(n.life(), n.name, "tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))), true)
	if err != nil {
		_ = ch.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	c, requests, err := ch.Accept()
	if err != nil {
		_ = onward.Close()
		return
	}
	n.world.spawn(func() { ssh.DiscardRequests(requests) })
	n.world.spawn(func() { _, _ = io.Copy(onward, c); _ = onward.Close() })
	_, _ = io.Copy(c, onward)
	_ = c.Close()
	_ = onward.Close()
}

// serveJobs answers requests until the channel ends. Jobs outlive it.
func (n *Node) serveJobs(c ssh.Channel) {
	r := bufio.NewReader(c)
	// Not a mutex: in virtual time whoever waits for one keeps the clock from moving,
	// and a write may wait for the clock.
	turn := make(chan struct{}, 1)
	for {
		req, err := wire.ReadRequest(r)
		if errors.Is(err, wire.ErrRequest) {
			_, _ = io.WriteString(c.Stderr(), err.Error()+"\n")
			return
		}
		if err != nil {
			return
		}
		for _, j := range req.Jobs {
			n.world.spawn(func() {
				f := n.job(j)
				turn <- struct{}{}
				_ = wire.WriteFrame(c, req.Nonce, f)
				<-turn
			})
		}
	}
}
