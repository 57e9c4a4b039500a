package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestCommandsDocument keeps docs/commands.md what the program says of itself.
// FERRY_UPDATE=1 writes it anew.
func TestCommandsDocument(t *testing.T) {
	root := documented()
	var b strings.Builder
	b.WriteString("# Commands\n\nThis file is made from the program; `FERRY_UPDATE=1 go test ./cmd/ferry` writes it anew.\n(日本語: [ja/commands.md](ja/commands.md))\n\n" +
		"## Every command\n\n```\n" + plainFlags(root.PersistentFlags()) + "```\n\n" +
		"Exit codes: 0 done · 1 failed · 64 wrong usage · 69 no engine · 75 busy · 77 not permitted · 78 the definition is wrong · " +
		"105 no such item · 106 no quorum · 107 unsafe without `--force` or a confirmation · 124 timeout · 190 degraded.\n\n" +
		"What `-o json` prints is described in [json.md](json.md).\n")
	each(root, func(c *cobra.Command) {
		if c.HasParent() {
			document(&b, c)
		}
	})
	sameFile(t, "../../docs/commands.md", b.String())
}

// documented is the product's tree of commands.
func documented() *cobra.Command {
	root := (&cli{deps: wired(), getenv: func(string) string { return "" }, out: os.Stdout, err: os.Stderr}).root()
	root.InitDefaultHelpFlag()
	return root
}

func each(c *cobra.Command, f func(*cobra.Command)) {
	f(c)
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			each(sub, f)
		}
	}
}

func document(b *strings.Builder, c *cobra.Command) {
	fmt.Fprintf(b, "\n## %s\n\n", c.CommandPath())
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	fmt.Fprintf(b, "```\n%s\n```\n\n%s\n", c.UseLine(), fenced(text))
	if c.Example != "" {
		fmt.Fprintf(b, "\nExamples:\n\n```sh\n%s\n```\n", unindent(c.Example))
	}
	if f := plainFlags(c.NonInheritedFlags()); f != "" {
		fmt.Fprintf(b, "\nFlags:\n\n```\n%s```\n", f)
	}
}

// fenced keeps indented pieces of help as they are: Markdown takes four blanks, the
// help uses two.
func fenced(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "  ") {
			lines[i] = "  " + l
		}
	}
	return strings.Join(lines, "\n")
}

func unindent(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimPrefix(l, "  ")
	}
	return strings.Join(lines, "\n")
}

func plainFlags(f *pflag.FlagSet) string {
	if !f.HasAvailableFlags() {
		return ""
	}
	f.SortFlags = true
	return f.FlagUsagesWrapped(96)
}

// sameFile compares a generated file with what is kept, or writes it anew.
func sameFile(t *testing.T, file, want string) {
	t.Helper()
	if os.Getenv("FERRY_UPDATE") != "" {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not what the program says; FERRY_UPDATE=1 go test ./cmd/ferry writes it anew", file)
	}
}

// TestEveryCommandHelps: what a person needs at 3 a.m. stands in the help of each command.
func TestEveryCommandHelps(t *testing.T) {
	each(documented(), func(c *cobra.Command) {
		if c.Short == "" {
			t.Errorf("%s: no summary", c.CommandPath())
		}
		if c.Runnable() && !c.HasSubCommands() && c.Example == "" && c.Name() != "help" && c.Name() != "demo" {
			t.Errorf("%s: no example", c.CommandPath())
		}
		usage := c.UsageString()
		_, flags, _ := strings.Cut(usage, "\nFlags:")
		for _, l := range strings.Split(flags, "\n") {
			if len([]rune(l)) > 80 && strings.HasPrefix(l, " ") {
				t.Errorf("%s: this line of its flags is wider than 80 columns: %q", c.CommandPath(), l)
			}
		}
		for _, l := range strings.Split(c.Long, "\n") {
			if len([]rune(l)) > 90 {
				t.Errorf("%s: this line of its help is wider than 90 columns: %q", c.CommandPath(), l)
			}
		}
	})
}

// TestFieldFlags: no field of a kit is hidden by a flag that the command has itself.
func TestFieldFlags(t *testing.T) {
	a := &cli{deps: wired(), getenv: func(string) string { return "" }}
	root := a.root()
	for _, k := range a.deps.registry() {
		cmd, _, err := root.Find([]string{"resource", "create", k.Name()})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range k.Fields() {
			fl := cmd.Flags().Lookup(flagOf(f.Name))
			if string(f.Kind) != "secret" && (fl == nil || !strings.HasPrefix(fl.Usage, strings.ReplaceAll(f.Label, "`", "'"))) {
				t.Errorf("kit %s: field %s has no flag of its own", k.Name(), f.Name)
			}
		}
	}
}
