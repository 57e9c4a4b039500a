package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	// shTimeout bounds a script whose caller set no deadline.
	shTimeout = time.Minute
	// loginTimeout bounds one attempt to log in. Under load a booting guest takes a second for the key exchange.
	loginTimeout = 10 * time.Second
	// managementPort is where the harness's own sshd listens in a guest.
	managementPort = "2222"
	// maxOutput is how much of a script's output is kept.
	maxOutput = 1 << 20
)

// shell is the harness's own connection to a guest, over the management network. It is made when first needed.
type shell struct {
	mu     sync.Mutex
	client *ssh.Client
}

func (s *shell) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client != nil {
		s.client.Close()
		s.client = nil
	}
}

// ShError is a script that ran in a guest and did not end with 0.
type ShError struct {
	Guest  string
	Exit   int
	Stderr string
}

func (e *ShError) Error() string {
	return fmt.Sprintf("script on %s ended with %d: %s", e.Guest, e.Exit, strings.TrimSpace(e.Stderr))
}

// Sh runs a shell script in the guest as root and returns what it wrote to stdout. It goes over the management network to an
// sshd of the lab's own: no cut, latency, route or stop of the node's sshd touches it, and the engine under test cannot see it. An exit status other than 0 is a *[ShError].
// Without a deadline in ctx the script has a minute.
func (g *Guest) Sh(ctx context.Context, script string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, shTimeout)
	defer cancel()
	session, err := g.session(ctx)
	if err != nil {
		return "", fmt.Errorf("reaching %s: %w", g.Name(), err)
	}
	defer session.Close()
	stop := context.AfterFunc(ctx, g.shell.close)
	defer stop()
	var out, errOut bounded
	session.Stdin, session.Stdout, session.Stderr = strings.NewReader(script), &out, &errOut
	err = session.Run("sh -s")
	var exit *ssh.ExitError
	switch {
	case err == nil:
		return out.String(), nil
	case errors.As(err, &exit):
		return out.String(), &ShError{Guest: g.Name(), Exit: exit.ExitStatus(), Stderr: errOut.String()}
	case ctx.Err() != nil:
		err = ctx.Err()
	default:
		g.shell.close()
	}
	return out.String(), fmt.Errorf("running a script on %s: %w", g.Name(), err)
}

// session opens one on the kept connection, or on a new one when that has gone stale.
func (g *Guest) session(ctx context.Context) (*ssh.Session, error) {
	g.shell.mu.Lock()
	defer g.shell.mu.Unlock()
	if c := g.shell.client; c != nil {
		stop := context.AfterFunc(ctx, func() { c.Close() })
		s, err := c.NewSession()
		stop()
		if err == nil {
			return s, nil
		}
		c.Close()
		g.shell.client = nil
	}
	c, err := g.login(ctx)
	if err != nil {
		return nil, err
	}
	g.shell.client = c
	return c.NewSession()
}

// login connects on the management network.
func (g *Guest) login(ctx context.Context) (*ssh.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	addr := net.JoinHostPort(g.managementAddr(), managementPort)
	conn, err := g.lab.Dial(ctx, managementNS, "tcp", addr)
	if err != nil {
		return nil, err
	}
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	c, chans, reqs, err := ssh.NewClientConn(conn, addr, &ssh.ClientConfig{
		User:            "root",
		Auth:            []ssh.AuthMethod{ssh.PublicKeys(g.lab.userKey.signer)},
		HostKeyCallback: ssh.FixedHostKey(g.hostKey.signer.PublicKey()),
	})
	if err != nil {
		conn.Close()
		return nil, err
	}
	conn.SetDeadline(time.Time{})
	return ssh.NewClient(c, chans, reqs), nil
}

// WaitSSH returns when the guest's sshd answers, and the harness's own. It gives up when the guest's kernel ends, at ctx's
// end, or after the lab's boot timeout, and then shows the end of the console.
func (g *Guest) WaitSSH(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, g.lab.bootTimeout)
	defer cancel()
	for {
		err := g.answersSSH(ctx)
		if err == nil {
			return nil
		}
		if !g.Running() {
			return fmt.Errorf("%s ended while booting; console:\n%s", g.Name(), g.Console(30))
		}
		if ctx.Err() != nil || pause(ctx, 50*time.Millisecond) != nil {
			return fmt.Errorf("%s does not answer ssh: %w; console:\n%s", g.Name(), err, g.Console(30))
		}
	}
}

// answersSSH tries both daemons once: the harness's by logging in, the node's by its greeting.
func (g *Guest) answersSSH(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, loginTimeout)
	defer cancel()
	if _, err := g.Sh(ctx, ":"); err != nil {
		return err
	}
	conn, err := g.lab.Dial(ctx, managementNS, "tcp", net.JoinHostPort(g.managementAddr(), "22"))
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	conn.SetDeadline(deadline)
	var greeting [4]byte
	if _, err := io.ReadFull(conn, greeting[:]); err != nil {
		return fmt.Errorf("waiting for sshd's greeting: %w", err)
	}
	return nil
}

// bounded keeps the first maxOutput bytes and swallows the rest.
type bounded struct{ bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	if room := maxOutput - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
