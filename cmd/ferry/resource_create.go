package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/spf13/cobra"
)

func (a *cli) resourceCreateCmd() *cobra.Command {
	var f changing
	var file string
	var blind bool
	cmd := &cobra.Command{
		Use:   "create KIT TAG | create -f FILE",
		Short: "Create a resource: by a kit's flags, or from a piece of a definition",
		Long: `Creates a resource. Each kit is a command of its own with the kit's fields as
flags: ferry resource create ip --help. On a terminal, what is missing is asked for.

With -f the resources stand in FILE (- is the standard input) as they would in the
definition:

  [cluster.service.resource.ip-www]
  kit = "ip"
  address = "10.1.0.10"
  on = ["LK_P_A", "LK_P_B"]

What is created is not in service: ferry in-service takes it there.`,
		Example: `  ferry resource create ip ip-www --address 10.1.0.10 --on LK_P_A,LK_P_B
  ferry resource create -f ip-www.toml --dry-run`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if file == "" {
				return group(cmd, args)
			}
			if len(args) > 0 {
				return usage("", "too many arguments: %q", args[0])
			}
			text, err := a.readPiece(file)
			if err != nil {
				return err
			}
			return a.change(cmd.Context(), f, wish{look: !blind, edits: func(_ context.Context, _ *conn, e *hierarchy.Estate) ([]edit.Edit, error) {
				return a.fromPiece(e, file, text)
			}})
		},
	}
	f.bind(cmd)
	bindNoDoctor(cmd, &blind)
	cmd.Flags().StringVarP(&file, "file", "f", "", "create what stands in this piece of a definition")
	reg := a.deps.registry()
	for _, kit := range reg.Names() {
		cmd.AddCommand(a.createKitCmd(reg[kit]))
	}
	return cmd
}

// creating is a create command's line.
type creating struct {
	kit                 kits.Kit
	tag                 string
	cluster, switchback string
	on, needs           []string
	alone, blind        bool
	fields              *fieldFlags
	answers             map[string]string // given at the terminal, kept for a second try
}

func (a *cli) createKitCmd(k kits.Kit) *cobra.Command {
	var f changing
	var n creating
	cmd := &cobra.Command{
		Use:   k.Name() + " TAG",
		Short: "Create a resource of kit " + k.Name(),
		Long: `Creates a resource of kit ` + k.Name() + `. The flags below are the kit's fields; a value of
"list" prints what a field may be. A field that may differ from node to node takes
NODE=VALUE, as often as needed.

--on names the servers by priority, the best first. Left out, the resource goes to
the servers of what it needs.`,
		Example: createExample(k),
		Args:    args(1, 1, "the TAG of the new resource"),
		RunE: func(cmd *cobra.Command, args []string) error {
			n.kit, n.tag, n.answers = k, args[0], map[string]string{}
			return a.create(cmd.Context(), f, &n)
		},
	}
	fl := cmd.Flags()
	f.bind(cmd)
	bindNoDoctor(cmd, &n.blind)
	fl.StringSliceVar(&n.on, "on", nil, "servers by priority: A,B or A=1,B=10")
	fl.StringSliceVar(&n.needs, "needs", nil, "tags of the resources that it stands on")
	fl.BoolVar(&n.alone, "needs-nothing", false, "stand on nothing, although a field names a resource")
	fl.StringVar(&n.switchback, "switchback", "", "intelligent (stays where it is) or automatic (returns to the best server)")
	fl.StringVar(&n.cluster, "cluster", "", "cluster, where neither tag nor servers tell")
	cmd.MarkFlagsMutuallyExclusive("needs", "needs-nothing")
	n.fields = a.bindFields(cmd, k.Fields())
	_ = cmd.RegisterFlagCompletionFunc("on", completeLists(a.completeServer))
	_ = cmd.RegisterFlagCompletionFunc("needs", completeLists(a.completeTags))
	_ = cmd.RegisterFlagCompletionFunc("cluster", a.completeCluster)
	_ = cmd.RegisterFlagCompletionFunc("switchback", cobra.FixedCompletions([]string{string(hierarchy.Intelligent), string(hierarchy.Automatic)}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// createExample is a line with what the kit cannot do without.
func createExample(k kits.Kit) string {
	text, line := "", "  ferry resource create "+k.Name()+" my-"+k.Name()
	add := func(word string) {
		if len(line)+len(word) > 75 {
			text, line = text+line+" \\\n", "     "
		}
		line += " " + word
	}
	for _, f := range k.Fields() {
		if f.Required && f.Default == "" && f.Kind != kits.KindSecret {
			add("--" + flagOf(f.Name) + " " + exampleValue(f))
		}
	}
	add("--on NODE_A,NODE_B")
	return text + line
}

func exampleValue(f kits.Field) string {
	switch f.Kind {
	case kits.KindAddress:
		return "10.1.0.10"
	case kits.KindNetmask:
		return "255.255.255.255"
	case kits.KindResource:
		return "my-ip"
	case kits.KindDuration:
		return "60s"
	case kits.KindBool:
		return "true"
	case kits.KindChoice:
		if len(f.Choices) > 0 {
			return f.Choices[0]
		}
	}
	return strings.ToUpper(f.Name)
}

func (a *cli) create(ctx context.Context, f changing, n *creating) error {
	if fl := n.fields.listed(); fl != nil {
		return a.with(ctx, false, func(c *conn) error { return a.listChoices(ctx, c, n, *fl) })
	}
	return a.change(ctx, f, wish{
		look:  !n.blind,
		after: "it is out of service; ferry in-service " + n.tag + " takes it into service",
		edits: func(ctx context.Context, c *conn, e *hierarchy.Estate) ([]edit.Edit, error) {
			ed, err := a.creation(ctx, c, e, n)
			return []edit.Edit{ed}, err
		},
	})
}

func (a *cli) listChoices(ctx context.Context, c *conn, n *creating, f kits.Field) error {
	e, err := c.Export(ctx)
	if err != nil {
		return err
	}
	places, err := placesOf(n.on)
	if err != nil {
		return err
	}
	node := ""
	if len(places) > 0 {
		node = places[0].Server
	}
	all, err := a.choices(ctx, c, e, n.kit.Name(), f, node, n.fields.given(e)[""])
	if err != nil {
		return err
	}
	return a.printChoices(n.kit.Name(), f, node, all)
}

// creation is the edit of a create command, with what was asked at the terminal.
func (a *cli) creation(ctx context.Context, c *conn, e *hierarchy.Estate, n *creating) (edit.Edit, error) {
	places, err := placesOf(n.on)
	if err != nil {
		return nil, err
	}
	cr := edit.Create{Cluster: n.cluster, Tag: n.tag, Kit: n.kit.Name(), Switchback: hierarchy.Switchback(n.switchback), On: places}
	if cr.Needs = n.needs; n.alone {
		cr.Needs = []string{}
	}
	given := n.fields.given(e)
	cr.Fields = given[""]
	if len(cr.On) == 0 && !n.standsOn(cr) {
		if cr.On, err = a.askServers(ctx, e, n); err != nil {
			return nil, err
		}
	}
	for server, own := range given {
		if server == "" {
			continue
		}
		i := slices.IndexFunc(cr.On, func(p edit.Place) bool { return p.Server == server })
		if i < 0 {
			return nil, usage("name it in --on", "there are fields for %s, but the resource does not go there", server)
		}
		cr.On[i].Fields = own
	}
	return cr, a.askFields(ctx, c, e, n, &cr)
}

// standsOn tells that the resource's servers follow from what it needs.
func (n *creating) standsOn(cr edit.Create) bool {
	if len(cr.Needs) > 0 {
		return true
	}
	return cr.Needs == nil && slices.ContainsFunc(n.kit.Fields(), func(f kits.Field) bool {
		return f.Kind == kits.KindResource && cr.Fields[f.Name] != ""
	})
}

// placesOf reads A,B or A=1,B=10.
func placesOf(words []string) ([]edit.Place, error) {
	var out []edit.Place
	for _, w := range words {
		server, n, there := strings.Cut(strings.TrimSpace(w), "=")
		p := edit.Place{Server: server}
		if there {
			var err error
			if p.Priority, err = strconv.Atoi(n); err != nil || p.Priority == 0 {
				return nil, usage("write NODE or NODE=PRIORITY, 1 is highest", "%q is not a priority", n)
			}
		}
		out = append(out, p)
	}
	return out, nil
}

func (a *cli) askServers(ctx context.Context, e *hierarchy.Estate, n *creating) ([]edit.Place, error) {
	if !a.interactive() {
		return nil, nil // the edit says what is missing
	}
	if n.answers["--on"] == "" {
		var all []string
		for _, cl := range e.Cluster {
			if n.cluster == "" || n.cluster == cl.Name {
				all = append(all, cl.Servers...)
			}
		}
		got, err := a.question(ctx, " by priority, separated by commas", kits.Field{Name: "on", Label: "Servers", Kind: kits.KindText}, "", all)
		if err != nil {
			return nil, err
		}
		n.answers["--on"] = got
	}
	return placesOf(strings.Split(n.answers["--on"], ","))
}

// askFields asks at the terminal for every required field that nothing gives; where
// it may differ, once for the servers of each region.
func (a *cli) askFields(ctx context.Context, c *conn, e *hierarchy.Estate, n *creating, cr *edit.Create) error {
	for _, f := range n.kit.Fields() {
		if !f.Required || f.Default != "" || f.Kind == kits.KindSecret || cr.Fields[f.Name] != "" {
			continue
		}
		byRegion := map[string]string{}
		for i := range cr.On {
			p := &cr.On[i]
			if p.Fields[f.Name] != "" {
				continue
			}
			where := ""
			if srv := e.Server(p.Server); srv != nil && f.PerNode {
				where = srv.Region
			}
			if byRegion[where] == "" {
				v, err := a.askField(ctx, c, e, n, f, p.Server, where)
				if err != nil {
					return err
				}
				byRegion[where] = v
			}
			if f.PerNode {
				p.Fields = maps.Clone(p.Fields)
				if p.Fields == nil {
					p.Fields = map[string]string{}
				}
				p.Fields[f.Name] = byRegion[where]
			} else {
				cr.Fields[f.Name] = byRegion[where]
				break
			}
		}
		tidy(cr, f)
	}
	return nil
}

// tidy keeps a value that is the same on every server once, at the resource.
func tidy(cr *edit.Create, f kits.Field) {
	if len(cr.On) == 0 || cr.On[0].Fields[f.Name] == "" {
		return
	}
	v := cr.On[0].Fields[f.Name]
	for _, p := range cr.On {
		if p.Fields[f.Name] != v {
			return
		}
	}
	cr.Fields[f.Name] = v
	for _, p := range cr.On {
		delete(p.Fields, f.Name)
	}
}

func (a *cli) askField(ctx context.Context, c *conn, e *hierarchy.Estate, n *creating, f kits.Field, server, region string) (string, error) {
	key := f.Name + " " + region
	if v := n.answers[key]; v != "" {
		return v, nil
	}
	if !a.interactive() {
		what := f.Name
		if region != "" {
			what += " on " + server
		}
		return "", usage(fmt.Sprintf("--%s VALUE gives it; --%s %s shows what it may be", flagOf(f.Name), flagOf(f.Name), listWord),
			"%s (%s) is missing", what, f.Label)
	}
	choices, err := a.choices(ctx, c, e, n.kit.Name(), f, server, nil)
	if err != nil {
		a.say("note: no choices for %s: %s", f.Name, err)
	}
	what := ""
	if region != "" {
		what = " in " + region
	}
	v, err := a.question(ctx, what, f, "", choices)
	n.answers[key] = v
	return v, err
}
