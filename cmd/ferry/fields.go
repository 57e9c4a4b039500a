package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// listWord as the value of a field's flag asks for the field's choices.
const listWord = "list"

// fieldFlags are a kit's fields as flags: --start-timeout for start_timeout.
type fieldFlags struct {
	fields []kits.Field
	values map[string]*words // by field
}

// words is a flag that may be given several times.
type words []string

// Set takes one more value.
func (w *words) Set(v string) error { *w = append(*w, v); return nil }

// String is for help texts, which show no value here.
func (w *words) String() string { return "" }

// Type names the value in help texts.
func (w *words) Type() string { return "VALUE" }

func flagOf(field string) string { return strings.ReplaceAll(field, "_", "-") }

// dashes lets people write a flag as it stands in the definition file, too.
func dashes(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	return pflag.NormalizedName(strings.ReplaceAll(name, "_", "-"))
}

// bindFields gives a command a flag for each field that may be given in clear. A
// field whose name is a flag already is set by --set.
func (a *cli) bindFields(cmd *cobra.Command, fields []kits.Field) *fieldFlags {
	ff := &fieldFlags{values: map[string]*words{}}
	cmd.Flags().SetNormalizeFunc(dashes)
	for _, f := range fields {
		if f.Kind == kits.KindSecret || cmd.Flags().Lookup(flagOf(f.Name)) != nil || a.isGlobal(f.Name) {
			continue
		}
		ff.fields = append(ff.fields, f)
		ff.values[f.Name] = new(words)
		cmd.Flags().Var(ff.values[f.Name], flagOf(f.Name), fieldUsage(f))
		_ = cmd.RegisterFlagCompletionFunc(flagOf(f.Name), a.completeField(f))
	}
	return ff
}

// isGlobal tells that every command has a flag of this name.
func (a *cli) isGlobal(field string) bool {
	switch flagOf(field) {
	case "output", "socket", "state-dir", "no-color", "ascii", "verbose", "timeout", "help":
		return true
	}
	return false
}

// fieldUsage is a field's label and help as a flag's usage. pflag would take quoted
// words for the name of the value.
func fieldUsage(f kits.Field) string {
	text := f.Label
	if f.Help != "" {
		text += ": " + f.Help
	}
	if len(f.Choices) > 0 {
		text += " (" + strings.Join(f.Choices, ", ") + ")"
	}
	if f.Default != "" {
		text += " [" + f.Default + "]"
	}
	if f.PerNode {
		text += " NODE=VALUE sets it on one node"
	}
	return strings.ReplaceAll(text, "`", "'")
}

// given are the values by server; "" = for all. A value NODE=… of a field that may
// differ belongs to that node.
func (ff *fieldFlags) given(e *hierarchy.Estate) map[string]map[string]string {
	out := map[string]map[string]string{"": {}}
	for _, f := range ff.fields {
		for _, v := range *ff.values[f.Name] {
			server := ""
			if at, rest, ok := strings.Cut(v, "="); ok && f.PerNode && e.Server(at) != nil {
				server, v = at, rest
			}
			if out[server] == nil {
				out[server] = map[string]string{}
			}
			out[server][f.Name] = v
		}
	}
	return out
}

// listed is the field whose choices somebody asks for; nil when none.
func (ff *fieldFlags) listed() *kits.Field {
	for i, f := range ff.fields {
		if slices.Contains(*ff.values[f.Name], listWord) {
			return &ff.fields[i]
		}
	}
	return nil
}

// choices are what a field may be: what it says itself, or what a node or the cloud
// says; for a resource, those of the cluster.
func (a *cli) choices(ctx context.Context, c *conn, e *hierarchy.Estate, kit string, f kits.Field, node string, attrs map[string]string) ([]string, error) {
	switch {
	case len(f.Choices) > 0:
		return f.Choices, nil
	case f.Kind == kits.KindBool:
		return []string{"true", "false"}, nil
	case f.Kind == kits.KindResource:
		var out []string
		if cl := e.ClusterOf(node); cl != nil {
			for _, t := range hierarchy.NewIndex(e).InCluster(cl.Name) {
				out = append(out, t.Short())
			}
		}
		return out, nil
	case node == "":
		return nil, usage("--on NODE says where to look", "the choices of %s come from a node", f.Name)
	}
	got, err := c.Choices(ctx, kit, f.Name, node, attrs)
	if err != nil {
		return nil, err
	}
	return got, nil
}

func (a *cli) printChoices(kit string, f kits.Field, node string, all []string) error {
	return a.print(ChoicesDocument{api.Version, "Choices", kit, f.Name, node, all}, func() string {
		if len(all) == 0 {
			return fmt.Sprintf("%s has no list of choices: %s\n", f.Name, strings.TrimSpace(f.Label+". "+f.Help))
		}
		var b strings.Builder
		for _, v := range all {
			b.WriteString(term.Clean(v) + "\n")
		}
		return b.String()
	})
}

// question asks for one field at the terminal. def is taken for an empty line.
func (a *cli) question(ctx context.Context, what string, f kits.Field, def string, choices []string) (string, error) {
	text := "\n"
	if f.Help != "" {
		text += a.errStyle.Paint(term.Dim, f.Help) + "\n"
	}
	for i, v := range choices {
		if i == 20 {
			text += fmt.Sprintf("  … %d more\n", len(choices)-i)
			break
		}
		text += fmt.Sprintf("  %d) %s\n", i+1, term.Clean(v))
	}
	prompt := f.Label + what
	if def != "" {
		prompt += " [" + term.Clean(def) + "]"
	}
	for range 3 {
		got, err := a.ask(ctx, text+prompt+":")
		if err != nil {
			return "", err
		}
		got = numbered(got, choices)
		if got == "" {
			got = def
		}
		switch err := hierarchy.CheckField(f, got); {
		case got == "":
			text = "it has to be given\n"
		case err != nil:
			text = "that cannot be: " + err.Error() + "\n"
		default:
			return got, nil
		}
	}
	return "", usage("", "%s was not given", f.Name)
}

// numbered lets a choice be named by its number, unless that is itself a choice.
func numbered(got string, choices []string) string {
	n := 0
	if _, err := fmt.Sscanf(got, "%d", &n); err == nil && fmt.Sprint(n) == got && n >= 1 && n <= len(choices) && !slices.Contains(choices, got) {
		return choices[n-1]
	}
	return got
}

// assignments reads FIELD=VALUE words.
func assignments(words []string) (map[string]string, error) {
	out := map[string]string{}
	for _, w := range words {
		k, v, ok := strings.Cut(w, "=")
		if !ok || k == "" {
			return nil, usage("write FIELD=VALUE; an empty VALUE takes the field away", "%q is not FIELD=VALUE", w)
		}
		if _, twice := out[k]; twice {
			return nil, usage("", "%s is given twice", k)
		}
		out[strings.ReplaceAll(k, "-", "_")] = v
	}
	return out, nil
}

// perNodeFields are the fields of all kits that may differ from node to node, by
// name; what several kits call alike is one flag.
func perNodeFields(reg kits.Registry) []kits.Field {
	byName := map[string]kits.Field{}
	for _, kit := range reg.Names() {
		for _, f := range reg[kit].Fields() {
			if _, known := byName[f.Name]; !known && f.PerNode && f.Kind != kits.KindSecret {
				byName[f.Name] = f
			}
		}
	}
	var out []kits.Field
	for _, n := range slices.Sorted(maps.Keys(byName)) {
		out = append(out, byName[n])
	}
	return out
}
