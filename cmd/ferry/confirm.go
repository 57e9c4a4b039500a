package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/tui/model"
	"github.com/spf13/cobra"
)

func (a *cli) confirmCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "confirm",
		Short: "See and answer the questions that wait for a person",
		Args:  cobra.ArbitraryArgs,
		RunE:  group,
	}
	cmd.AddCommand(a.confirmListCmd(), a.confirmYesCmd(), a.confirmNoCmd())
	return cmd
}

func (a *cli) confirmListCmd() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the questions that wait for an answer",
		Example: "  ferry confirm list\n  ferry confirm list --all -o json",
		Args:    args(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return a.with(ctx, false, func(c *conn) error {
				s, err := c.snapshot(ctx)
				if err != nil {
					return err
				}
				qs := view.PendingOf(s)
				if all {
					qs = s.Questions
				}
				return a.print(QuestionListDocument{api.Version, "QuestionList", qs}, func() string {
					if len(qs) == 0 {
						return "no question waits for an answer\n"
					}
					return view.Questions(qs, s, a.outStyle, a.now())
				})
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "past questions too")
	return cmd
}

// yesFlags are what a person says with a yes.
type yesFlags struct {
	region, nodeIsOff           string
	fence, wait, noWait, dryRun bool
	acceptLoss                  bool
}

func (a *cli) confirmYesCmd() *cobra.Command {
	var f yesFlags
	cmd := &cobra.Command{
		Use:   "yes [ID]",
		Short: "Let a failover go ahead",
		Long: `Answers a question with yes. ID may be left out while one question waits.

A yes names the region that the service will run in: typed, or as --region. When
the node that it leaves is not proven dead, it may still be running, and a plain
yes is refused. Say one of

  --fence             stop that node through EC2 now, and go on when that is verified
  --node-is-off NODE  "I have made sure that NODE is off"; recorded with your name

When the service's data has no complete copy where it goes, the question says how old
that copy may be, and a yes is refused unless it says

  --accept-data-loss  what the copy lacks, as shown now, is lost for good; recorded with
                      your name. Nothing else is overridden by it`,
		Example: `  ferry confirm yes
  ferry confirm yes q-7 --region ap-southeast-1 --fence
  ferry confirm yes q-7 --region ap-southeast-1 --accept-data-loss`,
		Args: args(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.confirmYes(cmd.Context(), first(args), f)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.region, "region", "", "region that the service will run in")
	fl.StringVar(&f.nodeIsOff, "node-is-off", "", "I have made sure that this node is off")
	fl.BoolVar(&f.fence, "fence", false, "stop the old node through EC2 first")
	fl.BoolVar(&f.acceptLoss, "accept-data-loss", false, "what the shown copy of the data lacks is lost for good")
	fl.BoolVar(&f.dryRun, "dry-run", false, "show the question and its plan, answer nothing")
	bindWait(cmd, &f.wait, &f.noWait)
	cmd.MarkFlagsMutuallyExclusive("fence", "node-is-off")
	return cmd
}

func (a *cli) confirmNoCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "no [ID]",
		Short:   "Decline a failover; only a new loss asks again",
		Example: "  ferry confirm no q-7",
		Args:    args(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.with(ctx, false, func(c *conn) error {
				s, err := c.snapshot(ctx)
				if err != nil {
					return err
				}
				q, err := pickQuestion(s, first(args))
				if err != nil {
					return err
				}
				if err := c.Answer(ctx, api.Answer{Question: q.ID, Kind: "no"}); err != nil {
					return err
				}
				return a.printAnswer(q, "no")
			})
		},
	}
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func (a *cli) printAnswer(q *policy.Question, kind string) error {
	return a.print(AnswerDocument{api.Version, "Answer", q.ID, kind}, func() string {
		return fmt.Sprintf("answered %s to question %s (%s)\n", kind, q.ID, q.Tag)
	})
}

// pickQuestion finds a pending question by id; without one, the only one.
func pickQuestion(s *api.Snapshot, id string) (*policy.Question, error) {
	pending := view.PendingOf(s)
	if id == "" {
		switch len(pending) {
		case 0:
			return nil, fail(api.KindNoSuch, "", "no question waits for an answer")
		case 1:
			return &pending[0], nil
		}
		return nil, usage("ferry confirm list shows them", "%d questions wait for an answer: say which", len(pending))
	}
	for i := range s.Questions {
		q := &s.Questions[i]
		switch {
		case q.ID != id:
		case q.State == policy.Pending:
			return q, nil
		default:
			return nil, fail(api.KindNoSuch, "ferry confirm list shows what waits now", "question %s is over: %s", id,
				strings.TrimSpace(string(q.State)+" "+q.Answer+byWhom(q)))
		}
	}
	return nil, fail(api.KindNoSuch, "ferry confirm list shows what waits now", "no question %q", id)
}

func byWhom(q *policy.Question) string {
	if q.By == "" {
		return ""
	}
	return " by " + q.By
}

func (a *cli) confirmYes(ctx context.Context, id string, f yesFlags) error {
	return a.with(ctx, false, func(c *conn) error {
		s, err := c.looked(ctx)
		if err != nil {
			return err
		}
		q, err := pickQuestion(s, id)
		if err != nil {
			return err
		}
		if f.dryRun {
			return a.print(QuestionListDocument{api.Version, "QuestionList", []policy.Question{*q}}, func() string {
				return view.Question(*q, s, a.outStyle, a.now())
			})
		}
		fmt.Fprint(a.err, view.Question(*q, s, a.errStyle, a.now()))
		ans, err := a.composeYes(ctx, q, f)
		if err != nil {
			return err
		}
		return a.giveYes(ctx, c, s, q, ans, f.wait && !f.noWait)
	})
}

// composeYes turns flags and typed words into an answer, or says what is missing.
func (a *cli) composeYes(ctx context.Context, q *policy.Question, f yesFlags) (api.Answer, error) {
	ans := api.Answer{Question: q.ID}
	var err error
	if costs := view.Costs(*q, a.now()); len(costs) > 0 && !f.acceptLoss {
		return ans, fail(api.KindUnsafe, "--accept-data-loss accepts that; wait for the other region if it may come back", "DATA LOSS: %s", strings.Join(costs, "; DATA LOSS: "))
	}
	ans.Accept = model.Lacking(*q) // as it was shown right before
	if ans.Kind, err = a.yesKind(ctx, q, f); err != nil {
		return ans, err
	}
	if q.ToRegion != "" {
		ans.Typed, err = a.approveRegion(ctx, q.ToRegion, f.region, "--region "+view.Quote(q.ToRegion)+" confirms it")
	}
	return ans, err
}

// yesKind is what the person says of the node that the service leaves.
func (a *cli) yesKind(ctx context.Context, q *policy.Question, f yesFlags) (string, error) {
	switch {
	case f.fence:
		return "fence", nil
	case f.nodeIsOff != "":
		return "off", isThatNode(q, f.nodeIsOff)
	case q.Proven:
		return "yes", nil
	case !a.interactive():
		return "", fail(api.KindUnsafe, strings.Join([]string{
			"--fence stops it through EC2 first and goes on when that is verified",
			"--node-is-off " + view.Quote(q.From) + ` says "I have made sure that ` + q.From + ` is off"`}, "\n"),
			"%s is not proven dead, it may still be running: a plain yes could start the service twice", q.From)
	}
	return a.askYesKind(ctx, q)
}

func (a *cli) askYesKind(ctx context.Context, q *policy.Question) (string, error) {
	a.say("\n%s is not proven dead. Answer with one of\n  fence  stop it through EC2 now, go on when that is verified\n  off    I have made sure that %s is off\n  no     nothing moves", q.From, q.From)
	answer, err := a.ask(ctx, "Your answer:")
	if err != nil {
		return "", err
	}
	switch answer {
	case "fence":
		return "fence", nil
	case "off":
		typed, err := a.ask(ctx, "Type the name of the node that you have made sure is off:")
		if err != nil {
			return "", err
		}
		return "off", isThatNode(q, typed)
	}
	return "", fail(api.KindFailed, "ferry confirm no "+q.ID+" declines it", "nothing was answered: you typed %q", answer)
}

func isThatNode(q *policy.Question, typed string) error {
	if typed == q.From {
		return nil
	}
	return fail(api.KindUnsafe, "", "the question is about %s, but you say that %q is off; nothing was answered", q.From, typed)
}

func (a *cli) giveYes(ctx context.Context, c *conn, s *api.Snapshot, q *policy.Question, ans api.Answer, wait bool) error {
	old, err := c.Operations(ctx, lookBack)
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, o := range old {
		known[o.ID] = true
	}
	w, err := a.watchOperations(ctx, c, s)
	if err != nil {
		return err
	}
	defer w.stop()
	if err := c.Answer(ctx, ans); err != nil {
		return err
	}
	if !wait && !c.local {
		return a.printAnswer(q, ans.Kind)
	}
	op, err := a.follow(ctx, c, w, func(o *api.Operation) bool { return !known[o.ID] && o.Plan.Goal.Tag == q.Tag })
	if err != nil {
		return err
	}
	return errors.Join(a.printOperation(op), outcomeError(op))
}
