package main

import (
	"context"
	"fmt"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/spf13/cobra"
)

// eventPage is how many events are read at a time.
const eventPage = 1000

func (a *cli) eventsCmd() *cobra.Command {
	var follow bool
	var limit int
	var after int64
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Show what happened, and why",
		Long: `Shows the last events, oldest first: state changes, verdicts on nodes, decisions
with their reasons, questions, operations, changed definitions.`,
		Example: `  ferry events -n 20
  ferry events --follow -o json`,
		Args: args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 {
				return usage("", "--limit %d: at least 1", limit)
			}
			ctx := cmd.Context()
			return a.with(ctx, false, func(c *conn) error {
				if follow {
					return a.followEvents(ctx, c, after, limit)
				}
				es, err := lastEvents(ctx, c, after, limit)
				if err != nil {
					return err
				}
				return a.print(EventListDocument{api.Version, "EventList", es}, func() string { return a.eventLines(es) })
			})
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on and show events as they happen")
	cmd.Flags().IntVarP(&limit, "limit", "n", 50, "how many events to show, the last ones")
	cmd.Flags().Int64Var(&after, "after", 0, "only events after this sequence number")
	return cmd
}

func (a *cli) eventLines(es []api.Event) string {
	text := ""
	for _, e := range es {
		text += view.Event(e, a.outStyle, a.now())
	}
	return text
}

// lastEvents are the last events after a sequence number, at most limit.
func lastEvents(ctx context.Context, c *conn, after int64, limit int) ([]api.Event, error) {
	var last []api.Event
	for {
		page, err := c.Events(ctx, after, eventPage)
		if err != nil {
			return nil, err
		}
		last = append(last, page...)
		last = last[max(len(last)-limit, 0):]
		if len(page) < eventPage {
			return last, nil
		}
		after = page[len(page)-1].Seq
	}
}

// followEvents begins to watch before it reads the past, so that no event falls
// between, and shows none twice.
func (a *cli) followEvents(ctx context.Context, c *conn, after int64, limit int) error {
	s, err := c.Snapshot(ctx)
	if err != nil {
		return err
	}
	updates, err := c.Watch(ctx, s.Revision)
	if err != nil {
		return fmt.Errorf("watching the engine: %w", err)
	}
	past, err := lastEvents(ctx, c, after, limit)
	if err != nil {
		return err
	}
	for i := range past {
		if err := a.printEvent(&past[i], &after); err != nil {
			return err
		}
	}
	for {
		select {
		case <-ctx.Done():
			return endOfWatch(ctx)
		case u, open := <-updates:
			if !open {
				return lostWatch(ctx)
			}
			if u.Event == nil {
				continue
			}
			if err := a.printEvent(u.Event, &after); err != nil {
				return err
			}
		}
	}
}

func (a *cli) printEvent(e *api.Event, shown *int64) error {
	if e.Seq <= *shown {
		return nil
	}
	*shown = e.Seq
	return a.stream(EventDocument{api.Version, "Event", e}, func() string { return view.Event(*e, a.outStyle, a.now()) })
}
