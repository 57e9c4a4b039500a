package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/bringup"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/spf13/cobra"
)

func (a *cli) diffCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "diff [FILE]",
		Short: "Show where file, definition in force and reality differ",
		Long: `Compares what is there with what is defined, and changes nothing: FILE (TOML; - is
the standard input), when it is given, with the definition in force; that with what
heartbeats and checks say of it: which hierarchies are not in service, what has
failed, is impaired or runs where it should not, routes and names that lead
elsewhere, copies of data that are not complete, nodes that are not plainly alive.

  ✗ differs   ? is not known   - is right, and worth knowing

It ends with 0 when all agree, and with 190 when anything differs or is not known.`,
		Example: `  ferry diff
  ferry diff estate.toml -o json`,
		Args: args(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.diff(cmd.Context(), first(args))
		},
	}
}

func (a *cli) diff(ctx context.Context, file string) error {
	var e *hierarchy.Estate
	if file != "" {
		var err error
		if e, err = a.loadEstate(file); err != nil {
			return err
		}
	}
	return a.with(ctx, false, func(c *conn) error {
		s, err := c.looked(ctx)
		if err != nil {
			return err
		}
		now, err := c.Export(ctx)
		if err != nil {
			return err
		}
		reg := a.deps.registry()
		doc := DiffDocument{Version: api.Version, Kind: "Diff", File: file, Reality: bringup.Drift(hierarchy.NewIndexFor(now, reg), reg, s)}
		if e != nil {
			doc.Definition = differences(now, e)
		}
		return a.printDiff(doc)
	})
}

func (a *cli) printDiff(doc DiffDocument) error {
	err := a.print(doc, func() string {
		var b strings.Builder
		if doc.File != "" {
			fmt.Fprintf(&b, "%s against the definition in force:\n%s", doc.File, orAgree(view.Changes(doc.Definition, a.outStyle)))
		}
		b.WriteString("the definition in force against what is there:\n")
		b.WriteString(orAgree(view.Findings(doc.Reality, a.outStyle)))
		return b.String()
	})
	if err != nil || len(doc.Definition) == 0 && bringup.Agrees(doc.Reality) {
		return err
	}
	differs, unknown := 0, 0
	for _, f := range doc.Reality {
		switch f.Kind {
		case bringup.Differs:
			differs++
		case bringup.NotKnown:
			unknown++
		}
	}
	return fail(api.KindDegraded, "", "%s in the definition; in reality %s, %d not known",
		count(len(doc.Definition), "difference"), count(differs, "difference"), unknown)
}

func orAgree(text string) string {
	if text == "" {
		return "  no difference\n"
	}
	return text
}
