package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"charm.land/ssh"
	"charm.land/wish/v2"
	gossh "golang.org/x/crypto/ssh"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui"
)

// Bounds of a server.
const (
	// handshakeTime is how long a client may take to show who it is.
	handshakeTime = 20 * time.Second
	// maxConns bounds connections, also of those that have not shown who they are yet.
	maxConns = 128
	// aliveEvery and aliveWithin are how a client is noticed that went away without a
	// word: asked so often, it must answer so soon.
	aliveEvery, aliveWithin = 30 * time.Second, 15 * time.Second
	// goodbye is how long sessions may take to give their terminals back at the end.
	goodbye = 5 * time.Second
)

// Defaults of Options.
const (
	DefaultIdle     = 30 * time.Minute
	DefaultSessions = 32
	DefaultEach     = 4
	// DefaultRecheck: who is taken out is out within twice that.
	DefaultRecheck = 5 * time.Second
)

// Options of a server.
type Options struct {
	// Listener is where clients come; Serve closes it.
	Listener net.Listener
	// Keys are the host's own.
	Keys []gossh.Signer
	// Who tells whose key it is and what that person may do; false = nobody's. It is asked
	// at every attempt to log in and once more for every session.
	Who func(gossh.PublicKey) (api.Caller, bool)
	// Still tells the same of a person whose session is open, asked every Recheck; an error:
	// it is not known at this moment, and the session goes on. A session ends when its key is
	// nobody's any more, somebody else's, or of another role, twice in a row. nil = nobody asks.
	Still func(gossh.PublicKey) (api.Caller, bool, error)
	// Recheck is how often; 0 = DefaultRecheck.
	Recheck time.Duration
	// Open says what a session of that person shows: Desks, Kits, Lang and what else
	// does not depend on the terminal. getenv reads the variables of the person's locale.
	Open func(who api.Caller, getenv func(string) string) (tui.Options, error)
	// Idle is how long a session may be without a key pressed; 0 = DefaultIdle, negative = for ever.
	Idle time.Duration
	// Sessions bounds the sessions at once, Each those of one person; 0 = the defaults.
	Sessions, Each int
	// Log tells who came and went; nil = slog.Default.
	Log *slog.Logger

	// run shows a console; tui.Run but in tests.
	run func(context.Context, tui.Options) error
}

// Server is one that runs.
type server struct {
	opts Options
	life context.Context // ends with the server; sessions end with it
	wg   sync.WaitGroup  // sessions

	mu    sync.Mutex
	conns int
	all   int
	each  map[string]int // sessions by person
}

// Serve answers until ctx ends and returns nil then; sessions are ended in order.
func Serve(ctx context.Context, o Options) error {
	o = o.defaults()
	life, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &server{opts: o, life: life, each: map[string]int{}}
	h, err := s.sshServer()
	if err != nil {
		return fmt.Errorf("preparing the SSH server: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(o.Listener) }()
	select {
	case err = <-ended:
		err = fmt.Errorf("serving SSH on %s: %w", o.Listener.Addr(), err)
	case <-ctx.Done():
	}
	cancel()
	_ = o.Listener.Close()
	s.wait()
	if cerr := h.Close(); cerr != nil && err == nil && !errors.Is(cerr, net.ErrClosed) {
		err = cerr
	}
	return err
}

func (o Options) defaults() Options {
	if o.Idle == 0 {
		o.Idle = DefaultIdle
	}
	if o.Sessions == 0 {
		o.Sessions = DefaultSessions
	}
	if o.Each == 0 {
		o.Each = DefaultEach
	}
	if o.Recheck <= 0 {
		o.Recheck = DefaultRecheck
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.run == nil {
		o.run = tui.Run
	}
	return o
}

// wait lets sessions give their terminals back, for a bounded time.
func (s *server) wait() {
	done := make(chan struct{})
	go func() { defer close(done); s.wg.Wait() }()
	select {
	case <-done:
	case <-time.After(goodbye):
	}
}

// sshServer is the SSH side: public keys only, sessions only.
func (s *server) sshServer() (*ssh.Server, error) {
	return wish.NewServer(
		wish.WithVersion("ferry"),
		wish.WithPublicKeyAuth(func(_ ssh.Context, key ssh.PublicKey) bool { _, ok := s.opts.Who(key); return ok }),
		ssh.WrapConn(s.count),
		func(h *ssh.Server) error {
			for _, k := range s.opts.Keys {
				h.AddHostKey(k)
			}
			h.HandshakeTimeout = handshakeTime
			h.Handler = s.session
			// What is not named here is refused: forwarding, subsystems, agents' channels.
			h.ChannelHandlers = map[string]ssh.ChannelHandler{"session": ssh.DefaultSessionHandler}
			h.RequestHandlers = map[string]ssh.RequestHandler{}
			h.SubsystemHandlers = map[string]ssh.SubsystemHandler{}
			h.ServerConfigCallback = func(ssh.Context) *gossh.ServerConfig { return &gossh.ServerConfig{MaxAuthTries: 6} }
			h.ConnectionFailedCallback = func(c net.Conn, err error) {
				s.opts.Log.Info("nobody was let in", "from", c.RemoteAddr(), "error", err)
			}
			return nil
		},
	)
}

// count lets no more than maxConns connections in.
func (s *server) count(_ ssh.Context, c net.Conn) net.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns >= maxConns {
		return nil
	}
	s.conns++
	return &counted{Conn: c, left: sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.conns--
	})}
}

type counted struct {
	net.Conn
	left func()
}

func (c *counted) Close() error {
	c.left()
	return c.Conn.Close()
}

// enter takes a place for a person's session; leave gives it back.
func (s *server) enter(who string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.life.Err() != nil:
		return errors.New("the server is stopping")
	case s.all >= s.opts.Sessions:
		return fmt.Errorf("%d sessions are open, which is the limit; try again later", s.all)
	case s.each[who] >= s.opts.Each:
		return fmt.Errorf("you have %d sessions open, which is the limit; close one", s.each[who])
	}
	s.all++
	s.each[who]++
	s.wg.Add(1)
	return nil
}

func (s *server) leave(who string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.each[who]--; s.each[who] == 0 {
		delete(s.each, who)
	}
	s.wg.Done()
}
