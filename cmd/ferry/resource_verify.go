package main

import (
	"context"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/spf13/cobra"
)

func (a *cli) resourceVerifyCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "verify TAG",
		Short: "Compare all copies of a mirror's data, block by block",
		Long: `Has the node that a mirror is in service on read its own disk and all copies that are
in sync, and compare them. Nothing is changed, and the service goes on; it takes as
long as reading everything over the network does. How far it is stands on the page of
the resource (ferry resource show TAG), how it ended in the events.`,
		Example: `  ferry resource verify datakeeper-pgdata
  ferry events --follow`,
		Args:              args(1, 1, "the TAG of a mirror"),
		ValidArgsFunction: a.completeTag,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), true, func(c *conn) error { return a.verify(cmd.Context(), c, args[0]) })
		},
	}
}

func (a *cli) verify(ctx context.Context, c *conn, typed string) error {
	if c.local {
		return fail(api.KindUnavailable, "ferry engine, or the service", "comparing takes a running engine, which follows it to its end; this command's own ends with it")
	}
	s, err := c.snapshot(ctx)
	if err != nil {
		return err
	}
	r, err := resource(s, typed)
	if err != nil {
		return err
	}
	o, ok := ordererOf(c.Service)
	if !ok {
		return fail(api.KindUnavailable, "", "nothing can be ordered from this engine")
	}
	if err := o.Order(ctx, api.Order{Tag: r.Tag, Task: "verify"}); err != nil {
		return err
	}
	a.say("the copies of %s will be compared; `ferry events --follow` tells how that ends", r.Tag)
	return nil
}

// ordererOf looks behind what bounds the calls.
func ordererOf(s api.Service) (api.Orderer, bool) {
	if b, ok := s.(bounded); ok {
		s = b.Service
	}
	o, ok := s.(api.Orderer)
	return o, ok
}
