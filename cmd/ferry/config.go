package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/config"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/spf13/cobra"
)

func (a *cli) configCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check a definition file, print its schema",
		Args:  cobra.ArbitraryArgs,
		RunE:  group,
	}
	cmd.AddCommand(&cobra.Command{
		Use:     "validate FILE",
		Short:   "Check a definition without touching anything",
		Long:    "Checks FILE (- is the standard input) and prints every problem with its place and\nwhat to write instead. Ends with 78 when there is one.",
		Example: "  ferry config validate estate.toml",
		Args:    args(1, 1, "the FILE with the definition"),
		RunE:    func(_ *cobra.Command, args []string) error { return a.validate(args[0]) },
	}, &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON schema of the definition file",
		Example: "  ferry config schema > ferry.schema.json",
		Args:    args(0, 0, ""),
		RunE: func(*cobra.Command, []string) error {
			data, err := config.Schema(a.deps.registry())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.out, strings.TrimSpace(string(data)))
			return err
		},
	})
	return cmd
}

func (a *cli) validate(file string) error {
	e, problems, err := a.read(file)
	if err != nil {
		return err
	}
	doc := ProblemsDocument{api.Version, "Problems", file, problems, nil}
	if e != nil {
		for _, w := range hierarchy.Warnings(e, a.deps.registry()) {
			doc.Warnings = append(doc.Warnings, Warning{w.Text, w.Fix})
		}
	}
	err = a.print(doc, func() string {
		if len(problems) > 0 {
			return problemLines(file, problems)
		}
		for _, w := range doc.Warnings {
			fmt.Fprintf(a.err, "warning: %s\n    fix: %s\n", w.Message, w.Fix)
		}
		return fmt.Sprintf("%s: good: %s, %s, %s\n", term.Clean(file), count(len(e.Servers), "server"),
			count(len(e.Cluster), "cluster"), count(len(e.Res), "resource"))
	})
	if err != nil || len(problems) == 0 {
		return err
	}
	return fail(api.KindConfig, "", "%s in %s", count(len(problems), "problem"), file)
}

// loadEstate reads a definition that has to be good.
func (a *cli) loadEstate(file string) (*hierarchy.Estate, error) {
	e, problems, err := a.read(file)
	if err != nil {
		return nil, err
	}
	if len(problems) > 0 {
		fmt.Fprint(a.err, problemLines(file, problems))
		return nil, fail(api.KindConfig, "nothing was changed", "%s in %s", count(len(problems), "problem"), file)
	}
	return e, nil
}

// read judges a definition: it is either good, or has problems, or could not be read.
func (a *cli) read(file string) (*hierarchy.Estate, []Problem, error) {
	in := a.in
	if file != "-" {
		f, err := os.Open(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil, fail(api.KindNoSuch, "", "no file %s", file)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("reading the definition: %w", err)
		}
		defer f.Close()
		in = f
	}
	e, err := config.Load(in, file, a.deps.registry())
	var bad *config.Errors
	if !errors.As(err, &bad) {
		return e, nil, err
	}
	problems := make([]Problem, len(bad.Problems))
	for i, p := range bad.Problems {
		problems[i] = Problem{p.Line, p.Col, p.Message, p.Fix}
	}
	return nil, problems, nil
}

// problemLines are problems the way compilers print them, so that editors find them.
func problemLines(file string, problems []Problem) string {
	var b strings.Builder
	for _, p := range problems {
		place := file
		if p.Line > 0 {
			place += fmt.Sprintf(":%d:%d", p.Line, max(p.Column, 1))
		}
		fmt.Fprintf(&b, "%s: %s\n", term.Clean(place), term.Clean(p.Text))
		if p.Fix != "" {
			fmt.Fprintf(&b, "    fix: %s\n", term.Clean(p.Fix))
		}
	}
	return b.String()
}
