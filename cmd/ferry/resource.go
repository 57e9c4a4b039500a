package main

import (
	"context"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/kits"
	"github.com/spf13/cobra"
)

func (a *cli) resourceCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "resource",
		Short: "See, create, extend, change, delete and recover resources",
		Args:  cobra.ArbitraryArgs,
		RunE:  group,
	}
	cmd.AddCommand(a.resourceListCmd(), a.resourceShowCmd(), a.resourceCreateCmd(), a.resourceExtendCmd(),
		a.resourceUnextendCmd(), a.resourceDeleteCmd(), a.resourceSetCmd(), a.resourceRecoverCmd(), a.resourceVerifyCmd())
	return cmd
}

func (a *cli) resourceListCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the resources: kit, where in service, servers by priority",
		Example: "  ferry resource list\n  ferry resource list -o json",
		Args:    args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.seen(cmd.Context(), func(_ *conn, s *api.Snapshot) error {
				x := hierarchy.NewIndex(s.Estate)
				doc := ResourceListDocument{Version: api.Version, Kind: "ResourceList"}
				for i := range s.Resources {
					doc.Resources = append(doc.Resources, resourceEntry(x, &s.Resources[i]))
				}
				return a.print(doc, func() string {
					if len(s.Resources) == 0 {
						return "no resource yet: ferry resource create makes one\n"
					}
					return view.Resources(s, a.outStyle)
				})
			})
		},
	}
}

// seen runs f on a snapshot in which an engine of this process has had its look.
func (a *cli) seen(ctx context.Context, f func(*conn, *api.Snapshot) error) error {
	return a.with(ctx, false, func(c *conn) error {
		s, err := c.looked(ctx)
		if err != nil {
			return err
		}
		return f(c, s)
	})
}

func resourceEntry(x *hierarchy.Index, st *api.ResourceStatus) ResourceEntry {
	return ResourceEntry{Definition: x.Resource(st.Tag), Parents: x.Parents(st.Tag), Hierarchy: x.Hierarchy(st.Tag), Status: st}
}

func (a *cli) resourceShowCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "show TAG",
		Short: "Show one resource: fields, relatives, servers, states",
		Example: `  ferry resource show ip-www
  ferry resource show service/www -o yaml`,
		Args:              args(1, 1, "the TAG of a resource"),
		ValidArgsFunction: a.completeTag,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.seen(cmd.Context(), func(_ *conn, s *api.Snapshot) error { return a.showResource(s, args[0]) })
		},
	}
}

func (a *cli) showResource(s *api.Snapshot, typed string) error {
	r, err := resource(s, typed)
	if err != nil {
		return err
	}
	x := hierarchy.NewIndex(s.Estate)
	var status *api.ResourceStatus
	for i := range s.Resources {
		if s.Resources[i].Tag == r.Tag {
			status = &s.Resources[i]
		}
	}
	entry := ResourceEntry{Definition: r, Parents: x.Parents(r.Tag), Hierarchy: x.Hierarchy(r.Tag), Status: status}
	return a.print(ResourceDocument{api.Version, "Resource", entry}, func() string {
		var fields []kits.Field
		if k := a.deps.registry()[r.Kit]; k != nil {
			fields = k.Fields()
		}
		return view.Resource(x, r, status, fields, a.outStyle, a.now())
	})
}

func (a *cli) resourceRecoverCmd() *cobra.Command {
	var f acting
	var on string
	cmd := &cobra.Command{
		Use:   "recover TAG [--on NODE]",
		Short: "Repair a resource on the spot now, as after a failed check",
		Long: `Runs the local recovery of a resource on the node where it is active, and checks
it afterwards. Nothing moves to another node. --on names that node, so that a
resource that has moved meanwhile is not touched.`,
		Example: `  ferry resource recover ip-www
  ferry resource recover service/www --on LK_P_A --yes`,
		Args:              args(1, 1, "the TAG of a resource"),
		ValidArgsFunction: a.completeTag,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.carryOut(cmd.Context(), plan.GoalRecover, args[0], on, f)
		},
	}
	fl := cmd.Flags()
	fl.BoolVar(&f.dryRun, "dry-run", false, "print the plan and change nothing")
	fl.BoolVarP(&f.yes, "yes", "y", false, "do not ask")
	bindWait(cmd, &f.wait, &f.noWait)
	fl.StringVar(&on, "on", "", "the node where it has to be active")
	_ = cmd.RegisterFlagCompletionFunc("on", a.completeServer)
	return cmd
}
