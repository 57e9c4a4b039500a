package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/spf13/cobra"
)

func (a *cli) statusCmd() *cobra.Command {
	var watch, check, look bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the estate: questions, nodes, resources",
		Long: `Shows who leads, which questions wait for an answer, what every node is taken
for, and the state of every resource on every server:

  ISP in service   ISU in service, impaired   OSU out of service
  OSF failed       ILLSTATE not known         H held: automation leaves it alone

The number is the priority, the arrow marks the active node.

status ends with 0 whatever it shows. With --check it ends with 1 when a resource
has failed and with 190 when anything else is not as it should be or a question
waits for an answer.

Where no engine runs, nothing is watched. status then shows what the last engine
recorded, says as of when, and touches no node; --check ends with 69. With --look it
looks at the nodes first, for up to 20 seconds.`,
		Example: `  ferry status
  ferry status --look
  ferry status --watch
  ferry status --check -o json`,
		Args: args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			a.quiet = !watch && !look
			return a.with(ctx, false, func(c *conn) error {
				switch {
				case watch:
					return a.watchStatus(ctx, c)
				case c.local && !look:
					return a.lastStatus(ctx, c, check)
				}
				return a.status(ctx, c, check)
			})
		},
	}
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "go on and show every change")
	cmd.Flags().BoolVar(&check, "check", false, "end with 190 when degraded, 1 when failed")
	cmd.Flags().BoolVar(&look, "look", false, "where no engine runs: look at the nodes first")
	cmd.MarkFlagsMutuallyExclusive("watch", "check")
	return cmd
}

func (a *cli) status(ctx context.Context, c *conn, check bool) error {
	s, err := c.looked(ctx)
	if err != nil {
		return err
	}
	if err := a.print(statusDocument(s), func() string { return view.Status(s, a.outStyle, a.now()) }); err != nil || !check {
		return err
	}
	return health(s)
}

func statusDocument(s *api.Snapshot) StatusDocument {
	return StatusDocument{api.Version, "Status", s}
}

// health says what is wrong, the worst first; nil when all is well.
func health(s *api.Snapshot) error {
	failed, degraded := view.Health(s)
	if len(failed) > 0 {
		return fail(api.KindFailed, "", "failed: %s", strings.Join(failed, "; "))
	}
	if len(degraded) > 0 {
		return fail(api.KindDegraded, "", "degraded: %s", strings.Join(degraded, "; "))
	}
	return nil
}

// watchStatus redraws on a terminal and appends what changed in a pipe, until the
// person ends it.
func (a *cli) watchStatus(ctx context.Context, c *conn) error {
	s, err := c.snapshot(ctx)
	if err != nil {
		return err
	}
	updates, err := c.Watch(ctx, s.Revision)
	if err != nil {
		return fmt.Errorf("watching the engine: %w", err)
	}
	w := &statusWatch{app: a, c: c, live: term.IsTerminal(a.out) && a.flags.output == "table"}
	if err := w.show(s); err != nil {
		return err
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return endOfWatch(ctx)
		case _, open := <-updates:
			if !open {
				return lostWatch(ctx)
			}
			if err := w.refresh(ctx, updates); err != nil {
				return err
			}
		case <-tick.C:
			if w.live {
				if err := w.show(w.last); err != nil {
					return err
				}
			}
		}
	}
}

// endOfWatch: an interrupt is how a watch ends, so it is not a failure; --timeout is.
func endOfWatch(ctx context.Context) error {
	if ctx.Err() == context.Canceled {
		return nil
	}
	return context.Cause(ctx)
}

func lostWatch(ctx context.Context) error {
	if ctx.Err() != nil {
		return endOfWatch(ctx)
	}
	return fail(api.KindUnavailable, "", "the engine went away")
}

type statusWatch struct {
	app  *cli
	c    *conn
	live bool
	last *api.Snapshot
}

// refresh reads the estate anew; updates that came meanwhile are in it.
func (w *statusWatch) refresh(ctx context.Context, updates <-chan api.Update) error {
	for n := len(updates); n > 0; n-- {
		<-updates
	}
	s, err := w.c.snapshot(ctx)
	if err != nil {
		if ctx.Err() != nil {
			return endOfWatch(ctx)
		}
		return err
	}
	if w.last != nil && s.Revision == w.last.Revision && !w.live {
		return nil
	}
	return w.show(s)
}

func (w *statusWatch) show(s *api.Snapshot) error {
	a, before := w.app, w.last
	w.last = s
	return a.stream(statusDocument(s), func() string {
		switch {
		case w.live:
			return a.screen(view.Status(s, a.outStyle, a.now()))
		case before == nil:
			return view.Status(s, a.outStyle, a.now())
		}
		return view.Changed(before, s, a.outStyle, a.now())
	})
}

// screen fits a page onto the terminal: what is too long for it is cut with a word
// about it, because scrolling away the questions at the top would be worse.
func (a *cli) screen(text string) string {
	if w, h := term.Size(a.out); w > 0 {
		a.outStyle.Cells, a.outStyle.Height = w, h
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if h := a.outStyle.Height; h > 2 && len(lines) > h-1 {
		rest := len(lines) - (h - 2)
		lines = append(lines[:h-2], a.outStyle.Paint(term.Dim, fmt.Sprintf("… %d more lines: ferry status", rest)))
	}
	// Each line clears its rest, and the end the rest of the screen: clearing all
	// of it first would flicker.
	return "\x1b[H" + strings.Join(lines, "\x1b[K\n") + "\x1b[K\n\x1b[J"
}
