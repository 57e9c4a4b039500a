package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui"
	"github.com/ferry-ha/ferry/tui/serve"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/spf13/cobra"
	gossh "golang.org/x/crypto/ssh"
)

// serving is what the flags of ferry serve say.
type serving struct {
	listen, hostKey, users string
	level, format          string
	idle                   time.Duration
	sessions               int
}

func (a *cli) serveCmd() *cobra.Command {
	var o serving
	cmd := &cobra.Command{
		Use:   "serve [SOCKET...]",
		Short: "Offer the console over SSH, for people with nothing installed",
		Long: `Listens for SSH clients and shows each of them the console on the engine that runs
here: ssh -t -p 2222 HOST is all that a person needs. Nothing but the console is
offered: no command, no shell, no files, no forwarded ports.

Who may come stands in the users file (docs/console.md): public keys, a name and a
role each. What a person does is done in that name and judged by that role, and
stands so in the events and the engine's audit log: "anna (via PEER)", PEER being the
user that ferry serve runs as. That user must be an administrator of the engine. The
file is read anew at every login, and a file with a mistake lets nobody in. It is also
read every few seconds: who is taken out or gets another role is disconnected, unless
the file has a mistake.

By default it listens on the machine itself only. Logs go to stderr.`,
		Example: "  ferry serve --users /etc/ferry/console-users.toml\n  ferry serve --listen 10.0.0.4:2222 --host-key /etc/ferry/console-host-key --users /etc/ferry/console-users.toml",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			log, err := a.logger(o.level, o.format)
			if err != nil {
				return err
			}
			return a.serve(cmd.Context(), o, args, log)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:2222", "address to listen on")
	f.StringVar(&o.hostKey, "host-key", "", "the host's private key, made when it is missing (default: console-host-key beside the users file)")
	f.StringVar(&o.users, "users", "", "who may come, with which role (a TOML file)")
	f.DurationVar(&o.idle, "idle", serve.DefaultIdle, "end sessions in which nothing was typed for so long; 0 = never")
	f.IntVar(&o.sessions, "sessions", serve.DefaultSessions, "how many sessions at once")
	f.StringVar(&o.level, "log-level", "info", "debug, info, warn or error")
	f.StringVar(&o.format, "log-format", "text", "text or json")
	return cmd
}

// serve listens until ctx ends.
func (a *cli) serve(ctx context.Context, o serving, sockets []string, log *slog.Logger) error {
	if o.users == "" {
		return usage("docs/console.md shows such a file", "--users FILE is missing")
	}
	users, err := readUsers(o.users)
	if err != nil {
		return err
	}
	if len(sockets) == 0 {
		sockets = []string{a.socketPlace().Path}
	}
	if err := a.mayServe(ctx, sockets); err != nil {
		return err
	}
	if o.hostKey == "" {
		o.hostKey = filepath.Join(filepath.Dir(o.users), "console-host-key")
	}
	key, made, err := serve.HostKey(o.hostKey)
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return fail(api.KindFailed, "choose another one with --listen", "listening on %s: %s", o.listen, err)
	}
	if o.idle == 0 {
		o.idle = -1
	}
	log.Info("the console is served", "listen", l.Addr().String(), "host key", gossh.FingerprintSHA256(key.PublicKey()), "new", made, "users", len(users.people))
	return serve.Serve(ctx, serve.Options{
		Listener: l, Keys: []gossh.Signer{key}, Idle: o.idle, Sessions: o.sessions, Log: log,
		Who: userFile{o.users, log}.who, Still: userFile{o.users, log}.still,
		Open: func(who api.Caller, getenv func(string) string) (tui.Options, error) {
			return a.served(who, getenv, sockets, log)
		},
	})
}

// mayServe makes sure, before anybody comes, that one engine is there and lets this
// process act for others.
func (a *cli) mayServe(ctx context.Context, sockets []string) error {
	var errs []error
	for _, s := range sockets {
		dial, cancel := context.WithTimeout(ctx, 5*time.Second)
		svc, err := a.deps.dialFor(dial, s, api.Caller{Who: "nobody", Role: api.Guest})
		cancel()
		if err == nil {
			return svc.Close()
		}
		errs = append(errs, dialError(err, s))
	}
	return errors.Join(errs...)
}

// served is what a person's session shows.
func (a *cli) served(who api.Caller, getenv func(string) string, sockets []string, log *slog.Logger) (tui.Options, error) {
	o := tui.Options{Kits: a.deps.registry(), Lang: text.Detect(getenv), Log: log.With("who", who.Who)}
	o.ASCII = !term.UTF8(getenv)
	if getenv("NO_COLOR") != "" {
		o.Theme = theme.Mono
	}
	for _, s := range sockets {
		o.Desks = append(o.Desks, tui.Desk{Name: filepath.Base(filepath.Dir(s)), Connect: func(ctx context.Context) (api.Service, error) {
			return a.deps.dialFor(ctx, s, who)
		}})
	}
	return o, nil
}

// forPerson is an engine as a person on a session may use it. The engine judges every
// call by the person's role; it is judged here as well, so that a session never rests
// on one place alone.
type forPerson struct {
	api.Whole
	client *api.Client
	who    api.Caller
}

// Whoami tells who the person is here.
func (f forPerson) Whoami(ctx context.Context) (api.Caller, error) {
	_, err := f.client.Whoami(ctx) // that the engine still knows it
	return f.who, err
}

func (f forPerson) Close() error { return f.client.Close() }

// dialFor reaches the engine behind a socket for a person.
func dialFor(ctx context.Context, socket string, who api.Caller) (api.Service, error) {
	c, err := api.Dial(ctx, socket)
	if err != nil {
		return nil, err
	}
	mine, err := c.For(ctx, who)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return forPerson{api.As(mine, who), mine, who}, nil
}

// userFile is where the users stand.
type userFile struct {
	path string
	log  *slog.Logger
}

// who reads the file anew, so that a person who was taken out is out.
func (f userFile) who(key gossh.PublicKey) (api.Caller, bool) {
	u, err := readUsers(f.path)
	if err != nil {
		f.log.Error("nobody can log in", "error", err)
		return api.Caller{}, false
	}
	return u.who(key)
}

// still tells the same for a session that is open. A file that cannot be read or has a
// mistake, perhaps because it is being written, throws nobody out.
func (f userFile) still(key gossh.PublicKey) (api.Caller, bool, error) {
	u, err := readUsers(f.path)
	if err != nil {
		return api.Caller{}, false, err
	}
	who, known := u.who(key)
	return who, known, nil
}
