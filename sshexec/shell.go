package sshexec

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/sshexec/wire"
	"golang.org/x/crypto/ssh"
)

// shell is a long-lived shell on a node. Requests are pipelined on it; frames come back in any order.
type shell struct {
	conn *conn
	ch   ssh.Channel
	sudo bool
	user string
	out  chan string   // to the writer
	dead chan struct{} // closed once nothing more will come
	once sync.Once
	why  *Error // set before dead is closed

	exited chan struct{} // closed when the server has closed the channel
	status uint32        // the shell's exit status, after exited
	ended  bool          // an exit status came

	mu      sync.Mutex
	waiting map[string]*pending // by nonce
	latest  *pending
	retired bool
	served  bool // a frame came: the shell works
	stderr  []byte
}

// pending is a request whose frames are awaited.
type pending struct {
	limits    map[string]int // by job id: the bound on its output; removed when its frame came
	frames    chan wire.Frame
	done      chan struct{} // closed when all frames came
	since     time.Time
	abandoned bool
}

// errGone says that the connection turned out to be dead when a shell was asked for.
var errGone = errors.New("connection lost")

// openShell asks for a channel and starts the shell. Nothing is sent yet.
func openShell(c *conn, sudo bool, user string) (*shell, error) {
	ch, reqs, err := c.client.OpenChannel("session", nil)
	if err != nil {
		if refused, ok := errors.AsType[*ssh.OpenChannelError](err); ok {
			return nil, &Error{Kind: Refused, Err: fmt.Errorf("the server opens no session: %s", Clean([]byte(refused.Message), 200)),
				Hint: "raise MaxSessions in its sshd_config"}
		}
		return nil, fmt.Errorf("%w: %w", errGone, err)
	}
	command := wire.ShellCommand
	if sudo {
		command = wire.SudoCommand
	}
	ok, err := ch.SendRequest("exec", true, ssh.Marshal(struct{ Command string }{command}))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errGone, err)
	}
	if !ok {
		_ = ch.Close()
		return nil, &Error{Kind: Refused, Err: errors.New("the server runs no commands"), Hint: "remove ForceCommand and restrictions on the key for this user"}
	}
	s := &shell{conn: c, ch: ch, sudo: sudo, user: user, out: make(chan string), dead: make(chan struct{}), exited: make(chan struct{}), waiting: map[string]*pending{}}
	go s.requests(reqs, s.errors())
	go s.write()
	go s.read()
	return s, nil
}

func (s *shell) alive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.dead:
		return false
	default:
		return !s.retired && s.conn.alive()
	}
}

// errors keeps the beginning of what the shell itself says on stderr: a refusal by sudo, a login that is not allowed.
func (s *shell) errors() <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1024)
		for {
			n, err := s.ch.Stderr().Read(buf)
			s.mu.Lock()
			if room := 4096 - len(s.stderr); room > 0 {
				s.stderr = append(s.stderr, buf[:min(n, room)]...)
			}
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return done
}

// requests waits for the exit status and the end of the channel.
func (s *shell) requests(reqs <-chan *ssh.Request, stderr <-chan struct{}) {
	for r := range reqs {
		if r.Type == "exit-status" {
			var m struct{ Status uint32 }
			s.ended = ssh.Unmarshal(r.Payload, &m) == nil
			s.status = m.Status
		}
		if r.WantReply {
			_ = r.Reply(false, nil)
		}
	}
	<-stderr
	close(s.exited)
}

// write sends requests. The prelude travels with the first one: opening costs no further round trip.
func (s *shell) write() {
	prelude := wire.Prelude()
	for {
		select {
		case text := <-s.out:
			if _, err := io.WriteString(s.ch, prelude+text); err != nil {
				s.fail(s.diagnose(err))
				return
			}
			prelude = ""
		case <-s.dead:
			return
		}
	}
}

func (s *shell) read() {
	r := bufio.NewReaderSize(s.ch, 32<<10)
	for {
		nonce, f, err := wire.ReadFrame(r, s.want)
		if err != nil {
			s.fail(s.diagnose(err))
			return
		}
		s.deliver(nonce, f)
	}
}

func (s *shell) want(nonce, id string) (int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.waiting[nonce]
	if p == nil {
		return 0, false
	}
	limit, ok := p.limits[id]
	return limit, ok
}

func (s *shell) deliver(nonce string, f wire.Frame) {
	s.mu.Lock()
	s.served = true
	p := s.waiting[nonce]
	delete(p.limits, f.ID)
	last := len(p.limits) == 0
	if last {
		delete(s.waiting, nonce)
	}
	s.mu.Unlock()
	p.frames <- f // has room for every frame of the request
	if last {
		close(p.done)
		s.closeIfRetired()
	}
}

// fail ends the shell for everybody who waits on it.
func (s *shell) fail(why *Error) {
	s.once.Do(func() {
		s.why = why
		close(s.dead)
		_ = s.ch.Close()
	})
}

// retire lets no new request onto the shell and closes it when nobody waits for it any more.
func (s *shell) retire() {
	s.mu.Lock()
	s.retired = true
	s.mu.Unlock()
	s.closeIfRetired()
}

func (s *shell) closeIfRetired() {
	s.mu.Lock()
	used := !s.retired
	for _, p := range s.waiting {
		used = used || !p.abandoned
	}
	s.mu.Unlock()
	if !used {
		s.fail(&Error{Kind: Broken, Err: errors.New("the shell was replaced because it did not answer")})
	}
}

// send hands a request over. When the error is nil the request counts as sent.
func (s *shell) send(ctx context.Context, r wire.Request) (*pending, error) {
	p := &pending{limits: map[string]int{}, frames: make(chan wire.Frame, len(r.Jobs)), done: make(chan struct{}), since: time.Now()}
	for _, j := range r.Jobs {
		p.limits[j.ID] = j.Limit()
	}
	s.mu.Lock()
	s.waiting[r.Nonce] = p
	s.latest = p
	s.mu.Unlock()
	select {
	case s.out <- r.Shell():
		return p, nil
	case <-s.dead:
		return nil, s.why
	case <-ctx.Done():
		s.mu.Lock()
		delete(s.waiting, r.Nonce)
		s.mu.Unlock()
		return nil, ended(ctx)
	}
}

// abandon says that nobody waits for the request any more. Its frames are still recognised when they come.
func (s *shell) abandon(p *pending) {
	s.mu.Lock()
	p.abandoned = true
	s.mu.Unlock()
	s.closeIfRetired()
}

// unanswered returns the latest request if it is not answered yet.
func (s *shell) unanswered() *pending {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.latest == nil || len(s.latest.limits) == 0 {
		return nil
	}
	return s.latest
}

// diagnose tells why a shell ended: the connection was lost, or the server ended it, perhaps before it ever worked.
func (s *shell) diagnose(err error) *Error {
	t := time.NewTimer(time.Second)
	defer t.Stop()
	select {
	case <-s.exited:
	case <-s.conn.lost:
		return &Error{Kind: Broken, Err: fmt.Errorf("connection lost: %w", s.conn.why)}
	case <-t.C:
		return &Error{Kind: Broken, Err: fmt.Errorf("the shell stopped answering: %w", err)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	said := Clean(s.stderr, 300)
	switch {
	case s.served || !s.ended:
		if !s.conn.alive() {
			err = s.conn.why
		}
		return &Error{Kind: Broken, Err: fmt.Errorf("the shell on the node ended: %w", err)}
	case s.sudo && strings.Contains(said, "sudo"):
		return &Error{Kind: SudoRefused, Err: fmt.Errorf("%s may not become root: %s", s.user, said),
			Hint: fmt.Sprintf("allow it on the node: echo '%s ALL=(root) NOPASSWD: /bin/sh -s ferry-shell-1' > /etc/sudoers.d/ferry", s.user)}
	}
	return &Error{Kind: Refused, Err: fmt.Errorf("the login shell ended at once with status %d: %s", s.status, said),
		Hint: "check the user's login shell, free space in /run and /tmp, and restrictions on its key"}
}
