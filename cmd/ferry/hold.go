package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/spf13/cobra"
)

// holding are the flags of hold.
type holding struct {
	span            time.Duration
	why             string
	release, dryRun bool
}

func (a *cli) holdCmd() *cobra.Command {
	var h holding
	cmd := &cobra.Command{
		Use:   "hold [SCOPE] --for TIME --why TEXT | hold [SCOPE] --release | hold list",
		Short: "Keep automation quiet for a while, for maintenance",
		Long: `While a hold is in force, automation starts nothing in its scope: no recovery, no
failover, no switchback. Checks go on, and what people ask for is done. It ends by
itself after --for, or with --release.

SCOPE is a resource (meaning its whole hierarchy), a node, a cluster, or nothing: the
whole estate.`,
		Example: `  ferry hold --for 2h --why "kernel update"
  ferry hold LK_P_B --for 30m --why "new disk"
  ferry hold LK_P_B --release
  ferry hold list`,
		Args:              args(0, 1, ""),
		ValidArgsFunction: a.completeScope,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.hold(cmd.Context(), first(args), h)
		},
	}
	fl := cmd.Flags()
	fl.DurationVar(&h.span, "for", 0, "how long, like 2h or 30m; at most 30 days")
	fl.StringVar(&h.why, "why", "", "the reason, for those who wonder")
	fl.BoolVar(&h.release, "release", false, "end the hold of this scope now")
	fl.BoolVar(&h.dryRun, "dry-run", false, "say what would be held and change nothing")
	cmd.MarkFlagsMutuallyExclusive("for", "release")
	cmd.AddCommand(&cobra.Command{
		Use:     "list",
		Short:   "List the holds in force",
		Example: "  ferry hold list -o json",
		Args:    args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.defined(cmd.Context(), a.printHolds)
		},
	})
	return cmd
}

// maxHold keeps a forgotten hold from switching automation off for good.
const maxHold = 30 * 24 * time.Hour

func (a *cli) hold(ctx context.Context, scope string, h holding) error {
	switch {
	case !h.release && h.span == 0:
		return usage("--for 2h says how long; --release ends a hold", "how long is it to hold?")
	case !h.release && (h.span < time.Second || h.span > maxHold):
		return usage("write a time from 1s to 720h", "--for %s cannot be", h.span)
	case !h.release && strings.TrimSpace(h.why) == "":
		return usage(`--why "kernel update" tells those who wonder`, "why is it to hold?")
	}
	return a.with(ctx, false, func(c *conn) error {
		s, err := c.snapshot(ctx)
		if err != nil {
			return err
		}
		if scope, err = scopeOf(s, scope); err != nil {
			return err
		}
		want := api.Hold{Scope: scope, Why: h.why}
		if !h.release {
			want.Until = a.now().Add(h.span)
		} else if !slices.ContainsFunc(s.Holds, func(x api.HoldStatus) bool { return x.Scope == scope }) {
			return fail(api.KindNoSuch, "ferry hold list shows what is held", "%s is not held", view.HoldScope(scope))
		}
		if h.dryRun {
			a.say("would %s %s; nothing was changed", map[bool]string{true: "release", false: "hold"}[h.release], view.HoldScope(scope))
			return a.printHolds(s)
		}
		if err := c.SetHold(ctx, want); err != nil {
			return err
		}
		if s, err = c.snapshot(ctx); err != nil {
			return err
		}
		if c.local {
			a.say("%s no engine runs: the hold is kept for the next one", a.errStyle.Paint(term.Warn, "note:"))
		}
		return a.printHolds(s)
	})
}

// scopeOf finds out what a person means: a cluster, a node, or a resource's full tag.
func scopeOf(s *api.Snapshot, typed string) (string, error) {
	if typed == "" || s.Estate.Server(typed) != nil {
		return typed, nil
	}
	known := []string{}
	for _, c := range s.Estate.Cluster {
		if c.Name == typed {
			return typed, nil
		}
		known = append(known, c.Name)
	}
	r, err := s.Estate.Resource(typed)
	if err == nil {
		return string(r.Tag), nil
	}
	if kind := kindOf(err); kind == api.KindUsage {
		return "", fail(kind, "", "%s", err)
	}
	for _, srv := range s.Estate.Servers {
		known = append(known, srv.Name)
	}
	for _, res := range s.Estate.Res {
		known = append(known, res.Tag.Short(), string(res.Tag))
	}
	none := &hierarchy.NoSuchError{What: "resource, node or cluster", Name: typed, Near: hierarchy.Closest(typed, known)}
	return "", fail(api.KindNoSuch, "ferry status lists them", "%s", none)
}

func (a *cli) printHolds(s *api.Snapshot) error {
	return a.print(HoldListDocument{api.Version, "HoldList", s.Holds}, func() string {
		if len(s.Holds) == 0 {
			return "nothing is held\n"
		}
		return view.Holds(s.Holds, a.outStyle, a.now())
	})
}

// completeScope offers everything that can be held.
func (a *cli) completeScope(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	clusters, _ := a.completeCluster(cmd, nil, word)
	servers, _ := a.completeServer(cmd, nil, word)
	tags, d := a.completeTag(cmd, nil, word)
	return slices.Concat(clusters, servers, tags), d
}
