package main

import (
	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/spf13/cobra"
)

func (a *cli) dependencyCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dependency",
		Short: "See, add and remove what resources need",
		Args:  cobra.ArbitraryArgs,
		RunE:  group,
	}
	cmd.AddCommand(a.dependencyListCmd(),
		a.dependencyChangeCmd("add", "Let a resource need another: the child starts first, the parent stops first",
			`Lets PARENT need CHILD: children start before their parents and stop after them. Both
belong to one cluster and are extended to the same servers. What is in service cannot
come to need what is not in service there.`,
			func(p, c string) edit.Edit { return edit.AddDependency{Parent: p, Child: c} }),
		a.dependencyChangeCmd("remove", "Let a resource no longer need another", "Takes the dependency of PARENT on CHILD away. Nothing stops or starts.",
			func(p, c string) edit.Edit { return edit.RemoveDependency{Parent: p, Child: c} }))
	return cmd
}

func (a *cli) dependencyListCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List who needs whom",
		Example: "  ferry dependency list -o json",
		Args:    args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.defined(cmd.Context(), func(s *api.Snapshot) error {
				x := hierarchy.NewIndex(s.Estate)
				doc := DependencyListDocument{Version: api.Version, Kind: "DependencyList"}
				for _, r := range s.Estate.Res {
					for _, c := range x.Children(r.Tag) {
						doc.Dependencies = append(doc.Dependencies, Dependency{r.Tag, c})
					}
				}
				return a.print(doc, func() string { return view.Dependencies(x, a.outStyle) })
			})
		},
	}
}

func (a *cli) dependencyChangeCmd(verb, short, long string, of func(parent, child string) edit.Edit) *cobra.Command {
	var f changing
	cmd := &cobra.Command{
		Use:               verb + " PARENT CHILD",
		Short:             short,
		Long:              long,
		Example:           "  ferry dependency " + verb + " LSNR.ORCL route53-www",
		Args:              args(2, 2, "PARENT or CHILD"),
		ValidArgsFunction: a.completeAnyTag,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.change(cmd.Context(), f, these(of(args[0], args[1])))
		},
	}
	f.bind(cmd)
	return cmd
}
