package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/term"
	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/notify"
	"github.com/spf13/cobra"
)

func (a *cli) notifyCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "notify",
		Short: "Try the channels over which people are told what happens",
		Args:  cobra.ArbitraryArgs,
		RunE:  group,
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "test [NAME]",
		Short: "Send a test message over a channel of the definition, or over all, and say what became of it",
		Long: `Sends a test message over the channel [notify.NAME] of the definition in force, or
over all of them, once each, and says what became of it. The engine sends it: it is
the one whose files, programs and network count. When none runs here, this process
sends it, and says so.`,
		Example: `  ferry notify test
  ferry notify test oncall`,
		Args: args(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error { return a.notifyTest(cmd.Context(), first(args)) },
	})
	return cmd
}

// NotifyTestDocument is printed by notify test.
type NotifyTestDocument struct {
	Version string             `json:"version"`
	Kind    string             `json:"kind"`
	Results []api.NotifyResult `json:"results"`
}

func (a *cli) notifyTest(ctx context.Context, name string) error {
	return a.with(ctx, false, func(c *conn) error {
		results, err := a.testChannels(ctx, c, name)
		if err != nil {
			return err
		}
		if len(results) == 0 {
			return fail(api.KindNoSuch, "docs/watching.md shows how to write one", "the definition has no [notify.NAME]: nobody is told what happens")
		}
		err = a.print(NotifyTestDocument{api.Version, "NotifyTest", results}, func() string { return notifyLines(results) })
		for _, r := range results {
			if !r.OK {
				return errors.Join(err, fail(api.KindFailed, "", "not every test message was delivered"))
			}
		}
		return err
	})
}

// testChannels has the engine send, or sends itself when it is the engine.
func (a *cli) testChannels(ctx context.Context, c *conn, name string) ([]api.NotifyResult, error) {
	if !c.local {
		t, ok := testerOf(c.Service)
		if !ok {
			return nil, fail(api.KindUnavailable, "", "this engine cannot be asked to send notifications")
		}
		return t.TestNotify(ctx, name)
	}
	s, err := c.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	a.say("notice: no engine runs here, so this process sends; whether the engine could, only a test with it running tells")
	results, known := notify.Test(ctx, s, name, notifyOptions(nil, engineOptions{}))
	if !known {
		return nil, noChannel(name)
	}
	return results, nil
}

// testerOf looks behind what bounds the calls.
func testerOf(s api.Service) (api.NotifyTester, bool) {
	if b, ok := s.(bounded); ok {
		s = b.Service
	}
	t, ok := s.(api.NotifyTester)
	return t, ok
}

func noChannel(name string) *api.Error {
	return &api.Error{Kind: api.KindNoSuch, Message: fmt.Sprintf("the definition has no [notify.%s]", name), Hint: "ferry export shows those it has"}
}

func notifyLines(results []api.NotifyResult) string {
	var b strings.Builder
	for _, r := range results {
		word := "delivered"
		if !r.OK {
			word = "failed"
		}
		fmt.Fprintf(&b, "%s (%s): %s after %s\n", view.Quote(r.Name), r.Channel, word, r.Took.Round(time.Millisecond))
		if r.Error != "" {
			fmt.Fprintf(&b, "  %s\n", term.Clean(r.Error))
		}
	}
	return b.String()
}
