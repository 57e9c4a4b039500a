package chaos

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
)

// Result is what came of a run.
type Result struct {
	Broken []Violation // at most the first few; empty = all well
	Story  string      // everything that happened, with virtual times
	Ops    int         // operations on record
}

// Run carries the scenario out; dir takes keys and known_hosts. It stops at the first
// violation. The error says that the run could not be made at all, which is no verdict.
func Run(ctx context.Context, sc Scenario, dir string) (res Result, err error) {
	w, err := bring(ctx, sc, dir)
	if w == nil {
		return res, err
	}
	defer func() {
		w.close()
		w.eyes.mu.Lock()
		defer w.eyes.mu.Unlock()
		res.Broken, res.Story, res.Ops = w.eyes.broken, w.eyes.story.String(), len(w.eyes.ops)
	}()
	if err != nil {
		return res, fmt.Errorf("bringing the estate up: %w", err)
	}
	began := time.Now()
	for _, ev := range sc.Events {
		if !w.pass(ctx, ev.At-time.Since(began)) {
			return res, nil
		}
		w.eyes.told("* %s", ev)
		deeds[ev.Do](w, ev.Args)
	}
	for w.someLeave() { // a shutdown under way ends: nobody can take it back
		if !w.pass(ctx, second) {
			return res, nil
		}
	}
	w.eyes.told("* all is well again")
	w.heal()
	if w.pass(ctx, sc.Quiet) {
		w.settled(ctx)
	}
	return res, nil
}

// second is how often the world is looked at between events.
const second = time.Second

// pass lets time go by, looking every second; false when something was broken.
func (w *stack) pass(ctx context.Context, d time.Duration) bool {
	for until := time.Now().Add(d); ; {
		if w.look(ctx) {
			return false
		}
		left := time.Until(until)
		if left <= 0 {
			return true
		}
		time.Sleep(min(left, second))
	}
}

// look keeps engines alive and dead as the scenario wants them, and notes the truth.
func (w *stack) look(ctx context.Context) (broken bool) {
	if p := w.proc; p != nil && p.store.isDead() {
		w.eyes.told("  the engine died at a commit")
		w.killEngine(w.nextAfter)
	}
	if len(w.old) > 0 && time.Now().After(w.oldUntil) {
		for _, p := range w.old {
			p.crash()
		}
		w.old = nil
	}
	if w.proc == nil && !time.Now().Before(w.restart) {
		if err := w.boot(ctx); err != nil {
			w.eyes.told("  %v", err)
			w.restart = time.Now().Add(5 * time.Second)
		}
	}
	aws := map[place]bool{}
	for i := range w.sc.Shape.Resources {
		if r := &w.sc.Shape.Resources[i]; outside(r.Kit) {
			for _, n := range r.On {
				aws[place{r.Name, n}] = w.holds(r, n)
			}
		}
	}
	w.lookAtTunnels()
	epochs := map[string]uint64{}
	for _, n := range w.sc.Shape.Nodes {
		if text, err := w.sim.Nodes.Node(n.Name).ReadFile("/var/lib/ferry/record"); err == nil {
			epochs[n.Name] = epochOf(text)
		}
	}
	w.mark(func(e *eyes) { e.note(aws, epochs); broken = len(e.broken) > 0 })
	return broken
}

func epochOf(record string) uint64 {
	for line := range strings.Lines(record) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "epoch="); ok {
			n, _ := strconv.ParseUint(v, 10, 64)
			return n
		}
	}
	return 0
}

// note writes down what is wrong just now; aws is what AWS has. e.mu is held.
func (e *eyes) note(aws map[place]bool, epochs map[string]uint64) {
	now := time.Now()
	for _, n := range e.shape.Nodes {
		if e.wrong(n.Name) {
			e.worse[n.Name] = now
		}
		if e.hung[n.Name] {
			e.slept[n.Name] = now
		}
		if epoch, ok := epochs[n.Name]; ok {
			e.ruleEpoch(n.Name, epoch)
		}
	}
	for _, r := range e.shape.Resources {
		for _, n := range r.On {
			p := place{r.Name, n}
			if outside(r.Kit) && e.up[p] != aws[p] {
				e.say("    %s: up %v", p, aws[p])
				e.up[p] = aws[p]
			}
			if !e.up[p] || e.lying[p] || r.Kit == "ec2" && e.cloudLies || r.Kit == "route53" && e.namesLie {
				e.bad[p] = now
			}
		}
	}
	e.ruleLost(false)
}

// begin brings every hierarchy into service on its first node.
func (w *stack) begin(ctx context.Context) error {
	var roots []string
	for i := range w.sc.Shape.Resources {
		if name := w.sc.Shape.Resources[i].Name; w.isRoot(name) {
			roots = append(roots, name)
		}
	}
	// Each may have to wait for a check of what another one has just started.
	deadline := time.Now().Add(time.Duration(2+2*len(roots)) * time.Minute)
	for len(roots) > 0 {
		r := w.sc.Shape.find(roots[0])
		w.allow(permission{time.Now(), r.Name, r.On[0]})
		_, err := w.proc.eng.Submit(ctx, api.Command{Goal: plan.Goal{Kind: plan.GoalInService, Tag: tag(r.Name), Node: r.On[0]}, By: "anna"})
		if err == nil && w.idle() && w.eyes.serves(r.Name, r.On[0]) {
			roots = roots[1:]
			continue
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s does not come into service on %s: %v\n%s", r.Name, r.On[0], err, w.eyes.story.String())
		}
		w.pass(ctx, second)
	}
	w.mark(func(e *eyes) { e.yes = nil })
	if w.sc.Shape.VPN {
		return w.beginVPN(ctx)
	}
	return nil
}

// isRoot: nothing needs it.
func (w *stack) isRoot(name string) bool {
	return !slices.ContainsFunc(w.sc.Shape.Resources, func(r Resource) bool { return slices.Contains(r.Needs, name) })
}

func (w *stack) idle() bool {
	w.eyes.mu.Lock()
	defer w.eyes.mu.Unlock()
	return w.eyes.anyOp(func(op *policy.Op) bool { return op.Outcome == policy.OpRunning }) == nil
}

// serves: the resource's claim is there, and it runs.
func (e *eyes) serves(res, node string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.claims[res].Node == node && (e.up[place{res, node}] || outside(e.shape.find(res).Kit))
}

// heal ends every fault. Who pulled a plug puts it back in.
func (w *stack) heal() {
	w.disk.Fill(false)
	w.ec2Well()
	w.r53Well()
	w.sim.Route53.SetSyncLag(syncLag)
	w.sim.EC2.SetStateLag(0)
	w.sim.Nodes.HealAll()
	w.mark(func(e *eyes) { clear(e.cuts); clear(e.isolated); clear(e.hung); clear(e.full); clear(e.lying) })
	for _, s := range w.sim.Definition.Servers {
		n := w.sim.Nodes.Node(s.Name)
		n.Resume()
		n.SetDiskFull(false)
		w.powerOn(s.Name)
		for i := range w.sc.Shape.Resources {
			if r := &w.sc.Shape.Resources[i]; slices.Contains(r.On, s.Name) {
				w.mend(n, r)
			}
		}
	}
	w.healVPN()
	if w.proc != nil {
		w.proc.store.dieAt(0, false)
		w.proc.store.stall(0)
	}
	for _, p := range w.old {
		p.crash()
	}
	w.old = nil
}
