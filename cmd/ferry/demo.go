package main

import (
	"context"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/internal/demo"
	"github.com/ferry-ha/ferry/internal/sim/account"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/tui"
	"github.com/ferry-ha/ferry/tui/text"
	"github.com/spf13/cobra"
)

func (a *cli) demoCmd() *cobra.Command {
	var tour, brisk bool
	var o demoWish
	var l face
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "The console on a simulated estate, with things to break",
		Long: `Brings up an estate over two regions as a simulation in this process and opens the
console on it: an Oracle database with its listener, its file system and a disk that
is mirrored to four servers, and the name, routes and address that clients use
(examples/cross-region-oracle.toml). Page 9 lists what can be broken: power off a
server and watch the service come back in the other zone, with all its data; power
off that one, too, and answer whether it may cross to the other region. A client that
writes all the time shows what was lost: nothing, as a rule. Nothing outside this
process is touched, and nothing is left when it ends.

With --small the service is a program without data (examples/cross-region.toml): fewer
resources, quicker failovers.

With --listen plain commands reach the same estate from another terminal, with --socket
or FERRY_SOCKET. With --bare it begins before the first definition: the servers are
prepared, the disks empty, and "ferry apply examples/cross-region-oracle.toml
--in-service" does the rest (docs/first-estate.md).

Without a terminal, or with --tour, the same story is told as text; with --listen and
without a terminal there is no story, and the estate is there until an interrupt.`,
		Example: "  ferry demo\n  ferry demo --lang ja\n  ferry demo --tour --brisk\n  ferry demo --bare --listen demo.sock",
		Args:    args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch told := tour || brisk || !a.atTerminal(); {
			case told && !tour && !brisk && o.listen != "":
				return a.demoServed(cmd.Context(), o)
			case told && (o.bare || o.listen != ""):
				return usage("leave --tour and --brisk out; without a terminal --bare needs --listen SOCKET", "the text tour has an estate of its own, and takes neither --bare nor --listen")
			case told:
				return a.deps.demo(cmd.Context(), a.out, demoOptions{Style: a.outStyle, Brisk: brisk, Small: o.small})
			}
			return a.demoConsole(cmd.Context(), l, o)
		},
	}
	cmd.Flags().BoolVar(&tour, "tour", false, "tell it as text instead")
	cmd.Flags().BoolVar(&o.small, "small", false, "the estate without data")
	cmd.Flags().BoolVar(&o.bare, "bare", false, "before the first definition")
	cmd.Flags().StringVar(&o.listen, "listen", "", "answer plain commands at this socket, too")
	cmd.Flags().BoolVar(&brisk, "brisk", false, "the tour without its pauses for reading")
	l.flags(cmd.Flags())
	return cmd
}

// demoWish is what is asked of the simulated estate.
type demoWish struct {
	small, bare bool
	listen      string // a socket; empty = none
}

// demoConsole opens the console on the simulated estate, which ends with it.
func (a *cli) demoConsole(ctx context.Context, l face, w demoWish) (err error) {
	o, done, err := a.consoleOptions(l)
	if err != nil {
		return err
	}
	defer done()
	d, err := a.deps.openDemo(ctx, demo.Options{Person: userName(), Who: who(), Version: buildInfo().Program, Small: w.small, Bare: w.bare, Log: o.Log})
	if err != nil {
		return err
	}
	defer d.Close()
	if w.listen != "" {
		if err := d.Serve(ctx, w.listen); err != nil {
			return err
		}
	}
	desk := demoDesk(d)
	if w.bare {
		desk.Welcome = nil // it speaks of a service that runs
	}
	o.Kits, o.Desks = d.Kits(), []tui.Desk{desk}
	return a.deps.console(ctx, o)
}

// demoServed has the simulated estate answer plain commands until it is ended.
func (a *cli) demoServed(ctx context.Context, w demoWish) error {
	d, err := a.deps.openDemo(ctx, demo.Options{Person: userName(), Who: who(), Version: buildInfo().Program, Small: w.small, Bare: w.bare})
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Serve(ctx, w.listen); err != nil {
		return err
	}
	a.say("a simulated estate answers at %s until an interrupt: ferry --socket %s status", w.listen, view.Quote(w.listen))
	<-ctx.Done()
	return nil
}

// demoDesk is the simulated estate with its page of things to break.
func demoDesk(d *demo.Demo) tui.Desk {
	return tui.Desk{Name: "demo", Connect: d.Connect, Welcome: d.Welcome,
		More: []tui.Extra{{Kind: demo.Kind, Label: func(p *text.Printer) string { return p.T("demo.title") }, Make: d.Page}}}
}

// openDemo is the product's kits on the simulated account.
func openDemo(ctx context.Context, o demo.Options) (*demo.Demo, error) {
	o.Kits = func(a account.Account) kits.Registry { return kitsWithin(a) }
	return demo.Open(ctx, o)
}
