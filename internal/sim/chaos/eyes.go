package chaos

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/engine/plan"
	"github.com/ferry-ha/ferry/engine/policy"
	"github.com/ferry-ha/ferry/engine/runner"
	"github.com/ferry-ha/ferry/engine/store"
	"github.com/ferry-ha/ferry/internal/sim/nodesim"
)

// place is a resource on a node.
type place struct{ res, node string }

func (p place) String() string { return p.res + " on " + p.node }

// Violation is an invariant that was broken.
type Violation struct {
	Rule string // one of Rules
	What string
	At   time.Duration // since the beginning
}

func (v Violation) String() string { return fmt.Sprintf("%s: %s: %s", v.At, v.Rule, v.What) }

// eyes see what really runs on the nodes and what is in the store, and know what the
// scenario itself did. They judge every change at once (rules.go).
type eyes struct {
	shape  Shape
	byAddr map[string]string // virtual address → resource
	start  time.Time

	mu sync.Mutex // a leaf: nothing is called while it is held
	up map[place]bool
	// hand: what the scenario is doing with its own hands just now.
	hand map[place]bool
	// fault is when the scenario last took it down, stray where it started it.
	fault map[place]time.Time
	stray map[place]bool
	// excused are nodes that may go on running something although it moved on, and why.
	excused map[place]string
	last    map[string]string // resource → where it last came up on the engine's behalf
	yes     []permission
	acks    []ack

	off, hung, full map[string]bool
	// leaving is since when nodes go down in good order, slept when one last hung,
	// graceful what the engine has on record of it.
	leaving, slept map[string]time.Time
	graceful       map[string]bool

	cuts      map[[2]string]bool
	isolated  map[string]bool
	lying     map[place]bool // its check says failed whatever is true
	cloudLies bool           // EC2 answers something that is not so
	namesLie  bool           // Route 53 does
	wayLost   bool           // no packet gets from one region to the other through the tunnels
	tunnelBad time.Time      // when something was wrong with them last
	// bad is the last time at which it did not work there, worse the node itself.
	bad    map[place]time.Time
	worse  map[string]time.Time
	booted map[string]time.Time
	epochs map[string]uint64

	ops       map[string]*policy.Op
	journals  map[string]*runner.Journal
	questions map[string]policy.Question
	claims    map[string]claim
	losses    map[string]policy.Loss
	instances map[place]policy.Instance
	decided   map[string]policy.Decision // the last decision, by hierarchy's first resource
	freed     map[string]time.Time       // when a person last acted on it, by resource

	broken []Violation
	story  strings.Builder
}

// claim is a stored claim.
type claim struct {
	hierarchy.Claim
	Released bool `json:"released"`
}

// permission is a person's word for a move.
type permission struct {
	at  time.Time
	res string
	to  string
}

// ack is something that the engine accepted: an operation, or an answer to a question.
type ack struct {
	op, question, kind, by string
}

func newEyes(s Shape) *eyes {
	e := &eyes{
		shape: s, byAddr: map[string]string{}, start: time.Now(),
		up: map[place]bool{}, hand: map[place]bool{}, fault: map[place]time.Time{}, stray: map[place]bool{},
		excused: map[place]string{}, last: map[string]string{},
		leaving: map[string]time.Time{}, slept: map[string]time.Time{}, graceful: map[string]bool{},
		off: map[string]bool{}, hung: map[string]bool{}, full: map[string]bool{}, cuts: map[[2]string]bool{}, isolated: map[string]bool{},
		lying: map[place]bool{}, bad: map[place]time.Time{}, worse: map[string]time.Time{}, epochs: map[string]uint64{}, booted: map[string]time.Time{}, journals: map[string]*runner.Journal{},
		ops: map[string]*policy.Op{}, questions: map[string]policy.Question{}, claims: map[string]claim{},
		losses: map[string]policy.Loss{}, instances: map[place]policy.Instance{}, decided: map[string]policy.Decision{}, freed: map[string]time.Time{},
	}
	for i, r := range s.Resources {
		for _, n := range r.On {
			if r.Kit == "ip" {
				e.byAddr[s.address(i, n)] = r.Name
			}
		}
	}
	return e
}

// say adds a line to the story; e.mu is held.
func (e *eyes) say(format string, a ...any) {
	fmt.Fprintf(&e.story, "%-12s %s\n", time.Since(e.start).Round(10*time.Millisecond), fmt.Sprintf(format, a...))
}

func (e *eyes) violated(rule, format string, a ...any) {
	v := Violation{Rule: rule, What: fmt.Sprintf(format, a...), At: time.Since(e.start)}
	e.broken = append(e.broken, v)
	e.say("!!! %s: %s", v.Rule, v.What)
}

// told adds a line of the scenario's own.
func (e *eyes) told(format string, a ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.say(format, a...)
}

// node takes a change on a node; see nodesim.Options.Watch.
func (e *eyes) node(c nodesim.Change) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c.Kind == "power" {
		e.say("    %s has power: %v", c.Node, c.Up)
		e.off[c.Node] = !c.Up
		e.worse[c.Node] = time.Now()
		if c.Up {
			e.booted[c.Node] = time.Now()
		}
		for _, r := range e.shape.Resources {
			p := place{r.Name, c.Node}
			delete(e.up, p)
			delete(e.excused, p)
			delete(e.stray, p)
		}
		return
	}
	res := e.byAddr[c.What]
	if c.Kind == "service" {
		res = strings.TrimSuffix(c.What, ".service")
	}
	if e.shape.find(res) == nil {
		return
	}
	e.changed(place{res, c.Node}, c.Up)
}

// changed takes one that came up or went down. e.mu is held.
func (e *eyes) changed(p place, up bool) {
	byHand := e.hand[p]
	e.say("    %s: up %v%s", p, up, word(byHand, " (by hand)"))
	if !up {
		if !byHand {
			e.ruleStopOrder(p)
		}
		delete(e.up, p)
		delete(e.excused, p)
		delete(e.stray, p)
		e.bad[p] = time.Now()
		return
	}
	if byHand {
		e.stray[p] = true
		e.up[p] = true
		return
	}
	e.ruleOneActive(p)
	e.ruleUnasked(p)
	e.ruleStartOrder(p)
	e.up[p] = true
	delete(e.stray, p)
	e.last[p.res] = p.node
}

// commit takes what an engine wrote to the store.
func (e *eyes) commit(t store.Txn) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, kv := range t.Puts {
		kind, name, _ := strings.Cut(strings.TrimPrefix(kv.Key, "state/"), "/")
		switch kind {
		case "op":
			if op := decode[policy.Op](kv.Value); op != nil {
				e.operation(op)
			}
		case "question":
			if q := decode[policy.Question](kv.Value); q != nil {
				if had := e.questions[q.ID]; had.State != q.State {
					e.say("  question %s %s → %s: %s %s by %q", q.ID, q.From, q.To, q.State, q.Answer, q.By)
				}
				e.questions[q.ID] = *q
			}
		case "claim":
			if c := decode[claim](kv.Value); c != nil {
				e.claims[short(name)] = *c
			}
		case "loss":
			if l := decode[policy.Loss](kv.Value); l != nil {
				e.losses[short(name)] = *l
			}
		case "instance":
			res, node, _ := strings.Cut(short(name), "@")
			if in := decode[policy.Instance](kv.Value); in != nil {
				e.instances[place{res, node}] = *in
			}
		case "node":
			if n := decode[policy.Node](kv.Value); n != nil {
				e.graceful[name] = n.Graceful
			}
		case "event":
			e.event(kv.Value)
		case "journal":
			if j := decode[runner.Journal](kv.Value); j != nil {
				e.journals[j.Op] = j
			}
		}
	}
	for _, key := range t.Deletes {
		if name, ok := strings.CutPrefix(key, "state/loss/"); ok {
			delete(e.losses, short(name))
		}
	}
}

func (e *eyes) event(value []byte) {
	ev := decode[policy.Event](value)
	if ev == nil {
		return
	}
	e.say("  %s %s %s", ev.Kind, ev.Node, ev.Reason.Text)
	if d := ev.Decision; d != nil {
		e.decided[e.root(string(d.Tag))] = *d
	}
}

// root names a hierarchy: the first of its resources in the shape's order.
func (e *eyes) root(tag string) string {
	h := e.shape.hierarchy(short(tag))
	for _, r := range e.shape.Resources {
		if slices.Contains(h, r.Name) {
			return r.Name
		}
	}
	return ""
}

func (e *eyes) operation(op *policy.Op) {
	had := e.ops[op.ID]
	e.ops[op.ID] = op
	switch {
	case had == nil && e.aboutTunnels(op):
		e.say("  operation %s: %s %s on %s by %s", op.ID, op.Plan.Goal.Kind, op.Plan.Goal.Tag, op.Plan.Goal.Node, op.By)
	case had == nil:
		e.say("  operation %s: %s %v from %q to %q by %s unfenced=%v gone=%v", op.ID, op.Plan.Goal.Kind, op.Plan.Moves, op.Plan.Goal.From, op.Plan.Goal.Node, op.By, op.Plan.Goal.Unfenced, op.Plan.Goal.FromGone)
		e.ruleProvoked(op)
		e.ruleGoodOrder(op)
		e.ruleStorm(op)
	case had.Outcome != op.Outcome:
		e.say("  operation %s: %s %s", op.ID, op.Outcome, op.Reason.Text)
	}
}

// moves tells whether an operation touches a resource.
func moves(op *policy.Op, res string) bool {
	return slices.Contains(op.Plan.Moves, tag(res)) || op.Plan.Goal.Tag == tag(res)
}

// anyOp finds an operation that fits.
func (e *eyes) anyOp(fits func(*policy.Op) bool) *policy.Op {
	for _, op := range e.ops {
		if fits(op) {
			return op
		}
	}
	return nil
}

func recovering(op *policy.Op, p place) bool {
	g := op.Plan.Goal
	return op.Outcome == policy.OpRunning && g.Kind == plan.GoalRecover && g.Node == p.node && moves(op, p.res)
}

func short(name string) string { return strings.TrimPrefix(name, cluster+"/") }

func decode[T any](b []byte) *T {
	v := new(T)
	if json.Unmarshal(b, v) != nil {
		return nil
	}
	return v
}

func pair(a, b string) [2]string {
	if a > b {
		a, b = b, a
	}
	return [2]string{a, b}
}

// joined tells whether packets pass between two parties.
func (e *eyes) joined(a, b string) bool {
	return !e.cuts[pair(a, b)] && !e.isolated[a] && !e.isolated[b]
}

// reached tells whether the engine's way to a node is free.
func (e *eyes) reached(node string) bool {
	if !e.shape.Jump {
		return e.joined(nodesim.Engine, node)
	}
	return !e.off[bastion] && !e.hung[bastion] && e.joined(nodesim.Engine, bastion) && e.joined(bastion, node)
}

// wrong tells that something is really wrong with a node, or may look so to everybody
// that could be asked.
func (e *eyes) wrong(node string) bool {
	if e.off[node] || e.hung[node] || e.full[node] {
		return true
	}
	if e.reached(node) {
		return false
	}
	return slices.ContainsFunc(e.shape.Nodes, func(n Node) bool {
		return n.Name != node && (!e.joined(n.Name, node) || e.wayLost && n.Region != e.shape.regionOf(node))
	})
}
