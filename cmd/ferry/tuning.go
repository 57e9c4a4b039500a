package main

import (
	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/spf13/cobra"
)

func (a *cli) tuningCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "tuning",
		Short: "See and set tuning values",
		Args:  cobra.ArbitraryArgs,
		RunE:  group,
	}
	cmd.AddCommand(a.tuningGetCmd(), a.tuningSetCmd())
	return cmd
}

func (a *cli) tuningGetCmd() *cobra.Command {
	var node string
	cmd := &cobra.Command{
		Use:   "get [NAME]",
		Short: "Show tuning values: what is in force, the default, who set it",
		Long: `Shows what holds for all servers or, with --on, on one; with a NAME its meaning, its
bounds and its value on every server.`,
		Example: `  ferry tuning get
  ferry tuning get --on LK_P_A
  ferry tuning get LKCHECKINTERVAL`,
		Args:              args(0, 1, ""),
		ValidArgsFunction: a.completeTuning,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.defined(cmd.Context(), func(s *api.Snapshot) error {
				if node != "" {
					if err := server(s, node); err != nil {
						return err
					}
				}
				return a.tuningGet(s, first(args), node)
			})
		},
	}
	cmd.Flags().StringVar(&node, "on", "", "what is in force on this server")
	_ = cmd.RegisterFlagCompletionFunc("on", a.completeServer)
	return cmd
}

func (a *cli) tuningGet(s *api.Snapshot, name, node string) error {
	reg := a.deps.registry()
	x := hierarchy.NewIndexFor(s.Estate, reg)
	table := hierarchy.Tunings(reg)
	if name == "" {
		return a.printTuning(edit.Values(x, hierarchy.TuningsOf(s.Estate, reg), node), node, func(vs []edit.Value) string { return view.Tuning(vs, a.outStyle) })
	}
	row, ok := hierarchy.TuningFor(name, reg)
	if !ok {
		known := make([]string, len(table))
		for i, t := range table {
			known[i] = t.Name
		}
		return fail(api.KindNoSuch, "ferry tuning get lists them", "%s", &hierarchy.NoSuchError{What: "tuning name", Name: name, Near: hierarchy.Closest(name, known)})
	}
	servers := []string{node}
	if node == "" {
		for _, srv := range s.Estate.Servers {
			servers = append(servers, srv.Name)
		}
	}
	doc := TuningDocument{Version: api.Version, Kind: "Tuning"}
	var rows [][]string
	for _, srv := range servers {
		v := edit.Values(x, []hierarchy.Tuning{row}, srv)[0]
		doc.Values = append(doc.Values, tuningValue(v, srv))
		label := srv
		if srv == "" {
			label = "(all)"
		}
		rows = append(rows, []string{label, v.From, v.Value})
	}
	return a.print(doc, func() string { return view.TuningName(row, rows, a.outStyle) })
}

func (a *cli) printTuning(values []edit.Value, node string, text func([]edit.Value) string) error {
	doc := TuningDocument{Version: api.Version, Kind: "Tuning"}
	for _, v := range values {
		doc.Values = append(doc.Values, tuningValue(v, node))
	}
	return a.print(doc, func() string { return text(values) })
}

func tuningValue(v edit.Value, server string) TuningValue {
	return TuningValue{Name: v.Name, Server: server, Value: v.Value, Default: v.Default, From: v.From, Kind: string(v.Kind),
		Min: v.Min, Max: v.Max, Choices: v.Choices, Help: v.Help}
}

func (a *cli) tuningSetCmd() *cobra.Command {
	var f changing
	var ed edit.SetTuning
	var unset bool
	cmd := &cobra.Command{
		Use:   "set NAME VALUE",
		Short: "Set a tuning value, for all servers or for one; it is in force at once",
		Long: `Sets a tuning value for all servers or, with --on, for one; a server's own value
wins over the one for all. --unset takes it away. It is in force when the command
returns; nothing is restarted.`,
		Example: `  ferry tuning set LKCHECKINTERVAL 360
  ferry tuning set LKCHECKINTERVAL 6m --on LK_P_A
  ferry tuning set LKCHECKINTERVAL --unset --on LK_P_A`,
		Args:              args(1, 2, "the NAME of a value"),
		ValidArgsFunction: a.completeTuning,
		RunE: func(cmd *cobra.Command, args []string) error {
			ed.Name = args[0]
			switch {
			case unset && len(args) == 2:
				return usage("", "--unset takes a value away, but %q is given", args[1])
			case !unset && (len(args) == 1 || args[1] == ""):
				return usage("--unset takes a value away", "the VALUE is missing")
			case !unset:
				ed.Value = args[1]
			}
			return a.change(cmd.Context(), f, these(ed))
		},
	}
	f.bind(cmd)
	cmd.Flags().StringVar(&ed.Server, "on", "", "set it on this server alone")
	cmd.Flags().BoolVar(&unset, "unset", false, "take the value away: what is below holds again")
	_ = cmd.RegisterFlagCompletionFunc("on", a.completeServer)
	return cmd
}
