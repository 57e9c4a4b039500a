package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/tui"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/ferry-ha/ferry/tui/theme"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// face is how a console is told, by flags, to look and where to log.
type face struct {
	lang, theme, log string
	readOnly         bool
}

func (l *face) flags(f *pflag.FlagSet) {
	f.StringVar(&l.lang, "lang", "", "language: en or ja (default: the locale's)")
	f.StringVar(&l.theme, "theme", "", "dark, light or mono (default: dark; mono with NO_COLOR)")
	f.BoolVar(&l.readOnly, "read-only", false, "only look; R changes that")
	f.StringVar(&l.log, "log", "", "append what goes wrong to this file (nothing is logged to the screen)")
}

func (a *cli) consoleCmd() *cobra.Command {
	var l face
	cmd := &cobra.Command{
		Use:   "console [SOCKET...]",
		Short: "Open the interactive console (ferry alone does it, too)",
		Long: `Opens the console: the whole estate on one screen, what is wrong and why, and every
action with its plan before it is done. ? lists the keys of each page.

Without SOCKET it is the engine that every command finds. When none runs but there
is an estate, the console runs one in its own process: that one checks and does what
you ask, and starts no failover by itself. Several SOCKETs are several estates side
by side; tab goes from one to the next. A connection that is lost is made again.

How it looks, and its keys, can be set for good in $XDG_CONFIG_HOME/ferry/console.toml
(~/.config/ferry/console.toml):

  lang = "ja"             # en, ja
  theme = "light"         # dark, light, mono
  ascii = false           # ASCII characters only
  read_only = true        # only look, until R is pressed
  [keys]
  "hierarchies.in-service" = "f5"   # PAGE.ACTION = KEY

docs/console.md lists the names.`,
		Example: "  ferry console\n  ferry console /run/ferry/engine.sock /run/ferry-test/engine.sock",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.console(cmd.Context(), l, args)
		},
	}
	l.flags(cmd.Flags())
	return cmd
}

// atTerminal tells whether a console can be shown here.
func (a *cli) atTerminal() bool {
	return term.IsTerminal(a.in) && term.IsTerminal(a.out) && a.getenv("TERM") != "dumb"
}

// console opens the console on the engines behind the sockets, or on the one that there is.
func (a *cli) console(ctx context.Context, l face, sockets []string) error {
	if !a.atTerminal() {
		return usage("ferry status shows the estate without one", "the console needs a terminal")
	}
	o, done, err := a.consoleOptions(l)
	if err != nil {
		return err
	}
	defer done()
	o.Kits = a.deps.registry()
	closing := func() error { return nil }
	if o.Desks, closing, err = a.desks(ctx, sockets, o.Log); err != nil {
		return err
	}
	return errors.Join(a.deps.console(ctx, o), closing())
}

// consoleOptions are what flags, environment and the user's file say, in this order.
func (a *cli) consoleOptions(l face) (tui.Options, func(), error) {
	none := func() {}
	file, err := a.consoleFile()
	if err != nil {
		return tui.Options{}, none, err
	}
	o := tui.Options{Lang: text.Detect(a.getenv), ASCII: a.outStyle.ASCII || file.ASCII, ReadOnly: l.readOnly || file.ReadOnly, Keys: file.Keys}
	if lang := cmp.Or(l.lang, file.Lang); lang != "" {
		o.Lang = text.Lang(lang)
	}
	o.Theme = theme.Kind(cmp.Or(l.theme, file.Theme))
	if o.Theme == "" && !a.outStyle.Color {
		o.Theme = theme.Mono
	}
	if !slices.Contains(text.Langs(), o.Lang) {
		return o, none, usage("write --lang en or --lang ja", "unknown language %q", o.Lang)
	}
	if o.Theme != "" && !slices.Contains(theme.Kinds(), o.Theme) {
		return o, none, usage("write --theme dark, light or mono", "unknown theme %q", o.Theme)
	}
	var done func()
	o.Log, done, err = logTo(l.log)
	return o, done, err
}

// logTo logs into a file, into nothing when there is none, and sends there as well what
// libraries write to the standard error of the process (the AWS SDK does): the screen is
// the console's alone. The function gives that back.
func logTo(name string) (*slog.Logger, func(), error) {
	path := name
	if path == "" {
		path = os.DevNull
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, func() {}, fmt.Errorf("opening the console's log: %w", err)
	}
	stderr := os.Stderr
	os.Stderr = f
	log.SetOutput(f)
	h := slog.Handler(slog.DiscardHandler)
	if name != "" {
		h = slog.NewTextHandler(f, &slog.HandlerOptions{Level: slog.LevelDebug})
	}
	return slog.New(h), func() {
		os.Stderr = stderr
		log.SetOutput(stderr)
		_ = f.Close()
	}, nil
}

// desks are the estates to show, and how they are left.
func (a *cli) desks(ctx context.Context, sockets []string, log *slog.Logger) ([]tui.Desk, func() error, error) {
	none := func() error { return nil }
	if len(sockets) > 0 {
		desks, err := a.several(ctx, sockets)
		return desks, none, err
	}
	sock := a.socketPlace()
	svc, err := a.dial(ctx, sock.Path)
	switch {
	case err == nil:
		return []tui.Desk{a.deskAt(sock.Path)}, none, svc.Close()
	case !nobodyListens(err):
		return nil, none, dialError(err, sock.Path)
	case sock.From == "flag" && a.flags.stateDir == "":
		return nil, none, fail(api.KindUnavailable, "is it running? systemctl status ferry\nferry info shows where ferry looks",
			"no engine answers at %s", sock.Path)
	case !a.statePlace().exists:
		return nil, none, fail(api.KindUnavailable,
			"ferry demo shows the console on a simulated estate, with things to break\nferry apply FILE describes an estate of yours; ferry engine watches over it\nferry info shows where ferry looks",
			"no engine answers at %s, and there is no estate in %s", sock.Path, a.statePlace().Path)
	}
	return a.ownDesk(ctx, log)
}

// several are desks on sockets of which at least one must answer: an engine that is
// being started anew is no reason not to show the others.
func (a *cli) several(ctx context.Context, sockets []string) ([]tui.Desk, error) {
	var desks []tui.Desk
	var failed []error
	for _, s := range sockets {
		desks = append(desks, a.deskAt(s))
		svc, err := a.dial(ctx, s)
		if err != nil {
			failed = append(failed, dialError(err, s))
			continue
		}
		_ = svc.Close()
	}
	if len(failed) == len(sockets) {
		return nil, fail(kindOf(failed[0]), "is it running? systemctl status ferry\nferry info shows where ferry looks", "%s", failed[0])
	}
	return desks, nil
}

// deskAt is an engine behind a socket, which is dialled again whenever it is lost.
func (a *cli) deskAt(socket string) tui.Desk {
	return tui.Desk{Name: filepath.Base(filepath.Dir(socket)), Connect: func(ctx context.Context) (api.Service, error) {
		return a.deps.dial(ctx, socket)
	}}
}

// ownDesk is an engine in this process; it ends with the console.
func (a *cli) ownDesk(ctx context.Context, log *slog.Logger) ([]tui.Desk, func() error, error) {
	o := a.engineOptions(false)
	o.Log = log
	// The engine must outlive an interrupt of the console: it has to end in order.
	svc, err := a.deps.openLocal(context.WithoutCancel(ctx), o)
	if err != nil {
		return nil, nil, err
	}
	me := api.Caller{Who: userName(), Role: api.Administrator}
	desk := tui.Desk{Name: "ferry", Local: true, Connect: func(context.Context) (api.Service, error) { return api.As(svc, me), nil }}
	return []tui.Desk{desk}, svc.Close, nil
}
