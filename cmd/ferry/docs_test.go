package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"mvdan.cc/sh/v3/shell"
)

// TestCommandsInTheDocs: whatever a document tells people to type is a command that the program takes, with flags that
// it has and as many arguments as it wants. What the commands then do is shown elsewhere.
func TestCommandsInTheDocs(t *testing.T) {
	root := documented()
	seen := 0
	for _, file := range documents(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range typed(filepath.Base(file), string(text)) {
			seen++
			if err := takes(root, c.text, c.whole); err != nil {
				t.Errorf("%s:%d: %s: %v", strings.TrimPrefix(file, "../../"), c.line, c.text, err)
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d commands were found in the documents", seen)
	}
	for _, wrong := range []string{"ferry sttaus", "ferry status --wacth", "ferry apply", "ferry in-service a b", "ferry config schme"} {
		if takes(root, wrong, true) == nil {
			t.Errorf("%s was taken", wrong)
		}
	}
}

func documents(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, glob := range []string{"../../*.md", "../../docs/*.md", "../../docs/ja/*.md", "../../examples/*.md", "../../examples/*.toml"} {
		found, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	return files
}

// command is a line that a person would type.
type command struct {
	line  int
	text  string
	whole bool
}

var (
	inline   = regexp.MustCompile("`((?:sudo )?ferry [a-z][^`]*)`")
	wholly   = regexp.MustCompile(`^(?:#\s+|\$ |  )?((?:sudo )?(?:go run \./cmd/)?ferry(?: [-a-z].*)?)$`)
	sketched = regexp.MustCompile(`…|\.\.\.|\[|\]|\bCOMMAND\b|\|`)
)

// typed finds commands in fenced blocks, in comments of a definition, and in running text between backticks. A sketch of a
// command (with brackets, dots or bars) is not one.
func typed(file, text string) []command {
	var found []command
	fenced, plain := strings.HasSuffix(file, ".toml"), strings.HasSuffix(file, ".toml")
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		at, l := i+1, lines[i]
		if strings.HasPrefix(l, "```") {
			fenced = !fenced
			continue
		}
		for !plain && fenced && strings.HasSuffix(l, "\\") && i+1 < len(lines) {
			i++
			l = strings.TrimSuffix(l, "\\") + " " + strings.TrimSpace(lines[i])
		}
		if fenced {
			if m := wholly.FindStringSubmatch(l); m != nil && !sketched.MatchString(m[1]) {
				found = append(found, command{at, m[1], true})
			}
			continue
		}
		for _, m := range inline.FindAllStringSubmatch(l, -1) {
			if !sketched.MatchString(m[1]) {
				found = append(found, command{at, m[1], false})
			}
		}
	}
	return found
}

// takes tells whether the program would take a command line, without running it. One that is not whole, but a mention in
// running text, may leave its arguments out.
func takes(root *cobra.Command, line string, whole bool) error {
	line = strings.TrimPrefix(strings.TrimPrefix(line, "sudo "), "go run ./cmd/")
	line, _, _ = strings.Cut(line, "   ")
	line, _, _ = strings.Cut(line, " > ")
	line, _, _ = strings.Cut(line, " # ")
	words, err := shell.Fields(line, func(string) string { return "x" })
	if err != nil || len(words) == 0 {
		return fmt.Errorf("not a command line: %w", err)
	}
	c, rest, err := root.Find(words[1:])
	if err != nil {
		return err
	}
	flags := pflag.NewFlagSet(c.Name(), pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	known := func(set *pflag.FlagSet) {
		set.VisitAll(func(f *pflag.Flag) {
			if flags.Lookup(f.Name) == nil {
				flags.AddFlag(&pflag.Flag{Name: f.Name, Shorthand: f.Shorthand, NoOptDefVal: f.NoOptDefVal, Value: &anything{f.Value.Type()}})
			}
		})
	}
	known(c.Flags())
	known(c.InheritedFlags())
	known(root.PersistentFlags())
	if err := flags.Parse(rest); err != nil && err != pflag.ErrHelp {
		return err
	}
	if c.HasSubCommands() && c.Name() != "hold" && c.Name() != "drill" && len(flags.Args()) > 0 { // they take a scope or tag, too
		return fmt.Errorf("%s has no command %q", c.CommandPath(), flags.Args()[0])
	}
	if c.Args == nil || !whole && len(flags.Args()) == 0 {
		return nil
	}
	return c.Args(c, flags.Args())
}

// anything is a flag's value that is not looked at.
type anything struct{ kind string }

func (a *anything) String() string   { return "" }
func (a *anything) Set(string) error { return nil }
func (a *anything) Type() string     { return a.kind }
