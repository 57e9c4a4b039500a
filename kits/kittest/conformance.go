package kittest

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ferry-ha/ferry/kits"
)

// World is where a kit is tried: some nodes, and one resource of the kit extended
// to all of them. Conformance expects the resource out of service everywhere and
// leaves it so.
type World interface {
	// Nodes that the resource is extended to; two or more, or the move is not tried.
	Nodes() []string
	// Host runs scripts on a node.
	Host(node string) kits.Host
	// Instance is the resource as it is on a node.
	Instance(node string) kits.Instance
}

// actionLimit bounds one action of a test. UML guests on a loaded machine need seconds.
const actionLimit = time.Minute

// Conformance runs the tests that every kit must pass whose resource has presence
// on a node.
func Conformance(t *testing.T, kit kits.Kit, w World) {
	t.Helper()
	for _, c := range tests() {
		t.Run(c.name, func(t *testing.T) { c.run(conformance{kit, w}, t) })
	}
}

// ConformanceInVirtualTime runs the same tests, each in a bubble of testing/synctest
// with a world of its own, which make builds and lets t.Cleanup take down.
func ConformanceInVirtualTime(t *testing.T, kit kits.Kit, make func(*testing.T) World) {
	t.Helper()
	for _, c := range tests() {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c.run(conformance{kit, make(t)}, t) })
		})
	}
}

type test struct {
	name string
	run  func(conformance, *testing.T)
}

func tests() []test {
	return []test{
		{"validates", conformance.validates},
		{"life cycle", conformance.lifeCycle},
		{"moves to another node", conformance.moves},
		{"start cut short is finished by the next", conformance.cutStart},
		{"stop cut short is finished by the next", conformance.cutStop},
		{"no answer is unknown", conformance.noAnswer},
		{"senseless answers are never ok", conformance.senseless},
	}
}

type conformance struct {
	kit kits.Kit
	w   World
}

func (c conformance) first() string { return c.w.Nodes()[0] }

func (c conformance) context(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), actionLimit)
	t.Cleanup(cancel)
	return ctx
}

func (c conformance) validates(t *testing.T) {
	for _, n := range c.w.Nodes() {
		if p := c.kit.Validate(c.w.Instance(n)); len(p) > 0 {
			t.Errorf("the world's instance on %s does not validate: %+v", n, p)
		}
	}
	if p := c.kit.Validate(kits.Instance{}); len(p) == 0 {
		t.Error("an instance without any field validates")
	}
	for _, a := range []kits.Action{kits.ActEligible, kits.ActCheck, kits.ActStart, kits.ActStop, kits.ActRecover} {
		if c.kit.Timeout(a, c.w.Instance(c.first())) <= 0 {
			t.Errorf("%s has no deadline", a)
		}
	}
}

func (c conformance) lifeCycle(t *testing.T) {
	n := c.first()
	c.absent(t, n)
	c.eligible(t, n)
	c.absent(t, n) // asking changed nothing
	for _, what := range []string{"start", "start again"} {
		c.start(t, n, what)
		c.present(t, n)
	}
	c.recover(t, n)
	c.present(t, n)
	for _, what := range []string{"stop", "stop again"} {
		c.stop(t, n, what)
		c.absent(t, n)
	}
}

func (c conformance) moves(t *testing.T) {
	if len(c.w.Nodes()) < 2 {
		t.Fatal("this world has one node only")
	}
	a, b := c.w.Nodes()[0], c.w.Nodes()[1]
	c.start(t, a, "start")
	c.absent(t, b)
	c.stop(t, a, "stop")
	c.start(t, b, "start there")
	c.absent(t, a)
	c.present(t, b)
	c.stop(t, b, "stop there")
}

// asker is a host that a question runs on: its scripts may change nothing. (The engine refuses one that would.)
type asker struct {
	kits.Host
	t *testing.T
}

func (h asker) Run(ctx context.Context, s kits.Script) (kits.Result, error) {
	h.t.Helper()
	if s.Mutates {
		h.t.Errorf("%s is a question, and would change %s", s.Name, h.Node())
	}
	return h.Host.Run(ctx, s)
}

// cuts are the deadlines at which a script is cut off: at once, and in its midst.
var cuts = []time.Duration{time.Millisecond, 8 * time.Millisecond, 30 * time.Millisecond}

func (c conformance) cutStart(t *testing.T) {
	n := c.first()
	for _, after := range cuts {
		c.kit.Start(c.context(t), cutHost{c.w.Host(n), after}, c.w.Instance(n))
		c.start(t, n, "start after a start that was cut off")
		c.present(t, n)
		c.stop(t, n, "stop")
		c.absent(t, n)
	}
}

func (c conformance) cutStop(t *testing.T) {
	n := c.first()
	for _, after := range cuts {
		c.start(t, n, "start")
		c.kit.Stop(c.context(t), cutHost{c.w.Host(n), after}, c.w.Instance(n))
		c.stop(t, n, "stop after a stop that was cut off")
		c.absent(t, n)
	}
}

func (c conformance) noAnswer(t *testing.T) {
	h, in := deafHost{c.first()}, c.w.Instance(c.first())
	for what, r := range c.reports(t, h, in) {
		if r.Outcome != kits.Unknown || r.Presence != kits.PresenceUnknown || r.Reason.Text == "" {
			t.Errorf("%s without an answer gives %+v, want unknown and why", what, r)
		}
	}
	if e := c.kit.Eligible(c.context(t), h, in); e.Outcome != kits.Unknown || e.Reason.Text == "" {
		t.Errorf("eligible without an answer gives %+v, want unknown and why", e)
	}
}

func (c conformance) senseless(t *testing.T) {
	in := c.w.Instance(c.first())
	for _, res := range nonsense {
		h := saying{c.first(), res}
		for what, r := range c.reports(t, h, in) {
			if r.Outcome == kits.OK {
				t.Errorf("%s takes %.40q for success: %+v", what, res.Stdout, r)
			}
		}
		if e := c.kit.Eligible(c.context(t), h, in); e.Outcome == kits.OK {
			t.Errorf("eligible takes %.40q for a yes", res.Stdout)
		}
	}
}

func (c conformance) reports(t *testing.T, h kits.Host, in kits.Instance) map[string]kits.Report {
	ctx := c.context(t)
	return map[string]kits.Report{
		"check": c.kit.Check(ctx, h, in), "start": c.kit.Start(ctx, h, in),
		"stop": c.kit.Stop(ctx, h, in), "recover": c.kit.Recover(ctx, h, in),
	}
}

func (c conformance) eligible(t *testing.T, n string) {
	t.Helper()
	if e := c.kit.Eligible(c.context(t), asker{c.w.Host(n), t}, c.w.Instance(n)); e.Outcome != kits.OK {
		t.Fatalf("eligible on %s: %+v", n, e)
	}
}

func (c conformance) start(t *testing.T, n, what string) {
	t.Helper()
	if r := c.kit.Start(c.context(t), c.w.Host(n), c.w.Instance(n)); r.Outcome != kits.OK {
		t.Fatalf("%s on %s: %+v", what, n, r)
	}
}

func (c conformance) recover(t *testing.T, n string) {
	t.Helper()
	if r := c.kit.Recover(c.context(t), c.w.Host(n), c.w.Instance(n)); r.Outcome != kits.OK {
		t.Fatalf("recover on %s: %+v", n, r)
	}
}

func (c conformance) stop(t *testing.T, n, what string) {
	t.Helper()
	r := c.kit.Stop(c.context(t), c.w.Host(n), c.w.Instance(n))
	if r.Outcome != kits.OK || r.Presence != kits.Absent {
		t.Fatalf("%s on %s: %+v", what, n, r)
	}
}

func (c conformance) present(t *testing.T, n string) {
	t.Helper()
	if r := c.kit.Check(c.context(t), asker{c.w.Host(n), t}, c.w.Instance(n)); r.Outcome != kits.OK || r.Presence != kits.Present {
		t.Fatalf("check on %s, where it is in service: %+v", n, r)
	}
}

func (c conformance) absent(t *testing.T, n string) {
	t.Helper()
	r := c.kit.Check(c.context(t), asker{c.w.Host(n), t}, c.w.Instance(n))
	if r.Outcome != kits.Failed || r.Presence != kits.Absent {
		t.Fatalf("check on %s, where it is out of service: %+v", n, r)
	}
}

// cutHost cuts every script off after a moment, as a crash of the engine or the
// node's own limit would.
type cutHost struct {
	kits.Host
	after time.Duration
}

func (h cutHost) Run(ctx context.Context, s kits.Script) (kits.Result, error) {
	s.Deadline = h.after
	return h.Host.Run(ctx, s)
}

// deafHost never answers.
type deafHost struct{ node string }

func (h deafHost) Node() string { return h.node }

func (h deafHost) Run(context.Context, kits.Script) (kits.Result, error) {
	return kits.Result{}, errors.New("no answer within the deadline")
}

// saying answers everything with the same result.
type saying struct {
	node string
	res  kits.Result
}

func (h saying) Node() string { return h.node }

func (h saying) Run(context.Context, kits.Script) (kits.Result, error) { return h.res, nil }

var nonsense = []kits.Result{
	{},
	{Exit: 0, Stdout: "@"},
	{Exit: 0, Stdout: "OK\nOK\nOK\n"},
	{Exit: 0, Stdout: "\x00\xff\xfe@end\n@addr\n@link"},
	{Exit: 127, Stderr: "sh: 1: command not found\n"},
	{Exit: 137},
	{Exit: 0, Stdout: "@iface eth0\n@addr\n", Truncated: true},
}
