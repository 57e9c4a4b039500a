package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ferry-ha/ferry/engine/hierarchy"
	"github.com/ferry-ha/ferry/kits"
)

// View is what a plan rests on beside the definition: who holds what.
type View interface {
	// Active is the node that holds the resource by a claim in force; "" = nobody.
	Active(hierarchy.Tag) string
	// Works tells that the resource is known to be in service on the node.
	Works(hierarchy.Tag, string) bool
	// WasUp tells that the last that is known of the resource on the node, however old, is
	// that it is in service.
	WasUp(hierarchy.Tag, string) bool
	// Seen tells that the last check found something of the resource on the node,
	// whoever holds it.
	Seen(hierarchy.Tag, string) bool
	// HighestClaim is the highest claim number ever given out for the resource.
	HighestClaim(hierarchy.Tag) uint64
}

// Records is a View that also knows the records of kits that keep one (kits.Keeper): what
// a start changes may depend on them.
type Records interface {
	// Record is what is kept of a resource, and whether that is in doubt.
	Record(hierarchy.Tag) (record []byte, doubtful bool)
}

// Error says why no plan can be made for a goal.
type Error struct {
	Code string // "plan.no-such-resource", "plan.not-extended", "plan.nothing"
	Tag  hierarchy.Tag
	Node string
	Text string
}

// Error is the English text.
func (e *Error) Error() string { return e.Text }

// The deadlines of steps that no kit answers for.
const (
	claimTimeout = 20 * time.Second // one small write on the node, one in the store
	fenceTimeout = 5 * time.Minute  // an EC2 stop takes a minute or more to be verified
	kitTimeout   = 2 * time.Minute  // a kit this program does not know
	// keepTimeout is what the start of a kits.Keeper's resource may take longer: its record
	// is written on the other nodes first.
	keepTimeout = 20 * time.Second
)

// Make makes the plan that reaches the goal. Errors are *Error: an unknown
// resource, a resource that is not extended to the target, nothing to do.
func Make(x *hierarchy.Index, reg kits.Registry, v View, g Goal) (Plan, error) {
	if x.Resource(g.Tag) == nil {
		return Plan{}, &Error{Code: "plan.no-such-resource", Tag: g.Tag, Text: fmt.Sprintf("there is no resource %s in this estate", g.Tag)}
	}
	b := newBuilder(x, reg, v, g)
	var err error
	switch g.Kind {
	case GoalInService, GoalFailover:
		err = b.move()
	case GoalOutOfService:
		err = b.outOfService()
	case GoalRecover:
		err = b.recoverHere()
	case GoalStopStale:
		err = b.stopStale()
	case GoalAdopt:
		err = b.adopt()
	default:
		err = &Error{Code: "plan.unknown-goal", Tag: g.Tag, Text: fmt.Sprintf("there is no goal %q", g.Kind)}
	}
	if err == nil && len(b.plan.Steps) == 0 {
		err = &Error{Code: "plan.nothing", Tag: g.Tag, Node: g.Node, Text: fmt.Sprintf("there is nothing to do for %s", g.Tag)}
	}
	if err != nil {
		return Plan{}, err
	}
	return b.plan, nil
}

// builder holds a plan under construction. Step ids are found again by the
// number of their resource in set.
type builder struct {
	x    *hierarchy.Index
	kits kits.Registry
	v    View
	g    Goal
	plan Plan

	set    []hierarchy.Tag // what moves, children first
	in     map[hierarchy.Tag]int
	traits []kits.Traits
	insts  map[string][]slot // by node, by the resource's number
}

// slot holds an instance once it was asked for.
type slot struct {
	made bool
	in   kits.Instance
}

func newBuilder(x *hierarchy.Index, reg kits.Registry, v View, g Goal) *builder {
	return &builder{x: x, kits: reg, v: v, g: g, plan: Plan{Goal: g}, insts: make(map[string][]slot, 2)}
}

// use fixes what the plan changes.
func (b *builder) use(tags []hierarchy.Tag) {
	b.set = b.x.StartOrder(tags...)
	b.plan.Moves = b.set
	b.in = make(map[hierarchy.Tag]int, len(b.set))
	b.traits = make([]kits.Traits, len(b.set))
	steps := 3*len(b.set) + 2 // ask, start, check; claim and fence
	if !b.g.FromGone {
		steps += len(b.set) // stop
	}
	for i, t := range b.set {
		b.in[t] = i
		if k := b.kit(t); k != nil {
			b.traits[i] = k.Traits()
			if b.traits[i].Veto {
				steps++
			}
		}
	}
	b.plan.Steps = make([]Step, 0, steps)
}

func (b *builder) kit(t hierarchy.Tag) kits.Kit {
	if r := b.x.Resource(t); r != nil {
		return b.kits[r.Kit]
	}
	return nil
}

// instance is what the kit is told about the resource on a node, for a plan that
// has it active on the goal's node. A plan asks several times: it is kept.
func (b *builder) instance(t hierarchy.Tag, node string) kits.Instance {
	i, ok := b.in[t]
	if !ok {
		return b.makeInstance(t, node)
	}
	kept := b.insts[node]
	if kept == nil {
		kept = make([]slot, len(b.set))
		b.insts[node] = kept
	}
	if !kept[i].made {
		kept[i] = slot{true, b.makeInstance(t, node)}
	}
	return kept[i].in
}

func (b *builder) makeInstance(t hierarchy.Tag, node string) kits.Instance {
	active := b.g.Node
	if active == "" {
		active = b.v.Active(t)
	}
	in := hierarchy.InstanceOf(b.x, t, node, active)
	if r, ok := b.v.(Records); ok {
		in.Record, in.Doubtful = r.Record(t)
	}
	return in
}

// act makes a step that a kit performs.
func (b *builder) act(kind StepKind, t hierarchy.Tag, node string, after []string) Step {
	s := Step{ID: b.id(kind, t.Short()), Kind: kind, Tag: t, Node: node, After: after, Timeout: kitTimeout}
	k := b.kit(t)
	if k == nil || b.x.Placement(t, node) == nil {
		return s
	}
	in, a := b.instance(t, node), kits.Action(kind)
	s.Timeout = k.Timeout(a, in)
	if kind == StepStart {
		s.Timeout = StartTimeout(k, in)
	}
	switch kind {
	case StepStart, StepStop, StepRecover:
		s.Effects = k.Effects(a, in)
	}
	if kind == StepStop {
		s.UndoTimeout = StartTimeout(k, in)
	}
	return s
}

// StartTimeout is the deadline of a start with all that comes before it.
func StartTimeout(k kits.Kit, in kits.Instance) time.Duration {
	if _, keeps := k.(kits.Keeper); keeps {
		return k.Timeout(kits.ActStart, in) + keepTimeout
	}
	return k.Timeout(kits.ActStart, in)
}

// add appends the step and gives its id.
func (b *builder) add(s Step) string {
	b.plan.Steps = append(b.plan.Steps, s)
	return s.ID
}

// id makes the next step's id, which also names units on nodes: letters, digits,
// dots, dashes and underscores only.
func (b *builder) id(kind StepKind, what string) string {
	n := len(b.plan.Steps) + 1
	var sb strings.Builder
	sb.Grow(len(kind) + len(what) + 5)
	if n < 10 {
		sb.WriteByte('0')
	}
	sb.WriteString(strconv.Itoa(n))
	sb.WriteByte('-')
	sb.WriteString(string(kind))
	if what != "" {
		sb.WriteByte('-')
	}
	for i := range len(what) {
		c := what[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_':
			sb.WriteByte(c)
		default:
			sb.WriteByte('-')
		}
	}
	return sb.String()
}

func (b *builder) note(code, text string, pairs ...string) {
	b.plan.Notes = append(b.plan.Notes, kits.Why(code, text, pairs...))
}

// untouched names the rest of the hierarchy that is in service and stays so.
func (b *builder) untouched() {
	for _, t := range b.x.Hierarchy(b.g.Tag) {
		if _, moves := b.in[t]; moves {
			continue
		}
		if at := b.v.Active(t); at != "" {
			b.plan.Untouched = append(b.plan.Untouched, string(t)+" on "+at)
		}
	}
}

// ended lists the ids that are set, without repetition.
func ended(ids []string, of ...int) []string {
	var out []string
	for _, i := range of {
		if ids[i] != "" && !slices.Contains(out, ids[i]) {
			out = append(out, ids[i])
		}
	}
	return out
}
