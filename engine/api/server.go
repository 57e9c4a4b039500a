package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// Options say where the engine listens and to whom.
type Options struct {
	// Socket is the path; empty = DefaultSocket.
	Socket string
	// Groups give roles; the zero value = DefaultGroups.
	Groups Groups
	// Audit is told of every call that changes something, and of every one that was
	// refused; nil = nobody is. It must not block.
	Audit func(AuditEntry)
	// Log gets what goes wrong in the server itself; nil = slog.Default.
	Log *slog.Logger

	// credential and beat are replaced in tests.
	credential func(net.Conn) (credential, error)
	beat       time.Duration
}

// AuditEntry is one call that changed something or was refused.
type AuditEntry struct {
	At      time.Time
	Who     string // user name
	Role    Role
	Call    string // "submit", "apply", …
	Summary string // what was asked for, in one line
	Err     error  // nil = accepted
}

// defaults fills what was left out.
func (o Options) defaults() Options {
	if o.Socket == "" {
		o.Socket = DefaultSocket()
	}
	if o.Groups == (Groups{}) {
		o.Groups = DefaultGroups()
	}
	if o.Audit == nil {
		o.Audit = func(AuditEntry) {}
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.credential == nil {
		o.credential = connPeer
	}
	if o.beat == 0 {
		o.beat = watchBeat
	}
	return o
}

// Server listens on a socket.
type Server struct {
	opts   Options
	socket *socket
	// leaving is closed when the server stops: watches end then, other calls finish.
	leaving chan struct{}
	once    sync.Once
	watches chan struct{} // one place per open watch
}

// Serve answers on the socket until ctx ends, and returns nil then. An engine that is
// there already is a KindBusy error that names it.
func Serve(ctx context.Context, s Service, o Options) error {
	srv, err := Listen(ctx, o)
	if err != nil {
		return err
	}
	return srv.Serve(ctx, s)
}

// Listen takes the socket without answering yet, so that an engine knows that it will
// be reachable before it acts. Clients that connect meanwhile wait.
func Listen(ctx context.Context, o Options) (*Server, error) {
	o = o.defaults()
	sock, err := takeSocket(ctx, o)
	if err != nil {
		return nil, err
	}
	return &Server{opts: o, socket: sock, leaving: make(chan struct{}), watches: make(chan struct{}, maxWatches)}, nil
}

// Socket is the path on which the server listens.
func (s *Server) Socket() string { return s.opts.Socket }

// Close gives the socket up. Serve does it by itself.
func (s *Server) Close() error {
	s.once.Do(func() { close(s.leaving) })
	return s.socket.close()
}

// goodbye is how long calls under way may take to finish when the server stops.
const goodbye = 5 * time.Second

// Serve answers until ctx ends. Calls under way are finished, watches are ended.
func (s *Server) Serve(ctx context.Context, svc Service) error {
	defer s.Close()
	h := &http.Server{
		Handler:           s.handler(svc),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.opts.Log.Handler(), slog.LevelWarn),
		ConnContext:       s.identify,
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		s.once.Do(func() { close(s.leaving) })
		// Not ctx: it has ended already.
		bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
		defer cancel()
		if h.Shutdown(bye) != nil {
			_ = h.Close()
		}
	})
	err := h.Serve(s.socket.listener)
	if stop() {
		return &Error{Kind: KindFailed, Message: "the engine's socket broke: " + err.Error()}
	}
	<-stopped
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

type identityKey struct{}

// identity is what ConnContext found out about a connection.
type identity struct {
	caller Caller
	err    *Error
}

// identify asks the kernel once per connection who is at the other end. The user
// database is asked when the first call comes, since a slow directory service must
// not keep others from connecting.
func (s *Server) identify(ctx context.Context, c net.Conn) context.Context {
	cred, err := s.opts.credential(c)
	return context.WithValue(ctx, identityKey{}, sync.OnceValue(func() identity {
		if err != nil {
			return identity{Caller{Who: "somebody"}, unknownPeer(err)}
		}
		return identity{caller: s.opts.Groups.caller(cred)}
	}))
}

// identified is who makes a request, or for whom it is made.
func identified(r *http.Request) identity {
	if who, ok := r.Context().Value(identityKey{}).(func() identity); ok {
		return onBehalf(who(), r.Header)
	}
	return identity{Caller{Who: "somebody"}, unknownPeer(os.ErrInvalid)}
}

// connPeer is the credential of a connection over a unix socket.
func connPeer(c net.Conn) (credential, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return credential{}, os.ErrInvalid
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return credential{}, err
	}
	var out credential
	var failed error
	if err := raw.Control(func(fd uintptr) { out, failed = peer(int(fd)) }); err != nil {
		return credential{}, err
	}
	return out, failed
}
