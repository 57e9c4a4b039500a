package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/spf13/cobra"
)

// root is the tree of commands.
func (a *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "ferry",
		Short: "Keep services available across zones and regions of AWS",
		Long: `ferry keeps services available on clusters that span two AWS regions.
Inside a region it fails over by itself; across regions it asks a person.

Alone, on a terminal, it opens the console (ferry console --help); ferry demo opens it
on a simulated estate, with things to break.`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && a.atTerminal() {
				return a.console(cmd.Context(), face{}, nil)
			}
			return group(cmd, args)
		},
	}
	f := root.PersistentFlags()
	f.StringVarP(&a.flags.output, "output", "o", "table", "how to print data: table, json or yaml")
	f.StringVar(&a.flags.socket, "socket", "", "socket of the engine (FERRY_SOCKET)")
	f.StringVar(&a.flags.stateDir, "state-dir", "", "state directory of an engine in this process (FERRY_STATE)")
	f.BoolVar(&a.flags.noColor, "no-color", false, "no colours (also NO_COLOR)")
	f.BoolVar(&a.flags.ascii, "ascii", false, "ASCII characters only")
	f.BoolVarP(&a.flags.verbose, "verbose", "v", false, "log what an engine in this process does to stderr")
	f.DurationVar(&a.flags.timeout, "timeout", 0, "give up after this long, like 90s (default: 30s a call, no limit for waiting)")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		return errors.Join(exclusive(cmd), a.settle(cmd))
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usage("ferry "+path(cmd)+"--help lists the flags", "%s", err)
	})
	root.AddCommand(a.configCmd(), a.applyCmd(), a.diffCmd(), a.exportCmd(), a.statusCmd(), a.inServiceCmd(), a.outOfServiceCmd(),
		a.confirmCmd(), a.eventsCmd(), a.operationsCmd(), a.simulateCmd(), a.engineCmd(), a.consoleCmd(), a.serveCmd(), a.demoCmd(), a.infoCmd(),
		a.versionCmd(), a.completionCmd(), a.resourceCmd(), a.dependencyCmd(), a.serverCmd(), a.tuningCmd(), a.holdCmd(), a.manCmd(), a.adoptCmd())
	doctor := a.doctorCmd()
	doctor.AddCommand(a.doctorMatrixCmd())
	root.AddCommand(doctor, a.notifyCmd(), a.drillCmd())
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", ".FlagUsagesWrapped 80"))
	root.CompletionOptions.DisableDefaultCmd = true
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json", "yaml"}, cobra.ShellCompDirectiveNoFileComp))
	return root
}

func path(cmd *cobra.Command) string {
	p := strings.TrimPrefix(strings.TrimPrefix(cmd.CommandPath(), "ferry"), " ")
	if p != "" {
		p += " "
	}
	return p
}

// group is the run of a command that only has commands under it.
func group(cmd *cobra.Command, args []string) error {
	if len(args) == 0 && !cmd.HasParent() {
		return cmd.Help()
	}
	hint := "ferry " + path(cmd) + "--help lists the commands"
	if len(args) == 0 {
		return usage(hint, "ferry %sneeds a command: %s", path(cmd), strings.Join(names(cmd), ", "))
	}
	if near := hierarchy.Closest(args[0], names(cmd)); near != "" {
		hint = fmt.Sprintf("did you mean ferry %s%s?", path(cmd), near)
	}
	return usage(hint, "unknown command %q", "ferry "+path(cmd)+args[0])
}

func names(cmd *cobra.Command) []string {
	var out []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			out = append(out, c.Name())
		}
	}
	return out
}

// args wants between low and high arguments and says which when they are not given.
func args(low, high int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < low:
			return usage("ferry "+path(cmd)+"--help shows how", "%s is missing", what)
		case len(args) > high:
			return usage("ferry "+path(cmd)+"--help shows how", "too many arguments: %q", args[high])
		}
		return nil
	}
}

// exclusive judges flags that exclude each other before cobra does, to say it in
// the form of every other wrong usage.
func exclusive(cmd *cobra.Command) error {
	err := cmd.ValidateFlagGroups()
	if err == nil {
		return nil
	}
	_, after, _ := strings.Cut(err.Error(), "[")
	group, _, _ := strings.Cut(after, "]")
	return usage("ferry "+path(cmd)+"--help shows how", "only one of --%s may be given", strings.Join(strings.Fields(group), ", --"))
}
