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
	"github.com/ferry-ha/ferry/engine/hierarchy"
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

// Examine asks every node of the estate once, and AWS, and judges. Nothing changes.
func (e *Engine) Examine(ctx context.Context, q api.Examination) (*api.Diagnosis, error) {
	var x *hierarchy.Index
	if err := e.look(func() { x = e.world.Index() }); err != nil { // behind every change that was answered
		return nil, asAPI(err)
	}
	if x.Estate().Name == "" {
		return nil, &api.Error{Kind: api.KindNoSuch, Message: "no estate is defined here yet", Hint: "ferry apply FILE describes one"}
	}
	for _, n := range q.Nodes {
		if x.Server(n) == nil {
			return nil, &api.Error{Kind: api.KindNoSuch, Message: fmt.Sprintf("no server %q in this estate", n)}
		}
	}
	if bad := unknownChecks(slices.Concat(q.Checks, q.Except)); bad != "" {
		return nil, &api.Error{Kind: api.KindNoSuch, Message: fmt.Sprintf("no check %q", bad), Hint: "`ferry doctor --list` names them"}
	}
	began := time.Now()
	limit, cancel := context.WithTimeout(ctx, examineTimeout)
	defer cancel()
	c, trips, err := e.gatherCase(limit, x)
	if err != nil {
		return nil, asAPI(err)
	}
	d := &api.Diagnosis{At: began, Took: time.Since(began), Trips: trips, Findings: chosen(doctor.Examine(c), q)}
	return d, nil
}

// unknownChecks is the first word that begins no check's id.
func unknownChecks(words []string) string {
	for _, w := range words {
		if !slices.ContainsFunc(doctor.Checks(), func(c doctor.Check) bool { return begins(c.ID, w) }) {
			return w
		}
	}
	return ""
}

// begins says whether a word is an id or the part of it before a dot.
func begins(id, word string) bool { return id == word || strings.HasPrefix(id, word+".") }

func chosen(all []doctor.Finding, q api.Examination) []doctor.Finding {
	return slices.DeleteFunc(all, func(f doctor.Finding) bool {
		is := func(word string) bool { return begins(f.Check, word) }
		return len(q.Checks) > 0 && !slices.ContainsFunc(q.Checks, is) || slices.ContainsFunc(q.Except, is) ||
			len(q.Nodes) > 0 && !slices.ContainsFunc(f.Nodes, func(n string) bool { return slices.Contains(q.Nodes, n) })
	})
}

// asked is a resource on a node whose kit is to be asked.
type asked struct {
	tag    hierarchy.Tag
	active bool
	in     kits.Instance
}

// gatherCase asks all nodes and AWS side by side.
func (e *Engine) gatherCase(ctx context.Context, x *hierarchy.Index) (doctor.Case, int, error) {
	c := doctor.Case{Index: x, Nodes: map[string]*doctor.Facts{}, Peers: map[string]map[string]string{}, Surveys: map[string]*cloud.Survey{}, Zones: map[hierarchy.Tag]*cloud.ZoneSurvey{}}
	todo := map[string][]asked{}
	err := e.look(func() {
		for _, s := range x.Estate().Servers {
			c.Peers[s.Name] = e.nodeStatus(x, &s).Peers
			for _, t := range x.On(s.Name) {
				if k := e.opts.Kits[x.Resource(t).Kit]; k != nil && !k.Traits().ViaCloud {
					todo[s.Name] = append(todo[s.Name], asked{t, e.world.Active(t) == s.Name, e.instance(t, s.Name)})
				}
			}
		}
	})
	if err != nil {
		return c, 0, err
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	trips := 0
	for _, s := range x.Estate().Servers {
		wg.Go(func() {
			facts, ready, n := e.askNode(ctx, x, s.Name, todo[s.Name])
			mu.Lock()
			defer mu.Unlock()
			c.Nodes[s.Name], trips = facts, max(trips, n)
			c.Ready = append(c.Ready, ready...)
		})
	}
	if aws, ok := e.opts.Cloud.(doctor.Cloud); ok {
		e.askAccount(ctx, x, aws, &c, &mu, &wg)
	}
	wg.Wait()
	return c, trips, nil
}

// askNode puts all questions to one node, the kits' among them, in one round trip where each asks once.
func (e *Engine) askNode(ctx context.Context, x *hierarchy.Index, node string, todo []asked) (*doctor.Facts, []doctor.Ready, int) {
	facts := &doctor.Facts{}
	ready := make([]doctor.Ready, len(todo)) // each question writes its own place
	questions := doctor.Questions(x, node)
	var sent, received time.Time
	g := doctor.NewGather(node, func(ctx context.Context, scripts map[string]kits.Script, each func(string, kits.Result, error)) {
		began := time.Now()
		e.fleet.Batch(ctx, node, scripts, func(key string, r kits.Result, err error) {
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
			k := e.opts.Kits[t.in.Kit]
			ready[i] = doctor.Ready{Tag: t.tag, Node: node, Active: t.active, Said: k.Eligible(ctx, h, t.in)}
		})
	}
	g.All(ctx, ask...)
	return facts, ready, g.Trips()
}

// askAccount asks AWS about every region and every hosted zone.
func (e *Engine) askAccount(ctx context.Context, x *hierarchy.Index, aws doctor.Cloud, c *doctor.Case, mu *sync.Mutex, wg *sync.WaitGroup) {
	for _, r := range x.Estate().Regions {
		if !doctor.InCloud(x, r.Name) {
			continue
		}
		wg.Go(func() {
			a := doctor.Access(x, r.Name, "ec2")
			s := aws.Survey(ctx, a, doctor.SurveyQuestion(x, r.Name))
			for action, err := range aws.Rehearse(ctx, a, doctor.Rehearsals(x, r.Name, &s)) {
				if err != nil {
					s.Errors[action] = err
				}
			}
			mu.Lock()
			defer mu.Unlock()
			c.Surveys[r.Name] = &s
		})
	}
	for i := range x.Estate().Res {
		if r := &x.Estate().Res[i]; r.Kit == "route53" {
			wg.Go(func() {
				z := doctor.Names(ctx, aws, x, r)
				mu.Lock()
				defer mu.Unlock()
				c.Zones[r.Tag] = z
			})
		}
	}
}

// Mend carries a fix out if it is still the one that was shown, and looks again.
func (e *Engine) Mend(ctx context.Context, m api.Mending) (*api.Mended, error) {
	check, _, _ := strings.Cut(m.Finding, "@")
	d, err := e.reexamine(ctx, m.Finding, check)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(d.Findings, func(f doctor.Finding) bool { return f.ID() == m.Finding && f.Verdict != doctor.Pass })
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
	return e.lookAgain(ctx, m.Finding, check, out)
}

// reexamine looks at one check. A server that gives no answer has no findings of it: that is an error here, not health.
func (e *Engine) reexamine(ctx context.Context, finding, check string) (*api.Diagnosis, error) {
	const reached = "node.reached"
	d, err := e.Examine(ctx, api.Examination{Checks: []string{check, reached}})
	if err != nil {
		return nil, err
	}
	_, where, _ := strings.Cut(finding, "@")
	for _, f := range d.Findings {
		if f.Check == reached && f.Verdict != doctor.Pass && (where == f.Where || strings.HasSuffix(where, " on "+f.Where)) {
			return nil, &api.Error{Kind: api.KindUnavailable, Message: fmt.Sprintf("whether %s is so cannot be told: %s", finding, f.Reason.Text), Hint: "look again when it answers: ferry doctor"}
		}
	}
	if check != reached {
		d.Findings = slices.DeleteFunc(d.Findings, func(f doctor.Finding) bool { return f.Check == reached })
	}
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
func (e *Engine) lookAgain(ctx context.Context, finding, check, output string) (*api.Mended, error) {
	for try := 0; ; try++ {
		d, err := e.reexamine(ctx, finding, check)
		if err != nil {
			return nil, err
		}
		gone := !slices.ContainsFunc(d.Findings, func(f doctor.Finding) bool { return f.ID() == finding && f.Verdict != doctor.Pass })
		if gone || try == 3 || !strings.HasPrefix(check, "aws.") {
			return &api.Mended{After: d.Findings, Gone: gone, Output: output}, nil
		}
		select {
		case <-ctx.Done():
			return nil, asAPI(ctx.Err())
		case <-time.After(2 * time.Second):
		}
	}
}
