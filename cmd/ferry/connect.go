package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
)

// conn is the engine that a command talks to.
type conn struct {
	api.Service
	// local: the engine is in this process, and ends with it.
	local bool
}

// connect finds the engine, or runs one here. create: the state directory may be
// made, because the command brings the definition with it.
func (a *cli) connect(ctx context.Context, create bool) (*conn, error) {
	sock := a.socketPlace()
	svc, err := a.dial(ctx, sock.Path)
	if err == nil {
		return &conn{Service: bounded{svc}}, nil
	}
	if !nobodyListens(err) {
		return nil, dialError(err, sock.Path)
	}
	if sock.From == "flag" && a.flags.stateDir == "" {
		return nil, fail(api.KindUnavailable, "is it running? systemctl status ferry\nferry info shows where ferry looks",
			"no engine answers at %s", sock.Path)
	}
	return a.openHere(ctx, sock.Path, create)
}

func (a *cli) dial(ctx context.Context, socket string) (api.Service, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return a.deps.dial(ctx, socket)
}

func dialError(err error, socket string) error {
	var known *api.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, fs.ErrPermission):
		return fail(api.KindDenied, "ask the administrator to put you into the engine's group, or use sudo",
			"you may not talk to the engine at %s", socket)
	case errors.Is(err, context.DeadlineExceeded):
		return fail(api.KindUnavailable, "an engine listens but does not answer; look at its log",
			"the engine at %s did not answer within 5s", socket)
	}
	return fmt.Errorf("talking to the engine at %s: %w", socket, err)
}

// openHere runs an engine in this process.
func (a *cli) openHere(ctx context.Context, socket string, create bool) (*conn, error) {
	state := a.statePlace()
	if !state.exists && !create {
		return nil, fail(api.KindUnavailable,
			"ferry apply FILE describes an estate; ferry info shows where ferry looks",
			"no engine answers at %s, and there is no estate in %s", socket, state.Path)
	}
	if !a.quiet {
		a.say("notice: no engine runs here: this command checks and acts by itself and starts no automatic failover")
	}
	// The engine must outlive an interrupt of the command: it has to end in order.
	svc, err := a.deps.openLocal(context.WithoutCancel(ctx), a.engineOptions(create))
	if err != nil {
		return nil, err
	}
	return &conn{Service: bounded{svc}, local: true}, nil
}

func (a *cli) engineOptions(create bool) engineOptions {
	return engineOptions{
		StateDir: a.statePlace().Path,
		Socket:   a.listenPlace(),
		Create:   create,
		Who:      who(),
		Version:  buildInfo().Program,
		Log:      a.localLog(),
	}
}

// localLog is silent unless somebody wants to know: what matters comes back as an
// error or stands in the status.
func (a *cli) localLog() *slog.Logger {
	if !a.flags.verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// userName is who runs this process.
func userName() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "uid " + fmt.Sprint(os.Getuid())
}

// who names this process to other people: user@host (pid).
func who() string {
	name := userName()
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	return fmt.Sprintf("%s@%s (%d)", name, host, os.Getpid())
}

// with runs f on an engine and ends the connection, whatever f came to.
func (a *cli) with(ctx context.Context, create bool, f func(*conn) error) error {
	c, err := a.connect(ctx, create)
	if err != nil {
		return err
	}
	err = f(c)
	if cause := context.Cause(ctx); err != nil && cause != nil && errors.Is(err, context.DeadlineExceeded) {
		err = cause // says that it was --timeout
	}
	return errors.Join(err, c.Close())
}

// lookWithin is how long an engine in this process may take for its first look at
// the nodes: enough for LCMNUMHBEATS (3) beats of LCMHBEATTIME (5 s) to a node that
// is gone, and the question to its peers.
const lookWithin = 20 * time.Second

// looked is a snapshot for acting on and showing: an engine that was only just
// started in this process has to see nodes and resources first. After lookWithin
// what is still unknown is shown as unknown.
func (c *conn) looked(ctx context.Context) (*api.Snapshot, error) {
	for began := time.Now(); ; {
		s, err := c.snapshot(ctx)
		if err != nil || !c.local || looks(s) || time.Since(began) > lookWithin {
			return s, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// looks tells that the engine has its own view of every node, and of every resource
// on the nodes that it reaches.
func looks(s *api.Snapshot) bool {
	seen := map[string]bool{}
	for _, n := range s.Nodes {
		seen[n.Name] = !n.Seen.Before(s.Engine.Since)
		if !seen[n.Name] && n.Verdict == policy.Unknown {
			return false
		}
	}
	for _, r := range s.Resources {
		for _, i := range r.On {
			if seen[i.Server] && i.Checked.Before(s.Engine.Since) {
				return false
			}
		}
	}
	return true
}

// snapshot reads the estate; one that is not there yet is an error.
func (c *conn) snapshot(ctx context.Context) (*api.Snapshot, error) {
	s, err := c.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	if s.Estate == nil {
		return nil, fail(api.KindNoSuch, "ferry apply FILE describes one; examples/ holds some to begin with\nwhen an estate lost its engine: ferry adopt --from NODE takes it over from what its nodes keep", "no estate is defined here yet")
	}
	return s, nil
}

// resource finds a resource by the name that a person typed.
func resource(s *api.Snapshot, typed string) (*hierarchy.Resource, error) {
	r, err := s.Estate.Resource(typed)
	if err != nil {
		kind := kindOf(err)
		return nil, fail(kind, "ferry status lists the resources", "%s", err)
	}
	return r, nil
}

// server checks a server's name that a person typed.
func server(s *api.Snapshot, typed string) error {
	if s.Estate.Server(typed) != nil {
		return nil
	}
	all := make([]string, 0, len(s.Estate.Servers))
	for _, n := range s.Estate.Servers {
		all = append(all, n.Name)
	}
	none := &hierarchy.NoSuchError{What: "server", Name: typed, Near: hierarchy.Closest(typed, all)}
	return fail(api.KindNoSuch, "ferry status lists the servers", "%s", none)
}
