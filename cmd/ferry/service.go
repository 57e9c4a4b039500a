package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/spf13/cobra"
)

// acting are the flags of commands that move something.
type acting struct {
	dryRun, yes, force, wait, noWait bool
	confirmRegion                    string
}

func (f *acting) bind(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.BoolVar(&f.dryRun, "dry-run", false, "print the plan and change nothing")
	fl.BoolVarP(&f.yes, "yes", "y", false, "do not ask; overrides no refusal and confirms no crossing")
	fl.BoolVar(&f.force, "force", false, "override a refusal")
	fl.StringVar(&f.confirmRegion, "confirm-region", "", "confirm that the service moves to this other region")
	bindWait(cmd, &f.wait, &f.noWait)
}

// bindWait gives a command --wait, on by default, and --no-wait.
func bindWait(cmd *cobra.Command, wait, noWait *bool) {
	cmd.Flags().BoolVar(wait, "wait", true, "wait for the end and show the steps")
	cmd.Flags().BoolVar(noWait, "no-wait", false, "return when the engine has accepted it")
	cmd.MarkFlagsMutuallyExclusive("wait", "no-wait")
}

func (a *cli) inServiceCmd() *cobra.Command {
	var f acting
	var on string
	cmd := &cobra.Command{
		Use:   "in-service TAG [--on NODE]",
		Short: "Take a resource and what it needs into service; a switchover when it is active elsewhere",
		Long: `Takes a resource and everything it needs into service on NODE. When it is active
on another node it is switched over. The plan is shown first.

TAG may be written without its cluster where only one cluster uses it. Without
--on the engine chooses the node.`,
		Example: `  ferry in-service service/app-www --on LK_P_B
  ferry in-service app-www --on LK_P_B --dry-run -o json
  ferry in-service app-www --on LK_S_A --confirm-region ap-southeast-1`,
		Args:              args(1, 1, "the TAG of a resource"),
		ValidArgsFunction: a.completeTag,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.carryOut(cmd.Context(), plan.GoalInService, args[0], on, f)
		},
	}
	f.bind(cmd)
	cmd.Flags().StringVar(&on, "on", "", "node to take it into service on")
	_ = cmd.RegisterFlagCompletionFunc("on", a.completeServer)
	return cmd
}

func (a *cli) outOfServiceCmd() *cobra.Command {
	var f acting
	cmd := &cobra.Command{
		Use:   "out-of-service TAG",
		Short: "Take a resource and what stands on it out of service",
		Long: `Takes a resource out of service where it is active, after everything that needs
it. It stays out of service until somebody takes it into service again.`,
		Example:           `  ferry out-of-service service/app-www`,
		Args:              args(1, 1, "the TAG of a resource"),
		ValidArgsFunction: a.completeTag,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.carryOut(cmd.Context(), plan.GoalOutOfService, args[0], "", f)
		},
	}
	f.bind(cmd)
	return cmd
}

// carryOut is a command from the name that was typed to the end of the operation.
func (a *cli) carryOut(ctx context.Context, kind plan.GoalKind, typed, node string, f acting) error {
	return a.with(ctx, false, func(c *conn) error {
		s, err := c.looked(ctx)
		if err != nil {
			return err
		}
		res, err := resource(s, typed)
		if err != nil {
			return err
		}
		if node != "" {
			if err := server(s, node); err != nil {
				return err
			}
		}
		cmd := api.Command{ID: rand.Text(), ConfirmRegion: f.confirmRegion,
			Goal: plan.Goal{Kind: kind, Tag: res.Tag, Node: node, Force: f.force}}
		pv, err := c.Preview(ctx, cmd)
		if err != nil {
			return err
		}
		line := equivalent(cmd.Goal, pv)
		if f.dryRun {
			a.sayPrices(view.Prices(pv, s, a.now()))
			return errors.Join(a.printPreview(pv, line), refusal(pv, f.force))
		}
		return a.approveAndSubmit(ctx, c, s, cmd, pv, line, f)
	})
}

func (a *cli) printPreview(pv *api.Preview, line string) error {
	return a.print(PreviewDocument{api.Version, "Preview", line, pv}, func() string {
		return view.Preview(pv, line, a.outStyle, a.now())
	})
}

func (a *cli) approveAndSubmit(ctx context.Context, c *conn, s *api.Snapshot, cmd api.Command, pv *api.Preview, line string, f acting) error {
	prices := view.Prices(pv, s, a.now())
	if err := refusal(pv, f.force); err != nil {
		if len(pv.Plan.Steps) > 0 {
			fmt.Fprint(a.err, view.Preview(pv, "", a.errStyle, a.now()))
			a.sayPrices(prices)
		}
		return err
	}
	if len(pv.Plan.Steps) == 0 {
		a.say("nothing to do: %s", view.Headline(pv.Plan.Goal, a.errStyle))
		return a.printOperation(&api.Operation{})
	}
	fmt.Fprint(a.err, view.Preview(pv, line, a.errStyle, a.now()))
	a.sayPrices(prices)
	region, err := a.approve(ctx, pv, f, len(prices) > 0)
	if err != nil {
		return err
	}
	cmd.ConfirmRegion = region
	cmd.Goal.Node = pv.Plan.Goal.Node // what was shown is what is asked for
	w, err := a.watchOperations(ctx, c, s)
	if err != nil {
		return err
	}
	defer w.stop()
	sub, err := c.Submit(ctx, cmd)
	if err != nil {
		return err
	}
	return a.seeThrough(ctx, c, w, sub.Op, f.wait && !f.noWait)
}

// sayPrices says what the plan costs in data.
func (a *cli) sayPrices(prices []string) { fmt.Fprint(a.err, view.PriceLines(prices, a.errStyle)) }

// refusal is the error of a preview that the policy refuses, or that a node's
// eligibility speaks against: such a plan would end at its first step.
func refusal(pv *api.Preview, force bool) error {
	if pv.Refused != nil {
		hint := pv.Refused.Reason.Args["hint"]
		if hint == "" && pv.Refused.Kind == policy.RefusedUnsafe && !force && !beyondForce(pv.Refused.Reason.Code) {
			hint = "--force overrides a refusal where a person's word is enough; read the reason first"
		}
		return &api.Error{Kind: refusedKind(pv.Refused.Kind), Message: "refused: " + view.Reason(pv.Refused.Reason),
			Hint: hint, Code: pv.Refused.Reason.Code}
	}
	if no := view.Objections(pv); len(no) > 0 && !force {
		return fail(api.KindUnsafe, "put that right and try again; nothing was changed\n--force starts it all the same; read first what that costs", "refused: %s", strings.Join(no, "; "))
	}
	return nil
}

// beyondForce tells that nobody's word helps against a refusal: what is missing must be there.
func beyondForce(code string) bool {
	switch code {
	case "target-not-alive", "holder-not-alive", "from-alive-unreached", "runs-twice", "child-not-in-service":
		return true
	}
	return false
}

// approve gets a person's word for a plan: a yes inside a region, the region's name
// across, the node's name where data is given up. It returns the region that was confirmed.
// A script's word for data that is given up is the --force in it.
func (a *cli) approve(ctx context.Context, pv *api.Preview, f acting, loses bool) (string, error) {
	if pv.Crosses != "" {
		return a.approveRegion(ctx, pv.Crosses, f.confirmRegion,
			"--confirm-region "+view.Quote(pv.Crosses)+" confirms it; --yes alone does not")
	}
	if f.yes {
		return f.confirmRegion, nil
	}
	if !a.interactive() {
		return "", fail(api.KindUnsafe, "look at the plan above; --yes carries it out without a question",
			"this changes what is in service, and nobody is there to be asked")
	}
	if loses {
		return f.confirmRegion, a.approveLoss(ctx, pv.Plan.Goal.Node)
	}
	return f.confirmRegion, a.confirmed(ctx, "Carry this plan out?")
}

// approveLoss wants the name of the node whose data is to count from now on.
func (a *cli) approveLoss(ctx context.Context, node string) error {
	typed, err := a.ask(ctx, fmt.Sprintf("Data is lost for good, as shown above. Type the server's name to confirm: %s:", view.Quote(node)))
	if err != nil {
		return err
	}
	if typed != node {
		return fail(api.KindUnsafe, "", "you typed %q and not %q; nothing was done", typed, node)
	}
	return nil
}

// approveRegion wants the target region's name: from the flag, else typed.
func (a *cli) approveRegion(ctx context.Context, region, given, hint string) (string, error) {
	if given == "" && !a.interactive() {
		return "", fail(api.KindUnsafe, hint, "the service would move to region %s: that needs to be confirmed by the region's name", region)
	}
	if given == "" {
		typed, err := a.ask(ctx, fmt.Sprintf("The service moves to region %s. Type the region's name to confirm:", region))
		if err != nil {
			return "", err
		}
		given = typed
	}
	if given != region {
		return "", fail(api.KindUnsafe, "", "you confirmed region %q, but the service would move to region %q; nothing was done", given, region)
	}
	return given, nil
}

// equivalent is the command line that asks for the same, for scripts.
func equivalent(g plan.Goal, pv *api.Preview) string {
	line := "ferry " + string(g.Kind) + " " + view.Quote(string(g.Tag))
	if node := pv.Plan.Goal.Node; g.Kind == plan.GoalInService && node != "" {
		line += " --on " + view.Quote(node)
	}
	if g.Force {
		line += " --force"
	}
	if pv.Crosses != "" {
		return line + " --confirm-region " + view.Quote(pv.Crosses)
	}
	return line + " --yes"
}
