package main

import (
	"context"
	"strings"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/spf13/cobra"
)

func (a *cli) serverCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "server",
		Short: "See servers; set their flags and shutdown strategy",
		Args:  cobra.ArbitraryArgs,
		RunE:  group,
	}
	cmd.AddCommand(a.serverListCmd(), a.serverShowCmd(),
		a.flagCmd("confirm-failover", "Whether a person must say yes before a server takes over from another",
			`Sets the flag confirmso!PEER on NODE: before NODE takes over from PEER, a person must
say yes. Between regions it is on from the start, and cannot be taken off unless the
cluster says allow_automatic_crossing = true.`,
			func(s *edit.SetFlag, on *bool) { s.Confirm = on }),
		a.flagCmd("block-failover", "Whether a failure of a resource may move it from a server to another",
			`Sets the block flag for PEER on NODE: a failure of a resource on PEER never moves it
to NODE. It is recovered on the spot only.`,
			func(s *edit.SetFlag, on *bool) { s.Block = on }),
		a.shutdownCmd())
	return cmd
}

// defined runs f on a snapshot of which only the definition matters.
func (a *cli) defined(ctx context.Context, f func(*api.Snapshot) error) error {
	return a.with(ctx, false, func(c *conn) error {
		s, err := c.snapshot(ctx)
		if err != nil {
			return err
		}
		return f(s)
	})
}

func (a *cli) serverListCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List the servers: cluster, place, verdict, shutdown strategy",
		Example: "  ferry server list",
		Args:    args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.seen(cmd.Context(), func(_ *conn, s *api.Snapshot) error {
				doc := ServerListDocument{Version: api.Version, Kind: "ServerList"}
				for i := range s.Estate.Servers {
					doc.Servers = append(doc.Servers, serverEntry(s, &s.Estate.Servers[i]))
				}
				return a.print(doc, func() string { return view.Servers(s, a.outStyle) })
			})
		},
	}
}

func serverEntry(s *api.Snapshot, srv *hierarchy.Server) ServerEntry {
	e := ServerEntry{Definition: srv, Shutdown: hierarchy.ShutdownWord(srv.SwitchOnShutdown)}
	for i := range s.Nodes {
		if s.Nodes[i].Name == srv.Name {
			e.Status = &s.Nodes[i]
		}
	}
	x := hierarchy.NewIndex(s.Estate)
	if cl := x.ClusterOf(srv.Name); cl != nil {
		for _, peer := range cl.Servers {
			e.Flags = append(e.Flags, x.Flag(srv.Name, peer))
		}
	}
	return e
}

func (a *cli) serverShowCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "show NODE",
		Short: "Show one server with the form of its flags",
		Long: `Shows a server and, for each server of its cluster, itself included, whether a
failover from there is confirmed by a person and whether a failure of a resource
there may move it here.`,
		Example:           "  ferry server show LK_P_A",
		Args:              args(1, 1, "the name of a NODE"),
		ValidArgsFunction: a.completeServerArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.seen(cmd.Context(), func(_ *conn, s *api.Snapshot) error {
				if err := server(s, args[0]); err != nil {
					return err
				}
				srv := s.Estate.Server(args[0])
				return a.print(ServerDocument{api.Version, "Server", serverEntry(s, srv)}, func() string {
					return view.Server(s, hierarchy.NewIndex(s.Estate), srv, a.outStyle, a.now())
				})
			})
		},
	}
}

func (a *cli) flagCmd(name, short, long string, set func(*edit.SetFlag, *bool)) *cobra.Command {
	var f changing
	cmd := &cobra.Command{
		Use:               name + " NODE PEER on|off",
		Short:             short,
		Long:              long,
		Example:           "  ferry server " + name + " LK_P_A LK_S_A on",
		Args:              args(3, 3, "NODE, PEER, on or off"),
		ValidArgsFunction: a.completeFlag,
		RunE: func(cmd *cobra.Command, args []string) error {
			on, err := onOff(args[2])
			if err != nil {
				return err
			}
			ed := edit.SetFlag{Viewer: args[0], Peer: args[1]}
			set(&ed, &on)
			return a.change(cmd.Context(), f, these(ed))
		},
	}
	f.bind(cmd)
	return cmd
}

func onOff(word string) (bool, error) {
	switch strings.ToLower(word) {
	case "on":
		return true, nil
	case "off":
		return false, nil
	}
	return false, usage("write on or off", "%q is neither on nor off", word)
}

// The shutdown strategies as words of the command line.
const (
	switchOver = "switch-over"
	stay       = "do-not-switch-over"
)

func (a *cli) shutdownCmd() *cobra.Command {
	var f changing
	cmd := &cobra.Command{
		Use:   "shutdown-strategy NODE " + switchOver + "|" + stay,
		Short: "What happens to a server's resources when it is shut down in good order",
		Long: `Sets a server's shutdown strategy. A shutdown in good order is no failure: with
do-not-switch-over its resources stop with it and stay; with switch-over they go to
the next server that may take them, never across regions unasked.`,
		Example:           "  ferry server shutdown-strategy LK_P_A switch-over",
		Args:              args(2, 2, "NODE or the strategy ("+switchOver+" or "+stay+")"),
		ValidArgsFunction: a.completeShutdown,
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[1] != switchOver && args[1] != stay {
				return usage("write "+switchOver+" or "+stay, "%q is not a shutdown strategy", args[1])
			}
			return a.change(cmd.Context(), f, these(edit.SetShutdown{Server: args[0], SwitchOver: args[1] == switchOver}))
		},
	}
	f.bind(cmd)
	return cmd
}
