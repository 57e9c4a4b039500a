package main

import (
	"context"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/spf13/cobra"
)

// FailureMatrixDocument is printed by doctor matrix.
type FailureMatrixDocument struct {
	Version string `json:"version"`
	Kind    string `json:"kind"`
	// Active is where each resource was taken to be in service.
	Active   map[hierarchy.Tag]string `json:"active"`
	Failures []doctor.MatrixLine      `json:"failures"`
}

func (a *cli) doctorMatrixCmd() *cobra.Command {
	var file string
	var active []string
	cmd := &cobra.Command{
		Use:   "matrix [-f FILE] [--active CLUSTER=NODE]",
		Short: "Say what every single failure would lead to, and why",
		Long: `Goes through every single failure: each server, each zone, each region, each link
between two servers, the link between the regions, hosts that the engine goes through,
the engine's own host, and the AWS API; and all that takes servers once more while the
regions do not reach each other. For each hierarchy it says whether it goes on, fails
over, asks a person first, or stops, with the reasons. It is the very decision that the
engine would make; nothing is touched.

Without -f it takes the definition in force, and what is in service where it is. With -f,
and for what is in service nowhere, it takes the server with the highest priority, or what
--active says. Servers that would take over are taken to reach their witnesses.`,
		Example: `  ferry doctor matrix
  ferry doctor matrix -f examples/cross-region.toml --active service=LK_P_B
  ferry doctor matrix -f estate.toml -o json`,
		Args: args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doctorMatrix(cmd.Context(), file, active) },
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "a definition that is not in force yet (- is the standard input)")
	cmd.Flags().StringArrayVar(&active, "active", nil, "CLUSTER=NODE or TAG=NODE; may be repeated")
	return cmd
}

func (a *cli) doctorMatrix(ctx context.Context, file string, active []string) error {
	if file != "" {
		e, err := a.loadEstate(file)
		if err != nil {
			return err
		}
		return a.printMatrix(e, nil, active)
	}
	return a.defined(ctx, func(s *api.Snapshot) error {
		now := map[hierarchy.Tag]string{}
		for i := range s.Resources {
			if r := &s.Resources[i]; r.Active != "" {
				now[r.Tag] = r.Active
			}
		}
		return a.printMatrix(s.Estate, now, active)
	})
}

// printMatrix takes what --active says before what is so now, and that before the priorities.
func (a *cli) printMatrix(e *hierarchy.Estate, now map[hierarchy.Tag]string, active []string) error {
	x := hierarchy.NewIndexFor(e, a.deps.registry())
	im, err := suppose(e, active, nil)
	if err != nil {
		return err
	}
	if len(active) == 0 {
		for t, node := range now {
			if len(x.Parents(t)) == 0 {
				im.Active[t] = node
			}
		}
	}
	for t, node := range im.Active { // what a resource needs is where that is
		for _, c := range x.Descendants(t) {
			im.Active[c] = node
		}
	}
	lines, err := doctor.Matrix(x, a.deps.registry(), a.now(), im.Active)
	if err != nil {
		return usage("--active says where resources are in service", "%s", err)
	}
	doc := FailureMatrixDocument{Version: api.Version, Kind: "FailureMatrix", Active: im.Active, Failures: lines}
	return a.print(doc, func() string { return view.Failures(lines, a.outStyle, a.now()) })
}
