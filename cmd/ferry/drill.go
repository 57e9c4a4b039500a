package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/cmd/ferry/internal/view"
	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/drill"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/spf13/cobra"
)

// drilling are the flags of drill.
type drilling struct {
	to, probe, command, region, report, reports string
	breaks, mends                               string // commands run here
	period, stay, settle, wait                  time.Duration
	noProbe, failure, noBack, yes, dryRun       bool
}

func (a *cli) drillCmd() *cobra.Command {
	var d drilling
	cmd := &cobra.Command{
		Use:   "drill TAG --probe TARGET | --no-probe",
		Short: "Test a switchover: go there and back, measure what clients see, and write a report",
		Long: `Takes the hierarchy of TAG to another server and back, as a test, and measures for
how long clients did not get an answer. This moves production: it asks first.

Before anything moves, everything must be well: all servers seen, nothing degraded,
failed, held or going on, the standby ready, copies of data in sync, and the probe
answered. While it runs, the probe looks at the service from here, --period apart:
HOST:PORT is connected to, a URL is fetched, --probe-command must end with 0. After each
move the drill waits until everything is in service and the probe is answered again.

Without --to it is the best standby of the same region. Another region is crossed to only
when --to and --confirm-region name it; that is the way back's confirmation, too.

With --failure a person breaks the service instead, in a way that they can undo, and the
drill measures what the engine does about it. Then it goes back where it came from.
--break-command breaks it in the person's place: it is shown before the question and runs
once, here. --mend-command undoes it: it runs after the engine has acted, and in any case
when the drill ends after something was broken.

Reports are kept beside the state directory; ferry drill history compares them.
An interrupt leaves the service where it is and says where that is.`,
		Example: `  ferry drill app-www --probe https://www.example.com/health
  ferry drill app-www --to LK_P_B --probe 10.1.0.10:80 --period 100ms --report drill.md
  ferry drill app-www --to LK_S_A --confirm-region ap-southeast-1 --probe-command "curl -fsS http://www.example.com/"
  ferry drill app-www --failure --probe 10.1.0.10:80
  ferry drill app-www --failure --probe 10.1.0.10:80 --break-command "ssh lk-p-a systemctl kill www"
  ferry drill history`,
		Args:              args(1, 1, "the TAG of a resource"),
		ValidArgsFunction: a.completeTag,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.drill(cmd.Context(), args[0], d) },
	}
	f := cmd.Flags()
	f.StringVar(&d.to, "to", "", "server to go to (default: the best standby of the same region)")
	f.StringVar(&d.region, "confirm-region", "", "confirm that the service goes to this other region, and back")
	f.StringVar(&d.probe, "probe", "", "what clients use: HOST:PORT or a URL")
	f.StringVar(&d.command, "probe-command", "", "a command that ends with 0 when the service answers")
	f.BoolVar(&d.noProbe, "no-probe", false, "measure operations only, nothing that clients see")
	f.DurationVar(&d.period, "period", 200*time.Millisecond, "time between two looks of the probe")
	f.DurationVar(&d.stay, "stay", 10*time.Second, "how long to stay before going back")
	f.DurationVar(&d.settle, "settle", 5*time.Minute, "how long the service may take to be well after a move")
	f.BoolVar(&d.failure, "failure", false, "a person breaks the service, and what the engine does is measured")
	f.StringVar(&d.breaks, "break-command", "", "with --failure: a command that breaks the service, run here")
	f.StringVar(&d.mends, "mend-command", "", "with --break-command: a command that undoes it, run here")
	f.DurationVar(&d.wait, "wait-failure", 15*time.Minute, "with --failure: how long to wait for the engine to act")
	f.BoolVar(&d.noBack, "no-back", false, "leave the service where it went")
	f.BoolVarP(&d.yes, "yes", "y", false, "do not ask; confirms no crossing")
	f.BoolVar(&d.dryRun, "dry-run", false, "only say whether it could begin, and what it would do")
	f.StringVar(&d.report, "report", "", "write the report to this file, too, as Markdown")
	cmd.PersistentFlags().StringVar(&d.reports, "reports", "", "directory in which reports are kept")
	cmd.MarkFlagsMutuallyExclusive("probe", "probe-command", "no-probe")
	_ = cmd.RegisterFlagCompletionFunc("to", a.completeServer)
	cmd.AddCommand(a.drillHistoryCmd(&d), a.drillShowCmd(&d))
	return cmd
}

// rehearsal is one drill under way.
type rehearsal struct {
	app    *cli
	c      *conn
	d      drilling
	res    *hierarchy.Resource
	from   string
	probe  *prober
	report *drill.Report
	broke  bool // the break command was begun, and its mend command not yet
}

func (a *cli) drill(ctx context.Context, typed string, d drilling) error {
	var l look
	what := ""
	switch {
	case d.period < 10*time.Millisecond || d.period > time.Minute:
		return usage("write a time from 10ms to 1m", "--period %s cannot be", d.period)
	case d.breaks != "" && !d.failure:
		return usage("--failure is the drill that breaks something", "--break-command without --failure breaks nothing")
	case d.mends != "" && d.breaks == "":
		return usage("--break-command says what it undoes", "--mend-command without --break-command undoes nothing")
	case d.probe != "" || d.command != "":
		var err error
		if l, what, err = probeOf(d.probe, d.command); err != nil {
			return err
		}
		if a.deps.look != nil {
			l = func(ctx context.Context) error { return a.deps.look(ctx, d.probe) }
		}
	case !d.noProbe:
		return usage("--probe HOST:PORT or URL, --probe-command, or --no-probe to measure operations alone", "what do clients use? Without a probe nobody knows what they saw")
	}
	return a.with(ctx, false, func(c *conn) error {
		s, err := c.looked(ctx)
		if err != nil {
			return err
		}
		r, err := a.rehearse(s, c, typed, d)
		if err != nil {
			return err
		}
		if l != nil {
			r.report.Probe, r.report.Period = what, d.period
			r.probe = startProbe(ctx, l, d.period)
			defer r.probe.stop()
		}
		return r.run(ctx, s)
	})
}

// rehearse finds out what goes where.
func (a *cli) rehearse(s *api.Snapshot, c *conn, typed string, d drilling) (*rehearsal, error) {
	res, err := resource(s, typed)
	if err != nil {
		return nil, err
	}
	x := hierarchy.NewIndex(s.Estate)
	from := ""
	for i := range s.Resources {
		if s.Resources[i].Tag == res.Tag {
			from = s.Resources[i].Active
		}
	}
	if from == "" {
		return nil, fail(api.KindUnsafe, "ferry in-service "+view.Quote(string(res.Tag))+" brings it up", "%s is in service nowhere: there is nothing to drill", res.Tag)
	}
	if d.to == "" {
		for _, p := range x.PlacementsByPriority(res.Tag) {
			if p.Server != from && x.SameRegion(p.Server, from) {
				d.to = p.Server
				break
			}
		}
		if d.to == "" {
			return nil, fail(api.KindUnsafe, "--to NODE --confirm-region REGION goes to another one", "%s has no other server in the region of %s", res.Tag, from)
		}
	}
	if err := server(s, d.to); err != nil {
		return nil, err
	}
	if d.failure && (c.local || !s.Engine.Automation) {
		return nil, fail(api.KindUnsafe, "ferry engine is the one that acts by itself", "no engine runs that would do anything about a failure")
	}
	now := a.now()
	r := &drill.Report{ID: now.UTC().Format("20060102T150405Z"), Estate: s.Estate.Name, Tag: string(res.Tag), Test: "switchover", By: userName(), Began: now, From: from, To: d.to}
	if d.failure {
		r.Test = "failure"
	}
	if !x.SameRegion(from, d.to) {
		r.Crosses = x.RegionOf(d.to)
	}
	return &rehearsal{app: a, c: c, d: d, res: res, from: from, report: r}, nil
}

// run is the drill from its checks to its report.
func (r *rehearsal) run(ctx context.Context, s *api.Snapshot) error {
	a := r.app
	store, err := a.drillStore(r.d)
	if err != nil {
		return err
	}
	if !r.d.dryRun {
		if err := store.writable(); err != nil {
			return err
		}
	}
	pv, err := r.ready(ctx, s)
	if err != nil {
		return err
	}
	fmt.Fprint(a.err, checksText(r.report.Checks))
	fmt.Fprint(a.err, view.Preview(pv, "", a.errStyle, a.now()))
	if r.d.breaks != "" {
		a.say("breaks, here:  %s", r.d.breaks)
	}
	if r.d.mends != "" {
		a.say("mends, here:   %s", r.d.mends)
	}
	if bad := drill.Failing(r.report.Checks); len(bad) > 0 {
		return fail(api.KindUnsafe, cmp.Or(bad[0].Fix, "put that right and try again"), "no drill now, and nothing was moved: %s", bad[0].Text)
	}
	if err := refusal(pv, false); err != nil {
		return err
	}
	if r.d.dryRun {
		a.say("it could begin now; nothing was moved")
		return nil
	}
	if err := r.approve(ctx, pv); err != nil {
		return err
	}
	r.carryOut(ctx)
	return r.finish(store)
}

// ready makes the checks and asks every veto on the target.
func (r *rehearsal) ready(ctx context.Context, s *api.Snapshot) (*api.Preview, error) {
	x := hierarchy.NewIndex(s.Estate)
	r.report.Checks = drill.Ready(s, x, r.res.Tag, r.report.To)
	if r.probe != nil {
		began := time.Now()
		for len(drill.Between(r.probe.samples(), began, time.Now())) < 5 && time.Since(began) < 10*time.Second+5*r.d.period {
			if err := rest(ctx, r.d.period); err != nil {
				return nil, err
			}
		}
		c := drill.Check{Name: "probe", OK: r.probe.answers(began), Text: "the probe is answered (" + r.report.Probe + ")"}
		if !c.OK {
			c.Text, c.Fix = "the probe is not answered while the service is said to be well ("+r.report.Probe+")", "look from where it runs: here"
			for _, one := range r.probe.samples() {
				if !one.OK {
					c.Text += ": " + one.Said
					break
				}
			}
		}
		r.report.Checks = append(r.report.Checks, c)
	}
	return r.c.Preview(ctx, r.command(r.report.To))
}

func (r *rehearsal) command(to string) api.Command {
	return api.Command{ID: newCommandID(), Goal: plan.Goal{Kind: plan.GoalInService, Tag: r.res.Tag, Node: to}}
}

// approve asks. A crossing needs its region's name on the command line.
func (r *rehearsal) approve(ctx context.Context, pv *api.Preview) error {
	a := r.app
	if pv.Crosses != "" && r.d.region != pv.Crosses {
		return fail(api.KindUnsafe, "--confirm-region "+view.Quote(pv.Crosses)+" confirms it, there and back; --yes does not",
			"this drill would take the service to region %s: that must be confirmed by the region's name", pv.Crosses)
	}
	if r.d.yes {
		return nil
	}
	if !a.interactive() {
		return fail(api.KindUnsafe, "look at the plan above; --yes begins without a question", "a drill interrupts the service, and nobody is there to be asked")
	}
	way := "there and back"
	if r.d.noBack {
		way = "and leave it there"
	}
	if r.d.breaks != "" {
		return a.confirmed(ctx, fmt.Sprintf("Clients of %s will be interrupted. Run the command that breaks it, and go back to %s in the end?", r.res.Tag, r.from))
	}
	if r.d.failure {
		return a.confirmed(ctx, fmt.Sprintf("Clients of %s will be interrupted. Begin the drill, break it by hand, and go back to %s in the end?", r.res.Tag, r.from))
	}
	return a.confirmed(ctx, fmt.Sprintf("Clients of %s will be interrupted. Take it to %s, %s?", r.res.Tag, r.report.To, way))
}

// carryOut moves, and notes what went wrong instead of giving up the report.
func (r *rehearsal) carryOut(ctx context.Context) {
	err := r.there(ctx)
	err = errors.Join(err, r.mendIt(context.WithoutCancel(ctx))) // also of a drill that is given up
	if err == nil && !r.d.noBack {
		err = r.back(ctx)
	}
	if err == nil {
		r.report.Now = r.whereNow(ctx)
		return
	}
	if ctx.Err() != nil || errors.Is(err, context.Canceled) {
		r.report.Result = drill.Aborted
		err = errors.New("interrupted")
	}
	r.report.Problems = append(r.report.Problems, err.Error())
	r.report.Now = r.whereNow(context.WithoutCancel(ctx))
	r.sayWhere()
}

// sayWhere tells, after a drill that did not come to its end, how things stand.
func (r *rehearsal) sayWhere() {
	a, tag := r.app, view.Quote(string(r.res.Tag))
	switch r.report.Now {
	case "":
		a.say("%s is not known to be in service anywhere now: ferry status and ferry operations tell more; what was begun goes on in the engine", r.res.Tag)
	case r.from:
		a.say("%s is in service on %s, where it was before", r.res.Tag, r.from)
	default:
		line := "ferry in-service " + tag + " --on " + view.Quote(r.from)
		if r.report.Crosses != "" {
			line += " --confirm-region REGION"
		}
		a.say("%s is in service on %s and stays there; to go back: %s", r.res.Tag, r.report.Now, line)
	}
}

// whereNow is where the service is, when the engine says so soon.
func (r *rehearsal) whereNow(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	s, err := r.c.snapshot(ctx)
	if err != nil {
		return ""
	}
	for i := range s.Resources {
		if s.Resources[i].Tag == r.res.Tag {
			return s.Resources[i].Active
		}
	}
	return ""
}

// finish judges, keeps and prints the report.
func (r *rehearsal) finish(store drillStore) error {
	r.report.Ended = r.app.now()
	r.report.Judge()
	kept := store.keep(r.report)
	if r.d.report != "" {
		kept = errors.Join(kept, writeFile(r.d.report, drill.Markdown(r.report)))
	}
	printed := r.app.print(DrillDocument{api.Version, "Drill", r.report}, func() string { return drillText(r.report) })
	if r.report.Result != drill.Passed {
		printed = errors.Join(printed, fail(api.KindFailed, "", "the drill %s: %s", r.report.Result, strings.Join(r.report.Problems, "; ")))
	}
	return errors.Join(kept, printed)
}

// rest waits, unless ctx ends first.
func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
