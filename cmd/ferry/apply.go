package main

import (
	"context"
	"fmt"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/bringup"
	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/spf13/cobra"
)

// applying are the flags of apply.
type applying struct{ dryRun, yes, inService, waitSync, blind bool }

func (a *cli) applyCmd() *cobra.Command {
	var f applying
	cmd := &cobra.Command{
		Use:   "apply FILE",
		Short: "Put a definition in force, and with --in-service bring everything up",
		Long: `Compares FILE (TOML; - is the standard input) with the definition in force, shows
the difference and, after a yes, puts it in force. What is in service stays as it
is: without --in-service apply moves nothing. On an empty state directory it
creates the estate.

With --in-service it then takes every hierarchy into service that is not: tunnels
first, each on the first server by priority, or where a part of it, or its data, is.
Before anything happens it says which, where, and which disks are overwritten, and
asks once. What is in service already, on whichever server, is left alone; nothing is
ever taken into service on a second server. Interrupt it, or lose the engine, and run
it again: it goes on with what is left. What cannot be brought up is named with the
reason, and the rest goes on.

It ends with 0 when all is in service, with 1 when something is not, and with 190
when something is impaired for another reason than that copies of data are still
being made.`,
		Example: `  ferry apply estate.toml --dry-run
  ferry apply estate.toml --yes
  ferry apply estate.toml --in-service
  ferry apply estate.toml --in-service --wait-sync --yes`,
		Args: args(1, 1, "the FILE with the definition"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.waitSync && !f.inService {
				return usage("ferry apply FILE --in-service --wait-sync", "--wait-sync needs --in-service")
			}
			e, err := a.loadEstate(args[0])
			if err != nil {
				return err
			}
			if f.inService {
				return a.applyInService(cmd.Context(), e, args[0], f)
			}
			return a.apply(cmd.Context(), e, args[0], f)
		},
	}
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "show what would be done and change nothing")
	cmd.Flags().BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	bindNoDoctor(cmd, &f.blind)
	cmd.Flags().BoolVar(&f.inService, "in-service", false, "take everything into service that is not")
	cmd.Flags().BoolVar(&f.waitSync, "wait-sync", false, "with --in-service: wait until every copy of the data is complete")
	return cmd
}

func (a *cli) apply(ctx context.Context, e *hierarchy.Estate, file string, f applying) error {
	return a.with(ctx, true, func(c *conn) error {
		would, err := c.Apply(ctx, api.Apply{Estate: e, DryRun: true})
		if err != nil {
			return err
		}
		if f.dryRun || len(would.Changes) == 0 {
			return a.printChanges(would.Changes, false)
		}
		if now, err := c.Export(ctx); err == nil && !f.blind {
			a.sayObstacles(ctx, c, concerned(now, e, nil))
		}
		if !f.yes {
			if err := a.approveChanges(ctx, would.Changes); err != nil {
				return err
			}
		}
		done, err := c.Apply(ctx, api.Apply{Estate: e})
		if err != nil {
			return err
		}
		a.sayLeft(ctx, c, e, file)
		return a.printChanges(done.Changes, true)
	})
}

// sayLeft tells that not everything of a definition is in service, and how that is changed.
func (a *cli) sayLeft(ctx context.Context, c *conn, e *hierarchy.Estate, file string) {
	s, err := c.Snapshot(ctx)
	if err != nil || s.Estate == nil {
		return // it is only a word beside
	}
	left := 0
	reg := a.deps.registry()
	for _, w := range bringup.Make(hierarchy.NewIndexFor(e, reg), reg, s) {
		if w.State == bringup.Todo || w.State == bringup.Unknown && len(w.Missing) == len(w.Resources) {
			left++ // nodes that are new are not judged yet
		}
	}
	if left > 0 {
		a.say("notice: %s not in service; ferry apply %s --in-service says what it takes, and does it after a yes", areHierarchies(left), view.Quote(file))
	}
}

func areHierarchies(n int) string {
	if n == 1 {
		return "1 hierarchy is"
	}
	return fmt.Sprintf("%d hierarchies are", n)
}
func (a *cli) approveChanges(ctx context.Context, cs []api.Change) error {
	fmt.Fprint(a.err, view.Changes(cs, a.errStyle))
	if !a.interactive() {
		return fail(api.KindUnsafe, "look at the changes above; --yes puts them in force without a question",
			"this changes the definition, and nobody is there to be asked")
	}
	return a.confirmed(ctx, "Put these changes in force?")
}

func (a *cli) printChanges(cs []api.Change, applied bool) error {
	return a.printChange(cs, nil, applied)
}

func (a *cli) changesText(cs []api.Change, applied bool) string {
	switch {
	case len(cs) == 0:
		return "nothing to change: the definition is in force already\n"
	case !applied:
		return view.Changes(cs, a.outStyle) + fmt.Sprintf("%s would be made; nothing was changed\n", count(len(cs), "change"))
	}
	return view.Changes(cs, a.outStyle) + fmt.Sprintf("%s in force\n", count(len(cs), "change"))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (a *cli) exportCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "export",
		Short:   "Print the definition in force as TOML",
		Long:    "Prints the definition in force, in the form that apply reads. -o json and yaml give\nthe same as data.",
		Example: "  ferry export > estate.toml",
		Args:    args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), false, func(c *conn) error { return a.export(cmd.Context(), c) })
		},
	}
}

func (a *cli) export(ctx context.Context, c *conn) error {
	if _, err := c.snapshot(ctx); err != nil {
		return err
	}
	e, err := c.Export(ctx)
	if err != nil {
		return err
	}
	return a.print(EstateDocument{api.Version, "Estate", e}, func() string {
		return string(config.Export(e, a.deps.registry()))
	})
}
