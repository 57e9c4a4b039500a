package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/doctor"
	"github.com/ferry-ha/ferry/engine/fleet"
	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/kits/cloud"
	"github.com/ferry-ha/ferry/sshexec"
)

var _ api.Doctor = (*Engine)(nil)

// The times of an examination: one node's answers, and AWS's. The API's own limit is a little longer.
const (
	examineTimeout = 75 * time.Second
	mendTimeout    = 40 * time.Second
)

// Examine asks the nodes that it is about once, and AWS, and judges. Nothing changes.
func (e *Engine) Examine(ctx context.Context, q api.Examination) (*api.Diagnosis, error) {
	l := looking{e: e, fleet: e.fleet, scope: doctor.Scope{Checks: q.Checks, Except: q.Except, Nodes: q.Nodes}}
	if bad := l.scope.Unknown(); bad != "" {
		return nil, &api.Error{Kind: api.KindNoSuch, Message: fmt.Sprintf("no check %q", bad), Hint: "`ferry doctor --list` names them"}
	}
	done, err := l.define(q.Estate)
	if err != nil {
		return nil, err
	}
	defer done()
	for _, n := range q.Nodes {
		if l.x.Server(n) == nil {
			return nil, &api.Error{Kind: api.KindNoSuch, Message: fmt.Sprintf("no server %q in this estate", n)}
		}
	}
	began := time.Now()
	limit, cancel := context.WithTimeout(ctx, examineTimeout)
	defer cancel()
	c, asked, err := l.gather(limit)
	if err != nil {
		return nil, asAPI(err)
	}
	d := &api.Diagnosis{At: began, Took: time.Since(began), Asked: asked, Findings: l.scope.Of(doctor.Examine(c))}
	for _, n := range asked {
		d.Trips = max(d.Trips, n)
	}
	return d, nil
}

// looking is one examination.
type looking struct {
	e     *Engine
	x     *hierarchy.Index
	fleet *fleet.Fleet
	scope doctor.Scope
	draft bool // the definition is not the one in force
}

// define takes the definition that is examined: the one in force, or a draft, whose nodes are reached by
// connections of their own. What it gives is called when all is over.
func (l *looking) define(draft *hierarchy.Estate) (done func(), err error) {
	if draft != nil {
		next := copyEstate(draft)
		if ps := hierarchy.Validate(next, l.e.opts.Kits); len(ps) > 0 {
			return nil, badDefinition(ps)
		}
		l.x, l.draft = hierarchy.NewIndexFor(next, l.e.opts.Kits), true
		l.fleet = fleet.New(l.e.opts.Nodes, func(string) {}, l.e.log)
		l.fleet.Define(next, l.e.identity())
		return l.fleet.Close, nil
	}
	if err := l.e.look(func() { l.x = l.e.world.Index() }); err != nil { // behind every change that was answered
		return nil, asAPI(err)
	}
	if l.x.Estate().Name == "" {
		return nil, &api.Error{Kind: api.KindNoSuch, Message: "no estate is defined here yet", Hint: "ferry apply FILE describes one"}
	}
	return func() {}, nil
}

// asked is a resource on a node whose kit is to be asked.
type asked struct {
	tag    hierarchy.Tag
	active bool
	in     kits.Instance
}

// besidePatience is how much longer than the servers that somebody asked about those may take that are only compared
// with them: a busy server needs a moment more, and one that hangs is not worth waiting for.
const besidePatience = 3 * time.Second

// gather asks the nodes and AWS side by side, and says how many times each node was asked. Of those that are only
// compared with others, none is asked that the engine does not take for alive.
func (l *looking) gather(ctx context.Context) (doctor.Case, map[string]int, error) {
	c := doctor.Case{Index: l.x, Nodes: map[string]*doctor.Facts{}, Surveys: map[string]*cloud.Survey{}, Zones: map[hierarchy.Tag]*cloud.ZoneSurvey{}}
	wanted, beside := l.scope.Servers(l.x)
	todo := map[string][]asked{}
	err := l.e.look(func() {
		for _, name := range wanted {
			todo[name] = l.kitsOn(name)
		}
		if l.draft {
			return // the engine has not watched these nodes
		}
		c.Peers = map[string]map[string]string{}
		for _, s := range l.x.Estate().Servers {
			c.Peers[s.Name] = l.e.nodeStatus(l.x, &s).Peers
		}
		beside = slices.DeleteFunc(beside, func(name string) bool {
			n := l.e.world.Nodes[name]
			return n == nil || n.Verdict != policy.Alive && n.Verdict != policy.Degraded
		})
	})
	if err != nil {
		return c, nil, err
	}
	var mu sync.Mutex
	trips := map[string]int{}
	put := func(wg *sync.WaitGroup, ctx context.Context, name string, only bool) {
		wg.Go(func() {
			facts, ready, n := l.askNode(ctx, name, only, todo[name])
			mu.Lock()
			defer mu.Unlock()
			c.Nodes[name], trips[name] = facts, n
			c.Ready = append(c.Ready, ready...)
		})
	}
	var first, second sync.WaitGroup
	bounded, stop := context.WithCancel(ctx)
	defer stop()
	for _, name := range beside {
		put(&second, bounded, name, true)
	}
	for _, name := range wanted {
		put(&first, ctx, name, false)
	}
	if aws, ok := l.e.opts.Cloud.(doctor.Cloud); ok {
		l.askAccount(ctx, aws, &c, &mu, &first)
	}
	first.Wait()
	patience := time.AfterFunc(besidePatience, stop)
	defer patience.Stop()
	second.Wait()
	return c, trips, nil
}

// kitsOn are the resources on a node whose kits the scope wants asked. Loop only.
func (l *looking) kitsOn(node string) []asked {
	var out []asked
	for _, t := range l.x.On(node) {
		kit := l.x.Resource(t).Kit
		if k := l.e.opts.Kits[kit]; k != nil && !k.Traits().ViaCloud && l.scope.Wants("kit."+kit) {
			active := l.e.world.Active(t)
			out = append(out, asked{t, active == node, l.e.withRecord(hierarchy.InstanceOf(l.x, t, node, active))})
		}
	}
	return out
}

// askNode puts all questions to one node, the kits' among them, in one round trip where each asks once.
func (l *looking) askNode(ctx context.Context, node string, beside bool, todo []asked) (*doctor.Facts, []doctor.Ready, int) {
	facts := &doctor.Facts{}
	ready := make([]doctor.Ready, len(todo)) // each question writes its own place
	questions := l.scope.Questions(l.x, node, beside)
	var sent, received time.Time
	g := doctor.NewGather(node, func(ctx context.Context, scripts map[string]kits.Script, each func(string, kits.Result, error)) {
		began := time.Now()
		l.fleet.Batch(ctx, node, scripts, func(key string, r kits.Result, err error) {
			if scripts[key].Name == doctor.ProbeName {
				sent, received = began, time.Now()
			}
			each(key, r, err)
		})
	})
	ask := []func(context.Context, kits.Host){func(ctx context.Context, h kits.Host) {
		res, err := h.Run(ctx, doctor.Script(questions))
		if err != nil {
			kind := sshexec.KindOf(err)
			*facts = doctor.Facts{Err: err, Denied: slices.Contains([]sshexec.Kind{sshexec.SudoRefused, sshexec.AuthFailed, sshexec.HostKeyUnknown, sshexec.HostKeyChanged, sshexec.Refused}, kind)}
			return
		}
		*facts = doctor.Read(questions, res, sent, received)
	}}
	for i, t := range todo {
		ask = append(ask, func(ctx context.Context, h kits.Host) {
			k := l.e.opts.Kits[t.in.Kit]
			ready[i] = doctor.Ready{Tag: t.tag, Node: node, Active: t.active, Said: k.Eligible(ctx, h, t.in)}
		})
	}
	g.All(ctx, ask...)
	return facts, ready, g.Trips()
}

// askAccount asks AWS about every region and every hosted zone, where a check wants to know.
func (l *looking) askAccount(ctx context.Context, aws doctor.Cloud, c *doctor.Case, mu *sync.Mutex, wg *sync.WaitGroup) {
	for _, r := range l.x.Estate().Regions {
		if !l.scope.Account() || !doctor.InCloud(l.x, r.Name) {
			continue
		}
		wg.Go(func() {
			s := survey(ctx, aws, l.x, r.Name)
			mu.Lock()
			defer mu.Unlock()
			c.Surveys[r.Name] = s
		})
	}
	for i := range l.x.Estate().Res {
		if r := &l.x.Estate().Res[i]; r.Kit == "route53" && l.scope.Names() {
			wg.Go(func() {
				z := doctor.Names(ctx, aws, l.x, r)
				mu.Lock()
				defer mu.Unlock()
				c.Zones[r.Tag] = z
			})
		}
	}
}

// survey reads what stands in a region, and whether the changes that the estate may need there are permitted.
func survey(ctx context.Context, aws doctor.Cloud, x *hierarchy.Index, region string) *cloud.Survey {
	a := doctor.Access(x, region, "ec2")
	s := aws.Survey(ctx, a, doctor.SurveyQuestion(x, region))
	for action, err := range aws.Rehearse(ctx, a, doctor.Rehearsals(x, region, &s)) {
		if err != nil {
			s.Errors[action] = err
		}
	}
	return &s
}

// Mend carries a fix out if it is still the one that was shown, and looks again.
func (e *Engine) Mend(ctx context.Context, m api.Mending) (*api.Mended, error) {
	d, err := e.reexamine(ctx, m)
	if err != nil {
		return nil, err
	}
	i := stands(d, m)
	switch {
	case i < 0:
		return &api.Mended{After: d.Findings, Gone: true}, nil
	case !d.Findings[i].Fix.Safe:
		return nil, &api.Error{Kind: api.KindUnsafe, Message: fmt.Sprintf("%s is not for ferry to mend", m.Finding), Hint: d.Findings[i].Fix.Text}
	case d.Findings[i].Fix.Command != m.Command:
		return nil, &api.Error{Kind: api.KindUnsafe, Message: fmt.Sprintf("what would mend %s is not what was shown any more; nothing was done", m.Finding), Hint: "look again: ferry doctor"}
	}
	out, err := e.carryFixOut(ctx, d.Findings[i].Fix)
	if err != nil {
		return nil, asAPI(err)
	}
	return e.lookAgain(ctx, m, out)
}

// checkOf is the check of a finding that is named by its id.
func checkOf(m api.Mending) string {
	check, _, _ := strings.Cut(m.Finding, "@")
	return check
}

// stands is where the finding is among those of a diagnosis; -1 = it is gone.
func stands(d *api.Diagnosis, m api.Mending) int {
	return slices.IndexFunc(d.Findings, func(f doctor.Finding) bool { return f.ID() == m.Finding && f.Verdict != doctor.Pass })
}

// reexamine looks at one check on the servers that the finding concerned. One of them that gives no answer has no findings
// of it: where the finding is not there, that is an error and not health. Who did not say which servers the finding
// concerned has all of them asked.
func (e *Engine) reexamine(ctx context.Context, m api.Mending) (*api.Diagnosis, error) {
	const reached = "node.reached"
	check := checkOf(m)
	q := api.Examination{Checks: []string{check}, Nodes: m.Nodes}
	asks := func(c doctor.Check) bool {
		return c.ID == check && c.Subject != doctor.OfCloud && c.Subject != doctor.OfEstate
	}
	if slices.ContainsFunc(doctor.Checks(), asks) {
		q.Checks = append(q.Checks, reached)
	}
	d, err := e.Examine(ctx, q)
	if err != nil || check == reached {
		return d, err
	}
	if stands(d, m) < 0 {
		for _, f := range d.Findings {
			if f.Check == reached && f.Verdict != doctor.Pass {
				return nil, &api.Error{Kind: api.KindUnavailable, Message: fmt.Sprintf("whether %s is so cannot be told: %s", m.Finding, f.Reason.Text), Hint: "look again when it answers: ferry doctor"}
			}
		}
	}
	d.Findings = slices.DeleteFunc(d.Findings, func(f doctor.Finding) bool { return f.Check == reached })
	return d, nil
}

// carryFixOut runs a safe fix, under the same guards as every other change.
func (e *Engine) carryFixOut(ctx context.Context, f doctor.Fix) (string, error) {
	limit, cancel := e.clock.WithTimeout(ctx, mendTimeout)
	defer cancel()
	if f.Interface != "" {
		aws, ok := e.opts.Cloud.(doctor.Cloud)
		if !ok {
			return "", &api.Error{Kind: api.KindUnavailable, Message: "this engine has no way to AWS"}
		}
		x := e.index.Load()
		for _, s := range x.Estate().Servers {
			if s.ENI == f.Interface {
				if el := e.mayAct(limit, "doctor", s.Name); el.Outcome != kits.OK {
					return "", &api.Error{Kind: api.KindBusy, Message: el.Reason.Text}
				}
			}
		}
		return "", aws.SetSourceDestCheck(limit, doctor.Access(x, f.Region, "ec2"), f.Interface, false)
	}
	if lost := e.lost.Load(); lost != nil {
		return "", lost
	}
	host := e.fleet.Acting(f.Node, unitPrefix(e.id, "doctor")+newID(), "doctor")
	res, err := host.Run(limit, kits.Script{Name: "doctor/mend", Body: f.Command + "\n", Deadline: mendTimeout / 2, Mutates: true})
	if err != nil {
		return "", err
	}
	said := kits.Clean(res.Stdout+res.Stderr, 600)
	if res.Exit != 0 {
		return "", &api.Error{Kind: api.KindFailed, Message: fmt.Sprintf("on %s the command ended with %d: %s", f.Node, res.Exit, said)}
	}
	return said, nil
}

// lookAgain tells whether it helped. AWS may show a change late.
func (e *Engine) lookAgain(ctx context.Context, m api.Mending, output string) (*api.Mended, error) {
	for try := 0; ; try++ {
		d, err := e.reexamine(ctx, m)
		if err != nil {
			return nil, err
		}
		gone := stands(d, m) < 0
		if gone || try == 3 || !strings.HasPrefix(checkOf(m), "aws.") {
			return &api.Mended{After: d.Findings, Gone: gone, Output: output}, nil
		}
		select {
		case <-ctx.Done():
			return nil, asAPI(ctx.Err())
		case <-time.After(2 * time.Second):
		}
	}
}
