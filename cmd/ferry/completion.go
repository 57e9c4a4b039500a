package main

import (
	"context"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/spf13/cobra"
)

func (a *cli) completionCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print a completion script for a shell",
		Example: `  ferry completion bash > /etc/bash_completion.d/ferry
  ferry completion zsh > "${fpath[1]}/_ferry"`,
		Args:      args(1, 1, "the shell (bash, zsh, fish or powershell)"),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.out, true)
			case "zsh":
				return root.GenZshCompletion(a.out)
			case "fish":
				return root.GenFishCompletion(a.out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(a.out)
			}
			return usage("write bash, zsh, fish or powershell", "no completion for shell %q", args[0])
		},
	}
}

// completeTag and completeServer ask a running engine, briefly; a key press must
// never start one.
func (a *cli) completeTag(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var out []string
	if s := a.glance(cmd.Context()); s != nil && len(args) == 0 {
		for _, r := range s.Resources {
			out = append(out, string(r.Tag))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func (a *cli) completeServer(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	var out []string
	if s := a.glance(cmd.Context()); s != nil {
		for _, n := range s.Nodes {
			out = append(out, n.Name)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func (a *cli) glance(ctx context.Context) *api.Snapshot {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	svc, err := a.deps.dial(ctx, a.socketPlace().Path)
	if err != nil {
		return nil
	}
	defer svc.Close()
	s, err := svc.Snapshot(ctx)
	if err != nil {
		return nil
	}
	return s
}
