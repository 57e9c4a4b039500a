package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/ferry-ha/ferry/engine/edit"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/spf13/cobra"
)

func (a *cli) resourceExtendCmd() *cobra.Command {
	var f changing
	var x edit.Extend
	var switchback string
	var sets []string
	var blind bool
	var fields *fieldFlags
	cmd := &cobra.Command{
		Use:   "extend TAG --to NODE",
		Short: "Extend a resource, with its whole hierarchy, to one more server",
		Long: `Extends a resource to NODE, together with everything that moves with it. Where a
hierarchy has several roots, --all-roots says that all of them are meant.

The flags at the end are the fields that may differ from node to node; each goes to
the resource of the hierarchy that has it. --set TAG.FIELD=VALUE names the resource.
Required fields that are left out are those of a server in the same region. A value
of "list" prints what a field may be.`,
		Example: `  ferry resource extend www --to LK_S_B --address 10.2.0.10
  ferry resource extend www --to LK_S_B --priority 4 --set ip-www.address=10.2.0.10`,
		Args:              args(1, 1, "the TAG of a resource"),
		ValidArgsFunction: a.completeTag,
		RunE: func(cmd *cobra.Command, args []string) error {
			x.Tag, x.Switchback = args[0], hierarchy.Switchback(switchback)
			if x.Server == "" {
				return usage("ferry server list shows the servers", "--to NODE is missing")
			}
			return a.extend(cmd.Context(), f, x, !blind, fields, sets)
		},
	}
	fl := cmd.Flags()
	f.bind(cmd)
	bindNoDoctor(cmd, &blind)
	fl.StringVar(&x.Server, "to", "", "the server to extend it to")
	fl.BoolVar(&x.AllRoots, "all-roots", false, "extend every root of the hierarchy")
	fl.IntVar(&x.Priority, "priority", 0, "priority there, 1 is highest (default: after the last)")
	fl.StringVar(&x.Template, "template", "", "server whose priority --template-priority changes (default: the best)")
	fl.IntVar(&x.TemplatePriority, "template-priority", 0, "new priority of the template server")
	fl.StringVar(&switchback, "switchback", "", "intelligent or automatic, for the hierarchy")
	fl.StringArrayVar(&sets, "set", nil, "TAG.FIELD=VALUE on the new server")
	fields = a.bindFields(cmd, perNodeFields(a.deps.registry()))
	for _, name := range []string{"to", "template"} {
		_ = cmd.RegisterFlagCompletionFunc(name, a.completeServer)
	}
	return cmd
}

func (a *cli) extend(ctx context.Context, f changing, x edit.Extend, look bool, fields *fieldFlags, sets []string) error {
	if fl := fields.listed(); fl != nil {
		return a.with(ctx, false, func(c *conn) error {
			e, err := c.Export(ctx)
			if err != nil {
				return err
			}
			ask, err := a.askOf(e, x, fl.Name)
			if err != nil {
				return err
			}
			kit := hierarchy.NewIndex(e).Resource(ask.Tag).Kit
			all, err := a.choices(ctx, c, e, kit, ask.Field, x.Server, nil)
			if err != nil {
				return err
			}
			return a.printChoices(kit, ask.Field, x.Server, all)
		})
	}
	answers := map[string]string{}
	return a.change(ctx, f, wish{look: look, edits: func(ctx context.Context, c *conn, e *hierarchy.Estate) ([]edit.Edit, error) {
		y := x
		var err error
		if y.Fields, err = a.extendFields(e, x, fields, sets); err != nil {
			return nil, err
		}
		return []edit.Edit{y}, a.askExtend(ctx, c, e, y, answers)
	}})
}

// askOf finds the resource of the hierarchy that has a field; several is ambiguous.
func (a *cli) askOf(e *hierarchy.Estate, x edit.Extend, field string) (edit.Ask, error) {
	asks, err := edit.Asks(e, a.deps.registry(), x)
	if err != nil {
		return edit.Ask{}, editError(err)
	}
	var found []edit.Ask
	for _, k := range asks {
		if k.Field.Name == field {
			found = append(found, k)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return edit.Ask{}, usage("ferry resource show "+x.Tag+" shows what moves with it", "no resource in the hierarchy of %s has the field %s", x.Tag, field)
	}
	var each []string
	for _, k := range found {
		each = append(each, fmt.Sprintf("--set %s.%s=VALUE", k.Tag.Short(), field))
	}
	return edit.Ask{}, usage("write "+strings.Join(each, " or "), "several resources in the hierarchy of %s have the field %s", x.Tag, field)
}

// extendFields sorts --FIELD and --set by resource.
func (a *cli) extendFields(e *hierarchy.Estate, x edit.Extend, fields *fieldFlags, sets []string) (map[string]map[string]string, error) {
	out := map[string]map[string]string{}
	put := func(tag, field, v string) {
		if out[tag] == nil {
			out[tag] = map[string]string{}
		}
		out[tag][field] = v
	}
	for server, own := range fields.given(e) {
		if server != "" && server != x.Server {
			return nil, usage("leave NODE= out", "there are fields for %s, but the resource is extended to %s", server, x.Server)
		}
		for field, v := range own {
			ask, err := a.askOf(e, x, field)
			if err != nil {
				return nil, err
			}
			put(ask.Tag.Short(), field, v)
		}
	}
	for _, s := range sets {
		name, v, ok := strings.Cut(s, "=")
		dot := strings.LastIndexByte(name, '.')
		if !ok || dot < 1 {
			return nil, usage("write --set TAG.FIELD=VALUE", "%q is not TAG.FIELD=VALUE", s)
		}
		put(name[:dot], strings.ReplaceAll(name[dot+1:], "-", "_"), v)
	}
	return out, nil
}

// askExtend asks at the terminal for required fields that nothing gives.
func (a *cli) askExtend(ctx context.Context, c *conn, e *hierarchy.Estate, x edit.Extend, answers map[string]string) error {
	asks, err := edit.Asks(e, a.deps.registry(), x)
	if err != nil {
		return editError(err)
	}
	for _, k := range asks {
		tag, field := k.Tag.Short(), k.Field.Name
		if !k.Field.Required || k.Default != "" && !(k.Far && a.interactive()) || x.Fields[tag][field] != "" || x.Fields[string(k.Tag)][field] != "" {
			continue
		}
		key := tag + "." + field
		if answers[key] == "" {
			if !a.interactive() {
				return usage("--set "+key+"=VALUE gives it", "%s (%s) of %s on %s is missing, and no server of its region has one", field, k.Field.Label, k.Tag, x.Server)
			}
			choices, err := a.choices(ctx, c, e, hierarchy.NewIndex(e).Resource(k.Tag).Kit, k.Field, x.Server, nil)
			if err != nil {
				a.say("note: no choices for %s: %s", field, err)
			}
			if answers[key], err = a.question(ctx, " of "+string(k.Tag)+" on "+x.Server, k.Field, k.Default, choices); err != nil {
				return err
			}
		}
		if x.Fields[tag] == nil {
			x.Fields[tag] = map[string]string{}
		}
		x.Fields[tag][field] = answers[key]
	}
	return nil
}

func (a *cli) resourceUnextendCmd() *cobra.Command {
	var f changing
	var u edit.Unextend
	cmd := &cobra.Command{
		Use:   "unextend TAG --from NODE",
		Short: "Take a resource, with its whole hierarchy, away from a server",
		Long: `Takes a resource and everything that moves with it away from NODE, where it must
not be in service: ferry in-service on another node, or ferry out-of-service, comes
first. No force helps: another node could start what still runs there.`,
		Example:           "  ferry resource unextend www --from LK_S_B",
		Args:              args(1, 1, "the TAG of a resource"),
		ValidArgsFunction: a.completeTag,
		RunE: func(cmd *cobra.Command, args []string) error {
			if u.Tag = args[0]; u.Server == "" {
				return usage("ferry resource show "+u.Tag+" shows its servers", "--from NODE is missing")
			}
			return a.change(cmd.Context(), f, these(u))
		},
	}
	f.bind(cmd)
	cmd.Flags().StringVar(&u.Server, "from", "", "the server to take it away from")
	cmd.Flags().BoolVar(&u.AllRoots, "all-roots", false, "take every root of the hierarchy away")
	_ = cmd.RegisterFlagCompletionFunc("from", a.completeServer)
	return cmd
}

func (a *cli) resourceDeleteCmd() *cobra.Command {
	var f changing
	var d edit.Delete
	var force bool
	cmd := &cobra.Command{
		Use:   "delete TAG",
		Short: "Delete a resource from the definition",
		Long: `Deletes a resource that no other one needs. What it needs stays, or goes too with
--below, as far as nothing else needs it.

What is in service is not deleted: ferry out-of-service comes first. --force deletes
it all the same: then it keeps running where it is, and nothing watches, recovers or
stops it any more.`,
		Example: `  ferry resource delete www
  ferry resource delete www --below --dry-run`,
		Args:              args(1, 1, "the TAG of a resource"),
		ValidArgsFunction: a.completeTag,
		RunE: func(cmd *cobra.Command, args []string) error {
			d.Tag = args[0]
			w := these(d)
			w.abandon = force
			return a.change(cmd.Context(), f, w)
		},
	}
	f.bind(cmd)
	cmd.Flags().BoolVar(&d.Below, "below", false, "also what it needs and nothing else needs")
	cmd.Flags().BoolVar(&force, "force", false, "also while it is in service; it keeps running")
	return cmd
}

func (a *cli) resourceSetCmd() *cobra.Command {
	var f changing
	var on, switchback string
	var priorities []string
	cmd := &cobra.Command{
		Use:   "set TAG [FIELD=VALUE ...]",
		Short: "Change fields, switchback type or priorities of a resource",
		Long: `Changes fields of a resource, for all its servers or, with --on, for one. An empty
VALUE takes the field away. Switchback type and priorities are set for the whole
hierarchy. Fields of what is in service do not change where it is in service.`,
		Example: `  ferry resource set www check=/opt/www/check2
  ferry resource set ip-www --on LK_S_A interface=eth1
  ferry resource set www --switchback automatic
  ferry resource set www --priority LK_P_A=2,LK_P_B=1`,
		Args:              args(1, 1000, "the TAG of a resource"),
		ValidArgsFunction: a.completeSet,
		RunE: func(cmd *cobra.Command, args []string) error {
			edits, err := setEdits(args[0], args[1:], on, switchback, priorities)
			if err != nil {
				return err
			}
			return a.change(cmd.Context(), f, these(edits...))
		},
	}
	f.bind(cmd)
	cmd.Flags().StringVar(&on, "on", "", "set the fields on this server alone")
	cmd.Flags().StringVar(&switchback, "switchback", "", "intelligent or automatic")
	cmd.Flags().StringSliceVar(&priorities, "priority", nil, "NODE=NUMBER, 1 is highest")
	_ = cmd.RegisterFlagCompletionFunc("on", a.completeServer)
	_ = cmd.RegisterFlagCompletionFunc("switchback", cobra.FixedCompletions([]string{string(hierarchy.Intelligent), string(hierarchy.Automatic)}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func setEdits(tag string, words []string, on, switchback string, priorities []string) ([]edit.Edit, error) {
	fields, err := assignments(words)
	if err != nil {
		return nil, err
	}
	var out []edit.Edit
	if len(fields) > 0 {
		out = append(out, edit.Set{Tag: tag, Server: on, Fields: fields})
	} else if on != "" {
		return nil, usage("write FIELD=VALUE", "--on %s, but no field to set there", on)
	}
	if switchback != "" {
		out = append(out, edit.SetSwitchback{Tag: tag, Switchback: hierarchy.Switchback(switchback)})
	}
	if len(priorities) > 0 {
		numbers := map[string]int{}
		for _, p := range priorities {
			server, n, _ := strings.Cut(p, "=")
			number, err := strconv.Atoi(n)
			if err != nil {
				return nil, usage("write --priority NODE=NUMBER", "%q is not NODE=NUMBER", p)
			}
			numbers[server] = number
		}
		out = append(out, edit.SetPriority{Tag: tag, Priorities: numbers})
	}
	if len(out) == 0 {
		return nil, usage("write FIELD=VALUE, --switchback or --priority", "nothing to set")
	}
	return out, nil
}
