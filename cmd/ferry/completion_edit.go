package main

import (
	"strings"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/spf13/cobra"
)

// completeAnyTag offers tags also after the first argument.
func (a *cli) completeAnyTag(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeTag(cmd, nil, word)
}

// completeLists completes the last of several names with commas between them.
func completeLists(of func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
		before, last := "", word
		if i := strings.LastIndexByte(word, ','); i >= 0 {
			before, last = word[:i+1], word[i+1:]
		}
		names, d := of(cmd, args, last)
		out := make([]string, 0, len(names))
		for _, n := range names {
			if !strings.Contains(","+before, ","+n+",") {
				out = append(out, before+n)
			}
		}
		return out, d | cobra.ShellCompDirectiveNoSpace
	}
}

func (a *cli) completeServerArg(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeServer(cmd, nil, word)
}

func (a *cli) completeFlag(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 2 {
		return []string{"on", "off"}, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeServer(cmd, nil, word)
}

func (a *cli) completeShutdown(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 1 {
		return []string{switchOver, stay}, cobra.ShellCompDirectiveNoFileComp
	}
	return a.completeServerArg(cmd, args, word)
}

// completeTags offers every tag, whatever the arguments are.
func (a *cli) completeTags(cmd *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	return a.completeTag(cmd, nil, word)
}

func (a *cli) completeCluster(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	var out []string
	if s := a.glance(cmd.Context()); s != nil && s.Estate != nil {
		for _, c := range s.Estate.Cluster {
			out = append(out, c.Name)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeTuning needs no engine: the names are the program's own.
func (a *cli) completeTuning(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, t := range hierarchy.Tunings(a.deps.registry()) {
		if len(args) == 0 {
			out = append(out, t.Name+"\t"+t.Help)
		} else if t.Name == args[0] {
			out = append(out, t.Choices...)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeSet offers a tag, then FIELD= of its kit.
func (a *cli) completeSet(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 0 {
		return a.completeTag(cmd, args, word)
	}
	s := a.glance(cmd.Context())
	if s == nil || s.Estate == nil || strings.Contains(word, "=") {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	r, err := s.Estate.Resource(args[0])
	if err != nil || a.deps.registry()[r.Kit] == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, f := range a.deps.registry()[r.Kit].Fields() {
		out = append(out, f.Name+"=\t"+f.Label)
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeField offers what needs no node to be asked: a key press waits for nobody.
func (a *cli) completeField(f kits.Field) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(cmd *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
		switch {
		case len(f.Choices) > 0:
			return f.Choices, cobra.ShellCompDirectiveNoFileComp
		case f.Kind == kits.KindBool:
			return []string{"true", "false"}, cobra.ShellCompDirectiveNoFileComp
		case f.Kind == kits.KindResource:
			return a.completeTag(cmd, nil, word)
		case f.Kind == kits.KindPath:
			return nil, cobra.ShellCompDirectiveDefault
		}
		return []string{listWord + "\tprint what it may be"}, cobra.ShellCompDirectiveNoFileComp
	}
}
