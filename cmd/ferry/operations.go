package main

import (
	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/spf13/cobra"
)

func (a *cli) operationsCmd() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:   "operations [ID]",
		Short: "Show what runs and what has run; with an ID its steps",
		Example: `  ferry operations
  ferry operations op-12`,
		Args: args(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 {
				return usage("", "--limit %d: at least 1", limit)
			}
			ctx := cmd.Context()
			return a.with(ctx, false, func(c *conn) error {
				if len(args) == 1 {
					op, err := findOperation(ctx, c, args[0])
					if err != nil {
						return err
					}
					return a.print(OperationDocument{api.Version, "Operation", op}, func() string {
						return view.Operation(op, a.outStyle, a.now())
					})
				}
				ops, err := c.Operations(ctx, limit)
				if err != nil {
					return err
				}
				return a.print(OperationListDocument{api.Version, "OperationList", ops}, func() string {
					if len(ops) == 0 {
						return "nothing has run yet\n"
					}
					return view.Operations(ops, a.outStyle, a.now())
				})
			})
		},
	}
	cmd.Flags().IntVarP(&limit, "limit", "n", 20, "how many operations to list, the newest")
	return cmd
}
